"""What a table of layers says in words: cards, pages and ``print`` show the same."""

from __future__ import annotations

import numpy as np
import pandas as pd

from .._lib.html import visible
from .._lib.messages import MOST_NAMES
from .._lib.text import enumerated, told_p_value
from ..estimators.verdict import percent
from ..estimators.words import FEW, amount, smoothest
from .columns import REFERENCE

__all__ = ["in_words"]

_LONGEST_NAME = 40
_NO_LOSS = "No layer is shown to lose smoothness."
_SPEAKS = 0.005  # a smaller score rounds to 0.00
_VERBS = {
    "loses_smoothness": ("loses smoothness", "lose smoothness"),
    "gains_nothing": (
        "gains nothing, between others that gain",
        "gain nothing, between others that gain",
    ),
    "loses_to_reference": ("loses to the reference", "lose to the reference"),
}


def in_words(
    frame: pd.DataFrame, most_labels: int = MOST_NAMES, *, is_short: bool = False
) -> list[str]:
    """Say which layer is the smoothest and which layers have marks, as far as columns tell.

    Parameters
    ----------
    frame : DataFrame
        A table of :func:`~sksmooth.compare_layers`.
    most_labels : int, default=5
        Largest number of labellings that have sentences of their own; if there are more,
        none has.
    is_short : bool, default=False
        Whether to leave out the sentence that no layer loses smoothness.

    Returns
    -------
    sentences : list of str
        The sentences.
    """
    if "labels" not in frame:
        return _of_labels(frame, is_short)
    parts = list(frame.groupby("labels", sort=False))
    if len(parts) > most_labels:
        return [f"{len(parts)} labellings; select one of them by of(labels)."]
    return [
        f"{visible(name, _LONGEST_NAME)}: {text}"
        for name, part in parts
        for text in _of_labels(part, is_short)
    ]


def _of_labels(frame: pd.DataFrame, is_short: bool) -> list[str]:
    """Say the same of the layers of one labelling."""
    marked = _of_marks(frame)
    if not (marked or is_short) and "loses_smoothness" in frame:
        marked = [_NO_LOSS]
    return [*_of_best(frame), *marked]


def _of_best(frame: pd.DataFrame) -> list[str]:
    if not {"layer", "held_out", "tied_with_best"} <= set(frame.columns):
        return _of_highest_alpha(frame)
    if frame["held_out"].isna().all():
        return ["No layer has a held-out score."]
    if "explained_low" in frame and (frame["explained_low"] <= 0).all():
        return ["No layer is shown to explain anything."]
    tied = frame["tied_with_best"].astype(bool)
    # Some of the rows of a table may be without those that are tied.
    best = _highest(frame[tied] if tied.any() else frame, "held_out")
    highest = _highest(frame, "held_out")
    if best["held_out"] < highest["held_out"] or highest["held_out"] < _SPEAKS:
        return [_of_test_samples(best, highest), *_of_reference(best)]
    text = smoothest(
        [visible(name, _LONGEST_NAME) for name in frame["layer"]],
        frame["held_out"].tolist(),
        tied.tolist(),
        kind="layer",
        explained=frame["explained"].tolist() if "explained" in frame else None,
        is_named_by_kind=True,
    )
    return [text, *_of_reference(best)]


def _highest(frame: pd.DataFrame, name: str) -> pd.Series:
    """Return the row in which a column is the largest."""
    return frame.iloc[int(np.argmax(frame[name].fillna(-np.inf)))]


def _of_test_samples(best: pd.Series, highest: pd.Series) -> str:
    """Say that test samples rank the layers otherwise than the given samples."""
    names = [visible(row["layer"], _LONGEST_NAME) for row in (best, highest)]
    text = f"Layer {names[0]} separates the given samples best"
    if "explained" in best:
        text += f" ({percent(best['explained'])} explained)"
    if highest["held_out"] < _SPEAKS:
        return f"{text}, but no layer explains anything of the test samples."
    return (
        f"{text}; on the test samples layer {names[1]} has the highest score "
        f"({amount(highest['held_out'])}, against {amount(best['held_out'])})."
    )


def _of_highest_alpha(frame: pd.DataFrame) -> list[str]:
    """Name the layer of the highest index, where held-out scores are missing."""
    if not {"layer", "alpha"} <= set(frame.columns) or frame["alpha"].isna().all():
        return ["No layer has an index."]
    best = _highest(frame, "alpha")
    text = f"Layer {visible(best['layer'], _LONGEST_NAME)} has the highest alpha "
    text += f"({amount(best['alpha'])})"
    if best.get("explained", np.nan) >= 0:  # not of trees that have seen all samples
        text += f"; trees explain {percent(best['explained'])} of the variance on it"
    return [f"{text}."]


def _of_reference(best: pd.Series) -> list[str]:
    """Compare the smoothest layer with the same layer of the reference."""
    if not {column.name for column in REFERENCE} <= set(best.index):
        return []
    difference, p_value = best["reference_difference"], best["reference_p_value"]
    if np.isnan(difference) or np.isnan(p_value):
        return []
    name, told = visible(best["layer"], _LONGEST_NAME), told_p_value(p_value)
    if best["reference_low"] <= 0 <= best["reference_high"]:
        return [f"Layer {name} cannot be told apart from that of the reference ({told})."]
    how = "smoother" if difference > 0 else "rougher"
    by = amount(abs(difference))
    return [f"Layer {name} is {how} than that of the reference, by {by} ({told})."]


def _of_marks(frame: pd.DataFrame) -> list[str]:
    marked = [
        _marked(frame, mark, *verbs)
        for mark, verbs in _VERBS.items()
        if mark in frame and "layer" in frame
    ]
    return list(filter(None, marked))


def _marked(frame: pd.DataFrame, mark: str, of_one: str, of_several: str) -> str:
    """Say which layers have a mark; nothing if none has."""
    layers = frame["layer"][frame[mark].astype(bool)]
    if layers.empty:
        return ""
    names = [visible(name, _LONGEST_NAME) for name in layers]
    verb, kind = (of_one, "layer") if len(layers) == 1 else (of_several, "layers")
    return f"{len(layers)} of {len(frame)} {verb}: {kind} {enumerated(names, FEW)}."
