"""Read representations of the same samples from several files or columns of one."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from .._lib.messages import listed
from .columns import features_of, labels_rows, note, target_column
from .data_files import (
    are_shuffled,
    as_task,
    check_lengths,
    check_name,
    check_order,
    check_text_options,
    chosen_columns,
    open_npz,
    read_array,
    read_table,
    selected,
)
from .errors import CommandError
from .text_files import STANDARD_INPUT, data_path, is_text_file

__all__ = ["RepresentationData", "read_representations"]

_WHOLE = "all"  # name of the whole file beside sets of its columns
_FEATURES, _LABELS = "X", "y"  # arrays of npz files
_AS_CLOSE = 1e-6  # relative; files may round the same number differently


@dataclass(frozen=True)
class RepresentationData:
    """Representations with their targets, as read from files.

    Attributes
    ----------
    representations : dict of str to array or DataFrame
        Features by the names of the representations.
    targets : dict of str to array
        Targets by the names of their columns; if there are several, missing values are None
        or NaN.
    groups : array or None
        Groups of the samples.
    files : dict of str to Path
        The files by the names of the representations.
    labels_path : Path or None
        The file of labels, if there is one.
    """

    representations: dict[str, np.ndarray | pd.DataFrame]
    targets: dict[str, np.ndarray]
    groups: np.ndarray | None
    files: dict[str, Path]
    labels_path: Path | None

    @property
    def what(self) -> str:
        """The target, or the number of targets."""
        names = list(self.targets)
        return repr(names[0]) if len(names) == 1 else f"{len(names)} targets"

    @property
    def origin(self) -> str:
        """The files and targets, as errors name them."""
        paths = map(str, filter(None, [self.labels_path, *self.files.values()]))
        return f"{', '.join(dict.fromkeys(paths))}, {listed(list(self.targets), 'target')}"

    @property
    def n_samples(self) -> int:
        """Number of rows."""
        return len(next(iter(self.targets.values())))


@dataclass(frozen=True)
class _Table:
    path: Path
    frame: pd.DataFrame


def read_representations(options: argparse.Namespace) -> RepresentationData:
    """Read the files in the arguments, with labels in the form that ``--task`` requires."""
    files = _named_files(options.files)
    _check_number(files, options)
    labels_path = options.labels
    check_text_options([*files.values(), labels_path], options)
    tables = {name: _read(path, options) for name, path in files.items()}
    all_tables = list(tables.values())
    if labels_path is not None:
        all_tables.insert(0, _read_labels(labels_path, options))
    all_tables = _aligned(all_tables, options.id)
    n_first = len(all_tables) - len(files)
    tables = dict(zip(files, all_tables[n_first:], strict=True))

    known, what = _columns_of(all_tables), f"{_paths_of(all_tables)}: --drop"
    dropped = selected(options.drop or [], known, what)
    names = _target_names(all_tables, dropped, options)
    left_out = {*names, *filter(None, [options.id, options.groups]), *dropped}
    is_joined = options.id is not None
    if options.sets:
        (table,) = tables.values()
        representations = _sets(table, left_out, options.sets)
        files = dict.fromkeys(representations, table.path)
    else:
        representations = {
            name: features_of(
                chosen_columns(table.frame, table.path, None, left_out), table.path
            )
            for name, table in tables.items()
        }
    columns = {name: _shared_column(name, all_tables, is_joined) for name in names}
    for table in tables.values():
        _note_copies(table, left_out, [column for column, _ in columns.values()])
    return RepresentationData(
        representations,
        {
            name: _target(*column, options.task, len(names) > 1)
            for name, column in columns.items()
        },
        _groups(options.groups, all_tables, is_joined),
        files,
        labels_path,
    )


# ---------------------------------------------------------------------- files


def _named_files(arguments: Sequence[str]) -> dict[str, Path]:
    """Parse ``NAME=FILE``; without a name, the name is that of the file."""
    files: dict[str, Path] = {}
    for argument in arguments:
        name, is_named, path = argument.partition("=")
        if not is_named or Path(argument).exists():
            name, path = _stem(data_path(argument)), argument
        if not name or not path:
            raise CommandError(f"{argument!r}: pass NAME=FILE, or FILE")
        if name in files:
            raise CommandError(
                f"two representations are called {name!r}: {files[name]} and {path}; name "
                "them with NAME=FILE"
            )
        files[name] = data_path(path)
    return files


def _stem(path: Path) -> str:
    if path == STANDARD_INPUT:
        return "stdin"
    is_compressed = is_text_file(path) and path.suffix.lower() not in (
        ".csv",
        ".tsv",
        ".txt",
    )
    return Path(path.stem).stem if is_compressed else path.stem


def _check_number(files: dict[str, Path], options: argparse.Namespace) -> None:
    if not files:
        raise CommandError(
            "no data: pass two or more FILEs, or one with --set NAME=COLUMNS; and --target "
            "COLUMN"
        )
    if options.sets and len(files) > 1:
        raise CommandError(f"--set takes columns of one FILE, but there are {len(files)}")
    if len(files) == 1 and not options.sets:
        (path,) = files.values()
        raise CommandError(
            f"{path} alone is only one representation; pass a second FILE, or sets of its "
            "columns with --set NAME=COLUMNS"
        )


def _read(path: Path, options: argparse.Namespace) -> _Table:
    wanted = _wanted(options)
    if path.suffix.lower() == ".npz":
        return _Table(path, _read_npz(path, wanted, options))
    has_names = options.labels is None
    return _Table(path, read_table(path, options, wanted=wanted, has_names=has_names))


def _wanted(options: argparse.Namespace) -> list[str]:
    """List the columns that the arguments name."""
    names = [*options.target, options.id, options.groups, *(options.drop or [])]
    return list(filter(None, names))


def _read_npz(
    path: Path, wanted: Sequence[str], options: argparse.Namespace
) -> pd.DataFrame:
    """Make a table from an archive: features, and the requested arrays as columns."""
    needs_labels = options.labels is None and not options.target
    with open_npz(path) as archive:
        X = read_array(archive, _FEATURES, f"{path}: no array {_FEATURES!r} of features")
        names = [*wanted, _LABELS] if needs_labels else wanted
        columns = {name: archive[name] for name in names if name in archive.files}
    if 0 in (X.ndim, *X.shape):
        raise CommandError(f"{path}: {_FEATURES!r} has shape {X.shape}; one row per sample")
    X = X.reshape(len(X), -1)  # images become rows of pixels
    frame = pd.DataFrame(X, columns=[f"{_FEATURES}[{k}]" for k in range(X.shape[1])])
    for name, column in columns.items():
        if column.size != len(column):
            raise CommandError(
                f"{path}: {name!r} has shape {column.shape}, not one value per sample"
            )
        check_lengths(f"{path}: {_FEATURES!r}", X, repr(name), column)
    parts = {name: column.ravel() for name, column in columns.items()}
    return pd.concat([frame, pd.DataFrame(parts)], axis=1)


def _read_labels(path: Path, options: argparse.Namespace) -> _Table:
    frame = read_table(path, options, wanted=_wanted(options))
    if not options.target:  # features without names may also be called x0, x1, ...
        frame = frame.rename(columns=lambda name: re.sub(r"^x(?=\d+$)", _LABELS, name))
    return _Table(path, frame)


# ---------------------------------------------------------------------- rows


def _aligned(tables: list[_Table], identifier: str | None) -> list[_Table]:
    """Bring all tables into the order of the first."""
    if identifier is not None:
        return _joined(tables, identifier)
    first, *others = tables
    for other in others:
        hint = f"; or name the column by which to join them with --id{_shared_id(tables)}"
        check_lengths(str(first.path), first.frame, str(other.path), other.frame, hint)
        check_order(first.path, first.frame, other.path, other.frame)
        for name in first.frame.columns.intersection(other.frame.columns):
            one, two = first.frame[name], other.frame[name]
            if labels_rows(one) and are_shuffled(_as_index(one), _as_index(two)):
                raise CommandError(
                    f"{first.path} and {other.path} hold the same {name!r} in different "
                    f"orders; join their rows with --id {name}"
                )
    return tables


def _shared_id(tables: list[_Table]) -> str:
    """Guess the column that identifies the samples in all tables."""
    names = [
        name
        for name in tables[0].frame.columns
        if all(name in t.frame and labels_rows(t.frame[name]) for t in tables)
    ]
    return f" {names[0]}" if names else ""


def _as_index(column: pd.Series) -> pd.Index:
    return pd.Index(column, name=column.name)


def _joined(tables: list[_Table], identifier: str) -> list[_Table]:
    keys = []
    for table in tables:
        known = list(table.frame.columns)
        check_name(identifier, known, f"{table.path}: --id: no column {identifier!r}")
        keys.append(table.frame[identifier])
    if not all(key.dtype.kind in "iuf" for key in keys):
        keys = [key.where(key.isna(), key.astype(str)) for key in keys]
    for table, key in zip(tables, keys, strict=True):
        _check_key(table, key)
    first = pd.Index(keys[0])
    return [
        _Table(table.path, _in_order(first, tables[0], table, pd.Index(key)))
        for table, key in zip(tables, keys, strict=True)
    ]


def _check_key(table: _Table, key: pd.Series) -> None:
    what = f"{table.path}: the identifier {key.name!r}"
    if key.isna().any():
        raise CommandError(f"{what} is empty in {key.isna().sum()} of {len(key)} rows")
    twice = key[key.duplicated()].unique()
    if len(twice):
        raise CommandError(
            f"{what} is not unique: {listed(twice.tolist())}; each sample needs one row"
        )


def _in_order(first: pd.Index, of: _Table, table: _Table, key: pd.Index) -> pd.DataFrame:
    """Bring the rows of a table into the order of the first."""
    for lacking, names in (
        (table.path, first.difference(key, sort=False)),
        (of.path, key.difference(first, sort=False)),
    ):
        if len(names):
            other = of.path if lacking is table.path else table.path
            raise CommandError(
                f"{lacking} lacks {len(names)} of the rows of {other}, by {key.name!r}: "
                f"{listed(names.tolist())}; all files need the same samples"
            )
    return table.frame.iloc[key.get_indexer(first)].reset_index(drop=True)


# ---------------------------------------------------------------------- targets


def _target_names(
    tables: list[_Table], dropped: Sequence[str], options: argparse.Namespace
) -> list[str]:
    """Find the columns of labels."""
    others = {options.id, options.groups, *dropped}
    if options.target:
        known = [name for name in _columns_of(tables) if name not in others]
        return selected(options.target, known, f"{_paths_of(tables)}: --target")
    first = tables[0]
    if options.labels is not None:
        names = [name for name in first.frame.columns if name not in others]
        if not names:
            raise CommandError(f"{first.path}: no column of labels is left")
        return names
    if any(_LABELS in t.frame for t in tables if t.path.suffix.lower() == ".npz"):
        return [_LABELS]
    raise CommandError(
        f"{first.path}: name the column of labels with --target COLUMN; columns: "
        f"{listed(list(first.frame.columns))}"
    )


def _columns_of(tables: list[_Table]) -> list[str]:
    return list(dict.fromkeys(name for table in tables for name in table.frame.columns))


def _paths_of(tables: list[_Table]) -> str:
    return ", ".join(str(table.path) for table in tables)


def _shared_column(
    name: str, tables: list[_Table], is_joined: bool
) -> tuple[pd.Series, Path]:
    """Find a column in the first table that has it; others must agree."""
    first, *others = (table for table in tables if name in table.frame)
    column = first.frame[name]
    for other in others:
        n_different = _count_different(column, other.frame[name])
        if n_different:
            mend = "; if the rows are in another order, join them with --id NAME"
            raise CommandError(
                f"{first.path} and {other.path} differ in column {name!r}, in "
                f"{n_different} of {len(column)} rows{'' if is_joined else mend}"
            )
    return column, first.path


def _count_different(one: pd.Series, other: pd.Series) -> int:
    if one.dtype.kind in "iufb" and other.dtype.kind in "iufb":
        a, b = (each.to_numpy(np.float64) for each in (one, other))
        alike = np.isclose(a, b, rtol=_AS_CLOSE, atol=0, equal_nan=True)
    else:
        texts = (each.astype(str).where(each.notna(), "") for each in (one, other))
        a, b = (each.to_numpy(object) for each in texts)
        alike = a == b
    return int(np.count_nonzero(~alike))


def _note_copies(table: _Table, left_out: set[str], labels: list[pd.Series]) -> None:
    """Point out features that are equal to the labels."""
    copies = [
        name
        for name in table.frame.columns
        if name not in left_out
        and any(_are_equal(one, table.frame[name]) for one in labels)
    ]
    if copies:
        note(
            f"{table.path}: {listed(copies, 'column')} equals the labels and is a feature; "
            f"leave it out with --drop {' '.join(map(str, copies))}"
        )


def _are_equal(one: pd.Series, other: pd.Series) -> bool:
    few = slice(100)  # which tell most columns apart
    return not (_count_different(one[few], other[few]) or _count_different(one, other))


def _target(column: pd.Series, path: Path, task: str, may_have_gaps: bool) -> np.ndarray:
    """Convert labels; missing ones are left out if there are several targets."""
    origin = f"{path}, target {column.name!r}"
    known = column.notna()
    if known.all() or not may_have_gaps:
        return as_task(target_column(column, path), task, origin)
    present = column[known]
    if present.dtype.kind == "f" and (present % 1 == 0).all():  # whole apart from gaps
        present = present.astype(np.int64)
    values = as_task(target_column(present, path), task, origin)
    gap, kind = (np.nan, np.float64) if values.dtype.kind == "f" else (None, object)
    y = np.full(len(column), gap, dtype=kind)
    y[known.to_numpy()] = values
    return y


def _groups(name: str | None, tables: list[_Table], is_joined: bool) -> np.ndarray | None:
    if name is None:
        return None
    known = _columns_of(tables)
    check_name(name, known, f"{_paths_of(tables)}: --groups: no column {name!r}")
    column, path = _shared_column(name, tables, is_joined)
    if column.isna().any():
        raise CommandError(
            f"{path}: the group {name!r} is missing (empty or NaN) in "
            f"{column.isna().sum()} of {len(column)} rows"
        )
    return column.to_numpy()


# ---------------------------------------------------------------------- features


def _sets(
    table: _Table, left_out: set[str], texts: Sequence[str]
) -> dict[str, np.ndarray | pd.DataFrame]:
    """Select sets of columns of a table, and all columns."""
    chosen = chosen_columns(table.frame, table.path, None, left_out)
    whole = features_of(chosen, table.path)
    names = list(chosen.columns)
    sets = {_WHOLE: names}
    for text in texts:
        name, _, columns = text.partition("=")
        if not name or not columns:
            raise CommandError(
                f"--set {text!r}: pass NAME=COLUMNS, such as fp='bit_*,logp'"
            )
        if name in sets:
            reason = "the whole file" if name == _WHOLE else "another set"
            raise CommandError(f"--set {text!r}: {name!r} is the name of {reason}")
        sets[name] = selected([columns], names, f"{table.path}: --set {name}")
    if isinstance(whole, np.ndarray):
        return {
            name: whole[:, [names.index(column) for column in columns]]
            for name, columns in sets.items()
        }
    return {name: whole[columns] for name, columns in sets.items()}
