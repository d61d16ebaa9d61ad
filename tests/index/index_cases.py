"""Error curves of any shape, as if a forest had them, for conventions to read."""

import warnings
from types import SimpleNamespace

import numpy as np

from sksmooth.index import CONVENTIONS
from sksmooth.samples import Targets
from sksmooth.wavelets import ErrorCurves, WaveletDecomposition
from sksmooth.wavelets.errors import SampleGroups
from sksmooth.wavelets.means import HeldMeans

MANY = 10**13  # samples, so that their number does not count
WINDOW = (14, 400)  # of curves of 1,000 terms that fall at once, with 2,000 samples


def wavelets_of(norms, p=2.0, cells=None, n_samples=2000):
    """Decomposition whose trees have terms of these norms, zero for no term.

    Each term has a parent of its own, which holds so many samples (``cells``): by default
    n / k for the k-th one, as for a function without constant pieces.
    """
    n_trees, n_terms = norms.shape
    if cells is None:
        cells = n_samples / np.arange(1.0, n_terms + 1)
    # Of every tree: the root, the parents, the terms.
    size = 1 + 2 * n_terms
    parent = np.concatenate([[-1], np.zeros(n_terms), np.arange(1, n_terms + 1)])
    starts = size * np.arange(n_trees)
    log_norm = np.full((n_trees, size), -np.inf)
    with np.errstate(divide="ignore"):
        log_norm[:, 1 + n_terms :] = np.log(norms)
    terms = np.flatnonzero(log_norm > -np.inf)
    order = terms[np.argsort(-log_norm.ravel()[terms], kind="stable")]
    is_root = np.tile(parent < 0, n_trees)
    return WaveletDecomposition(
        tree=np.repeat(np.arange(n_trees), size),
        parent=np.where(is_root, -1, np.add.outer(starts, parent).ravel()).astype(int),
        depth=np.tile(np.repeat([0, 1, 2], [1, n_terms, n_terms]), n_trees),
        feature=np.where(is_root, -1, 0),
        count=np.tile(np.concatenate([[n_samples], cells, np.ones(n_terms)]), n_trees),
        means=HeldMeans(
            np.zeros((n_trees * size, 1)),
            np.exp(log_norm).reshape(-1, 1),
            size * np.arange(n_trees + 1),
        ),
        log_norm=log_norm.ravel(),
        order=order,
        offsets=size * np.arange(n_trees + 1),
        p=p,
        measure="samples",
    )


def groups_alike(powers, n_groups=5):
    """Groups of samples that all have these errors."""
    n_terms = np.unique(np.geomspace(1, max(powers.shape[1] - 1, 1), 150).round())
    n_terms = np.append(0, n_terms).astype(int)
    sums = np.repeat(np.nan_to_num(powers[:, n_terms, None]), n_groups, axis=2)
    weights = np.repeat(np.where(np.isnan(powers[:, :1]), 0.0, 1.0), n_groups, axis=1)
    return SampleGroups(n_terms, sums, weights)


def curves_of(
    powers, p=2.0, *, n_samples=2000, n_apart=np.inf, norms=None, cells=None, groups=None
):
    """Error curves with these p-th powers of errors, (n_trees, n_terms + 1, 2)."""
    if norms is None:
        norms = np.ones((len(powers), powers.shape[1] - 1 if cells is None else len(cells)))
    return ErrorCurves(
        by_tree=powers,
        groups=groups_alike(powers) if groups is None else groups,
        decomposition=wavelets_of(norms, p, cells, n_samples),
        grown=grown_of(len(powers), n_samples, n_apart),
        samples=samples_of(n_samples),
    )


def samples_of(n_samples):
    """One sample that weighs as much as all."""
    return SimpleNamespace(
        X=np.zeros((1, 1)),
        targets=Targets(np.zeros((1, 1)), np.zeros(1), None),
        weights=np.array([float(n_samples)]),
        classes=None,
    )


def grown_of(n_trees, n_samples, n_apart):
    """Trees that have all seen it, so that only the curves tell what is out of the bags."""
    return SimpleNamespace(
        n_grown=n_samples,
        n_apart=n_apart,
        leaves=np.zeros((n_trees, 1), dtype=np.int32),
        unseen=np.zeros((n_trees, 1), dtype=bool),
        units=SimpleNamespace(n_units=n_samples, unit=np.zeros(1, int)),
    )


def power_law(alpha, n_terms=1000, scale=1.0):
    """Errors at M = 0, 1, ..., n_terms; the first one is not on the law."""
    terms = np.arange(1, n_terms + 1)
    return np.append(2 * scale, scale * terms**-alpha)


def in_and_out(powers, gap=0.2):
    """Powers in the bag and out of it, biased low and high."""
    return np.stack([(1 - gap) * powers, (1 + gap) * powers], axis=-1)


def equal_trees(powers, n_trees=2):
    return in_and_out(np.tile(powers, (n_trees, 1)))


def jittered_trees(alpha, n_trees, jitter, p=2.0, seed=0):
    """Trees whose own rates differ a little, centred on alpha."""
    rates = alpha + jitter * np.linspace(-1, 1, n_trees)
    np.random.RandomState(seed).shuffle(rates)
    return in_and_out(np.array([power_law(rate) ** p for rate in rates]))


def fit(curves, index="mterm", level=0.95):
    """Fit by a convention; nothing may warn, since cautions are part of the result."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return CONVENTIONS[index].fit(curves, level)


def read(curves, window=WINDOW, index="mterm"):
    """Read the index in a window that is given."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return CONVENTIONS[index].read(curves, window)


def width(fitted):
    return np.ptp(fitted.interval)


def kinds_of_cautions(fitted):
    return [type(caution) for caution in fitted.cautions]
