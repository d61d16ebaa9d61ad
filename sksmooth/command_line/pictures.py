"""Files that commands write."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .._lib.files import atomic_write, check_writable
from .errors import CommandError, user_error

__all__ = ["check_picture_path", "check_report_path", "save_picture"]

_PICTURES = (".png", ".pdf", ".svg")
_PAGES = (".html", ".htm")


def check_picture_path(path: Path) -> None:
    """Reject a path before the work, rather than after it."""
    _check_path(path, _PICTURES, "a picture")


def check_report_path(path: Path) -> None:
    """Reject a path before the work, rather than after it."""
    _check_path(path, _PAGES, "a report")


def _check_path(path: Path, suffixes: tuple[str, ...], kind: str) -> None:
    if path.suffix.lower() not in suffixes:
        kinds = ", ".join(suffixes)
        raise CommandError(f"{path}: the name of {kind} must end in one of {kinds}")
    with user_error(OSError, prefix=str(path)):
        check_writable(path)


def save_picture(figure: Any, path: Path) -> None:
    """Write a picture atomically."""
    with (
        user_error(OSError, prefix=f"cannot write {path}"),
        atomic_write(path) as temporary,
    ):
        figure.savefig(temporary, format=path.suffix[1:].lower(), dpi=150)
