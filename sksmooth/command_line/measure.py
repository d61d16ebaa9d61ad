"""The measurement of a data set, and its report for programs and for people."""

from __future__ import annotations

import argparse
import json
from typing import Any

import numpy as np

from .._version import __version__
from ..display.plots.axes import new_figure
from ..estimators.besov import BesovSmoothnessEstimator
from ..estimators.summary import estimator_summary
from .data_files import Dataset
from .errors import MOST_NAMES, require
from .fitting import Measured, fit_to_file
from .pictures import check_picture_path, save_picture

__all__ = ["run_measure"]

_MOST_FEATURES = 10


def run_measure(options: argparse.Namespace) -> None:
    """Print the report and, if asked, draw the decay."""
    if options.plot is not None:
        check_picture_path(options.plot)
        require("matplotlib", extra="plot", purpose="--plot")
    measured = fit_to_file(options, verbose=0 if options.quiet or options.json else 1)
    estimator, data = measured.estimator, measured.data
    report = _results(estimator, data) | _held_out(measured) | {"warnings": measured.notes}
    if options.plot is not None:
        save_picture(_decay_figure(estimator, data.path.name), options.plot)
        report["plot"] = str(options.plot)
    if options.json:
        strict = {key: _strict(value) for key, value in report.items()}
        print(json.dumps(strict, allow_nan=False, indent=2))
    else:
        print(_readable(report, estimator))


def _held_out(measured: Measured) -> dict[str, Any]:
    """Report the rows held out and their score."""
    n_samples = 0 if measured.X_test is None else len(measured.X_test)
    return {"n_samples_held_out": n_samples, "held_out_score": measured.score}


def _results(estimator: BesovSmoothnessEstimator, data: Dataset) -> dict[str, Any]:
    """Collect all results, in plain Python types."""
    classes = getattr(estimator, "classes_", None)
    importances = estimator.feature_importances_
    ranking = np.argsort(-importances, kind="stable")[:_MOST_FEATURES]
    return {
        "file": str(data.path),
        "labels_file": data.labels_path and str(data.labels_path),
        "n_samples": len(data.X),
        "n_features": data.X.shape[1],
        "task": "regression" if classes is None else "classification",
        "n_classes": None if classes is None else len(classes),
        "index": estimator.index,
        "alpha": float(estimator.alpha_),
        "alpha_low": float(estimator.alpha_interval_[0]),
        "alpha_high": float(estimator.alpha_interval_[1]),
        "confidence_level": estimator.confidence_level,
        "oob_score": float(estimator.oob_score_),
        "r_squared": float(estimator.r_squared_),
        "fit_range": [int(end) for end in estimator.fit_range_],
        "n_terms": int(estimator.wavelets_.n_terms),
        "feature_importances": [
            {"name": data.feature_names[i], "importance": float(importances[i])}
            for i in ranking
            if importances[i] > 0
        ],
        "plot": None,
        "version": __version__,
    }


def _strict(value: Any) -> Any:
    """Convert a value for JSON, which has no infinity and no NaN."""
    if not isinstance(value, float) or np.isfinite(value):
        return value
    return None if np.isnan(value) else json.dumps(value)  # "Infinity"


def _decay_figure(estimator: BesovSmoothnessEstimator, name: str) -> Any:
    from ..display.plots import ErrorDecayDisplay

    axes = new_figure(6.4, 4.8).subplots()
    return ErrorDecayDisplay.from_estimator(estimator, ax=axes, name=name).figure_


def _readable(report: dict[str, Any], estimator: BesovSmoothnessEstimator) -> str:
    """Format the report as a table for people."""
    if hasattr(estimator, "classes_"):
        kinds = f", {report['n_classes']} classes"
    else:
        kinds = f", {estimator.n_outputs_} columns" if estimator.n_outputs_ > 1 else ""
    features = [
        "{name} ({importance:.2f})".format(**feature)
        for feature in report["feature_importances"][:MOST_NAMES]
    ]
    first, last = report["fit_range"]
    held_out = "{held_out_score:.3f} ({n_samples_held_out} samples)"
    rows = {
        "file": " + ".join(filter(None, [report["file"], report["labels_file"]])),
        "samples": report["n_samples"],
        "features": report["n_features"],
        "task": report["task"] + kinds,
        "index": report["index"],
        "alpha": f"{report['alpha']:.3f}",
        f"{100 * estimator.confidence_level:g} % interval": (
            "{alpha_low:.3f} to {alpha_high:.3f}".format(**report)
        ),
        "out-of-bag score": f"{report['oob_score']:.3f}",
        "held-out score": report["n_samples_held_out"] and held_out.format(**report),
        "fit window": f"{first} to {last} terms, R^2 = {report['r_squared']:.3f}",
        "wavelets": f"{report['n_terms']} in {estimator.wavelets_.n_trees} trees",
        "main features": ", ".join(features) or "none",
        "picture": report["plot"],
    }
    lines = [f"{name:<16} {value}" for name, value in rows.items() if value]
    notes = [f"{note['category']}: {note['message']}" for note in report["warnings"]]
    return "\n".join([*lines, "", estimator_summary(estimator).verdict, *notes])
