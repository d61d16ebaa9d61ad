"""Atomic files: written completely, or not at all."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["atomic_write", "check_writable"]


@contextmanager
def atomic_write(path: str | os.PathLike) -> Iterator[Path]:
    """Yield a temporary path whose file replaces ``path`` when the block ends.

    After an error, an interruption or on a full disk, ``path`` still holds what was there
    before. The temporary file is in the same folder and has the same suffix, from which
    libraries infer the format.

    Parameters
    ----------
    path : str or path
        What is to be written. A symbolic link stays one: the file it leads to is replaced,
        with its mode, but not with its owner or other names (hard links).

    Yields
    ------
    temporary : Path
        What to write to in the block; an empty file that is there already.

    Raises
    ------
    OSError
        If the file cannot be written: its message says why, and ``filename`` is ``path``.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from sksmooth._lib.files import atomic_write
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "table.csv")
    ...     with atomic_write(path) as temporary:
    ...         _ = temporary.write_text("a,b")
    ...     path.read_text(), len(list(path.parent.iterdir()))
    ('a,b', 1)
    """
    path = Path(path)
    check_writable(path)
    target = Path(os.path.realpath(path))
    # Not that of the file, which may be as long as names can be.
    temporary = target.with_name(f".sksmooth-{secrets.token_hex(8)}{path.suffix}")
    try:
        temporary.touch(exist_ok=False)
        if target.exists():
            shutil.copymode(target, temporary)
        yield temporary
        _flush_to_disk(temporary)
        temporary.replace(target)
    except OSError as error:
        if error.errno is None or error.filename not in (None, str(temporary), temporary):
            raise  # about something else
        raise OSError(error.errno, error.strerror, str(path)) from error
    finally:
        temporary.unlink(missing_ok=True)


def check_writable(path: str | os.PathLike) -> None:
    """Reject a path that cannot be written, before the work rather than after it.

    Raises
    ------
    OSError
        If it is a folder, a device or a pipe, if it has no folder, or if there is no
        permission to write.
    """
    path = Path(path)
    folder = Path(os.path.realpath(path)).parent
    if path.is_dir():
        problem = errno.EISDIR, "is a folder; pass the name of a file in it"
    elif path.exists() and not path.is_file():
        problem = errno.EINVAL, "is a device or a pipe; pass the name of a file"
    elif not folder.is_dir():
        problem = errno.ENOENT, f"there is no folder {path.parent}; create it first"
    elif not os.access(folder, os.W_OK):
        problem = errno.EACCES, f"the folder {path.parent} is not writable"
    elif path.exists() and not os.access(path, os.W_OK):
        problem = errno.EACCES, "the file exists and is not writable"
    else:
        return
    raise OSError(*problem, str(path))


def _flush_to_disk(path: Path) -> None:
    """Force the data to disk, so that a full disk fails before the old file is replaced."""
    descriptor = os.open(path, os.O_WRONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
