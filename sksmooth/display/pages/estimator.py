"""The report of a fitted estimator."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Sequence
from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.base import clone

from ..._lib.html import (
    ALPHA,
    Html,
    OfNumbers,
    element,
    ends_of_bars,
    facts_table,
    interval_bar,
    number,
    share_bar,
    table,
    visible,
)
from ...estimators.roughness import class_smoothness, sample_roughness
from ...estimators.summary import alpha_bar, facts, in_words, interval_in_words
from ...exceptions import SmoothnessWarning
from ...samples.checks import number_of_rows
from ..plots import ErrorDecayDisplay
from .page import explained, make_page, section
from .pictures import picture

__all__ = ["estimator_report"]

_MOST_ROWS = 20  # of a table
_LONGEST_NAME = 120
_ABOUT = (
    "The index says how fast the error falls when more wavelets, the steps of decision "
    "trees, describe the targets. 0 is noise: the features say nothing about the targets. "
    "The larger it is, the fewer wavelets are needed; 1 is that of a smooth function of "
    "one feature."
)


def estimator_report(
    estimator: Any,
    X: ArrayLike | None = None,
    y: ArrayLike | None = None,
    X_test: ArrayLike | None = None,
    y_test: ArrayLike | None = None,
    *,
    title: str = "Smoothness report",
    feature_names: Sequence[str] | None = None,
    notes: Sequence[str] | None = None,
) -> str:
    """The page; ``BesovSmoothnessEstimator.to_html`` describes most parameters.

    Parameters
    ----------
    estimator : BesovSmoothnessEstimator
        A fitted estimator.
    X, y, X_test, y_test, title
        As there.
    feature_names : sequence of str, default=None
        Names of the features, of which the estimator knows none if it was fitted to an
        array.
    notes : sequence of str, default=None
        What is to be read with care. None takes the warnings of the fit.

    Returns
    -------
    page : str
        The HTML.
    """
    _check_pair(X, y, "X", "y")
    _check_pair(X_test, y_test, "X_test", "y_test")
    if feature_names is None:
        feature_names = getattr(estimator, "feature_names_in_", None)
    sections = [
        _index(estimator),
        _cautions(list(map(str, estimator.decay_.cautions)) if notes is None else notes),
        _decay(estimator),
        _scores(estimator, X_test, y_test),
        *([] if X is None else _quietly(_roughness, estimator, X, y)),
        _features(estimator, feature_names),
        _parameters(estimator),
    ]
    known = facts(estimator)
    parts = ("Samples", "Features", "Classes", "Columns of numbers")
    subtitle = ", ".join(f"{known[part]} {part.lower()}" for part in parts if part in known)
    return make_page(title, subtitle, sections)


def _quietly(measure: Callable[..., list[Html]], *arguments: Any) -> list[Html]:
    """What a function gives, without the warnings that the report holds already."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SmoothnessWarning)
        return measure(*arguments)


def _check_pair(X: Any, y: Any, name: str, targets: str) -> None:
    if (X is None) != (y is None):
        raise ValueError(f"Pass {name} and {targets} together, or none of them.")


def _index(estimator: Any) -> Html:
    return element(
        "section",
        element("p", f"{ALPHA} = {number(estimator.alpha_)}", class_="alpha"),
        element("p", alpha_bar(estimator)),
        element("p", f"{interval_in_words(estimator)} {in_words(estimator)}"),
        element("p", _ABOUT, class_="quiet"),
        class_="lead",
    )


def _cautions(texts: Sequence[str]) -> Html:
    texts = list(dict.fromkeys(texts))
    if not texts:
        return section("Read with care", element("p", "The fit gave no warning."))
    items = [element("li", text) for text in texts]
    return section("Read with care", element("ul", *items))


def _decay(estimator: Any) -> Html:
    first, last = estimator.decay_.fit_range
    n_terms, errors = estimator.decay_.n_terms, estimator.decay_.errors
    alt = (
        f"Curve on logarithmic axes: it falls from {errors[0]:.3g} at M = {n_terms[0]:,} "
        f"to {errors[-1]:.3g} at M = {n_terms[-1]:,}; the index is read between M = "
        f"{first:,} and {last:,}."
    )
    caption = (
        "The curve that the index is read from. The dashed line is fitted in the shaded "
        "window; the steeper it is, the smoother the targets."
    )

    def draw(axes: Any) -> None:
        ErrorDecayDisplay.from_estimator(estimator, ax=axes)

    return section("How the error falls", picture(draw, (6.4, 4), alt, caption))


def _scores(estimator: Any, X_test: Any, y_test: Any) -> Html:
    scores = {f"In the sample ({ALPHA})": number(estimator.alpha_)}
    scores |= {"Out of the bag": number(estimator.oob_score_)}
    if X_test is not None:
        held_out = f"{number(estimator.score(X_test, y_test))}"
        scores[f"On {number_of_rows(X_test):,} samples held out"] = held_out
    text = (
        "Rates at which the same wavelets, in the same order, approximate samples that "
        "they have not seen. What was learnt by heart does not carry over: rates far below "
        f"{ALPHA}, or below zero, say that much of the smoothness is of these samples only."
    )
    return section("Does it carry over", element("p", text), facts_table(scores, "Rates"))


def _roughness(estimator: Any, X: Any, y: Any) -> list[Html]:
    """At which classes and samples the targets are rough."""
    options = {"n_jobs": estimator.n_jobs, "verbose": estimator.verbose}
    # A report leaves the stream of a RandomState where it is.
    options |= {"random_state": copy.deepcopy(estimator.random_state)}
    if not hasattr(estimator, "classes_"):
        samples = sample_roughness(X, y, **options).reset_index(drop=True)
        return [_rough_samples(samples, np.asarray(y))]
    # By numbers, since pandas does not take all that may be the name of a class.
    names, codes = np.unique(np.asarray(y).ravel(), return_inverse=True)
    samples = sample_roughness(X, codes, **options).reset_index(drop=True)
    suspects = _suspects(samples, codes, names)
    if len(names) == 2:  # whose index against the rest is the index itself
        return [suspects]
    roughest = samples["roughness"].groupby(codes).mean().nlargest(_MOST_ROWS)
    classes = class_smoothness(
        X,
        codes,
        classes=np.sort(roughest.index),
        estimator=_for_all_rows(estimator, len(codes)),
        **options,
    )
    return [_rough_classes(classes, names), suspects]


def _for_all_rows(estimator: Any, n_rows: int) -> Any:
    """The same, but trees of a number of rows draw from all: a rare class is not missed."""
    cloned = clone(estimator).set_params(verbose=0)
    if isinstance(cloned.max_samples, Integral) and cloned.max_samples < n_rows:
        cloned.set_params(max_samples=int(cloned.max_samples) / n_rows)
    return cloned


def _rough_classes(frame: pd.DataFrame, names: np.ndarray) -> Html:
    ends = ends_of_bars(frame["alpha"], frame["alpha_low"], frame["alpha_high"])
    rows = [
        (
            visible(names[row["class"]], _LONGEST_NAME),
            f"{row['n_samples']:,}",
            number(row["alpha"]),
            interval_bar(row["alpha"], row["alpha_low"], row["alpha_high"], ends),
            number(row["held_out"]),
            visible(row["cautions"]),
        )
        for row in frame.to_dict("records")
    ]
    heads = (
        "Class",
        OfNumbers("Samples"),
        OfNumbers(ALPHA),
        "Interval",
        OfNumbers("Out of the bag"),
        "Read with care",
    )
    text = (
        "Each class against all others: the larger the index, the smoother its border. "
        "Compare classes of about the same size."
    )
    caption = f"Index of each of {len(names)} classes"
    if len(frame) < len(names):
        caption = f"Index of {len(frame)} of {len(names):,} classes: the roughest"
    return section(
        "Which classes are rough",
        element("p", text),
        table(heads, rows, caption),
        explained(frame["cautions"]),
    )


def _suspects(frame: pd.DataFrame, codes: np.ndarray, names: np.ndarray) -> Html:
    """Samples that another label suits better."""
    suspects = frame[frame["excess"] > 0]
    first = suspects.nlargest(_MOST_ROWS, "excess")
    rows = [
        (
            f"{place:,}",
            visible(names[codes[place]], _LONGEST_NAME),
            visible(names[suggested], _LONGEST_NAME),
            number(excess),
        )
        for place, suggested, excess in zip(
            first.index, first["suggested"], first["excess"], strict=True
        )
    ]
    heads = (
        OfNumbers("Row, from 0"),
        "Label",
        "Label of its neighbours",
        OfNumbers("Excess, up to 2"),
    )
    caption = f"{len(rows)} of {len(suspects):,} samples that another label suits better"
    text = (
        "Check these labels first: each sample lies among samples of another class. It may "
        "be rare, lie at a border, or have a wrong label."
    )
    if not rows:
        text = "No sample has a label that another one would suit better."
        return section("Which samples to check", element("p", text))
    return section(
        "Which samples to check", element("p", text), table(heads, rows, caption)
    )


def _rough_samples(frame: pd.DataFrame, values: np.ndarray) -> Html:
    """Samples whose numbers are far from those of their neighbours."""
    rows = [
        (f"{place:,}", _numbers(values[place]), f"{frame['roughness'][place]:.4g}")
        for place in frame["roughness"].nlargest(_MOST_ROWS).index
    ]
    heads = (OfNumbers("Row, from 0"), "Target", OfNumbers("Roughness"))
    text = (
        "Check these first: their targets are farthest from those of their neighbours. The "
        "roughness is that distance, squared."
    )
    caption = f"The {len(rows)} roughest of {len(frame):,} samples"
    return section(
        "Which samples to check", element("p", text), table(heads, rows, caption)
    )


def _numbers(target: np.ndarray) -> str:
    return visible(", ".join(f"{value:.6g}" for value in np.atleast_1d(target)), 60)


def _features(estimator: Any, names: Sequence[str] | None) -> Html:
    importances = estimator.feature_importances_
    ranking = np.argsort(-importances, kind="stable")[:_MOST_ROWS]
    ranking = ranking[importances[ranking] > 0]
    rows = [
        (
            f"x{place}" if names is None else visible(names[place], _LONGEST_NAME),
            number(importances[place]),
            share_bar(importances[place], importances.max()),
        )
        for place in ranking
    ]
    heading = "Which features matter"
    if not rows:
        return section(heading, element("p", "No feature reduces the error."))
    n_features = len(importances)
    caption = f"The {len(rows)} most important of {n_features:,} features"
    return section(
        heading, table(("Feature", OfNumbers("Importance"), "Share"), rows, caption)
    )


def _parameters(estimator: Any) -> Html:
    parameters = {
        name: visible(repr(value))
        for name, value in estimator.get_params(deep=False).items()
    }
    details = facts(estimator) | {"Convention": estimator.decay_.convention.name}
    return section(
        "How it was measured",
        facts_table(details, "The fit"),
        facts_table(parameters, "Parameters"),
    )
