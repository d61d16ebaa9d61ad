"""Mistakes of the user, reported in one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["CommandError", "one_line", "user_error"]


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


def one_line(text: object) -> str:
    """Replace line breaks by spaces."""
    return " ".join(str(text).split())
