"""Summarise results as plain data, from which all displays are rendered.

Cards in notebooks, pages, ``print`` and the command line show the same :class:`Summary`.
Results are arguments here and not imported, since their modules import this one.
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
    folded,
    interval_bar,
    number,
    p_value_number,
    table,
    visible,
)
from .._lib.text import paragraphs, plain_number, told_p_value, with_ends
from .verdict import percent, verdict
from .words import amount

__all__ = [
    "Summary",
    "as_columns",
    "baseline_summary",
    "card_of",
    "difference_summary",
    "estimator_summary",
    "forecast_summary",
    "history_card",
    "scale_bar",
    "search_summary",
    "text_of",
]

_MOST_STEPS, _MOST_LAYERS = 10, 50  # of a history
_LONGEST_NAME = 120
_MOST_CANDIDATES = 10  # of a search
_MAIN_FACTS = 3  # of an estimator: explained, out-of-bag score, noise
_LEVEL_OF_TEST = 0.05
_RELATED = "Features and targets are related"
_UNRELATED = "No relation between features and targets is shown"


@dataclass(frozen=True)
class Summary:
    """A result as numbers and sentences.

    Attributes
    ----------
    title : str
        What was measured, above the facts.
    facts : dict of str to str
        What was measured and how well, as texts by name, the main ones first.
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
    n_main : int, default=None
        Number of the facts that cards show at once; the others are folded away. None is
        all.
    rows : tuple of tuple of str
        What is compared, side by side, in place of facts: heads, and then the rows.
    printed : tuple of str
        What ``print`` shows, one paragraph each.
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
    n_main: int | None = None
    rows: tuple[tuple[str, ...], ...] = ()
    printed: tuple[str, ...] = ()


def as_columns(name: str, value: float, interval: tuple[float, float]) -> dict[str, float]:
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
    found = verdict(estimator, feature_names)
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
        verdict=found,
        certainty=_certainty(fit, low, high, level),
        cautions=tuple(map(str, fit.cautions)),
        n_main=_MAIN_FACTS,
        printed=(_in_numbers(estimator), found, _named(fit.cautions)),
    )


def _in_numbers(estimator: Any) -> str:
    """Write the numbers that are read first, as one line."""
    fit, explained = estimator.decay_, estimator.explained_
    if np.isfinite(fit.interval).all() and not fit.is_bound:
        texts = [f"alpha {with_ends(fit.alpha, fit.interval)}"]
    else:
        bound = "at least " if fit.is_bound else ""
        texts = [f"alpha {bound}{plain_number(fit.alpha, 2)}"]
    if not np.isnan(explained):
        texts.append(f"explained {percent(explained)}")
    if not np.isnan(estimator.oob_score_):
        texts.append(f"out-of-bag score {plain_number(estimator.oob_score_, 2)}")
    return ", ".join(texts)


def _named(cautions: Sequence[Warning]) -> str:
    names = dict.fromkeys(type(caution).__name__ for caution in cautions)
    return f"Read with care: {', '.join(names)}." if names else ""


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
    explained, *others = _shares(estimator).items()
    return {
        **dict([explained]),
        "Out-of-bag score": number(estimator.oob_score_),
        **dict(others),
        "Samples": f"{estimator.n_samples_:,}",
        "Features": f"{estimator.n_features_in_:,}",
        **kind,
        "Relevant features": number(estimator.n_relevant_, 1),
        "Wavelets": f"{wavelets.n_terms:,} in {wavelets.n_trees:,} {trees}",
        "Fit window": _window(estimator),
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
        f"Signal {ALPHA}": _with_interval(
            shares.signal_alpha, shares.signal_alpha_interval
        ),
        "Terms for 90 %": f"{shares.n_terms_for(0.9):,}",
        "Roughness": _with_interval(shares.roughness, shares.roughness_interval),
    }


def _with_interval(value: float, interval: Sequence[float], sign: str = "") -> str:
    if np.isnan(value):
        return number(value)
    low, high = (number(end, sign=sign) for end in interval)
    return f"{number(value, sign=sign)} [{low}, {high}]"


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
    found = _which_is_smoother(result)
    return Summary(
        title="Smoothness of two representations",
        facts={},
        value=value,
        interval=(low, high),
        level=level,
        headline="Difference of scores = {} [{}, {}], ".format(*signed) + level,
        ends=ends_of_bars([value], [low], [high]),
        verdict=found,
        cautions=tuple(
            f"{which}: {caution}"
            for which, fitted in zip(("First", "Second"), result.estimators, strict=False)
            for caution in map(str, fitted.decay_.cautions)
        ),
        rows=_side_by_side(result),
        printed=(
            found,
            f"difference {with_ends(value, (low, high), 3, '+')}, {level}",
            *_difference_of_rates(result),
        ),
    )


def _which_is_smoother(result: Any) -> str:
    """Say on which of two representations the targets are smoother."""
    first, second = amount(result.score_a), amount(result.score_b)
    told = told_p_value(result.p_value)
    if max(result.score_a, result.score_b) <= 0:
        return (
            "Neither representation explains anything on held-out samples: scores "
            f"{first} and {second}."
        )
    if result.p_value >= 1 - result.confidence_level:
        return (
            "The two representations cannot be told apart on held-out samples: scores "
            f"{first} and {second} ({told})."
        )
    names = ("first", first, "second", second)
    higher, its, lower, other = names if result.difference < 0 else names[2:] + names[:2]
    return (
        f"The {higher} representation is smoother on held-out samples: score {its}, "
        f"against {other} of the {lower} ({told})."
    )


def _difference_of_rates(result: Any) -> list[str]:
    """Write the difference of the rates, where there are rates."""
    if not result.estimators:
        return []
    first, second = (plain_number(alpha, 2) for alpha in (result.alpha_a, result.alpha_b))
    text = f"alpha {first} and {second}"
    if np.isnan(result.rate_p_value):
        return [text]
    return [f"{text} ({told_p_value(result.rate_p_value)} for their difference)"]


def _side_by_side(result: Any) -> tuple[tuple[str, ...], ...]:
    """Arrange the numbers of the two representations in a table."""
    rows = []
    if result.estimators:
        difference = _with_interval(result.rate_difference, result.rate_interval, "+")
        rows.append(
            (
                ALPHA,
                *map(number, (result.alpha_a, result.alpha_b)),
                difference,
                p_value_number(result.rate_p_value),
            )
        )
        explained = [estimator.explained_ for estimator in result.estimators]
        rows.append(("explained", *map(number, explained), "", ""))
    rows.append(
        (
            "held-out score",
            *map(number, (result.score_a, result.score_b)),
            _with_interval(result.difference, result.interval, "+"),
            p_value_number(result.p_value),
        )
    )
    heads = ("", *map(OfNumbers, ("first", "second", "difference", "p-value")))
    return (heads, *rows)


def baseline_summary(baseline: Any) -> Summary:
    """Summarise a :class:`~sksmooth.PermutationBaseline`."""
    shuffled = baseline.alphas
    reach = f"{number(shuffled.min())} to {number(shuffled.max())}"
    facts = {
        f"{ALPHA} of the targets": number(baseline.alpha),
        f"{ALPHA} of {len(shuffled)} permutations": reach,
        "p-value": p_value_number(baseline.p_value),
    }
    cautions = (baseline.note,) if baseline.note else ()
    alpha, largest = (plain_number(value, 2) for value in (baseline.alpha, shuffled.max()))
    told = told_p_value(baseline.p_value)
    found = (
        f"{_RELATED if baseline.p_value <= _LEVEL_OF_TEST else _UNRELATED}: alpha is "
        f"{alpha}, and at most {largest} in {len(shuffled)} permutations ({told})."
    )
    return Summary(
        "Against shuffled targets",
        facts,
        verdict=found,
        cautions=cautions,
        printed=(found, *cautions),
    )


def search_summary(search: Any) -> Summary:
    """Summarise a fitted :class:`~sksmooth.SmoothnessSearch`."""
    results = search.cv_results_
    n = len(results["score"])
    best, simplest = (
        visible(params, _LONGEST_NAME)
        for params in (search.best_params_, search.simplest_params_)
    )
    found = f"Best held-out score {amount(search.best_score_)} with {best}"
    n_tied = int(np.count_nonzero(results["tied_with_best"])) - 1  # the best is one of them
    if n_tied > 0:
        found += (
            f"; {n_tied} of the other {n - 1} candidates cannot be told apart from it. The "
            f"simplest of these is {simplest}."
        )
    else:
        found += "; all others are worse." if n > 1 else "."
    order = np.argsort(-results["score"], kind="stable")[:_MOST_CANDIDATES]
    change = "difference_to_best"
    ends = results[f"{change}_low"], results[f"{change}_high"]
    rows = tuple(
        (
            visible(results["params"][k], _LONGEST_NAME),
            number(results["score"][k]),
            _with_interval(results[change][k], [end[k] for end in ends], "+"),
            p_value_number(results["p_value"][k]),
            "yes" if results["tied_with_best"][k] else "no",
            f"{results['n_features'][k]:,}",
        )
        for k in order
    )
    numbers = ("held-out score", "difference to best", "p-value")
    heads = ("candidate", *map(OfNumbers, numbers), "tied with best", OfNumbers("features"))
    title = f"{n} candidates" + (f", the {len(rows)} best" if len(rows) < n else "")
    return Summary(
        title=title,
        facts={},
        verdict=found,
        rows=(heads, *rows),
        printed=(found,),
    )


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
        printed=(visible(forecast.sentence), forecast.caution),
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
    facts = list(summary.facts.items())
    n_main = len(facts) if summary.n_main is None else summary.n_main
    main, others = dict(facts[:n_main]), dict(facts[n_main:])
    if summary.rows:
        lead.append(table(summary.rows[0], summary.rows[1:], summary.title))
    if main:
        lead.append(facts_table(main, summary.title))
    cautions = [
        element("p", element("b", "Caution: "), caution) for caution in summary.cautions
    ]
    more = [folded("More numbers", facts_table(others, "More numbers"))] if others else []
    return card(*lead, *cautions, *more)


def text_of(summary: Summary) -> str:
    """Write a summary in a few lines, for ``print``."""
    return paragraphs(summary.printed)


def scale_bar(summary: Summary, *, is_loss: bool = False) -> Html:
    """Draw the value and its interval on their scale, with the ends of the scale."""
    (low, high), ends = summary.interval, summary.ends
    bar = interval_bar(summary.value, low, high, ends, is_loss=is_loss)
    first = "0 (noise) " if summary.lead and ends[0] == 0 else f"{number(ends[0], 2)} "
    return element("span", first, bar, f" {number(ends[1], 2)}")


def history_card(frame: pd.DataFrame, words: Sequence[str] = ()) -> Html:
    """Show the indices of layers at the steps of a training, and the last step in words."""
    layers, steps = dict.fromkeys(frame["layer"]), frame["step"].unique()
    alpha = dict(
        zip(zip(frame["layer"], frame["step"], strict=True), frame["alpha"], strict=True)
    )
    shown = steps[
        np.unique(np.linspace(0, len(steps) - 1, _MOST_STEPS).round().astype(int))
    ]
    last = frame[frame["step"] == steps[-1]]
    ends = {
        name: dict(zip(last["layer"], last[name], strict=True))
        for name in ("explained", "held_out")
        if name in last
    }
    rows = [
        (
            visible(layer, _LONGEST_NAME),
            *(number(alpha.get((layer, step), np.nan)) for step in shown),
            *(number(end.get(layer, np.nan)) for end in ends.values()),
        )
        for layer in list(layers)[:_MOST_LAYERS]
    ]
    caption = f"{ALPHA} of {len(layers)} layers at {len(steps)} steps"
    if len(rows) < len(layers) or len(shown) < len(steps):
        caption += f"; {len(rows)} and {len(shown)} of them are shown"
    heads = (
        "layer",
        *map(OfNumbers, shown),
        *(OfNumbers(f"{name}, step {steps[-1]}") for name in ends),
    )
    return card(table(heads, rows, caption), *(element("p", text) for text in words))
