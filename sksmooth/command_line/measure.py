"""The measurement of a data set, and its report for programs and for people."""

from __future__ import annotations

import argparse
import json
import warnings
from typing import Any

import numpy as np
from sklearn.model_selection import train_test_split

from .. import BesovSmoothnessEstimator, __version__
from ..exceptions import TargetTypeWarning
from .data_files import Dataset, read_dataset
from .errors import MOST_NAMES, one_line, require, user_error
from .pictures import check_picture_path, new_figure, save_picture

__all__ = ["run_measure"]

_MOST_FEATURES = 10
_NOISE = 0.03  # an index below it is called noise


def run_measure(options: argparse.Namespace) -> None:
    """Print the report and, if asked, draw the decay."""
    if options.plot is not None:
        check_picture_path(options.plot)
        require("matplotlib", extra="plot", purpose="--plot")
    estimator = BesovSmoothnessEstimator(verbose=0 if options.quiet or options.json else 1)
    given = {key: vars(options)[key] for key in estimator.get_params() if key in options}
    estimator.set_params(**given)
    with warnings.catch_warnings(record=True) as caught:
        warnings.filterwarnings("always", category=UserWarning)
        data = read_dataset(options)
        with user_error(ValueError, TypeError, prefix=str(data.path)):
            held_out = _fit_and_score(estimator, data, options)
    report = _results(estimator, data) | held_out | {"warnings": _notes(caught)}
    if options.plot is not None:
        save_picture(_decay_figure(estimator, data.path.name), options.plot)
        report["plot"] = str(options.plot)
    if options.json:
        strict = {key: _strict(value) for key, value in report.items()}
        print(json.dumps(strict, allow_nan=False, indent=2))
    else:
        print(_readable(report, estimator))


def _fit_and_score(
    estimator: BesovSmoothnessEstimator, data: Dataset, options: argparse.Namespace
) -> dict[str, Any]:
    """Fit, and give what is to report about the rows held out."""
    X, y, share = data.X, data.y, options.held_out
    if share is None:
        estimator.fit(X, y)
        return {"n_samples_held_out": 0, "held_out_score": None}
    is_classification = y.ndim == 1 and y.dtype.kind != "f"
    # Classes of a single sample cannot be in both parts.
    can_stratify = is_classification and np.unique(y, return_counts=True)[1].min() > 1
    strata, seed = y if can_stratify else None, options.random_state
    X, X_held, y, y_held = train_test_split(
        X, y, test_size=share, stratify=strata, random_state=seed
    )
    score = estimator.fit(X, y).score(X_held, y_held)
    return {"n_samples_held_out": len(X_held), "held_out_score": float(score)}


def _results(estimator: BesovSmoothnessEstimator, data: Dataset) -> dict[str, Any]:
    """All results, in plain Python types."""
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


def _notes(caught: list[warnings.WarningMessage]) -> list[dict[str, str]]:
    """Category and text of each warning, once."""
    notes = {}
    for warning in caught:
        text = one_line(warning.message)
        if issubclass(warning.category, TargetTypeWarning):
            text += " (Here: --task classification or --task regression.)"
        notes[text] = {"category": warning.category.__name__, "message": text}
    return list(notes.values())


def _strict(value: Any) -> Any:
    """The same for JSON, which has no infinity and no NaN."""
    if not isinstance(value, float) or np.isfinite(value):
        return value
    return None if np.isnan(value) else json.dumps(value)  # "Infinity"


def _decay_figure(estimator: BesovSmoothnessEstimator, name: str) -> Any:
    from ..plotting import ErrorDecayDisplay

    axes = new_figure(6.4, 4.8).subplots()
    name = name.replace("$", r"\$")  # a dollar sign would start a formula
    return ErrorDecayDisplay.from_estimator(estimator, ax=axes, name=name).figure_


def _readable(report: dict[str, Any], estimator: BesovSmoothnessEstimator) -> str:
    """The report as a table for people."""
    if "classes_" in vars(estimator):
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
    return "\n".join([*lines, "", _reading(estimator), *notes])


def _reading(estimator: BesovSmoothnessEstimator) -> str:
    """What the number says, in one plain line."""
    alpha, low = estimator.alpha_, estimator.alpha_interval_[0]
    if np.isinf(alpha):
        return "Unresolved: the labels look constant on a few boxes, smooth beyond number."
    if estimator.index == "sparsity-probe":
        return "Compare this index only with others of its kind and of as many samples."
    if np.isinf(low):
        return "The rate is unknown: too few terms or trees to judge by."
    if alpha < _NOISE:
        return "No smoothness found: more wavelets hardly reduce the error, as for noise."
    if low <= 0:
        return "The interval reaches 0: the rate is uncertain; more samples may help."
    # The authors' index is that of the squared L2 error, which falls twice as fast.
    rate, p = alpha, estimator.p
    if estimator.index == "elisha-dekel":
        rate, p = alpha / 2, 2
    fall = f"Each doubling of the wavelets cuts the error by {1 - 2.0**-rate:.0%}"
    if hasattr(estimator, "classes_"):
        # A jump across a smooth surface has the rate 1 / (p (d - 1)).
        dimension = 1 + 1 / (p * rate)
        return f"{fall}, as for classes with smooth borders in {dimension:.1f} dimensions."
    if estimator.n_outputs_ > 1:  # perhaps one-hot classes
        return f"{fall}."
    return f"{fall}, as for a smooth function of {max(1 / rate, 1):.1f} features."
