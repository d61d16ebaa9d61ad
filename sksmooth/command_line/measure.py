"""Measure a data set, and print the results for programs or for people."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from .._lib.html import ALPHA, number
from .._lib.messages import MOST_NAMES
from .._lib.text import paragraphs
from .._version import __version__
from ..display.plots import ErrorDecayDisplay
from ..display.plots.axes import new_figure, require_matplotlib
from ..estimators.besov import BesovSmoothnessEstimator
from ..estimators.forecasts.result import ErrorForecast
from ..estimators.summary import as_columns, estimator_summary
from ..estimators.verdict import verdict
from .fitting import Measured, fit_to_file, forecast_of
from .output import in_ascii, write, write_json
from .pictures import check_picture_path, save_picture

__all__ = ["run_measure"]

_MOST_FEATURES = 10
_TIMES = 10  # times the samples, as in the sentence of the forecast


def run_measure(options: argparse.Namespace) -> None:
    """Print the results and, if asked, draw the decay."""
    if options.plot is not None:
        check_picture_path(options.plot)
        require_matplotlib("--plot")
    measured = fit_to_file(options, verbose=0 if options.quiet or options.json else 1)
    if options.plot is not None:
        save_picture(_decay_figure(measured), options.plot)
    forecast = forecast_of(measured) if options.forecast else None
    if options.json:
        picture = None if options.plot is None else str(options.plot)
        results = _results(measured) | {"plot": picture, "warnings": measured.notes}
        if forecast is not None:
            results |= {"forecast": _forecast(forecast)}
        write_json(results)
    else:
        write(_readable(measured, options.plot, forecast))


def _results(measured: Measured) -> dict[str, Any]:
    """Collect all results, in plain Python types."""
    estimator, data, fit = measured.estimator, measured.data, measured.estimator.decay_
    classes = getattr(estimator, "classes_", None)
    return {
        "file": str(data.path),
        "labels_file": data.labels_path and str(data.labels_path),
        "n_samples": len(data.X),
        "n_samples_fitted": estimator.n_samples_,
        "n_features": data.X.shape[1],
        "task": "regression" if classes is None else "classification",
        "n_classes": None if classes is None else len(classes),
        "index": fit.convention.name,
        **as_columns("alpha", fit.alpha, fit.interval),
        "alpha_is_bound": fit.is_bound,
        "confidence_level": fit.confidence_level,
        "rate_in_window": float(fit.rate_in_window),
        "rate_of_whole_way": float(fit.rate_of_whole_way),
        "share_of_whole_way": float(fit.share_of_whole_way),
        **_shares(estimator),
        "verdict": verdict(estimator, data.feature_names),
        "oob_score": float(estimator.oob_score_),
        "r_squared": float(estimator.r_squared_),
        "fit_range": [int(end) for end in fit.fit_range],
        "n_terms": int(estimator.wavelets_.n_terms),
        "feature_importances": [
            {"name": name, "importance": importance}
            for name, importance in _main_features(measured)
        ],
        "n_samples_held_out": 0 if measured.X_test is None else len(measured.X_test),
        "held_out_score": measured.score,
        "version": __version__,
    }


def _shares(estimator: BesovSmoothnessEstimator) -> dict[str, Any]:
    """Collect the explained share, the noise, and the rate of the rest."""
    shares = estimator.shares_
    results: dict[str, Any] = {}
    for name in ("explained", "noise", "wrong_labels", "signal_alpha", "roughness"):
        interval = getattr(shares, f"{name}_interval")
        results |= as_columns(name, getattr(shares, name), interval)
    return results | {
        "noise_is_bound": shares.noise_is_bound,
        "n_relevant": float(estimator.n_relevant_),
        "n_terms_for_90_percent": shares.n_terms_for(0.9),
    }


def _main_features(measured: Measured) -> list[tuple[str, float]]:
    importances = measured.estimator.feature_importances_
    ranking = np.argsort(-importances, kind="stable")[:_MOST_FEATURES]
    names = measured.data.feature_names
    return [(names[k], float(importances[k])) for k in ranking if importances[k] > 0]


def _decay_figure(measured: Measured) -> Any:
    axes = new_figure(6.4, 4.8).subplots()
    name = measured.data.path.name
    return ErrorDecayDisplay.from_estimator(measured.estimator, ax=axes, name=name).figure_


def _forecast(forecast: ErrorForecast) -> dict[str, Any]:
    """Collect the forecast, in plain Python types."""
    n = _TIMES * forecast.n_samples
    low, high = forecast.interval(n)
    return {
        "n_samples": forecast.n_samples,
        "error": forecast.error,
        "n": n,
        "predicted": forecast.predict(n),
        "low": low,
        "high": high,
        **as_columns("floor", forecast.floor, forecast.floor_interval),
        "samples_to_halve": forecast.samples_to_halve,
        "curve": forecast.to_frame().to_dict("records"),
        "sentence": forecast.sentence,
        "caution": forecast.caution,
    }


def _readable(
    measured: Measured, picture: Path | None, forecast: ErrorForecast | None
) -> str:
    """Format the results as a table for people."""
    data = measured.data
    summary = estimator_summary(measured.estimator, data.feature_names)
    is_classification = hasattr(measured.estimator, "classes_")
    low, high = summary.interval
    features = [f"{name} ({share:.2f})" for name, share in _main_features(measured)]
    facts = {
        "alpha": summary.lead.removeprefix(f"{ALPHA} ").removeprefix("= "),
        f"{summary.level} interval": f"{number(low)} to {number(high)}",
        **{name.lower(): fact for name, fact in summary.facts.items()},
    }
    if measured.X_test is not None and measured.score is not None:
        score = f"{number(measured.score)} ({len(measured.X_test):,} samples)"
        facts["held-out score"] = score
    rows = {
        "file": " + ".join(map(str, filter(None, [data.path, data.labels_path]))),
        "index": measured.estimator.decay_.convention.name,
        "task": "classification" if is_classification else "regression",
        **{in_ascii(name): in_ascii(fact) for name, fact in facts.items()},
    }
    rows["main features"] = ", ".join(features[:MOST_NAMES]) or "none"
    if forecast is not None:
        rows["more samples"] = repr(forecast)
    if picture is not None:
        rows["picture"] = str(picture)
    lines = [f"{name:<17} {value}" for name, value in rows.items()]
    notes = [f"{note['category']}: {note['message']}" for note in measured.notes]
    return "\n".join([*lines, "", paragraphs([summary.verdict]), *notes])
