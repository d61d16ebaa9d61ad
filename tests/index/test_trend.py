"""The test of whether levels rise: exact cases, invariances, level and power."""

import pickle
from dataclasses import replace

import numpy as np
import pytest
from sklearn.isotonic import IsotonicRegression

from sksmooth.index import Level, level_difference, rise

N_UNITS, N_GROUPS = 300, 10


def levels_of(scores, rng, *, spread=0.01, of_trees=0.005):
    """Levels that vary together over samples, and apart over trees, around scores."""
    n_levels = len(scores)
    own = rng.uniform(0.3, 1.0, (n_levels, 1)) * rng.standard_normal((n_levels, N_UNITS))
    influence = spread / np.sqrt(N_UNITS) * (2 * rng.standard_normal(N_UNITS) + own)
    trees = of_trees / (N_GROUPS - 1) * rng.standard_normal((n_levels, N_GROUPS))
    return [
        Level(float(score), of_units, score + of_group)
        for score, of_units, of_group in zip(scores, influence, trees, strict=True)
    ]


def drawn(means, seed):
    """Levels whose scores err as their influences and groups of trees say."""
    rng = np.random.RandomState(seed)
    levels = levels_of(np.zeros(len(means)), rng)
    of_units = rng.standard_normal(N_UNITS)
    return [
        replace(
            level,
            score=mean + level.influence @ of_units + 0.005 / 3 * rng.standard_normal(),
        )
        for level, mean in zip(levels, means, strict=True)
    ]


def explicit_statistic(scores, weights):
    """From the fit of scikit-learn."""
    mean = np.average(scores, weights=weights)
    fitted = IsotonicRegression().fit_transform(
        np.arange(len(scores)), scores, sample_weight=weights
    )
    return np.sum(weights * ((fitted - mean) ** 2 - (scores - fitted) ** 2))


@pytest.mark.parametrize("difference", [-0.05, -0.01, 0.004, 0.03])
def test_two_levels_are_compared_as_by_their_difference(difference):
    first, second = levels_of([0.3, 0.3 + difference], np.random.RandomState(0))
    two_sided = level_difference(first, second).p_value
    expected = two_sided / 2 if difference > 0 else 1 - two_sided / 2
    found = rise([first, second])
    assert found.p_value == pytest.approx(expected, rel=1e-9)
    down, up = (found.drop, found.climb) if difference < 0 else (found.climb, found.drop)
    assert down.p_value == pytest.approx(two_sided / 2, rel=1e-9)
    assert up.p_value == pytest.approx(1 - two_sided / 2, rel=1e-9)


def test_p_values_are_those_of_scores_drawn_one_by_one():
    rng = np.random.RandomState(2)
    levels = levels_of([0.3, 0.306, 0.301, 0.309], rng)
    levels = [replace(level, without_trees=np.empty(0)) for level in levels]
    influence = np.stack([level.influence for level in levels])
    weights = 1 / np.sum(influence**2, axis=1) * (N_UNITS - 1) / N_UNITS
    found = rise(levels)
    statistic = explicit_statistic(found.scores, weights)
    assert found.statistic == pytest.approx(statistic, rel=1e-9)
    isotonic = IsotonicRegression().fit_transform(
        np.arange(4), found.scores, sample_weight=weights
    )
    np.testing.assert_allclose(found.fitted, isotonic, rtol=1e-12)
    earlier, later = np.triu_indices(4, 1)
    errors = np.linalg.norm(influence[earlier] - influence[later], axis=1)
    draws = rng.standard_normal((2000, N_UNITS)) @ influence.T
    beyond = [explicit_statistic(scores, weights) >= statistic for scores in draws]
    assert found.p_value == pytest.approx(np.mean(beyond), abs=0.03)
    falls = ((draws[:, earlier] - draws[:, later]) / errors).max(axis=1)
    largest = ((found.scores[earlier] - found.scores[later]) / errors).max()
    assert found.drop.p_value == pytest.approx(np.mean(falls >= largest), abs=0.03)


@pytest.mark.parametrize("n_levels", [2, 5, 12])
def test_equal_levels_rise_or_fall_as_often_as_the_level_says(n_levels):
    found = [rise(drawn(np.full(n_levels, 0.3), seed)) for seed in range(150)]
    assert np.mean([each.p_value <= 0.05 for each in found]) < 0.09
    assert np.mean([each.p_value <= 0.5 for each in found]) == pytest.approx(0.5, abs=0.12)
    assert np.mean([each.falls for each in found]) < 0.09


def test_small_steps_upwards_are_found():
    means = 0.3 + 0.006 * np.arange(6)
    assert np.mean([rise(drawn(means, seed)).rises for seed in range(50)]) > 0.9
    falling = [rise(drawn(means[::-1], seed)) for seed in range(50)]
    assert min(each.p_value for each in falling) > 0.5
    assert np.mean([each.p_value for each in falling]) > 0.95


def test_a_curve_that_rises_and_falls_is_not_said_to_rise():
    found = rise(
        levels_of([0.1, 0.2, 0.4, 0.41, 0.3], np.random.RandomState(0)),
        ["input", "a", "b", "c", "d"],
        over="layers",
    )
    assert found.p_value < 0.05
    assert not found.rises
    assert found.drop[:2] == (3, 4)
    told = str(found)
    assert told.startswith("Smoothness rises from input to ")
    assert "but falls from c to d (p < 0.001)" in told


def test_a_curve_that_falls():
    found = rise(levels_of([0.4, 0.3, 0.2, 0.1], np.random.RandomState(0)))
    assert found.p_value > 0.999
    assert found.climb.p_value > 0.9
    assert str(found).startswith("Smoothness does not rise over the levels: it falls from")
    np.testing.assert_allclose(found.fitted, found.fitted[0])


def test_neither_is_shown_of_equal_levels():
    level = levels_of([0.3], np.random.RandomState(0))[0]
    found = rise([level] * 4)
    assert (found.p_value, found.climb.p_value, found.drop.p_value) == (1, 1, 1)
    assert str(found) == "No rise over the levels is shown (p = 1.000)."


@pytest.mark.parametrize("height", [0.002, 0.01, 0.05])
def test_as_much_fall_as_rise_is_no_rise(height):
    means = 0.3 + height * np.array([0, 1, 2, 2, 1, 0])
    found = [rise(drawn(means, seed)) for seed in range(100)]
    assert np.mean([each.p_value <= 0.05 for each in found]) < 0.09


@pytest.mark.parametrize("n_levels", [0, 1])
def test_a_rise_takes_two_levels(n_levels):
    found = rise(levels_of([0.3] * n_levels, np.random.RandomState(0)))
    assert np.isnan([found.p_value, found.drop.p_value]).all()
    assert not found.rises
    assert str(found) == "A rise needs at least two levels."
    assert len(found.fitted) == n_levels


def test_what_does_not_matter():
    rng = np.random.RandomState(3)
    levels = levels_of([0.3, 0.31, 0.305, 0.312], rng)
    found = rise(levels)
    order = rng.permutation(N_UNITS)
    others = {
        "a number added": [
            replace(level, score=level.score + 5, without_trees=level.without_trees + 5)
            for level in levels
        ],
        "order of samples": [
            replace(level, influence=level.influence[order]) for level in levels
        ],
        "unit": [
            Level(7 * level.score, 7 * level.influence, 7 * level.without_trees)
            for level in levels
        ],
    }
    for name, changed in others.items():
        again = rise(changed)
        assert again.p_value == pytest.approx(found.p_value, rel=1e-6), name
        assert again.drop.p_value == pytest.approx(found.drop.p_value, rel=1e-6), name


def test_backwards_is_the_other_direction():
    levels = levels_of([0.3, 0.31, 0.305, 0.31], np.random.RandomState(4))
    found, backwards = rise(levels), rise(levels[::-1])
    assert found.climb.p_value == pytest.approx(backwards.drop.p_value, abs=0.02)
    assert backwards.drop.p_value == pytest.approx(found.climb.p_value, abs=0.02)


def test_pickle_keeps_it():
    found = rise(levels_of([0.3, 0.4, 0.5], np.random.RandomState(5)))
    again = pickle.loads(pickle.dumps(found))
    assert str(again) == str(found)
    assert not again.fitted.flags.writeable
