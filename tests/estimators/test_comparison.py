"""Comparisons: two representations of the same samples, and targets against shuffled."""

import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    GradientBoostingClassifier,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.exceptions import DataConversionWarning, NotFittedError
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.model_selection import ShuffleSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.validation import check_is_fitted

from sksmooth import (
    BesovSmoothnessEstimator,
    permutation_baseline,
    smoothness_difference,
)
from sksmooth.datasets import make_known_smoothness
from sksmooth.estimators.comparison import paired_difference
from sksmooth.exceptions import (
    ConstantFeaturesWarning,
    FewPermutationsWarning,
    InSampleOnlyWarning,
    SmoothnessWarning,
    TargetTypeWarning,
    UnresolvedIndexWarning,
)

# Most data sets here are small.
pytestmark = pytest.mark.filterwarnings("ignore::sksmooth.exceptions.BentDecayWarning")

INDICES = ["mterm", "weak-lp"]


def estimator(n_estimators=10, **options):
    return BesovSmoothnessEstimator(n_estimators, **{"random_state": 0, **options})


def compare(X_a, X_b, y, sample_weight=None, **options):
    return smoothness_difference(
        X_a, X_b, y, estimator=estimator(**options), sample_weight=sample_weight
    )


def numbers(result):
    """All numbers of a comparison, to compare with those of another."""
    return (
        result.difference,
        *result.interval,
        result.p_value,
        result.score_a,
        result.score_b,
        result.rate_difference,
        *result.rate_interval,
        result.rate_p_value,
        result.alpha_a,
        result.alpha_b,
    )


def of_kind(result, kind):
    """A difference, its interval and its p-value: of scores, or of rates."""
    names = ("difference", "interval", "p_value")
    return tuple(getattr(result, kind + name) for name in names)


def assert_agree(first, second, kind="labels"):
    """Equal up to rounding.

    Sums of numbers are rounded, unlike those of classes, and in small nodes that decides
    between columns that cut off the same samples. So the trees of numbers differ in places.
    """
    if kind in ("labels", "strings"):
        assert numbers(first) == pytest.approx(numbers(second), rel=1e-9)
    else:
        assert first.difference == pytest.approx(second.difference, abs=0.03)
        assert first.interval == pytest.approx(second.interval, abs=0.03)
        assert first.rate_difference == pytest.approx(second.rate_difference, abs=0.03)
        assert first.rate_interval == pytest.approx(second.rate_interval, abs=0.03)


@pytest.fixture(scope="module")
def digits():
    return load_digits(return_X_y=True)


@pytest.fixture(scope="module")
def sharp_and_blurred():
    X, y, _ = make_known_smoothness("jump", 600, random_state=0)
    blurred = X + 0.1 * np.random.RandomState(0).standard_normal(X.shape)
    return X, blurred, y


def targets_of_kind(kind, X, y):
    smooth = np.sin(5 * X)
    return {
        "labels": y,
        "strings": np.array(["zebra", "ant"])[y],
        "numbers": smooth[:, 0],
        "two outputs": smooth,
    }[kind]


KINDS = ["labels", "strings", "numbers", "two outputs"]


# --- difference of two representations: what it must be ----------------------------


@pytest.mark.parametrize("index", INDICES)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.filterwarnings("ignore::sksmooth.exceptions.SmoothnessWarning")
def test_identical_representations_do_not_differ(sharp_and_blurred, kind, index):
    _, X, y = sharp_and_blurred
    result = compare(X, X, targets_of_kind(kind, X, y), n_estimators=3, index=index)
    assert result.difference == 0.0
    assert result.interval == (0.0, 0.0)
    assert result.p_value == 1.0
    assert result.score_a == result.score_b
    assert (result.rate_difference, result.rate_p_value) == (0.0, 1.0)
    assert result.alpha_a == result.alpha_b


@pytest.mark.filterwarnings("ignore::sksmooth.exceptions.SmoothnessWarning")
@pytest.mark.parametrize(
    "forest",
    [
        None,
        RandomForestClassifier(5, max_samples=0.5),
        BaggingClassifier(DecisionTreeClassifier(max_features=1), 5, max_samples=0.5),
        DecisionTreeClassifier(max_features=1),
    ],
    ids=lambda forest: type(forest).__name__,
)
def test_random_states_left_open_are_the_same_for_both(sharp_and_blurred, forest):
    _, X, y = sharp_and_blurred
    open_ended = BesovSmoothnessEstimator(3, forest=forest)
    result = smoothness_difference(X, X, y, estimator=open_ended)
    assert result.difference == 0.0
    assert result.p_value == 1.0


@pytest.mark.parametrize("kind", KINDS)
def test_swapping_the_representations_flips_the_sign(sharp_and_blurred, kind):
    X, blurred, y = sharp_and_blurred
    y = targets_of_kind(kind, X, y)
    there, back = compare(X, blurred, y), compare(blurred, X, y)
    assert there.difference < 0
    assert back.difference == -there.difference
    assert back.interval == (-there.interval[1], -there.interval[0])
    assert back.p_value == there.p_value
    assert (back.alpha_a, back.alpha_b) == (there.alpha_b, there.alpha_a)
    # A representation and its negative are the hard case for an order common to both.
    there, back = compare(X, -X, y), compare(-X, X, y)
    assert back.difference == pytest.approx(-there.difference, rel=1e-9)
    assert back.p_value == pytest.approx(there.p_value, rel=1e-9)


def test_numbers_agree_with_each_other(sharp_and_blurred):
    X, _, y = sharp_and_blurred
    blurred = X + 0.02 * np.random.RandomState(0).standard_normal(X.shape)
    result = compare(blurred, X, y)
    a, b = result.estimators
    assert (result.alpha_a, result.alpha_b) == (a.alpha_, b.alpha_)
    assert result.difference == result.score_b - result.score_a
    assert result.rate_difference == b.alpha_ - a.alpha_
    # Where the randomised forest is the better one, which it is here, its score is that of
    # the estimator.
    assert (result.score_a, result.score_b) == pytest.approx((a.oob_score_, b.oob_score_))
    for kind in ("", "rate_"):
        difference, interval, p_value = of_kind(result, kind)
        assert interval[0] < difference < interval[1]
        assert np.mean(interval) == pytest.approx(difference)
        # The interval at the level 1 - p ends at zero: test and interval are the same.
        touching = compare(blurred, X, y, confidence_level=1 - p_value)
        assert np.abs(of_kind(touching, kind)[1]).min() == pytest.approx(0.0, abs=1e-9)
        assert of_kind(touching, kind)[2] == p_value
        narrow, wide = (
            of_kind(compare(blurred, X, y, confidence_level=level), kind)[1]
            for level in (0.5, 0.99)
        )
        assert wide[0] < interval[0] < narrow[0]
        assert narrow[1] < interval[1] < wide[1]


def test_results_hold_plain_numbers_and_cannot_be_changed(sharp_and_blurred):
    X, blurred, y = sharp_and_blurred
    result = compare(blurred, X, y)
    assert {type(number) for number in numbers(result)} == {float}
    with pytest.raises(AttributeError):
        result.p_value = 0.0


def test_each_estimator_is_fitted_to_its_own_representation(sharp_and_blurred):
    X, blurred, y = sharp_and_blurred
    wide = np.hstack([X, blurred])
    a, b = compare(X, wide, y).estimators
    assert (a.n_features_in_, b.n_features_in_) == (2, 4)
    assert np.isfinite([a.score(X, y), b.score(wide, y)]).all()
    assert b.transform(wide).shape[0] == len(y)


def bags_of(fitted):
    """Means and weights of the targets in the bag: other rows would have other ones."""
    wavelets = fitted.wavelets_
    return np.column_stack([wavelets.mean[wavelets.roots], wavelets.count[wavelets.roots]])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("is_built_in", [True, False])
def test_both_forests_are_grown_on_the_same_bags(sharp_and_blurred, kind, is_built_in):
    X, blurred, y = sharp_and_blurred
    forest = None
    if not is_built_in:
        is_classes = kind in ("labels", "strings")
        forest = RandomForestClassifier if is_classes else RandomForestRegressor
        forest = forest(5, max_samples=0.5)
    y = targets_of_kind(kind, X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SmoothnessWarning)
        a, b = compare(X, blurred, y, forest=forest).estimators
        np.testing.assert_allclose(bags_of(a), bags_of(b), rtol=1e-9, atol=1e-12)
        assert len(np.unique(bags_of(a).round(9), axis=0)) > 1
        if is_built_in:  # drawn by each representation alone, they are others
            alone = [bags_of(estimator().fit(each, y)) for each in (X, blurred)]
            for one, other in ((alone[0], alone[1]), (alone[0], bags_of(a))):
                assert not np.allclose(one, other)


def test_common_bags_of_rows_that_repeat_in_one_representation(digits):
    # Rows equal in one of them are drawn together, or its trees had seen their twins.
    X, y = digits
    coarse = (X[:, 20:30] > 8).astype(float)
    few = dict(n_estimators=3)
    there, back = compare(X, coarse, y, **few), compare(coarse, X, y, **few)
    bags = [bags_of(fitted) for fitted in (*there.estimators, *back.estimators)]
    for other in bags[1:]:
        np.testing.assert_allclose(other, bags[0], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(bags[0][:, -1] / len(y), 0.8, atol=0.05)
    assert back.difference == -there.difference


def test_what_is_common_cancels(sharp_and_blurred):
    # Labels with errors make both indices uncertain, but not the difference of all but
    # equal representations: its margin is 0.4 of what it were of independent ones. So it is
    # with scores.
    X, y, _ = make_known_smoothness("jump", 1000, noise=0.05, random_state=0)
    nearly = X + 1e-4 * np.random.RandomState(0).standard_normal(X.shape)
    result = compare(X, nearly, y)
    margin = np.ptp(result.rate_interval) / 2
    alone = [np.ptp(fitted.alpha_interval_) / 2 for fitted in result.estimators]
    assert margin < 0.5 * np.hypot(*alone)
    assert abs(result.rate_difference) < margin
    levels = [fitted.shares_.level for fitted in result.estimators]
    alone = [1.96 * np.sqrt(np.sum(level.influence**2)) for level in levels]
    margin = np.ptp(result.interval) / 2
    assert margin < 0.5 * np.hypot(*alone)
    assert abs(result.difference) < margin


# --- invariances -------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_order_of_rows_does_not_matter(sharp_and_blurred, kind):
    X, blurred, y = sharp_and_blurred
    y = targets_of_kind(kind, X, y)
    rows = np.random.RandomState(1).permutation(len(y))
    shuffled = compare(X[rows], blurred[rows], y[rows])
    assert_agree(shuffled, compare(X, blurred, y), kind)


def test_scales_of_one_representation_do_not_matter(sharp_and_blurred):
    X, blurred, y = sharp_and_blurred
    result = compare(X, blurred, y)
    scaled = compare(X, blurred * [1e6, 1e-6] + [5.0, -7.0], y)
    assert numbers(scaled) == pytest.approx(numbers(result), rel=1e-6)
    # Other monotone maps move the cuts, which lie halfway between values, and the order
    # in which samples are drawn: as far as other bags do, so within the interval.
    bent = compare(X, np.exp(3 * blurred), y)
    assert result.interval[0] < bent.difference < result.interval[1]
    assert bent.alpha_a == pytest.approx(result.alpha_a, rel=0.3)
    assert bent.score_a == pytest.approx(result.score_a, rel=0.1)


def test_representations_may_be_of_different_forms(digits):
    """And each keeps its own names. Forms alone are tried in test_promises.py."""
    X, y = digits
    X_a, X_b = X, np.floor(X / 4)
    expected = numbers(compare(X_a, X_b, y, n_estimators=3))
    frame_a = pd.DataFrame(X_a, columns=[f"a{k}" for k in range(64)])
    frame_b = pd.DataFrame(X_b, columns=[f"b{k}" for k in range(64)], index=-frame_a.index)
    for form_a, form_b, labels in (
        (frame_a, frame_b, pd.Series(y, index=frame_b.index)),
        (X_a, sparse.csc_array(X_b), y),
        (sparse.csr_matrix(X_a), X_b, np.array([f"class {k}" for k in range(10)])[y]),
        (X_a.astype(np.uint8), X_b, y),
    ):
        result = compare(form_a, form_b, labels, n_estimators=3)
        assert numbers(result) == pytest.approx(expected, rel=1e-9)
    a, b = compare(frame_a, frame_b, y, n_estimators=2).estimators
    assert list(a.feature_names_in_) == list(frame_a.columns)
    assert list(b.feature_names_in_) == list(frame_b.columns)


@pytest.mark.parametrize("kind", ["labels", "numbers"])
def test_rows_of_weight_zero_are_as_if_not_there(sharp_and_blurred, kind):
    X, blurred, y = sharp_and_blurred
    y = targets_of_kind(kind, X, y)
    weights = np.random.RandomState(0).randint(0, 3, len(y))
    kept = weights > 0
    weighted = compare(X, blurred, y, weights)
    dropped = compare(X[kept], blurred[kept], y[kept], weights[kept])
    repeated = compare(*(np.repeat(rows, weights, axis=0) for rows in (X, blurred, y)))
    assert numbers(weighted) == numbers(dropped)
    assert_agree(weighted, repeated, kind)
    outliers = [np.where(kept[:, None], rows, 1e6) for rows in (X, blurred)]
    assert numbers(compare(*outliers, y, weights)) == numbers(dropped)


# --- groups, and representations that are learned ----------------------------------


def patients(n_patients, rng):
    """Six rows a patient, who has a label and a signature that tells only who it is."""
    of = np.repeat(np.arange(n_patients), 6)
    signature = rng.standard_normal((n_patients, 3))[of]
    y = rng.randint(2, size=n_patients)[of]
    return signature + 0.1 * rng.standard_normal((len(of), 3)), y, of


def test_a_group_is_seen_whole_or_not_at_all():
    rng = np.random.RandomState(0)
    X, y, patient = patients(60, rng)
    noise = rng.standard_normal(X.shape)
    naive = smoothness_difference(noise, X, y, random_state=0)
    grouped = smoothness_difference(noise, X, y, groups=patient, random_state=0)
    assert naive.score_b > 0.1  # other rows of the patient give the label away
    assert naive.p_value < 1e-6
    assert abs(grouped.score_b) < 0.02
    assert grouped.p_value > 0.01
    names = np.array([f"patient {number}" for number in patient], dtype=object)
    renamed = smoothness_difference(noise, X, y, groups=names, random_state=0)
    assert numbers(renamed) == numbers(grouped)
    rows = rng.permutation(len(y))
    shuffled = smoothness_difference(
        noise[rows], X[rows], y[rows], groups=patient[rows], random_state=0
    )
    assert numbers(shuffled) == pytest.approx(numbers(grouped), rel=1e-9)


def test_groups_of_single_rows_change_nothing(sharp_and_blurred):
    X, blurred, y = sharp_and_blurred
    alone = np.random.RandomState(0).permutation(len(y))
    expected = smoothness_difference(blurred, X, y, random_state=0)
    result = smoothness_difference(blurred, X, y, groups=alone, random_state=0)
    assert numbers(result) == numbers(expected)


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        (np.arange(599), r"shape \(600,\)"),
        (np.zeros((600, 1)), r"shape \(600,\)"),
        (np.arange(600) % 4, "4 groups"),
        (np.where(np.arange(600) == 3, np.nan, np.arange(600)), "missing"),
        (np.array([None, *range(599)], dtype=object), "missing"),
    ],
)
def test_bad_groups(sharp_and_blurred, groups, message):
    X, blurred, y = sharp_and_blurred
    for options in ({}, {"transformers": (None, None)}):
        with pytest.raises(ValueError, match=message):
            smoothness_difference(X, blurred, y, groups=groups, **options)


def test_supervised_features_are_not_judged_by_the_rows_they_were_learned_from():
    # Labels are coins, so nothing tells them; of 200 columns the best ten seem to.
    rng = np.random.RandomState(0)
    X, y = rng.standard_normal((150, 200)), rng.randint(2, size=150)
    best, first = SelectKBest(k=10), FunctionTransformer(first_columns)
    learned = best.fit_transform(X, y)
    naive = smoothness_difference(X[:, :10], learned, y, random_state=0)
    assert naive.p_value < 0.01
    assert naive.difference > 0
    honest = smoothness_difference(X, X, y, transformers=(first, best), random_state=0)
    assert honest.p_value > 0.05
    assert max(abs(honest.score_a), abs(honest.score_b)) < 0.1
    assert np.isnan([honest.rate_difference, honest.alpha_a, honest.alpha_b]).all()
    assert honest.estimators == ()
    assert "score" in honest._repr_html_()


def first_columns(X):
    return X[:, :10]


def test_learned_representations_may_take_anything_and_be_pipelines(digits):
    X, y = digits
    X, y = X[:600], y[:600]
    words = [" ".join(f"pixel{k}" for k in np.flatnonzero(row > 8)) for row in X]
    text = make_pipeline(CountVectorizer(token_pattern=r"\w+"), TruncatedSVD(10))
    few = make_pipeline(StandardScaler(), PCA(3, random_state=0))
    compared = dict(transformers=(few, text), random_state=0)
    result = smoothness_difference(pd.DataFrame(X), words, y, **compared)
    assert result.difference > 0
    assert result.p_value < 0.01
    again = smoothness_difference(X, words, y, **compared)
    assert again.score_a == pytest.approx(result.score_a, rel=1e-6)


def test_cross_fitting_features_as_they_are_agrees_with_out_of_bag_scores(digits):
    X, y = digits
    few = X[:, 20:40]
    out_of_bag = smoothness_difference(few, X, y, random_state=0)
    folds = smoothness_difference(
        few, X, y, transformers=(None, "passthrough"), random_state=0
    )
    # Trees of four fifths of the samples are smaller ones; the rest is scatter.
    assert folds.difference == pytest.approx(out_of_bag.difference, rel=0.15)
    margins = [np.ptp(result.interval) for result in (out_of_bag, folds)]
    assert margins[1] == pytest.approx(margins[0], rel=0.3)


@pytest.mark.parametrize("kind", ["labels", "numbers", "two outputs"])
def test_cross_fitting_of_all_kinds_of_targets(sharp_and_blurred, kind):
    X, blurred, y = sharp_and_blurred
    y = targets_of_kind(kind, X, y)
    weights = np.random.RandomState(0).randint(0, 3, len(y))
    groups = np.arange(len(y)) // 3
    result = smoothness_difference(
        blurred,
        X,
        y,
        sample_weight=weights,
        groups=groups,
        transformers=(None, StandardScaler()),
        random_state=0,
    )
    assert result.difference > 0
    assert result.p_value < 0.01


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(transformers=(None,)), "must hold two"),
        (dict(transformers=(None, None), cv=ShuffleSplit(3)), "one test fold"),
        (dict(transformers=(None, None), cv=1), "n_splits"),
    ],
)
def test_bad_cross_fitting(sharp_and_blurred, options, message):
    with pytest.raises(ValueError, match=message):
        smoothness_difference(*sharp_and_blurred, **options)


# --- level and power ---------------------------------------------------------------


@pytest.mark.slow
def test_equal_blur_is_seldom_called_a_difference():
    # Of 60 true hypotheses the number that is rejected at 5 % is at most 8 in 99.5 % of
    # cases, and the p-values are not crowded at 1 either.
    p_values = []
    for seed in range(60):
        X, y, _ = make_known_smoothness("jump", 200, random_state=seed)
        rng = np.random.RandomState(seed)
        pair = (X + 0.05 * rng.standard_normal(X.shape) for _ in "ab")
        p_values.append(level_p_value(*pair, y, seed))
    assert np.sum(np.array(p_values) < 0.05) <= 8
    assert 0.3 < np.mean(p_values) < 0.7


def level_p_value(X_a, X_b, y, seed):
    """The test of scores alone, without the rates, in folds."""
    compared = dict(transformers=(None, None), random_state=seed)
    return smoothness_difference(X_a, X_b, y, **compared).p_value


def test_a_lost_column_is_found_where_the_rates_see_nothing():
    found, found_by_rate = 0, 0
    for seed in range(5):
        rng = np.random.RandomState(seed)
        X = rng.standard_normal((400, 5))
        y = (X @ [1, 0.8, 0.5, 0, 0] + 0.5 * rng.standard_normal(400) > 0).astype(int)
        lost = X.copy()
        lost[:, 2] = rng.standard_normal(400)
        result = smoothness_difference(lost, X, y, random_state=seed)
        found += result.p_value < 0.05 and result.difference > 0
        found_by_rate += result.rate_p_value < 0.05
    assert found >= 3  # 9 of 10 in benchmarks/compare_representations.py
    assert found_by_rate <= 1


# --- other estimators --------------------------------------------------------------


@pytest.mark.parametrize("index", ["elisha-dekel", "sparsity-probe"])
def test_published_procedures_are_refused(index):
    X, y, _ = make_known_smoothness("smooth", 100, random_state=0)
    with pytest.raises(ValueError, match="mterm"):
        compare(X, X, y, index=index)


@pytest.mark.parametrize("index", INDICES)
def test_other_indices(index):
    X, y, _ = make_known_smoothness("smooth", 300, random_state=0)
    blurred = X + 0.2 * np.random.RandomState(0).standard_normal(X.shape)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SmoothnessWarning)
        result = compare(blurred, X, y, n_estimators=5, index=index)
    assert result.rate_interval[0] < result.rate_difference < result.rate_interval[1]
    if index == "weak-lp":  # uncertain at so few samples, which its interval says
        assert 0.05 < result.rate_p_value <= 1
    else:
        assert result.rate_difference > 0
        assert 0 < result.rate_p_value < 0.2
    # The test of the scores is the same for every index, and sees the blur.
    assert result.difference > 0
    assert result.p_value < 0.001
    assert [fitted.index for fitted in result.estimators] == [index] * 2


@pytest.mark.parametrize("kind", ["labels", "numbers", "two outputs"])
def test_other_forests(sharp_and_blurred, kind):
    X, blurred, y = sharp_and_blurred
    kind_of_forest = RandomForestClassifier if kind == "labels" else RandomForestRegressor
    forest = kind_of_forest(10, max_samples=0.5)
    given = BesovSmoothnessEstimator(forest=forest, confidence_level=0.9)
    before = repr(given.get_params())
    result = smoothness_difference(blurred, X, targets_of_kind(kind, X, y), estimator=given)
    assert result.difference > 0
    assert result.interval[0] < result.difference < result.interval[1]
    # The passed ones are as they were; those that were fitted have one seed.
    assert repr(given.get_params()) == before
    assert given.random_state is None
    assert forest.random_state is None
    for unfitted in (given, forest):
        with pytest.raises(NotFittedError):
            check_is_fitted(unfitted)
    seeds = [fitted.get_params()["forest__random_state"] for fitted in result.estimators]
    assert seeds[0] == seeds[1]
    assert isinstance(seeds[0], int)


@pytest.mark.parametrize(
    "forest",
    [
        AdaBoostClassifier(
            DecisionTreeClassifier(max_depth=6), n_estimators=5, random_state=0
        ),
        GradientBoostingClassifier(
            n_estimators=40, n_iter_no_change=2, max_depth=5, random_state=0
        ),
    ],
    ids=lambda forest: type(forest).__name__,
)
@pytest.mark.filterwarnings("ignore::sksmooth.exceptions.SmoothnessWarning")
def test_forests_that_stop_early_on_one_representation(sharp_and_blurred, forest):
    X, blurred, y = sharp_and_blurred
    informed = np.column_stack([X, y])  # one tree has no error left
    for X_a, X_b in ((blurred, informed), (informed, blurred)):
        result = compare(X_a, X_b, y, forest=forest)
        n_trees = [fitted.wavelets_.n_trees for fitted in result.estimators]
        assert n_trees[0] != n_trees[1]
        assert np.isfinite(result.difference)
        assert 0 <= result.p_value <= 1
        assert result.interval[0] <= result.difference <= result.interval[1]


# --- edge cases --------------------------------------------------------------------


def boxes_and_blurred():
    """No error is left on the first of the representations, so its index is a bound."""
    X, y, _ = make_known_smoothness("boxes", 2000, random_state=0)
    return X, X + 0.2 * np.random.RandomState(0).standard_normal(X.shape), y


def test_an_index_that_is_a_lower_bound_may_be_larger_still():
    X, blurred, y = boxes_and_blurred()
    with pytest.warns(UnresolvedIndexWarning) as caught:
        there = compare(blurred, X, y)
    assert [w.category for w in caught].count(UnresolvedIndexWarning) == 1
    with pytest.warns(UnresolvedIndexWarning):
        back = compare(X, blurred, y)
    assert [fitted.decay_.is_bound for fitted in there.estimators] == [False, True]
    assert there.rate_difference == there.alpha_b - there.alpha_a
    assert 0 < there.rate_interval[0] < there.rate_difference
    assert there.rate_interval[1] == np.inf
    assert there.rate_p_value < 0.05
    assert back.rate_interval == (-np.inf, -there.rate_interval[0])
    assert back.rate_p_value == there.rate_p_value
    with pytest.warns(UnresolvedIndexWarning):
        both = compare(X, X, y)
    assert both.rate_interval == (-np.inf, np.inf)
    assert np.isnan(both.rate_p_value)
    # The scores are those of finitely many samples, and known.
    assert (both.difference, both.p_value) == (0.0, 1.0)
    assert 0 < there.interval[0] < there.difference < there.interval[1] < np.inf


def test_a_lower_bound_below_the_other_index_tells_nothing():
    X, blurred, y = boxes_and_blurred()
    with pytest.warns(UnresolvedIndexWarning):
        rough, smooth = (fitted.decay_ for fitted in compare(blurred, X, y).estimators)
    smooth = replace(smooth, is_bound=False)
    difference, (low, high), p_value = paired_difference(rough, smooth)
    assert p_value < 0.05
    rough_or_more = replace(rough, is_bound=True)
    assert paired_difference(rough_or_more, smooth)[:2] == (difference, (-np.inf, high))
    assert paired_difference(smooth, rough_or_more)[:2] == (-difference, (-high, np.inf))
    for pair in ((rough_or_more, smooth), (smooth, rough_or_more)):
        assert np.isnan(paired_difference(*pair)[2])
    assert low > 0


@pytest.mark.parametrize("index", INDICES)
def test_constant_representations(sharp_and_blurred, index):
    # What pooled or dead layers of a network give: an index of 0, which is to be compared.
    X, _, y = sharp_and_blurred
    constant = np.ones((len(y), 3))
    with pytest.warns(ConstantFeaturesWarning):
        result = compare(constant, constant, y, index=index)
    assert (result.difference, result.p_value) == (0.0, 1.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SmoothnessWarning)
        there, back = (
            compare(*pair, y, index=index) for pair in ((constant, X), (X, constant))
        )
    assert there.rate_difference == there.alpha_b > 0
    assert there.difference > 0
    assert (back.difference, back.rate_difference) == (
        -there.difference,
        -there.rate_difference,
    )
    for kind in ("", "rate_"):
        difference, interval, p_value = of_kind(there, kind)
        assert 0 <= p_value <= 1
        assert interval[0] <= difference <= interval[1]


@pytest.mark.parametrize("index", INDICES)
@pytest.mark.parametrize("n_samples", [5, 8, 15, 40])
@pytest.mark.parametrize(
    ("n_estimators", "max_samples"), [(1, 0.8), (2, 0.5), (10, 0.8), (3, 1.0)]
)
def test_few_samples(n_samples, index, n_estimators, max_samples):
    rng = np.random.RandomState(0)
    y = np.arange(n_samples) % 2
    X = rng.standard_normal((n_samples, 2)) + y[:, None]
    other = X + rng.standard_normal(X.shape)
    options = dict(n_estimators=n_estimators, max_samples=max_samples, index=index)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SmoothnessWarning)
        warnings.simplefilter("error", RuntimeWarning)
        result = compare(X, other, y, **options)
    assert np.isnan(result.rate_p_value) or 0 <= result.rate_p_value <= 1
    assert 0 <= result.p_value <= 1
    assert result.difference == result.score_b - result.score_a
    assert result.rate_difference == result.alpha_b - result.alpha_a
    for kind in ("", "rate_"):
        difference, interval, _ = of_kind(result, kind)
        assert interval[0] <= difference <= interval[1]


# --- bad input ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [LogisticRegression(), BesovSmoothnessEstimator, "mterm", 10],
    ids=["other", "class", "string", "number"],
)
def test_wrong_estimators(sharp_and_blurred, wrong):
    with pytest.raises((TypeError, ValueError), match="'estimator' parameter"):
        smoothness_difference(*sharp_and_blurred, estimator=wrong)


BAD_PARAMETERS = [
    dict(index="besov"),
    dict(n_estimators=0),
    dict(p=0.5),
    dict(confidence_level=1.5),
    dict(max_samples=1.5),
]


@pytest.mark.parametrize(
    ("X_a", "X_b", "message"),
    [
        (np.eye(6), np.eye(7), "inconsistent numbers of samples"),
        (np.eye(7), np.eye(6), "inconsistent numbers of samples"),
        (sparse.eye(7, 5, format="csr"), np.eye(6), "inconsistent numbers of samples"),
        (np.where(np.eye(6), np.inf, 0), np.eye(6), "infinity"),
        (np.eye(6), np.where(np.eye(6), np.inf, 0), "infinity"),
    ],
)
def test_both_representations_are_checked(X_a, X_b, message):
    """As all samples are; see test_input.py."""
    with pytest.raises(ValueError, match=message):
        smoothness_difference(X_a, X_b, [0, 1] * 3)


@pytest.mark.parametrize("options", BAD_PARAMETERS, ids=lambda options: next(iter(options)))
def test_bad_parameters_of_the_estimator(sharp_and_blurred, options):
    wrong, (X, blurred, y) = BesovSmoothnessEstimator(**options), sharp_and_blurred
    message = f"'{next(iter(options))}' parameter"
    with pytest.raises(ValueError, match=message):
        smoothness_difference(X, blurred, y, estimator=wrong)
    with pytest.raises(ValueError, match=message):
        permutation_baseline(wrong, X, y, n_permutations=1)


def test_warnings_point_at_the_caller(sharp_and_blurred):
    with pytest.warns(InSampleOnlyWarning) as caught:
        compare(*sharp_and_blurred, max_samples=1.0)
    in_sample = [w for w in caught if issubclass(w.category, InSampleOnlyWarning)]
    assert {w.filename for w in caught} == {__file__}
    assert len(in_sample) == 2  # one for every representation


def test_warnings_of_the_targets_go_out_once(sharp_and_blurred):
    X, blurred, _ = sharp_and_blurred
    with pytest.warns(TargetTypeWarning, match="floating-point") as caught:
        compare(X, blurred, np.rint(4 * X[:, 0]))
    assert {w.filename for w in caught} == {__file__}
    # Both representations have the same targets.
    assert [w.category for w in caught].count(TargetTypeWarning) == 1


def test_a_column_of_labels_is_announced_once(sharp_and_blurred):
    X, blurred, y = sharp_and_blurred
    column = (y > np.median(y)).astype(int)[:, None]
    with pytest.warns(DataConversionWarning) as caught:
        compare(X, blurred, column)
    assert [w.category for w in caught].count(DataConversionWarning) == 1
    with pytest.warns(DataConversionWarning) as caught:
        permutation_baseline(BesovSmoothnessEstimator(2), X, column, n_permutations=2)
    assert [w.category for w in caught].count(DataConversionWarning) == 1


# --- shuffled targets --------------------------------------------------------------


def jump(n_samples=600):
    return make_known_smoothness("jump", n_samples, random_state=0)[:2]


class Recorder(BesovSmoothnessEstimator):
    """Remembers what it was fitted to."""

    fits = []

    def fit(self, X, y):
        self.fits.append((X, y))
        return super().fit(X, y)


@pytest.mark.parametrize("kind", KINDS)
def test_shuffled_targets_have_index_zero(kind):
    X, y = jump()
    y = targets_of_kind(kind, X, y)
    baseline = permutation_baseline(estimator(), X, y, random_state=0)
    assert baseline.alpha == estimator().fit(X, y).alpha_ > 0.3
    assert baseline.alphas.shape == (20,)
    assert (baseline.alphas >= 0).all()
    assert baseline.alphas.max() < 0.06  # where the index of the targets is 0.38 or more
    assert baseline.alphas.mean() < 0.04
    assert baseline.p_value == pytest.approx(1 / 21)


@pytest.mark.parametrize("n_permutations", [1, 19])
def test_p_value_counts_the_identity(n_permutations):
    X, y, _ = make_known_smoothness("noise-labels", 200, random_state=0)
    baseline = permutation_baseline(
        estimator(3), X, y, n_permutations=n_permutations, random_state=0
    )
    as_large = np.sum(baseline.alphas >= baseline.alpha)
    assert baseline.p_value == pytest.approx((1 + as_large) / (n_permutations + 1))
    assert type(baseline.alpha) is type(baseline.p_value) is float
    with pytest.warns(ConstantFeaturesWarning):
        ties = permutation_baseline(estimator(), np.ones((50, 2)), [0, 1] * 25)
    assert (ties.alpha, ties.p_value) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("n_permutations", "least"), [(1, "0.5"), (5, "0.17"), (18, "0.053")]
)
def test_too_few_permutations_say_so(n_permutations, least):
    X, y = jump(100)
    with pytest.warns(FewPermutationsWarning) as caught:
        baseline = permutation_baseline(
            estimator(2), X, y, n_permutations=n_permutations, random_state=0
        )
    (text,) = {str(w.message) for w in caught if w.category is FewPermutationsWarning}
    assert f"no p-value is below {least}; 0.05 needs 19" in text
    assert baseline.note == text
    assert text in baseline._repr_html_()


def test_enough_permutations_have_no_note():
    X, y = jump(100)
    with warnings.catch_warnings():
        warnings.simplefilter("error", FewPermutationsWarning)
        by_default = permutation_baseline(estimator(2), X, y, random_state=0)
        few = permutation_baseline(estimator(2), X, y, n_permutations=19, random_state=0)
    assert by_default.p_value < few.p_value == 0.05
    assert by_default.note == few.note == ""


@pytest.mark.parametrize("kind", ["noise", "noise-labels"])
def test_noise_is_not_found_smooth(kind):
    # p is uniform, so all four are below 0.2 in less than two of 1,000 choices of seeds.
    p_values = []
    for seed in range(4):
        X, y, _ = make_known_smoothness(kind, 300, random_state=seed)
        baseline = permutation_baseline(
            estimator(5), X, y, n_permutations=9, random_state=seed
        )
        p_values.append(baseline.p_value)
    assert max(p_values) > 0.2


def test_in_sample_indices_of_noise_are_far_from_zero():
    X, y = jump()
    with pytest.warns(InSampleOnlyWarning) as caught:
        in_sample = permutation_baseline(estimator(max_samples=1.0), X, y, random_state=0)
    honest = permutation_baseline(estimator(), X, y, random_state=0)
    assert in_sample.alphas.min() > 0.1
    assert in_sample.alphas.min() > 3 * honest.alphas.max()
    # The fit to the targets as they are warns, those to shuffled targets do not.
    assert [issubclass(w.category, InSampleOnlyWarning) for w in caught] == [True]
    assert {w.filename for w in caught} == {__file__}


def test_fits_to_shuffled_targets_are_silent():
    X, y = jump(200)
    rare = np.rint(4 * X[:, 0])  # numbers that look like classes
    with pytest.warns(TargetTypeWarning) as caught:
        permutation_baseline(estimator(3), X, rare, random_state=0)
    assert [w.category for w in caught].count(TargetTypeWarning) == 1
    before = list(warnings.filters)
    permutation_baseline(estimator(3), X, y, n_permutations=1)
    assert warnings.filters == before


def test_permutations_are_reproducible():
    X, y = jump(300)
    first, again, other = (
        permutation_baseline(estimator(3), X, y, random_state=seed) for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first.alphas, again.alphas)
    assert (first.alpha, first.p_value) == (again.alpha, again.p_value)
    assert (other.alphas != first.alphas).any()  # some may be zero in both
    by_instance = permutation_baseline(
        estimator(3), X, y, random_state=np.random.RandomState(0)
    )
    np.testing.assert_array_equal(by_instance.alphas, first.alphas)
    fewer = permutation_baseline(estimator(3), X, y, n_permutations=2, random_state=0)
    np.testing.assert_array_equal(fewer.alphas, first.alphas[:2])


def test_pipelines_and_the_passed_estimator():
    X, y = jump(300)
    expected = permutation_baseline(estimator(3), X, y, random_state=0)
    last = estimator(3)
    pipeline = make_pipeline(StandardScaler(), last)
    before = repr(pipeline.get_params())
    baseline = permutation_baseline(pipeline, X, y, random_state=0)
    assert baseline.alpha == pytest.approx(expected.alpha, rel=1e-6)
    np.testing.assert_allclose(baseline.alphas, expected.alphas, atol=1e-6)
    assert repr(pipeline.get_params()) == before
    for unfitted in (pipeline, last, pipeline[0]):
        with pytest.raises(NotFittedError):
            check_is_fitted(unfitted)


@pytest.mark.parametrize("as_frame", [False, True])
def test_rows_of_several_outputs_stay_together(as_frame):
    X, _ = jump(200)
    y = np.column_stack([X[:, 0], np.arange(200.0)])
    Recorder.fits = []
    permutation_baseline(
        Recorder(3, random_state=0),
        X,
        pd.DataFrame(y) if as_frame else y,
        n_permutations=3,
        random_state=0,
    )
    fits = [(features, np.asarray(outputs)) for features, outputs in Recorder.fits]
    assert len(fits) == 4
    np.testing.assert_array_equal(fits[0][1], y)
    for features, outputs in fits[1:]:
        np.testing.assert_array_equal(features, X)
        assert (outputs != y).any()
        rows = outputs[:, 1].astype(int)
        assert sorted(rows) == list(range(200))
        np.testing.assert_array_equal(outputs, y[rows])
    assert len({tuple(outputs[:, 1]) for _, outputs in fits}) == 4


@pytest.mark.parametrize(
    "wrong",
    [
        LogisticRegression(),
        make_pipeline(StandardScaler(), LogisticRegression()),
        make_pipeline(BesovSmoothnessEstimator(2), "passthrough"),
        RidgeCV(),  # has an alpha_, which is something else
        BesovSmoothnessEstimator,
        "mterm",
        None,
    ],
    ids=["other", "pipeline", "passthrough", "ridge", "class", "string", "none"],
)
def test_wrong_estimators_of_shuffled_targets(wrong):
    X, y = jump(100)
    with pytest.raises(TypeError, match="estimator"):
        permutation_baseline(wrong, X, y, n_permutations=1)


@pytest.mark.parametrize(
    "options",
    [dict(n_permutations=0), dict(n_permutations=2.5), dict(random_state="seed")],
)
def test_bad_parameters_of_permutations(options):
    with pytest.raises(ValueError, match=f"'{next(iter(options))}' parameter"):
        permutation_baseline(estimator(2), *jump(100), **options)


def test_repeated_rows_of_one_representation_do_not_leak():
    # Jitter tells the twins apart in the other; the labels are noise.
    rng = np.random.RandomState(0)
    X = np.repeat(rng.uniform(size=(300, 3)), 4, axis=0)
    y = np.repeat(rng.randint(2, size=300), 4)
    result = compare(X, X + rng.normal(scale=0.05, size=X.shape), y)
    assert abs(result.alpha_a) < 0.05
    assert result.estimators[0].oob_score_ < 0.05


@pytest.mark.parametrize("max_samples", [200, 0.8])
def test_indices_are_those_of_a_fit(max_samples):
    X, y, _ = make_known_smoothness("jump", 3000, random_state=0)
    options = dict(n_estimators=5, max_samples=max_samples)
    result = compare(X, X, y, **options)
    assert result.alpha_a == estimator(**options).fit(X, y).alpha_


def test_a_seed_makes_the_default_comparison_repeatable(sharp_and_blurred):
    sharp, blurred, y = sharp_and_blurred
    first, second = (
        smoothness_difference(blurred, sharp, y, random_state=3, n_jobs=n_jobs)
        for n_jobs in (None, 2)
    )
    assert numbers(first) == numbers(second)
    assert first.difference > 0
    assert first.estimators[0].random_state == 3


@pytest.mark.parametrize("max_samples", [0.8, 100])
def test_the_default_grows_as_many_trees_on_both(sharp_and_blurred, max_samples):
    """Both of 300 twins, which one representation tells apart: trees are counted by what is
    drawn together, which is common to both."""
    X, _, y = (np.repeat(rows[:300], 2, axis=0) for rows in sharp_and_blurred)
    jittered = X + 1e-3 * np.random.RandomState(0).standard_normal(X.shape)
    default = BesovSmoothnessEstimator(max_samples=max_samples, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SmoothnessWarning)
        result = smoothness_difference(X, jittered, y, estimator=default)
    n_trees = [fitted.wavelets_.n_trees for fitted in result.estimators]
    assert n_trees == [34, 34] if max_samples == 0.8 else [100, 100]
    assert np.isfinite(result.interval).all()
