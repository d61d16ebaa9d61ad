"""Search for splits by histograms of bins, for nodes of many samples.

The histogram of one feature fits into the first cache, so that it is filled, read and
forgotten feature by feature.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from .binning import MISSING_CODE, MOST_BINS
from .splits import split_score

__all__ = ["best_binned_cut", "best_sparse_binned_cut"]


@njit(cache=True, nogil=True)
def best_binned_cut(
    codes, features, rows, labels, values, counted, n_classes, least, max_tried, hist
):  # fmt: skip
    """Best cut of some samples between two bins of a feature.

    Parameters
    ----------
    codes : (n_features, n_samples) uint8
    features : features in the order in which they are tried; the first of equals is taken
    rows : the samples, increasing
    labels, values, n_classes : of these samples, as in ``GrowthSamples``
    counted : their weights, integers if they can be summed as such
    least : smallest weight of a leaf
    max_tried : number of features that vary which are tried
    hist : (MOST_BINS + 1, n_sums) scratch in the dtype of ``counted``

    Returns
    -------
    score : float, -1 if there is no cut
    position : int, of the feature in ``features``
    code : int, last bin on the left
    missing_left : bool
    """
    total, weight = _totals(labels, values, counted, n_classes)
    n_outputs = values.shape[1]
    left = np.zeros(len(total))
    best, position, best_code, missing_left = -1.0, -1, -1, False
    n_tried = 0
    for place in range(len(features)):
        row = codes[features[place]]
        hist[:] = 0
        for j in range(len(rows)):
            code = row[rows[j]]
            if n_outputs == 0:
                hist[code, labels[j]] += counted[j]
            else:
                hist[code, n_outputs] += counted[j]
                for k in range(n_outputs):
                    hist[code, k] += values[j, k]
        score, code, with_missing, varies = _scan_bins(
            hist, n_outputs, total, left, weight, least, best
        )
        if code >= 0:
            best, position, best_code, missing_left = score, place, code, with_missing
        n_tried += varies
        if n_tried >= max_tried and position >= 0:
            break
    return best, position, best_code, missing_left


@njit(cache=True, nogil=True)
def best_sparse_binned_cut(
    codes, indices, indptr, zero_codes, features, labels, values, counted, n_classes, least,
    max_tried, hist,
):  # fmt: skip
    """As :func:`best_binned_cut`, of the CSC codes of the samples of the node alone."""
    total, weight = _totals(labels, values, counted, n_classes)
    n_outputs = values.shape[1]
    n_sums = hist.shape[1]
    left = np.zeros(len(total))
    implied = np.zeros(n_sums, dtype=hist.dtype)
    best, position, best_code, missing_left = -1.0, -1, -1, False
    n_tried = 0
    for place in range(len(features)):
        feature = features[place]
        if indptr[feature] == indptr[feature + 1]:
            continue
        hist[:] = 0
        for k in range(len(total)):
            implied[k] = total[k]
        if n_outputs > 0:
            implied[n_outputs] = weight
        for entry in range(indptr[feature], indptr[feature + 1]):
            code, j = codes[entry], indices[entry]
            if n_outputs == 0:
                hist[code, labels[j]] += counted[j]
                implied[labels[j]] -= counted[j]
            else:
                hist[code, n_outputs] += counted[j]
                implied[n_outputs] -= counted[j]
                for k in range(n_outputs):
                    hist[code, k] += values[j, k]
                    implied[k] -= values[j, k]
        if indptr[feature + 1] - indptr[feature] < len(labels):
            hist[zero_codes[feature]] += implied
        score, code, with_missing, varies = _scan_bins(
            hist, n_outputs, total, left, weight, least, best
        )
        if code >= 0:
            best, position, best_code, missing_left = score, place, code, with_missing
        n_tried += varies
        if n_tried >= max_tried and position >= 0:
            break
    return best, position, best_code, missing_left


@njit(cache=True, nogil=True)
def _totals(labels, values, counted, n_classes):
    n_outputs = values.shape[1]
    total = np.zeros(n_outputs if n_outputs > 0 else n_classes)
    weight = 0.0
    for j in range(len(labels)):
        weight += counted[j]
        if n_outputs == 0:
            total[labels[j]] += counted[j]
        for k in range(n_outputs):
            total[k] += values[j, k]
    return total, weight


@njit(cache=True, nogil=True)
def _scan_bins(hist, n_outputs, total, left, weight, least, floor):
    """Best cut of a histogram above ``floor``, its bin, the missing side, if it varies."""
    best, best_code, missing_left, varies = floor, -1, False, False
    missing_weight = _bin_weight(hist, MISSING_CODE, n_outputs)
    for with_missing in range(1 + (missing_weight > 0)):
        # Samples without a value are right of all cuts, then left of all of them.
        left_weight = missing_weight if with_missing else 0.0
        left_square, right_square = 0.0, 0.0
        for c in range(len(total)):
            left[c] = hist[MISSING_CODE, c] if with_missing else 0.0
            left_square += left[c] ** 2
            right_square += (total[c] - left[c]) ** 2
        for code in range(MOST_BINS):
            bin_weight = _bin_weight(hist, code, n_outputs)
            if bin_weight == 0:
                continue
            if n_outputs == 0:
                for c in range(len(total)):
                    w = np.float64(hist[code, c])
                    before = left[c]
                    beyond = before - total[c]
                    left_square += w * (before + before + w)
                    right_square += w * (beyond + beyond + w)
                    left[c] = before + w
            else:
                left_square, right_square = 0.0, 0.0
                for c in range(len(total)):
                    left[c] += hist[code, c]
                    left_square += left[c] ** 2
                    right_square += (total[c] - left[c]) ** 2
            left_weight += bin_weight
            right_weight = weight - left_weight
            if right_weight <= 0:
                break
            varies = True
            score = split_score(left_square, left_weight, right_square, right_weight)
            if score > best and left_weight >= least and right_weight >= least:
                best, best_code, missing_left = score, code, with_missing == 1
    return best, best_code, missing_left, varies


@njit(cache=True, nogil=True)
def _bin_weight(hist, code, n_outputs):
    if n_outputs > 0:
        return np.float64(hist[code, n_outputs])
    weight = 0.0
    for c in range(hist.shape[1]):
        weight += hist[code, c]
    return weight
