"""What layers do to the held-out level: from one to the next, and against a reference."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise, zip_longest
from typing import NamedTuple

import numpy as np

from ..index import Level, level_difference

__all__ = ["Change", "LayerChange", "best_layer", "gaining_nothing", "layer_changes"]

_LEVEL_OF_TEST = 0.05  # at which a layer is told apart from the best one
# Of the gains around a layer. On 800 images it marks 1 % of the layers of small sound
# networks, and 25 of 51 residual blocks that were initialised again; a half marks 2.6 %
# and 30.
_SHARE_OF_GAIN = 0.25


class Change(NamedTuple):
    """The difference of two levels; NaN where that is not known."""

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


class LayerChange(NamedTuple):
    """What one layer changes.

    Attributes
    ----------
    step : Change
        Its level less that of the layer before.
    gains_nothing : bool
        Whether it gains nothing where its like gain.
    from_reference : Change
        Its level less that of the same layer of the reference.
    """

    step: Change
    gains_nothing: bool
    from_reference: Change


def layer_changes(
    levels: Sequence[Level],
    confidence_level: float,
    references: Sequence[Level] = (),
) -> list[LayerChange]:
    """Compare every layer with the one before, and with the reference.

    Parameters
    ----------
    levels : sequence of Level
        Levels of the layers, in the order of comparison.
    confidence_level : float
        Level of the intervals.
    references : sequence of Level, default=()
        Levels of the same layers of the reference; empty if there is none.

    Returns
    -------
    changes : list of LayerChange
        One a layer.
    """
    steps = [
        _change(before, level, confidence_level)
        for before, level in zip([None, *levels], levels, strict=False)
    ]
    others = [
        _change(reference, level, confidence_level)
        for reference, level in zip_longest(references, levels)
    ]
    return list(map(LayerChange, steps, gaining_nothing(steps), others))


def _change(first: Level | None, second: Level, confidence_level: float) -> Change:
    if first is None:
        return Change()
    found = level_difference(first, second)
    return Change(found.difference, *found.interval(confidence_level), found.p_value)


def gaining_nothing(steps: Sequence[Change]) -> list[bool]:
    """Mark the layers that gain nothing, between others that gain.

    A lost block behind a skip connection keeps what came before, so that its loss does not
    show; that it gains nothing does. At the end of a sound network layers gain nothing
    either, and are not marked, as none gains after them.

    Parameters
    ----------
    steps : sequence of Change
        The change of every layer from the one before.

    Returns
    -------
    marks : list of bool
        One a layer.
    """
    gains = [place for place, step in enumerate(steps) if step.is_gain]
    marks = [False] * len(steps)
    for first, second in pairwise(gains):
        like = min(steps[first].difference, steps[second].difference)
        for place in range(first + 1, second):
            marks[place] = steps[place].high < _SHARE_OF_GAIN * like
    return marks


def best_layer(levels: Sequence[Level], held_out: Sequence[float]) -> int:
    """Choose the layer at which to cut a network for another task.

    Of the layers that are not told apart from the one of the highest level, it is the one
    of the highest held-out score, which test samples may have given.

    Parameters
    ----------
    levels : sequence of Level
        Levels of the layers.
    held_out : sequence of float
        Their held-out scores.

    Returns
    -------
    place : int
        Place of the layer.
    """
    best = max(levels, key=lambda level: level.score)
    tied = [
        place
        for place, level in enumerate(levels)
        if level is best or level_difference(best, level).p_value >= _LEVEL_OF_TEST
    ]
    return max(tied, key=lambda place: (held_out[place], levels[place].score))
