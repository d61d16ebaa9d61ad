"""Mistakes of the user, reported in one line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

__all__ = ["MOST_NAMES", "CommandError", "listed", "one_line", "user_error"]

MOST_NAMES = 5  # in a line; more do not help


class CommandError(Exception):
    """A mistake of the user; its message names the problem and how to mend it."""


@contextmanager
def user_error(*kinds: type[BaseException], prefix: str) -> Iterator[None]:
    """Report these exceptions, which bad input causes, without a traceback."""
    try:
        yield
    except kinds as error:
        # An OSError would name the file once more.
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise CommandError(f"{prefix}: {reason}") from error


def listed(names: Sequence[str], kind: str = "") -> str:
    """List quoted names, after their kind in the singular or plural."""
    text = ", ".join(repr(name) for name in names[:MOST_NAMES])
    if len(names) > MOST_NAMES:
        text += f" and {len(names) - MOST_NAMES} more"
    return f"{kind}{'s' if len(names) > 1 else ''} {text}" if kind else text


def one_line(text: object) -> str:
    """Replace line breaks by spaces."""
    return " ".join(str(text).split())
