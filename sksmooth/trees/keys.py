"""Sorted keys of the features of some samples: ranks and samples in one integer each.

:mod:`kernels` says what is in a key.
"""

from __future__ import annotations

import numpy as np

from .._lib.compilation import compiled
from .kernels import MISSING_KEY, RANK_STEP, SAMPLE_MASK

__all__ = ["keep_varying_runs", "keys_of_codes", "keys_of_some", "keys_of_values"]

_CHUNK = 1 << 17  # entries sorted at a time


def keys_of_values(values: np.ndarray, rows: np.ndarray, keys: np.ndarray) -> None:
    """Write the sorted keys of some rows of float32 or float64 values, a run a column.

    float32 values and their samples fit into 64 bits, which sort twice as fast as the
    indices of float64 values do.
    """
    n_features, n_samples = keys.shape
    width = max(1, _CHUNK // n_samples)
    for start in range(0, n_features, width):
        part = slice(start, start + width)
        chunk = np.ascontiguousarray(values[rows, part])
        if values.dtype == np.float32:
            pairs = _value_sample_pairs(chunk.view(np.uint32))
            pairs.sort(axis=1)
            _rank_pairs(pairs, keys[part])
        else:
            columns = np.ascontiguousarray(chunk.T)
            _rank_columns(columns, np.argsort(columns, axis=1), keys[part])


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
def keep_varying_runs(keys):
    """Move the runs of keys with more than one value to the front; give their numbers."""
    varying = np.empty(len(keys), dtype=np.int64)
    n_varying = 0
    for k in range(len(keys)):
        if (keys[k, 0] ^ keys[k, -1]) >= RANK_STEP:
            keys[n_varying] = keys[k]
            varying[n_varying] = k
            n_varying += 1
    return varying[:n_varying]


@compiled
def _sortable(bits):
    """Turn the bits of a float32 into an integer in the order of the numbers, NaN last."""
    sign, magnitude = bits & np.uint64(0x80000000), bits & np.uint64(0x7FFFFFFF)
    if magnitude > np.uint64(0x7F800000):
        return np.uint64(0xFFFFFFFF)
    if sign:  # -0 is 0
        return np.uint64(0x80000000) - magnitude
    return np.uint64(0x80000000) + magnitude


@compiled
def _value_sample_pairs(bits):
    """Pair float32 values, as integers in the same order, with their samples."""
    n_samples, n_features = bits.shape
    pairs = np.empty((n_features, n_samples), dtype=np.uint64)
    tile = 16  # of the transposition: a line of the cache holds 16 values
    for k_tile in range(0, n_features, tile):
        for i_tile in range(0, n_samples, tile):
            for k in range(k_tile, min(n_features, k_tile + tile)):
                for i in range(i_tile, min(n_samples, i_tile + tile)):
                    pairs[k, i] = _sortable(bits[i, k]) << np.uint64(32) | np.uint64(i)
    return pairs


@compiled
def _rank_pairs(pairs, keys):
    for k in range(pairs.shape[0]):
        rank = np.uint32(0)
        previous = pairs[k, 0] >> np.uint64(32)
        for j in range(pairs.shape[1]):
            value = pairs[k, j] >> np.uint64(32)
            if value != previous:
                rank += RANK_STEP
                previous = value
            if value == np.uint64(0xFFFFFFFF):
                rank = MISSING_KEY
            keys[k, j] = rank | np.uint32(pairs[k, j])


@compiled
def _rank_columns(columns, order, keys):
    for k in range(columns.shape[0]):
        rank = np.uint32(0)
        previous = columns[k, order[k, 0]]
        for j in range(columns.shape[1]):
            i = order[k, j]
            value = columns[k, i]
            if np.isnan(value):
                rank = MISSING_KEY
            elif value != previous:
                rank += RANK_STEP
                previous = value
            keys[k, j] = rank | np.uint32(i)
