"""User errors, reported in one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["CommandError", "one_line", "user_error", "with_options"]


class CommandError(Exception):
    """A user error; its message names the problem and how to fix it."""


@contextmanager
def user_error(*kinds: type[BaseException], prefix: str) -> Iterator[None]:
    """Report these exceptions, which bad input causes, without a traceback."""
    try:
        yield
    except kinds as error:
        # An OSError would repeat the name of the file.
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise CommandError(f"{prefix}: {with_options(reason)}") from error


def one_line(text: object) -> str:
    """Replace line breaks by spaces."""
    return " ".join(str(text).split())


def with_options(text: str) -> str:
    """Replace advice for Python about the target by advice for the command line."""
    said, is_censored, _ = text.partition("Drop these rows: ")
    if is_censored:
        return (
            f"{said}Remove those rows from the file, or replace each value by its bound, "
            "which hides how far off it is."
        )
    if "y.astype(" not in text:
        return text
    return f"{text} (Here: --task classification or --task regression.)"
