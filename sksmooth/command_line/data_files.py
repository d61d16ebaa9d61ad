"""Read data sets from files: tables, npz archives, or features and labels separately."""

from __future__ import annotations

import argparse
import difflib
import lzma
import warnings
import zipfile
import zlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

import numpy as np
import pandas as pd

from .._lib.messages import listed
from ..samples import are_labels
from .binary_files import READERS, SPREADSHEET, loaded_array
from .columns import (
    check_finite,
    features_of,
    note_identifiers,
    number_matrix,
    refuse_decimal_comma,
    target_column,
    without_row_labels,
)
from .errors import CommandError, user_error
from .text_files import STANDARD_INPUT, is_text_file, read_text

__all__ = [
    "Dataset",
    "are_shuffled",
    "as_task",
    "check_lengths",
    "check_name",
    "check_order",
    "check_text_options",
    "chosen_columns",
    "open_npz",
    "read_array",
    "read_dataset",
    "read_table",
    "selected",
]

# Truncated or damaged files raise EOFError and errors of compression, encrypted ones
# RuntimeError. MemoryError comes from headers with impossible shapes.
_DAMAGED = (
    OSError,
    EOFError,
    MemoryError,
    RuntimeError,
    lzma.LZMAError,
    zipfile.BadZipFile,
    zlib.error,
)
# Of Parquet files, of the notes that pandas leaves in them, and of spreadsheets.
_DAMAGED_NOTES = (ValueError, LookupError, TypeError, AttributeError, ParseError)


@dataclass(frozen=True)
class Dataset:
    """Samples read from files, and their origin."""

    path: Path
    X: np.ndarray | pd.DataFrame
    y: np.ndarray
    feature_names: list[str]
    target: str
    labels_path: Path | None = None

    @property
    def origin(self) -> str:
        """The files and the target, as errors name them."""
        files = " + ".join(map(str, filter(None, [self.path, self.labels_path])))
        return f"{files}, target {self.target}"


def read_dataset(options: argparse.Namespace) -> Dataset:
    """Read the files in the arguments, with labels in the form that ``--task`` requires."""
    check_text_options([options.file, options.data, options.labels], options)
    if options.data is not None or options.labels is not None:
        dataset = _read_two_files(options)
    elif options.file is None:
        raise CommandError(
            "no data: pass FILE first, then --target COLUMN or --labels FILE"
        )
    elif options.file.suffix.lower() == ".npz":
        dataset = _read_npz(options)
    else:
        dataset = _read_one_table(options)
    return replace(dataset, y=as_task(dataset.y, options.task, dataset.origin))


def check_text_options(paths: Iterable[Path | None], options: argparse.Namespace) -> None:
    """Reject options of text files, or of spreadsheets, if a file is not one."""
    for path in filter(None, paths):
        if (options.encoding or options.decimal) and not is_text_file(path):
            raise CommandError(f"{path}: --encoding and --decimal are for text files")
        if options.sheet and path.suffix.lower() != SPREADSHEET:
            raise CommandError(f"{path}: --sheet is for {SPREADSHEET} files")


def _named(options: argparse.Namespace) -> list[str]:
    return [options.target, *(options.features or []), *(options.drop or [])]


def _read_one_table(options: argparse.Namespace) -> Dataset:
    path, target = options.file, options.target
    frame = read_table(path, options, wanted=_named(options), has_names=True)
    names = list(frame.columns)
    if target is None:
        raise CommandError(
            f"{path}: name the column of labels with --target COLUMN; columns: "
            f"{listed(names)}"
        )
    check_name(target, names, f"{path}: no column {target!r}")
    features, dropped = (
        selected(texts or [], names, str(path))
        for texts in (options.features, options.drop)
    )
    X = chosen_columns(frame, path, features, [target, *dropped])
    y = target_column(frame[target], path)
    return Dataset(path, features_of(X, path), y, list(X.columns), repr(target))


def _read_two_files(options: argparse.Namespace) -> Dataset:
    """Read features and labels from separate files, as the authors' tool does."""
    path, labels_path = options.data or options.file, options.labels
    if None not in (options.data, options.file) or path is None or labels_path is None:
        raise CommandError("pass FILE and --labels, or --data and --labels, together")
    if options.target:
        raise CommandError("--target is for a single table; leave it out with --labels")
    wanted = _named(options)
    frame, labels = (read_table(p, options, wanted=wanted) for p in (path, labels_path))
    hint = "; does one of them start with a line of names?"
    check_lengths(str(path), frame, str(labels_path), labels, hint)
    check_order(path, frame, labels_path, labels)
    features = selected(options.features or [], list(frame.columns), str(path))
    known = [*frame.columns, *labels.columns]
    dropped = selected(options.drop or [], known, f"{path}, {labels_path}")
    X = chosen_columns(frame, path, features, dropped)
    Y = chosen_columns(labels, labels_path, None, dropped)
    if Y.shape[1] == 1:
        y = target_column(Y.iloc[:, 0], labels_path)
    else:
        y = number_matrix(Y, labels_path)
    matrix, targets = features_of(X, path), listed(list(Y.columns))
    return Dataset(path, matrix, y, list(X.columns), targets, labels_path)


def check_order(
    path: Path, frame: pd.DataFrame, other_path: Path, other: pd.DataFrame
) -> None:
    """Reject files with the same row labels in another order."""
    if are_shuffled(frame.index, other.index):
        raise CommandError(
            f"{path} and {other_path} label the same rows in different orders; sort them "
            "alike"
        )


def are_shuffled(one: pd.Index, other: pd.Index) -> bool:
    """Return whether both files have the same row labels, but in another order."""
    if one.name is None or other.name is None or one.equals(other):
        return False
    return set(one) == set(other)


def chosen_columns(
    frame: pd.DataFrame,
    path: Path,
    wanted: Sequence[str] | None,
    dropped: Collection[str] | None,
) -> pd.DataFrame:
    """Select columns, each once, and report those that look like identifiers."""
    names = dict.fromkeys(wanted or frame.columns)
    frame = frame[[name for name in names if name not in (dropped or [])]]
    if frame.shape[1] == 0:
        raise CommandError(f"{path}: no feature column is left")
    note_identifiers(frame, path)
    return frame


def _read_npz(options: argparse.Namespace) -> Dataset:
    path = options.file
    target, (features, *further) = options.target or "y", options.features or ["X"]
    if further:
        raise CommandError(f"{path}: for an npz file, --features names one array")
    with open_npz(path) as archive:
        X = read_array(archive, features, f"{path}: --features: no array {features!r}")
        y = read_array(archive, target, f"{path}: --target: no array {target!r}")
    if 0 in (X.ndim, y.ndim, *X.shape, *y.shape):
        raise CommandError(
            f"{path}: {features!r} has shape {X.shape} and {target!r} {y.shape}, but one "
            "row per sample is needed"
        )
    check_lengths(f"{path}: {features!r}", X, repr(target), y)
    X = X.reshape(len(X), -1)  # images become rows of pixels
    names = [f"{features}[{column}]" for column in range(X.shape[1])]
    dropped = selected(options.drop or [], names, str(path))
    frame = chosen_columns(pd.DataFrame(X, columns=names, copy=False), path, None, dropped)
    y = y.reshape(len(y), -1)
    check_finite(y, [target] * y.shape[1], path)
    X, y = number_matrix(frame, path), y[:, 0] if y.shape[1] == 1 else y
    if y.dtype.kind in "mM":
        y = target_column(pd.Series(y, name=target), path)
    return Dataset(path, X, y, list(frame.columns), repr(target))


@contextmanager
def open_npz(path: Path) -> Iterator[Any]:
    """Open an archive of arrays lazily."""
    _check_is_file(path)
    with user_error(*_DAMAGED, ValueError, prefix=f"cannot read {path}"):
        zipfile.ZipFile(path).close()  # np.load would accept other kinds of files
        with np.load(path, allow_pickle=False) as archive:
            yield archive


def read_array(archive: Any, name: str, missing: str) -> np.ndarray:
    """Read an array by its name; ``missing`` is the error if there is none."""
    check_name(name, archive.files, missing)
    return loaded_array(lambda: archive[name], f"array {name!r}")


def _check_is_file(path: Path) -> None:
    if path == STANDARD_INPUT:
        return
    if path.is_dir():
        raise CommandError(f"{path} is a folder; pass a file in it")
    if path.exists() and not path.is_file():  # which may block its reader
        raise CommandError(f"{path} is a device or a pipe; direct it to - (standard input)")


def read_table(
    path: Path,
    options: argparse.Namespace,
    *,
    wanted: Collection[str],
    has_names: bool = False,
) -> pd.DataFrame:
    """Read a table, leaving out row labels unless they are wanted as columns.

    Without ``has_names``, the line of names of a text file is optional.
    """
    _check_is_file(path)
    reader = READERS.get(path.suffix.lower())
    if reader is not None:
        with user_error(*_DAMAGED, *_DAMAGED_NOTES, prefix=f"cannot read {path}"):
            frame = reader(path, has_names, options.sheet)
    elif is_text_file(path):
        how = dict(encoding=options.encoding, decimal=options.decimal or ".")
        with user_error(*_DAMAGED, LookupError, ValueError, prefix=f"cannot read {path}"):
            frame = read_text(path, has_names=has_names, **how)
    else:
        raise CommandError(
            f"{path}: unknown kind of file {path.suffix!r}; known are .csv, .tsv and .txt "
            "(also with .gz, .bz2, .xz or .zip), .parquet, .xlsx, .npy, and .npz as FILE; "
            "- is standard input"
        )
    if frame.empty:
        raise CommandError(f"{path}: the file holds no rows of data")
    if not frame.columns.is_unique:
        twice = list(frame.columns[frame.columns.duplicated()])
        raise CommandError(f"{path}: {listed(twice, 'column')} occurs more than once")
    return without_row_labels(frame, path, wanted)


def as_task(y: np.ndarray, task: str, origin: str) -> np.ndarray:
    """Convert the labels to the form that the estimator requires for this task."""
    if task == "classification" and y.ndim == 2:
        return _classes_of_one_hot(y, origin)
    with user_error(ValueError, TypeError, prefix=origin):
        are_classes, caution = are_labels(y)
    if task == "classification":
        # Codes from zero are classes, however many.
        return y if are_classes else np.unique(y, return_inverse=True)[1]
    refuse_decimal_comma(y, origin)
    if task == "regression" and y.dtype.kind not in "biuf":
        raise CommandError(f"{origin}: --task regression needs numbers, but it holds text")
    if task == "auto" and caution is not None:
        warnings.warn(caution, stacklevel=2)
    are_numbers = y.dtype.kind in "biu" and not are_classes
    return y.astype(np.float64) if are_numbers or task == "regression" else y


def _classes_of_one_hot(y: np.ndarray, origin: str) -> np.ndarray:
    if not np.isin(y, (0, 1)).all() or (y.sum(axis=1) != 1).any():
        raise CommandError(
            f"{origin}: --task classification needs one column of labels, or one-hot "
            "columns; use --task regression for other columns"
        )
    return y.argmax(axis=1)


def selected(texts: Sequence[str], known: Sequence[str], what: str) -> list[str]:
    """Find columns by name; names may be separated by commas or have wildcards."""
    found: dict[str, None] = {}
    for text in texts:
        for part in [text] if text in known else text.split(","):
            names = [part] if part in known else [n for n in known if fnmatchcase(n, part)]
            if not names:
                check_name(part, known, f"{what}: no column {part!r}")
            found |= dict.fromkeys(names)
    return list(found)


def check_name(name: str, known: Sequence[str], missing: str) -> None:
    """Reject an unknown name, suggesting similar ones."""
    if name in known:
        return
    if not len(known):
        raise CommandError(f"{missing}: the file holds no array")
    close = difflib.get_close_matches(name, known)
    guess = f"did you mean {listed(close)}? " if close else ""
    is_number = known[0].replace(".", "").isdigit()
    hint = "; is the line of names missing?" if is_number else ""
    raise CommandError(f"{missing}; {guess}names: {listed(known)}{hint}")


def check_lengths(features: str, X: Any, labels: str, y: Any, hint: str = "") -> None:
    """Reject features and labels of different lengths; hint at a missing heading."""
    if len(X) != len(y):
        raise CommandError(
            f"{features} has {len(X)} rows but {labels} has {len(y)}; each sample needs "
            f"one row in both{hint if abs(len(X) - len(y)) == 1 else ''}"
        )
