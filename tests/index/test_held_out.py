"""Held-out errors, their levels and differences, against slow computations."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sksmooth.index import (
    Level,
    cells_allowed,
    error_on_others,
    joined,
    level_difference,
    randomised_error,
)
from sksmooth.index.held_out import held_out_error
from sksmooth.samples import group_units, read_samples, sampling_units
from sksmooth.trees import Growth, grow, randomised
from sksmooth.wavelets import decompose, m_term_approximation


class Case:
    """A small forest, of classes or numbers, with its held-out error."""

    def __init__(self, seed=0, n_classes=3, p=2.0, n_samples=60, n_trees=7, weighted=False):
        rng = np.random.RandomState(seed)
        self.rng, self.X = rng, rng.uniform(size=(n_samples, 3))
        signal = 2 * self.X[:, 0] + 0.3 * rng.standard_normal(n_samples)
        self.y = signal if n_classes == 0 else (n_classes * signal / 2.5).astype(int)
        weights = rng.randint(1, 4, n_samples).astype(float) if weighted else None
        self.samples = read_samples(self.X, self.y, weights)
        self.grown = grow(
            self.samples, Growth(n_trees, max_samples=0.6, random_state=seed, max_depth=4)
        )
        self.wavelets = decompose(self.grown, self.samples, p=p)
        self.error = held_out_error(self.wavelets, self.grown, self.samples)

    def slow_left(self, trees, weights=None):
        """Share of the spread that is left, sample by sample and tree by tree."""
        weights = self.samples.weights if weights is None else weights
        loss = total = 0.0
        for i, target in enumerate(self.samples.targets.values):
            values = [
                m_term_approximation(
                    self.wavelets, self.grown.leaves[:, [i]], self.error.n_terms, only(j, 7)
                )[0]
                for j in trees
                if self.grown.unseen[j, i]
            ]
            if values:
                power = np.linalg.norm(target - np.mean(values, axis=0)) ** self.wavelets.p
                loss += weights[i] * power
                total += weights[i]
        return loss / total * self.error.weights.sum() / self.error.spread


def only(tree, n_trees):
    return (np.arange(n_trees) == tree)[:, None]


CASES = [
    dict(seed=0),
    dict(seed=1, n_classes=0, p=1.0),
    dict(seed=2, n_classes=2, p=3.0, weighted=True),
]


@pytest.mark.parametrize("options", CASES)
def test_error_is_that_of_the_average_of_trees_that_have_not_seen_a_sample(options):
    case = Case(**options)
    assert case.error.left == pytest.approx(case.slow_left(range(7)), rel=1e-9)
    assert 0.1 < case.error.left < 1


@pytest.mark.parametrize("options", CASES)
def test_level_without_trees_leaves_out_every_group_of_them(options):
    case = Case(**options)
    level = case.error.level(case.samples.units.unit, 40)
    scale = case.wavelets.p * np.log(cells_allowed(40))
    for j, score in enumerate(level.without_trees):
        left = case.slow_left([k for k in range(7) if k != j])
        assert score == pytest.approx(-np.log(left) / scale, rel=1e-9)
    assert level.score == pytest.approx(-np.log(case.error.left) / scale, rel=1e-9)


def test_influence_is_the_derivative_by_the_weight_of_a_sample():
    case = Case(weighted=True)
    unit = np.arange(60)
    level = case.error.level(unit, 40)
    weights = case.error.weights

    def score(weights):
        left = (weights @ case.error.losses) / (weights @ case.error.spreads)
        return -np.log(left) / 2 / np.log(cells_allowed(40))

    for i in range(0, 60, 7):
        step = np.zeros(60)
        step[i] = 1e-5 * weights[i]
        expected = (score(weights + step) - score(weights - step)) / 2e-5
        assert level.influence[i] == pytest.approx(expected, rel=1e-4, abs=1e-9)
    assert level.influence.sum() == pytest.approx(0, abs=1e-12)
    # Of several samples the influences add up.
    groups = unit // 5
    by_group = case.error.level(groups, 40).influence
    assert by_group == pytest.approx(level.influence.reshape(12, 5).sum(axis=1))


def test_other_samples_are_approximated_by_all_trees():
    case = Case()
    others = read_samples(case.rng.uniform(size=(20, 3)), case.rng.randint(3, size=20))
    error = error_on_others(case.error, others)
    leaves = case.grown.forest.apply(others.X)
    values = m_term_approximation(case.wavelets, leaves, case.error.n_terms)
    losses = np.sum((others.targets.values - values) ** 2, axis=1)
    assert error.losses == pytest.approx(losses)
    assert error.n_terms == case.error.n_terms
    assert (error.weights == 1).all()
    both = joined([error, case.error])
    assert both.loss == pytest.approx(error.loss + case.error.loss)
    assert both.spread == pytest.approx(error.spread + case.error.spread)
    assert both.without_trees == pytest.approx(
        error.without_trees + case.error.without_trees
    )


def test_perfect_errors_count_as_that_of_one_sample():
    X = np.repeat([[0.0], [1.0]], 30, axis=0) + np.arange(60)[:, None] * 1e-3
    samples = read_samples(X, np.repeat([0, 1], 30))
    growth = randomised(Growth(max_samples=0.8, random_state=0))
    error = randomised_error(samples, growth, 2.0)
    assert error.left < 1e-20
    level = error.level(samples.units.unit, 48)
    assert level.score == pytest.approx(np.log(60) / 2 / np.log(cells_allowed(48)))
    assert np.isfinite(level.without_trees).all()
    assert level_difference(level, level).p_value == 1


def levels_of(seed, n=80):
    rng = np.random.RandomState(seed)
    return [
        Level(rng.normal(), rng.normal(size=n) / n, rng.normal(scale=0.01, size=10))
        for _ in "ab"
    ]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
def test_differences_are_paired_and_antisymmetric(seed):
    first, second = levels_of(seed)
    there, back = level_difference(first, second), level_difference(second, first)
    assert back.difference == -there.difference
    assert back.p_value == there.p_value
    low, high = there.interval(0.9)
    assert back.interval(0.9) == pytest.approx((-high, -low))
    assert (low > 0 or high < 0) == (there.p_value < 0.1)
    # By hand: sample by sample, and tree by tree.
    paired = second.influence - first.influence
    assert there.of_samples == pytest.approx(np.sum(paired**2) * 80 / 79)
    trees = second.without_trees - first.without_trees
    assert there.of_trees == pytest.approx(9 * np.mean((trees - trees.mean()) ** 2))
    assert 9 <= there.freedom <= 88
    # What is common to both cancels.
    common = np.random.RandomState(seed).normal(size=80)
    moved = [
        Level(each.score, each.influence + common, each.without_trees + 1)
        for each in (first, second)
    ]
    assert level_difference(*moved).p_value == pytest.approx(there.p_value)


def test_levels_cannot_be_changed():
    level, _ = levels_of(0)
    with pytest.raises(ValueError, match="read-only"):
        level.influence[0] = 1.0


def test_randomised_forests_have_fifty_trees_of_few_features_on_half_of_the_samples():
    growth = randomised(Growth("auto", max_samples=0.8, max_depth=3, random_state=5))
    assert (growth.n_estimators, growth.max_features, growth.max_samples) == (
        50,
        "sqrt",
        0.5,
    )
    assert (growth.max_depth, growth.random_state) == (3, 5)
    assert randomised(Growth(max_samples=200)).max_samples == 200


def test_groups_are_drawn_whole_and_in_an_order_of_their_samples():
    rng = np.random.RandomState(0)
    X, y = rng.uniform(size=(30, 2)), rng.randint(2, size=30)
    group = np.arange(30) // 3
    samples = read_samples(X, y)
    units = group_units(group, samples.units)
    assert units.n_units == 10
    for number in range(10):
        assert len(np.unique(units.unit[group == number])) == 1
    # Renamed groups and shuffled rows give the same units.
    rows = rng.permutation(30)
    shuffled = read_samples(X[rows], y[rows])
    names = np.array([f"group {90 - number}" for number in group[rows]])
    again = group_units(names, shuffled.units)
    np.testing.assert_array_equal(again.unit, units.unit[rows])
    joint = sampling_units((X, -X), samples.targets.tie_break, samples.weights)
    assert group_units(group, joint).n_units == 10
