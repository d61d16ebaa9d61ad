"""Picture files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from .errors import CommandError, user_error

__all__ = ["check_picture_path", "new_figure", "save_picture"]

_SUFFIXES = (".png", ".pdf", ".svg")


def check_picture_path(path: Path) -> None:
    """Fail before the work, not after it."""
    if path.suffix.lower() not in _SUFFIXES:
        kinds = ", ".join(_SUFFIXES)
        raise CommandError(f"{path}: the name of a picture must end in one of {kinds}")
    if path.is_dir():
        raise CommandError(f"{path} is a folder; give the name of a picture in it")
    if not path.parent.is_dir():
        raise CommandError(f"{path}: there is no folder {path.parent}; make it first")
    if not os.access(path.parent, os.W_OK):
        raise CommandError(f"{path}: the folder {path.parent} is not writable")


def new_figure(width: float, height: float) -> Any:
    """A figure that needs no display, unlike those of pyplot."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def save_picture(figure: Any, path: Path) -> None:
    """Write a picture whole or not at all."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with user_error(OSError, prefix=f"cannot write {path}"):
            figure.savefig(temporary, format=path.suffix[1:].lower(), dpi=150)
            temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
