"""Compiled loops over the rows of a feature matrix, of float64, without the GIL."""

from __future__ import annotations

import math

import numpy as np

from .._lib.compilation import compiled, inner

__all__ = ["NO_VALUE", "dense_row_codes", "project", "sparse_row_codes"]

NO_VALUE = 2.0  # where NaN lies in features that are scaled to an interval of length 1


@compiled
def project(X, direction, half_low, half_range, position):
    """Project the scaled rows of X on a direction, and write that to ``position``.

    This is no BLAS product, since BLAS may round equal rows differently, by their place in
    the matrix. Halves are taken since a range may exceed the largest float64.
    """
    n = X.shape[0]
    for i in range(0, n, 4):
        # Four rows at a time, since each sum waits for the one before.
        rows = i, min(i + 1, n - 1), min(i + 2, n - 1), min(i + 3, n - 1)
        a, b, c, d = X[rows[0]], X[rows[1]], X[rows[2]], X[rows[3]]
        of_a, of_b, of_c, of_d = 0.0, 0.0, 0.0, 0.0
        for k in range(X.shape[1]):
            low, width, weight = half_low[k], half_range[k], direction[k]
            of_a += weight * _or_no_value((a[k] * 0.5 - low) / width)
            of_b += weight * _or_no_value((b[k] * 0.5 - low) / width)
            of_c += weight * _or_no_value((c[k] * 0.5 - low) / width)
            of_d += weight * _or_no_value((d[k] * 0.5 - low) / width)
        position[rows[0]], position[rows[1]] = of_a, of_b
        position[rows[2]], position[rows[3]] = of_c, of_d


@inner
def _or_no_value(place):
    return NO_VALUE if np.isnan(place) else place


@inner
def _mixed(code, value, column):
    # Wraps around; the odd factors are those of Knuth's generator and of the FNV hash.
    mantissa, exponent = (NO_VALUE, 0) if np.isnan(value) else math.frexp(value)
    code = (code + column) * 6364136223846793005 + np.int64(mantissa * 2.0**53)
    return code * 1099511628211 + exponent


@compiled
def dense_row_codes(X, codes):
    """Hash every row; zeros are skipped, so that sparse rows have the same codes."""
    for i in range(X.shape[0]):
        code = 0
        for k in range(X.shape[1]):
            if X[i, k] != 0:
                code = _mixed(code, X[i, k], k)
        codes[i] = code


@compiled
def sparse_row_codes(data, indices, indptr, codes):
    """Hash every row of a CSR matrix, as :func:`dense_row_codes`."""
    for i in range(len(codes)):
        code = 0
        for entry in range(indptr[i], indptr[i + 1]):
            if data[entry] != 0:
                code = _mixed(code, data[entry], indices[entry])
        codes[i] = code
