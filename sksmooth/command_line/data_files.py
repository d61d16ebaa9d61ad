"""Data sets from files: tables, npz archives, and features and labels apart."""

from __future__ import annotations

import argparse
import difflib
import gzip
import re
import warnings
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import pandas as pd

from .._lib.optional import require
from .errors import CommandError, listed, one_line, user_error

__all__ = ["Dataset", "Note", "read_dataset"]

_TEXT_SUFFIXES = (".csv", ".tsv", ".txt")
# EOFError and zlib.error come from compressed files that are cut or damaged.
# MemoryError comes from shapes that no memory could hold, whatever the file holds.
_DAMAGED = (
    OSError,
    EOFError,
    MemoryError,
    NotImplementedError,
    zipfile.BadZipFile,
    zlib.error,
)

# Of the notes that pandas leaves in a Parquet file.
_DAMAGED_NOTES = (ValueError, LookupError, TypeError, AttributeError)


class Note(UserWarning):
    """Something was done to the data that the user may not expect."""


@dataclass(frozen=True)
class Dataset:
    """Samples as read from files."""

    path: Path
    X: np.ndarray
    y: np.ndarray
    feature_names: list[str]
    labels_path: Path | None = None


def read_dataset(options: argparse.Namespace) -> Dataset:
    """Read what the arguments name, with labels in the form that ``--task`` asks for."""
    if options.data is not None or options.labels is not None:
        dataset = _read_two_files(options)
    elif options.file is None:
        raise CommandError(
            "no data: give FILE first, then --target COLUMN; or --data and --labels"
        )
    elif options.file.suffix.lower() == ".npz":
        dataset = _read_npz(options)
    else:
        dataset = _read_one_table(options)
    return replace(dataset, y=_as_task(dataset.y, options.task))


def _read_one_table(options: argparse.Namespace) -> Dataset:
    path, target = options.file, options.target
    frame = _read_table(path, has_names=True)
    if target is None:
        raise CommandError(
            f"{path}: say which column holds the labels with --target COLUMN; "
            f"columns: {listed(list(frame.columns))}"
        )
    dropped = options.drop or []
    for name in [target, *dropped, *(options.features or [])]:
        _check_name(name, list(frame.columns), f"{path}: no column {name!r}")
    wanted = dict.fromkeys(options.features or frame.columns)  # each once
    kept = [name for name in wanted if name not in {target, *dropped}]
    if not kept:
        raise CommandError(f"{path}: no feature column is left beside {target!r}")
    y = _target_column(frame[target], path)
    return Dataset(path, _numeric_matrix(frame[kept], path), y, kept)


def _read_two_files(options: argparse.Namespace) -> Dataset:
    """Read features and labels from files of their own, as the authors' tool does."""
    path, labels_path = options.data, options.labels
    if options.file is not None or path is None or labels_path is None:
        raise CommandError("give --data and --labels together, and no other FILE")
    if options.target or options.features or options.drop:
        raise CommandError(
            "--target, --features and --drop name columns of one FILE; leave them out "
            "with --data and --labels"
        )
    frame, labels = _read_table(path), _read_table(labels_path)
    hint = "; has one of them a first line of names?"
    _check_lengths(str(path), frame, str(labels_path), labels, hint)
    if labels.shape[1] == 1:
        y = _target_column(labels.iloc[:, 0], labels_path)
    else:
        y = _numeric_matrix(labels, labels_path)
    return Dataset(path, _numeric_matrix(frame, path), y, list(frame.columns), labels_path)


def _read_npz(options: argparse.Namespace) -> Dataset:
    path = options.file
    target, (features, *further) = options.target or "y", options.features or ["X"]
    if further or options.drop:
        raise CommandError(
            f"{path}: of an npz file --features names one array, and --drop has no use"
        )
    _check_is_file(path)
    with user_error(*_DAMAGED, ValueError, prefix=f"cannot read {path}"):
        zipfile.ZipFile(path).close()  # np.load would take a file of another kind
        with np.load(path, allow_pickle=False) as archive:
            X = _array(archive, features, f"{path}: --features: no array {features!r}")
            y = _array(archive, target, f"{path}: --target: no array {target!r}")
    if 0 in (X.ndim, y.ndim, *X.shape, *y.shape):
        raise CommandError(
            f"{path}: {features!r} has shape {X.shape} and {target!r} {y.shape}, but one "
            "row a sample is needed"
        )
    _check_lengths(f"{path}: {features!r}", X, repr(target), y)
    X = X.reshape(len(X), -1)  # images become rows of pixels
    names = [f"{features}[{column}]" for column in range(X.shape[1])]
    X = _numeric_matrix(pd.DataFrame(X, columns=names, copy=False), path)
    y = y.reshape(len(y), -1)
    _check_finite(y, [target] * y.shape[1], path)
    return Dataset(path, X, y[:, 0] if y.shape[1] == 1 else y, names)


def _array(archive: Any, name: str, missing: str) -> np.ndarray:
    _check_name(name, archive.files, missing)
    try:
        array = archive[name]
    except ValueError as error:
        if "allow_pickle" not in str(error):
            raise
        raise ValueError(
            f"array {name!r} holds pickled Python objects, which may run code; save it "
            "as numbers or as text (astype(float) or astype(str))"
        ) from error
    if array.dtype.kind == "V":
        raise ValueError(f"array {name!r} is of type {array.dtype}, which is no number")
    return array


def _check_is_file(path: Path) -> None:
    if path.is_dir():
        raise CommandError(f"{path} is a folder; give a file in it")
    if path.exists() and not path.is_file():  # which may keep its reader waiting
        raise CommandError(f"{path} is a device or a pipe; save what it gives to a file")


def _read_table(path: Path, *, has_names: bool = False) -> pd.DataFrame:
    """Read a table; without ``has_names``, a text file may have a line of names or not."""
    _check_is_file(path)
    if path.suffix.lower() == ".parquet":
        pyarrow = require(
            "pyarrow", purpose="Reading Parquet files", install="sksmooth[parquet]"
        )
        damaged = (OSError, pyarrow.ArrowException, *_DAMAGED_NOTES)
        with user_error(*damaged, prefix=f"cannot read {path}"), path.open("rb") as file:
            frame = pd.read_parquet(file, engine="pyarrow").rename(columns=str)
    elif path.name.lower().removesuffix(".gz").endswith(_TEXT_SUFFIXES):
        opener = gzip.open if path.suffix.lower() == ".gz" else open
        with (
            user_error(*_DAMAGED, ValueError, prefix=f"cannot read {path}"),
            opener(path, "rt", encoding="utf-8-sig") as file,
        ):
            frame = _read_text(file, has_names)
    else:
        raise CommandError(
            f"{path}: unknown kind of file {path.suffix!r}; known are .csv, .tsv and .txt "
            "(also with .gz), .parquet, and .npz as FILE"
        )
    if frame.empty:
        raise CommandError(f"{path}: the file holds no rows of data")
    return _without_row_numbers(frame, path)


def _read_text(file: TextIO, has_names: bool) -> pd.DataFrame:
    # pandas' own search for the separator fails for a single column, and its parser is the
    # slow one. Quoted names may hold separators.
    first = next((line for line in file if line.strip()), "").strip()
    unquoted = re.sub(r'"[^"]*"', "", first)
    separator = max(",;\t", key=unquoted.count)
    if separator not in unquoted and ".txt" in Path(file.name).suffixes:
        separator = r"\s+"
    has_names = has_names or not all(map(_is_number, re.split(separator, first)))
    file.seek(0)
    if any("\0" in line for line in file):
        # Older versions of pandas take them for the end of a cell.
        raise ValueError("it holds NUL characters, as no text does")
    file.seek(0)
    with warnings.catch_warnings():
        warnings.simplefilter("error", pd.errors.ParserWarning)
        try:
            frame = pd.read_csv(
                file,
                sep=separator,
                header=0 if has_names else None,
                index_col=False,
                low_memory=False,  # else the type of a column may depend on chunks
            )
        except pd.errors.ParserWarning as error:  # it would cut the rows
            raise ValueError("rows have more cells than the first line") from error
    # Columns without names are called as in scikit-learn.
    return frame.rename(columns=str if has_names else "x{}".format)


def _is_number(cell: str) -> bool:
    try:
        float(cell.strip().strip('"'))
    except ValueError:
        return False
    return True


def _without_row_numbers(frame: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Drop the index that ``DataFrame.to_csv`` writes.

    Taken for a feature it would tell the classes of sorted rows apart.
    """
    first = frame.columns[0]
    is_index = first == "Unnamed: 0" and frame.shape[1] > 1
    if not is_index or not np.array_equal(frame[first], np.arange(len(frame))):
        return frame
    message = f"The first column of {path} has no name and holds row numbers: left out."
    warnings.warn(message, Note, stacklevel=2)
    return frame.drop(columns=first)


def _numeric_matrix(frame: pd.DataFrame, path: Path) -> np.ndarray:
    """Convert columns to floating-point numbers, NaN where a cell is empty."""
    text = [str(name) for name, dtype in frame.dtypes.items() if dtype.kind not in "biuf"]
    if text:
        present = frame[text[0]].dropna()
        wrong = present[pd.to_numeric(present.astype(str), errors="coerce").isna()]
        example = f" (such as {one_line(wrong.iloc[0])!r})" if len(wrong) else ""
        raise CommandError(
            f"{path}: text, not numbers, in {listed(text, 'column')}{example}; encode "
            "it as numbers, or leave it out (--drop)"
        )
    # Narrow columns stay narrow. Nullable dtypes wrap one of numpy.
    dtypes = [getattr(dtype, "numpy_dtype", dtype) for dtype in frame.dtypes.unique()]
    matrix = frame.to_numpy(np.result_type(np.float32, *dtypes), na_value=np.nan)
    _check_finite(matrix, list(frame.columns), path, allow_nan=True)
    return matrix


def _target_column(column: pd.Series, path: Path) -> np.ndarray:
    """Convert labels to the dtype from which the estimator reads what they are."""
    missing = column.isna().sum()
    if missing:
        raise CommandError(
            f"{path}: the target {column.name!r} is missing (empty or NaN) in "
            f"{missing} of {len(column)} rows; fill or drop those rows"
        )
    kinds = {"f": np.float64, "b": bool, "i": np.int64, "u": np.uint64}
    if column.dtype.kind not in kinds:
        return column.astype(str).to_numpy(object)
    y = column.to_numpy(kinds[column.dtype.kind])
    _check_finite(y[:, None], [str(column.name)], path)
    return y


def _as_task(y: np.ndarray, task: str) -> np.ndarray:
    """Bring the labels into a form that the estimator takes for this task."""
    if task == "regression":
        if y.dtype.kind not in "biuf":
            raise CommandError("--task regression needs numbers, but the target holds text")
        return y.astype(np.float64)
    if task == "classification" and y.ndim == 2:
        if not np.isin(y, (0, 1)).all() or (y.sum(axis=1) != 1).any():
            raise CommandError(
                "--task classification needs one column of labels, or a 1 for the class "
                "and 0 elsewhere; use --task regression for other columns"
            )
        return y.argmax(axis=1)
    if task == "classification" and y.dtype.kind == "f":
        return np.unique(y, return_inverse=True)[1]
    return y


def _check_name(name: str, known: Sequence[str], missing: str) -> None:
    """Refuse a name that is not there, with those it may stand for."""
    if name in known:
        return
    if not len(known):
        raise CommandError(f"{missing}: the file holds no array")
    close = difflib.get_close_matches(name, known)
    guess = f"did you mean {listed(close)}? " if close else ""
    hint = "; is the line of names missing?" if _is_number(known[0]) else ""
    raise CommandError(f"{missing}; {guess}names: {listed(known)}{hint}")


def _check_lengths(features: str, X: Any, labels: str, y: Any, hint: str = "") -> None:
    """Refuse features and labels of different lengths; a hint if one row is amiss."""
    if len(X) != len(y):
        raise CommandError(
            f"{features} has {len(X)} rows but {labels} has {len(y)}; each sample needs "
            f"one row in both{hint if abs(len(X) - len(y)) == 1 else ''}"
        )


def _check_finite(
    matrix: np.ndarray, columns: Sequence[str], path: Path, *, allow_nan: bool = False
) -> None:
    if matrix.dtype.kind != "f":
        return
    bad = np.isinf(matrix) if allow_nan else ~np.isfinite(matrix)
    if not bad.any():
        return
    rows, places = np.nonzero(bad)
    names = list(dict.fromkeys(columns[place] for place in np.unique(places)))
    problem = "infinity" if allow_nan else "NaN, infinity or an empty cell"
    raise CommandError(
        f"{path}: {problem} in {len(np.unique(rows))} of {len(matrix)} rows, "
        f"{listed(names, 'column')}; fill or drop them"
    )
