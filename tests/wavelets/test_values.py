"""What wavelets are worth at samples: approximations, features, importances."""

from dataclasses import replace

import numpy as np
import pytest
import reference
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import make_friedman1
from sklearn.ensemble import RandomForestRegressor
from wavelet_cases import CLOSE, Case

from sksmooth.samples import read_samples
from sksmooth.trees import Growth, grow
from sksmooth.wavelets import (
    decompose,
    held_out_norms,
    kept_values,
    m_term_approximation,
    staged_approximations,
    sums_of_unseen,
    values_by_tree,
    wavelet_features,
    wavelet_importances,
)

# ---------------------------------------------------------------- approximations


@pytest.mark.parametrize("n_terms", [0, 1, 7, None, 10**6])
def test_leading_terms_are_summed_one_by_one(n_terms):
    case = Case()
    kept = set(reference.ranked(case.reference)[:n_terms])
    arguments = case.trees, case.reference, case.new_X, kept
    values = m_term_approximation(case.decomposition, case.new_leaves, n_terms)
    assert_allclose(values, reference.approximation(*arguments), **CLOSE)
    # By the trees alone that are unseen to a sample; some have none.
    unseen = np.random.RandomState(0).uniform(size=(3, 30)) < 0.4
    assert 0 < unseen.any(axis=0).sum() < 30
    values = m_term_approximation(case.decomposition, case.new_leaves, n_terms, unseen)
    assert_allclose(values, reference.approximation(*arguments, unseen), **CLOSE)


@pytest.mark.parametrize("trees", [slice(None), slice(1, None, 2), slice(2, None, 5)])
def test_unseen_trees_are_added_up_in_their_order(trees):
    case = Case()
    wavelets, leaves = case.decomposition, case.new_leaves
    path_sums = kept_values(wavelets, wavelets.order[:7])
    unseen = np.random.RandomState(0).uniform(size=leaves.shape) < 0.5
    expected = np.zeros((leaves.shape[1], path_sums.shape[1]))
    for tree in range(len(leaves))[trees]:
        rows = np.flatnonzero(unseen[tree])
        expected[rows] += path_sums[wavelets.roots[tree] + leaves[tree, rows]]
    values_of = values_by_tree(wavelets, wavelets.order[:7])
    sums, counts = sums_of_unseen(wavelets, values_of, leaves, unseen, trees)
    assert_array_equal(sums, expected)
    assert_array_equal(counts, unseen[trees].sum(axis=0))


def test_all_terms_are_the_means_of_the_leaves():
    case = Case()
    wavelets = case.decomposition
    assert_allclose(kept_values(wavelets, wavelets.order), wavelets.mean, **CLOSE)
    means = wavelets.mean[case.new_leaves + wavelets.roots[:, None]]
    values = m_term_approximation(wavelets, case.new_leaves)
    assert_allclose(values, means.mean(axis=0), **CLOSE)


def test_staged_approximations_are_those_of_every_stage():
    case, n_terms = Case(), [0, 1, 4, 4, 9, 10**6]
    stages = staged_approximations(case.decomposition, case.new_leaves, n_terms)
    for n, values in zip(n_terms, stages, strict=True):
        expected = m_term_approximation(case.decomposition, case.new_leaves, n)
        assert_allclose(values, expected, **CLOSE)


# ---------------------------------------------------------------- features


@pytest.mark.parametrize("n_terms", [1, 6, 10**6])
def test_features_are_heights_on_decision_paths(n_terms):
    case = Case()
    features = wavelet_features(case.decomposition, case.new_leaves, n_terms)
    order = reference.ranked(case.reference)[:n_terms]
    expected = np.zeros((30, len(order)))
    for i, x in enumerate(case.new_X):
        for column, (j, number) in enumerate(order):
            if number in reference.path(case.trees[j], x):
                height = np.linalg.norm(case.reference[j][number].psi)
                expected[i, column] = height
    assert features.format == "csr"
    assert_allclose(features.toarray(), expected, **CLOSE)


def test_a_linear_model_on_features_contains_the_m_term_approximation():
    # A column is the size of a wavelet, so that its sign, divided by the number of trees,
    # is the coefficient of the forest.
    case = Case(n_outputs=1)
    wavelets = case.decomposition
    features = wavelet_features(wavelets, case.new_leaves, 9)
    coefficients = np.sign(wavelets.psi[wavelets.order[:9]]) / 3
    values = wavelets.mean[wavelets.roots].mean() + features @ coefficients
    expected = m_term_approximation(wavelets, case.new_leaves, 9)
    assert_allclose(values, expected, **CLOSE)


# ---------------------------------------------------------------- importances


def plain_held_out_norms(case):
    """Norms times the agreement of the wavelets of two sets of samples, node by node."""
    norms = []
    for tree, nodes, bag in zip(case.trees, case.reference, case.grown.bags, strict=True):
        left_out = (bag == 0) * case.samples.weights
        others = reference.decompose_tree(tree, case.X, case.values, left_out)
        for node, other in zip(nodes, others, strict=True):
            energy = float(np.sum(node.psi**2)) * node.count / nodes[0].count
            product = float(np.sum(node.psi * other.psi)) * other.count / others[0].count
            norms.append(node.norm * product / energy if node.norm > 0 else 0.0)
    return np.array(norms)


def plain_importances(decomposition, norms, n_terms):
    sums = np.zeros(3)
    for node in decomposition.order[:n_terms]:
        sums[decomposition.feature[node]] += norms[node]
    sums = np.maximum(sums, 0)
    return sums / sums.sum()


@pytest.mark.parametrize("n_outputs", [1, 2])
@pytest.mark.parametrize("options", [{}, {"p": 3.0}, {"measure": "volume"}], ids=str)
def test_norms_and_importances_agree_with_plain_loops(n_outputs, options):
    case = Case(n_outputs=n_outputs, max_depth=None, **options)
    case.samples = replace(
        case.samples, weights=np.random.RandomState(1).uniform(0.5, 2.0, size=36)
    )
    found = case.decomposition
    norms = held_out_norms(found, case.grown, case.samples)
    assert_allclose(norms, plain_held_out_norms(case), **CLOSE)
    for n_terms in (5, None):
        fitted = wavelet_importances(found, 3, n_terms)
        assert_allclose(fitted, plain_importances(found, found.norm, n_terms), **CLOSE)
        held_out = wavelet_importances(found, 3, n_terms, norms)
        assert_allclose(held_out, plain_importances(found, norms, n_terms), **CLOSE)


def test_samples_that_agree_give_the_norms_themselves():
    # Every sample is there twice, once in the bag and once, with 2.5 the weight, out of it.
    X, y = make_friedman1(80, random_state=0)
    samples = read_samples(np.tile(X, (2, 1)), np.tile(y, 2), np.repeat([1.0, 2.5], 80))
    model = RandomForestRegressor(3, random_state=0).fit(X, y)
    grown = grow(samples, Growth(forest=model))
    bags = np.tile(np.repeat([1.0, 0.0], 80), (3, 1))
    grown = replace(grown, bags=bags)
    found = decompose(grown, samples)
    assert_allclose(held_out_norms(found, grown, samples), found.norm, **CLOSE)


def test_norms_are_taken_as_they_are_if_a_tree_has_seen_all_samples():
    case = Case()
    grown = replace(case.grown, bags=np.vstack([case.grown.bags[:2], np.ones(36)]))
    norms = held_out_norms(case.decomposition, grown, case.samples)
    assert_array_equal(norms, case.decomposition.norm)


def test_noise_has_no_held_out_norms_in_the_mean():
    # Of 200 independent seeds of one tree each, so the mean of their sums is within 4 of
    # its standard errors of zero; those of the fitted norms are far above it.
    sums, fitted_sums = np.empty((2, 200))
    for seed in range(200):
        rng = np.random.RandomState(seed)
        samples = read_samples(rng.uniform(size=(40, 2)), rng.standard_normal(40))
        grown = grow(samples, Growth(1, max_samples=0.63, random_state=seed))
        found = decompose(grown, samples)
        norms = held_out_norms(found, grown, samples)
        sums[seed], fitted_sums[seed] = norms.sum(), found.norm.sum()
    error = sums.std() / np.sqrt(200)
    assert abs(sums.mean()) < 4 * error
    assert fitted_sums.mean() > 20 * error


def test_importances_find_the_relevant_column():
    rng = np.random.RandomState(0)
    X = rng.uniform(size=(400, 5))
    samples = read_samples(X, X[:, 3] > 0.5)
    found = decompose(grow(samples, Growth(5, random_state=0)), samples)
    assert wavelet_importances(found, 5)[3] > 0.9


def test_importances_of_nothing_are_zero():
    samples = read_samples(np.zeros((4, 2)), np.arange(4.0))
    found = decompose(grow(samples, Growth(2)), samples)
    assert found.n_terms == 0
    assert_array_equal(wavelet_importances(found, 2), [0, 0])
