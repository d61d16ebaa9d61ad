"""Small pieces of HTML, safe by construction: what is not HTML already is escaped.

Nothing here knows what is shown. The styles work on light and on dark pages: text has the
colour of its surroundings, and the colours of marks stand out from both.
"""

from __future__ import annotations

import html
import math
import re
from collections.abc import Iterable, Sequence
from typing import Any

__all__ = [
    "ALPHA",
    "STYLE",
    "Html",
    "OfNumbers",
    "card",
    "element",
    "ends_of_bars",
    "facts_table",
    "folded",
    "interval_bar",
    "joined",
    "number",
    "p_value_number",
    "scrolling",
    "share_bar",
    "table",
    "visible",
]

ALPHA = "\N{GREEK SMALL LETTER ALPHA}"
_LONGEST_TEXT = 500
_LONGEST_LINE = 40  # in a cell
_VOID = {"img", "link", "meta"}  # elements without an end
# Characters that HTML forbids (controls, surrogates, non-characters) or that reorder the
# text around them; joiners, which some scripts need, are none of them.
_UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufdd0-\ufdef"
    + "".join(
        map(chr, [*range(0xFFFE, 0x110000, 0x10000), *range(0xFFFF, 0x110000, 0x10000)])
    )
    + "]"
)

STYLE = """
.sksmooth { --sksmooth-blue: #3b82c4; --sksmooth-red: #d1495b; line-height: 1.45; }
.sksmooth table { border-collapse: collapse; margin: 0.4em 0; }
.sksmooth caption { text-align: start; padding: 0.3em 0.6em 0.3em 0; font-weight: 600; }
.sksmooth th, .sksmooth td { padding: 0.25em 0.5em; text-align: start; white-space: nowrap;
  border-bottom: 1px solid rgba(128, 128, 128, 0.35); vertical-align: middle; }
.sksmooth .sksmooth-number { text-align: end; font-variant-numeric: tabular-nums; }
.sksmooth td.sksmooth-number { white-space: normal; }
.sksmooth .sksmooth-name { white-space: pre; }
.sksmooth .sksmooth-long { white-space: pre-wrap; overflow-wrap: anywhere;
  min-width: 16em; }
.sksmooth-scroll { overflow-x: auto; max-width: 100%; }
.sksmooth-bar { display: inline-block; position: relative; width: 8em; height: 1em;
  vertical-align: middle; background: rgba(128, 128, 128, 0.18); }
.sksmooth-bar > * { position: absolute; top: 0; height: 100%; }
.sksmooth-bar > .sksmooth-span { background: var(--sksmooth-blue); opacity: 0.5; }
.sksmooth-bar > .sksmooth-point { background: var(--sksmooth-blue); width: 0.25em;
  margin-left: -0.12em; }
.sksmooth-bar > .sksmooth-zero { background: currentColor; width: 1px; opacity: 0.6; }
.sksmooth-loss > .sksmooth-span, .sksmooth-loss > .sksmooth-point {
  background: var(--sksmooth-red); }
.sksmooth-card { border: 1px solid rgba(128, 128, 128, 0.5); border-radius: 0.4em;
  padding: 0.6em 0.9em; margin: 0.5em 0; width: fit-content; max-width: 95%; }
.sksmooth-card p { margin: 0.3em 0; }
.sksmooth-card .sksmooth-alpha { font-size: 1.25em; font-weight: 600; }
.sksmooth-mark { font-weight: 600; white-space: nowrap; }
.sksmooth-quiet { opacity: 0.75; font-size: 0.92em; }
.sksmooth summary { cursor: pointer; }
"""


class Html(str):
    """Text that is HTML already; all other text is escaped where it is put in."""

    __slots__ = ()


class OfNumbers(str):
    """The head of a column of numbers, which are set right."""

    __slots__ = ()


def visible(text: Any, longest: int = _LONGEST_TEXT) -> str:
    r"""Make text one visible line: what cannot be seen is written in Python's notation.

    Examples
    --------
    >>> from sksmooth._lib.html import visible
    >>> print(visible("two\nlines"), visible("\ud800"), visible("x" * 1000, 9))
    two\nlines \ud800 xxxx…xxxx
    """
    text = str(text)
    if len(text) > longest:
        half = longest // 2
        text = f"{text[:half]}\N{HORIZONTAL ELLIPSIS}{text[-half:]}"
    return _UNSEEN.sub(lambda found: ascii(found[0])[1:-1], text)


def element(tag: str, *content: Any, **attributes: Any) -> Html:
    """Make an element of its content and attributes; those that are None are left out.

    An underscore in the name of an attribute stands for a hyphen, at its end for nothing.

    Examples
    --------
    >>> from sksmooth._lib.html import element
    >>> element("p", "1 < 2 ", element("b", "&"), class_="plain")
    '<p class="plain">1 &lt; 2 <b>&amp;</b></p>'
    """
    given = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{_as_html(value)}"'
        for name, value in attributes.items()
        if value is not None
    )
    if tag in _VOID:
        return Html(f"<{tag}{given}>")
    return Html(f"<{tag}{given}>{joined(content)}</{tag}>")


def joined(content: Iterable[Any]) -> Html:
    """Join pieces, one after the other."""
    return Html("".join(map(_as_html, content)))


def _as_html(value: Any) -> str:
    return value if isinstance(value, Html) else html.escape(visible(value))


def number(value: float, places: int = 3, sign: str = "") -> str:
    """Write a number as people read it: a dash for NaN, and a sign for infinity."""
    if math.isnan(value):
        return "\N{EN DASH}"
    if math.isinf(value):
        return "\N{INFINITY}" if value > 0 else "\N{MINUS SIGN}\N{INFINITY}"
    return f"{value:{sign}z.{places}f}".replace("-", "\N{MINUS SIGN}")


def p_value_number(value: float, places: int = 4) -> str:
    """Write a p-value; one that rounds to zero is shown as a bound."""
    smallest = 10.0**-places
    if value < smallest:
        return f"<\N{NO-BREAK SPACE}{number(smallest, places)}"
    return number(value, places)


def interval_bar(
    value: float,
    low: float,
    high: float,
    ends: tuple[float, float],
    *,
    is_loss: bool = False,
) -> Html:
    """Mark a number and its interval on a bar that goes from one end to the other."""
    if math.isnan(value):
        return Html("")
    parts = []
    if ends[0] < 0 < ends[1]:
        parts.append(element("span", class_="sksmooth-zero", style=f"left:{_at(0, ends)}%"))
    left, right = _at(low, ends), _at(high, ends)
    place = f"left:{left}%;width:{max(right - left, 0):.4g}%"
    parts.append(element("span", class_="sksmooth-span", style=place))
    place = f"left:{_at(value, ends)}%"
    parts.append(element("span", class_="sksmooth-point", style=place))
    return element(
        "span",
        *parts,
        class_="sksmooth-bar sksmooth-loss" if is_loss else "sksmooth-bar",
        role="img",
        aria_label=f"{number(value)}, interval {number(low)} to {number(high)}",
    )


def ends_of_bars(
    values: Iterable[float], lows: Iterable[float], highs: Iterable[float]
) -> tuple[float, float]:
    """Choose ends for the bars of a table: zero, all values, and part of their intervals.

    A wide interval reaches beyond the values by half of their range at most, so that it
    does not hide the differences between them.
    """
    rows = [row for row in zip(values, lows, highs, strict=True) if math.isfinite(row[0])]
    first = min([0.0, *(row[0] for row in rows)])
    last = max([0.0, *(row[0] for row in rows)])
    margin = 0.5 * (last - first) or 1.0
    low = min([first, *(max(row[1], first - margin) for row in rows)])
    high = max([last, *(min(row[2], last + margin) for row in rows)])
    return float(low), float(high) if high > low else float(low) + 1.0


def share_bar(value: float, largest: float) -> Html:
    """Draw a share of the largest value as the length of a bar; negative ones have none."""
    share = min(max(value / largest, 0.0), 1.0) if largest > 0 else 0.0
    length = element(
        "span", class_="sksmooth-span", style=f"left:0;width:{100 * share:.4g}%"
    )
    return element(
        "span", length, class_="sksmooth-bar", role="img", aria_label=number(value)
    )


def _at(value: float, ends: tuple[float, float]) -> float:
    """Find the place of a value on a bar, in per cent of its length."""
    if math.isnan(value):
        return 0.0
    share = (min(max(value, ends[0]), ends[1]) - ends[0]) / (ends[1] - ends[0])
    return round(100 * share, 2)


def table(heads: Sequence[str], rows: Iterable[Sequence[Any]], caption: str) -> Html:
    """Put a table in a box that scrolls if it is wide."""
    kinds = ["sksmooth-number" if isinstance(head, OfNumbers) else None for head in heads]
    named = zip(heads, kinds, strict=True)
    head = element("tr", *(element("th", n, scope="col", class_=kind) for n, kind in named))
    body = [
        element("tr", *(_cell(c, kind) for c, kind in zip(row, kinds, strict=True)))
        for row in rows
    ]
    whole = element(
        "table",
        element("caption", caption),
        element("thead", head),
        element("tbody", *body),
    )
    return scrolling(whole, caption)


def _cell(content: Any, kind: str | None) -> Html:
    if kind is None and not isinstance(content, Html):
        kind = "sksmooth-long" if len(visible(content)) > _LONGEST_LINE else "sksmooth-name"
    elif not isinstance(content, Html):  # in a narrow table, an interval stands below
        content = visible(content).replace(", ", ",\N{NO-BREAK SPACE}")
    return element("td", content, class_=kind)


def facts_table(facts: dict[str, Any], caption: str) -> Html:
    """Put facts into a table, a row each after its name."""
    rows = [
        element("tr", element("th", name, scope="row"), _cell(fact, None))
        for name, fact in facts.items()
    ]
    whole = element("table", element("caption", caption), element("tbody", *rows))
    return scrolling(whole, caption)


def scrolling(content: Html, label: str, class_: str = "sksmooth-scroll") -> Html:
    """Put content in a box that scrolls, by keyboard too, which needs a tabindex."""
    return element(
        "div", content, class_=class_, tabindex=0, role="region", aria_label=label
    )


def folded(heading: str, *content: Any) -> Html:
    """Fold content away below a heading that opens it, without a script."""
    return element("details", element("summary", heading), *content)


def card(*content: Any) -> Html:
    """Put content in a box for notebooks, with the styles that it needs."""
    box = element("div", *content, class_="sksmooth sksmooth-card")
    return joined([element("style", Html(STYLE)), box])
