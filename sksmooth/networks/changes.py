"""What layers do to the held-out level: from one to the next, and against a reference."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise, zip_longest
from typing import NamedTuple

import numpy as np

from ..estimators.changes import Change, change_between
from ..index import Level, holm, p_values_of_best

__all__ = [
    "Change",
    "LayerChange",
    "best_layer",
    "gaining_nothing",
    "layer_changes",
    "tied",
]

_LEVEL_OF_TEST = 0.05  # at which a layer is told apart from the best one
# Of the mean of the gains around a layer. Of 148 lost blocks of small networks, a half
# marked 45 and a quarter of the smaller gain 30; of 402 layers of sound networks, 8 and 2.
_SHARE_OF_GAIN = 0.5


class LayerChange(NamedTuple):
    """What one layer changes.

    Attributes
    ----------
    step : Change
        Its level less that of the layer before.
    corrected_p_value : float
        The p-value of that difference, corrected for the number of layers.
    gains_nothing : bool
        Whether it gains nothing where its like gain.
    is_tied_with_best : bool
        Whether it cannot be told apart from the layer of the highest level.
    from_reference : Change
        Its level less that of the same layer of the reference.
    """

    step: Change
    corrected_p_value: float
    gains_nothing: bool
    is_tied_with_best: bool
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
        One per layer.
    """
    steps = [
        _change(before, level, confidence_level)
        for before, level in zip([None, *levels], levels, strict=False)
    ]
    others = [
        _change(reference, level, confidence_level)
        for reference, level in zip_longest(references, levels)
    ]
    corrected = holm(np.array([step.p_value for step in steps])).tolist()
    return [
        LayerChange(*each)
        for each in zip(
            steps, corrected, gaining_nothing(steps), tied(levels), others, strict=True
        )
    ]


def _change(first: Level | None, second: Level, confidence_level: float) -> Change:
    if first is None:
        return Change()
    return change_between(first, second, confidence_level)


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
        One per layer.
    """
    gains = [place for place, step in enumerate(steps) if step.is_gain]
    marks = [False] * len(steps)
    for first, second in pairwise(gains):
        like = (steps[first].difference + steps[second].difference) / 2
        for place in range(first + 1, second):
            marks[place] = steps[place].high < _SHARE_OF_GAIN * like
    return marks


def tied(levels: Sequence[Level]) -> list[bool]:
    """Tell which levels cannot be told apart from the highest one, jointly at 5 %."""
    return (p_values_of_best(levels) >= _LEVEL_OF_TEST).tolist()


def best_layer(levels: Sequence[Level], held_out: Sequence[float]) -> int:
    """Choose the layer at which to cut a network for another task.

    Of the layers that cannot be told apart from the one of the highest level, it is the one
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
    places = np.flatnonzero(tied(levels)).tolist()
    return max(places, key=lambda place: (held_out[place], levels[place].score))
