"""Candidates that cannot be told apart from the best, and corrected p-values."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from sksmooth.index import Level, holm, level_difference, p_values_of_best

N_UNITS, N_GROUPS = 200, 10
ERROR = 1 / np.sqrt(N_UNITS)  # of a level that has influences of variance 1 / n^2


def levels_of(rng, means, *, common=1.0, of_trees=0.3):
    """Levels whose true values are known: influences and tree groups are normal."""
    n_levels = len(means)
    influence = rng.standard_normal((n_levels, N_UNITS))
    influence += common * rng.standard_normal(N_UNITS)
    influence /= N_UNITS
    groups = of_trees * rng.standard_normal((n_levels, N_GROUPS))
    groups *= ERROR * np.sqrt(N_GROUPS)
    scores = means + influence.sum(axis=1) + groups.mean(axis=1)
    without = scores[:, None] + (groups.mean(axis=1, keepdims=True) - groups) / (
        N_GROUPS - 1
    )
    centred = influence - influence.mean(axis=1, keepdims=True)
    return [Level(*each) for each in zip(scores.tolist(), centred, without, strict=True)]


def p_values_of_draws(means, n_runs, **options):
    rng = np.random.default_rng(0)
    runs = [p_values_of_best(levels_of(rng, means, **options)) for _ in range(n_runs)]
    return np.array(runs)


@pytest.mark.parametrize("of_trees", [0.0, 0.3, 2.0])
@pytest.mark.parametrize("n_levels", [2, 6])
def test_the_truly_best_is_kept(n_levels, of_trees):
    """Equal levels are the hardest case: each of them is kept in 95 % of the runs.

    Means of 300 runs scatter by at most 0.0126; the bound is three of that below.
    """
    p_values = p_values_of_draws(np.zeros(n_levels), 300, of_trees=of_trees)
    kept = (p_values > 0.05).mean(axis=0)
    assert kept.min() > 0.95 - 0.038
    assert (p_values.max(axis=1) == 1).all()


def test_the_truly_best_is_kept_among_worse_ones():
    means = np.r_[0.0, -ERROR * np.linspace(0, 8, 14)]
    p_values = p_values_of_draws(means, 100)
    assert (p_values[:, 0] > 0.05).mean() > 0.95 - 0.065  # three standard errors
    assert (p_values[:, -1] < 0.01).all()


def test_hopeless_candidates_hide_no_loss():
    rng = np.random.default_rng(1)
    few = levels_of(rng, ERROR * np.array([0.0, -6.0]))
    hopeless = levels_of(rng, -ERROR * np.full(40, 30.0))
    alone, among = p_values_of_best(few), p_values_of_best(few + hopeless)
    assert_allclose(among[:2], alone, atol=0.001)


def test_two_levels_have_the_p_value_of_their_difference():
    """One-sided, since which of them is the higher one was not known before."""
    rng = np.random.default_rng(0)
    for of_trees in (0.0, 0.3, 2.0):
        for lead in (0.0, 1.0, 3.0):
            levels = levels_of(rng, ERROR * np.array([0.0, lead]), of_trees=of_trees)
            p_values = np.sort(p_values_of_best(levels))
            expected = level_difference(*levels).p_value / 2
            # Counted among 10,000 draws.
            assert_allclose(p_values, [expected, 1.0], atol=2e-4)


def test_p_values_of_equal_levels_are_uniform():
    """Half of them: the other level of the two is the best, with p-value 1."""
    p_values = p_values_of_draws(np.zeros(2), 400)
    of_worse = 2 * p_values.min(axis=1)
    assert stats.kstest(of_worse, "uniform").pvalue > 0.01


def test_more_candidates_are_harder_to_tell_apart():
    rng = np.random.default_rng(0)
    levels = levels_of(rng, ERROR * np.array([0.0, 5.0, *np.full(30, 1.0)]))
    assert p_values_of_best(levels)[0] > 2 * p_values_of_best(levels[:2])[0] > 0


def test_identical_levels_are_tied():
    rng = np.random.default_rng(0)
    best, worse = levels_of(rng, ERROR * np.array([0.0, -9.0]))
    p_values = p_values_of_best([worse, best, worse, best])
    assert_array_equal(p_values[[1, 3]], 1.0)
    assert p_values[0] == p_values[2] < 0.001
    assert_array_equal(p_values_of_best([best]), 1.0)


def test_levels_that_vary_not_at_all_are_told_apart():
    levels = [Level(score, np.zeros(20), np.full(10, score)) for score in (0.2, 0.3, 0.3)]
    assert_allclose(p_values_of_best(levels), [0, 1, 1], atol=1e-3)


def test_single_trees_have_no_variance_of_their_own():
    levels = levels_of(np.random.default_rng(0), np.zeros(3))
    one_tree = [Level(each.score, each.influence, np.empty(0)) for each in levels]
    assert p_values_of_best(one_tree).min() < p_values_of_best(levels).min()


def test_order_and_scale_do_not_matter():
    rng = np.random.default_rng(0)
    levels = levels_of(rng, ERROR * np.linspace(0, 2, 8))
    p_values = p_values_of_best(levels)
    assert ((p_values > 0.001) & (p_values < 1)).sum() > 3
    order = rng.permutation(8)
    assert_array_equal(p_values_of_best([levels[i] for i in order]), p_values[order])
    scaled = [
        Level(8 * each.score, 8 * each.influence, 8 * each.without_trees) for each in levels
    ]
    assert_allclose(p_values_of_best(scaled), p_values, atol=0.001)


def test_more_units_than_are_read_at_once():
    rng = np.random.default_rng(0)
    influence = rng.standard_normal((2, 20_000)) / 20_000
    levels = [
        Level(score, each, np.full(10, score))
        for score, each in zip((0.0, 0.01), influence, strict=True)
    ]
    expected = level_difference(*levels).p_value / 2
    assert 0.05 < expected < 0.4
    assert_allclose(p_values_of_best(levels)[0], expected, atol=2e-4)


def test_holm_by_hand():
    # The smallest of four is multiplied by 4, the next by 3; none falls below one before.
    assert_allclose(holm([0.01, 0.04, 0.03, 0.9]), [0.04, 0.09, 0.09, 0.9])
    assert_allclose(holm([0.5, 0.6]), [1.0, 1.0])
    assert_array_equal(holm([np.nan, 0.01, np.nan, 0.02]), [np.nan, 0.02, np.nan, 0.02])
    assert_array_equal(holm([np.nan]), [np.nan])
    assert holm([]).shape == (0,)
