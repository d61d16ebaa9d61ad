"""Summarise results as plain data, from which all displays are rendered.

Cards in notebooks, pages and the command line show the same :class:`Summary`. Results are
arguments here and not imported, since their modules import this one.
"""

from __future__ import annotations

from collections.abc import Sequence
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
from .verdict import percent, verdict

__all__ = [
    "Summary",
    "baseline_summary",
    "card_of",
    "difference_summary",
    "estimator_summary",
    "forecast_summary",
    "history_card",
    "scale_bar",
    "with_ends",
]

_MOST_STEPS, _MOST_LAYERS = 10, 50  # of a history
_LONGEST_NAME = 120


@dataclass(frozen=True)
class Summary:
    """A result as numbers and sentences.

    Attributes
    ----------
    title : str
        What was measured, above the facts.
    facts : dict of str to str
        What was measured and how well, as texts by name.
    value : float, default=NaN
        The main number of the result.
    interval : tuple of float
        Its confidence interval.
    lead : str, default=""
        The number with its name; a lower bound with the sign ``≥``.
    level : str, default=""
        Its confidence level, such as "95 %".
    headline : str, default=""
        The number and its interval, as one line.
    ends : tuple of float
        Ends of a scale on which to draw them.
    verdict : str, default=""
        The finding, in a sentence or two.
    certainty : str, default=""
        Its interval, as a sentence.
    cautions : tuple of str
        Reasons to read it with care.
    """

    title: str
    facts: dict[str, str]
    value: float = np.nan
    interval: tuple[float, float] = (np.nan, np.nan)
    lead: str = ""
    level: str = ""
    headline: str = ""
    ends: tuple[float, float] = (0.0, 1.0)
    verdict: str = ""
    certainty: str = ""
    cautions: tuple[str, ...] = field(default=())


def with_ends(name: str, value: float, interval: tuple[float, float]) -> dict[str, float]:
    """Name a number and the two ends of its interval, as in columns and JSON."""
    return {name: value, f"{name}_low": interval[0], f"{name}_high": interval[1]}


def estimator_summary(
    estimator: Any, feature_names: Sequence[str] | None = None
) -> Summary:
    """Summarise a fitted :class:`~sksmooth.BesovSmoothnessEstimator`.

    Parameters
    ----------
    estimator : BesovSmoothnessEstimator
        A fitted estimator.
    feature_names : sequence of str, default=None
        Names of the features; None takes those that the estimator knows.

    Returns
    -------
    summary : Summary
        What it has measured.
    """
    fit = estimator.decay_
    low, high = fit.interval
    level = f"{100 * fit.confidence_level:g} %"
    lead = f"{ALPHA} {'≥' if fit.is_bound else '='} {number(fit.alpha)}"
    reach = [end for end in (fit.alpha, low, high) if np.isfinite(end)]
    return Summary(
        title=f"Index “{fit.convention.name}”",
        facts=_facts(estimator),
        value=fit.alpha,
        interval=(low, high),
        lead=lead,
        level=level,
        headline=f"{lead} [{number(low)}, {number(high)}], {level}",
        # From noise to a smooth function of one feature.
        ends=(min([0.0, *reach]), max([1.0, *reach])),
        verdict=verdict(estimator, feature_names),
        certainty=_certainty(fit, low, high, level),
        cautions=tuple(map(str, fit.cautions)),
    )


def _certainty(fit: Any, low: float, high: float, level: str) -> str:
    if fit.is_bound:
        return (
            f"The smoothness index is at least {number(fit.alpha)}: no error is left that "
            "could show a larger one."
        )
    text = f"The smoothness index is {number(fit.alpha)}"
    if not np.isfinite([low, high]).all():
        return f"{text}; its uncertainty is not known."
    return f"{text}, with {level} confidence between {number(low)} and {number(high)}."


def _facts(estimator: Any) -> dict[str, str]:
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
        **_shares(estimator),
        "Relevant features": number(estimator.n_relevant_, 1),
        "Wavelets": f"{wavelets.n_terms:,} in {wavelets.n_trees:,} {trees}",
        "Fit window": _window(estimator),
        "Out-of-bag score": number(estimator.oob_score_),
    }


def _shares(estimator: Any) -> dict[str, str]:
    """Format the explained share, the noise, and how fast the rest of the error falls."""
    shares = estimator.shares_
    facts = {"Explained": _share(shares.explained, shares.explained_interval)}
    facts["Noise"] = _share(
        shares.noise, shares.noise_interval, is_bound=shares.noise_is_bound
    )
    if not np.isnan(shares.wrong_labels):
        facts["Wrong labels"] = _share(
            shares.wrong_labels,
            shares.wrong_labels_interval,
            is_bound=shares.noise_is_bound,
        )
    return facts | {
        f"Signal {ALPHA}": _with_ends(shares.signal_alpha, shares.signal_alpha_interval),
        "Terms for 90 %": f"{shares.n_terms_for(0.9):,}",
        "Roughness": _with_ends(shares.roughness, shares.roughness_interval),
    }


def _with_ends(value: float, interval: tuple[float, float]) -> str:
    if np.isnan(value):
        return number(value)
    low, high = interval
    return f"{number(value)} [{number(low)}, {number(high)}]"


def _share(share: float, interval: tuple[float, float], *, is_bound: bool = False) -> str:
    if np.isnan(share):
        return number(share)
    low, high = interval
    if is_bound:
        return f"at most {percent(share if np.isnan(high) else high, 1)}"
    return f"{percent(share, 1)} [{100 * low:.1f}, {100 * high:.1f}]"


def _window(estimator: Any) -> str:
    """Describe the window, and its line if the index was read from it."""
    fit = estimator.decay_
    first, last = fit.fit_range
    text = f"{first:,} to {last:,} terms"
    if fit.share_of_whole_way == 1:
        return f"{text}, not used: {ALPHA} is the rate of the whole way"
    text = f"{text}, R² = {number(fit.line.r_squared)}"
    if fit.share_of_whole_way == 0:
        return text
    return f"{text}; {percent(fit.share_of_whole_way)} of {ALPHA} from the whole way"


def difference_summary(result: Any) -> Summary:
    """Summarise a :class:`~sksmooth.SmoothnessDifference`."""
    value, (low, high) = result.difference, result.interval
    level = f"{100 * result.confidence_level:g} %"
    signed = [number(end, sign="+") for end in (value, low, high)]
    facts = {
        "held-out score of the first": number(result.score_a),
        "held-out score of the second": number(result.score_b),
        "p-value": number(result.p_value, 4),
    }
    if result.estimators:
        facts |= {
            f"{ALPHA} of the first": number(result.alpha_a),
            f"{ALPHA} of the second": number(result.alpha_b),
            f"p-value of the difference of {ALPHA}": number(result.rate_p_value, 4),
        }
    return Summary(
        title="Smoothness of two representations",
        facts=facts,
        value=value,
        interval=(low, high),
        level=level,
        headline="Difference of scores = {} [{}, {}], ".format(*signed) + level,
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
    cautions = (baseline.note,) if baseline.note else ()
    return Summary("Against shuffled targets", facts, cautions=cautions)


def forecast_summary(forecast: Any) -> Summary:
    """Summarise a :class:`~sksmooth.ErrorForecast`."""
    half = forecast.samples_to_halve
    facts = {
        "Estimator": visible(forecast.estimator, _LONGEST_NAME),
        "Samples": f"{forecast.n_samples:,}",
        forecast.unit.capitalize(): percent(forecast.error, 1),
    }
    for times in (2, 10, 64):
        n = times * forecast.n_samples
        facts[f"With {n:,}"] = _share(forecast.predict(n), forecast.interval(n))
    facts["Floor"] = _share(forecast.floor, forecast.floor_interval)
    facts["Samples that halve the rest"] = f"{half:,}" if np.isfinite(half) else "unknown"
    return Summary(
        title="Error with more samples",
        facts=facts,
        verdict=visible(forecast.sentence),
        cautions=(forecast.caution,) if forecast.caution else (),
    )


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
