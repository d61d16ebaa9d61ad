"""Layers of a network compared: on common subsamples, in one pass, whatever the layers."""

import warnings

import numpy as np
import pandas as pd
import pytest
from joblib import parallel_config
from numpy.testing import assert_allclose, assert_array_equal
from pandas.testing import assert_frame_equal
from sklearn.ensemble import GradientBoostingRegressor, RandomForestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sksmooth import (
    BesovSmoothnessEstimator,
    LayerComparison,
    compare_layers,
    list_layers,
    smoothness_difference,
)
from sksmooth.datasets import corrupt_labels
from sksmooth.estimators.probes import PROBES
from sksmooth.exceptions import SmoothnessWarning
from sksmooth.networks.columns import COLUMNS

torch = pytest.importorskip("torch")

from layer_reading import Network, some_digits  # noqa: E402

nn = torch.nn
ALWAYS = [column.name for column in COLUMNS]
CHANGES = ["difference", "difference_low", "difference_high", "p_value"]


def constant():
    return Network(lambda self, x: torch.ones(len(x), 4))


def dead(is_dead):
    """A part in which some samples lose all their features."""
    is_dead = torch.as_tensor(is_dead)[:, None]
    return Network(lambda self, x: torch.where(is_dead[: len(x)], 0.0, x))


def perfect(y):
    """Labels as features, whatever comes in."""
    features = nn.functional.one_hot(torch.as_tensor(y)).float()
    return Network(lambda self, x: features[: len(x)])


def branches(**parts):
    """Parts that all see the input."""
    return Network(lambda self, x: [part(x) for part in self.children()], **parts)


@pytest.fixture(scope="module")
def digits():
    return some_digits(1000)


@pytest.fixture(scope="module")
def trained(digits):
    X, y = (torch.tensor(part) for part in digits)
    torch.manual_seed(0)
    module = nn.Sequential(
        *(nn.Linear(64, 48), nn.ReLU(), nn.Linear(48, 24), nn.ReLU(), nn.Linear(24, 10))
    )
    optimizer = torch.optim.Adam(module.parameters(), lr=0.01)
    for _ in range(40):
        loss = nn.functional.cross_entropy(module(X), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return module


# Bags of pairs of classes would be among those that are drawn.
ALL_CLASSES_AT_ONCE = BesovSmoothnessEstimator(4, class_pairs=False, random_state=0)


def compare(module, X, y=None, layers=None, n_estimators=4, **options):
    estimator = BesovSmoothnessEstimator(n_estimators, random_state=0)
    options = {"estimator": estimator, "random_state": 0, "batch_size": 2000} | options
    return compare_layers(module, X, y, layers, **options)


def assert_same(table, expected, **tolerance):
    frames = (each.frame.drop(columns="seconds") for each in (table, expected))
    assert_frame_equal(*frames, **tolerance)


def alone(features, y, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SmoothnessWarning)
        return BesovSmoothnessEstimator(4, random_state=0, **options).fit(features, y)


# --- the table ---------------------------------------------------------------------


def test_one_row_a_layer(trained, digits):
    table = compare(trained, *digits)
    assert type(table) is LayerComparison
    assert list(table.columns) == ALWAYS
    assert list(table["layer"]) == ["input", "1", "3", "4"]
    assert list(table["type"]) == ["input", "Linear + ReLU", "Linear + ReLU", "Linear"]
    assert list(table["n_features"]) == [64, 48, 24, 10]
    assert (table["alpha_low"] < table["alpha"]).all()
    assert (table["alpha"] < table["alpha_high"]).all()
    assert table["r_squared"].between(0.5, 1).all()
    assert (table["seconds"] > 0).all()
    assert table["loses_smoothness"].dtype == table["noise_is_bound"].dtype == bool
    for name in ("explained", "noise"):
        low, middle, high = (table[name + end] for end in ("_low", "", "_high"))
        assert (low >= 0).all()
        assert (low <= middle).all()
        assert (middle < high).all()
        assert (high <= 1).all()
    assert (table["explained"] + table["noise"] <= 1 + 1e-9).all()
    assert (table["held_out"] > 0).all()
    assert (table["wrong_labels"] < table["noise"]).all()
    assert (table["n_terms_90"] >= 10).all()  # as many as classes
    assert (table["n_relevant"] >= 1).all()
    assert (table["n_relevant"] <= table["n_features"]).all()


def test_what_is_read_first_comes_first(trained, digits):
    names = list(compare(trained, *digits, ["input"]).columns)
    shown = ["layer", "type", "n_features", "alpha", "explained", "noise", "held_out"]
    assert [name for name in names if name in shown] == shown
    assert set(names[: names.index("held_out")]) - set(shown) == {
        *("alpha_low", "alpha_high", "explained_low", "explained_high"),
        *("noise_low", "noise_high", "noise_is_bound"),
    }


def test_training_makes_labels_smoother(trained, digits):
    table = compare(trained, *digits)
    assert table["alpha"].is_monotonic_increasing
    for name in ("held_out", "explained"):
        assert table[name].iloc[-1] > table[name].iloc[0]
    for name in ("n_terms_90", "n_relevant"):
        assert table[name].iloc[-1] < table[name].iloc[0]
    assert not table["loses_smoothness"].any()


def test_differences_are_those_of_the_held_out_levels(trained, digits):
    table = compare(trained, *digits)
    scores = [level.score for level in table.levels_]
    assert list(table["held_out"]) == scores
    assert table.loc[0, CHANGES].isna().all()
    assert_allclose(table["difference"][1:], np.diff(scores))
    assert (table["difference_low"][1:] < table["difference"][1:]).all()
    middle = (table["difference_low"] + table["difference_high"])[1:] / 2
    assert_allclose(middle, table["difference"][1:])
    assert table["p_value"][1:].between(0, 1).all()
    assert (table["loses_smoothness"] == (table["difference_high"] < 0)).all()
    assert (table["gains"] == (table["difference_low"] > 0)).all()
    assert not table["gains_nothing"].any()


def test_differences_are_those_of_smoothness_difference(trained, digits):
    # Which draws by both of its representations: other subsamples, but as good.
    X, y = digits
    row = compare(trained, X, y, ["input", "3"], n_estimators=10).loc[1]
    hidden = trained[:4](torch.tensor(X)).detach().numpy()
    estimator = BesovSmoothnessEstimator(random_state=0)
    result = smoothness_difference(X, hidden, y, estimator=estimator)
    margin = np.ptp(result.interval) / 2
    assert abs(row["difference"] - result.difference) < 0.5 * margin
    own_margin = (row["difference_high"] - row["difference_low"]) / 2
    assert own_margin == pytest.approx(margin, rel=0.5)


@pytest.mark.parametrize("layers", [None, ["input"], ["3", "input"]])
def test_the_input_is_as_the_estimator_alone(trained, digits, layers):
    X, y = digits
    row = compare(trained, X, y, layers).set_index("layer").loc["input"]
    fitted = alone(X, y)
    assert row["alpha"] == fitted.alpha_
    assert (row["alpha_low"], row["alpha_high"]) == fitted.alpha_interval_
    assert row["held_out"] == fitted.shares_.level.score
    for name in ("explained", "noise", "signal_alpha"):
        assert row[name] == getattr(fitted, f"{name}_")
        ends = (row[f"{name}_low"], row[f"{name}_high"])
        assert ends == getattr(fitted, f"{name}_interval_")
    for name in ("noise_is_bound", "wrong_labels", "n_relevant", "r_squared"):
        assert row[name] == getattr(fitted, f"{name}_")
    assert row["n_terms_90"] == fitted.n_terms_for(0.9)


def test_other_layers_are_as_the_estimator_alone_within_noise(trained, digits):
    X, y = digits
    table = compare(trained, X, y)
    with torch.no_grad():
        for k, layer in ((1, "1"), (2, "3"), (3, "4")):
            features = trained[: int(layer) + 1](torch.tensor(X)).numpy()
            low, high = alone(features, y).alpha_interval_
            assert abs(table["alpha"][k] - (low + high) / 2) < (high - low) / 4


def test_a_layer_does_not_depend_on_the_others(trained, digits):
    everything = compare(trained, *digits).set_index("layer")
    kept = ["n_features", "alpha", "alpha_low", "alpha_high", "held_out"]
    for layers in (["1"], ["4", "1"], ["3", "1", "input"]):
        some = compare(trained, *digits, layers).set_index("layer")
        assert_frame_equal(some[kept], everything.loc[layers, kept])


def test_layers_are_named_in_any_array(trained, digits):
    expected = compare(trained, *digits, ["3", "4"])
    named = list_layers(trained)["layer"][4:6]
    for layers in (named, np.array(["3", "4"]), [3, -1]):
        assert_same(compare(trained, *digits, layers), expected)
    assert list(compare(trained, *digits, "4")["layer"]) == ["4"]


# --- common subsamples -------------------------------------------------------------


def test_all_layers_are_grown_on_the_same_bags(trained, digits, drawn_bags):
    compare(trained, *digits, estimator=ALL_CLASSES_AT_ONCE)
    assert len(drawn_bags) == 8  # of the forest of the index, and of the randomised one
    for place, bags in enumerate(drawn_bags):
        assert_array_equal(bags, drawn_bags[place % 2])


@pytest.mark.parametrize("seed", [0, 1])
def test_layers_that_lose_samples_do_not_spoil_the_others(digits, drawn_bags, seed):
    X, y = digits
    mixed = np.random.RandomState(seed).uniform(size=len(y)) < 0.3
    torch.manual_seed(seed)
    network = branches(
        hidden=nn.Sequential(nn.Linear(64, 32), nn.ReLU()),
        mixed=dead(mixed),
        one_class=dead(y == 3),
        constant=constant(),
        steps=Network(lambda self, x: (x[:, :4] > 0).float()),
        perfect=perfect(y),
    )
    names = [name for name, _ in network.named_children()]
    together = compare(network, X, y, names, estimator=ALL_CLASSES_AT_ONCE)
    alpha = together.set_index("layer")["alpha"]
    bags, *others = drawn_bags[::2]  # of the index
    for other in others:
        assert_array_equal(other, bags)
    assert_allclose((bags > 0).mean(axis=1), 0.8, atol=0.01)
    undisturbed = compare(network, X, y, ["hidden"], estimator=ALL_CLASSES_AT_ONCE)
    assert alpha["hidden"] == undisturbed["alpha"][0]
    for name in ("mixed", "steps"):
        features = getattr(network, name)(torch.tensor(X)).numpy()
        low, high = alone(features, y).alpha_interval_
        assert low < alpha[name] < high
    assert alpha["constant"] == 0
    assert alpha["perfect"] == alpha.max()


def test_samples_of_a_collapsed_class_are_draws_of_their_own(digits):
    # All samples of a class in one point: new ones will fall there, too. Alone, the
    # estimator takes them for one sample that is repeated, which some trees never see.
    X, y = digits
    together = compare(branches(dead=dead(y == 3)), X, y, ["dead"])["alpha"][0]
    # Jittered by less than matters, they are samples of their own to the estimator, too.
    jitter = 1e-4 * np.random.RandomState(0).uniform(size=X.shape)
    apart = alone(np.where((y == 3)[:, None], 0, X) + jitter, y)
    low, high = apart.alpha_interval_
    assert abs(together - apart.alpha_) < (high - low) / 8


def test_repeated_samples_are_drawn_together(trained, digits, drawn_bags):
    X, y = (np.repeat(part[:300], 2, axis=0) for part in digits)
    compare(trained, X, y)
    for bags in drawn_bags:
        assert_array_equal(bags[:, ::2], bags[:, 1::2])


def test_order_of_samples_does_not_matter(trained, digits):
    X, y = digits
    order = np.random.RandomState(1).permutation(len(y))
    shuffled = compare(trained, X[order], y[order])
    assert_same(shuffled, compare(trained, X, y), rtol=1e-6)


def test_samples_are_drawn_by_place_as_the_estimator_does(trained, digits):
    for n_estimators in (2, "auto"):
        estimator = BesovSmoothnessEstimator(n_estimators, max_samples=200, random_state=0)
        table = compare(trained, *digits, estimator=estimator)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SmoothnessWarning)
            assert table["alpha"][0] == estimator.fit(*digits).alpha_


@pytest.mark.parametrize(("max_samples", "n_trees"), [(0.8, 20), (200, 50)])
def test_the_default_grows_as_many_trees_on_every_layer(
    trained, digits, drawn_bags, max_samples, n_trees
):
    """By the number of inputs that are drawn on their own, also where a layer keeps few
    apart."""
    X, y = (np.repeat(part[:500], 2, axis=0) for part in digits)
    network = branches(all=nn.Identity(), steps=Network(lambda self, x: x[:, 20:22]))
    estimator = BesovSmoothnessEstimator(max_samples=max_samples, class_pairs=False)
    compare(network, X, y, ["input", "all", "steps"], estimator=estimator)
    assert [len(bags) for bags in drawn_bags] == [n_trees, 50] * 3


# --- layers that lose smoothness ----------------------------------------------------


def test_a_broken_layer_is_marked(trained, digits):
    torch.manual_seed(0)
    blur = nn.Linear(24, 24)
    nn.init.zeros_(blur.weight)
    nn.init.normal_(blur.weight[:1], std=0.1)
    broken = nn.Sequential(*trained[:4], blur, nn.ReLU(), trained[4])
    table = compare(broken, *digits, n_estimators=10)
    assert list(table["layer"][table["loses_smoothness"]]) == ["5"]


def test_a_constant_layer_is_marked(trained, digits):
    network = nn.Sequential(*trained[:4], constant(), nn.Linear(4, 3))
    table = compare(network, *digits, ["input", "3", "4", "5"])
    assert list(table["loses_smoothness"]) == [False, False, True, False]
    assert list(table["alpha"][2:]) == [0, 0]
    assert table["difference"][3] == 0
    assert table["p_value"][3] == 1
    assert (table["cautions"][2:] == "ConstantFeaturesWarning").all()


def test_layers_that_leave_no_error_are_lower_bounds(trained, digits):
    X, y = digits
    network = nn.Sequential(*trained[:4], perfect(y), perfect(y), constant())
    table = compare(network, X, y, ["3", "4", "5", "6"])
    assert table["alpha"][1] == table["alpha"][2] > table["alpha"][0] > 0
    assert list(np.isinf(table["alpha_high"])) == [False, True, True, False]
    assert list(np.isinf(table["signal_alpha"][1:3])) == [True, True]
    assert list(table["gains"]) == [False, True, False, False]
    assert list(table["p_value"][1:] < 0.05) == [True, False, True]
    assert (table["difference"][2], table["p_value"][2]) == (0, 1)
    assert list(table["loses_smoothness"]) == [False, False, False, True]
    assert (table["cautions"][1:3] == "UnresolvedIndexWarning").all()


def clusters(n_samples=1000):
    """Four classes far apart."""
    rng = np.random.RandomState(0)
    y = np.arange(n_samples) % 4
    X = 10 * np.eye(4)[y] + rng.standard_normal((n_samples, 4))
    return X.astype(np.float32), y


def test_a_layer_that_mixes_separated_clusters_is_a_loss():
    X, y = clusters()
    moved = torch.as_tensor(np.random.RandomState(1).uniform(size=len(y)) < 0.3)[:, None]
    mixed = Network(lambda self, x: torch.where(moved, x.roll(1, dims=1), x))
    table = compare(branches(apart=nn.Identity(), mixed=mixed), X, y, ["apart", "mixed"])
    assert table["alpha_high"][0] == np.inf
    assert list(table["loses_smoothness"]) == [False, True]
    assert table["explained"][0] > 0.98
    # Seven in ten samples lie with their own class: so much is explained of the variance.
    assert table["explained"][1] == pytest.approx(_share_of(0.3), abs=0.06)
    assert table["held_out"][1] < table["held_out"][0] / 2
    assert table["noise"][0] < 0.02
    assert table["noise"][1] == pytest.approx(1 - _share_of(0.3), abs=0.06)


def _share_of(wrong):
    """Variance of four classes between samples of which a share has the next label."""
    own, other = 1 - wrong, wrong
    return (own**2 + other**2 - 1 / 4) / (1 - 1 / 4)


def test_wrong_labels_are_noise_of_a_layer():
    X, y = clusters(2000)
    labels = corrupt_labels(y, 0.1, random_state=0)
    row = compare(nn.Identity(), X, labels, ["input"], n_estimators=10).loc[0]
    assert not row["noise_is_bound"]
    assert row["wrong_labels"] == pytest.approx(0.1, abs=0.02)
    assert row["noise_low"] < row["noise"] < row["noise_high"]
    assert row["explained"] == pytest.approx(1 - row["noise"], abs=0.03)
    # Without them it would be the same function, of few terms.
    assert row["signal_alpha"] > 2 * row["alpha"]
    clean = compare(nn.Identity(), X, y, ["input"], n_estimators=10).loc[0]
    assert row["n_terms_90"] == clean["n_terms_90"] < 10


@pytest.mark.parametrize("index", ["elisha-dekel", "sparsity-probe"])
def test_published_indices_have_the_same_differences(trained, digits, index):
    estimator = BesovSmoothnessEstimator(4, index=index, random_state=0)
    table = compare(trained, *digits, estimator=estimator)
    assert table["alpha"].notna().all()
    columns = ["explained", "held_out", *CHANGES, "loses_smoothness"]
    assert_frame_equal(table[columns], compare(trained, *digits)[columns])


@pytest.mark.parametrize(
    "estimator",
    [
        BesovSmoothnessEstimator(4, max_samples=1.0, random_state=0),
        BesovSmoothnessEstimator(
            forest=GradientBoostingRegressor(n_estimators=10, random_state=0)
        ),
    ],
)
def test_layers_are_compared_where_trees_see_all_samples(trained, digits, estimator):
    X, y = digits
    table = compare(trained, X, (y > 4).astype(float), ["input", "3"], estimator=estimator)
    assert table["explained"].isna().all()
    assert (table["held_out"] > 0).all()
    assert table["gains"][1]
    again = compare(trained, X, (y > 4).astype(float), ["3"], estimator=estimator)
    assert again["held_out"][0] == table["held_out"][1]


def test_cautions_are_a_column_and_no_warnings(trained, digits):
    X, y = digits
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table = compare(trained, X[:100], y[:100])
    assert table["cautions"].str.contains("FewTermsWarning").all()
    few = (y < 3) | (np.arange(len(y)) == np.argmax(y == 3))  # with a single three
    table = compare(trained, X[y < 3], y[y < 3], X_test=X[few], y_test=y[few])
    assert table["cautions"].str.contains("UnseenClassesWarning").all()
    with pytest.raises(ValueError, match="of classes that fit has not seen"):
        compare(trained, X[y < 3], y[y < 3], X_test=X[y > 2], y_test=y[y > 2])


# --- samples, targets and estimators -------------------------------------------------


@pytest.mark.parametrize("kind", ["strings", "numbers", "two outputs"])
def test_targets(trained, digits, kind):
    X, y = digits
    y = {
        "strings": np.array(list("abcdefghij"))[y],
        "numbers": np.sin(X[:, 20]),
        "two outputs": np.sin(X[:, [20, 30]]),
    }[kind]
    table = compare(trained, X, y, ["input", "3"])
    assert table["alpha"][0] == alone(X, y).alpha_
    assert list(table["wrong_labels"].notna()) == [kind == "strings"] * 2


def test_forms_of_samples(trained, digits):
    X, y = digits
    expected = compare(trained, X, y)
    data_set = torch.utils.data.TensorDataset(torch.tensor(X), torch.tensor(y))
    for samples, targets in (
        (torch.tensor(X, requires_grad=True), y),
        (pd.DataFrame(X), pd.Series(y)),
        (X, torch.tensor(y)),
        (X.tolist(), y.tolist()),
        (data_set, None),
        (torch.utils.data.DataLoader(data_set, batch_size=2000), None),
    ):
        assert_same(compare(trained, samples, targets), expected, rtol=1e-6)
    # Without the input among the layers, the first of them says how samples are drawn.
    alpha = compare(trained, data_set, layers=["1", "3"])["alpha"][1]
    low, high = expected.set_index("layer").loc["3", ["alpha_low", "alpha_high"]]
    assert low < alpha < high


def test_half_precision(trained, digits):
    half = torch.tensor(digits[0]).bfloat16()
    table = compare(trained.bfloat16(), half, torch.tensor(digits[1]))
    trained.float()
    assert table["alpha"].notna().all()


def test_tokens():
    rng = np.random.RandomState(0)
    tokens, y = rng.randint(50, size=(300, 6)), rng.randint(2, size=300)
    tokens[y == 1, 0] = 7
    torch.manual_seed(0)
    module = nn.Sequential(nn.Embedding(50, 8), nn.Flatten(), nn.Linear(48, 4))
    table = compare(module, tokens, y)
    assert list(table["type"]) == ["Embedding + Flatten", "Linear"]

    named = Network(lambda self, ids, attention_mask: self.inner(ids), inner=module)
    texts = {"ids": tokens, "attention_mask": np.ones_like(tokens)}
    of_texts = compare(named, texts, y, ["inner.2"])
    assert of_texts["alpha"][0] == table["alpha"][1]


def test_rows_of_weight_zero_are_as_if_not_there(trained, digits):
    X, y = digits
    weights = np.random.RandomState(0).randint(0, 2, len(y))
    weighted = compare(trained, X, y, sample_weight=weights)
    kept = weights > 0
    assert_same(weighted, compare(trained, X[kept], y[kept]), rtol=1e-6)


def test_weights_want_the_order_of_a_loader(trained, digits):
    X, y = (torch.tensor(part[:200]) for part in digits)
    data = torch.utils.data.TensorDataset(X, y)
    options = dict(layers=["input"], sample_weight=np.arange(200) % 3 + 1)
    loader = torch.utils.data.DataLoader(data, batch_size=50, shuffle=True)
    with pytest.raises(ValueError, match="does not keep the order"):
        compare(trained, loader, **options)
    ordered = torch.utils.data.DataLoader(data, batch_size=50)
    assert_same(compare(trained, ordered, **options), compare(trained, X, y, **options))


def test_held_out_samples(trained, digits):
    X, y = digits
    first, second = slice(700), slice(700, None)
    test = dict(X_test=X[second], y_test=y[second])
    table = compare(trained, X[first], y[first], **test)
    assert table["held_out"][0] == alone(X[first], y[first]).score(X[second], y[second])
    data_sets = [
        torch.utils.data.TensorDataset(torch.tensor(X[rows]), torch.tensor(y[rows]))
        for rows in (first, second)
    ]
    again = compare(trained, data_sets[0], X_test=data_sets[1])
    assert_allclose(again["held_out"], table["held_out"])
    # Test samples are projected alike.
    projected = compare(trained, X[first], y[first], n_components=32, **test)
    assert list(projected.columns) == [*ALWAYS, "projection_error"]
    assert list(projected["n_features"]) == [32, 32, 24, 10]
    assert list(projected["projection_error"].notna()) == [True, True, False, False]
    assert_allclose(projected["held_out"], table["held_out"], atol=0.1)
    assert_allclose(projected["held_out"][2:], table["held_out"][2:])


def test_the_seed_is_that_of_an_estimator_without_one(trained, digits):
    fitted = BesovSmoothnessEstimator(random_state=3).fit(*digits)
    table = compare_layers(trained, *digits, ["input"], random_state=3)
    assert table["alpha"][0] == fitted.alpha_
    given = BesovSmoothnessEstimator(random_state=3)
    own = compare_layers(trained, *digits, ["input"], given, random_state=5)
    assert own["alpha"][0] == fitted.alpha_
    assert not hasattr(given, "alpha_")


@pytest.mark.parametrize(
    "estimator",
    [
        BesovSmoothnessEstimator(3),
        BesovSmoothnessEstimator(forest=RandomForestClassifier(5, max_samples=0.5)),
        BesovSmoothnessEstimator(3, random_state=np.random.RandomState(0)),
    ],
)
def test_random_states_left_open_are_the_same_for_all_layers(digits, estimator):
    module = nn.Sequential(nn.Identity(), nn.Identity())
    table = compare_layers(module, *digits, ["input", "0", "1"], estimator)
    assert (table["difference"][1:] == 0).all()
    assert (table["p_value"][1:] == 1).all()


def test_results_do_not_depend_on_workers(trained, digits):
    options = dict(probes=["knn", "silhouette", "nc1", "ncc_mismatch"])
    expected = compare(trained, *digits, **options)
    own = BesovSmoothnessEstimator(4, random_state=0, n_jobs=2)
    for other in (dict(n_jobs=1), dict(n_jobs=2), dict(n_jobs=-1), dict(estimator=own)):
        table = compare(trained, *digits, **options, **other)
        assert_same(table, expected, check_exact=True)
    with parallel_config(backend="threading", n_jobs=2):
        assert_same(compare(trained, *digits, **options), expected, check_exact=True)


def test_one_pass_over_the_samples(trained, digits):
    n_rows = []
    count = trained.register_forward_pre_hook(lambda _, given: n_rows.append(len(given[0])))
    compare(trained, *digits, ["input", "1", "3"], batch_size=100)
    count.remove()
    assert sum(n_rows) == len(digits[1])


class Watching(RandomForestClassifier):
    """Calls a function of its features before it is fitted."""

    seen = None

    def fit(self, X, y, sample_weight=None):
        type(self).seen(X)
        return super().fit(X, y, sample_weight)


def test_files_are_removed_as_layers_are_measured(trained, digits, tmp_path, monkeypatch):
    left = []
    count = staticmethod(lambda X: left.append(len(list(tmp_path.iterdir()))))
    monkeypatch.setattr(Watching, "seen", count)
    forest = Watching(3, max_samples=0.5, random_state=0)
    options = dict(estimator=BesovSmoothnessEstimator(forest=forest))
    table = compare(trained, *digits, memmap=str(tmp_path), **options)
    assert left == [4, 3, 2, 1]
    assert not list(tmp_path.iterdir())
    assert_same(table, compare(trained, *digits, **options))


def test_progress(trained, digits, capsys):
    compare(trained, *digits, verbose=1)
    shown = capsys.readouterr().err
    assert "index: " in shown
    assert "4/4" in shown
    compare(trained, *digits)
    assert capsys.readouterr().err == ""


# --- probes -------------------------------------------------------------------------


def test_probes_are_columns(trained, digits):
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    table = compare(trained, *digits, probes=["ncc_mismatch", "knn", "kmeans_ari"])
    assert list(table.columns) == [*ALWAYS, "ncc_mismatch", "knn", "kmeans_ari"]
    assert table["ncc_mismatch"].iloc[-1] < table["ncc_mismatch"][0]
    assert (table["knn"] > 0.9).all()
    assert torch.get_num_threads() == 2  # scikit-learn's threads are limited, not torch's
    torch.set_num_threads(threads)


def test_probes_on_test_samples(trained, digits):
    X, y = digits
    split = dict(X_test=X[700:], probes="knn")
    right = compare(trained, X[:700], y[:700], y_test=y[700:], **split)
    wrong = compare(trained, X[:700], y[:700], y_test=(y[700:] + 1) % 10, **split)
    assert (right["knn"] > 0.8).all()
    assert (wrong["knn"] < 0.1).all()


def test_probes_take_a_column_of_labels(trained, digits):
    X, y = digits
    options = dict(layers=["1"], probes=["knn", "nc1", "ncc_mismatch", "silhouette"])
    column = compare(trained, X[:300], y[:300, None], **options)
    assert_same(column, compare(trained, X[:300], y[:300], **options))


def test_probes_of_numbers(trained, digits):
    X, _ = digits
    means = np.c_[X[:, :32].mean(axis=1), X[:, 32:].mean(axis=1)]
    table = compare(trained, X, means, layers=["input", "1"], probes=["ridge", "knn"])
    assert table["ridge"][0] > 0.99
    assert (table["ridge"] > table["knn"]).all()
    split = dict(layers=["input"], X_test=X[700:], y_test=means[700:], probes=["ridge"])
    assert compare(trained, X[:700], means[:700], **split)["ridge"][0] > 0.99


def test_all_probes_fit_the_targets(trained, digits):
    pytest.importorskip("skdim")
    X, y = digits
    options = dict(layers=["2"], probes="all")
    for targets, kind in ((y[:200], "classes"), (y[:200] / 10, "numbers")):
        table = compare(trained, X[:200], targets, **options)
        names = [name for name, probe in PROBES.items() if kind in probe.targets]
        assert list(table.columns) == [*ALWAYS, *names]


def test_one_feature(digits):
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(64, 1))
    table = compare(network, *digits, probes=["nc1", "silhouette"])
    assert list(table["n_features"]) == [64, 1]
    assert table[["alpha", "nc1", "silhouette"]].notna().all(axis=None)


# --- what cannot be measured ---------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(layers=["fc1"]), "no layer 'fc1'"),
        (dict(probes=["kmeans"]), "Unknown probes"),
        (dict(probes=["linear"], y=np.linspace(0, 1, 1000)), r"linear.*need class labels"),
        (dict(probes=["ridge"]), r"ridge.*need regression targets"),
        (dict(y=None), "y is required"),
        (dict(y=np.zeros(1000, dtype=int)), "one class"),
        (dict(y=np.arange(999) % 2), "999"),
        (dict(y_test=np.zeros(3)), "without X_test"),
        (dict(X_test=np.zeros((3, 64))), "y_test is required"),
        (dict(estimator=make_pipeline(StandardScaler())), "estimator.*Pipeline"),
        (dict(estimator=BesovSmoothnessEstimator(0)), "n_estimators"),
        (dict(sample_weight=np.ones(3)), "sample_weight"),
        (dict(layers=[]), "layers is empty"),
        (dict(layers=dict(all=1)), "layers"),
        (dict(n_components=1.5), "'n_components' parameter"),
        (dict(memmap=1), "'memmap' parameter"),
        (dict(pooling="median"), "'pooling' parameter"),
    ],
)
def test_bad_arguments(trained, digits, options, message):
    options = dict(y=digits[1]) | options
    with pytest.raises((ValueError, TypeError), match=message):
        compare(trained, digits[0], **options)


def test_activations_that_are_not_numbers(digits):
    module = nn.Sequential(nn.Linear(64, 8))
    nn.init.constant_(module[0].bias, torch.nan)
    with pytest.raises(ValueError, match="Layer '0' gives NaN"):
        compare(module, *digits)


def test_errors_name_the_layer(trained, digits, monkeypatch):
    def refuse_narrow(X):
        if X.shape[1] < 12:
            raise ValueError("not wide enough")

    monkeypatch.setattr(Watching, "seen", staticmethod(refuse_narrow))
    estimator = BesovSmoothnessEstimator(forest=Watching(2, random_state=0))
    with pytest.raises(ValueError, match=r"Layer '4': .*wide"):
        compare(trained, *digits, estimator=estimator)
