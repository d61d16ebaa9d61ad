"""Search for splits by histograms of bins, for nodes of many samples.

The histogram of one feature fits into the first cache, so that it is filled, read and
forgotten feature by feature.
"""

from __future__ import annotations

import numpy as np

from .._lib.compilation import compiled
from .bins import MISSING_CODE, MOST_BINS
from .splits import split_score

__all__ = ["best_binned_cut"]


@compiled
def best_binned_cut(
    codes, rows, stored, zero_codes, features, labels, values, counted, total, least,
    max_tried, hist,
):  # fmt: skip
    """Best cut of some samples between two bins of a feature.

    Parameters
    ----------
    codes : (n_features, n_samples) uint8, or without entries if the codes are sparse
    rows : the samples in ``codes``, increasing
    stored : data, indices and indptr of the CSC codes of these samples alone, if sparse
    zero_codes : (n_features,) uint8, codes of the entries that are not stored
    features : features in the order in which they are tried; the first of equals is taken
    labels, values : of these samples, as in ``GrowthSamples``
    counted : their weights, integers if they can be summed as such
    total : their sums, as ``GrowthSamples.total``
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
    n_outputs = values.shape[1]
    left = np.zeros(len(total))
    weight = np.float64(counted.sum())
    best, position, best_code, missing_left = -1.0, -1, -1, False
    n_tried = 0
    data, indices, indptr = stored
    everyone = np.arange(len(labels))
    for place in range(len(features)):
        feature = features[place]
        hist[:] = 0
        if codes.size > 0:
            _count(hist, codes[feature], rows, labels, values, counted)
        else:
            start, stop = indptr[feature], indptr[feature + 1]
            if start == stop:
                continue
            these, places = indices[start:stop], everyone[: stop - start]
            own = labels[these], values[these], counted[these]
            _count(hist, data[start:stop], places, *own)
            if stop - start < len(labels):
                _count_others(hist, zero_codes[feature], *own, total, weight)
        score, code, with_missing, varies = _scan_bins(
            hist, n_outputs, total, left, weight, least, best
        )
        if code >= 0:
            best, position, best_code, missing_left = score, place, code, with_missing
        n_tried += varies
        if n_tried >= max_tried and position >= 0:
            break
    return best, position, best_code, missing_left


@compiled
def _count(hist, codes, places, labels, values, counted):
    """Add samples to their bins: by class, or their values and then their weights."""
    n_outputs = values.shape[1]
    for j in range(len(places)):
        code = codes[places[j]]
        if n_outputs == 0:
            hist[code, labels[j]] += counted[j]
        else:
            hist[code, n_outputs] += counted[j]
            for k in range(n_outputs):
                hist[code, k] += values[j, k]


@compiled
def _count_others(hist, code, labels, values, counted, total, weight):
    """Add all samples but these to one bin; the sums are exact."""
    n_outputs = values.shape[1]
    for k in range(len(total)):
        hist[code, k] += total[k]
    if n_outputs > 0:
        hist[code, n_outputs] += weight
    for j in range(len(counted)):
        if n_outputs == 0:
            hist[code, labels[j]] -= counted[j]
        else:
            hist[code, n_outputs] -= counted[j]
            for k in range(n_outputs):
                hist[code, k] -= values[j, k]


@compiled
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


@compiled
def _bin_weight(hist, code, n_outputs):
    if n_outputs > 0:
        return np.float64(hist[code, n_outputs])
    weight = 0.0
    for c in range(hist.shape[1]):
        weight += hist[code, c]
    return weight
