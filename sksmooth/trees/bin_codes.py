"""The bin of every value, of sixteen values at a time."""

from __future__ import annotations

import numpy as np

from .._lib.compilation import compiled
from .kernels import MISSING_CODE, MOST_BINS
from .lanes import LANES, choose, element, gather, load, spread

__all__ = ["find_codes"]

_PART = 16  # bins


@compiled
def find_codes(columns, highest, codes):
    """Bin of every value: the first one that ends at or above it."""
    n_samples = columns.shape[1]
    n_whole = n_samples - n_samples % LANES
    flat = columns.ravel()
    for k in range(len(columns)):
        ends = highest[k]
        for start in range(0, n_whole, LANES):
            values = load(flat, k * n_samples + start)
            # Sixteen parts first, as comparisons with one number cost less than gathering.
            found, step = spread(np.uint32(0)), _PART // 2
            for end in range(_PART - 1, MOST_BINS, _PART):
                is_beyond = values > spread(ends[end])
                found = choose(is_beyond, found + spread(np.uint32(_PART)), found)
            while step > 0:
                beyond = found + spread(np.uint32(step))
                is_beyond = values > gather(ends, beyond - spread(np.uint32(1)))
                found = choose(is_beyond, beyond, found)
                step //= 2
            for lane in range(LANES):
                codes[k, start + lane] = element(found, lane)
        for i in range(n_whole, n_samples):
            code, step = 0, (MOST_BINS + 1) // 2
            while step > 0:
                code += step * (ends[code + step - 1] < columns[k, i])
                step //= 2
            codes[k, i] = code
        for i in range(n_samples):
            if np.isnan(columns[k, i]):
                codes[k, i] = MISSING_CODE
