"""Picture files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .._writing import check_writable, written_whole
from .errors import CommandError, user_error

__all__ = ["check_picture_path", "new_figure", "save_picture"]

_SUFFIXES = (".png", ".pdf", ".svg")


def check_picture_path(path: Path) -> None:
    """Fail before the work, not after it."""
    if path.suffix.lower() not in _SUFFIXES:
        kinds = ", ".join(_SUFFIXES)
        raise CommandError(f"{path}: the name of a picture must end in one of {kinds}")
    with user_error(OSError, prefix=str(path)):
        check_writable(path)


def new_figure(width: float, height: float) -> Any:
    """A figure that needs no display, unlike those of pyplot."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def save_picture(figure: Any, path: Path) -> None:
    """Write a picture whole or not at all."""
    with (
        user_error(OSError, prefix=f"cannot write {path}"),
        written_whole(path) as temporary,
    ):
        figure.savefig(temporary, format=path.suffix[1:].lower(), dpi=150)
