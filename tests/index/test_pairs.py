"""The rate of pairs of classes: better where there are many of them, and invariant."""

import warnings
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.ensemble import RandomForestClassifier

from sksmooth.datasets import make_known_smoothness
from sksmooth.index import CONVENTIONS, pairs
from sksmooth.index.pairs import pairs_rate
from sksmooth.samples import read_samples
from sksmooth.trees import Growth, grow
from sksmooth.wavelets import decompose, error_curves

GROWTH = Growth(n_estimators=5, max_samples=0.8, random_state=0)


@pytest.fixture(autouse=True)
def _no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def rings(n_samples=3000, n_classes=10, **options):
    return make_known_smoothness(
        "jump", n_samples, n_relevant=2, n_classes=n_classes, random_state=0, **options
    )


def curves_of(X, y, growth=GROWTH, sample_weight=None, p=2.0):
    samples = read_samples(X, y, sample_weight)
    grown = grow(samples, growth)
    return error_curves(decompose(grown, samples, p=p), grown, samples)


def rate_of(X, y, growth=GROWTH, n_jobs=None, **options):
    return pairs_rate(curves_of(X, y, growth, **options), growth, n_jobs)


def as_tuple(found):
    return found.rate, found.weight, found.n_pairs


# ---------------------------------------------------------------- what it is good for


def test_rings_are_read_better_with_pairs():
    X, y, true = rings(20_000)
    curves = curves_of(X, y)
    alpha = CONVENTIONS["mterm"].fit(curves).alpha
    found = pairs_rate(curves, GROWTH)
    both = alpha ** (1 - found.weight) * found.rate**found.weight
    assert abs(both / true - 1) < abs(alpha / true - 1) - 0.04
    assert abs(found.rate / true - 1) < 0.25
    assert 0.5 < found.weight <= 0.8


def test_rate_falls_while_labels_are_flipped():
    rates = [rate_of(*rings(4000, noise=q)[:2]).rate for q in (0.0, 0.05, 0.2)]
    assert (np.diff(rates) < 0).all()


def test_rate_of_l1_is_twice_that_of_l2():
    X, y, _ = rings()
    assert_allclose(rate_of(X, y, p=1.0).rate, 2 * rate_of(X, y).rate, rtol=1e-10)


def test_weight_grows_with_the_classes_and_their_resolution():
    weights = [[pairs._weight(n, s) for s in (1, 3, 8, 100)] for n in (2, 4, 7, 10, 50)]
    assert (np.diff(weights, axis=0) >= 0).all()
    assert (np.diff(weights, axis=1) >= 0).all()
    assert_allclose([weights[0][-1], weights[3][-1], weights[-1][-1]], [0, 0.8, 0.8])


# ---------------------------------------------------------------- invariance


def test_order_of_rows_and_names_of_classes_do_not_count():
    X, y, _ = rings()
    expected = as_tuple(rate_of(X, y))
    rng = np.random.RandomState(0)
    rows, names = rng.permutation(len(y)), rng.permutation(10)
    assert_allclose(as_tuple(rate_of(X[rows], y[rows])), expected, rtol=1e-10)
    named = np.array([f"class {i}" for i in names])[y]
    assert_allclose(as_tuple(rate_of(X, named)), expected, rtol=1e-10)


def test_workers_do_not_count():
    curves = curves_of(*rings()[:2])
    alone = pairs_rate(curves, GROWTH, n_jobs=1)
    assert pairs_rate(curves, GROWTH, n_jobs=2) == alone


def test_scale_of_features_and_sparse_storage_do_not_count():
    from scipy import sparse

    X, y, _ = rings()
    expected = as_tuple(rate_of(X, y))
    assert_allclose(as_tuple(rate_of(X * [8.0, 0.25], y)), expected, rtol=1e-10)
    assert_allclose(as_tuple(rate_of(sparse.csr_matrix(X), y)), expected, rtol=1e-10)


def test_weights_are_repeated_rows():
    X, y, _ = rings(2000)
    weights = np.random.RandomState(0).randint(1, 4, size=len(y))
    weighted = rate_of(X, y, sample_weight=weights)
    repeated = rate_of(np.repeat(X, weights, axis=0), np.repeat(y, weights))
    assert_allclose(as_tuple(weighted), as_tuple(repeated), rtol=1e-10)


def test_pairs_are_drawn_as_the_samples_are():
    """Units of several representations stay together: the rate may depend on them."""
    X, y, _ = rings(2000)
    samples = read_samples(X, y)
    codes, _ = pairs._canonical_codes(samples.targets.codes, samples.units)
    own = pairs._two_classes(samples, codes, [0, 3])
    rows = np.flatnonzero((codes == 0) | (codes == 3))
    order = np.argsort(samples.units.unit[rows], kind="stable")
    assert (np.diff(own.units.unit[order]) >= 0).all()
    assert own.units.n_units == len(np.unique(samples.units.unit[rows]))


# ---------------------------------------------------------------- when there is none


@pytest.mark.parametrize("n_classes", [2, 3])
def test_few_classes_have_none(n_classes):
    assert rate_of(*rings(1000, n_classes)[:2]) is None


def test_numbers_have_none():
    X = rings(500)[0]
    assert rate_of(X, np.sin(X).sum(axis=1)) is None


def test_other_forests_and_trees_of_all_samples_have_none():
    X, y, _ = rings(500)
    growth = Growth(forest=RandomForestClassifier(3, random_state=0))
    assert rate_of(X, y, growth) is None
    assert rate_of(X, y, Growth(n_estimators=2, random_state=0)) is None


def test_classes_that_never_meet_have_none():
    X = np.repeat(np.arange(5.0), 100)[:, None] + np.linspace(0, 0.1, 500)[:, None]
    assert rate_of(X, np.repeat(np.arange(5), 100)) is None


def test_trees_without_small_nodes_or_splits_have_none():
    X, y, _ = rings(1000)
    assert rate_of(X, y, Growth(5, max_depth=1, max_samples=0.8, random_state=0)) is None
    assert rate_of(np.zeros((10, 1)), np.arange(10) % 5) is None


# ---------------------------------------------------------------- the budget


def chosen(n_classes, n_samples, n_trees, n_columns=100):
    """What is afforded of all pairs of equal classes."""
    codes = np.arange(n_samples) % n_classes
    every = np.column_stack(np.triu_indices(n_classes, k=1))
    units = SimpleNamespace(unit=np.arange(n_samples), n_units=n_samples)
    samples = SimpleNamespace(units=units, X=np.empty((n_samples, n_columns)))
    grown = SimpleNamespace(leaves=np.empty((n_trees, 0)))
    curves = SimpleNamespace(samples=samples, grown=grown)
    kept, own_trees = pairs._affordable(every, codes, curves, Growth(n_trees))
    assert (kept == every[: len(kept)]).all()
    return len(kept), own_trees


@pytest.mark.parametrize("n_classes", [4, 10, 30])
@pytest.mark.parametrize("n_trees", [1, 3, 10, 100])
def test_budget_is_kept(n_classes, n_trees):
    n_pairs, own_trees = chosen(n_classes, 6000, n_trees)
    rows = n_pairs * own_trees * 2 * 6000 / n_classes
    assert rows <= 0.6 * n_trees * 6000
    assert n_pairs == 0 or n_pairs >= n_classes / 2


def test_trees_are_saved_before_pairs():
    assert chosen(4, 4000, 100) == (6, 5)
    assert chosen(4, 4000, 10) == (6, 2)
    n_pairs, n_trees = chosen(10, 10_000, 10)
    assert n_trees == 1
    assert 5 <= n_pairs <= 30
    assert chosen(10, 10_000, 1)[0] == 0


def test_budget_is_smaller_where_few_features_are_tried():
    curves = curves_of(*rings()[:2])
    few = pairs_rate(curves, Growth(5, max_features=1, max_samples=0.8, random_state=0))
    assert few is None or few.n_pairs < pairs_rate(curves, GROWTH).n_pairs


def test_calls_count_where_rows_are_few():
    assert chosen(40, 2000, 10, n_columns=2)[0] == 0


def test_pairs_with_most_neighbours_come_first():
    """Of rings the outer ones touch along the longest borders."""
    X, y, _ = rings(5000)
    curves = curves_of(X, y)
    samples = curves.samples
    codes, n_classes = pairs._canonical_codes(samples.targets.codes, samples.units)
    met = pairs._pairs_that_meet(curves, codes, n_classes)
    ring = np.array([y[np.argmax(codes == code)] for code in range(n_classes)])
    apart = np.abs(np.diff(ring[met], axis=1)).ravel()
    assert (apart[:6] == 1).all()
    assert len(met) < n_classes * (n_classes - 1) / 2
