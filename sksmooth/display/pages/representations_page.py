"""The page of many representations, of one target or of several."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ..._lib.html import Html, OfNumbers, element, joined, number, table, visible
from ..._lib.tables import frame_html
from ...estimators.representations.columns import column_help, look_of
from ...estimators.representations.table import RepresentationComparison, in_words
from ..plots.representation_smoothness import (
    RepresentationSmoothnessDisplay,
    size_of_picture,
)
from .page import explained, listed, make_page, section
from .pictures import picture

__all__ = ["representations_page"]

_MOST_ROWS = 200  # of a table with bars; of one of several targets:
_MOST_ROWS_OF_TARGET = 40
_MOST_DRAWN = 50  # representations of one target; of several:
_DRAWN_TARGETS, _DRAWN_NAMES = 30, 12
_MOST_TARGETS, _MOST_NAMES = 60, 20  # of the table of both
_MOST_BYTES = 850_000  # of all sections, which leaves room for the frame of a page of 1 MB
_LONGEST_NAME = 60
_MOST_ON_SMALL = 6  # columns in a picture as wide as a telephone
_SUMMARY = {
    "mean_rank": "mean rank by held_out over the targets; 1 is the best",
    "n_best": "number of targets where it is the best",
    "n_tied_with_best": "number of targets where it cannot be told apart from the best",
}


def representations_page(result: RepresentationComparison, title: str) -> str:
    """Render a table of :func:`sksmooth.compare_representations` as one HTML page."""
    result = result.ranked()
    frame = result.frame
    if len(frame) == 0:
        raise ValueError("The table has no rows, so there is nothing to report.")
    names = frame["representation"].unique()
    subtitle = f"{len(names):,} representations"
    if "target" in frame:
        targets = frame["target"].unique()
        sections = _of_several(result, targets)
        subtitle += f", {len(targets):,} targets"
    else:
        sections = [
            element("section", *_sentences(frame)),
            section("From the best to the worst", _points(frame)),
            section("All numbers", _numbers(frame, _MOST_ROWS)),
        ]
    meaning = section(
        "What the columns mean",
        listed(column_help(frame.columns)),
        explained(frame.get("cautions", [])),
    )
    return make_page(title, subtitle, [*sections, meaning])


def _numbers(frame: pd.DataFrame, most_rows: int) -> Html:
    return frame_html(frame, look_of(), most_rows)


def _sentences(frame: pd.DataFrame) -> list[Html]:
    return [element("p", text) for text in in_words(frame)]


def _points(frame: pd.DataFrame) -> Html:
    drawn = frame.iloc[:_MOST_DRAWN]
    caption = (
        "The held-out score of each representation with its interval. The band is the "
        "interval of the best one; filled points cannot be told apart from it, by a paired "
        "comparison, which is sharper than that of two intervals."
    )
    if len(drawn) < len(frame):
        caption += f" The {len(drawn)} best of {len(frame)} are drawn."
    return _picture(drawn, f"{len(drawn)} representations", caption, is_wide=False)


# ---------------------------------------------------------------------- several targets


def _of_several(result: RepresentationComparison, targets: Any) -> list[Html]:
    summary, frame = result.summary(), result.frame
    names = list(summary.index)
    profile = _profile(result, targets[:_MOST_TARGETS], names[:_MOST_NAMES])
    sections = [
        section(
            "Over all targets",
            *_sentences(frame)[-1:],
            _summary_table(summary),
            listed(_SUMMARY),
        ),
        section("Target by target", _map(frame, targets, names), profile),
    ]
    n_bytes = sum(map(_size, sections))
    for n_done, target in enumerate(targets):
        part = _of_target(result.of(target).frame, target)
        n_bytes += _size(part)
        if n_bytes > _MOST_BYTES:
            left = f"The tables of {len(targets) - n_done} more targets are left out here."
            return [*sections, element("p", left)]
        sections.append(part)
    return sections


def _size(part: Html) -> int:
    return len(part.encode())


def _of_target(frame: pd.DataFrame, target: str) -> Html:
    numbers = _numbers(frame, _MOST_ROWS_OF_TARGET)
    heading = f"Target “{visible(target, _LONGEST_NAME)}”"
    return section(heading, *_sentences(frame), numbers)


def _summary_table(summary: pd.DataFrame) -> Html:
    shown = summary.iloc[:_MOST_DRAWN]
    heads = ["representation", *map(OfNumbers, _SUMMARY)]
    rows = [
        [
            visible(name, _LONGEST_NAME),
            number(row["mean_rank"], 2),
            *(f"{row[key]:.0f}" for key in ("n_best", "n_tied_with_best")),
        ]
        for name, row in shown.iterrows()
    ]
    caption = f"Ranks of {len(summary)} representations"
    if len(shown) < len(summary):
        caption += f"; the {len(shown)} best are shown"
    return table(heads, rows, caption)


def _profile(result: RepresentationComparison, targets: Any, names: list[str]) -> Html:
    """Make the table of targets and representations."""
    held_out = result.profile("held_out")
    is_tied = result.profile("tied_with_best").eq(True)  # a missing one is NaN
    heads = ["target", *(OfNumbers(visible(name, _LONGEST_NAME)) for name in names)]
    rows = [
        [
            visible(target, _LONGEST_NAME),
            *(_cell(held_out.loc[target, n], is_tied.loc[target, n]) for n in names),
        ]
        for target in targets
    ]
    caption = "Held-out score by target and representation"
    if len(held_out) > len(targets):
        caption += f", of the first {len(targets)} targets"
    if held_out.shape[1] > len(names):
        caption += f", of the {len(names)} representations that rank best"
    note = element("p", "Bold: cannot be told apart from the best of the target.")
    return joined([table(heads, rows, caption), note])


def _cell(value: float, is_tied: bool) -> Html:
    return element("b", number(value)) if is_tied else Html(number(value))


def _map(frame: pd.DataFrame, targets: Any, names: list[str]) -> Html:
    shown, best = targets[:_DRAWN_TARGETS], names[:_DRAWN_NAMES]
    drawn = frame[frame["target"].isin(shown) & frame["representation"].isin(best)]
    caption = (
        "The held-out score of each representation for each target: bold where it is not "
        "told apart from the best, the paler, the farther it is from that one."
    )
    if len(drawn) < len(frame):
        caption += (
            f" Of {len(targets)} targets the first {len(shown)} are drawn, of {len(names)} "
            f"representations the {len(best)} that rank best."
        )
    about = f"{len(best)} representations of {len(shown)} targets"
    return _picture(drawn, about, caption, is_wide=len(best) > _MOST_ON_SMALL)


def _picture(drawn: pd.DataFrame, about: str, caption: str, *, is_wide: bool) -> Html:
    scores = drawn["held_out"][np.isfinite(drawn["held_out"])]
    reach = f" between {scores.min():.3f} and {scores.max():.3f}" if len(scores) else ""
    alt = f"Held-out scores of {about}{reach}; the table below holds the numbers."

    def draw(axes: Any) -> None:
        RepresentationSmoothnessDisplay.from_comparison(drawn, ax=axes)

    return picture(draw, size_of_picture(drawn), alt, caption, is_wide=is_wide)
