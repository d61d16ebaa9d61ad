"""Differences of held-out levels with their intervals, and which levels are the best."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..index import Level, level_difference, p_values_of_best

__all__ = ["Change", "ToBest", "change_between", "compared_with_best"]


class Change(NamedTuple):
    """The difference of two levels; NaN where it is unknown."""

    difference: float = np.nan
    low: float = np.nan
    high: float = np.nan
    p_value: float = np.nan

    @property
    def is_gain(self) -> bool:
        """Whether the second level is significantly higher."""
        return bool(self.low > 0)

    @property
    def is_loss(self) -> bool:
        """Whether the second level is significantly lower."""
        return bool(self.high < 0)


class ToBest(NamedTuple):
    """How a level compares with the highest of all.

    Attributes
    ----------
    change : Change
        This level minus the highest.
    p_value : float
        P-value of the hypothesis that no other level is truly higher than this one.
    is_tied : bool
        Whether the level cannot be told apart from the highest.
    """

    change: Change
    p_value: float
    is_tied: bool


def change_between(first: Level, second: Level, confidence_level: float) -> Change:
    """Subtract the first of two levels from the second."""
    found = level_difference(first, second)
    return Change(found.difference, *found.interval(confidence_level), found.p_value)


def compared_with_best(levels: Sequence[Level], confidence_level: float) -> list[ToBest]:
    """Compare all levels with the highest one.

    Parameters
    ----------
    levels : sequence of Level
        Levels of the same samples, approximated by trees of the same bags.
    confidence_level : float
        Level of the intervals of single differences, and the probability with which the
        truly best level is among those that are tied.

    Returns
    -------
    compared : list of ToBest
        One per level.
    """
    best = max(levels, key=lambda level: level.score)  # of equals the first
    return [
        ToBest(
            change_between(best, level, confidence_level),
            p_value,
            p_value > 1 - confidence_level,
        )
        for level, p_value in zip(levels, p_values_of_best(levels).tolist(), strict=True)
    ]
