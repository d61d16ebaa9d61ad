"""Layers of a network compared: on common subsamples, in one pass, whatever the layers."""

import sys
import warnings

import numpy as np
import pandas as pd
import pytest
from joblib import parallel_config
from numpy.testing import assert_allclose
from pandas.testing import assert_frame_equal
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sksmooth import (
    BesovSmoothnessEstimator,
    compare_layers,
    list_layers,
    smoothness_difference,
)
from sksmooth.exceptions import SmoothnessWarning
from sksmooth.networks.comparison import _LayersInTurn

torch = pytest.importorskip("torch")
nn = torch.nn

COLUMNS = [
    *("layer", "type", "n_features", "alpha", "alpha_low", "alpha_high", "r_squared"),
    *("held_out", "difference", "difference_low", "difference_high", "p_value"),
    *("loses_smoothness", "seconds", "cautions"),
]
CHANGES = ["difference", "difference_low", "difference_high", "p_value"]


class Constant(nn.Module):
    def forward(self, x):
        return torch.ones(len(x), 4)


class Dead(nn.Module):
    """A part of the samples lose all their features."""

    def __init__(self, dead):
        super().__init__()
        self.register_buffer("dead", torch.as_tensor(dead))

    def forward(self, x):
        return torch.where(self.dead[: len(x), None], 0.0, x)


class Steps(nn.Module):
    def forward(self, x):
        return (x[:, :4] > 0).float()


class Perfect(nn.Module):
    """Labels as features, whatever comes in."""

    def __init__(self, y):
        super().__init__()
        self.register_buffer("y", torch.as_tensor(y))

    def forward(self, x):
        return nn.functional.one_hot(self.y[: len(x)]).float()


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return (X[:1000] / 16).astype(np.float32), y[:1000]


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


def compare(module, X, y=None, layers=None, n_estimators=4, **options):
    estimator = BesovSmoothnessEstimator(n_estimators, random_state=0)
    options = {"estimator": estimator, "random_state": 0, "batch_size": 2000} | options
    return compare_layers(module, X, y, layers, **options)


def values(frame):
    return frame.drop(columns="seconds")


def alone(features, y, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SmoothnessWarning)
        return BesovSmoothnessEstimator(4, random_state=0, **options).fit(features, y)


# --- the table ---------------------------------------------------------------------


def test_one_row_a_layer(trained, digits):
    frame = compare(trained, *digits)
    assert list(frame.columns) == COLUMNS
    assert list(frame["layer"]) == ["input", "1", "3", "4"]
    assert list(frame["type"]) == ["input", "Linear + ReLU", "Linear + ReLU", "Linear"]
    assert list(frame["n_features"]) == [64, 48, 24, 10]
    assert (frame["alpha_low"] < frame["alpha"]).all()
    assert (frame["alpha"] < frame["alpha_high"]).all()
    assert frame["r_squared"].between(0.5, 1).all()
    assert (frame["seconds"] > 0).all()
    assert frame["loses_smoothness"].dtype == bool
    assert frame.loc[0, CHANGES].isna().all()
    assert frame.loc[1:, CHANGES].notna().all(axis=None)


def test_training_makes_labels_smoother(trained, digits):
    frame = compare(trained, *digits)
    assert frame["alpha"].is_monotonic_increasing
    assert frame["held_out"].iloc[-1] > frame["held_out"].iloc[0]
    assert not frame["loses_smoothness"].any()


def test_differences_are_those_of_the_indices(trained, digits):
    frame = compare(trained, *digits)
    assert_allclose(frame["difference"][1:], np.diff(frame["alpha"]))
    assert (frame["difference_low"][1:] < frame["difference"][1:]).all()
    middle = (frame["difference_low"] + frame["difference_high"])[1:] / 2
    assert_allclose(middle, frame["difference"][1:])
    assert (frame["loses_smoothness"] == (frame["difference_high"] < 0)).all()


def test_differences_are_those_of_smoothness_difference(trained, digits):
    # Which draws by both of its representations: other subsamples, but as good.
    X, y = digits
    frame = compare(trained, X, y, ["input", "3"], n_estimators=10)
    hidden = trained[:4](torch.tensor(X)).detach().numpy()
    estimator = BesovSmoothnessEstimator(random_state=0)
    result = smoothness_difference(X, hidden, y, estimator=estimator)
    row = frame.loc[1]
    margin = np.ptp(result.interval) / 2
    assert abs(row["difference"] - result.difference) < 0.5 * margin
    assert (row["difference_high"] - row["difference_low"]) / 2 == pytest.approx(
        margin, rel=0.5
    )


def test_first_layer_is_as_the_estimator_alone(trained, digits):
    X, y = digits
    for layers in (None, ["input"], ["3", "input"]):
        frame = compare(trained, X, y, layers).set_index("layer")
        fitted = alone(X, y)
        assert frame.loc["input", "alpha"] == fitted.alpha_
        assert tuple(frame.loc["input", ["alpha_low", "alpha_high"]]) == (
            fitted.alpha_interval_
        )
        assert frame.loc["input", "held_out"] == fitted.oob_score_
        assert frame.loc["input", "r_squared"] == fitted.r_squared_


def test_other_layers_are_as_the_estimator_alone_within_noise(trained, digits):
    X, y = digits
    frame = compare(trained, X, y)
    with torch.no_grad():
        for k, layer in ((1, "1"), (2, "3"), (3, "4")):
            features = trained[: int(layer) + 1](torch.tensor(X)).numpy()
            low, high = alone(features, y).alpha_interval_
            assert abs(frame["alpha"][k] - (low + high) / 2) < (high - low) / 4


def test_a_layer_does_not_depend_on_the_others(trained, digits):
    everything = compare(trained, *digits).set_index("layer")
    for layers in (["1"], ["4", "1"], ["3", "1", "input"]):
        some = compare(trained, *digits, layers).set_index("layer")
        for layer in layers:
            kept = ["n_features", "alpha", "alpha_low", "alpha_high", "held_out"]
            assert (some.loc[layer, kept] == everything.loc[layer, kept]).all()


def test_layers_by_number(trained, digits):
    frame = compare(trained, *digits, [1, -1])
    assert list(frame["layer"]) == ["1", "4"]


# --- common subsamples -------------------------------------------------------------


def test_all_layers_are_grown_on_the_same_bags(trained, digits, drawn_bags):
    compare(trained, *digits)
    assert len(drawn_bags) == 4
    for bags in drawn_bags[1:]:
        np.testing.assert_array_equal(bags, drawn_bags[0])


@pytest.mark.parametrize("seed", [0, 1])
def test_layers_that_lose_samples_do_not_spoil_the_others(digits, drawn_bags, seed):
    X, y = digits
    mixed = np.random.RandomState(seed).uniform(size=len(y)) < 0.3
    of_one_class = y == 3
    torch.manual_seed(seed)
    module = nn.ModuleDict(
        dict(
            hidden=nn.Sequential(nn.Linear(64, 32), nn.ReLU()),
            mixed=Dead(mixed),
            one_class=Dead(of_one_class),
            constant=Constant(),
            steps=Steps(),
            perfect=Perfect(y),
        )
    )
    network = Branches(module)
    names = [f"parts.{name}" for name in module]
    frame = compare(network, X, y, names).set_index("layer")
    bags, *others = drawn_bags
    for other in others:
        np.testing.assert_array_equal(other, bags)
    assert_allclose((bags > 0).mean(axis=1), 0.8, atol=0.01)
    undisturbed = compare(network, X, y, ["parts.hidden"]).set_index("layer")
    assert frame.loc["parts.hidden", "alpha"] == undisturbed.loc["parts.hidden", "alpha"]
    for name in ("mixed", "steps"):
        features = module[name](torch.tensor(X)).numpy()
        low, high = alone(features, y).alpha_interval_
        assert low < frame.loc[f"parts.{name}", "alpha"] < high
    assert frame.loc["parts.constant", "alpha"] == 0
    assert frame.loc["parts.perfect", "alpha"] == np.inf


class Branches(nn.Module):
    """Parts that all see the input."""

    def __init__(self, parts):
        super().__init__()
        self.parts = parts

    def forward(self, x):
        return [part(x) for part in self.parts.values()]


def test_samples_of_a_collapsed_class_are_draws_of_their_own(digits):
    # All samples of a class in one point: new ones will fall there, too. Alone, the
    # estimator takes them for one sample that is repeated, which some trees never see.
    X, y = digits
    collapsed = np.where((y == 3)[:, None], 0, X)
    in_turn = _LayersInTurn(BesovSmoothnessEstimator(4, random_state=0), X, y)
    together = in_turn.measure(collapsed)
    # Jittered by less than matters, they are samples of their own to the estimator, too.
    jitter = 1e-4 * np.random.RandomState(0).uniform(size=X.shape)
    apart = alone(collapsed + jitter, y)
    low, high = apart.alpha_interval_
    assert abs(together["alpha"] - apart.alpha_) < (high - low) / 8


def test_repeated_samples_are_drawn_together(trained, digits, drawn_bags):
    X, y = (np.repeat(part[:300], 2, axis=0) for part in digits)
    compare(trained, X, y)
    for bags in drawn_bags:
        np.testing.assert_array_equal(bags[:, ::2], bags[:, 1::2])


def test_order_of_samples_does_not_matter(trained, digits):
    X, y = digits
    rows = np.random.RandomState(1).permutation(len(y))
    shuffled = compare(trained, X[rows], y[rows])
    frame = compare(trained, X, y)
    assert_frame_equal(values(shuffled), values(frame), rtol=1e-6)


def test_samples_are_drawn_by_place_as_the_estimator_does(trained, digits):
    X, y = digits
    estimator = BesovSmoothnessEstimator(2, max_samples=200, random_state=0)
    frame = compare(trained, X, y, estimator=estimator)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SmoothnessWarning)
        fitted = estimator.fit(X, y)
    assert frame["alpha"][0] == fitted.alpha_


# --- layers that lose smoothness ----------------------------------------------------


def test_a_broken_layer_is_marked(trained, digits):
    X, y = digits
    torch.manual_seed(0)
    blur = nn.Linear(24, 24)
    nn.init.zeros_(blur.weight)
    nn.init.normal_(blur.weight[:1], std=0.1)
    broken = nn.Sequential(*trained[:4], blur, nn.ReLU(), trained[4])
    frame = compare(broken, X, y, n_estimators=10)
    assert list(frame["layer"][frame["loses_smoothness"]]) == ["5"]


def test_a_constant_layer_is_marked(trained, digits):
    X, y = digits
    dead = nn.Sequential(*trained[:4], Constant(), nn.Linear(4, 3))
    frame = compare(dead, X, y, ["input", "3", "4", "5"])
    assert list(frame["loses_smoothness"]) == [False, False, True, False]
    assert list(frame["alpha"][2:]) == [0, 0]
    assert frame["difference"][3] == 0
    assert frame["p_value"][3] == 1
    assert (frame["cautions"][2:] == "ConstantFeaturesWarning").all()


def test_infinite_indices(trained, digits):
    X, y = digits
    perfect = nn.Sequential(*trained[:4], Perfect(y), Perfect(y), Constant())
    frame = compare(perfect, X, y, ["3", "4", "5", "6"])
    assert list(frame["alpha"][1:]) == [np.inf, np.inf, 0]
    assert np.isfinite(frame["alpha"][0])
    assert frame["difference"][1] == np.inf
    assert np.isnan(frame["difference"][2])
    assert frame["difference"][3] == -np.inf
    assert frame["p_value"].isna().all()
    assert list(frame["loses_smoothness"]) == [False, False, False, True]
    assert "UnresolvedIndexWarning" in frame["cautions"][1]
    assert np.isfinite(frame["held_out"]).all()


@pytest.mark.parametrize("index", ["elisha-dekel", "sparsity-probe"])
def test_published_indices_have_no_differences(trained, digits, index):
    estimator = BesovSmoothnessEstimator(3, index=index, random_state=0)
    frame = compare(trained, *digits, estimator=estimator)
    assert frame["alpha"].notna().all()
    assert frame[CHANGES].isna().all(axis=None)
    assert not frame["loses_smoothness"].any()


def test_cautions_are_a_column_and_no_warnings(trained, digits):
    X, y = digits
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        frame = compare(trained, X[:100], y[:100])
    assert frame["cautions"].str.contains("FewTermsWarning").all()


# --- samples, targets and estimators -------------------------------------------------


@pytest.mark.parametrize("kind", ["labels", "strings", "numbers", "two outputs"])
def test_targets(trained, digits, kind):
    X, y = digits
    y = {
        "labels": y,
        "strings": np.array(list("abcdefghij"))[y],
        "numbers": np.sin(X[:, 20]),
        "two outputs": np.sin(X[:, [20, 30]]),
    }[kind]
    frame = compare(trained, X, y, ["input", "3"])
    assert frame["alpha"][0] == alone(X, y).alpha_


def test_forms_of_samples(trained, digits):
    X, y = digits
    expected = values(compare(trained, X, y))
    data_set = torch.utils.data.TensorDataset(torch.tensor(X), torch.tensor(y))
    for samples, targets in (
        (torch.tensor(X, requires_grad=True), y),
        (pd.DataFrame(X), pd.Series(y)),
        (X, torch.tensor(y)),
        (X.tolist(), y.tolist()),
        (data_set, None),
        (torch.utils.data.DataLoader(data_set, batch_size=2000), None),
    ):
        assert_frame_equal(values(compare(trained, samples, targets)), expected, rtol=1e-6)
    # Without the input among the layers, the first of them says how samples are drawn.
    frame = compare(trained, data_set, layers=["1", "3"]).set_index("layer")
    low, high = expected.set_index("layer").loc["3", ["alpha_low", "alpha_high"]]
    assert low < frame.loc["3", "alpha"] < high


def test_half_precision(trained, digits):
    X, y = digits
    half = torch.tensor(X).bfloat16()
    frame = compare(trained.bfloat16(), half, torch.tensor(y))
    trained.float()
    assert frame["alpha"].notna().all()


def test_tokens():
    rng = np.random.RandomState(0)
    tokens, y = rng.randint(50, size=(300, 6)), rng.randint(2, size=300)
    tokens[y == 1, 0] = 7
    torch.manual_seed(0)
    module = nn.Sequential(nn.Embedding(50, 8), nn.Flatten(), nn.Linear(48, 4))
    frame = compare(module, tokens, y)
    assert list(frame["type"]) == ["Embedding + Flatten", "Linear"]

    class Named(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = module

        def forward(self, ids, attention_mask):
            return self.inner(ids)

    mask = np.ones_like(tokens)
    named = compare(Named(), {"ids": tokens, "attention_mask": mask}, y, ["inner.2"])
    assert named["alpha"][0] == frame["alpha"][1]


def test_rows_of_weight_zero_are_as_if_not_there(trained, digits):
    X, y = digits
    weights = np.random.RandomState(0).randint(0, 2, len(y))
    weighted = compare(trained, X, y, sample_weight=weights)
    kept = weights > 0
    assert_frame_equal(
        values(weighted), values(compare(trained, X[kept], y[kept])), rtol=1e-6
    )


def test_held_out_samples(trained, digits):
    X, y = digits
    frame = compare(trained, X[:700], y[:700], X_test=X[700:], y_test=y[700:])
    assert frame["held_out"][0] == alone(X[:700], y[:700]).score(X[700:], y[700:])
    data_sets = [
        torch.utils.data.TensorDataset(torch.tensor(X[rows]), torch.tensor(y[rows]))
        for rows in (slice(700), slice(700, None))
    ]
    again = compare(trained, data_sets[0], X_test=data_sets[1])
    assert_allclose(again["held_out"], frame["held_out"])


def test_unseen_classes_are_a_caution(trained, digits):
    X, y = digits
    few = y < 3
    frame = compare(trained, X[few], y[few], X_test=X[~few], y_test=y[~few])
    assert frame["cautions"].str.contains("UnseenClassesWarning").all()


def test_projection(trained, digits):
    X, y = digits
    split = dict(X_test=X[700:], y_test=y[700:], max_features=32)
    frame = compare(trained, X[:700], y[:700], **split)
    assert list(frame.columns) == [*COLUMNS, "projection_error"]
    assert list(frame["n_features"]) == [32, 32, 24, 10]
    assert list(frame["projection_error"].notna()) == [True, True, False, False]
    # Test samples are projected alike.
    plain = compare(trained, X[:700], y[:700], X_test=X[700:], y_test=y[700:])
    assert_allclose(frame["held_out"], plain["held_out"], atol=0.1)
    assert_allclose(frame["held_out"][2:], plain["held_out"][2:])


def test_default_estimator_takes_the_seed(trained, digits):
    X, y = digits
    frame = compare_layers(trained, X, y, ["input"], random_state=3)
    fitted = BesovSmoothnessEstimator(random_state=3).fit(X, y)
    assert frame["alpha"][0] == fitted.alpha_
    given = BesovSmoothnessEstimator(random_state=3)
    own = compare_layers(trained, X, y, ["input"], given, random_state=5)
    assert own["alpha"][0] == fitted.alpha_
    assert given.random_state == 3
    assert not hasattr(given, "alpha_")


def test_random_states_left_open_are_the_same_for_all_layers(digits):
    X, y = digits
    module = nn.Sequential(nn.Identity(), nn.Identity())
    forest = RandomForestClassifier(5, max_samples=0.5)
    for estimator in (
        BesovSmoothnessEstimator(3),
        BesovSmoothnessEstimator(forest=forest),
        BesovSmoothnessEstimator(3, random_state=np.random.RandomState(0)),
    ):
        frame = compare_layers(module, X, y, ["input", "0", "1"], estimator)
        assert (frame["difference"][1:] == 0).all()
        assert (frame["p_value"][1:] == 1).all()


def test_results_do_not_depend_on_workers(trained, digits):
    X, y = digits
    probes = ["knn", "silhouette", "nc1", "ncc_mismatch"]
    expected = values(compare(trained, X, y, probes=probes))
    for n_jobs in (1, 2, -1):
        frame = compare(trained, X, y, probes=probes, n_jobs=n_jobs)
        assert_frame_equal(values(frame), expected, check_exact=True)
    own = BesovSmoothnessEstimator(4, random_state=0, n_jobs=2)
    frame = compare(trained, X, y, probes=probes, estimator=own)
    assert_frame_equal(values(frame), expected, check_exact=True)
    with parallel_config(backend="threading", n_jobs=2):
        frame = compare(trained, X, y, probes=probes)
    assert_frame_equal(values(frame), expected, check_exact=True)


def test_one_pass_over_the_samples(trained, digits):
    class Counting(nn.Module):
        n_rows = 0

        def __init__(self):
            super().__init__()
            self.inner = trained

        def forward(self, x):
            Counting.n_rows += len(x)
            return self.inner(x)

    X, y = digits
    compare(Counting(), X, y, ["input", "inner.1", "inner.3"], batch_size=100)
    assert Counting.n_rows == len(y)


def test_files_are_removed_as_layers_are_measured(trained, digits, tmp_path, monkeypatch):
    left = []
    measure = _LayersInTurn.measure

    def spy(self, X, X_test=None):
        left.append(len(list(tmp_path.iterdir())))
        return measure(self, X, X_test)

    monkeypatch.setattr(_LayersInTurn, "measure", spy)
    X, y = digits
    frame = compare(trained, X, y, memmap=str(tmp_path))
    assert left == [4, 3, 2, 1]
    assert not list(tmp_path.iterdir())
    assert_frame_equal(values(frame), values(compare(trained, X, y)))


def test_progress(trained, digits, capsys):
    compare(trained, *digits, verbose=1)
    shown = capsys.readouterr().err
    assert "index [" in shown
    assert "4/4" in shown
    compare(trained, *digits)
    assert capsys.readouterr().err == ""


# --- probes -------------------------------------------------------------------------


def test_probes_are_columns(trained, digits):
    X, y = digits
    frame = compare(trained, X, y, probes=["nc1", "knn", "ncc_mismatch"])
    assert list(frame.columns) == [*COLUMNS, "nc1", "knn", "ncc_mismatch"]
    assert frame["ncc_mismatch"].iloc[-1] < frame["ncc_mismatch"][0]
    assert (frame["knn"] > 0.9).all()


def test_probes_leave_the_threads_of_torch(trained, digits):
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    compare(trained, *digits, ["3"], probes=["kmeans_ari"])
    assert torch.get_num_threads() == 2
    torch.set_num_threads(threads)


def test_probes_on_test_samples(trained, digits):
    X, y = digits
    split = dict(X_test=X[700:], probes="knn")
    right = compare(trained, X[:700], y[:700], y_test=y[700:], **split)
    wrong = compare(trained, X[:700], y[:700], y_test=(y[700:] + 1) % 10, **split)
    assert (right["knn"] > 0.8).all()
    assert (wrong["knn"] < 0.1).all()


def test_probes_want_classes(trained, digits):
    X, y = digits
    with pytest.raises(ValueError, match=r"knn.*class labels"):
        compare(trained, X, y / 10, probes=["knn"])


# --- what cannot be measured ---------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(layers=["fc1"]), "no layer 'fc1'"),
        (dict(probes=["kmeans"]), "Unknown probes"),
        (dict(y=None), "y is None"),
        (dict(y=np.zeros(1000, dtype=int)), "one class"),
        (dict(y=np.arange(999) % 2), "999"),
        (dict(y_test=np.zeros(3)), "without X_test"),
        (dict(X_test=np.zeros((3, 64))), "pass y_test"),
        (dict(estimator=make_pipeline(StandardScaler())), "estimator.*Pipeline"),
        (dict(estimator=BesovSmoothnessEstimator(0)), "n_estimators"),
        (dict(sample_weight=np.ones(3)), "sample_weight"),
        (dict(layers=[]), "No layer"),
        (dict(layers=dict(all=1)), "layers"),
        (dict(max_features=1.5), "'max_features' parameter"),
        (dict(memmap=1), "'memmap' parameter"),
        (dict(pooling="median"), "'pooling' parameter"),
    ],
)
def test_bad_arguments(trained, digits, options, message):
    X, y = digits
    options = dict(y=y) | options
    with pytest.raises((ValueError, TypeError), match=message):
        compare(trained, X, **options)


def test_activations_that_are_not_numbers(digits):
    X, y = digits
    module = nn.Sequential(nn.Linear(64, 8))
    nn.init.constant_(module[0].bias, torch.nan)
    with pytest.raises(ValueError, match="Layer '0' gives NaN"):
        compare(module, X, y)


def test_errors_name_the_layer(trained, digits):
    X, y = digits
    with pytest.raises(ValueError, match=r"Layer '4': .*wide"):
        compare(trained, X, y, estimator=BesovSmoothnessEstimator(forest=Narrow(12)))


class Narrow(RandomForestClassifier):
    """Refuses narrow features, to have an error in the middle of the layers."""

    def __init__(self, fewest=12, n_estimators=2, random_state=0):
        super().__init__(n_estimators, random_state=random_state)
        self.fewest = fewest

    def fit(self, X, y, sample_weight=None):
        if X.shape[1] < self.fewest:
            raise ValueError(f"{X.shape[1]} columns are not wide enough")
        return super().fit(X, y, sample_weight)


def test_one_feature(digits):
    X, y = digits
    torch.manual_seed(0)
    frame = compare(nn.Sequential(nn.Linear(64, 1)), X, y, probes=["nc1", "silhouette"])
    assert list(frame["n_features"]) == [64, 1]
    assert frame[["alpha", "nc1", "silhouette"]].notna().all(axis=None)


def test_without_torch(digits, monkeypatch):
    X, y = digits
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ImportError, match=r'pip install "sksmooth\[torch\]"'):
        compare_layers(None, X, y)


def test_weights_want_the_order_of_a_loader(trained, digits):
    X, y = (torch.tensor(part[:200]) for part in digits)
    data = torch.utils.data.TensorDataset(X, y)
    weights = np.arange(200) % 3 + 1
    loader = torch.utils.data.DataLoader(data, batch_size=50, shuffle=True)
    with pytest.raises(ValueError, match="does not keep the order"):
        compare(trained, loader, layers=["1"], sample_weight=weights)
    ordered = torch.utils.data.DataLoader(data, batch_size=50)
    frame = compare(trained, ordered, layers=["input"], sample_weight=weights)
    arrays = compare(trained, X, y, layers=["input"], sample_weight=weights)
    assert_frame_equal(values(frame), values(arrays))


def test_probes_take_a_column_of_labels(trained, digits):
    X, y = digits
    options = dict(layers=["1"], probes=["knn", "nc1", "ncc_mismatch", "silhouette"])
    column = compare(trained, X[:300], y[:300, None], **options)
    assert_frame_equal(
        values(column), values(compare(trained, X[:300], y[:300], **options))
    )


def test_layers_are_named_in_any_array(digits):
    X, y = digits
    module = nn.Sequential(nn.Linear(64, 8), nn.ReLU(), nn.Linear(8, 10))
    expected = compare(module, X, y, ["1", "2"])
    for layers in (list_layers(module)["layer"][2:4], np.array(["1", "2"])):
        assert_frame_equal(values(compare(module, X, y, layers)), values(expected))
    assert list(compare(module, X, y, "2")["layer"]) == ["2"]
