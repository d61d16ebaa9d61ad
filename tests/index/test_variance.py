"""The variance of an index: its samples, its trees, and the bend of its curve."""

import warnings

import numpy as np
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st
from index_cases import curves_of, equal_trees, fit, jittered_trees, power_law, read
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from sksmooth.index import student_margin, variance_of_difference
from sksmooth.index.power_law import fit_power_law
from sksmooth.index.variance import BeyondReplicates, Replicates, log_scale_interval
from sksmooth.index.window import log_spaced
from sksmooth.wavelets.errors import SampleGroups


@pytest.fixture(autouse=True)
def _no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


# ---------------------------------------------------------------- replicates


def replicates_of(groups=(), trees=(), blocks=(), n_apart=np.inf):
    arrays = (np.array(part, dtype=float) for part in (groups, trees, blocks))
    return Replicates(*arrays, n_apart)


KNOWN_PARTS = {"groups": [0.1, 0.2, 0.4], "trees": [0.3, 0.7], "blocks": [1, -2, 1, 0.5]}
several = st.lists(st.floats(-10, 10), min_size=2, max_size=8)


@given(several, several, several, st.floats(1, 20))
def test_variance_is_that_of_samples_trees_and_window(groups, trees, blocks, n_apart):
    replicates = replicates_of(groups, trees, blocks, n_apart)
    n_groups, n_trees, n_blocks = len(groups), len(trees), len(blocks)
    centre = sum(groups) / n_groups
    of_samples = (n_groups - 1) / n_groups * sum((index - centre) ** 2 for index in groups)
    index_of_all = 7.0  # which cancels
    pseudo = [n_trees * index_of_all - (n_trees - 1) * index for index in trees]
    centre = sum(pseudo) / n_trees
    of_one_tree = sum((value - centre) ** 2 for value in pseudo) / (n_trees - 1)
    of_trees = of_one_tree / min(n_trees, n_apart)
    of_window = n_blocks / (n_blocks - 1) * sum(deviation**2 for deviation in blocks)
    variance = of_samples + of_trees + of_window
    assert_allclose(replicates.variance, variance, rtol=1e-9, atol=1e-9)
    parts = {n_groups: of_samples, n_trees: of_trees, n_blocks: of_window}
    if min(parts.values()) > 1e-9 * variance > 0 and len(parts) == 3:
        assert replicates.freedom == min(parts) - 1


def margin_of(replicates, level=0.95):
    return student_margin(replicates.variance, replicates.freedom, level)


@pytest.mark.parametrize("missing", KNOWN_PARTS)
@pytest.mark.parametrize("left", [[], [0.3]])
def test_parts_of_fewer_than_two_are_left_out(missing, left):
    # One tree, say, has no jackknife.
    others = {name: part for name, part in KNOWN_PARTS.items() if name != missing}
    expected = sum(replicates_of(**{name: part}).variance for name, part in others.items())
    replicates = replicates_of(**others, **{missing: left})
    assert_allclose(replicates.variance, expected, rtol=1e-12)
    assert replicates.freedom == min(len(part) for part in others.values()) - 1
    assert 0 < expected < replicates_of(**KNOWN_PARTS).variance


def test_nothing_to_judge_by_is_an_infinite_variance():
    for replicates in (replicates_of(), replicates_of([0.5], [0.5], [0.0])):
        assert replicates.variance == np.inf
        assert replicates.freedom == 1
        assert margin_of(replicates) == np.inf
    for level in (5e-324, 0.5, 0.95):  # also where a quantile is zero by rounding
        assert student_margin(np.inf, 3, level) == np.inf


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
@pytest.mark.parametrize("part", KNOWN_PARTS)
def test_replicates_that_are_not_finite_make_the_margin_infinite(part, value):
    # Two curves that vanish in the window, say.
    for values in ([0.5, value, 0.6], [value, value]):
        replicates = replicates_of(**{**KNOWN_PARTS, part: values})
        assert margin_of(replicates) == np.inf
        assert margin_of(replicates, 0.5) == np.inf
        assert (replicates - replicates).variance == np.inf


@pytest.mark.parametrize(
    ("sizes", "freedom", "quantile"),
    [
        ((10, 20, 4), 3, 3.18244631),
        ((3, 20, 4), 2, 4.30265273),
        ((10, 2, 4), 1, 12.7062047),
        ((10, 0, 4), 3, 3.18244631),
        ((10, 20, 0), 9, 2.26215716),
    ],
)
def test_margin_is_students_with_the_fewest_degrees_of_freedom(sizes, freedom, quantile):
    replicates = replicates_of(*(np.linspace(0, 1, n) for n in sizes))
    assert replicates.freedom == freedom
    margin = quantile * np.sqrt(replicates.variance)
    assert_allclose(margin_of(replicates), margin, rtol=1e-7)


@given(several)
def test_differences_are_those_of_pairs(values):
    a = np.array(values)
    b = np.cos(np.arange(len(a)))
    difference = replicates_of(a, 2 * a, 3 * a, 4.0) - replicates_of(b, b, b, 4.0)
    assert_array_equal(difference.groups, a - b)
    assert_array_equal(difference.trees, 2 * a - b)
    assert_array_equal(difference.blocks, 3 * a - b)
    assert difference.n_apart == 4.0
    # What two indices have in common cancels.
    shifted = replicates_of(a + 3, 2 * a - 2, 3 * a, 4.0) - replicates_of(a, 2 * a, 3 * a)
    assert_allclose(shifted.variance, 0, atol=1e-12)


@pytest.mark.parametrize("part", KNOWN_PARTS)
def test_variances_of_replicates_that_make_no_pairs_are_added(part):
    ours, theirs = replicates_of(**{part: [1, -2, 3]}), replicates_of(**{part: [4, -5]})
    variance, freedom = variance_of_difference(ours, theirs)
    assert_allclose(variance, ours.variance + theirs.variance, rtol=1e-12)
    assert freedom == 1  # that of two replicates


def test_variance_of_pairs_is_that_of_their_differences():
    ours = replicates_of(groups=[1, 2, 4], trees=[0.1, 0.3], blocks=[1, -2, 3])
    theirs = replicates_of(groups=[2, 3, 5], trees=[0.2, 0.4], blocks=[1, -2, 2])
    variance, freedom = variance_of_difference(ours, theirs)
    assert_allclose(variance, 1.5, rtol=1e-12)  # groups and trees differ by a constant
    assert freedom == 2


# ---------------------------------------------------------------- intervals of fits


def test_interval_of_a_published_procedure_is_that_of_students_t():
    norms = np.stack([np.arange(1, 301.0) ** -rate for rate in (0.9, 1.0, 1.2)])
    powers = equal_trees(power_law(0.5, 300) ** 2, 3)
    for level, quantile in ((0.95, 4.30265273), (0.5, 0.81649658)):  # three trees
        fitted = fit(curves_of(powers, norms=norms), "sparsity-probe", level)
        margin = quantile * np.sqrt(fitted.replicates.variance)
        expected = (fitted.alpha - margin, fitted.alpha + margin)
        assert_allclose(fitted.interval, expected, rtol=1e-7)
        assert margin > 1e-4


def test_interval_of_the_default_is_on_the_scale_of_the_logarithm():
    # Student's t with 7.7 + 3 degrees of freedom: those of the pool of windows and of the
    # window's four blocks.
    curves = curves_of(jittered_trees(0.5, 5, 0.05), n_samples=20_000, n_apart=5.0)
    for level in (0.95, 0.5):
        fitted = fit(curves, level=level)
        quantile = stats.t.ppf(0.5 + level / 2, 10.7)
        assert fitted.share_of_whole_way == 0
        samples, trees, window = (
            variance / fitted.alpha**2 for variance in fitted.replicates.by_source()
        )
        assert 0 < max(samples, trees) < 0.1
        assert window < 1
        # 5 % of a window that spans a factor of e^4, at 20,000 samples; this spans less.
        first, last = fitted.window
        of_pool = (0.05 * (np.log(last / first) / 4) ** -0.46) ** 2
        pooled = (7.7 * of_pool + 3 * window) / 10.7
        factor = np.exp(quantile * np.sqrt(samples + trees + pooled))
        expected = (fitted.alpha / factor, fitted.alpha * factor)
        assert_allclose(fitted.interval, expected, rtol=1e-9)


@pytest.mark.parametrize("value", [np.inf, np.nan])
def test_unknown_variances_count_as_the_largest(value):
    beyond = BeyondReplicates(of_window=0.01, of_model=0.02)
    unknown = replicates_of(groups=[0.5, value], trees=[0.5, value])
    # With variances 0.1 and 0.1 of samples and trees.
    deviation = np.sqrt(0.1 + 0.1 + 0.01 + 0.02)
    factor = np.exp(stats.t.ppf(0.975, 7.7) * deviation)
    interval = log_scale_interval(0.5, unknown, beyond, 0.95)
    assert_allclose(interval, (0.5 / factor, 0.5 * factor), rtol=1e-10)
    # One block less than there are tells of the window, of which 1 is the largest.
    unknown = replicates_of(blocks=[value, value])
    pooled = (7.7 * 0.01 + 1) / 8.7
    factor = np.exp(stats.t.ppf(0.975, 8.7) * np.sqrt(pooled + 0.02))
    interval = log_scale_interval(0.5, unknown, beyond, 0.95)
    assert_allclose(interval, (0.5 / factor, 0.5 * factor), rtol=1e-10)


def test_replicates_of_trees_are_the_indices_without_one():
    powers = jittered_trees(0.5, 5, 0.05)
    others = [fit(curves_of(np.delete(powers, j, axis=0))).alpha for j in range(5)]
    replicates = fit(curves_of(powers, n_apart=4.5)).replicates
    assert_allclose(replicates.trees, others, rtol=1e-12)
    assert np.ptp(others) > 0.01
    assert replicates.n_apart == 4.5


# ---------------------------------------------------------------- groups of samples

GROUP_TERMS = np.array([1, 2, 3, 5, 8, 13, 21, 34, 55])


class GroupCase:
    """Errors of every sample in every tree, and their sums by group."""

    def __init__(self, seed=0, n_trees=3, n_samples=40, n_groups=4, all_seen=()):
        rng = np.random.RandomState(seed)
        self.powers = rng.uniform(0.5, 2, size=(n_trees, len(GROUP_TERMS), n_samples))
        self.powers *= GROUP_TERMS[:, None] ** -0.7
        self.weights = rng.uniform(0.2, 3, size=n_samples)
        self.group = np.arange(n_samples) % n_groups
        self.in_bag = rng.uniform(size=(n_trees, n_samples)) < 0.6
        self.in_bag[:, :n_groups], self.in_bag[:, -n_groups:] = True, False
        self.in_bag[list(all_seen)] = True

    def indices(self, window, p):
        """The replicates of a fit to curves that have these groups."""
        sides = np.stack([self.in_bag, ~self.in_bag], axis=-1) * self.weights[:, None]
        member = self.group == np.unique(self.group)[:, None]
        groups = SampleGroups(
            GROUP_TERMS,
            np.einsum("jmi,gi,jis->jmgs", self.powers, member, sides),
            np.einsum("gi,jis->jgs", member, sides),
        )
        powers = equal_trees(power_law(0.5) ** p, len(self.in_bag))
        powers[self.in_bag.all(axis=1), :, 1] = np.nan  # of no sample
        curves = curves_of(powers, p, groups=groups)
        return read(curves, window).replicates.groups

    def expected(self, window, p):
        inside = (window[0] <= GROUP_TERMS) & (window[1] >= GROUP_TERMS)
        return reference.indices_without_one_group(
            GROUP_TERMS[inside],
            self.powers[:, inside],
            self.weights,
            self.in_bag,
            self.group,
            p,
        )


@pytest.mark.parametrize("all_seen", [[], [1], [0, 1, 2]])
@pytest.mark.parametrize("p", [1.0, 2.0, 3.0])
@pytest.mark.parametrize("window", [(1, 55), (3, 21), (4, 9)])
def test_indices_without_one_group_are_those_of_the_reference(window, p, all_seen):
    case = GroupCase(all_seen=all_seen)
    indices = case.indices(window, p)
    assert_allclose(indices, case.expected(window, p), rtol=1e-9)
    assert np.ptp(indices) > 0.001


@pytest.mark.parametrize("side", [True, False])
def test_group_that_holds_all_samples_of_a_side_makes_the_interval_infinite(side):
    # The rest has no errors to average.
    case = GroupCase()
    case.in_bag[1] = (case.group == 2) == side
    indices = case.indices((1, 55), 2.0)
    assert_array_equal(np.isnan(indices), [False, False, True, False])
    assert margin_of(replicates_of(indices)) == np.inf


@pytest.mark.parametrize("p", [1.0, 2.0])
def test_groups_alike_give_the_index_of_all(p):
    errors = power_law(0.5)
    for curve in (errors, np.where(np.arange(1001) > 100, 0.9e-6 * errors[0], errors)):
        # The second one goes on with errors of rounding size, which count as none.
        fitted = read(curves_of(equal_trees(curve**p), p))
        assert_allclose(fitted.alpha, 0.5, atol=1e-9)
        assert_allclose(fitted.replicates.groups, fitted.alpha, atol=1e-9)


# ---------------------------------------------------------------- blocks of the window

POINTS = log_spaced(20, 400, 400)
BLOCK_ENDS = [0, 15, 30, 44, 59]


def deviations(errors, window=(20, 400)):
    """Blocks of a fit to a curve, one tree, with these errors at M = 1, 2, ..."""
    powers = np.append(errors[0], errors) ** 2
    return read(curves_of(equal_trees(powers, 1)), window).replicates.blocks


@given(st.integers(1, 10**4), st.integers(0, 10**6), st.integers(1, 10**6))
def test_points_of_the_window_are_log_spaced_terms(first, more, most):
    points = log_spaced(first, first + more, most)
    assert points[0] == min(first, most)
    assert points[-1] == min(first + more, most)
    assert (np.diff(points) > 0).all()
    assert len(points) <= 60
    spaced = np.geomspace(points[0], points[-1], 60)
    assert (np.abs(points[:, None] - spaced).min(axis=1) <= 0.5 + 1e-6).all()


@given(st.floats(-1.5, 1.5), st.floats(1e-8, 1e8), st.integers(24, 400))
def test_blocks_of_power_laws_do_not_deviate(slope, scale, last):
    # Slopes whose errors stay above rounding.
    blocks = deviations(scale * np.arange(1, 401.0) ** slope, (20, last))
    assert len(blocks) == 4
    assert_allclose(blocks, 0, atol=1e-9)


@given(st.lists(st.floats(-3, 3), min_size=4, max_size=4).map(np.array))
def test_deviations_of_blocks_sum_to_none(slopes):
    # A line's least-squares slope is the mean of the blocks' own slopes, weighted by the
    # integrals of t (1 - t) over the quarters of [0, 1]. Blocks of 60 points are no exact
    # quarters.
    assert len(POINTS) == 60
    x = np.log(POINTS)
    y = np.append(0, np.cumsum(np.diff(x[BLOCK_ENDS]) * slopes))
    errors = np.exp(np.interp(np.log(np.arange(1, 401)), x[BLOCK_ENDS], y))
    slope = fit_power_law(POINTS, errors[POINTS - 1]).slope
    weights = np.array([5, 11, 11, 5]) / 32
    tolerance = 0.03 * np.ptp(slopes) + 1e-9
    assert_allclose(slope, weights @ slopes, atol=tolerance)
    blocks = deviations(errors)
    assert_allclose(blocks, weights * (slope - slopes), atol=tolerance)
    assert_allclose(blocks.sum(), 0, atol=tolerance)


@pytest.mark.parametrize(
    ("positive", "n_blocks"), [([0, 59], 0), ([15], 0), ([], 0), ([0, 30, 59], 2)]
)
def test_blocks_need_three_ends_with_an_error(positive, n_blocks):
    errors = np.arange(1, 401.0) ** -0.5
    errors[POINTS[np.setdiff1d(BLOCK_ENDS, positive)] - 1] = 0
    blocks = deviations(errors)
    if n_blocks:
        assert_allclose(blocks, np.zeros(n_blocks), atol=1e-10)
    else:
        assert_array_equal(blocks, [np.inf, np.inf])


@pytest.mark.parametrize("n_terms", [1, 2])
def test_trees_of_one_split_give_the_rate_of_the_whole_way_and_a_wide_interval(n_terms):
    # No window: from 2 to 2^-1/2, or to 1, in 200 cells.
    fitted = fit(curves_of(equal_trees(power_law(0.5, n_terms) ** 2)), level=0.5)
    lowest = 1 / np.sqrt(n_terms) / 2
    assert_allclose(fitted.alpha, -np.log(lowest) / np.log(200), rtol=1e-10)
    assert fitted.rate_in_window == pytest.approx(0.5 * (n_terms - 1), abs=1e-10)
    assert_array_equal(fitted.replicates.blocks, [0, 0])  # it counts for nothing
    low, high = fitted.interval
    assert low < fitted.alpha / 1.1
    assert high > fitted.alpha * 1.1
