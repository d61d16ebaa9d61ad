"""The number of trees is chosen by the length of the interval that is wanted."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier

from sksmooth import BesovSmoothnessEstimator
from sksmooth.exceptions import PrecisionWarning, SmoothnessWarning
from sksmooth.trees import grower
from sksmooth.trees.options import batches

pytestmark = pytest.mark.filterwarnings(
    "ignore::sksmooth.exceptions.FewTermsWarning",
    "ignore::sksmooth.exceptions.BentDecayWarning",
)
TREES = 12  # at most


@pytest.fixture(scope="module")
def samples():
    rng = np.random.RandomState(0)
    X = rng.uniform(size=(1000, 3))
    return X, X[:, 0] + np.sin(4 * X[:, 1])


@pytest.fixture(scope="module")
def of_all_trees(samples):
    return BesovSmoothnessEstimator(TREES, random_state=0).fit(*samples)


def measured(samples, precision, **options):
    options = {"n_estimators": TREES, "random_state": 0, **options}
    estimator = BesovSmoothnessEstimator(precision=precision, **options)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SmoothnessWarning)
        estimator.fit(*samples)
    cautions = estimator.decay_.cautions
    return estimator, [str(each) for each in cautions if isinstance(each, PrecisionWarning)]


def test_batches_are_four_times_as_large_up_to_all_trees():
    assert batches(10) == [4, 10]
    assert batches(16) == [4, 16]
    assert batches(100) == [4, 16, 64, 100]
    assert batches(4) == [4]
    assert batches(1) == [1]


def test_an_easy_question_takes_the_first_trees_of_the_forest(samples, of_all_trees):
    estimator, told = measured(samples, 0.5)
    assert told == []
    low, high = estimator.alpha_interval_
    assert (high - low) / 2 <= 0.5
    assert estimator.wavelets_.n_trees == 4
    whole = of_all_trees.wavelets_
    first_trees = whole.offsets[4]
    assert_array_equal(estimator.wavelets_.psi, whole.psi[:first_trees])
    assert_array_equal(estimator.wavelets_.feature, whole.feature[:first_trees])
    # These stand on other trees.
    assert estimator.roughness_ == of_all_trees.roughness_


def test_a_precision_out_of_reach_grows_all_trees_and_warns(samples, of_all_trees):
    estimator, told = measured(samples, 1e-6)
    assert estimator.alpha_ == of_all_trees.alpha_
    assert estimator.alpha_interval_ == of_all_trees.alpha_interval_
    assert estimator.shares_.oob_score == of_all_trees.shares_.oob_score
    assert_array_equal(estimator.wavelets_.mean, of_all_trees.wavelets_.mean)
    assert len(told) == 1
    assert "not reached with 12 trees" in told[0]
    assert "measure more rows" in told[0]
    with pytest.warns(PrecisionWarning, match="the most that n_estimators allows"):
        BesovSmoothnessEstimator(2, precision=1e-6, random_state=0).fit(*samples)


def test_more_trees_are_advised_where_they_would_help(samples):
    few = BesovSmoothnessEstimator(2, random_state=0).fit(*samples).decay_
    of_endless = BesovSmoothnessEstimator(2, random_state=0).fit(*samples).decay_
    object.__setattr__(of_endless.replicates, "trees", np.empty(0))
    assert of_endless.half_width < few.half_width
    between = (of_endless.half_width + few.half_width) / 2
    _, told = measured(samples, between, n_estimators=2)
    assert "increase n_estimators" in told[0]


def test_a_lower_bound_has_no_precision():
    X = np.random.RandomState(0).uniform(size=(600, 2))
    estimator, told = measured((X, (X[:, 0] > 0.5).astype(int)), 0.1)
    assert estimator.alpha_interval_[1] == np.inf
    assert "lower bound" in told[0]


@pytest.mark.parametrize("precision", [0.5, 1e-6])
def test_the_result_does_not_depend_on_the_number_of_workers(samples, precision):
    one, _ = measured(samples, precision)
    two, _ = measured(samples, precision, n_jobs=2)
    assert one.alpha_interval_ == two.alpha_interval_
    assert_array_equal(one.wavelets_.psi, two.wavelets_.psi)


@pytest.mark.parametrize("index", ["weak-lp", "elisha-dekel"])
def test_other_conventions_reach_a_precision(samples, index):
    estimator, told = measured(samples, 1e9, index=index)
    assert estimator.wavelets_.n_trees == 4
    assert told == []


@pytest.mark.parametrize("index", ["weak-lp", "elisha-dekel", "sparsity-probe"])
def test_other_conventions_tell_that_it_is_not_reached(samples, index):
    estimator, told = measured(samples, 1e-9, index=index)
    assert estimator.wavelets_.n_trees == TREES
    assert len(told) == 1


def test_a_forest_of_another_library_is_refused(samples):
    forest = RandomForestClassifier(3)
    estimator = BesovSmoothnessEstimator(forest=forest, precision=0.1)
    with pytest.raises(ValueError, match="pass only one of them"):
        estimator.fit(*samples)


@pytest.mark.parametrize("precision", [0, -0.1, "small"])
def test_the_precision_is_positive(samples, precision):
    with pytest.raises(ValueError, match="precision"):
        BesovSmoothnessEstimator(precision=precision).fit(*samples)


def test_clones_keep_the_precision():
    estimator = BesovSmoothnessEstimator(precision=0.02)
    assert clone(estimator).get_params()["precision"] == 0.02


def test_both_forests_of_a_fit_share_their_bins(samples, monkeypatch):
    binned = []

    def counting(X, *arguments):
        binned.append(X)
        return bin_features(X, *arguments)

    bin_features = grower.bin_features
    monkeypatch.setattr(grower, "bin_features", counting)
    BesovSmoothnessEstimator(TREES, max_bins=64, random_state=0).fit(*samples)
    assert len(binned) == 1
