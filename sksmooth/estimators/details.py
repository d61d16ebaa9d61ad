"""Measurements for reports: where targets are rough, and how well the fit generalises."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.base import clone

from ..exceptions import SmoothnessWarning
from ..samples import (
    label_vector,
    number_of_rows,
    numbered,
    read_features,
)
from .besov import BesovSmoothnessEstimator
from .forecasts.forecast import forecast_error
from .forecasts.result import ErrorForecast
from .roughness import class_smoothness, sample_roughness

__all__ = ["EstimatorDetails", "measure_details"]


@dataclass(frozen=True, eq=False)
class EstimatorDetails:
    """Measurements that complement a fit; None for those that were not requested.

    Attributes
    ----------
    held_out_score : float or None
        Score on other samples.
    n_held_out : int
        Number of these samples.
    samples : DataFrame or None
        Roughness of every sample, from :func:`~sksmooth.sample_roughness`; of classes with
        the column ``label``, and with ``suggested`` in the names of the classes; of
        regression with ``target``.
    classes : DataFrame or None
        Smoothness of the roughest classes, from :func:`~sksmooth.class_smoothness`; None
        for two classes, whose index against each other is that of the fit.
    n_classes : int
        Number of all classes; 0 for regression.
    forecast : ErrorForecast, str or None
        Forecast of the error with more samples, or why there is none.
    """

    held_out_score: float | None = None
    n_held_out: int = 0
    samples: pd.DataFrame | None = None
    classes: pd.DataFrame | None = None
    n_classes: int = 0
    forecast: ErrorForecast | str | None = None


def measure_details(
    estimator: BesovSmoothnessEstimator,
    X: ArrayLike | None = None,
    y: ArrayLike | None = None,
    X_test: ArrayLike | None = None,
    y_test: ArrayLike | None = None,
    *,
    most_classes: int = 20,
) -> EstimatorDetails:
    """Measure classes and samples, and score other samples.

    Parameters
    ----------
    estimator : BesovSmoothnessEstimator
        A fitted estimator.
    X, y : array-like, default=None
        Samples whose roughness is measured, and the error with more of them forecast;
        usually those of the fit. This takes as long as several dozen fits.
    X_test, y_test : array-like, default=None
        Other samples, for the held-out score.
    most_classes : int, default=20
        If there are more classes, the roughest are measured.

    Returns
    -------
    details : EstimatorDetails
        What was requested.

    Raises
    ------
    ValueError
        If only one of X and y, or of X_test and y_test, is given.
    """
    _check_pair(X, y, "X", "y")
    _check_pair(X_test, y_test, "X_test", "y_test")
    held_out: dict[str, Any] = {}
    if X_test is not None and y_test is not None:
        score = estimator.score(X_test, y_test)
        held_out = {"held_out_score": score, "n_held_out": number_of_rows(X_test)}
    if X is None:
        return EstimatorDetails(**held_out)
    read_features(X, estimator, reset=False)  # must be those of the fit
    with warnings.catch_warnings():  # a report lists the cautions of the fit already
        warnings.simplefilter("ignore", SmoothnessWarning)
        return EstimatorDetails(
            **held_out,
            **_roughness(estimator, X, y, most_classes),
            forecast=_forecast(estimator, X, y),
        )


def _check_pair(X: Any, y: Any, name: str, targets: str) -> None:
    if (X is None) != (y is None):
        raise ValueError(f"Pass both {name} and {targets}, or neither.")


def _roughness(
    estimator: BesovSmoothnessEstimator, X: Any, y: Any, most_classes: int
) -> dict[str, Any]:
    options: dict[str, Any] = {"n_jobs": estimator.n_jobs, "verbose": estimator.verbose}
    # A report must not advance the stream of a RandomState that the user passed.
    options |= {"random_state": copy.deepcopy(estimator.random_state)}
    if not hasattr(estimator, "classes_"):
        numbers = np.asarray(y, dtype=np.float64)  # as the estimator read them
        if isinstance(X, pd.DataFrame):  # neighbours are row numbers, too
            X = X.reset_index(drop=True)
        samples = sample_roughness(X, numbers, **options)
        samples["target"] = list(np.asarray(y))
        return {"samples": samples}
    # By codes, since pandas cannot hold every object that may be a class label.
    names, codes = numbered(label_vector(y, warn=False))
    samples = sample_roughness(X, codes, **options).reset_index(drop=True)
    mean = samples["roughness"].groupby(codes).mean()
    suggested = [
        names[int(code)] if np.isfinite(code) else None for code in samples["suggested"]
    ]
    samples["label"] = _of_objects(names[codes])
    samples["suggested"] = _of_objects(suggested)
    found = {"samples": samples, "n_classes": len(names)}
    if len(names) == 2:
        return found
    classes = class_smoothness(
        X,
        codes,
        classes=np.sort(mean.nlargest(most_classes).index),
        estimator=_of_all_rows(estimator, len(codes)),
        **options,
    )
    classes["class"] = _of_objects(names[classes["class"].to_numpy(dtype=int)])
    return found | {"classes": classes}


def _forecast(estimator: BesovSmoothnessEstimator, X: Any, y: Any) -> ErrorForecast | str:
    """Forecast the error of a forest, or return why these samples allow no forecast."""
    try:
        return forecast_error(
            X,
            y,
            n_jobs=estimator.n_jobs,
            random_state=copy.deepcopy(estimator.random_state),
        )
    except ValueError as error:  # too few samples
        return str(error)


def _of_objects(values: Iterable[Any]) -> pd.Series:
    """Keep names as objects: other dtypes of pandas reject some, such as odd Unicode."""
    return pd.Series(list(values), dtype=object)


def _of_all_rows(
    estimator: BesovSmoothnessEstimator, n_rows: int
) -> BesovSmoothnessEstimator:
    """Clone an estimator, so that trees of a fixed size draw from all rows.

    Otherwise the rows that they read may lack a rare class.
    """
    cloned = clone(estimator).set_params(verbose=0)
    if isinstance(cloned.max_samples, Integral) and cloned.max_samples < n_rows:
        cloned.set_params(max_samples=int(cloned.max_samples) / n_rows)
    return cloned
