"""Read tables from text files, as spreadsheets, R and pandas write them."""

from __future__ import annotations

import bz2
import codecs
import gzip
import io
import lzma
import re
import sys
import warnings
import zipfile
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import IO, Any

import pandas as pd

from .._lib.messages import listed
from .columns import labels_rows, note, numbers_rows

__all__ = [
    "MISSING",
    "STANDARD_INPUT",
    "SUFFIXES",
    "data_path",
    "is_text_file",
    "numbered_names",
    "read_text",
]

SUFFIXES = (".csv", ".tsv", ".txt")
STANDARD_INPUT = Path("<standard input>")
# In addition to those of pandas, such as NA and empty cells.
MISSING = ("?", "na", "#DIV/0!", "#NAME?", "#NUM!", "#REF!", "#VALUE!")
_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",  # starts with the mark of UTF-16
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


def _open_zip(path: Path, mode: str) -> IO[bytes]:
    archive = zipfile.ZipFile(path)
    names = [name for name in archive.namelist() if not name.startswith("__MACOSX/")]
    if len(names) != 1:
        raise ValueError(f"it holds {len(names)} files ({listed(names)}) instead of one")
    return archive.open(names[0])


_OPENERS: dict[str, Callable[..., Any]] = {
    ".gz": gzip.open,
    ".bz2": bz2.open,
    ".xz": lzma.open,
    ".zip": _open_zip,
}


def data_path(text: str) -> Path:
    """Read the argument for a file; ``-`` stands for standard input."""
    return STANDARD_INPUT if text == "-" else Path(text)


def numbered_names(n_columns: int) -> list[str]:
    """Name columns without names as scikit-learn does."""
    return [f"x{place}" for place in range(n_columns)]


def is_text_file(path: Path) -> bool:
    """Return whether a path is that of a text file, compressed or not."""
    if path == STANDARD_INPUT:
        return True
    name, suffix = path.name.lower(), path.suffix.lower()
    if suffix in _OPENERS:
        name = name.removesuffix(suffix)
    return name.endswith(SUFFIXES) or suffix == ".zip"


def read_text(
    path: Path, *, encoding: str | None, decimal: str, has_names: bool
) -> pd.DataFrame:
    """Read a table; without ``has_names``, it may have a line of names or not.

    Raises
    ------
    ValueError
        If it is not text, or not a table.
    """
    text = _decoded(_content(path), encoding, path)
    lines = _first_lines(text)
    # With \s+, older versions of pandas also cut at decimal commas.
    spaces = r"\s+" if decimal == "." else " "
    separator = _separator(lines, decimal, spaces if ".txt" in path.suffixes else ",")
    how = dict(decimal=decimal, sep=separator)
    has_names = has_names or not _holds_values(lines[0], **how)
    frame = _parsed(text, header=0 if has_names else None, **how)
    if has_names:
        return frame.rename(columns=str)
    # Columns without names are named as in scikit-learn, row numbers as in pandas.
    names = numbered_names(frame.shape[1])
    if len(names) > 1 and numbers_rows(frame[0]):
        names[0] = "Unnamed: 0"
    return frame.set_axis(names, axis=1)


def _content(path: Path) -> bytes:
    if path != STANDARD_INPUT:
        with _OPENERS.get(path.suffix.lower(), open)(path, "rb") as file:
            return file.read()
    is_directed = sys.stdin is not None and not sys.stdin.isatty()
    content = sys.stdin.buffer.read() if is_directed else b""
    if not content:
        raise ValueError(
            "there is no table in it, or it has been read already; pipe or direct (<) one "
            "table into the command"
        )
    return content


def _decoded(content: bytes, encoding: str | None, path: Path) -> str:
    """Decode text, with a note about the encoding unless it is UTF-8 or given."""
    guesses = [encoding] if encoding else _guesses(content)
    for guess in guesses:
        try:
            text = content.decode(guess)
        except UnicodeDecodeError:
            if len(guesses) == 1:
                raise
            continue
        if not encoding and not guess.startswith("utf-8"):
            note(f"{path} is not in UTF-8: read as {guess} (override by --encoding).")
        return text
    raise ValueError("it is not in UTF-8; name its encoding with --encoding")


def _guesses(content: bytes) -> list[str]:
    for mark, name in _MARKS.items():
        if content.startswith(mark):
            return [name]
    even, odd = content[:10_000:2].count(0), content[1:10_000:2].count(0)
    if max(even, odd) > min(len(content), 10_000) // 4:
        return ["utf-16-be" if even > odd else "utf-16-le"]
    return ["utf-8", "cp1252"]  # the latter has all letters of Latin-1


def _first_lines(text: str) -> list[str]:
    if "\0" in text:  # older versions of pandas end the cell there
        raise ValueError(
            "it holds NUL characters, which only UTF-16 text does (--encoding utf-16-le)"
        )
    lines = (found[0].lstrip("\ufeff") for found in re.finditer(r"[^\r\n]+", text))
    return list(islice(filter(str.strip, lines), 20)) or [""]


def _separator(lines: list[str], decimal: str, alone: str) -> str:
    """Find the separator: as often on each line, or once less in the line of names.

    pandas' own detection fails for a single column and for decimal commas, and requires the
    slow parser. Quoted cells may hold separators.
    """
    unquoted = [re.sub(r'"[^"]*"', "", line) for line in lines]
    counts = {
        separator: [line.count(separator) for line in unquoted]
        for separator in "\t;|,"
        if separator != decimal
    }
    for more in (0, 1):
        for separator, (first, *others) in counts.items():
            if set(others) == {first + more} and others[0] > 0:
                return separator
    most = max(counts, key=lambda separator: counts[separator][0])
    return most if counts[most][0] else alone


def _holds_values(line: str, sep: str, decimal: str) -> bool:
    """Return whether cells are numbers or missing, and not a heading from pandas.

    Such a heading is 0, 1, 2, and so on, after an empty cell above row numbers.
    """
    cells = _parsed(line, header=None, sep=sep, decimal=decimal)
    are_numbers = all(dtype.kind in "biuf" for dtype in cells.dtypes)
    count = list(range(cells.shape[1]))
    are_names = len(count) > 1 and cells.iloc[0].tolist() == count
    return are_numbers and not are_names and not line.lstrip('" ').startswith(sep)


def _parsed(text: str, **how: Any) -> pd.DataFrame:
    how |= dict(na_values=MISSING, skipinitialspace=True)
    how |= dict(low_memory=False)  # otherwise the dtype of a column may depend on chunks
    with warnings.catch_warnings():
        warnings.simplefilter("error", pd.errors.ParserWarning)
        try:
            return pd.read_csv(io.StringIO(text), index_col=False, **how)
        except pd.errors.ParserWarning as error:  # it would cut the rows
            frame = pd.read_csv(io.StringIO(text), **how)
            # R writes row names, but no heading above them.
            if frame.index.nlevels > 1 or not labels_rows(frame.index.to_series()):
                raise ValueError("rows have more cells than the first line") from error
            return frame.reset_index(names="")
