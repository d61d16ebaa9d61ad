"""Normalise the arguments of a network, which may be given in several forms.

Several arguments become a dict with their names or positions as keys; targets among them
are taken out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from inspect import Parameter, signature
from typing import Any

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from .options import TARGETS, targets_among

__all__ = [
    "PAD",
    "SUPPORTED",
    "as_arguments",
    "checked_entry",
    "is_dict",
    "mapped",
    "parts_of",
    "refuse_unknown",
    "split_targets",
    "spread",
    "takes_one_dict",
]

_ANY = (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)  # *args and **kwargs
SUPPORTED = (
    "Samples are an array, a data frame or a tensor, a dict of these by the arguments of "
    "forward, or a Dataset or DataLoader that yields them, each with the samples as the "
    "first axis. Pass graphs as such arrays, padded to the same number of nodes (features "
    "and adjacency matrices); or measure embeddings of whole graphs as features, by "
    "BesovSmoothnessEstimator."
)
PAD = (
    "pad sequences to one length, by tokenizer(texts, padding=True) or torch.nn.utils.rnn."
    "pad_sequence(rows, batch_first=True), and pass a dict with an attention_mask that is "
    "1 for tokens and 0 for padding"
)


def is_dict(X: Any) -> bool:
    """Return whether X is a dict of arguments."""
    return isinstance(X, Mapping) and not sparse.issparse(X)  # DOK matrices are dicts


def as_arguments(X: Any, forward: Callable) -> Any:
    """Turn lists and tuples into one array, or into a dict of several arguments.

    Parameters
    ----------
    X : object
        Samples in any form.
    forward : callable
        The method of the network.

    Returns
    -------
    X : array, list, dict or any other object
        The keys of dicts are names or positions of arguments. Anything but a list or tuple
        is returned unchanged.

    Raises
    ------
    ValueError
        If rows differ in length.
    TypeError
        If rows are objects of no known kind, such as graphs or texts.
    """
    kind = getattr(getattr(X, "dtype", None), "kind", None)
    if kind in ("O", "U") and X.ndim == 1:
        X = X.tolist()
    if not isinstance(X, list | tuple) or not X:
        return X
    if all(isinstance(row, Mapping) for row in X):
        return _columns(X)
    if all(map(_is_array, X)):
        if _are_arguments(X, forward):
            return spread(X, forward)
        return _stacked(X, "X")
    _check_rows(X)
    return X


def spread(parts: Sequence[Any], forward: Callable) -> dict[Any, Any]:
    """Map the names of arguments to parts, or positions if forward does not name them.

    All become one tuple if forward does not take that many.
    """
    if not _takes(forward, len(parts)):
        return {0: tuple(parts)}
    named = [
        parameter.name
        for parameter in signature(forward).parameters.values()
        if parameter.kind is Parameter.POSITIONAL_OR_KEYWORD
    ]
    if len(named) < len(parts):
        return dict(enumerate(parts))
    return dict(zip(named, parts, strict=False))


def parts_of(entry: Any) -> tuple[Any, ...]:
    """Return the arrays in an argument, which is an array or a tuple of arrays."""
    if isinstance(entry, tuple):
        return tuple(part for each in entry for part in parts_of(each))
    return (entry,)


def mapped(entry: Any, change: Callable[[Any], Any]) -> Any:
    """Apply a function to the arrays in an argument."""
    if isinstance(entry, tuple):
        return tuple(mapped(part, change) for part in entry)
    return change(entry)


def checked_entry(key: str | int, value: Any) -> Any:
    """Turn an entry of a dict into an array or tensor, or a tuple of these.

    Raises
    ------
    ValueError
        If it holds anything but numbers, or rows of different lengths.
    """
    if isinstance(value, Tensor):
        return value
    if isinstance(value, tuple) and _is_nested(value):
        return tuple(checked_entry(key, part) for part in value)
    if isinstance(value, list | tuple) and value and not isinstance(value[0], Tensor):
        if _are_ragged(value):
            raise ValueError(
                f"The rows of X[{key!r}] differ in length{_found(value)}; {PAD}."
            )
    elif isinstance(value, list | tuple) and value:
        return _stacked(value, f"X[{key!r}]")
    value = np.asarray(value)
    if value.ndim == 0 or value.dtype.kind not in "biuf":
        raise ValueError(
            f"X[{key!r}] is not an array of numbers with the samples as its rows; leave it "
            f"out, or {PAD}."
        )
    return value


def _is_nested(parts: tuple[Any, ...]) -> bool:
    """Recognise a tuple of arrays with many samples each."""
    are_arrays = all(isinstance(part, tuple) or _is_array(part) for part in parts)
    lengths = (
        {len(part) for each in parts for part in parts_of(each)} if are_arrays else {0}
    )
    return len(lengths) == 1 and min(lengths) > len(parts)


def _is_array(part: Any) -> bool:
    """Recognise arrays, tensors and data frames."""
    return hasattr(part, "__array__") and getattr(part, "ndim", 0) > 0


def _are_arguments(parts: Sequence[Any], forward: Callable) -> bool:
    """Distinguish several arguments with many samples each from a list of samples."""
    n_parts, lengths = len(parts), {len(part) for part in parts}
    if n_parts > 1 and _takes(forward, n_parts) and not _takes(forward, 1):
        return True
    if n_parts < 2 or len(lengths) > 1 or min(lengths) <= n_parts:
        return False
    if len({tuple(part.shape) for part in parts}) > 1:
        return True
    is_tuple_of_matrices = isinstance(parts, tuple) and parts[0].ndim > 1
    return is_tuple_of_matrices or (_takes(forward, n_parts) and parts[0].ndim > 1)


def takes_one_dict(forward: Callable, entries: Mapping[Any, Any]) -> bool:
    """Distinguish a function that takes one dict of arguments from one that takes each."""
    if not entries.keys().isdisjoint([0, *signature(forward).parameters]):
        return False
    return _takes(forward, 1) and not _takes(forward, 0, entries)


def _takes(forward: Callable, n_arguments: int, named: Mapping[str, Any] = {}) -> bool:
    """Return whether a function accepts this number of positional arguments."""
    try:
        signature(forward).bind(*range(n_arguments), **named)
    except TypeError:
        return False
    return True


def _columns(items: Sequence[Mapping[Any, Any]]) -> dict[Any, Any]:
    """Stack items, dicts of one sample each, into a dict of arrays."""
    names = list(items[0])
    for place, item in enumerate(items):
        if set(item) != set(names):
            raise ValueError(
                f"Item {place} of X has the entries {list(item)}, and item 0 has {names}."
            )
    return {
        name: _stacked([item[name] for item in items], f"X[{name!r}]") for name in names
    }


def _stacked(rows: Sequence[Any], name: str) -> Any:
    if isinstance(rows[0], str):
        return list(rows)
    shapes = {np.shape(row) for row in rows} if not _are_ragged(rows) else {0, 1}
    if len(shapes) > 1:
        raise ValueError(f"The rows of {name} differ in shape{_found(rows)}; {PAD}.")
    if all(isinstance(row, Tensor) for row in rows):
        return torch.stack(list(rows))
    return np.stack([np.asarray(row) for row in rows])


def _are_ragged(rows: Sequence[Any]) -> bool:
    lengths = {len(row) if hasattr(row, "__len__") else None for row in rows}
    return len(lengths) > 1


def _found(rows: Sequence[Any]) -> str:
    if not _are_ragged(rows):
        return ""
    lengths = [len(row) for row in rows if hasattr(row, "__len__")]
    return f" (they have {min(lengths)} to {max(lengths)} entries)"


def _check_rows(rows: Sequence[Any]) -> None:
    """Reject rows that do not form an array."""
    first = rows[0]
    if isinstance(first, str | bytes):
        raise TypeError(
            "X is a list of texts; turn them into numbers, such as "
            'tokenizer(texts, padding=True, return_tensors="pt").'
        )
    is_known = hasattr(first, "__array__") or isinstance(
        first, bool | int | float | complex | list | tuple | None
    )
    if not is_known:
        raise TypeError(f"X is a list of {type(first).__name__}. {SUPPORTED}")
    if _are_ragged(rows):
        raise ValueError(f"The rows of X differ in length{_found(rows)}; {PAD}.")


def refuse_unknown(value: Any) -> None:
    """Reject a batch that cannot become a tensor, such as a batch of graphs."""
    is_known = hasattr(value, "__array__") or isinstance(value, list | tuple | int | float)
    if not is_known:
        raise TypeError(f"A batch of X is a {type(value).__name__}. {SUPPORTED}")


def split_targets(inputs: Mapping, forward: Callable) -> tuple[dict[Any, Any], Any]:
    """Take targets out of the inputs of a network, which items of data sets may hold.

    The network does not receive its targets, which it would only use to compute a loss,
    unless its forward requires them or a decoder derives its tokens from them.

    Parameters
    ----------
    inputs : dict
        Arguments of the network by name or position.
    forward : callable
        The method of the network.

    Returns
    -------
    inputs : dict
        Inputs of the network.
    targets : array-like or None
        The targets, if there are any.
    """
    inputs, targets = dict(inputs), targets_among(inputs)
    parameters = signature(forward).parameters
    is_unknown = all(each.kind in _ANY for each in parameters.values())
    for name in set(TARGETS) & set(inputs):
        parameter = parameters.get(name)
        is_required = parameter is not None and parameter.default is Parameter.empty
        is_decoded = (
            parameter is not None
            and "decoder_input_ids" in parameters
            and inputs.get("decoder_input_ids") is None
            and inputs.get("decoder_inputs_embeds") is None
            and np.ndim(inputs[name]) == 2
        )
        if not (is_unknown or is_required or is_decoded):
            del inputs[name]
    return inputs, targets
