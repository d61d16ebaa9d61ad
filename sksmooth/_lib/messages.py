"""Messages: names in them, and those on standard error."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

__all__ = ["MOST_NAMES", "listed", "naming", "tell"]

MOST_NAMES = 5  # in a line; more do not help


def listed(names: Sequence[object], kind: str = "") -> str:
    """List quoted names, after their kind in the singular or plural."""
    text = ", ".join(repr(name) for name in names[:MOST_NAMES])
    if len(names) > MOST_NAMES:
        text += f" and {len(names) - MOST_NAMES} more"
    return f"{kind}{'s' if len(names) > 1 else ''} {text}" if kind else text


@contextmanager
def naming(what: str) -> Iterator[None]:
    """Add to errors the name of what is being measured."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{what}: {error}") from error
    except Exception as error:
        error.add_note(f"This happened while measuring {what}.")
        raise


def tell(message: str) -> None:
    """Write a line to standard error, if there is one, above any progress bar.

    Windowed programs and daemons have no standard error, or one that is closed or full. No
    work stops because nobody can read how far it has come.
    """
    if sys.stderr is None:  # where print() would take standard output
        return
    # A bar that is being drawn knows how to make room for a line.
    tqdm = sys.modules.get("tqdm")
    try:
        if tqdm is None:
            print(message, file=sys.stderr, flush=True)
        else:
            tqdm.tqdm.write(message, file=sys.stderr)
    except (OSError, ValueError):
        return
