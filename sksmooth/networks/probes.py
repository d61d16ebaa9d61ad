"""What else people read from the features of a layer: probes, by scikit-learn.

Each takes the features as they are, and gives one number. Those whose cost grows fast with
the number of samples see a subsample, the same in every layer.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import (
    adjusted_rand_score,
    pairwise_distances_argmin,
    silhouette_score,
)
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import check_random_state, gen_batches
from threadpoolctl import threadpool_limits

__all__ = ["PROBES", "ProbeRows", "check_probes", "measure_probes", "probe_rows"]

_MOST_SAMPLES = 4000  # seen by classifiers
_MOST_DISTANCES = 2000  # samples between all of which distances are taken, or clustered
_HELD_OUT = 0.25  # of the samples, where there are no test samples
_NEIGHBOURS = 5
_ITERATIONS = 200  # of the linear probe, which need not converge
_STARTS, _ROUNDS = 3, 50  # of k-means
_FEWEST_DISTINCT = 20  # rows that have a dimension
_ROWS_OF_BLOCK = 1024  # of features that are read from memory or disk at a time


class ProbeRows(NamedTuple):
    """Which samples the probes see: the same ones in every layer.

    Attributes
    ----------
    few : ndarray of intp
        A subsample, of at most 2000, in random order, for silhouette, k-means and
        dimension.
    train, test : ndarray of intp
        Where the classifiers learn, and where they are asked, of at most 4000. ``test``
        counts the test samples if there are any, otherwise the samples themselves.
    """

    few: np.ndarray
    train: np.ndarray
    test: np.ndarray


def check_probes(names: str | Iterable[str]) -> list[str]:
    """The probes asked for, all of them if that is ``"all"``.

    Raises
    ------
    ValueError
        If one of them is not known.
    ImportError
        If scikit-dimension is needed and not installed.
    """
    if isinstance(names, str):
        names = PROBES if names == "all" else [names]
    names = list(dict.fromkeys(names))
    unknown = [name for name in names if name not in PROBES]
    if unknown:
        raise ValueError(
            f'Unknown probes {unknown}; choose from {list(PROBES)}, or "all" of them.'
        )
    if "intrinsic_dimension" in names:
        _two_nn()
    return names


def probe_rows(
    y: np.ndarray,
    y_test: np.ndarray | None = None,
    *,
    random_state: int | np.random.RandomState | None = None,
) -> ProbeRows:
    """Draw the samples that the probes see.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
        Class labels.
    y_test : ndarray of shape (n_test,), default=None
        Class labels of the test samples, if there are any.
    random_state : int, RandomState instance or None, default=None
        Seed of the draw.

    Raises
    ------
    ValueError
        If samples must be held out and a class has one sample only.
    """
    rng = check_random_state(random_state)
    rows = rng.permutation(len(y))[:_MOST_SAMPLES]
    few = rows[:_MOST_DISTANCES]
    if y_test is not None:
        return ProbeRows(few, rows, rng.permutation(len(y_test))[:_MOST_SAMPLES])
    _, codes, counts = np.unique(y[rows], return_inverse=True, return_counts=True)
    if len(y) > len(rows):  # of rare classes one sample may be drawn, which cannot be split
        rows = rows[counts[codes] > 1]
        _, counts = np.unique(y[rows], return_counts=True)
    if counts.min() < 2:
        raise ValueError(
            "Probes hold a part of every class out, but a class has one sample only; "
            "drop it, or pass X_test and y_test."
        )
    train, test = train_test_split(
        rows,
        test_size=max(round(_HELD_OUT * len(rows)), len(counts)),
        stratify=y[rows],
        random_state=rng,
    )
    return ProbeRows(few, train, test)


def measure_probes(
    names: Iterable[str],
    X: np.ndarray,
    y: np.ndarray,
    rows: ProbeRows,
    *,
    test: tuple[np.ndarray, np.ndarray] | None = None,
    random_state: int = 0,
) -> dict[str, float]:
    """Probes of one layer.

    Parameters
    ----------
    names : iterable of str
        Names in ``PROBES``.
    X : ndarray of shape (n_samples, n_features)
        Features, finite.
    y : ndarray of shape (n_samples,)
        Class labels.
    rows : ProbeRows
        The samples that the probes see.
    test : tuple of ndarrays, default=None
        Features and labels of the test samples, if there are any.
    random_state : int, default=0
        Seed of k-means.

    Returns
    -------
    values : dict of str to float
        One number a probe.
    """
    X_test, y_test = (X, y) if test is None else test
    samples = _Samples(X, y, rows, X_test, y_test, random_state)
    # More threads gain little here, and lose much where others use the processors, too.
    with threadpool_limits(1), warnings.catch_warnings():
        # A probe stops early by design, and equal rows make fewer clusters than classes.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return {name: float(PROBES[name](samples)) for name in names}


class _Samples(NamedTuple):
    X: np.ndarray
    y: np.ndarray
    rows: ProbeRows
    X_test: np.ndarray
    y_test: np.ndarray
    seed: int


def _knn(samples: _Samples) -> float:
    """Accuracy of 5 nearest neighbours."""
    n_neighbours = min(_NEIGHBOURS, len(samples.rows.train))
    return _held_out_accuracy(KNeighborsClassifier(n_neighbours), samples)


def _linear(samples: _Samples) -> float:
    """Accuracy of a logistic regression on standardised features."""
    classifier = LogisticRegression(max_iter=_ITERATIONS, tol=1e-3)
    return _held_out_accuracy(make_pipeline(StandardScaler(), classifier), samples)


def _held_out_accuracy(classifier: Any, samples: _Samples) -> float:
    train, test = samples.rows.train, samples.rows.test
    classifier.fit(samples.X[train], samples.y[train])
    return classifier.score(samples.X_test[test], samples.y_test[test])


def _silhouette(samples: _Samples) -> float:
    """Mean silhouette of the classes, as if they were clusters."""
    few = samples.rows.few
    n_classes = len(np.unique(samples.y[few]))
    if not 1 < n_classes < len(few):  # a class alone has no other to be apart from
        return np.nan
    return silhouette_score(samples.X[few], samples.y[few])


def _kmeans_ari(samples: _Samples) -> float:
    """Adjusted Rand index of as many clusters as classes (as in Sparsity-Probe)."""
    few = samples.rows.few
    y = samples.y[few]
    clusters = KMeans(
        len(np.unique(y)), n_init=_STARTS, max_iter=_ROUNDS, random_state=samples.seed
    )
    return adjusted_rand_score(y, clusters.fit_predict(samples.X[few]))


def _nc1(samples: _Samples) -> float:
    """Variability collapse, trace(S_W pinv(S_B)) / K, NaN if all class means agree.

    (Papyan, Han and Donoho, Prevalence of neural collapse, PNAS 117, 2020.) The
    between-class covariance S_B has the K class means for its range: in the basis of their
    singular vectors, the trace is a sum of K - 1 ratios of variances at most.
    """
    X, means, codes = samples.X, *_class_means(samples)
    _, scale, basis = np.linalg.svd(means - means.mean(axis=0), full_matrices=False)
    # Sums are rounded in proportion to the means, not to their differences.
    rounding = np.finfo(means.dtype).eps * max(means.shape) * np.abs(means).max()
    basis, scale = basis[scale > rounding].T, scale[scale > rounding]
    if len(scale) == 0:
        return np.nan
    centres = means @ basis
    within = sum(
        np.sum((X[block] @ basis - centres[codes[block]]) ** 2, axis=0)
        for block in _blocks(X)
    )
    return np.sum(within / len(X) / scale**2)


def _ncc_mismatch(samples: _Samples) -> float:
    """Share of the samples whose nearest class mean is that of another class.

    (Ben-Shaul and Dekel, arXiv 2201.08924, with the labels in the place of the network's
    predictions, which are the same once a network has memorised them.)
    """
    X, means, codes = samples.X, *_class_means(samples)
    means = means.astype(X.dtype)
    missed = sum(
        np.sum(pairwise_distances_argmin(X[block], means) != codes[block])
        for block in _blocks(X)
    )
    return missed / len(X)


def _class_means(samples: _Samples) -> tuple[np.ndarray, np.ndarray]:
    """Means of all classes, float64, and the class of every sample."""
    X, (classes, codes) = samples.X, np.unique(samples.y, return_inverse=True)
    is_of_class = np.eye(len(classes))
    sums = sum(is_of_class[codes[block]].T @ X[block] for block in _blocks(X))
    return sums / np.bincount(codes)[:, None], codes


def _blocks(X: np.ndarray) -> Iterator[slice]:
    return gen_batches(len(X), _ROWS_OF_BLOCK)


def _intrinsic_dimension(samples: _Samples) -> float:
    """Dimension by the ratios of the distances to the two nearest neighbours.

    (Facco and others, Scientific Reports 7, 2017.) Of distinct rows, NaN if there are
    hardly any.
    """
    X = np.unique(samples.X[samples.rows.few], axis=0)
    if len(X) < _FEWEST_DISTINCT:
        return np.nan
    # A constant column changes no distance, and TwoNN wants two columns.
    return _two_nn()().fit(np.pad(X, ((0, 0), (0, 1)))).dimension_


def _two_nn() -> Any:
    try:
        from skdim.id import TwoNN
    except ImportError as error:
        raise ImportError(
            "intrinsic_dimension needs scikit-dimension, which is not installed; "
            'install it with: pip install "sksmooth[probes]"'
        ) from error
    return TwoNN


PROBES: dict[str, Callable[[_Samples], float]] = {
    "knn": _knn,
    "linear": _linear,
    "silhouette": _silhouette,
    "kmeans_ari": _kmeans_ari,
    "nc1": _nc1,
    "ncc_mismatch": _ncc_mismatch,
    "intrinsic_dimension": _intrinsic_dimension,
}
