"""Measure representations of the same samples, all out of bag or all in the same folds."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from copy import copy
from numbers import Integral
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
from joblib import delayed
from sklearn.base import clone
from sklearn.exceptions import DataConversionWarning
from sklearn.utils import indexable

from ..._lib.messages import naming
from ..._lib.parallel import run_parallel
from ...exceptions import TargetTypeWarning
from ...index import Level
from ...samples import (
    Samples,
    group_units,
    in_memory,
    is_dask,
    number_of_rows,
    with_features,
)
from ..besov import BesovSmoothnessEstimator, fit_samples, read_for
from ..levels import (
    Fold,
    Labels,
    cross_fitted_level,
    features_of_fold,
    fitted_level,
    read_labels,
    split,
    units_in_common,
)
from .columns import FITTED, MeasuredRepresentation
from .sources import Case, Source

__all__ = ["Drawn", "draw", "measure_all"]

_FOLDS = 5  # where representations are learned, and cv is None


def measure_all(
    case: Case,
    drawn: Drawn,
    estimator: BesovSmoothnessEstimator,
    *,
    n_jobs: int | None,
    verbose: int,
) -> list[MeasuredRepresentation]:
    """Measure all representations of the samples of a case, on the same subsamples.

    Parameters
    ----------
    case : Case
        Representations and samples.
    drawn : Drawn
        Its labels and folds.
    estimator : BesovSmoothnessEstimator
        How trees are grown; its random states are integers.
    n_jobs : int or None
        Number of joblib workers, which share the representations.
    verbose : int
        1 shows a progress bar.

    Returns
    -------
    measured : list of MeasuredRepresentation
        One per representation, in their order.
    """
    if case.is_cross_fitted:
        labels, folds = drawn
        # The index of half the samples differs from that of all, so if one representation
        # is measured on halves, all are.
        parts = _halves(folds) if case.is_learned else _whole(folds)
        # Several transformers may share the same input.
        inputs = {id(each.X): each.X for each in case.sources.values()}
        inputs = {key: _with_rows(X) for key, X in inputs.items()}
        tasks = [
            delayed(_in_folds)(
                name,
                source.transformer,
                inputs[id(source.X)],
                labels,
                folds,
                parts,
                estimator,
            )
            for name, source in case.sources.items()
        ]
    else:
        tasks = [
            delayed(_out_of_bag)(name, samples, own)
            for name, samples, own in _drawn_alike(case, estimator)
        ]
    return run_parallel(
        tasks, len(tasks), n_jobs=n_jobs, label="representations", verbose=verbose
    )


class Drawn(NamedTuple):
    """Labels and folds of a case, before its features are read.

    Attributes
    ----------
    labels : Labels
        Targets, weights and groups.
    folds : list of (train, test)
        Places of the samples; empty where all are measured out of bag.
    """

    labels: Labels
    folds: list[Fold]


def draw(case: Case, estimator: BesovSmoothnessEstimator, seed: int) -> Drawn:
    """Read the labels of a case and split them, which also checks them.

    Parameters
    ----------
    case, estimator
        As in :func:`measure_all`.
    seed : int
        Seed of the folds.

    Returns
    -------
    drawn : Drawn
        Labels and folds.

    Raises
    ------
    ValueError
        If targets, weights, groups or folds are invalid.
    """
    if case.is_cross_fitted and estimator.forest is not None:
        raise ValueError(
            "Representations are measured in folds by randomised trees of the package's "
            "own, so estimator must have forest=None; or pass only features, and cv=None."
        )
    labels = read_labels(case.y, case.sample_weight, case.groups)
    if not case.is_cross_fitted:
        return Drawn(labels, [])
    folds = split(labels, _FOLDS if case.cv is None else case.cv, seed)
    _check_groups(labels, folds)
    if case.is_learned:
        _check_halves(labels, folds)
    return Drawn(labels, folds)


def _measured(
    name: str,
    n_features: int,
    level: Level,
    explained: tuple[float, float, float],
    fits: Sequence[_Fit],
    confidence_level: float,
    start: float,
) -> MeasuredRepresentation:
    cautions = dict.fromkeys(caution for fit in fits for caution in fit.cautions)
    return MeasuredRepresentation(
        name=name,
        n_features=n_features,
        level=level,
        held_out=(level.score, *level.interval(confidence_level)),
        explained=explained,
        fitted={
            attribute: np.mean([fit.values[attribute] for fit in fits], axis=0)
            for attribute in FITTED
        },
        cautions=", ".join(cautions),
        seconds=perf_counter() - start,
    )


class _Fit(NamedTuple):
    """What is kept of a fitted estimator, without its forest."""

    values: dict[str, Any]
    cautions: list[str]

    @classmethod
    def of(cls, estimator: BesovSmoothnessEstimator) -> _Fit:
        """Read the attributes of columns, and the cautions."""
        values = {attribute: getattr(estimator, attribute) for attribute in FITTED}
        return cls(values, [type(each).__name__ for each in estimator.decay_.cautions])


# ---------------------------------------------------------------------- out of bag


def _drawn_alike(
    case: Case, estimator: BesovSmoothnessEstimator
) -> Iterator[tuple[str, Samples, BesovSmoothnessEstimator]]:
    """Read all representations, to be sampled by the units that they have in common."""
    read = [
        (name, *_read(name, source, case, estimator))
        for name, source in case.sources.items()
    ]
    all_samples = [samples for _, samples, _ in read]
    units = units_in_common(all_samples, case.groups, number_of_rows(case.y, "y"))
    for name, samples, own in read:
        yield name, samples.drawn_by(units), own


def _read(
    name: str, source: Source, case: Case, estimator: BesovSmoothnessEstimator
) -> tuple[Samples, BesovSmoothnessEstimator]:
    own = clone(estimator)
    with naming(f"Representation {name!r}"), warnings.catch_warnings():
        for said_once in (TargetTypeWarning, DataConversionWarning):
            warnings.simplefilter("ignore", said_once)
        return read_for(own, source.X, case.y, case.sample_weight), own


def _out_of_bag(
    name: str, samples: Samples, estimator: BesovSmoothnessEstimator
) -> MeasuredRepresentation:
    start = perf_counter()
    with naming(f"Representation {name!r}"):
        # Fit a copy: tasks are kept until all are done, and a fit holds a forest.
        fitted = fit_samples(copy(estimator), samples, warn=False)
        level = fitted_level(fitted, samples)
    return _measured(
        name,
        fitted.n_features_in_,
        level,
        (fitted.explained_, *fitted.explained_interval_),
        [_Fit.of(fitted)],
        fitted.confidence_level,
        start,
    )


# ---------------------------------------------------------------------- in folds


def _in_folds(
    name: str,
    transformer: Any,
    X: Any,
    labels: Labels,
    folds: Sequence[Fold],
    parts: Sequence[Fold],
    estimator: BesovSmoothnessEstimator,
) -> MeasuredRepresentation:
    start = perf_counter()
    with naming(f"Representation {name!r}"):
        found = cross_fitted_level(transformer, X, labels, folds, estimator)
        fits = [_fit_in(part, transformer, X, labels, estimator) for part in parts]
    return _measured(
        name,
        found.n_features,
        found.level,
        (found.explained, *found.explained_interval),
        fits,
        estimator.confidence_level,
        start,
    )


def _with_rows(X: Any) -> Any:
    """Make the input indexable by rows, and read it unless it is lazy."""
    return X if is_dask(X) else indexable(in_memory(X))[0]


def _check_groups(labels: Labels, folds: Sequence[Fold]) -> None:
    """Reject folds that split groups, since samples of a group are not independent."""
    for train, test in folds if labels.groups is not None else ():
        apart = np.intersect1d(labels.unit[train], labels.unit[test])
        if len(apart):
            raise ValueError(
                f"cv splits {len(apart)} of the groups between the training and the test "
                "part of a fold; pass folds that keep groups together, such as "
                "GroupKFold(5), or an integer."
            )


def _whole(folds: Sequence[Fold]) -> list[Fold]:
    """Take all samples at once: nothing is learned, so nothing has to be held out."""
    everything = np.sort(np.concatenate([test for _, test in folds]))
    return [(everything[:0], everything)]


def _halves(folds: Sequence[Fold]) -> list[Fold]:
    """Merge many folds into two, so that each half is learned from the other.

    An index is read from samples and their labels together, so the transformer must not
    have seen any of them. The halves have about the same size.
    """
    halves: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
    for _, test in sorted(folds, key=lambda fold: -len(fold[1])):
        min(halves, key=lambda half: sum(map(len, half))).append(test)
    first, second = (np.sort(np.concatenate(half)) for half in halves)
    return [(first, second), (second, first)]


def _check_halves(labels: Labels, folds: Sequence[Fold]) -> None:
    """Reject folds if a half has no index because its targets are all the same."""
    values = labels.samples.targets.values
    for _, part in _halves(folds):
        if (values[part] == values[part[:1]]).all():
            raise ValueError(
                "Where representations are learned, an index is read from each half of the "
                "folds, but all samples that cv puts into one of the halves have the same "
                "value of y; pass folds that mix them, such as an integer."
            )


def _fit_in(
    fold: Fold,
    transformer: Any,
    X: Any,
    labels: Labels,
    estimator: BesovSmoothnessEstimator,
) -> _Fit:
    """Learn a representation on one part of the samples, and fit to the other part."""
    _, features = features_of_fold(transformer, X, labels, fold)
    samples, own = labels.samples.take(fold[1]), clone(estimator)
    if isinstance(own.max_samples, Integral):  # of all samples; a half has fewer
        own.set_params(max_samples=min(int(own.max_samples) / len(labels.rows), 1.0))
    samples = with_features(samples, features, own)
    if labels.groups is not None:
        samples = samples.drawn_by(group_units(labels.groups[fold[1]], samples.units))
    return _Fit.of(fit_samples(own, samples, warn=False))
