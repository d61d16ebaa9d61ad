"""Results as text for terminals: lines of 80 characters at most, with numbers in ASCII.

``print(result)`` shows a short summary made of these pieces, and no encoding of a terminal
lacks their signs. Nothing here knows what is shown.
"""

from __future__ import annotations

import math
import re
import textwrap
from collections.abc import Iterable, Sequence

from .html import visible

__all__ = [
    "WIDTH",
    "aligned",
    "enumerated",
    "paragraphs",
    "plain_number",
    "plain_p_value",
    "told_p_value",
    "with_ends",
]

WIDTH = 80
_SMALLEST_P = 0.001  # below which only the bound is shown
_JOINT = "\x1f"  # a space at which no line ends; names hold none, as they are visible
_TOGETHER = re.compile(r" (?=%)|(?<=\bp) (?=[<=] )|(?<=\bp [<=]) ")  # "5 %", "p < 0.1"
_NARROWEST = 8  # of the column of names


def plain_number(value: float, places: int = 3, sign: str = "") -> str:
    """Write a number in ASCII: ``-`` for NaN, ``inf`` for infinity.

    Examples
    --------
    >>> from sksmooth._lib.text import plain_number
    >>> plain_number(0.12345), plain_number(float("nan")), plain_number(float("inf"))
    ('0.123', '-', 'inf')
    """
    return "-" if math.isnan(value) else f"{value:{sign}z.{places}f}"


def plain_p_value(value: float) -> str:
    """Write a p-value as people do: ``0.032``, or ``< 0.001``."""
    is_small = value < _SMALLEST_P  # False for NaN
    return f"< {_SMALLEST_P}" if is_small else plain_number(value)


def told_p_value(value: float) -> str:
    """Write a p-value with its name: ``p = 0.032``, or ``p < 0.001``."""
    return f"p {'' if value < _SMALLEST_P else '= '}{plain_p_value(value)}"


def with_ends(
    value: float, interval: Sequence[float], places: int = 2, sign: str = ""
) -> str:
    """Write a number and its interval: ``0.31 [0.27, 0.34]``."""
    if math.isnan(value):
        return plain_number(value)
    low, high = (plain_number(end, places, sign) for end in interval)
    return f"{plain_number(value, places, sign)} [{low}, {high}]"


def enumerated(names: Sequence[str], most: int | None = None) -> str:
    """List names as in a sentence; of more than ``most``, count the others.

    Examples
    --------
    >>> from sksmooth._lib.text import enumerated
    >>> enumerated(["a"]), enumerated(["a", "b"]), enumerated(["a", "b", "c"])
    ('a', 'a and b', 'a, b and c')
    >>> enumerated(["a", "b", "c"], most=2), enumerated(["a", "b", "c"], most=1)
    ('a, b and 1 other', 'a and 2 others')
    """
    if most is not None and len(names) > most:
        n_others = len(names) - most
        names = [*names[:most], f"{n_others} other{'s' * (n_others > 1)}"]
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def paragraphs(texts: Iterable[str]) -> str:
    """Wrap every text at the width of a terminal, and put each on lines of its own."""
    whole = [_TOGETHER.sub(_JOINT, text) for text in texts if text]
    lines = "\n".join(textwrap.fill(text, WIDTH, break_on_hyphens=False) for text in whole)
    return lines.replace(_JOINT, " ")


def aligned(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    r"""Align rows of text below their heads: names to the left, all else to the right.

    Long names, in the first column, are cut in their middle so that lines fit.

    Examples
    --------
    >>> from sksmooth._lib.text import aligned
    >>> print(*aligned(("layer", "alpha"), [("input", "0.25"), ("0", "0.3")]), sep="\n")
    layer  alpha
    input   0.25
    0        0.3
    """
    rows = [tuple(heads), *map(tuple, rows)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    left = max(WIDTH - sum(width + 2 for width in widths[1:]), _NARROWEST)
    names = [visible(row[0], left - 1 if len(row[0]) > left else left) for row in rows]
    widths[0] = max(map(len, names))
    return [
        "  ".join(
            [
                f"{name:<{widths[0]}}",
                *(f"{cell:>{n}}" for cell, n in zip(row[1:], widths[1:], strict=True)),
            ]
        ).rstrip()
        for name, row in zip(names, rows, strict=True)
    ]
