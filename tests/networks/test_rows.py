"""Rows of layers: several labellings of the samples, groups of samples, and tokens."""

import numpy as np
import pandas as pd
import pytest

torch = pytest.importorskip("torch")

from sklearn.datasets import load_digits  # noqa: E402

from sksmooth import SmoothnessMonitor, compare_layers  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore::sksmooth.exceptions.SmoothnessWarning")

FEW = dict(random_state=0)


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return (X[:400] / 16).astype(np.float32), y[:400]


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return torch.nn.Sequential(
        torch.nn.Linear(64, 32), torch.nn.ReLU(), torch.nn.Linear(32, 10)
    )


@pytest.fixture(scope="module")
def both(digits, network):
    X, y = digits
    return compare_layers(network, X, {"digit": y, "even": y % 2}, **FEW)


# --- several labellings -------------------------------------------------------------


def test_each_labelling_has_the_table_that_it_has_alone(digits, network, both):
    X, y = digits
    assert list(both.columns[:2]) == ["labels", "layer"]
    assert list(both["labels"]) == ["digit"] * 3 + ["even"] * 3
    alone = compare_layers(network, X, y % 2, **FEW)
    table = both.of("even")
    pd.testing.assert_frame_equal(
        table.frame.drop(columns="seconds"), alone.frame.drop(columns="seconds")
    )
    assert table.best_layer_ == alone.best_layer_
    with pytest.raises(AttributeError, match=r"table\.of\('digit'\)\.best_layer_"):
        both.best_layer_  # noqa: B018
    with pytest.raises(ValueError, match=r"no labelling 'odd'; it has \['digit', 'even'\]"):
        both.of("odd")
    with pytest.raises(ValueError, match=r"it has \[\]"):
        alone.of("even")


@pytest.mark.parametrize("form", ["frame", "columns of numbers", "columns of strings"])
def test_columns_of_classes_are_labellings(digits, network, both, form):
    X, y = digits
    if form == "frame":
        labels = pd.DataFrame({"digit": y, "even": np.array(["odd", "even"])[y % 2]})
    else:
        kind = str if "strings" in form else int
        labels = np.column_stack([y, y % 2]).astype(kind)
    table = compare_layers(network, X, labels, **FEW)
    assert list(table["held_out"]) == pytest.approx(list(both["held_out"]))
    names = ["digit", "even"] if form == "frame" else ["0", "1"]
    assert list(table["labels"].unique()) == names


def test_columns_of_numbers_are_one_target_of_several_outputs(digits, network):
    X, y = digits
    table = compare_layers(network, X, np.column_stack([y, y % 2]).astype(float), **FEW)
    assert "labels" not in table
    assert len(table) == 3


def test_labellings_with_test_samples_probes_and_a_reference(digits, network, both):
    X, y = digits
    labels, other = {"digit": y, "even": y % 2}, {"digit": y[:90], "even": y[:90] % 2}
    table = compare_layers(
        network, X, labels, X_test=X[:90], y_test=other, probes="knn", reference=both, **FEW
    )
    assert (table["reference_difference"] == 0).all()
    assert (table["reference_p_value"] == 1).all()
    assert table["knn"].between(0.5, 1).all()
    assert (table.of("even")["knn"] >= table.of("digit")["knn"]).all()


@pytest.mark.parametrize(
    ("labels", "y_test", "message"),
    [
        ({}, None, "at least one labelling"),
        ({"a": np.arange(400) % 2, "b": np.arange(399) % 2}, None, "same length"),
        ({"a": np.arange(400) % 2}, {"b": np.arange(90) % 2}, "y_test has"),
        ({"a": np.arange(400) % 2}, np.arange(90) % 2, "y_test has"),
    ],
)
def test_bad_labellings(digits, network, labels, y_test, message):
    X, _ = digits
    X_test = None if y_test is None else X[:90]
    with pytest.raises(ValueError, match=message):
        compare_layers(network, X, labels, X_test=X_test, y_test=y_test, **FEW)


# --- groups -------------------------------------------------------------------------


def test_groups_are_seen_whole(network):
    # A label that only tells which of 60 groups a sample is from.
    rng = np.random.RandomState(0)
    group = np.repeat(np.arange(60), 6)
    X = rng.standard_normal((60, 64))[group] + 0.05 * rng.standard_normal((360, 64))
    y = rng.randint(2, size=60)[group]
    X = X.astype(np.float32)
    naive = compare_layers(network, X, y, probes="knn", **FEW)
    grouped = compare_layers(network, X, y, groups=group, probes="knn", **FEW)
    assert (naive["held_out"] > 0.1).all()
    assert (grouped["held_out"] < 0.05).all()
    assert naive["knn"].min() > 0.9
    assert grouped["knn"].max() < 0.8  # a coin for each of 15 groups


# --- tokens -------------------------------------------------------------------------


class Tagger(torch.nn.Module):
    """An embedding and two layers for each token, and one number for a sentence."""

    def __init__(self):
        super().__init__()
        self.embedding = torch.nn.Embedding(30, 8)
        self.tagger = torch.nn.Linear(8, 3)
        self.judge = torch.nn.Linear(3, 2)

    def forward(self, input_ids, attention_mask=None):
        return self.judge(self.tagger(self.embedding(input_ids)).mean(1))


@pytest.fixture(scope="module")
def sentences():
    torch.manual_seed(0)
    rng = np.random.RandomState(0)
    words = rng.randint(30, size=(80, 6))
    return Tagger(), words, words % 3


def test_each_token_is_a_row_with_its_own_label(sentences):
    tagger, words, labels = sentences
    table = compare_layers(tagger, words, labels, tokens=True, **FEW)
    assert list(table["layer"]) == ["embedding", "tagger"]  # the judge has no tokens
    assert list(table["n_features"]) == [8, 3]
    assert table["held_out"][0] > 0.5  # the word says it
    # Rows and their sentences may be in any order.
    rows = np.random.RandomState(1).permutation(80)
    shuffled = compare_layers(tagger, words[rows], labels[rows], tokens=True, **FEW)
    assert list(shuffled["held_out"]) == pytest.approx(list(table["held_out"]), rel=1e-6)
    same = compare_layers(tagger, words, labels, tokens=True, reference=table, **FEW)
    assert (same["reference_p_value"] == 1).all()


def test_tokens_without_a_label_do_not_count(sentences):
    tagger, words, labels = sentences
    shorter = compare_layers(tagger, words[:, :4], labels[:, :4], tokens=True, **FEW)
    ignored = np.where(np.arange(6) < 4, labels, -100)
    mask = (np.arange(6) < 4) & np.ones_like(words, dtype=bool)
    inputs = {"input_ids": words, "attention_mask": mask.astype(int)}
    wrong = np.where(np.arange(6) < 4, labels, 1)
    # Both leave the same tokens; the order of sentences, and so the bags, is by all words.
    by_label = compare_layers(tagger, words, ignored, tokens=True, **FEW)
    by_mask = compare_layers(tagger, inputs, wrong, tokens=True, **FEW)
    for table in (by_label, by_mask):
        assert list(table["held_out"]) == pytest.approx(list(shorter["held_out"]), rel=0.15)


def test_sentences_are_groups():
    # Labels are a coin for each sentence, which its first word tells by heart.
    rng = np.random.RandomState(0)
    words = np.repeat(rng.permutation(400)[:60, None], 5, axis=1)
    labels = np.repeat(rng.randint(2, size=(60, 1)), 5, axis=1)
    torch.manual_seed(0)
    embedding = torch.nn.Sequential(torch.nn.Embedding(400, 6), torch.nn.Linear(6, 6))
    table = compare_layers(embedding, words, labels, ["0"], tokens=True, **FEW)
    assert table["held_out"][0] < 0.05
    pairs = np.arange(60) // 2
    weights = rng.uniform(1, 2, size=60)
    compare_layers(
        embedding, words, labels, tokens=True, groups=pairs, sample_weight=weights, **FEW
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (dict(y=np.zeros(80, dtype=int)), "label for each token"),
        (dict(y=np.zeros((80, 5), dtype=int)), "each of 5 tokens"),
        (dict(y=np.full((80, 6), -100)), "No token has a label"),
        (dict(y={"a": np.zeros((80, 6), dtype=int)}), "one labelling"),
        (dict(layers=["judge"]), "'judge' gives"),
        (dict(pooling="mean"), "with pooling"),
        (dict(n_components=2), "pooling or n_components"),
        (dict(groups=np.arange(79)), "groups must have shape"),
        (dict(sample_weight=np.ones(79)), "sample_weight must have shape"),
    ],
)
def test_bad_tokens(sentences, change, message):
    tagger, words, labels = sentences
    with pytest.raises(ValueError, match=message):
        compare_layers(tagger, **{"X": words, "y": labels, "tokens": True, **FEW, **change})


def test_a_plot_has_a_curve_for_each_labelling(both):
    pytest.importorskip("matplotlib")
    from sksmooth.plotting import LayerSmoothnessDisplay

    display = LayerSmoothnessDisplay.from_frame(both)
    assert list(display.frames) == ["digit", "even"]
    assert len(display.frames["even"]) == 3


def test_a_monitor_takes_one_labelling(digits, network):
    X, y = digits
    with pytest.raises(ValueError, match="one labelling"):
        SmoothnessMonitor(network, X, {"digit": y})
