"""Results on standard output."""

from __future__ import annotations

import json
import math
import os
import sys
from typing import Any

from .._lib.html import ALPHA
from .errors import CommandError

__all__ = ["check_output", "in_ascii", "write", "write_json"]

# Not every terminal can show more than ASCII.
_ASCII = str.maketrans(
    {
        "\N{MINUS SIGN}": "-",
        "∞": "inf",
        "\N{EN DASH}": "nan",
        "²": "^2",
        "≥": ">=",
        ALPHA: "alpha",
    }
)


def check_output() -> None:
    """Reject a closed standard output before the work rather than after it."""
    if sys.stdout is None or sys.stdout.closed:
        raise CommandError("standard output is closed; direct it to a file or to /dev/null")


def write(text: str) -> None:
    """Write a line, escaping characters that the output cannot encode.

    Raises
    ------
    BrokenPipeError
        If the reader, such as ``head``, has stopped reading.
    CommandError
        If writing fails, such as on a full disk.
    """
    encoding = sys.stdout.encoding or "utf-8"
    try:
        print(text.encode(encoding, "backslashreplace").decode(encoding), flush=True)
    except OSError as error:
        # Otherwise Python would try again at exit, and complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            raise
        raise CommandError(f"cannot write to standard output: {error.strerror}") from error


def write_json(results: dict[str, Any]) -> None:
    """Write an object as strict JSON, which has no infinity and no NaN."""
    write(json.dumps(_strict(results), allow_nan=False, indent=2))


def _strict(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _strict(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_strict(each) for each in value]
    if not isinstance(value, float) or math.isfinite(value):
        return value
    return None if math.isnan(value) else json.dumps(value)  # "Infinity"


def in_ascii(text: str) -> str:
    """Replace typographic signs of numbers by ASCII."""
    return text.translate(_ASCII)
