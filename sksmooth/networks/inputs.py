"""Read samples in any form that networks take, as batches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from math import ceil, prod
from typing import Any, NamedTuple

import numpy as np
import torch
from sklearn.utils import check_array
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, IterableDataset, SequentialSampler

from ..samples import number_of_rows, reading
from .arguments import (
    PAD,
    SUPPORTED,
    as_arguments,
    checked_entry,
    is_dict,
    mapped,
    parts_of,
    refuse_unknown,
    split_targets,
    spread,
    takes_one_dict,
)

__all__ = [
    "DECODER_MASK",
    "MASK",
    "Batch",
    "Inputs",
    "check_order",
    "is_matrix",
    "read_inputs",
]

MASK, DECODER_MASK = _MASKS = "attention_mask", "decoder_attention_mask"


class Batch(NamedTuple):
    """Arguments of one call of the network, on its device."""

    arguments: tuple[Any, ...]  # tensors, or tuples of these
    keywords: dict[str, Any]
    n_rows: int
    y: Any = None
    is_one_dict: bool = False  # whether the keywords form one argument

    def call(self, root: Callable) -> None:
        """Call the network.

        Raises
        ------
        TypeError
            If X is a dict whose entries are not arguments of forward, and forward does not
            take it as a whole.
        """
        if not self.is_one_dict:
            root(*self.arguments, **self.keywords)
            return
        try:
            root(dict(self.keywords))
        except (AttributeError, TypeError, LookupError) as error:
            raise TypeError(
                f"X is a dict of {list(self.keywords)}, which are not arguments of "
                f"forward, and forward does not take the dict as a whole ({error}); name "
                "the entries as forward does."
            ) from error

    @property
    def input(self) -> Tensor | None:
        """The only tensor that is not a mask."""
        named = [value for key, value in self.keywords.items() if key not in _MASKS]
        tensors = parts_of((*self.arguments, *named))
        return tensors[0] if len(tensors) == 1 else None

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """All tensors."""
        return parts_of((*self.arguments, *self.keywords.values()))

    def head(self, n_rows: int) -> Batch:
        """Copy the first rows, repeating them if there are fewer."""
        rows = torch.arange(n_rows) % self.n_rows

        def some(value: Tensor) -> Tensor:
            return value[rows.to(value.device)]

        keywords = {key: mapped(value, some) for key, value in self.keywords.items()}
        arguments = mapped(self.arguments, some)
        return Batch(arguments, keywords, n_rows, is_one_dict=self.is_one_dict)


class Inputs(NamedTuple):
    """Checked samples, from which batches are made."""

    data: Any  # array, tensor, dict of these, or DataLoader
    y: Any  # targets among the data, if they are a dict
    forward: Callable  # of the network
    batch_size: int
    input_shape: Sequence[int] | None
    n_rows: Any  # an int, or None if unknown before all are read

    @property
    def is_loaded(self) -> bool:
        """Whether a loader makes the batches, perhaps from only some of its rows."""
        return isinstance(self.data, DataLoader)

    @property
    def n_batches(self) -> int | None:
        """Number of batches, if it is known."""
        if self.is_loaded:
            return None if self.n_rows is None else len(self.data)
        return ceil(self.n_rows / self.batch_size)

    def batches(self, dtype: torch.dtype, device: torch.device) -> Iterator[Batch]:
        """Yield copies of the rows in order, as the network takes them."""
        for inputs, y in self._pieces():
            batch = self._on_device(inputs, dtype, device)
            if batch.n_rows == 0:
                raise ValueError("A batch has no samples.")
            yield batch._replace(y=y)

    def _pieces(self) -> Iterator[tuple[Any, Any]]:
        if self.is_loaded:
            for batch in _with_note(self.data):
                yield self._inputs_and_y(batch)
            return
        for start in range(0, self.n_rows, self.batch_size):
            rows = slice(start, start + self.batch_size)
            y = None if self.y is None else self.y[rows]
            if isinstance(self.data, dict):
                yield {key: _rows_of(value, rows) for key, value in self.data.items()}, y
            else:
                yield self.data[rows], y

    def _inputs_and_y(self, batch: Any) -> tuple[Any, Any]:
        """Split a batch of a loader, which is the inputs or a pair (inputs, targets)."""
        inputs, y = batch, None
        if isinstance(batch, tuple | list):
            if len(batch) not in (1, 2):
                raise ValueError(
                    f"A batch has {len(batch)} parts; the data set must yield the inputs "
                    "or a pair (inputs, y). Put several inputs into a dict of the "
                    "arguments of forward, or into a tuple: ((a, b), y)."
                )
            inputs, y = batch[0], batch[1] if len(batch) == 2 else None
        if isinstance(inputs, tuple | list):
            return spread(inputs, self.forward), y
        if isinstance(inputs, Mapping):
            inputs, targets = split_targets(inputs, self.forward)
            return inputs, targets if y is None else y
        return inputs, y

    def _on_device(self, inputs: Any, dtype: torch.dtype, device: torch.device) -> Batch:
        if isinstance(inputs, Mapping):

            def copied(part: Any) -> Tensor:
                return _tensor(part, dtype, device, keep_bool=True)

            entries = {
                key: mapped(value, copied)
                for key, value in inputs.items()
                if value is not None
            }
            arguments = tuple(entries[key] for key in entries if isinstance(key, int))
            keywords = {key: entries[key] for key in entries if isinstance(key, str)}
            return Batch(
                arguments,
                keywords,
                _common_length(entries),
                is_one_dict=takes_one_dict(self.forward, entries),
            )
        refuse_unknown(inputs)
        tensor = _tensor(inputs, dtype, device)
        if self.input_shape is not None:
            tensor = _reshaped(tensor, self.input_shape)
        return Batch((tensor,), {}, len(tensor))


def _rows_of(entry: Any, rows: slice) -> Any:
    return mapped(entry, lambda part: part[rows])


def _with_note(loader: Iterable[Any]) -> Iterator[Any]:
    """Yield the batches of a loader; if it cannot make one, the error says what to do."""
    batches = iter(loader)
    while True:
        try:
            batch = next(batches)
        except StopIteration:
            return
        except TypeError as error:
            error.add_note(f"The DataLoader could not make a batch. {SUPPORTED}")
            raise
        except RuntimeError as error:
            error.add_note(
                "The DataLoader could not make a batch. Where its items differ in length, "
                f"give it a collate_fn, or {PAD}."
            )
            raise
        yield batch


def read_inputs(
    X: Any, forward: Callable, batch_size: int, input_shape: Sequence[int] | None = None
) -> Inputs:
    """Check samples, without reading those of a data set.

    Parameters
    ----------
    X : object
        Samples in any form.
    forward : callable
        The method of the network.
    batch_size, input_shape
        As in :class:`~sksmooth.networks.options.ReaderOptions`.

    Returns
    -------
    inputs : Inputs
        The samples.
    """
    X, y = as_arguments(X, forward), None
    if isinstance(X, Dataset):
        X = DataLoader(X, batch_size=batch_size)
    if isinstance(X, DataLoader):
        n_rows = _length_of(X)
    elif is_dict(X):
        if input_shape is not None:
            raise ValueError("input_shape applies to one array, but X is a dict of arrays.")
        X, y = split_targets(X, forward)
        X = {
            key: checked_entry(key, value) for key, value in X.items() if value is not None
        }
        n_rows = _common_length(X)
    else:
        if not isinstance(X, Tensor):
            with reading(X, "X"):
                X = check_array(X, dtype="numeric", allow_nd=True, input_name="X")
        elif X.ndim < 2:
            raise ValueError(f"X has shape {tuple(X.shape)}; its rows must be the samples.")
        n_rows = number_of_rows(X)
    if n_rows == 0:
        raise ValueError("X has no samples.")
    return Inputs(X, y, forward, batch_size, input_shape, n_rows)


def is_matrix(X: Any) -> bool:
    """Return whether X is a matrix or a data frame, or should become one."""
    if isinstance(X, Tensor | Dataset | DataLoader) or is_dict(X):
        return False
    return (np.ndim(X) if isinstance(X, list | tuple) else getattr(X, "ndim", 2)) == 2


def check_order(X: Any) -> None:
    """Reject a loader that yields rows in another order than its data set."""
    if not isinstance(X, DataLoader) or isinstance(X.dataset, IterableDataset):
        return
    batches = X.batch_sampler
    sampler = X.sampler if batches is None else getattr(batches, "sampler", None)
    if not isinstance(sampler, SequentialSampler):
        raise ValueError(
            "The DataLoader does not keep the order of its data set, so its rows cannot be "
            "matched with y; use shuffle=False. Where the data set yields pairs (x, y), "
            "score(loader) takes the targets of the same pass."
        )


def _length_of(loader: Any) -> int | None:
    """Return the largest number of rows that a loader can yield; None if unknown."""
    if isinstance(loader.dataset, IterableDataset):
        return None
    try:
        if loader.batch_sampler is None:
            return None
        return len(loader.batch_sampler) and len(loader.sampler)
    except TypeError:  # a sampler without length
        return None


def _common_length(entries: Mapping[Any, Any]) -> int:
    if not entries:
        raise ValueError("X is a dict without entries.")
    lengths = {
        (key if place == 0 else f"{key}[{place}]"): len(part)
        for key, value in entries.items()
        for place, part in enumerate(parts_of(value))
    }
    if len(set(lengths.values())) != 1:
        raise ValueError(f"The entries of X differ in their numbers of rows: {lengths}.")
    return next(iter(lengths.values()))


def _tensor(
    value: Any, dtype: torch.dtype, device: torch.device, keep_bool: bool = False
) -> Tensor:
    """Copy values into a tensor that the network may write to.

    Numbers are cast to the dtype of the network's weights. Integers of 32 and 64 bits are
    tokens and stay integers; those of 8 and 16 bits are pixels or audio.
    """
    if not isinstance(value, Tensor):
        value = np.asarray(value)
        if value.dtype.kind in "iu" and value.dtype.itemsize > 2:
            value = value.astype(np.int64)
        elif value.dtype.kind in "iuf":
            value = value.astype(np.float64 if value.dtype.itemsize > 4 else np.float32)
        value = torch.from_numpy(np.array(value, order="C"))
    is_token = value.dtype in (torch.int32, torch.int64)
    if is_token or (keep_bool and value.dtype == torch.bool):
        dtype = value.dtype
    return value.detach().to(device, dtype, copy=True)


def _reshaped(tensor: Tensor, shape: Sequence[int]) -> Tensor:
    """Reshape flat rows to the shape of a sample; axes of length one may come or go."""
    found, shape = tuple(tensor.shape[1:]), tuple(shape)
    if _without_ones(found) == _without_ones(shape):
        return tensor.reshape(len(tensor), *shape)
    if len(found) != 1:
        raise ValueError(
            f"input_shape={shape} requires flat rows or samples of that shape, but those "
            f"of X have shape {found}; {_mend(found, shape)}."
        )
    if found[0] != prod(shape):
        raise ValueError(
            f"input_shape={shape} has {prod(shape)} numbers, but a sample of X has "
            f"{found[0]}: shape {found}."
        )
    return tensor.reshape(len(tensor), *shape)


def _without_ones(shape: Sequence[int]) -> tuple[int, ...]:
    return tuple(length for length in shape if length != 1)


def _mend(found: tuple[int, ...], shape: tuple[int, ...]) -> str:
    """Suggest how to bring samples from one shape to the other."""
    if (found[-1], *found[:-1]) == shape:
        return (
            "their channels come last: pass np.moveaxis(X, -1, 1), or of a tensor "
            "X.movedim(-1, 1)"
        )
    if (*found[1:], found[0]) == shape:
        return "their channels come first: pass np.moveaxis(X, 1, -1)"
    if prod(found) == prod(shape):
        return "if their order is right, pass X.reshape(len(X), -1)"
    return "leave out input_shape, or reshape the samples"
