"""Many classes or outputs: means that are computed anew are those that are held."""

import pickle

import numpy as np
import pytest
import reference
from numpy.testing import assert_allclose, assert_array_equal
from wavelet_cases import CLOSE, CURVE_TOLERANCE, Case

from sksmooth import BesovSmoothnessEstimator
from sksmooth.samples import encode_values, output_blocks, targets
from sksmooth.trees import tree
from sksmooth.wavelets import (
    error_curves,
    held_out_norms,
    kept_values,
    m_term_errors,
    means,
)
from sksmooth.wavelets.means import ComputedMeans, HeldMeans


def set_limits(monkeypatch, *, is_held):
    """Let means be held, or be computed a few outputs at a time, in blocks of rows."""
    monkeypatch.setattr(means, "_FEW_OUTPUTS", 10**9 if is_held else 0)
    monkeypatch.setattr(means, "_MOST_NUMBERS", 0)
    monkeypatch.setattr(targets, "_BLOCK_NUMBERS", 1 << 20 if is_held else 10)
    monkeypatch.setattr(targets, "_NARROWEST", 8 if is_held else 2)
    monkeypatch.setattr(tree, "_BLOCK_BYTES", 1 << 26 if is_held else 1 << 12)


def classes(n_classes):
    rng = np.random.RandomState(0)
    X = rng.uniform(size=(300, 3))
    y = (X[:, 0] * n_classes).astype(int)
    return X, np.where(rng.uniform(size=300) < 0.1, y[::-1], y)


def outputs(n_outputs):
    rng = np.random.RandomState(0)
    X = rng.uniform(size=(200, 3))
    return X, np.sin(3 * X) @ rng.standard_normal((3, n_outputs)) + 100


@pytest.mark.parametrize(
    ("data", "options"),
    [
        (classes(2), {}),
        (classes(7), {}),
        (classes(140), {}),  # beyond 128, NumPy adds up rows in halves
        (classes(140), {"p": 1.5, "measure": "volume"}),
        (classes(140), {"index": "elisha-dekel"}),
        (classes(20), {"max_samples": 1.0}),
        (outputs(4), {"index": "sparsity-probe"}),
        (outputs(135), {}),
    ],
)
@pytest.mark.filterwarnings("ignore::sksmooth.exceptions.SmoothnessWarning")
def test_all_that_an_estimator_gives_is_the_same_to_the_last_bit(
    data, options, monkeypatch
):
    (X, y), found = data, []
    weight = np.random.RandomState(0).uniform(0.5, 2.0, size=len(y))
    for is_held in (True, False):
        set_limits(monkeypatch, is_held=is_held)
        estimator = BesovSmoothnessEstimator(4, random_state=0, **options)
        estimator.fit(X, y, weight)
        wavelets = estimator.wavelets_
        assert isinstance(wavelets.means, HeldMeans if is_held else ComputedMeans)
        assert not wavelets.mean.flags.writeable
        assert not wavelets.psi.flags.writeable
        copied = pickle.loads(pickle.dumps(wavelets))
        found.append(
            [
                wavelets.mean,
                wavelets.psi,
                wavelets.log_norm,
                wavelets.order,
                copied.psi,
                np.array([estimator.alpha_, *estimator.alpha_interval_]),
                estimator.errors_,
                estimator.oob_score_,
                np.array(estimator.shares_.explained_interval),
                np.array([estimator.noise_, estimator.wrong_labels_]),
                estimator.feature_importances_,
                estimator.transform(X).toarray(),
                estimator.score(X[::2], y[::2], weight[::2]),
            ]
        )
    for held, computed in zip(*found, strict=True):
        assert_array_equal(held, computed)


@pytest.mark.parametrize("p", [1.0, 2.0])
@pytest.mark.parametrize("is_unseen", [False, True])
def test_computed_means_are_those_of_the_reference(p, is_unseen, monkeypatch):
    set_limits(monkeypatch, is_held=False)
    case = Case(p=p, n_outputs=3)
    assert isinstance(case.decomposition.means, ComputedMeans)
    nodes = [node for nodes in case.reference for node in nodes]
    assert_allclose(case.decomposition.mean, [node.mean for node in nodes], **CLOSE)
    assert_allclose(case.decomposition.psi, [node.psi for node in nodes], **CLOSE)
    assert_allclose(case.decomposition.norm, [node.norm for node in nodes], **CLOSE)
    unseen = np.random.RandomState(0).uniform(size=(3, 30)) < 0.5 if is_unseen else None
    errors = m_term_errors(
        case.decomposition,
        case.new_leaves,
        encode_values(case.new_values)[0],
        unseen=unseen,
    )
    data = [case.trees, case.reference, case.new_X, case.new_values]
    options = {"p": p, "weights": np.ones(30), "floor": np.zeros(30)}
    if is_unseen:
        expected = reference.unseen_error_powers(*data, unseen, **options)
    else:
        expected = reference.error_powers(*data, **options)
    assert_allclose(errors**p, expected, atol=CURVE_TOLERANCE[p])


def test_values_and_norms_of_computed_means(monkeypatch):
    found = []
    for is_held in (True, False):
        set_limits(monkeypatch, is_held=is_held)
        case = Case(n_outputs=3)
        wavelets = case.decomposition
        curves = error_curves(wavelets, case.grown, case.samples)
        norms = held_out_norms(wavelets, case.grown, case.samples)
        kept = kept_values(wavelets, wavelets.order[::2])
        found.append([norms, kept, curves.by_tree, curves.groups.sums, wavelets.norm])
    for held, computed in zip(*found, strict=True):
        assert_array_equal(held, computed)


def test_held_out_norms_of_the_largest_terms():
    case = Case()
    wavelets = case.decomposition
    weights = case.grown.bags * (np.arange(36) % 3 > 0)
    grown = type(case.grown)(
        case.grown.forest, weights, case.grown.leaves, None, case.grown.units
    )
    of_all = held_out_norms(wavelets, grown, case.samples)
    of_some = held_out_norms(wavelets, grown, case.samples, 5)
    assert_array_equal(of_some[wavelets.order[:5]], of_all[wavelets.order[:5]])
    assert not of_some[wavelets.order[5:]].any()
    assert of_all[wavelets.order[5:]].any()


@pytest.mark.parametrize(("n_outputs", "n_rows"), [(1, 10**9), (9, 10**9), (999, 50_000)])
def test_blocks_of_outputs_cover_all_and_are_never_one_column(n_outputs, n_rows):
    blocks = output_blocks(n_outputs, n_rows)
    covered = np.concatenate([np.arange(n_outputs)[block] for block in blocks])
    assert_array_equal(covered, np.arange(n_outputs))
    assert n_outputs == 1 or min(block.stop - block.start for block in blocks) > 1
    assert output_blocks(n_outputs, 10) == [slice(0, n_outputs)]
