"""What a fitted estimator says of itself: in words, as facts, and as a card in notebooks.

The estimator is only read; it comes in as an argument, since it imports this module.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ._html import ALPHA, Html, card, element, facts_table, interval_bar, joined, number

__all__ = ["alpha_bar", "estimator_card", "facts", "in_words", "interval_in_words"]

_NOISE = 0.03  # an index below it is called noise


def in_words(estimator: Any) -> str:
    """What the index says, in one plain line."""
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


def interval_in_words(estimator: Any) -> str:
    """The index and between which numbers it lies, in one sentence."""
    alpha, (low, high) = estimator.alpha_, estimator.alpha_interval_
    if np.isinf(alpha):
        return "The smoothness index is infinite: no rate can be read from so fast a decay."
    text = f"The smoothness index is {number(alpha)}"
    if not np.isfinite([low, high]).all():
        return f"{text}; how certain that is, is not known."
    level = f"{100 * estimator.confidence_level:g} %"
    return f"{text}, with {level} confidence between {number(low)} and {number(high)}."


def facts(estimator: Any) -> dict[str, str]:
    """What was measured and how well, as texts by their names."""
    first, last = estimator.fit_range_
    if hasattr(estimator, "classes_"):
        kind = {"Classes": f"{len(estimator.classes_):,}"}
    else:
        kind = {"Columns of numbers": f"{estimator.n_outputs_:,}"}
    decomposition = estimator.wavelets_
    return {
        "Samples": f"{estimator._n_samples:,}",
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
    zero = "0 (noise) " if ends[0] == 0 else f"{number(ends[0], 1)} "
    bar = interval_bar(estimator.alpha_, low, high, ends)
    return element("span", zero, bar, f" {number(ends[1], 1)}")


def estimator_card(estimator: Any) -> Html:
    """The index, what it says, and the warnings of the fit."""
    alpha, (low, high) = estimator.alpha_, estimator.alpha_interval_
    level = f"{100 * estimator.confidence_level:g} %"
    text = f"{ALPHA} = {number(alpha)} [{number(low)}, {number(high)}], {level}"
    return card(
        element(
            "p", element("span", text, class_="sksmooth-alpha"), class_="sksmooth-name"
        ),
        element("p", alpha_bar(estimator)),
        element("p", in_words(estimator)),
        facts_table(facts(estimator), f"Index “{estimator.index}”"),
        joined(
            element("p", element("b", "Read with care: "), str(caution))
            for caution in estimator._cautions
        ),
    )
