"""What results say of themselves: in words, as facts, and as cards in notebooks.

The results are only read; they come in as arguments, since their modules import this one.
"""

from __future__ import annotations

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
    "alpha_bar",
    "baseline_card",
    "difference_card",
    "estimator_card",
    "facts",
    "history_card",
    "in_words",
    "interval_in_words",
]

_NOISE = 0.03  # an index below it is called noise
_MOST_STEPS, _MOST_LAYERS = 10, 50  # of a history
_LONGEST_NAME = 120


def in_words(estimator: Any) -> str:
    """What the index says, in one plain line."""
    alpha, low = estimator.alpha_, estimator.alpha_interval_[0]
    if np.isinf(alpha):
        return "Unresolved: the labels look constant on a few boxes, smooth beyond number."
    index = estimator.decay_.convention.name
    if index == "sparsity-probe":
        return "Compare this index only with others of its kind and of as many samples."
    if np.isinf(low):
        return "The rate is unknown: too few terms or trees to judge by."
    if alpha < _NOISE:
        return "No smoothness found: more wavelets hardly reduce the error, as for noise."
    if low <= 0:
        return "The interval reaches 0: the rate is uncertain; more samples may help."
    # The authors' index is that of the squared L2 error, which falls twice as fast.
    rate = alpha / 2 if index == "elisha-dekel" else alpha
    fall = f"Each doubling of the wavelets cuts the error by {1 - 2.0**-rate:.0%}"
    if hasattr(estimator, "classes_"):
        # A jump across a smooth surface has the rate 1 / (p (d - 1)).
        dimension = 1 + 1 / (estimator.wavelets_.p * rate)
        return f"{fall}, as for classes with smooth borders in {dimension:.1f} dimensions."
    if estimator.n_outputs_ > 1:  # perhaps one-hot classes
        return f"{fall}."
    return f"{fall}, as for a smooth function of {max(1 / rate, 1):.1f} features."


def interval_in_words(estimator: Any) -> str:
    """The index and between which numbers it lies, in one sentence."""
    alpha, (low, high) = estimator.alpha_, estimator.alpha_interval_
    if np.isinf(alpha):
        return "The smoothness index is infinite: no rate can be read from so fast a decay."
    text = f"The smoothness index is {number(alpha)}"
    if not np.isfinite([low, high]).all():
        return f"{text}; how certain that is, is not known."
    level = f"{100 * estimator.decay_.confidence_level:g} %"
    return f"{text}, with {level} confidence between {number(low)} and {number(high)}."


def facts(estimator: Any) -> dict[str, str]:
    """What was measured and how well, as texts by their names."""
    first, last = estimator.decay_.fit_range
    if hasattr(estimator, "classes_"):
        kind = {"Classes": f"{len(estimator.classes_):,}"}
    else:
        kind = {"Columns of numbers": f"{estimator.n_outputs_:,}"}
    decomposition = estimator.wavelets_
    return {
        "Samples": f"{estimator.n_samples_:,}",
        "Features": f"{estimator.n_features_in_:,}",
        **kind,
        "Wavelets": f"{decomposition.n_terms:,} in {decomposition.n_trees:,} trees",
        "Fit window": f"{first:,} to {last:,} terms, R² = {number(estimator.r_squared_)}",
        "Out-of-bag score": number(estimator.oob_score_),
    }


def alpha_bar(estimator: Any) -> Html:
    """The index and its interval, on a scale from noise to a function of one feature."""
    low, high = estimator.alpha_interval_
    reach = [end for end in (estimator.alpha_, low, high) if np.isfinite(end)]
    ends = min([0.0, *reach]), max([1.0, *reach])
    zero = "0 (noise) " if ends[0] == 0 else f"{number(ends[0], 2)} "
    bar = interval_bar(estimator.alpha_, low, high, ends)
    return element("span", zero, bar, f" {number(ends[1], 2)}")


def estimator_card(estimator: Any) -> Html:
    """The index, what it says, and the warnings of the fit."""
    alpha, (low, high) = estimator.alpha_, estimator.alpha_interval_
    level = f"{100 * estimator.decay_.confidence_level:g} %"
    text = f"{ALPHA} = {number(alpha)} [{number(low)}, {number(high)}], {level}"
    return card(
        element("p", element("span", text, class_="sksmooth-alpha")),
        element("p", alpha_bar(estimator)),
        element("p", in_words(estimator)),
        facts_table(facts(estimator), f"Index “{estimator.decay_.convention.name}”"),
        joined(
            element("p", element("b", "Read with care: "), str(caution))
            for caution in estimator.decay_.cautions
        ),
    )


def difference_card(result: Any) -> Html:
    """A difference of two indices, with its interval."""
    value, (low, high) = result.difference, result.interval
    level = f"{100 * result.estimators[0].decay_.confidence_level:g} %"
    signed = [number(end, sign="+") for end in (value, low, high)]
    text = "Difference = {} [{}, {}], ".format(*signed) + level
    rows = {
        f"{ALPHA} of the first": number(result.alpha_a),
        f"{ALPHA} of the second": number(result.alpha_b),
        "p-value": number(result.p_value, 4),
    }
    ends = ends_of_bars([value], [low], [high])
    return card(
        element("p", element("span", text, class_="sksmooth-alpha")),
        element("p", interval_bar(value, low, high, ends, is_loss=high < 0)),
        facts_table(rows, "Smoothness of two representations"),
    )


def baseline_card(baseline: Any) -> Html:
    """An index beside those of shuffled targets."""
    shuffled = baseline.alphas
    reach = f"{number(shuffled.min())} to {number(shuffled.max())}"
    rows = {
        f"{ALPHA} of the targets": number(baseline.alpha),
        f"{ALPHA} of {len(shuffled)} times shuffled ones": reach,
        "p-value": number(baseline.p_value, 4),
    }
    return card(facts_table(rows, "Against shuffled targets"))


def history_card(frame: pd.DataFrame) -> Html:
    """The indices of layers by the steps of a training."""
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
