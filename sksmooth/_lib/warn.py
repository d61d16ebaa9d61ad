"""Warnings that point at the line of the user, each kind once a line."""

from __future__ import annotations

import os
import sys
import threading
import warnings
from collections.abc import Sequence
from contextlib import nullcontext, redirect_stderr
from functools import cache
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import joblib
import sklearn

__all__ = ["warn_caller"]

_LIBRARIES = tuple(
    f"{folder}{os.sep}"
    for folder in (
        Path(joblib.__file__).parent,
        Path(sklearn.__file__).parent,
        Path(__file__).parents[1],
    )
)
# What lines have said, by the code that they belong to, which is kept so that its id stays
# its own. A cell of a notebook is other code whenever it is run.
_SAID: dict[int, tuple[CodeType, set[tuple[type[Warning], int]]]] = {}
_SAYING = threading.Lock()


def warn_caller(*cautions: Warning) -> None:
    """Warn at the line of the user, outside this package and scikit-learn.

    Several cautions are one warning, of a class that derives from the class of each, so
    that filters find it. Where the filters ask for a warning once a line, which is
    Python's default, a line says each kind once, whatever the figures in its text are: a
    grid search calls ``fit`` a hundred times. Python itself compares whole texts, and
    forgets what it has said whenever a library changes the filters for a moment.

    Parameters
    ----------
    *cautions : Warning
        What to say.
    """
    frame = _line_of_user()
    with _SAYING:
        unsaid = [caution for caution in cautions if _is_to_be_said(caution, frame)]
    if not unsaid:
        return
    is_closed = getattr(sys.stderr, "closed", False)  # which Python does not expect
    with redirect_stderr(None) if is_closed else nullcontext():
        warnings.warn_explicit(
            _joined(unsaid),
            type(unsaid[0]),
            frame.f_code.co_filename,
            frame.f_lineno,
            frame.f_globals.get("__name__"),
        )


def _line_of_user() -> FrameType:
    frame = sys._getframe(1)
    while frame.f_back and frame.f_code.co_filename.startswith(_LIBRARIES):
        frame = frame.f_back
    return frame


def _is_to_be_said(caution: Warning, frame: FrameType) -> bool:
    """Ask the filters, and for what they want once, whether it has been said."""
    action = _action(caution, frame)
    if action not in ("default", "module", "once"):
        return action != "ignore"
    code = frame.f_code
    _, said = _SAID.setdefault(id(code), (code, set()))
    what = (type(caution), frame.f_lineno)
    is_new = what not in said
    said.add(what)
    return is_new


def _action(caution: Warning, frame: FrameType) -> str:
    """Find the filter that holds for a warning, as :mod:`warnings` does."""
    module = frame.f_globals.get("__name__") or "<unknown>"
    for action, text, kind, place, line in warnings.filters:
        if (
            _fits(text, str(caution))
            and isinstance(caution, kind)
            and _fits(place, module)
            and line in (0, frame.f_lineno)
        ):
            return action
    return "default"


def _fits(pattern: Any, text: str) -> bool:
    if pattern is None or isinstance(pattern, str):  # strings come from Python itself
        return pattern in (None, text)
    return pattern.match(text) is not None


def _joined(cautions: Sequence[Warning]) -> Warning:
    if len(cautions) == 1:
        return cautions[0]
    kinds = tuple(dict.fromkeys(map(type, cautions)))
    return _joint(kinds, " ".join(map(str, cautions)))


def _joint(kinds: tuple[type[Warning], ...], text: str) -> Warning:
    return _kind_of_all(kinds)(text)


@cache
def _kind_of_all(kinds: tuple[type[Warning], ...]) -> type[Warning]:
    if len(kinds) == 1:
        return kinds[0]

    def reduced(self: Warning) -> tuple[Any, ...]:
        # No module holds the class, and a worker sends back a warning that is an error.
        return _joint, (kinds, *self.args)

    name = ", ".join(kind.__name__ for kind in kinds)
    return type(name, kinds, {"__reduce__": reduced})
