"""Fit an estimator to a data file, for the commands."""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split

from .._lib.messages import tell
from ..estimators.besov import BesovSmoothnessEstimator
from ..estimators.forecasts.forecast import forecast_error
from ..estimators.forecasts.result import ErrorForecast
from ..exceptions import IdentifierWarning, SmoothnessWarning, TargetTypeWarning
from .data_files import Dataset, read_dataset
from .errors import CommandError, one_line, with_options

__all__ = [
    "Measured",
    "estimator_of",
    "fit_to_file",
    "forecast_of",
    "noted",
    "notes_of",
]


@dataclass
class Measured:
    """An estimator fitted to all or a part of the samples of a file.

    X and y are the samples of the fit; X_test and y_test, if any, were held out.
    """

    data: Dataset
    estimator: BesovSmoothnessEstimator
    X: np.ndarray | pd.DataFrame
    y: np.ndarray
    X_test: np.ndarray | pd.DataFrame | None = None
    y_test: np.ndarray | None = None
    score: float | None = None
    notes: list[dict[str, str]] = field(default_factory=list)


def fit_to_file(options: argparse.Namespace, verbose: int) -> Measured:
    """Read the file, fit, and score on the rows that ``--held-out`` leaves out."""
    estimator = estimator_of(options).set_params(verbose=verbose)
    with noted() as caught:
        data = read_dataset(options)
        is_guess = any(each.category is TargetTypeWarning for each in caught)
        if verbose and is_guess and options.task == "auto":  # before a long fit
            tell(f"sksmooth: {data.origin}, {_taken_as(data)} (--task overrides)")
        try:
            measured = _fitted(estimator, data, options)
        except (ValueError, TypeError) as error:
            raise CommandError(f"{data.origin}: {with_options(str(error))}") from error
    measured.notes = notes_of(caught, is_told=options.task != "auto")
    return measured


def forecast_of(measured: Measured) -> ErrorForecast:
    """Forecast the error of a forest with more samples."""
    estimator = measured.estimator
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SmoothnessWarning)  # the forecast itself says so
        try:
            return forecast_error(
                measured.X,
                measured.y,
                n_jobs=estimator.n_jobs,
                random_state=estimator.random_state,
            )
        except ValueError as error:
            raise CommandError(f"{measured.data.origin}: {one_line(error)}") from error


def estimator_of(options: argparse.Namespace) -> BesovSmoothnessEstimator:
    """Make the estimator that the arguments describe."""
    estimator = BesovSmoothnessEstimator()
    given = {key: vars(options)[key] for key in estimator.get_params() if key in options}
    return estimator.set_params(**given)


@contextmanager
def noted() -> Iterator[list[warnings.WarningMessage]]:
    """Collect warnings, to print them as notes."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.filterwarnings("always", category=UserWarning)
        # Identifiers in the file have been reported by name.
        warnings.filterwarnings("ignore", category=IdentifierWarning)
        yield caught


def _taken_as(data: Dataset) -> str:
    if data.y.ndim == 2 or data.y.dtype.kind == "f":
        return "taken as numbers: regression"
    return f"taken as {len(np.unique(data.y)):,} classes: classification"


def _fitted(
    estimator: BesovSmoothnessEstimator, data: Dataset, options: argparse.Namespace
) -> Measured:
    X, y, share = data.X, data.y, options.held_out
    if share is None:
        return Measured(data, estimator.fit(X, y), X, y)
    is_classification = y.ndim == 1 and y.dtype.kind != "f"
    # A class with a single sample cannot be in both parts.
    can_stratify = is_classification and np.unique(y, return_counts=True)[1].min() > 1
    strata, seed = y if can_stratify else None, options.random_state
    X, X_test, y, y_test = train_test_split(
        X, y, test_size=share, stratify=strata, random_state=seed
    )
    score = float(estimator.fit(X, y).score(X_test, y_test))
    return Measured(data, estimator, X, y, X_test, y_test, score)


def notes_of(caught: list[warnings.WarningMessage], is_told: bool) -> list[dict[str, str]]:
    """Collect the category and text of each warning, once.

    How the target is interpreted is noted once per file, and not if the user chose it.
    """
    notes: dict[str, Any] = {}
    for warning in caught:
        text, category = with_options(one_line(warning.message)), warning.category.__name__
        is_of_target = issubclass(warning.category, TargetTypeWarning)
        if not (is_of_target and is_told):
            key = category if is_of_target else text
            notes.setdefault(key, {"category": category, "message": text})
    return list(notes.values())
