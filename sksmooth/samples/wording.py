"""Recognise text in place of numbers: molecules, bounds and units."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import islice
from numbers import Number
from typing import Any

import numpy as np
import pandas as pd

from .._lib.optional import comes_from

__all__ = ["are_molecules", "count_decimals", "molecules_error", "refuse_bounds"]

# Atoms, bonds, branches, rings and stereochemistry of SMILES, and what begins an InChI.
_ATOM = r"Cl|Br|[BCNOPSFI]|[bcnops]|\[[^\[\]\s]+\]"
_SMILES = re.compile(rf"(?:{_ATOM}|\*|[-=#$:/\\.()]|%\d\d|\d)+")
_INCHI = re.compile(r"InChI=1S?/")
_CARBON = re.compile(r"[Cc]|\[")
_LOOKED_AT, _NEARLY_ALL, _HALF = 100, 0.9, 0.5

_NUMBER = r"[+-]?(?:\d+(?:[.,]\d*)?|\.\d+)(?:[eE][+-]?\d+)?"
_DECIMAL = re.compile(rf"(?=.*[.,]){_NUMBER}")
_UNIT = r"(?:[pnuµμm]?(?:M|mol/[lL]|g/m?[lL])|%|kcal/mol|kJ/mol)"
_SIGN = r"'?(?:[<>]=?|<<|>>|==?|=<|=>|[≤≥≪≫~≈±])'?"
_FORMS = {
    "number": re.compile(_NUMBER),
    "bound": re.compile(rf"{_SIGN}\s*{_NUMBER}\s*{_UNIT}?"),
    "unit": re.compile(rf"{_NUMBER}\s*{_UNIT}"),
}
_FEW_LABELS = 10


def are_molecules(values: Iterable[Any]) -> bool:
    """Return whether these look like SMILES or InChI, or are RDKit molecules."""
    some = [value for value in islice(values, _LOOKED_AT) if not _is_missing(value)]
    if not some:
        return False
    if all(comes_from(value, "rdkit") for value in some):
        return True
    if not all(isinstance(value, str) for value in some):
        return False
    texts = [(value.split() or [""])[0] for value in some]  # a name may follow
    n_inchi = sum(bool(_INCHI.match(text)) for text in texts)
    n_smiles = sum(bool(_SMILES.fullmatch(text)) for text in texts)
    n_with_carbon = sum(bool(_CARBON.search(text)) for text in texts)
    are_smiles = n_smiles >= _NEARLY_ALL * len(texts) and n_with_carbon > _HALF * len(texts)
    return n_inchi >= _NEARLY_ALL * len(texts) or are_smiles


def molecules_error(where: str = "") -> ValueError:
    """Advise how molecules become features."""
    return ValueError(
        f"X holds molecules, such as SMILES{where}, not features. Compute fingerprints or "
        "descriptors, such as with scikit-fingerprints, in a Pipeline:\n"
        "    from skfp.fingerprints import ECFPFingerprint\n"
        "    make_pipeline(ECFPFingerprint(), estimator).fit(smiles, y)\n"
        "where smiles is a list or one column; or pass ECFPFingerprint().transform(smiles)."
    )


def refuse_bounds(y: Any) -> None:
    """Reject text that bounds a number, such as ">10000", among numbers, and units.

    A few labels such as "<5" and ">=5", or "0", "1", "2" and ">2", are classes.

    Raises
    ------
    ValueError
        If there are such values.
    """
    for column in np.asarray(y, dtype=object).reshape(len(y), -1).T:
        kinds = _kinds(column)
        if kinds.keys() <= {"number"} or "other" in kinds or _may_be_classes(column, kinds):
            continue
        kind = "bound" if "bound" in kinds else "unit"
        rows = kinds[kind]
        first = f"the first {column[rows[0]]!r} in row {rows[0]}"
        where = f"{len(rows)} of {len(column)}, {first}"
        raise ValueError(f"y holds {_SAID[kind].format(where)}")


_SAID = {
    "bound": (
        "censored values, which only bound a number ({}). Drop these rows: "
        "kept = pd.to_numeric(pd.Series(y), errors='coerce').notna().to_numpy(), then "
        "X[kept] and y[kept].astype(float). Or replace them by their bounds, which hides "
        "how far off they are: y = pd.Series(y).astype(str)"
        ".str.replace(r'[^0-9.eE+-]', '', regex=True).astype(float). If they are names of "
        "classes: pd.Series(y, dtype='category')."
    ),
    "unit": (
        "numbers with units ({}). Convert them to one unit and pass numbers; for "
        "concentrations, preferably logarithms, such as 9 - np.log10(nanomolar)."
    ),
}


def count_decimals(values: Iterable[Any]) -> int:
    """Count the texts that are numbers with decimals."""
    return sum(
        isinstance(value, str) and bool(_DECIMAL.fullmatch(value.strip()))
        for value in values
    )


def _kinds(column: np.ndarray) -> dict[str, list[int]]:
    """Sort the rows of a column by what their values are; up to the first that is other."""
    kinds: dict[str, list[int]] = {}
    known: dict[Any, str] = {}
    for row, value in enumerate(column):
        if not isinstance(value, str):
            is_number = isinstance(value, Number) or _is_missing(value)
            kind = "number" if is_number else "other"
        elif value in known:
            kind = known[value]
        else:
            matches = (k for k, form in _FORMS.items() if form.fullmatch(value.strip()))
            kind = known[value] = next(matches, "other")
        kinds.setdefault(kind, []).append(row)
        if kind == "other":
            break
    return kinds


def _may_be_classes(column: np.ndarray, kinds: dict[str, list[int]]) -> bool:
    """Return whether a few labels are classes: only bounds, or consecutive numbers."""
    if not all(isinstance(value, str) for value in column):
        return False
    if len(set(column)) > _FEW_LABELS:
        return False
    numbers = sorted({value.strip() for value in column[kinds.get("number", [])]})
    start = 0 if numbers[:1] == ["0"] else 1
    return numbers == [str(start + place) for place in range(len(numbers))]


def _is_missing(value: Any) -> bool:
    return value is None or (pd.api.types.is_scalar(value) and bool(pd.isna(value)))
