"""Errors of M-term approximations: of the forest, of its trees, of groups of samples."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from wavelet_cases import CLOSE, CURVE_TOLERANCE, Case

from sksmooth.samples import Targets, encode_values, read_samples
from sksmooth.trees import Growth, grow
from sksmooth.wavelets import decompose, error_curves, m_term_approximation, m_term_errors

EXPONENTS = pytest.mark.parametrize("p", [1.0, 1.5, 2.0, 3.0])

# ---------------------------------------------------------------- of the forest


def random_unseen(seed):
    """Trees that are unseen to samples, of which some have none, and some have all."""
    unseen = np.random.RandomState(seed).uniform(size=(3, 30)) < 0.4
    unseen[:, 3], unseen[:, 7] = False, True
    assert (~unseen.any(axis=0)).sum() > 2
    return unseen


@EXPONENTS
@pytest.mark.parametrize("n_outputs", [1, 3])
@pytest.mark.parametrize("is_unseen", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
def test_error_curve_is_that_of_the_reference(p, n_outputs, is_unseen, weighted):
    # Of samples that the forest has not seen, a quarter of them of classes that it has
    # not seen either; samples that no tree is unseen to are left out.
    case = Case(p=p, n_outputs=n_outputs)
    floor = np.where(np.arange(30) % 4 == 0, 1.25, 0.0)
    targets = Targets(case.new_values, floor, None)
    weights = case.new_weights if weighted else np.ones(30)
    given = {"weights": weights} if weighted else {}
    data = [case.trees, case.reference, case.new_X, case.new_values]
    options = {"p": p, "weights": weights, "floor": floor}
    if is_unseen:
        given["unseen"] = random_unseen(n_outputs)
        expected = reference.unseen_error_powers(*data, given["unseen"], **options)
    else:
        expected = reference.error_powers(*data, **options)
    arguments = case.decomposition, case.new_leaves, targets
    errors = m_term_errors(*arguments, **given)
    assert_allclose(errors**p, expected, atol=CURVE_TOLERANCE[p])
    for n_terms in (0, 1, 5):
        cut = m_term_errors(*arguments, n_terms=n_terms, **given)
        assert_array_equal(cut, errors[: n_terms + 1])


@pytest.mark.parametrize("trees", [[0], [2], [0, 2], [1, 2]])
def test_error_curve_of_some_trees(trees):
    case, (targets, _) = Case(), encode_values(Case().new_values)
    errors = m_term_errors(
        case.decomposition, case.new_leaves, targets, trees=np.array(trees)
    )
    expected = reference.error_powers(
        [case.trees[j] for j in trees],
        [case.reference[j] for j in trees],
        case.new_X,
        case.new_values,
    )
    assert_allclose(errors**2, expected, **CLOSE)


def test_arguments_are_not_changed_by_the_sweep():
    case, unseen = Case(), random_unseen(0)
    arrays = case.new_values, case.new_leaves, case.new_weights, unseen, case.samples.X
    before = [array.copy() for array in (*arrays, case.values)]
    targets = Targets(case.new_values, np.zeros(30), None)
    m_term_errors(
        case.decomposition, case.new_leaves, targets, case.new_weights, unseen=unseen
    )
    error_curves(case.decomposition, case.grown, case.samples)
    for array, copied in zip((*arrays, case.samples.targets.values), before, strict=True):
        assert_array_equal(array, copied)


def test_exact_curve_in_p_1_does_not_go_below_zero():
    rng = np.random.RandomState(0)
    samples = read_samples(rng.uniform(size=(300, 2)), rng.standard_normal(300))
    grown = grow(samples, Growth(1, random_state=0))
    wavelets = decompose(grown, samples, p=1)
    errors = m_term_errors(wavelets, grown.leaves, samples.targets)
    assert (errors >= 0).all()
    assert errors[-1] < 1e-7 < errors[0]  # see CURVE_TOLERANCE


def test_small_errors_keep_their_digits_after_a_large_one():
    # One jump is fourteen digits of the squared error.
    X = np.linspace(0, 1, 200)[:, None]
    y = 1e7 * (X > 0.3) + np.sin(20 * X)
    samples = read_samples(X, y, encode=encode_values)
    grown = grow(samples, Growth(1, max_depth=6, random_state=0))
    wavelets = decompose(grown, samples)
    squares = np.array(
        [
            np.mean((y - m_term_approximation(wavelets, grown.leaves, m)) ** 2)
            for m in range(2, wavelets.n_terms + 1)
        ]
    )
    pooled = m_term_errors(wavelets, grown.leaves, samples.targets)
    assert_allclose(pooled[2:] ** 2, squares, rtol=1e-6)
    curves = error_curves(wavelets, grown, samples)
    assert_allclose(curves.by_tree[0, 2:, 0], squares, rtol=1e-6)
    sums = curves.groups.sums.sum(axis=(0, 2, 3)) / 200
    assert_allclose(sums[2:], squares[curves.groups.n_terms[2:] - 2], rtol=1e-6)
    assert squares[-1] < 1e-12 * np.var(y)


# ---------------------------------------------------------------- of trees and groups

# The binary digits after the point of a sum of these weights say which samples are in it.
TELLING_WEIGHTS = 1 + np.arange(36) % 3 + 0.5 ** np.arange(1, 37)


def members(weight):
    return [i for i in range(36) if int(weight * 2 ** (i + 1)) % 2]


@EXPONENTS
@pytest.mark.parametrize("n_outputs", [1, 3])
def test_errors_of_trees_and_groups_are_those_of_the_reference(p, n_outputs):
    case = Case(p=p, n_outputs=n_outputs)
    samples = replace(case.samples, weights=TELLING_WEIGHTS)
    curves = error_curves(case.decomposition, case.grown, samples)
    n_terms, longest = curves.groups.n_terms, case.decomposition.n_terms_per_tree.max()
    assert curves.by_tree.shape == (3, longest + 1, 2)
    assert curves.groups.sums.shape == (3, len(n_terms), 10, 2)
    group = np.full(36, -1)
    for g, weight in enumerate(curves.groups.weights[0].sum(axis=1)):
        group[members(weight)] = g
    assert set(np.bincount(group)) == {3, 4}
    for j, (tree, nodes) in enumerate(zip(case.trees, case.reference, strict=True)):
        in_bag = case.grown.bags[j] > 0
        own = reference.group_error_sums(
            tree, nodes, case.X, case.values, TELLING_WEIGHTS, in_bag, group, n_terms, p
        )
        assert_array_equal(curves.groups.weights[j], own[1])
        atol = TELLING_WEIGHTS.sum() * CURVE_TOLERANCE[p]
        assert_allclose(curves.groups.sums[j], own[0], atol=atol)
        for side, rows in enumerate((in_bag, ~in_bag)):
            expected = reference.error_powers(
                [tree], [nodes], case.X, case.values, p=p, weights=TELLING_WEIGHTS * rows
            )
            # Trees are of different sizes: after its last term an error stays.
            assert_allclose(
                curves.by_tree[j, :, side],
                np.pad(expected, (0, longest + 1 - len(expected)), mode="edge"),
                atol=CURVE_TOLERANCE[p],
            )


@given(
    st.integers(0, 10**6),
    st.integers(5, 80),
    st.sampled_from([0.5, 0.8, 1.0]),
    st.sampled_from([1.0, 2.0, 3.0]),
)
def test_errors_of_groups_add_up_to_the_curve(seed, n_samples, max_samples, p):
    rng = np.random.RandomState(seed)
    X, y = rng.uniform(size=(n_samples, 2)), rng.standard_normal((n_samples, 2))
    samples = read_samples(X, y, rng.uniform(0.1, 2.0, size=n_samples))
    grown = grow(samples, Growth(3, max_samples=max_samples, random_state=seed))
    curves = error_curves(decompose(grown, samples, p=p), grown, samples)
    groups = curves.groups
    assert groups.weights.shape == (3, min(10, n_samples), 2)
    with np.errstate(invalid="ignore"):  # no sample out of the bag
        means = groups.sums.sum(axis=2) / groups.weights.sum(axis=1)[:, None]
    whole = curves.by_tree[:, groups.n_terms]
    assert_allclose(means, whole, rtol=1e-9, atol=CURVE_TOLERANCE[p])
    # The groups are told apart with no term, with all, and 16 times in every octave, as
    # far as whole numbers are so close.
    none, first, *_, last = groups.n_terms if len(groups.n_terms) > 2 else [0, 1, 1]
    assert (none, first, last) == (0, 1, max(curves.by_tree.shape[1] - 1, 1))
    for one, two in pairwise(groups.n_terms[1:]):
        assert one < two <= max(one + 1, one * 2 ** (1 / 15) + 1)


@pytest.mark.filterwarnings("error")
def test_errors_out_of_the_bag_of_trees_that_have_seen_all_are_nan():
    case = Case()
    for bags in (np.ones((3, 36)), np.vstack([case.grown.bags[:2], np.ones(36)])):
        grown = replace(case.grown, bags=bags)
        curves = error_curves(case.decomposition, grown, case.samples)
        seen = (bags > 0).all(axis=1)
        assert np.isfinite(curves.by_tree[:, :, 0]).all()
        assert np.isnan(curves.by_tree[seen, :, 1]).all()
        assert_array_equal(curves.groups.sums[seen, :, :, 1], 0)
        assert_array_equal(curves.groups.weights[seen].sum(axis=1), [[36, 0]] * seen.sum())
        assert not curves.has_out_of_bag
        assert_array_equal(curves.averages, curves.by_tree[:, :, 0])


def test_in_bag_and_out_of_bag_errors_are_averaged_over_trees_before_the_root():
    case = Case(p=3.0)
    curves = error_curves(case.decomposition, case.grown, case.samples)
    assert curves.has_out_of_bag
    assert curves.p == 3.0
    means = curves.by_tree.mean(axis=2)
    assert_allclose(curves.averages, means, **CLOSE)
    assert_allclose(curves.m_term_errors, means.mean(axis=0)[1:] ** (1 / 3), **CLOSE)
    for trees in ([1], [0, 2]):
        expected = means[trees].mean(axis=0)[1:] ** (1 / 3)
        assert_allclose(curves.errors_of(np.array(trees)), expected, **CLOSE)


def test_errors_of_trees_without_terms_are_those_of_their_means():
    samples = read_samples(np.zeros((6, 1)), np.arange(6.0))
    grown = grow(samples, Growth(1))
    bags = (np.arange(6) < 4)[None] * 1.0
    grown = replace(grown, bags=bags)
    curves = error_curves(decompose(grown, samples), grown, samples)
    errors = [(2.25 + 0.25 + 0.25 + 2.25) / 4, (2.5**2 + 3.5**2) / 2]
    assert_allclose(curves.by_tree, [[errors]])
    assert_allclose(curves.groups.sums.sum(axis=2), [[[5, 18.5]] * 2])
    assert_array_equal(curves.groups.weights.sum(axis=1), [[4, 2]])
