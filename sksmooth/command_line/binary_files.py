"""Tables from files that hold no text: Parquet, spreadsheets and numpy arrays."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from .._lib.optional import require
from .columns import note
from .text_files import MISSING, numbered_names

__all__ = ["READERS", "SPREADSHEET", "loaded_array"]

SPREADSHEET = ".xlsx"


def loaded_array(load: Callable[[], np.ndarray], what: str) -> np.ndarray:
    """Load an array; ``what`` is its name in errors.

    Raises
    ------
    ValueError
        If it holds Python objects or records.
    """
    try:
        array = load()
    except ValueError as error:
        if "allow_pickle" not in str(error):
            raise
        raise ValueError(
            f"{what} holds pickled Python objects, which may run code; save it as "
            "numbers or text (astype(float) or astype(str))"
        ) from error
    if array.dtype.kind == "V":
        raise ValueError(f"{what} is of type {array.dtype}, which is not numeric")
    return array


def _read_parquet(path: Path, has_names: bool, sheet: str | None) -> pd.DataFrame:
    purpose = "Reading Parquet files"
    pyarrow = require("pyarrow", purpose=purpose, install="pyarrow", extra="parquet")
    with path.open("rb") as file:
        try:
            frame = pd.read_parquet(file, engine="pyarrow")
        except pyarrow.ArrowException as error:
            raise ValueError(str(error)) from error
    return frame.rename(columns=str).reset_index(drop=True)


def _read_spreadsheet(path: Path, has_names: bool, sheet: str | None) -> pd.DataFrame:
    purpose = "Reading spreadsheets"
    require("openpyxl", purpose=purpose, install="openpyxl", extra="excel")
    with pd.ExcelFile(path, engine="openpyxl") as book:
        names = book.sheet_names
        if sheet is not None and sheet not in names:
            raise ValueError(f"no sheet {sheet!r}; sheets: {', '.join(map(repr, names))}")
        if sheet is None and len(names) > 1:
            note(
                f"{path}: read the first of {len(names)} sheets, {names[0]!r} (--sheet "
                "takes another)."
            )
        how: Any = dict(sheet_name=names[0] if sheet is None else sheet, na_values=MISSING)
        # Not by names of columns: pandas turns gaps and repeated numbers into text.
        first = pd.read_excel(book, header=None, nrows=1, **how)
        if has_names or any(isinstance(cell, str) for cell in first.to_numpy().ravel()):
            return pd.read_excel(book, **how).rename(columns=str)
        frame = pd.read_excel(book, header=None, **how)
    return frame.set_axis(numbered_names(frame.shape[1]), axis=1)


def _read_array(path: Path, has_names: bool, sheet: str | None) -> pd.DataFrame:
    """Read an array of one row per sample; its columns get scikit-learn's names."""
    with path.open("rb") as file:
        read = partial(np.lib.format.read_array, file, allow_pickle=False)
        array = loaded_array(read, "the array")
    if 0 in (array.ndim, *array.shape):
        raise ValueError(f"it has shape {array.shape}, but one row per sample is needed")
    array = array.reshape(len(array), -1)  # images become rows of pixels
    return pd.DataFrame(array, columns=numbered_names(array.shape[1]))


READERS: dict[str, Callable[[Path, bool, str | None], pd.DataFrame]] = {
    ".parquet": _read_parquet,
    SPREADSHEET: _read_spreadsheet,
    ".npy": _read_array,
}
