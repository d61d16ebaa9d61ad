"""Sorted keys of the features of some samples: ranks and samples in one integer each.

:mod:`kernels` says what is in a key.
"""

from __future__ import annotations

import numpy as np

from .._lib.compilation import compiled
from .kernels import MISSING_KEY, RANK_STEP, SAMPLE_MASK
from .lanes import LANES, choose, load, spread, store
from .radix import NO_NUMBER, bits_of, scratch_for, sort_column
from .sorting import MOST_ROWS, sort_columns

__all__ = ["keep_varying_runs", "keys_of_codes", "keys_of_some", "keys_of_values"]

_CHUNK = 1 << 17  # entries sorted at a time


def keys_of_values(values: np.ndarray, rows: np.ndarray, keys: np.ndarray) -> None:
    """Write the sorted keys of some rows of float32 or float64 values, a run a column."""
    n_features, n_samples = keys.shape
    width = max(LANES, _CHUNK // n_samples // LANES * LANES)
    for start in range(0, n_features, width):
        part = slice(start, start + width)
        chunk = np.ascontiguousarray(values[rows, part], dtype=np.float64)
        if n_samples <= MOST_ROWS:
            _sort_and_rank(chunk, keys[part])
        else:
            _sort_apart(bits_of(np.ascontiguousarray(chunk.T)), keys[part])


def keep_varying_runs(keys: np.ndarray) -> np.ndarray:
    """Move the runs of keys with more than one value to the front; give their numbers."""
    varying = np.flatnonzero((keys[:, 0] ^ keys[:, -1]) >= RANK_STEP)
    for place, run in enumerate(varying):
        if place < run:
            keys[place] = keys[run]
    return varying


def keys_of_codes(codes: np.ndarray, missing: int, keys: np.ndarray) -> None:
    """Write the sorted keys of binned features, a run a feature, to ``keys``."""
    keys[:] = codes
    keys[codes == missing] = MISSING_KEY >> np.uint32(16)
    keys <<= np.uint32(16)
    keys |= np.arange(codes.shape[1], dtype=np.uint32)
    keys.sort(axis=1)


def keys_of_some(all_keys: np.ndarray, rows: np.ndarray, keys: np.ndarray) -> None:
    """Write the sorted keys of some rows, given those of all, which are read once."""
    place = np.full(all_keys.shape[1], -1, dtype=np.int32)
    place[rows] = np.arange(len(rows))
    all_keys = all_keys.view()
    all_keys.setflags(write=False)  # as in other processes: one kind is compiled
    _take_keys(all_keys, place, keys)


@compiled
def _take_keys(all_keys, place, keys):
    """Keep the keys of rows that have a place; ranks stay those among all rows."""
    n = keys.shape[1]
    for k in range(len(keys)):
        p = 0
        for key in all_keys[k]:
            if p == n:
                break
            own = place[key & SAMPLE_MASK]
            # Written over by the next one if the row has no place, without a branch.
            keys[k, p] = (key & ~SAMPLE_MASK) | np.uint32(own)
            p += own >= 0


@compiled
def _sort_and_rank(samples, keys):
    """Write sorted keys, sixteen columns at a time."""
    n, n_features = samples.shape
    values = np.zeros(n * LANES)
    numbers = np.empty(n * LANES, dtype=np.uint32)
    for first in range(0, n_features, LANES):
        width = min(LANES, n_features - first)
        for j in range(n):
            for k in range(width):
                value = samples[j, first + k]
                values[j * LANES + k] = np.inf if np.isnan(value) else value
            for k in range(LANES):
                numbers[j * LANES + k] = j
        sort_columns(values, numbers, n)
        previous, rank = load(values, 0), spread(np.uint32(0))
        for j in range(n):
            value = load(values, j * LANES)
            rank = choose(value > previous, rank + spread(RANK_STEP), rank)
            previous = value
            is_missing = value >= spread(np.inf)
            key = load(numbers, j * LANES) + choose(is_missing, spread(MISSING_KEY), rank)
            store(numbers, j * LANES, key)
        for k in range(width):
            for j in range(n):
                keys[first + k, j] = numbers[j * LANES + k]


@compiled
def _sort_apart(bits, out):
    """Write sorted keys, column by column, of numbers given by their bits."""
    n = bits.shape[1]
    keys, order, counts = scratch_for(n)
    for k in range(len(bits)):
        side = sort_column(bits[k], keys, order, counts)
        rank, previous = np.uint32(0), keys[side, 0]
        for j in range(n):
            key = keys[side, j]
            if key == NO_NUMBER:
                rank = MISSING_KEY
            elif key != previous:
                rank, previous = rank + RANK_STEP, key
            out[k, j] = rank | order[side, j]
