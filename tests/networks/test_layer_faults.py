"""Layers that harm a network: against the one before, their like, and a reference."""

import copy
import pickle
from functools import partial

import numpy as np
import pytest
from numpy.testing import assert_allclose
from pandas.testing import assert_frame_equal
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier

from sksmooth import BesovSmoothnessEstimator, LayerComparison, compare_layers
from sksmooth.networks.changes import Change, gaining_nothing
from sksmooth.networks.columns import REFERENCE

torch = pytest.importorskip("torch")

from layer_reading import Network, some_digits  # noqa: E402

nn = torch.nn
OF_REFERENCE = [column.name for column in REFERENCE]
MARKS = ["loses_smoothness", "gains_nothing"]
compare = partial(
    compare_layers,
    estimator=BesovSmoothnessEstimator(4, random_state=0),
    random_state=0,
    batch_size=2000,
)


def trained(network, X, y, n_steps, lr):
    X, y = torch.tensor(X), torch.tensor(y)
    optimizer = torch.optim.Adam(network.parameters(), lr=lr)
    for _ in range(n_steps):
        loss = nn.functional.cross_entropy(network(X), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return network


def with_layer(network, place, layer):
    """A copy with another layer."""
    changed = copy.deepcopy(network)
    changed[place] = layer
    return changed


def residual_block(width):
    return Network(
        lambda self, x: torch.relu(x + self.out(torch.relu(self.hidden(x)))),
        hidden=nn.Linear(width, width),
        out=nn.Linear(width, width),
    )


@pytest.fixture(scope="module")
def digits():
    return some_digits(1000)


@pytest.fixture(scope="module")
def plain(digits):
    torch.manual_seed(0)
    return trained(
        nn.Sequential(
            *(nn.Linear(64, 48), nn.ReLU(), nn.Linear(48, 24), nn.ReLU(), nn.Linear(24, 10))
        ),
        *digits,
        40,
        0.01,
    )


@pytest.fixture(scope="module")
def intact(plain, digits):
    return compare(plain, *digits)


@pytest.fixture(scope="module")
def lost(plain, digits):
    """The plain network with a layer that was initialised again."""
    torch.manual_seed(1)
    return with_layer(plain, 2, nn.Linear(48, 24))


# --- against the layer before ---------------------------------------------------------


def test_a_layer_that_was_initialised_again_loses_smoothness(intact, lost, digits):
    assert not intact[MARKS].any(axis=None)
    table = compare(lost, *digits)
    assert list(table["loses_smoothness"][:3]) == [False, False, True]
    assert table["gains"][1]


def test_a_lost_block_behind_a_skip_connection_gains_nothing(digits):
    X, y = digits

    def teller(place, *classes):
        """A block that adds to two features which of two classes a sample has."""
        told = (torch.tensor(y)[:, None] == torch.tensor(classes)).float()
        told = nn.functional.pad(told, (place, 62 - place))
        return Network(lambda self, x: x + told[: len(x)])

    torch.manual_seed(0)
    branch = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 64))
    random = Network(lambda self, x: x + self.branch(x), branch=branch)
    pairs = enumerate([(1, 8), (3, 9), (2, 5), (4, 7)])
    sound = nn.Sequential(*(teller(8 * place, *pair) for place, pair in pairs))
    names = ["input", "0", "1", "2", "3"]
    table = compare(sound, X, y, names)
    assert table["gains"][1:].all()
    assert not table[MARKS].any(axis=None)
    for place in (1, 2):
        reset = compare(with_layer(sound, place, random), X, y, names, reference=table)
        assert list(reset["gains_nothing"]) == [name == str(place) for name in names]
        assert reset["loses_to_reference"][place + 1]
    # At the end none gains any more: it may be all that can be gained.
    last = compare(with_layer(sound, 3, random), X, y, names)
    assert not last["gains_nothing"].any()


def test_layers_gain_nothing_only_between_others_that_gain():
    def change(difference, margin=0.01):
        return Change(difference, difference - margin, difference + margin, 0.5)

    gain, nothing, little = change(0.1), change(0.0), change(0.05)
    loss, unknown = change(-0.1), change(0.0, 0.2)
    for steps, expected in (
        ([Change(), gain, nothing, gain], [2]),
        ([Change(), gain, nothing, loss, gain], [2, 3]),
        ([Change(), gain, little, gain], []),
        ([Change(), gain, unknown, gain], []),
        ([Change(), gain, nothing, change(0.03)], [2]),
        ([Change(), nothing, gain, nothing], []),
        ([Change()], []),
    ):
        assert np.flatnonzero(gaining_nothing(steps)).tolist() == expected


# --- against a reference ----------------------------------------------------------------


def test_p_values_of_layers_are_corrected_for_their_number(intact):
    raw, corrected = intact["p_value"][1:], intact["p_value_corrected"][1:]
    assert np.isnan(intact["p_value_corrected"][0])
    assert (corrected >= raw).all()
    assert corrected.min() == pytest.approx(min(1, raw.min() * len(raw)))
    assert corrected.max() <= 1


def test_a_network_loses_nothing_to_itself(plain, intact, digits):
    for reference in (plain, copy.deepcopy(plain), intact):
        table = compare(plain, *digits, reference=reference)
        assert (table["reference_difference"] == 0).all()
        assert (table["reference_p_value"] == 1).all()
        assert not table["loses_to_reference"].any()
        assert_frame_equal(
            table.frame.drop(columns=[*OF_REFERENCE, "seconds"]),
            intact.frame.drop(columns="seconds"),
        )


def test_layers_lose_to_the_intact_network(plain, intact, lost, digits):
    table = compare(lost, *digits, reference=plain)
    assert list(table["loses_to_reference"]) == [False, False, True, True]
    assert (table["reference_p_value"][2:] < 1e-4).all()
    assert_allclose(table["reference_difference"], table["held_out"] - intact["held_out"])
    by_table = compare(lost, *digits, reference=pickle.loads(pickle.dumps(intact)))
    assert_frame_equal(by_table[OF_REFERENCE], table[OF_REFERENCE])
    # Intervals go by the estimator, whose level need not be that of the reference.
    narrow = BesovSmoothnessEstimator(4, confidence_level=0.5, random_state=0)
    other = compare(lost, *digits, estimator=narrow, reference=intact)
    assert (other["reference_low"] > table["reference_low"])[2:].all()


def test_a_trained_block_that_was_initialised_again_loses_to_the_intact_one(digits):
    torch.manual_seed(1)
    blocks = [residual_block(48) for _ in range(4)]
    network = nn.Sequential(nn.Linear(64, 48), *blocks, nn.Linear(48, 10))
    trained(network, *digits, 100, 0.003)
    names = ["0", "1", "2"]
    intact = compare(network, *digits, names)
    assert not intact[MARKS].any(axis=None)
    torch.manual_seed(1)
    reset = with_layer(network, 2, residual_block(48))
    table = compare(reset, *digits, names, reference=network)
    assert list(table["loses_to_reference"]) == [False, False, True]
    assert not table["loses_smoothness"].any()  # against the block before nothing shows


@pytest.mark.parametrize(
    "estimator",
    [
        BesovSmoothnessEstimator(3, index="elisha-dekel", random_state=0),
        BesovSmoothnessEstimator(3, p=1.5, max_samples=300, random_state=0),
        BesovSmoothnessEstimator(3, max_samples=1.0, random_state=0),
        BesovSmoothnessEstimator(
            forest=RandomForestClassifier(20, max_samples=0.5, random_state=0)
        ),
        BesovSmoothnessEstimator(forest=GradientBoostingClassifier(n_estimators=3)),
    ],
)
def test_a_network_and_its_table_are_the_same_reference(plain, lost, digits, estimator):
    X, y = (part[:400] for part in digits)
    options = dict(layers=["1", "3"], estimator=estimator)
    by_network = compare(lost, X, y, reference=plain, **options)
    by_table = compare(lost, X, y, reference=compare(plain, X, y, **options), **options)
    assert_frame_equal(by_network[OF_REFERENCE], by_table[OF_REFERENCE])
    assert (by_network["reference_difference"] == 0).tolist() == [True, False]


def test_a_reference_reads_data_sets_weights_and_projections(plain, lost, digits):
    X, y = digits
    data = torch.utils.data.TensorDataset(torch.tensor(X), torch.tensor(y))
    loader = torch.utils.data.DataLoader(data, 300)
    expected = compare(lost, X, y, ["input", "3"], reference=plain)
    for read in (data, loader):
        table = compare(lost, read, layers=["input", "3"], reference=plain)
        assert_allclose(table["reference_p_value"], expected["reference_p_value"])
    weights = np.random.RandomState(0).uniform(1, 2, len(y))
    for options in (dict(sample_weight=weights), dict(n_components=12)):
        table = compare(plain, X, y, reference=plain, **options)
        assert (table["reference_difference"] == 0).all()


def test_bad_references(plain, intact, lost, digits):
    X, y = digits
    for reference, message in (
        (compare(plain, X[::-1], y[::-1], ["1"]), "other samples"),
        (compare(plain, X, (y + 1) % 10, ["1"]), "other samples"),
        (
            compare(plain, X, y, ["1"], estimator=BesovSmoothnessEstimator(3)),
            "another estimator or random_state",
        ),
        (LayerComparison(intact.to_frame()), "without levels"),
        (compare(plain, X, y, ["1", "3"]), r"no layers \['input', '4'\]"),
        (nn.Sequential(nn.Linear(64, 48), nn.ReLU()), "The reference: Layer '3'"),
    ):
        with pytest.raises(ValueError, match=message):
            compare(lost, X, y, reference=reference)
    with pytest.raises(TypeError):
        compare(lost, X, y, reference="intact")
    data = torch.utils.data.TensorDataset(torch.tensor(X), torch.tensor(y))
    loader = torch.utils.data.DataLoader(data, 300, shuffle=True)
    with pytest.raises(ValueError, match="shuffle"):
        compare(lost, loader, reference=plain)


# --- where to cut -------------------------------------------------------------------------


def test_smoothness_rises_over_the_layers_of_a_trained_network(intact, lost, digits):
    X, y = digits
    found = intact.rise_
    assert found.rises
    assert str(found) == "Smoothness rises over the layers (p < 0.001)."
    assert found.names == tuple(intact["layer"])
    assert "Smoothness rises over the layers" in intact._repr_html_()
    after_loss = compare(lost, X, y).rise_
    assert after_loss.falls
    assert not after_loss.rises
    assert pickle.loads(pickle.dumps(intact)).rise_.p_value == found.p_value
    copied = LayerComparison(intact.to_frame())
    assert "over the layers" not in copied._repr_html_()
    with pytest.raises(AttributeError, match="rise_ needs the held-out levels"):
        copied.rise_  # noqa: B018


def test_the_best_layer(intact, lost, digits):
    X, y = digits
    assert intact.best_layer_ == intact["layer"][intact["held_out"].idxmax()]
    assert compare(lost, X, y).best_layer_ == "1"
    # Test samples decide among those that cannot be told apart.
    table = compare(lost, X, y, ["1", "4", "0"], X_test=X[:100], y_test=y[:100])
    tied = table[table["layer"] != "4"]
    assert table.best_layer_ == tied["layer"][tied["held_out"].idxmax()]
    assert pickle.loads(pickle.dumps(intact)).best_layer_ == intact.best_layer_
    copied = LayerComparison(intact.to_frame())
    assert not hasattr(copied, "best_layer_")
    with pytest.raises(AttributeError, match="held-out levels"):
        copied.best_layer_  # noqa: B018


# --- layers that leave no error ------------------------------------------------------


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize("kind", ["classes", "numbers", "two outputs"])
@pytest.mark.parametrize(
    "estimator",
    [
        BesovSmoothnessEstimator(1),  # whose interval has no upper end
        BesovSmoothnessEstimator(3, max_samples=1.0),
        BesovSmoothnessEstimator(3, index="elisha-dekel"),
    ],
)
def test_what_follows_a_layer_without_error_is_compared_by_finite_levels(kind, estimator):
    X = np.random.RandomState(0).rand(300, 4).astype(np.float32)
    y = (X[:, 0] > 0.5).astype(int)  # one split of the input separates the classes
    y = {"classes": y, "numbers": 1.5 * y, "two outputs": np.c_[y, 2.0 * y]}[kind]
    torch.manual_seed(0)
    same, worse, again, nothing = (
        nn.Identity(),
        nn.Linear(4, 3),
        nn.Identity(),
        nn.Linear(3, 2),
    )
    with torch.no_grad():
        worse.weight[:, 0] = 0
        nothing.weight.zero_()
    network = nn.Sequential(same, worse, again, nothing)
    with np.errstate(all="raise", under="ignore"):
        table = compare_layers(
            network,
            X,
            y,
            ["input", "0", "1", "2", "3"],
            estimator,
            reference=network,
            random_state=0,
        )
    marks = table["loses_smoothness"].to_list()
    assert marks[:4] == [False, False, True, False]  # the same is not worse
    assert table["difference"][1] == table["difference"][3] == 0
    assert table["p_value"][1] == 1
    assert table["difference"][2] < -0.3
    after = table.iloc[1:]
    for name in ("difference", "difference_low", "difference_high", "p_value", "held_out"):
        assert np.isfinite(after[name].astype(float)).all()
    assert not table["loses_to_reference"].any()
    assert (table["reference_p_value"] == 1).all()
    assert table["tied_with_best"].to_list() == [True, True, False, False, False]
    assert table.best_layer_ in ("input", "0")
    assert "falls from" in str(table.rise_)


def test_a_layer_that_leaves_hardly_more_error_than_none_loses_nothing():
    points = np.random.RandomState(0).rand(300, 4).astype(np.float32)
    y = (points[:, 0] > 0.5).astype(int)
    one_moved = points.copy()
    one_moved[7, 0] = 1 - one_moved[7, 0]  # to the wrong side
    tables = (
        nn.Embedding.from_pretrained(torch.tensor(each)) for each in (points, one_moved)
    )
    network = Network(
        lambda self, rows: self.first(rows).sum() + self.second(rows),
        **dict(zip(("first", "second"), tables, strict=True)),
    )
    rows = np.arange(300)[:, None]
    found = compare_layers(network, rows, y, ["first", "second"], random_state=0)
    assert found["difference"][1] < 0
    assert not found["loses_smoothness"].any()
