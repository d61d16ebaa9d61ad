"""Measure the error of an estimator on nested parts of the samples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from joblib import delayed
from sklearn.base import clone

from ..._lib.parallel import run_parallel
from ..._lib.scikit_learn import safe_indexing
from ...samples import as_array
from ..levels import Fold, Labels

__all__ = ["Measured", "errors_of_rows", "measure_errors", "sizes_of"]

_HALVINGS = 3  # below the largest size
_FEWEST_TRAINED = 5


class Measured(NamedTuple):
    """Errors of every sample, by the number of training samples.

    Attributes
    ----------
    sizes : ndarray of shape (n_sizes,)
        Numbers of training samples, increasing.
    losses : ndarray of shape (n_sizes, n_samples)
        Mean loss of every sample over the fits that had not seen it, NaN where all had: the
        zero-one loss of the class, or the squared error.
    margins : ndarray of shape (n_samples,) or None
        Confidence of the largest fit about each sample; None if the estimator has none.
    """

    sizes: np.ndarray
    losses: np.ndarray
    margins: np.ndarray | None


class _Fit(NamedTuple):
    """One fit: its place among the sizes, and its rows."""

    place: int
    train: np.ndarray
    test: np.ndarray


def sizes_of(folds: Sequence[Fold], n_classes: int) -> np.ndarray:
    """Halve the number of training samples of the folds, three times if there are enough.

    With fewer than half as many samples as classes, hardly any prediction can be right.
    """
    largest = min(len(train) for train, _ in folds)
    sizes = largest // 2 ** np.arange(_HALVINGS, -1, -1)
    return sizes[sizes >= max(_FEWEST_TRAINED, n_classes // 2)]


def measure_errors(
    estimator: Any,
    X: Any,
    y: Any,
    labels: Labels,
    folds: Sequence[Fold],
    sizes: np.ndarray,
    *,
    random_state: int,
    n_jobs: int | None,
    verbose: int,
) -> Measured:
    """Fit an estimator to nested parts of the samples, and predict the others.

    The largest size is measured in all folds. Smaller sizes, whose fits test more samples,
    are fitted only so often that each costs at most a third of a fit to all samples.

    Parameters
    ----------
    estimator : classifier or regressor
        Cloned for every fit.
    X : array-like of n_rows rows
        What it is given.
    y : array-like of shape (n_rows,) or (n_rows, n_outputs)
        Targets as they were given.
    labels : Labels
        The samples.
    folds : sequence of (train, test)
        Places of the samples.
    sizes : ndarray of shape (n_sizes,)
        Numbers of training samples, increasing, the last one that of the folds.
    random_state : int
        Seed of the parts.
    n_jobs, verbose
        As in :func:`forecast_error`.

    Returns
    -------
    measured : Measured
        The errors.
    """
    fits = list(_fits(labels, folds, sizes, random_state))
    found = run_parallel(
        (delayed(_tested)(estimator, X, y, labels, fit) for fit in fits),
        len(fits),
        n_jobs=n_jobs,
        label="errors",
        verbose=verbose,
    )
    n_samples = len(labels.rows)
    sums, counts = np.zeros((2, len(sizes), n_samples))
    margins = np.full(n_samples, np.nan)
    for fit, (losses, sureness) in zip(fits, found, strict=True):
        sums[fit.place, fit.test] += losses
        counts[fit.place, fit.test] += 1
        if fit.place == len(sizes) - 1 and sureness is not None:
            margins[fit.test] = sureness
    with np.errstate(invalid="ignore"):
        losses = (sums / counts).astype(np.float32)
    return Measured(sizes, losses, None if np.isnan(margins).any() else margins)


def _fits(
    labels: Labels, folds: Sequence[Fold], sizes: np.ndarray, random_state: int
) -> Iterator[_Fit]:
    """List the fits; as far as possible, each size has folds of its own."""
    rng = np.random.RandomState(random_state)
    n_samples, first = len(labels.rows), 0
    trains = [_in_nested_order(train, labels, rng) for train, _ in folds]
    for place in reversed(range(len(sizes))):
        size = sizes[place]
        if place == len(sizes) - 1:
            chosen = range(len(folds))
        else:
            n_fits = min(max(n_samples // (3 * int(size)), 1), len(folds))
            chosen = [(first + k) % len(folds) for k in range(n_fits)]
            first += n_fits
        for fold in chosen:
            train, test = trains[fold][:size], folds[fold][1]
            if labels.groups is None:  # what is not trained on is tested, too
                test = np.concatenate([test, trains[fold][size:]])
            yield _Fit(place, train, test)


def _in_nested_order(
    train: np.ndarray, labels: Labels, rng: np.random.RandomState
) -> np.ndarray:
    """Shuffle samples so that every leading part holds the classes in proportion.

    Groups stay together, since part of a group is worth less than as many other samples.
    """
    if labels.groups is not None:
        order = rng.permutation(labels.groups.max() + 1)[labels.groups[train]]
        return train[np.argsort(order, kind="stable")]
    train = rng.permutation(train)
    codes = labels.samples.targets.codes
    if codes is None:
        return train
    # The k-th of n samples of a class stands at the share k / n of all samples.
    of_class = codes[train]
    by_class = np.argsort(of_class, kind="stable")
    counts = np.bincount(of_class)
    starts = np.cumsum(counts) - counts
    rank = np.empty(len(train))
    rank[by_class] = np.arange(len(train)) - starts[of_class[by_class]]
    shift = rng.uniform(size=len(counts))
    return train[np.argsort((rank + shift[of_class]) / counts[of_class], kind="stable")]


def _tested(
    estimator: Any, X: Any, y: Any, labels: Labels, fit: _Fit
) -> tuple[np.ndarray, np.ndarray | None]:
    """Fit to some samples; compute the loss and the confidence of each of the others."""
    train, test = labels.rows[fit.train], labels.rows[fit.test]
    fitted = clone(estimator).fit(safe_indexing(X, train), safe_indexing(y, train))
    X_test = safe_indexing(X, test)
    if labels.samples.classes is None:
        predicted = np.asarray(fitted.predict(X_test), dtype=float).reshape(len(test), -1)
        return errors_of_rows(labels.samples.targets.take(fit.test).values, predicted), None
    predicted = np.asarray(fitted.predict(X_test)).ravel()
    is_wrong = predicted != as_array(safe_indexing(y, test)).ravel()
    return is_wrong.astype(float), _margins(fitted, X_test)


def errors_of_rows(targets: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Compute squared errors, summed over outputs."""
    return np.sum((targets - predicted) ** 2, axis=1)


def _margins(fitted: Any, X: Any) -> np.ndarray | None:
    """Compute the margin of the likeliest class, if there are probabilities."""
    for method in ("predict_proba", "decision_function"):
        if hasattr(fitted, method):
            values = np.asarray(getattr(fitted, method)(X), dtype=float)
            if values.ndim == 1:
                return np.abs(values)
            if values.shape[1] < 2:
                return np.zeros(len(values))
            two = np.partition(values, -2, axis=1)[:, -2:]
            return two[:, 1] - two[:, 0]
    return None
