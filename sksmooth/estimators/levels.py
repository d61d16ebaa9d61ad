"""Levels of held-out error of representations, either given or learned within folds."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    PredefinedSplit,
    StratifiedGroupKFold,
    StratifiedKFold,
    check_cv,
)

from .._lib.scikit_learn import safe_indexing
from ..index import (
    CONVENTIONS,
    HeldOutError,
    Level,
    error_on_others,
    joined,
    randomised_error,
)
from ..samples import (
    Encoder,
    Samples,
    SamplingUnits,
    encode_targets,
    group_units,
    number_of_rows,
    numbered,
    read_samples,
    refuse_molecules,
    sampling_units,
    with_features,
)
from ..trees import randomised
from .base import growth_of
from .besov import FEWEST_SAMPLES, BesovSmoothnessEstimator, fit_samples, read_for
from .folds import refuse_unseen_classes

__all__ = [
    "CrossFitted",
    "Fold",
    "Labels",
    "cross_fitted_level",
    "features_of_fold",
    "fitted_level",
    "groups_of",
    "held_out_score",
    "level_alone",
    "read_labels",
    "split",
    "units_in_common",
]

_FEWEST_GROUPS = 5
_TREES_OF_A_FOLD = 25  # which all approximate a sample: as many as out of bag of fifty
_SHARE_OF_A_TREE = 0.8  # of the samples, where the estimator leaves none out

_NO_NUMBER = re.compile("could not convert|arrays of bytes/strings")
Fold = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True, eq=False)
class Labels:
    """Targets and weights of samples whose features are not known yet.

    Attributes
    ----------
    samples : Samples
        The samples of positive weight, whose only feature is a placeholder.
    groups : ndarray of shape (n_samples,) or None
        Numbers of their groups.
    n_rows : int
        Number of rows that were given.
    """

    samples: Samples
    groups: np.ndarray | None
    n_rows: int

    @property
    def rows(self) -> np.ndarray:
        """Row of every sample in the input."""
        return np.arange(self.n_rows) if self.samples.rows is None else self.samples.rows

    @property
    def unit(self) -> np.ndarray:
        """Sampling unit of every sample; units are independent."""
        if self.groups is None:
            return np.arange(len(self.samples.weights))
        return self.groups


def read_labels(
    y: Any,
    sample_weight: Any = None,
    groups: Any = None,
    *,
    encode: Encoder = encode_targets,
) -> Labels:
    """Read targets, weights and groups.

    Parameters
    ----------
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Class labels or regression targets.
    sample_weight : array-like of shape (n_samples,), default=None
        Non-negative weights.
    groups : array-like of shape (n_samples,), default=None
        Groups that are in the same fold.
    encode : callable, default=encode_targets
        Decides whether the targets are classes, and encodes them as points.

    Returns
    -------
    labels : Labels
        Targets, weights and groups of the samples.
    """
    n_rows = number_of_rows(y, "y")
    placeholder = np.zeros((n_rows, 1))
    samples = read_samples(
        placeholder, y, sample_weight, encode=encode, fewest=FEWEST_SAMPLES
    )
    codes = None if groups is None else groups_of(groups, samples, n_rows)
    return Labels(samples, codes, n_rows)


def groups_of(groups: Any, samples: Samples, n_rows: int) -> np.ndarray:
    """Number the groups of the samples with positive weight.

    Raises
    ------
    ValueError
        If there is not one group a row, a group is missing, or there are fewer than five.
    """
    groups = np.asarray(groups)
    if groups.shape != (n_rows,):
        raise ValueError(
            f"groups must have shape ({n_rows},), one per sample, got {groups.shape}."
        )
    if np.any(pd.isna(groups)):
        raise ValueError("groups has missing values; give every sample a group.")
    if samples.rows is not None:
        groups = groups[samples.rows]
    names, codes = numbered(groups)
    if len(names) < _FEWEST_GROUPS:
        raise ValueError(
            f"There are {len(names)} groups of samples; at least {_FEWEST_GROUPS} are "
            "needed to estimate how much they vary."
        )
    return codes


def split(labels: Labels, cv: Any, random_state: int) -> list[Fold]:
    """Split samples into folds: an integer makes shuffled ones, stratified for classes.

    Parameters
    ----------
    labels : Labels
        The samples.
    cv : int, cross-validation generator or iterable
        As in scikit-learn. Given folds index all rows; rows without weight are dropped from
        them.
    random_state : int
        Seed of the shuffle.

    Returns
    -------
    folds : list of (train, test)
        Places of the samples.

    Raises
    ------
    ValueError
        If a sample is in no test fold, in several, or in both parts of one, or if a fold
        scores classes that are missing from its training samples.
    """
    codes, groups = labels.samples.targets.codes, labels.groups
    if isinstance(cv, Integral):
        kinds = {
            (False, False): KFold,
            (True, False): StratifiedKFold,
            (False, True): GroupKFold,
            (True, True): StratifiedGroupKFold,
        }
        if codes is not None and np.bincount(codes).max() < int(cv):
            raise ValueError(
                f"All classes have fewer than {cv} samples, so none of them can be in each "
                f"of {cv} folds; use more samples or fewer folds (cv)."
            )
        kind = kinds[codes is not None, groups is not None]
        shuffled = dict(shuffle=True, random_state=random_state)
        cv = kind(int(cv), **({} if kind is GroupKFold else shuffled))
    if isinstance(cv, PredefinedSplit):
        cv = cv.split()
    rows = labels.samples.X
    if hasattr(cv, "split"):
        with warnings.catch_warnings():
            # A class with fewer samples than folds is necessarily missing from some of
            # them.
            warnings.filterwarnings("ignore", "The least populated class in y", UserWarning)
            folds = list(check_cv(cv).split(rows, codes, groups))
    else:
        folds = _folds_of_rows(cv, labels)
    times = np.bincount(np.concatenate([test for _, test in folds]), minlength=len(rows))
    if not all(len(train) for train, _ in folds):
        raise ValueError(
            "cv has a fold without training samples of known y and positive weight; pass "
            "other folds."
        )
    if (times != 1).any():
        raise ValueError(
            "cv must put each sample into exactly one test fold, as KFold does; "
            f"{np.sum(times != 1)} samples are in none or in several."
        )
    for train, test in folds:
        if np.isin(test, train).any():
            raise ValueError(
                "cv has a fold whose test samples are among its training samples, so that "
                "nothing is held out; pass disjoint parts, as KFold gives."
            )
    if codes is not None and labels.samples.classes is not None:
        for fold in folds:
            _check_fold(codes, labels.samples.classes, fold)
    return folds


def _folds_of_rows(cv: Any, labels: Labels) -> list[Fold]:
    """Convert folds of the input rows into folds of the samples with positive weight."""
    place = np.full(labels.n_rows, -1)
    place[labels.rows] = np.arange(len(labels.rows))

    def places(part: Any) -> np.ndarray:
        rows = np.asarray(part)
        rows = np.flatnonzero(rows) if rows.dtype == bool else rows
        if rows.ndim != 1 or rows.dtype.kind not in "iu" or len(rows) == 0:
            raise ValueError(
                "cv must give numbers of rows, two arrays a fold (train, test), none empty."
            )
        if not (rows.min() >= 0 and rows.max() < labels.n_rows):
            raise ValueError(
                f"cv has rows from {rows.min()} to {rows.max()}, but there are "
                f"{labels.n_rows} rows, numbered from 0."
            )
        found = place[rows]
        return found[found >= 0]

    folds = []
    for fold in cv:
        if len(fold) != 2:
            raise ValueError(f"cv must give pairs (train, test), got {len(fold)} parts.")
        train, test = map(places, fold)
        if len(test):
            folds.append((train, test))
    if not folds:
        raise ValueError("cv has no folds.")
    return folds


def _check_fold(codes: np.ndarray, classes: np.ndarray, fold: Fold) -> None:
    """Reject a fold with classes that are not in the others, except for a few samples."""
    seen, scored = (np.bincount(codes[part], minlength=len(classes)) for part in fold)
    is_new = (seen == 0) & (scored > 0)
    if is_new.any():
        refuse_unseen_classes(seen, scored, classes[is_new][0])


class CrossFitted(NamedTuple):
    """How much trees explain on a representation that is learned within folds.

    Attributes
    ----------
    level : Level
        The level, whose influences are in the order of the samples or groups.
    explained : float
        The share that is explained, in [0, 1].
    explained_interval : tuple of float
        Its interval, over samples or groups.
    n_features : int
        Number of features of the representation, in the fold where they are the most.
    """

    level: Level
    explained: float
    explained_interval: tuple[float, float]
    n_features: int


def cross_fitted_level(
    transformer: Any,
    X: Any,
    labels: Labels,
    folds: Sequence[Fold],
    estimator: BesovSmoothnessEstimator,
) -> CrossFitted:
    """Measure a learned representation, fitted only on the samples that the trees see.

    Parameters
    ----------
    transformer : transformer, Pipeline, "passthrough" or None
        Cloned and fitted in every fold; None and "passthrough" take features as they are.
    X : array-like of n_samples rows
        Its input.
    labels : Labels
        Targets, weights and groups.
    folds : sequence of (train, test)
        Places of the samples.
    estimator : BesovSmoothnessEstimator
        How trees are grown; its random states are integers.

    Returns
    -------
    found : CrossFitted
        The level and the explained share.
    """
    if number_of_rows(X) != labels.n_rows:
        raise ValueError(f"X has {number_of_rows(X)} rows, but y has {labels.n_rows}.")
    fewest = min(len(train) for train, _ in folds)
    if isinstance(estimator.max_samples, Integral) and estimator.max_samples >= fewest:
        raise ValueError(
            f"max_samples={estimator.max_samples} leaves no sample out of the trees, since "
            f"a fold has only {fewest} training samples; pass a fraction, such as 0.8."
        )
    errors = [_error_of(transformer, X, labels, fold, estimator) for fold in folds]
    places = np.concatenate([test for _, test in folds])
    n_grown = _share_of_a_tree(estimator, len(np.unique(labels.unit)))
    error, unit = joined(errors), labels.unit[places]
    return CrossFitted(
        error.level(unit, n_grown),
        max(1 - error.left, 0.0),
        error.interval_of_explained(unit, estimator.confidence_level),
        max(each.grown.forest.n_features for each in errors),
    )


def features_of_fold(
    transformer: Any, X: Any, labels: Labels, fold: Fold
) -> tuple[Any, Any]:
    """Learn a representation on the training samples of a fold, and apply it to both parts.

    Parameters
    ----------
    transformer, X, labels
        As in :func:`cross_fitted_level`.
    fold : (train, test)
        Places of the samples.

    Returns
    -------
    seen, unseen : array-like
        Features of the training and of the test samples.

    Raises
    ------
    ValueError
        If the transformer leaves samples out.
    """
    seen, unseen = (_rows_of(X, labels.rows[places]) for places in fold)
    if transformer is None or transformer == "passthrough":
        return seen, unseen
    fitted, given = clone(transformer), seen
    try:
        # For some transformers, fit_transform differs from fit followed by transform.
        seen = fitted.fit_transform(given, _rows_of(labels.samples.plain_y, fold[0]))
    except (ValueError, TypeError) as error:
        if _NO_NUMBER.search(str(error)):
            refuse_molecules(given, error)
        raise
    both = seen, fitted.transform(unseen)
    for features, places in zip(both, fold, strict=True):
        if number_of_rows(features) != len(places):
            raise ValueError(
                f"{type(fitted).__name__} returned {number_of_rows(features)} rows for "
                f"{len(places)} samples; a transformer must return one row per sample, in "
                "the same order."
            )
    return both


def _rows_of(data: Any, rows: np.ndarray) -> Any:
    """Take rows; reset the index of pandas, as some transformers expect."""
    some = safe_indexing(data, rows)
    return (
        some.reset_index(drop=True) if isinstance(some, pd.Series | pd.DataFrame) else some
    )


def _error_of(
    transformer: Any,
    X: Any,
    labels: Labels,
    fold: Fold,
    estimator: BesovSmoothnessEstimator,
) -> HeldOutError:
    """Learn the representation of one fold, and measure the error on its test samples."""
    train, test = fold
    seen, unseen = features_of_fold(transformer, X, labels, fold)
    growth = randomised(growth_of(estimator), _TREES_OF_A_FOLD)
    reader = clone(estimator)
    own = with_features(labels.samples.take(train), seen, reader)
    others = with_features(labels.samples.take(test), unseen, reader, reset=False)
    return error_on_others(randomised_error(own, growth, _exponent(estimator)), others)


def units_in_common(
    representations: Sequence[Samples], groups: Any, n_rows: int
) -> SamplingUnits:
    """Find the units by which several representations of the same samples are drawn.

    Parameters
    ----------
    representations : sequence of Samples
        The same samples with other features.
    groups : array-like of shape (n_rows,) or None
        Groups of the rows that were given, which are drawn together.
    n_rows : int
        Number of these rows.

    Returns
    -------
    units : SamplingUnits
        The units.
    """
    first = representations[0]
    units = sampling_units(
        [samples.X for samples in representations],
        first.targets.tie_break,
        first.weights,
        [samples.holds_categories_alone for samples in representations],
    )
    if groups is None:
        return units
    return group_units(groups_of(groups, first, n_rows), units)


def fitted_level(fitted: BesovSmoothnessEstimator, samples: Samples) -> Level:
    """Return the level of a fit, measured again if its trees leave no samples out."""
    return fitted.shares_.level or _randomised_level(fitted, samples)


def _randomised_level(estimator: BesovSmoothnessEstimator, samples: Samples) -> Level:
    growth = replace(growth_of(estimator), forest=None, max_samples=_SHARE_OF_A_TREE)
    error = randomised_error(samples, randomised(growth), _exponent(estimator))
    unit = samples.units.unit
    return error.level(unit, _SHARE_OF_A_TREE * samples.units.n_units)


def level_alone(
    estimator: BesovSmoothnessEstimator, samples: Samples, n_grown: float
) -> Level:
    """Measure the level that a fit gives, without the index where that saves time.

    Parameters
    ----------
    estimator : BesovSmoothnessEstimator
        How trees are grown; its random states are integers.
    samples : Samples
        The samples.
    n_grown : float
        Number of units that a tree of the estimator is grown on.

    Returns
    -------
    level : Level
        The level.
    """
    if estimator.forest is not None:
        return fitted_level(fit_samples(clone(estimator), samples), samples)
    if n_grown == samples.units.n_units:
        return _randomised_level(estimator, samples)
    growth = randomised(growth_of(estimator))
    error = randomised_error(samples, growth, _exponent(estimator))
    return error.level(samples.units.unit, n_grown)


def held_out_score(
    estimator: BesovSmoothnessEstimator, X: Any, y: Any, sample_weight: Any = None
) -> float:
    """Score features by their level alone, without the index.

    Parameters
    ----------
    estimator : BesovSmoothnessEstimator
        How trees are grown; its random states are integers.
    X, y, sample_weight
        As in :meth:`BesovSmoothnessEstimator.fit`.

    Returns
    -------
    score : float
        The score of the level; slightly negative where trees do worse than the mean.
    """
    samples = read_for(clone(estimator), X, y, sample_weight)
    n_grown = _share_of_a_tree(estimator, samples.units.n_units)
    return float(level_alone(estimator, samples, n_grown).score)


def _exponent(estimator: BesovSmoothnessEstimator) -> float:
    """Return the exponent p of the errors of a fit, which some conventions set."""
    return CONVENTIONS[estimator.index].exponent(estimator.p)


def _share_of_a_tree(estimator: BesovSmoothnessEstimator, n_samples: int) -> float:
    share = estimator.max_samples
    return min(share, n_samples) if isinstance(share, Integral) else share * n_samples
