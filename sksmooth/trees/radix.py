"""Sort numbers by the bytes of their bits: a fifth of the time of comparing them."""

from __future__ import annotations

import numpy as np

from .._lib.compilation import inner

__all__ = ["NO_NUMBER", "bits_of", "scratch_for", "sort_column"]

NO_NUMBER = np.uint64((1 << 64) - 1)  # in place of NaN, above all numbers
_SIGN, _MAGNITUDE = np.uint64(1 << 63), np.uint64((1 << 63) - 1)
_INFINITE = np.uint64(0x7FF << 52)


def bits_of(columns: np.ndarray) -> np.ndarray:
    """Return the bits of numbers as float64: loops are compiled for one dtype."""
    return columns.astype(np.float64, copy=False).view(np.uint64)


@inner
def _sortable(bits):
    """Turn the bits of a float64 into an integer in the order of the numbers, NaN last."""
    magnitude = bits & _MAGNITUDE
    if magnitude > _INFINITE:
        return NO_NUMBER
    if bits != magnitude:  # -0 is 0
        return _SIGN - magnitude
    return _SIGN + magnitude


@inner
def scratch_for(n):
    """Allocate what :func:`sort_column` needs for ``n`` numbers."""
    keys, order = np.empty((2, n), dtype=np.uint64), np.empty((2, n), dtype=np.uint32)
    return keys, order, np.empty((8, 256), dtype=np.int64)


@inner
def sort_column(bits, keys, order, counts):
    """Sort numbers, given by their bits, and their places.

    Parameters
    ----------
    bits : (n,) uint64
    keys, order, counts : of ``scratch_for(n)``; one row of the first two is the result

    Returns
    -------
    side : which row holds the sorted keys, and their places
    """
    for i in range(len(bits)):
        keys[0, i], order[0, i] = _sortable(bits[i]), i
    return _sort_by_bytes(keys, order, counts)


@inner
def _sort_by_bytes(keys, order, counts):
    """Sort row 0 by bytes, from the last to the first; which row it is then.

    Bytes in which all keys agree, as the last ones of single precision, change nothing.
    """
    n, side = keys.shape[1], 0
    for byte in range(8):
        for value in range(256):
            counts[byte, value] = 0
    for j in range(n):
        key = keys[0, j]
        for byte in range(8):
            counts[byte, (key >> np.uint64(8 * byte)) & np.uint64(0xFF)] += 1
    for byte in range(8):
        shift, places = np.uint64(8 * byte), counts[byte]
        if places[(keys[0, 0] >> shift) & np.uint64(0xFF)] == n:
            continue
        place = 0
        for value in range(256):
            place, places[value] = place + places[value], place
        for j in range(n):
            key = keys[side, j]
            digit = (key >> shift) & np.uint64(0xFF)
            place = places[digit]
            places[digit] = place + 1
            keys[1 - side, place], order[1 - side, place] = key, order[side, j]
        side = 1 - side
    return side
