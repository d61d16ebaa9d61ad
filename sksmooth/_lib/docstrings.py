"""Fill lists into docstrings that are made from registries."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

__all__ = ["documented"]

_Documented = TypeVar("_Documented", bound=Callable[..., Any])
_WIDTH = 92


def documented(**lists: Mapping[str, str]) -> Callable[[_Documented], _Documented]:
    """Replace ``{name}``, alone on a line of the docstring, by a list of that name.

    So an entry that is added to a registry is documented without a change elsewhere.

    Parameters
    ----------
    **lists : dict of str to str
        For each list its entries, and what they mean.

    Returns
    -------
    decorator : callable
        Decorator of a function or class. Without docstrings (``python -OO``) it does
        nothing.
    """

    def filled(documented: _Documented) -> _Documented:
        if documented.__doc__ is not None:
            documented.__doc__ = re.sub(
                r"^( *)\{(\w+)\}$",
                lambda found: _as_list(lists[found[2]], found[1]),
                documented.__doc__,
                flags=re.MULTILINE,
            )
        return documented

    return filled


def _as_list(entries: Mapping[str, str], indent: str) -> str:
    return "\n".join(
        textwrap.fill(
            f"- ``{name}``: {meaning}.",
            _WIDTH,
            initial_indent=indent,
            subsequent_indent=f"{indent}  ",
            break_long_words=False,
            break_on_hyphens=False,
        )
        for name, meaning in entries.items()
    )
