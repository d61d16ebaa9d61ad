"""The page of a fitted estimator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

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
from ...estimators.details import EstimatorDetails
from ...estimators.summary import Summary, estimator_summary, scale_bar
from ...estimators.verdict import feature_name
from ..plots import ErrorDecayDisplay
from .forecast_page import forecast_section
from .page import explained, make_page, section
from .pictures import picture

__all__ = ["estimator_page"]

_MOST_ROWS = 20  # of a table
_LONGEST_NAME = 120
_ABOUT = (
    "The index says how fast the error falls as more wavelets, the steps of decision "
    "trees, describe the targets. 0 is noise: the features say nothing about the targets. "
    "The larger it is, the fewer wavelets are needed; 1 is that of a smooth function of "
    "one feature. Noise in the targets lowers it; the signal index is the index without "
    "the noise."
)


def estimator_page(
    estimator: Any,
    details: EstimatorDetails,
    *,
    title: str,
    feature_names: Sequence[str] | None = None,
    cautions: Sequence[str] | None = None,
) -> str:
    """Render what an estimator has measured as one HTML page.

    Parameters
    ----------
    estimator : BesovSmoothnessEstimator
        A fitted estimator.
    details : EstimatorDetails
        What :func:`measure_details` has measured in addition.
    title : str
        Heading of the page.
    feature_names : sequence of str, default=None
        Names of the features; None takes those that the estimator knows.
    cautions : sequence of str, default=None
        Reasons for caution; None takes the warnings of the fit.

    Returns
    -------
    page : str
        The HTML.
    """
    summary = estimator_summary(estimator, feature_names)
    if feature_names is None:
        feature_names = getattr(estimator, "feature_names_in_", None)
    sections = [
        _lead(summary),
        _cautions(summary.cautions if cautions is None else cautions),
        _decay(estimator),
        _scores(estimator, details),
        *_roughness(details),
        *_forecast(details),
        _features(estimator.feature_importances_, feature_names),
        _parameters(estimator, summary),
    ]
    parts = ("Samples", "Features", "Classes", "Target columns")
    counts = {part: summary.facts[part] for part in parts if part in summary.facts}
    subtitle = ", ".join(f"{count} {part.lower()}" for part, count in counts.items())
    return make_page(title, subtitle, sections)


def _lead(summary: Summary) -> Html:
    return element(
        "section",
        element("p", element("b", summary.verdict)),
        element("p", summary.lead, class_="alpha"),
        element("p", scale_bar(summary)),
        element("p", summary.certainty),
        element("p", _ABOUT, class_="quiet"),
        class_="lead",
    )


def _cautions(texts: Sequence[str]) -> Html:
    texts = list(dict.fromkeys(texts))
    if not texts:
        return section("Cautions", element("p", "The fit gave no warning."))
    items = [element("li", text) for text in texts]
    return section("Cautions", element("ul", *items))


def _decay(estimator: Any) -> Html:
    fit = estimator.decay_
    convention = fit.convention
    alt = (
        f"{convention.y_label} by {convention.x_label.lower()}, on logarithmic axes: from "
        f"{fit.errors[0]:.3g} at {fit.n_terms[0]:,} to {fit.errors[-1]:.3g} at "
        f"{fit.n_terms[-1]:,}; {_reading(fit)}."
    )
    caption = "The curve that the index is read from."
    if fit.share_of_whole_way < 1:
        caption += (
            " The dashed line is fitted in the shaded window; the steeper it is, the "
            "smoother the targets."
        )
    if fit.share_of_whole_way > 0:
        caption += (
            " The index is the rate from no terms to the best number of them"
            + (", in part" if fit.share_of_whole_way < 1 else "")
            + ": no rate can be read where the noise begins, or where terms are few."
        )
    if not estimator.noise_is_bound_:
        caption += " The curve levels off at the noise."

    def draw(axes: Any) -> None:
        ErrorDecayDisplay.from_estimator(estimator, ax=axes)

    return section("How the error falls", picture(draw, (6.4, 4), alt, caption))


def _reading(fit: Any) -> str:
    if fit.share_of_whole_way == 1:
        return "the index is the rate of the whole way"
    first, last = fit.fit_range
    return f"the index is read between {first:,} and {last:,}"


def _scores(estimator: Any, details: EstimatorDetails) -> Html:
    scores = {}
    if np.isfinite(estimator.decay_.rate_of_whole_way):
        scores["Of one tree"] = number(estimator.decay_.rate_of_whole_way)
    scores["Out-of-bag"] = number(estimator.oob_score_)
    if details.held_out_score is not None:
        name = f"On {details.n_held_out:,} samples held out"
        scores[name] = number(details.held_out_score)
    text = (
        "How fast the error falls from no wavelets to the best number of them: on the "
        "curve of one tree, on samples that the trees were not grown on, and on samples "
        "held out. Memorised structure does not generalise: a held-out rate far below the "
        "others means that much of the smoothness is particular to these samples."
    )
    return section("Does it generalise?", element("p", text), facts_table(scores, "Rates"))


def _roughness(details: EstimatorDetails) -> list[Html]:
    """Show at which classes and samples the targets are rough, if that was measured."""
    if details.samples is None:
        return []
    if details.n_classes == 0:
        return [_rough_samples(details.samples)]
    suspects = _suspects(details.samples)
    if details.classes is None:
        return [suspects]
    return [_rough_classes(details.classes, details.n_classes), suspects]


def _rough_classes(frame: pd.DataFrame, n_classes: int) -> Html:
    ends = ends_of_bars(frame["alpha"], frame["alpha_low"], frame["alpha_high"])
    rows = [
        (
            visible(row["class"], _LONGEST_NAME),
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
        OfNumbers("Out-of-bag"),
        "Cautions",
    )
    text = (
        "Each class against all others: the larger the index, the smoother its boundary. "
        "Compare classes of about the same size."
    )
    caption = f"Index of each of {n_classes} classes"
    if len(frame) < n_classes:
        caption = f"Index of {len(frame)} of {n_classes:,} classes: the roughest"
    return section(
        "Which classes are rough",
        element("p", text),
        table(heads, rows, caption),
        explained(frame["cautions"]),
    )


def _suspects(frame: pd.DataFrame) -> Html:
    """Show the samples that another label fits better."""
    suspects = frame[frame["excess"] > 0]
    first = suspects.nlargest(_MOST_ROWS, "excess")
    rows = [
        (
            f"{place:,}",
            visible(row["label"], _LONGEST_NAME),
            visible(row["suggested"], _LONGEST_NAME),
            number(row["excess"]),
        )
        for place, row in zip(first.index, first.to_dict("records"), strict=True)
    ]
    heads = (
        OfNumbers("Row, from 0"),
        "Label",
        "Label of its neighbours",
        OfNumbers("Excess, up to 2"),
    )
    caption = f"{len(rows)} of {len(suspects):,} samples that another label fits better"
    text = (
        "Check these labels first: each sample lies among samples of another class. It may "
        "be rare, lie at a boundary, or have a wrong label."
    )
    if not rows:
        text = "No sample has a label that another one would fit better."
        return section("Which samples to check", element("p", text))
    return section(
        "Which samples to check", element("p", text), table(heads, rows, caption)
    )


def _rough_samples(frame: pd.DataFrame) -> Html:
    """Show the samples whose targets are far from those of their neighbours."""
    first = frame.nlargest(_MOST_ROWS, "roughness")
    rows = [
        (
            f"{place:,}",
            _numbers(row["target"]),
            f"{row['roughness']:.4g}",
            *_neighbour(frame, row["neighbour"]),
        )
        for place, row in zip(first.index, first.to_dict("records"), strict=True)
    ]
    heads = (
        OfNumbers("Row, from 0"),
        "Target",
        OfNumbers("Roughness"),
        OfNumbers("Jumps most from row"),
        "Target there",
    )
    text = (
        "Check these first: their targets are farthest from those of their neighbours. The "
        "roughness is that distance, squared; the neighbour is a close one with the most "
        "different target, at the other side of a cliff."
    )
    caption = f"The {len(rows)} roughest of {len(frame):,} samples"
    return section(
        "Which samples to check", element("p", text), table(heads, rows, caption)
    )


def _neighbour(frame: pd.DataFrame, place: float) -> tuple[str, str]:
    """Show the row of a neighbour and its target; nothing where there is none."""
    if not np.isfinite(place):
        return "", ""
    return f"{int(place):,}", _numbers(frame["target"].iloc[int(place)])


def _numbers(target: Any) -> str:
    return visible(", ".join(f"{value:.6g}" for value in np.atleast_1d(target)), 60)


def _forecast(details: EstimatorDetails) -> list[Html]:
    """Say what more samples would bring, if that was asked for."""
    if details.forecast is None:
        return []
    heading = "What more samples would bring"
    if isinstance(details.forecast, str):
        return [section(heading, element("p", f"No forecast: {details.forecast}"))]
    return [forecast_section(details.forecast, heading)]


def _features(importances: np.ndarray, names: Sequence[str] | None) -> Html:
    ranking = np.argsort(-importances, kind="stable")[:_MOST_ROWS]
    ranking = ranking[importances[ranking] > 0]
    rows = [
        (
            visible(feature_name(place, names), _LONGEST_NAME),
            number(importances[place]),
            share_bar(importances[place], importances.max()),
        )
        for place in ranking
    ]
    heading = "Which features matter"
    if not rows:
        return section(heading, element("p", "No feature reduces the error."))
    caption = f"The {len(rows)} most important of {len(importances):,} features"
    return section(
        heading, table(("Feature", OfNumbers("Importance"), "Share"), rows, caption)
    )


def _parameters(estimator: Any, summary: Summary) -> Html:
    parameters = {
        name: visible(repr(value))
        for name, value in estimator.get_params(deep=False).items()
    }
    details = summary.facts | {"Convention": estimator.decay_.convention.name}
    return section(
        "How it was measured",
        facts_table(details, "The fit"),
        facts_table(parameters, "Parameters"),
    )
