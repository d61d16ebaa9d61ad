"""Summaries of results as plain data, from which everything else is rendered.

Cards in notebooks, pages and the command line show the same :class:`Summary`. Results are
arguments here and not imported, since their modules import this one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from .._lib.html import (
    ALPHA,
    Html,
    OfNumbers,
    card,
    element,
    ends_of_bars,
    facts_table,
    interval_bar,
    joined,
    number,
    table,
    visible,
)

__all__ = [
    "Summary",
    "baseline_summary",
    "card_of",
    "difference_summary",
    "estimator_summary",
    "history_card",
    "scale_bar",
]

_NOISE = 0.03  # an index below it is called noise
_MOST_STEPS, _MOST_LAYERS = 10, 50  # of a history
_LONGEST_NAME = 120


@dataclass(frozen=True)
class Summary:
    """A result in numbers and in words.

    Attributes
    ----------
    title : str
        What was measured, above the facts.
    facts : dict of str to str
        What was measured and how well, as texts by their names.
    value : float, default=NaN
        The number that the result is about.
    interval : tuple of float
        Its confidence interval.
    level : str, default=""
        Its confidence level, such as "95 %".
    headline : str, default=""
        The number and its interval, as one line.
    ends : tuple of float
        Ends of a scale on which to draw them.
    verdict : str, default=""
        What the number says, as one sentence.
    certainty : str, default=""
        Between which numbers it lies, as one sentence.
    cautions : tuple of str
        Reasons to read it with care.
    """

    title: str
    facts: dict[str, str]
    value: float = np.nan
    interval: tuple[float, float] = (np.nan, np.nan)
    level: str = ""
    headline: str = ""
    ends: tuple[float, float] = (0.0, 1.0)
    verdict: str = ""
    certainty: str = ""
    cautions: tuple[str, ...] = field(default=())


def estimator_summary(estimator: Any) -> Summary:
    """Summarise a fitted :class:`~sksmooth.BesovSmoothnessEstimator`."""
    fit = estimator.decay_
    low, high = fit.interval
    level = f"{100 * fit.confidence_level:g} %"
    reach = [end for end in (fit.alpha, low, high) if np.isfinite(end)]
    return Summary(
        title=f"Index “{fit.convention.name}”",
        facts=_facts(estimator),
        value=fit.alpha,
        interval=(low, high),
        level=level,
        headline=f"{ALPHA} = {number(fit.alpha)} [{number(low)}, {number(high)}], {level}",
        # From noise to a smooth function of one feature.
        ends=(min([0.0, *reach]), max([1.0, *reach])),
        verdict=_verdict(estimator),
        certainty=_certainty(fit.alpha, low, high, level),
        cautions=tuple(map(str, fit.cautions)),
    )


def _verdict(estimator: Any) -> str:
    fit = estimator.decay_
    if np.isinf(fit.alpha):
        return (
            "Unresolved: the labels look constant on a few boxes, smoother than any index "
            "can say."
        )
    rate = fit.convention.lp_rate(fit.alpha)
    if rate is None:
        return "Compare this index only with others of its kind and as many samples."
    if np.isinf(fit.interval[0]):
        return "The rate is unknown: there are too few terms or trees to judge by."
    if rate < _NOISE:
        return "No smoothness found: more wavelets hardly reduce the error, as for noise."
    if fit.interval[0] <= 0:
        return "The interval reaches 0: the rate is uncertain; more samples may help."
    fall = f"Each doubling of the wavelets cuts the error by {1 - 2.0**-rate:.0%}"
    if hasattr(estimator, "classes_"):
        # A jump across a smooth surface has the rate 1 / (p (d - 1)).
        dimension = 1 + 1 / (estimator.wavelets_.p * rate)
        return f"{fall}, as for classes with smooth borders in {dimension:.1f} dimensions."
    if estimator.n_outputs_ > 1:  # perhaps one-hot classes
        return f"{fall}."
    return f"{fall}, as for a smooth function of {max(1 / rate, 1):.1f} features."


def _certainty(alpha: float, low: float, high: float, level: str) -> str:
    if np.isinf(alpha):
        return "The smoothness index is infinite: no rate can be read from so fast a decay."
    text = f"The smoothness index is {number(alpha)}"
    if not np.isfinite([low, high]).all():
        return f"{text}; its uncertainty is not known."
    return f"{text}, with {level} confidence between {number(low)} and {number(high)}."


def _facts(estimator: Any) -> dict[str, str]:
    first, last = estimator.decay_.fit_range
    if hasattr(estimator, "classes_"):
        kind = {"Classes": f"{len(estimator.classes_):,}"}
    else:
        kind = {"Target columns": f"{estimator.n_outputs_:,}"}
    wavelets = estimator.wavelets_
    trees = "tree" if wavelets.n_trees == 1 else "trees"
    return {
        "Samples": f"{estimator.n_samples_:,}",
        "Features": f"{estimator.n_features_in_:,}",
        **kind,
        "Wavelets": f"{wavelets.n_terms:,} in {wavelets.n_trees:,} {trees}",
        "Fit window": f"{first:,} to {last:,} terms, R² = {number(estimator.r_squared_)}",
        "Out-of-bag score": number(estimator.oob_score_),
    }


def difference_summary(result: Any) -> Summary:
    """Summarise a :class:`~sksmooth.SmoothnessDifference`."""
    value, (low, high) = result.difference, result.interval
    level = f"{100 * result.estimators[0].decay_.confidence_level:g} %"
    signed = [number(end, sign="+") for end in (value, low, high)]
    return Summary(
        title="Smoothness of two representations",
        facts={
            f"{ALPHA} of the first": number(result.alpha_a),
            f"{ALPHA} of the second": number(result.alpha_b),
            "p-value": number(result.p_value, 4),
        },
        value=value,
        interval=(low, high),
        level=level,
        headline="Difference = {} [{}, {}], ".format(*signed) + level,
        ends=ends_of_bars([value], [low], [high]),
    )


def baseline_summary(baseline: Any) -> Summary:
    """Summarise a :class:`~sksmooth.PermutationBaseline`."""
    shuffled = baseline.alphas
    reach = f"{number(shuffled.min())} to {number(shuffled.max())}"
    facts = {
        f"{ALPHA} of the targets": number(baseline.alpha),
        f"{ALPHA} of {len(shuffled)} permutations": reach,
        "p-value": number(baseline.p_value, 4),
    }
    return Summary("Against shuffled targets", facts)


def card_of(summary: Summary, *, is_loss: bool = False) -> Html:
    """Render a summary as a card for notebooks.

    Parameters
    ----------
    summary : Summary
        What to show.
    is_loss : bool, default=False
        Whether the bar is red.
    """
    lead = []
    if summary.headline:
        headline = element("span", summary.headline, class_="sksmooth-alpha")
        bar = scale_bar(summary, is_loss=is_loss)
        lead = [element("p", headline), element("p", bar)]
    if summary.verdict:
        lead.append(element("p", summary.verdict))
    return card(
        *lead,
        facts_table(summary.facts, summary.title),
        joined(
            element("p", element("b", "Caution: "), caution) for caution in summary.cautions
        ),
    )


def scale_bar(summary: Summary, *, is_loss: bool = False) -> Html:
    """Draw the value and its interval on their scale, with the ends of the scale."""
    (low, high), ends = summary.interval, summary.ends
    bar = interval_bar(summary.value, low, high, ends, is_loss=is_loss)
    first = "0 (noise) " if ends[0] == 0 else f"{number(ends[0], 2)} "
    return element("span", first, bar, f" {number(ends[1], 2)}")


def history_card(frame: pd.DataFrame) -> Html:
    """Show the indices of layers at the steps of a training."""
    layers, steps = dict.fromkeys(frame["layer"]), frame["step"].unique()
    alpha = dict(
        zip(zip(frame["layer"], frame["step"], strict=True), frame["alpha"], strict=True)
    )
    shown = steps[
        np.unique(np.linspace(0, len(steps) - 1, _MOST_STEPS).round().astype(int))
    ]
    rows = [
        (
            visible(layer, _LONGEST_NAME),
            *(number(alpha.get((layer, step), np.nan)) for step in shown),
        )
        for layer in list(layers)[:_MOST_LAYERS]
    ]
    caption = f"{ALPHA} of {len(layers)} layers at {len(steps)} steps"
    if len(rows) < len(layers) or len(shown) < len(steps):
        caption += f"; {len(rows)} and {len(shown)} of them are shown"
    return card(table(("layer", *(OfNumbers(step) for step in shown)), rows, caption))
