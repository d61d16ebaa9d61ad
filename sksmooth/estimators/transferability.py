"""Scores of transferability: how well a linear model on features would predict the targets.

They are computed from one singular value decomposition of the features, without training.
Both are invariant under rotation and scaling of the features.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import svd

__all__ = ["mean_log_evidence", "shrunk_h_score"]

_MOST_STEPS, _TOLERANCE = 200, 1e-6  # of the fixed-point iteration
# Ratio of noise to prior variance, between a fit without and one of nothing but noise.
_LEAST_RATIO, _LARGEST_RATIO = 1e-30, 1e30


def mean_log_evidence(X: np.ndarray, Y: np.ndarray) -> float:
    """Compute the largest log evidence of a Bayesian linear model, per sample.

    The model is ``y = X w + e`` without intercept, with weights ``w`` and noise ``e`` from
    normal distributions of unknown variances; the evidence is the density of ``y`` given
    ``X`` for the variances that make it largest [1]_.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Features.
    Y : ndarray of shape (n_samples, n_outputs)
        Targets, one-hot for classes.

    Returns
    -------
    evidence : float
        Mean over the outputs; infinite if one of them is a linear function of fewer
        features than samples.

    References
    ----------
    .. [1] K. You, Y. Liu, J. Wang and M. Long, *LogME: practical assessment of pre-trained
       models for transfer learning*, ICML 2021, arXiv 2102.11005. The iteration is that of
       K. You and others, *Ranking and tuning pre-trained models*, JMLR 23, 2022.
    """
    left, scale = _singular(X)
    n_samples, rank = left.shape
    power = scale**2 / max(scale, default=1.0) ** 2
    projected = left.T @ Y
    energy = projected**2
    rest = np.sum((Y - left @ projected) ** 2, axis=0)
    total = np.sum(Y**2, axis=0)
    rest[rest <= _rounding(X) ** 2 * total] = 0
    ratio = _best_ratio(power, energy, rest, n_samples)
    spread = power[:, None] + ratio
    n_rest = n_samples - rank
    with np.errstate(divide="ignore"):
        scaled = (np.sum(energy / spread, axis=0) + rest / ratio) / n_samples
        determinant = np.sum(np.log(spread), axis=0) + n_rest * np.log(ratio)
        evidence = -(np.log(2 * np.pi * scaled) + 1 + determinant / n_samples) / 2
    is_exact = (rest == 0) & ((n_rest > 0) | (total == 0))
    return float(np.mean(np.where(is_exact, np.inf, evidence)))


def _best_ratio(
    power: np.ndarray, energy: np.ndarray, rest: np.ndarray, n_samples: int
) -> np.ndarray:
    """Find the ratio alpha / beta of the precisions by MacKay's fixed-point iteration.

    Parameters
    ----------
    power : ndarray of shape (rank,)
        Squared singular values.
    energy : ndarray of shape (rank, n_outputs)
        Squares of the targets in the basis of the left singular vectors.
    rest : ndarray of shape (n_outputs,)
        Sum of squares of the targets outside that basis.
    n_samples : int
        Number of samples.

    Returns
    -------
    ratio : ndarray of shape (n_outputs,)
        One ratio for each output.
    """
    ratio = np.ones(len(rest))
    for _ in range(_MOST_STEPS if len(power) else 0):
        spread = power[:, None] + ratio
        kept, shrunk = power[:, None] / spread, ratio / spread
        residual = np.sum(shrunk**2 * energy, axis=0) + rest
        weights = np.sum(kept**2 * energy / power[:, None], axis=0)
        n_noise = n_samples - len(power) + np.sum(shrunk, axis=0)
        with np.errstate(divide="ignore", invalid="ignore"):  # of targets without energy
            new = np.sum(kept, axis=0) / weights * (residual / n_noise)
        new = np.clip(new, _LEAST_RATIO, _LARGEST_RATIO)
        if np.allclose(new, ratio, rtol=_TOLERANCE, atol=0, equal_nan=True):
            break
        ratio = new
    return ratio


def shrunk_h_score(X: np.ndarray, codes: np.ndarray) -> float:
    """Compute the H-score with a shrunk covariance of the features.

    It is ``(1 - a) trace(inv(S_a) S_B)`` of the covariance ``S_B`` of the class means and
    that of the features, shrunk by the amount ``a`` of Ledoit and Wolf [2]_. Without
    shrinkage [1]_, any features reach the largest value, the number of classes minus one,
    if there are as many features as samples.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Features.
    codes : ndarray of shape (n_samples,)
        Class codes, from 0 without gaps.

    Returns
    -------
    score : float
        The score; 0 for constant features.

    References
    ----------
    .. [1] Y. Bao and others, *An information-theoretic approach to transferability in task
       transfer learning*, ICIP 2019.
    .. [2] S. Ibrahim, N. Ponomareva and R. Mazumder, *Newer is not always better:
       rethinking transferability metrics, their peculiarities, stability and performance*,
       NeurIPS 2021 workshops and ECML PKDD 2022.
    """
    centred = X / (np.abs(X).max() or 1.0)
    centred -= centred.mean(axis=0)
    left, scale = _singular(centred, largest=1.0)
    if len(scale) == 0:
        return 0.0
    variances = scale**2 / len(X)
    shrinkage = _ledoit_wolf(np.sum(centred**2, axis=1), variances, X.shape[1])
    # Variance of the class means along each principal axis, as a share of its variance.
    counts = np.bincount(codes)
    membership = np.eye(len(counts))[codes] / np.sqrt(counts)
    captured = np.sum((left.T @ membership) ** 2, axis=1)
    signal = (1 - shrinkage) * variances
    shrunk = signal + shrinkage * np.sum(variances) / X.shape[1]
    return float(np.sum(captured * signal / shrunk))


def _ledoit_wolf(
    squared_norms: np.ndarray, variances: np.ndarray, n_features: int
) -> float:
    """Compute the amount of shrinkage, of centred samples.

    O. Ledoit and M. Wolf, *A well-conditioned estimator for large-dimensional covariance
    matrices*, Journal of Multivariate Analysis 88, 2004.
    """
    total, squares = np.sum(variances), np.sum(variances**2)
    distance = squares - total**2 / n_features
    error = (np.mean(squared_norms**2) - squares) / len(squared_norms)
    return float(np.clip(error / distance, 0, 1)) if distance > 0 else 0.0


def _singular(X: np.ndarray, largest: float | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Compute left singular vectors and singular values above rounding errors.

    These are in proportion to the ``largest`` value, by default that of ``X``.
    """
    largest = np.abs(X).max() if largest is None else largest
    left, scale, _ = svd(X, full_matrices=False)
    is_there = scale > _rounding(X) * largest
    return left[:, is_there], scale[is_there]


def _rounding(X: np.ndarray) -> float:
    return float(np.finfo(np.float64).eps * max(X.shape))
