"""Reports of results, each a single HTML file to keep or to send."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import singledispatch
from typing import Any

from numpy.typing import ArrayLike
from sklearn.utils.validation import check_is_fitted

from .._lib.files import atomic_write, check_writable
from .._lib.tables import FrameTable
from ..estimators.besov import BesovSmoothnessEstimator
from ..estimators.details import measure_details
from ..estimators.forecasts.result import ErrorForecast
from ..estimators.representations.table import RepresentationComparison
from ..networks.table import LayerComparison
from .pages.estimator_page import estimator_page
from .pages.forecast_page import forecast_page
from .pages.layers_page import layers_page
from .pages.representations_page import representations_page

__all__ = ["report"]


def report(
    result: Any,
    path: str | os.PathLike | None = None,
    *,
    X: ArrayLike | None = None,
    y: ArrayLike | None = None,
    X_test: ArrayLike | None = None,
    y_test: ArrayLike | None = None,
    title: str | None = None,
    feature_names: Sequence[str] | None = None,
    cautions: Sequence[str] | None = None,
) -> str:
    """Report a result as one HTML page, and write it to a file.

    The page holds the results, their meaning, cautions and a picture. It loads no other
    file, needs no network, and escapes all names, so that none of them can run a script.

    Parameters
    ----------
    result : BesovSmoothnessEstimator or result of a function
        A fitted estimator, or what :func:`compare_layers`,
        :func:`compare_representations` or :func:`forecast_error` returned.
    path : str or path, default=None
        File to write, replacing an existing one. None writes no file.
    X : {array-like, sparse matrix} of shape (n_samples, n_features), default=None
        For an estimator: samples, usually those of the fit. The report then shows for which
        classes and samples the targets are rough, as measured by :func:`class_smoothness`
        and :func:`sample_roughness`, and the forecast error with more samples of
        :func:`forecast_error`. That takes as long as several dozen fits.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
        Their targets.
    X_test, y_test : as ``X`` and ``y``, default=None
        For an estimator: other samples, for the held-out score.
    title : str, default=None
        Heading of the report; None chooses one.
    feature_names : sequence of str, default=None
        For an estimator that was fitted to an array: names of the features.
    cautions : sequence of str, default=None
        For an estimator: reasons for caution. None takes the warnings of the fit.

    Returns
    -------
    page : str
        The HTML, smaller than 1 MB: long tables are truncated, with a note.

    Raises
    ------
    NotFittedError
        If the estimator is not fitted.
    TypeError
        If there is no report for such an object, or it does not take these arguments.
    ImportError
        If matplotlib is not installed.
    ValueError
        If X is given without y, or y without X.
    OSError
        If the file cannot be written; an existing file is left unchanged.

    See Also
    --------
    BesovSmoothnessEstimator : Measures the smoothness of a labelled data set.
    compare_layers : Measures the layers of a network.
    compare_representations : Measures many representations of the same samples.
    forecast_error : Forecasts the error with more samples.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sksmooth import BesovSmoothnessEstimator, report
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> estimator = BesovSmoothnessEstimator(random_state=0).fit(X, y)
    >>> page = report(estimator, X=X, y=y, title="Three species of iris")
    >>> "petal width (cm)" in page, len(page) < 1_000_000
    (True, True)
    """
    if path is not None:
        check_writable(path)  # before the work, rather than after it
    given = {
        "X": X,
        "y": y,
        "X_test": X_test,
        "y_test": y_test,
        "title": title,
        "feature_names": feature_names,
        "cautions": cautions,
    }
    page = _page(
        result, **{key: value for key, value in given.items() if value is not None}
    )
    if path is not None:
        with atomic_write(path) as temporary:
            temporary.write_text(page, encoding="utf-8", newline="\n")
    return page


@singledispatch
def _page(result: Any, **options: Any) -> str:
    """Make the page of a result; every kind of result registers its own function."""
    raise TypeError(
        f"There is no report for a {type(result).__name__}; pass a fitted "
        "BesovSmoothnessEstimator (for a pipeline its last step, pipeline[-1]), or the "
        "result of compare_layers, compare_representations or forecast_error."
    )


@_page.register
def _(
    result: BesovSmoothnessEstimator,
    X: Any = None,
    y: Any = None,
    X_test: Any = None,
    y_test: Any = None,
    title: str = "Smoothness report",
    feature_names: Sequence[str] | None = None,
    cautions: Sequence[str] | None = None,
) -> str:
    check_is_fitted(result)
    n_features = result.n_features_in_
    if feature_names is not None and len(feature_names) != n_features:
        raise ValueError(
            f"feature_names has {len(feature_names)} names, but the estimator was fitted "
            f"with {n_features} features."
        )
    details = measure_details(result, X, y, X_test, y_test)
    return estimator_page(
        result, details, title=title, feature_names=feature_names, cautions=cautions
    )


@_page.register
def _(result: LayerComparison, title: str = "Smoothness of layers", **options: Any) -> str:
    needed = {"layer", "alpha", "alpha_low", "alpha_high", "loses_smoothness"}
    _check_table(result, needed, "layers", options)
    return layers_page(result.frame, title)


@_page.register
def _(
    result: RepresentationComparison,
    title: str = "Smoothness of representations",
    **options: Any,
) -> str:
    needed = {"representation", "held_out", "held_out_low", "held_out_high"}
    needed |= {"difference_to_best", "tied_with_best"}
    _check_table(result, needed, "representations", options)
    return representations_page(result, title)


@_page.register
def _(result: ErrorForecast, title: str = "Error with more samples", **options: Any) -> str:
    _refuse(options, "a forecast")
    return forecast_page(result, title)


def _check_table(
    result: FrameTable, needed: set[str], rows: str, options: dict[str, Any]
) -> None:
    """Reject options that a table does not take, and incomplete or empty tables."""
    _refuse(options, rows)
    missing = needed - set(result.frame.columns)
    if missing:
        raise ValueError(f"The table of {rows} lacks the columns {sorted(missing)}.")


def _refuse(options: dict[str, Any], what: str) -> None:
    """Reject options that a result does not take."""
    if options:
        raise TypeError(f"A report of {what} takes no {', '.join(sorted(options))}.")
