"""What is explained, held-out scores and numbers of terms, against slow computations."""

import numpy as np
import pytest
import reference
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_iris, make_blobs
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.exceptions import NotFittedError

from sksmooth import BesovSmoothnessEstimator, SimplexEncoder
from sksmooth.datasets import make_known_smoothness
from sksmooth.samples import read_samples
from sksmooth.trees import Growth, grow, randomised
from sksmooth.wavelets import decompose, error_curves

pytestmark = pytest.mark.filterwarnings("ignore::sksmooth.exceptions.SmoothnessWarning")


class Case:
    """A small fit, and its forest as the slow computation reads it."""

    def __init__(self, seed, n_classes, p, n_samples=40, weighted=False):
        rng = np.random.RandomState(seed)
        self.X, self.p = rng.uniform(size=(n_samples, 2)).astype(np.float32), p
        signal = 2 * self.X[:, 0] + 0.3 * rng.standard_normal(n_samples)
        self.y = signal if n_classes == 0 else (n_classes * signal / 2.5).astype(int)
        weights = rng.randint(1, 4, n_samples).astype(float) if weighted else None
        options = dict(n_estimators=3, max_samples=0.6, max_depth=3, random_state=seed)
        self.estimator = BesovSmoothnessEstimator(p=p, **options)
        self.estimator.fit(self.X, self.y, weights)

        samples = read_samples(self.X, self.y, weights)
        self.values, self.weights = samples.targets.values, samples.weights
        growth = Growth(**options)
        self.forests = [Read(self, grow(samples, growth))]
        self.forests.append(Read(self, grow(samples, randomised(growth))))
        self.n_grown = self.forests[0].grown.n_grown

    def best(self):
        """The forest that leaves the least error, and what it leaves."""
        forest = min(self.forests, key=Read.left)
        return forest, forest.left()


class Read:
    """A forest as the slow computation reads it."""

    def __init__(self, case, grown):
        self.case, self.grown, self.trees = case, grown, grown.forest.trees
        self.nodes = reference.decompose(
            self.trees, case.X, case.values, grown.bags, p=case.p
        )

    def left(self):
        powers = reference.unseen_error_powers(
            self.trees,
            self.nodes,
            self.case.X,
            self.case.values,
            self.grown.unseen,
            p=self.case.p,
            weights=self.case.weights,
            floor=np.zeros(len(self.case.X)),
        )
        return powers.min() / powers[0]


CASES = [(0, 0, 2.0, False), (1, 0, 1.0, True), (2, 3, 2.0, False), (3, 2, 1.5, True)]


@pytest.mark.parametrize(("seed", "n_classes", "p", "weighted"), CASES)
def test_explained_share_is_that_of_the_average_of_trees_that_have_not_seen_a_sample(
    seed, n_classes, p, weighted
):
    case = Case(seed, n_classes, p, weighted=weighted)
    (forest, left), estimator = case.best(), case.estimator
    assert 0.1 < left < 1
    assert estimator.explained_ == pytest.approx(1 - left, rel=1e-9)
    # As a rate, over the samples with an unseen tree.
    covered = case.weights[forest.grown.unseen.any(axis=0)].sum()
    rate = reference.whole_way_rate(left, case.n_grown, covered, p)
    assert estimator.oob_score_ == pytest.approx(rate, rel=1e-9)
    low, high = estimator.explained_interval_
    assert 0 <= low < estimator.explained_ < high <= 1


def test_perfect_fits_have_the_held_out_score_of_an_error_of_one_sample():
    # The two trees of the index have left out about 0.36 of 200 samples, the fifty
    # randomised ones all of them.
    X, y = make_blobs(200, 3, centers=[[-20] * 3, [20] * 3], random_state=0)
    options = dict(n_estimators=2, max_samples=0.8, random_state=0)
    estimator = BesovSmoothnessEstimator(**options).fit(X, y)
    assert estimator.explained_ == 1
    assert estimator.oob_score_ == pytest.approx(np.log(200) / 2 / np.log(16))
    assert estimator.score(X, y) == pytest.approx(np.log(200) / 2 / np.log(16))


@pytest.mark.slow
@pytest.mark.parametrize(("seed", "n_classes", "p", "weighted"), CASES)
def test_score_is_the_rate_of_the_whole_way_of_other_samples(seed, n_classes, p, weighted):
    case = Case(seed, n_classes, p, weighted=weighted)
    rng = np.random.RandomState(9)
    X, weights = rng.uniform(size=(25, 2)).astype(np.float32), rng.uniform(1, 2, size=25)
    y = 2 * X[:, 0] if n_classes == 0 else (n_classes * 2 * X[:, 0] / 2.5).astype(int)
    if n_classes == 0:
        values = y[:, None].astype(float)
    else:
        values = SimplexEncoder().fit(case.y).transform(y)
    forest, _ = case.best()
    powers = reference.error_powers(
        forest.trees, forest.nodes, X, values, p=p, weights=weights
    )
    left = powers.min() / powers[0]
    expected = reference.whole_way_rate(left, case.n_grown, 25, p)
    assert left > 1 / 25
    assert case.estimator.score(X, y, weights) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("n_estimators", [30, 60])
def test_explained_share_of_all_terms_is_the_r2_of_a_random_forest(n_estimators):
    # Of a smooth function, where every term helps. R2 is relative to the mean of all
    # samples, where the error without terms is that of bootstrap means: a hundredth more.
    X, y, _ = make_known_smoothness("smooth", 600, n_relevant=1, random_state=0)
    options = dict(n_estimators=n_estimators, max_depth=4, random_state=0)
    forest = RandomForestRegressor(oob_score=True, **options).fit(X, y)
    estimator = BesovSmoothnessEstimator(forest=RandomForestRegressor(**options)).fit(X, y)
    assert 1 - estimator.explained_ == pytest.approx(1 - forest.oob_score_, rel=0.015)
    low, high = estimator.explained_interval_
    assert low < forest.oob_score_ < high


def test_explained_share_of_the_best_number_of_terms_is_larger_where_some_are_noise():
    X, y, _ = make_known_smoothness("smooth", 600, n_relevant=1, noise=0.5, random_state=0)
    forest = RandomForestRegressor(30, oob_score=True, random_state=0).fit(X, y)
    estimator = BesovSmoothnessEstimator(forest=RandomForestRegressor(30, random_state=0))
    assert estimator.fit(X, y).explained_ > forest.oob_score_ + 0.03


def test_interval_of_the_explained_share_holds_that_of_other_samples():
    # Of the same forest, which averages fewer trees at its own samples: 18 of 20 intervals
    # or more, but by less than a fiftieth.
    held = 0
    for seed in range(20):
        X, y, _ = make_known_smoothness("linear", 2000, noise=0.3, random_state=seed)
        narrow = BesovSmoothnessEstimator(max_samples=0.5, random_state=0)
        estimator = narrow.fit(X[:500], y[:500])
        low, high = estimator.explained_interval_
        assert 0.01 < high - low < 0.3
        rate = estimator.score(X[500:], y[500:])
        explained = 1 - 25.0 ** (-2 * rate)
        held += low - 0.02 < explained < high + 0.02
    assert held >= 17


# --- numbers of terms --------------------------------------------------------------


def test_terms_of_blobs_are_a_few_splits():
    X, y = make_blobs(1500, 5, centers=4, center_box=(-20, 20), random_state=0)
    estimator = BesovSmoothnessEstimator(random_state=0).fit(X, y)
    # Three splits are six terms at most.
    assert 3 <= estimator.n_terms_for(0.9) <= 6
    assert estimator.n_terms_for(0.999) <= 8


def test_rougher_functions_need_more_terms():
    # Of one variable: 20 against 100 terms for 99 % of what can be explained.
    needed = []
    for kind, options in (("smooth", dict(n_relevant=1)), ("weierstrass", {})):
        X, y, _ = make_known_smoothness(kind, 2000, random_state=0, **options)
        estimator = BesovSmoothnessEstimator(random_state=0).fit(X, y)
        needed.append(estimator.n_terms_for(0.99))
    assert 2 * needed[0] < needed[1]


@settings(max_examples=20)
@given(st.lists(st.floats(0.001, 0.999), min_size=2, max_size=5), st.integers(0, 3))
def test_more_is_explained_by_more_terms(shares, seed):
    X, y, _ = make_known_smoothness("linear", 300, random_state=seed)
    estimator = BesovSmoothnessEstimator(5, random_state=0).fit(X, y)
    n_terms = [estimator.n_terms_for(share) for share in sorted(shares)]
    assert n_terms == sorted(n_terms)
    assert 0 < n_terms[0] <= n_terms[-1] <= max(2 * 240 / 10, 2)


def test_terms_are_those_of_the_averaged_curve():
    X, y, _ = make_known_smoothness("linear", 1000, random_state=0)
    options = dict(n_estimators=5, max_samples=0.8, random_state=0)
    estimator = BesovSmoothnessEstimator(**options).fit(X, y)
    samples = read_samples(X, y)
    grown = grow(samples, Growth(**options))
    curves = error_curves(decompose(grown, samples), grown, samples)
    # In-bag and out-of-bag errors of all trees, up to ten of 800 samples a cell.
    powers = curves.by_tree.mean(axis=(0, 2))[:161]
    for share in (0.1, 0.5, 0.9, 0.99):
        target = powers[0] - share * (powers[0] - min(powers))
        enough = [m for m in range(161) if powers[m] <= target]
        assert estimator.n_terms_for(share) == enough[0] > 0


@pytest.mark.parametrize("share", [0.0, 1.0, -0.5, 90, np.nan])
def test_shares_of_nothing_and_of_all_are_refused(share):
    estimator = BesovSmoothnessEstimator(2, random_state=0).fit(*load_iris(return_X_y=True))
    with pytest.raises(ValueError, match="must lie between 0 and 1"):
        estimator.n_terms_for(share)


def test_no_terms_are_needed_where_nothing_is_explained():
    estimator = BesovSmoothnessEstimator(3, random_state=0).fit(
        np.ones((50, 1)), [0, 1] * 25
    )
    assert estimator.n_terms_for(0.9) == 0


def test_nothing_is_told_before_the_fit():
    with pytest.raises(NotFittedError):
        BesovSmoothnessEstimator().n_terms_for(0.9)
    assert not hasattr(BesovSmoothnessEstimator(), "explained_")


# --- finite, whatever the data -----------------------------------------------------


def boxes(n_samples=300):
    return make_known_smoothness("boxes", n_samples, n_relevant=2, random_state=0)[:2]


def numbers(n_samples=300, noise=0.0):
    return make_known_smoothness("smooth", n_samples, noise=noise, random_state=0)[:2]


def sparse_and_missing():
    from scipy import sparse

    X, y = boxes()
    X[X < 0.2] = 0
    X[::7, 1] = np.nan
    return sparse.csr_matrix(X), y


DATA = {
    "blobs": lambda: make_blobs(300, 3, center_box=(-20, 20), random_state=0),
    "boxes": boxes,
    "identifier": lambda: (np.arange(300.0)[:, None], np.arange(300) % 2),
    "identifier, numbers": lambda: (np.arange(300.0)[:, None], np.arange(300.0)),
    "noise": lambda: make_known_smoothness("noise", 300, random_state=0)[:2],
    "noise, labels": lambda: make_known_smoothness("noise-labels", 300, random_state=0)[:2],
    "constant": lambda: (np.ones((300, 2)), np.arange(300) % 2),
    "five rows": lambda: (np.arange(5.0)[:, None], np.array([0, 0, 1, 1, 1])),
    "five rows, numbers": lambda: (np.arange(5.0)[:, None], np.arange(5.0) ** 2),
    "twenty rows": lambda: boxes(20),
    "twenty rows, numbers": lambda: numbers(20),
    "noisy numbers": lambda: numbers(300, 0.5),
    "sparse and missing": sparse_and_missing,
}
OPTIONS = {
    "default": dict(),
    "p=1": dict(p=1),
    "p=1.5": dict(p=1.5),
    "p=4": dict(p=4),
    "all rows": dict(max_samples=1.0),
    "weak-lp": dict(index="weak-lp"),
    "one tree": dict(n_estimators=1),
}


def assert_finite(estimator, X, y):
    rates = [estimator.alpha_, estimator.score(X, y)]
    if estimator.max_samples != 1.0 and estimator.forest is None:
        rates.append(estimator.oob_score_)
    assert np.isfinite(rates).all()
    assert min(rates) >= 0
    low, high = estimator.alpha_interval_
    assert low <= estimator.alpha_ <= high
    assert estimator.oob_score_ >= 0 or np.isnan(estimator.oob_score_)


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("data", DATA)
def test_rates_are_finite_and_not_negative(data, options):
    X, y = DATA[data]()
    weights = np.arange(X.shape[0]) % 3 + 1.0
    for w in (None, weights):
        estimator = BesovSmoothnessEstimator(random_state=0, **OPTIONS[options])
        assert_finite(estimator.fit(X, y, w), X, y)


@pytest.mark.parametrize("data", ["blobs", "twenty rows", "noise, labels", "noisy numbers"])
@pytest.mark.parametrize("kind", ["random", "extra", "boosting"])
def test_rates_of_other_forests_are_finite_and_not_negative(data, kind):
    X, y = DATA[data]()
    is_classes = y.dtype.kind != "f"
    forest = {
        "random": (RandomForestRegressor, RandomForestClassifier),
        "extra": (ExtraTreesRegressor, ExtraTreesClassifier),
        "boosting": (GradientBoostingRegressor, GradientBoostingClassifier),
    }[kind][is_classes](n_estimators=5, random_state=0)
    estimator = BesovSmoothnessEstimator(forest=forest).fit(X, y)
    assert_finite(estimator, X, y)
    assert np.isfinite(estimator.oob_score_) == (kind == "random")
