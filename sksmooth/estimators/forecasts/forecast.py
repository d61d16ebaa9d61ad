"""Forecast the error of an estimator with more samples."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import is_classifier, is_regressor
from sklearn.pipeline import Pipeline

from ..._lib.scikit_learn import HasMethods, Interval, validate_params
from ..._lib.warn import warn_caller
from ...exceptions import LearningCurveWarning
from ...samples import encode_labels, encode_targets, encode_values, number_of_rows
from ..comparison import integer_seed, seeded
from ..levels import Labels, read_labels, split
from ..wavelet_forests import WaveletForestClassifier, WaveletForestRegressor
from .measurement import Measured, errors_of_rows, measure_errors, sizes_of
from .result import ErrorForecast, RowLosses

__all__ = ["forecast_error"]

_FOLDS = 3
_FEWEST_SIZES = 3
_SHARE_OF_A_TREE = 0.8  # of the samples


@validate_params(
    {
        "X": "no_validation",
        "y": "no_validation",
        "estimator": [HasMethods(["fit", "predict"]), None],
        "groups": ["array-like", None],
        "cv": ["cv_object"],
        "confidence_level": [Interval(Real, 0, 1, closed="neither")],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    },
    prefer_skip_nested_validation=True,
)
def forecast_error(
    X: Any,
    y: Any,
    *,
    estimator: Any = None,
    groups: ArrayLike | None = None,
    cv: Any = _FOLDS,
    confidence_level: float = 0.9,
    n_jobs: int | None = None,
    random_state: int | np.random.RandomState | None = None,
    verbose: int = 0,
) -> ErrorForecast:
    """Forecast what error an estimator would have with more samples.

    The error is measured on held-out samples after training on two thirds, a third, a sixth
    and a twelfth of the samples; in total this costs about as much as three fits to all of
    them. Power laws with a floor are fitted to these errors. They forecast the error with
    up to 64 times the samples, with an interval, and the floor: the error that remains
    however many samples there are.

    Parameters
    ----------
    X : array-like of n_samples rows
        Input of the estimator: features, or a table or texts for a Pipeline.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Class labels or regression targets.
    estimator : classifier or regressor, default=None
        An unfitted estimator or Pipeline, which is cloned for every fit. Choose its
        parameters beforehand. None means a forest of this package with 100 trees,
        randomised for classes: as accurate as a random forest, and faster.
    groups : array-like of shape (n_samples,), default=None
        Groups of samples that are not independent, such as patients. Each is trained on or
        held out as a whole.
    cv : int, cross-validation generator or iterable, default=3
        Folds, in which the error with the most samples is measured. An integer means
        shuffled folds, stratified for classes. Each sample must be in one test fold. More
        folds take longer and train on more of the samples.
    confidence_level : float, default=0.9
        Level of the intervals.
    n_jobs : int, default=None
        Number of joblib workers, which share the fits.
    random_state : int, RandomState instance or None, default=None
        Seed of the folds and parts, and of the estimator if it has none.
    verbose : int, default=0
        1 shows a progress bar on standard error.

    Returns
    -------
    forecast : ErrorForecast
        ``predict(n)``, ``interval(n)``, ``samples_for(error)``, ``floor`` and
        ``floor_interval``; ``per_class`` and ``by(groups)`` show where more samples help.

    Raises
    ------
    ValueError
        If there are too few samples, too few for the number of classes, or fewer than 5
        groups; if X and y differ in length; or if the estimator raises one.
    TypeError
        If the estimator is neither a classifier nor a regressor.

    Warns
    -----
    LearningCurveWarning
        If the errors do not fall like such a curve, or there are fewer than 256 samples.

    See Also
    --------
    ErrorForecast : The result.
    sksmooth.plotting.ErrorForecastDisplay : Draws it.
    sklearn.model_selection.learning_curve : Measures errors without a forecast.

    Notes
    -----
    ``e(n) = e(m) (s + (1 - s) (n / m)^-b)``, with the largest measured size m, is averaged
    over all exponents b and shares s of floor, weighted by how well they fit and by a prior
    that was chosen on half of the data sets of LCDB [1]_. On the other half, its median
    error is about half of that of the fitted power laws of the literature
    (``benchmarks/forecasts.py``). The smoothness index is not used: measured errors predict
    better how fast errors fall.

    Where class labels are wrong at random, the most confident predictions are wrong as
    often as all others, so their errors bound the floor from below.

    The forecast is for the same estimator with the same parameters, and for samples from
    the same source. A larger model may perform better with more samples.

    References
    ----------
    .. [1] F. Mohr, T. Viering, M. Loog and J. van Rijn, *LCDB 1.0: an extensive learning
       curves database for classification tasks*, ECML PKDD 2022.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sksmooth import forecast_error
    >>> X, y = load_digits(return_X_y=True)
    >>> forecast = forecast_error(X[:400], y[:400], random_state=0)
    >>> print(forecast)
    With 400 samples the error rate of WaveletForestClassifier is 3.6 %; with 4,000, 1.6 %
    (0.1 % to 4.9 %) is expected, and with unlimited samples 1.1 % (0.0 % to 4.9 %). 1,028
    samples in all would halve the distance to that.
    """
    seed = integer_seed(random_state)
    labels = read_labels(y, groups=groups, encode=_encoder_of(estimator))
    if number_of_rows(X) != labels.n_rows:
        raise ValueError(f"X has {number_of_rows(X)} rows, but y has {labels.n_rows}.")
    classes = labels.samples.classes
    if estimator is None:
        estimator = _forest(is_classification=classes is not None)
    folds = split(labels, cv, seed)
    n_classes = 1 if classes is None else len(classes)
    sizes = sizes_of(folds, n_classes)
    if len(sizes) < _FEWEST_SIZES:
        raise ValueError(
            f"{len(labels.rows)} samples are too few to measure the error at several sizes"
            + (f" with {n_classes} classes." if n_classes > 1 else ".")
        )
    measured = measure_errors(
        seeded(estimator, seed),
        X,
        y,
        labels,
        folds,
        sizes,
        random_state=seed,
        n_jobs=n_jobs,
        verbose=verbose,
    )
    losses = _relative(measured, labels)
    forecast = ErrorForecast(
        _name_of(estimator),
        len(labels.rows),
        float(confidence_level),
        classes,
        labels.samples.targets.codes,
        labels.rows,
        losses,
        losses.curve(),
    )
    if forecast.caution:
        warn_caller(LearningCurveWarning(forecast.caution))
    return forecast


def _encoder_of(estimator: Any) -> Any:
    """Choose how targets are read, as classes or regression, by the estimator."""
    if estimator is None:
        return encode_targets
    if is_classifier(estimator):
        return encode_labels
    if is_regressor(estimator):
        return encode_values
    raise TypeError(
        f"estimator must be a classifier or a regressor of scikit-learn, got {estimator!r}."
    )


def _forest(is_classification: bool) -> WaveletForestClassifier | WaveletForestRegressor:
    if is_classification:
        return WaveletForestClassifier(
            n_terms=None, max_features="sqrt", max_samples=_SHARE_OF_A_TREE
        )
    return WaveletForestRegressor(n_terms=None, max_samples=_SHARE_OF_A_TREE)


def _name_of(estimator: Any) -> str:
    last = estimator[-1] if isinstance(estimator, Pipeline) else estimator
    return type(last).__name__


def _relative(measured: Measured, labels: Labels) -> RowLosses:
    """Express losses as shares: of the predictions, or of the variance of the target."""
    targets = labels.samples.targets
    if targets.codes is not None:
        most_frequent = np.bincount(targets.codes).argmax()
        constant, variance = (targets.codes != most_frequent).astype(float), 1.0
    else:
        values = targets.values
        constant = errors_of_rows(values, values.mean(axis=0))
        variance = constant.mean()
    return RowLosses(
        measured.sizes,
        measured.losses / variance,
        constant / variance,
        labels.unit,
        targets.codes is not None,
        measured.margins,
    )
