"""Warnings that point at the line of the user."""

from __future__ import annotations

import os
import sys
import warnings
from contextlib import nullcontext, redirect_stderr
from pathlib import Path

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


def warn_caller(message: str | Warning, category: type[Warning] | None = None) -> None:
    """Warn at the line of the user, outside this package and scikit-learn."""
    level, frame = 2, sys._getframe(1)
    while frame.f_back and frame.f_code.co_filename.startswith(_LIBRARIES):
        level, frame = level + 1, frame.f_back
    is_closed = getattr(sys.stderr, "closed", False)  # which Python does not expect
    with redirect_stderr(None) if is_closed else nullcontext():
        warnings.warn(message, category, stacklevel=level)
