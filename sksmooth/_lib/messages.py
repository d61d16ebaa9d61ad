"""Messages on standard error."""

from __future__ import annotations

import sys

__all__ = ["tell"]


def tell(message: str, end: str = "\n") -> None:
    """Write to standard error, if there is one.

    Windowed programs and daemons have none, or one that is closed or full. No work stops
    because nobody can read how far it has come.
    """
    if sys.stderr is None:  # where print() would take standard output
        return
    try:
        print(message, end=end, file=sys.stderr, flush=True)
    except (OSError, ValueError):
        return
