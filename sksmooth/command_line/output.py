"""Results on standard output."""

from __future__ import annotations

import os
import sys

from .errors import CommandError

__all__ = ["check_output", "write"]


def check_output() -> None:
    """Refuse a standard output that is closed before the work, rather than after it."""
    if sys.stdout is None or sys.stdout.closed:
        raise CommandError("standard output is closed; direct it to a file or to /dev/null")


def write(text: str) -> None:
    """Write a line, of which characters that the output does not know are escaped.

    Raises
    ------
    BrokenPipeError
        If the reader, such as ``head``, has seen enough.
    CommandError
        If it cannot be written, as to a full disk.
    """
    encoding = sys.stdout.encoding or "utf-8"
    try:
        print(text.encode(encoding, "backslashreplace").decode(encoding), flush=True)
    except OSError as error:
        # Else Python would try once more at its end, and complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            raise
        raise CommandError(f"cannot write to standard output: {error.strerror}") from error
