"""Probes: other numbers that are read from the features of a layer, beside the index.

Each is a function of the features and class labels, registered by :func:`probe` with its
name and description; that one entry makes it a column of the table of layers, with its
documentation. Probes whose cost grows fast with the number of samples see a subsample,
which is the same in every layer.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
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

from .._lib.optional import require

__all__ = [
    "PROBES",
    "Probe",
    "ProbeRows",
    "ProbeSamples",
    "chosen_probes",
    "measure_probes",
    "probe",
    "probe_rows",
]

_MOST_FOR_CLASSIFIERS = 4000  # samples
_MOST_FOR_DISTANCES = 2000  # samples, for probes that compare each with all others
_TEST_SHARE = 0.25  # of the samples, where there are no test samples
_N_NEIGHBOURS = 5
_LINEAR_ITERATIONS = 200  # an accuracy does not need the optimum
_KMEANS_STARTS, _KMEANS_ITERATIONS = 3, 50
_FEWEST_DISTINCT = 20  # rows from which a dimension can be estimated
_BLOCK_ROWS = 1024  # rows of the features that are read from memory or disk at a time


class ProbeRows(NamedTuple):
    """Row numbers of the samples that the probes see, the same in every layer.

    Attributes
    ----------
    few : ndarray of intp
        At most 2000 samples in random order, for silhouette, k-means and dimension.
    train, test : ndarray of intp
        At most 4000 samples on which classifiers are fitted, and as many on which their
        accuracy is measured. ``test`` are rows of the test samples if there are any,
        otherwise of the samples themselves.
    """

    few: np.ndarray
    train: np.ndarray
    test: np.ndarray


class ProbeSamples(NamedTuple):
    """What a probe is given.

    Attributes
    ----------
    X : ndarray of shape (n_samples, n_features)
        Features of one layer, finite, perhaps a memory map.
    y : ndarray of shape (n_samples,)
        Class labels.
    rows : ProbeRows
        The samples that probes see if they cannot see all.
    X_test, y_test : ndarray
        Test samples, or the samples again if there are none.
    seed : int
        Seed of whatever is random.
    """

    X: np.ndarray
    y: np.ndarray
    rows: ProbeRows
    X_test: np.ndarray
    y_test: np.ndarray
    seed: int


@dataclass(frozen=True)
class Probe:
    """One number that can be measured on a layer beside the index.

    Attributes
    ----------
    name : str
        What it is asked for by, and the name of its column.
    help : str
        What the number is, for the documentation and for reports.
    measure : callable
        ``measure(samples)`` gives the number, of :class:`ProbeSamples`.
    requires : tuple of str or None
        An optional module that it imports, and what to install for it.
    """

    name: str
    help: str
    measure: Callable[[ProbeSamples], float]
    requires: tuple[str, str] | None = None

    def check_installed(self) -> None:
        """Raise an error that says what to install, if something is missing."""
        if self.requires is not None:
            module, install = self.requires
            require(module, purpose=f"The probe {self.name!r}", install=install)


PROBES: dict[str, Probe] = {}


def probe(
    name: str, help: str, requires: tuple[str, str] | None = None
) -> Callable[[Callable[[ProbeSamples], float]], Callable[[ProbeSamples], float]]:
    """Register a function as a probe, of which the arguments are the attributes."""

    def registered(
        measure: Callable[[ProbeSamples], float],
    ) -> Callable[[ProbeSamples], float]:
        PROBES[name] = Probe(name, help, measure, requires)
        return measure

    return registered


def chosen_probes(names: str | Iterable[str]) -> list[Probe]:
    """Look the probes up that are asked for, all of them by ``"all"``.

    Parameters
    ----------
    names : str or iterable of str
        Names, of which one that is repeated counts once.

    Returns
    -------
    probes : list of Probe
        The probes.

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
    chosen = [PROBES[name] for name in names]
    for each in chosen:
        each.check_installed()
    return chosen


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

    Returns
    -------
    rows : ProbeRows
        Their row numbers.

    Raises
    ------
    ValueError
        If samples must be held out and a class has one sample only.
    """
    rng = check_random_state(random_state)
    rows = rng.permutation(len(y))[:_MOST_FOR_CLASSIFIERS]
    few = rows[:_MOST_FOR_DISTANCES]
    if y_test is not None:
        test = rng.permutation(len(y_test))[:_MOST_FOR_CLASSIFIERS]
        return ProbeRows(few, rows, test)
    _, codes, counts = np.unique(y[rows], return_inverse=True, return_counts=True)
    if len(y) > len(rows):
        # Of a rare class a single sample may have been drawn, which cannot be split.
        rows = rows[counts[codes] > 1]
        _, counts = np.unique(y[rows], return_counts=True)
    if counts.min() < 2:
        raise ValueError(
            "Probes hold a part of every class out, but a class has one sample only; "
            "drop it, or pass X_test and y_test."
        )
    train, test = train_test_split(
        rows,
        test_size=max(round(_TEST_SHARE * len(rows)), len(counts)),
        stratify=y[rows],
        random_state=rng,
    )
    return ProbeRows(few, train, test)


def measure_probes(
    probes: Iterable[Probe],
    X: np.ndarray,
    y: np.ndarray,
    rows: ProbeRows,
    *,
    test: tuple[np.ndarray, np.ndarray] | None = None,
    random_state: int = 0,
) -> dict[str, float]:
    """Measure probes on one layer.

    Parameters
    ----------
    probes : iterable of Probe
        What to measure.
    X : ndarray of shape (n_samples, n_features)
        Features, finite.
    y : ndarray of shape (n_samples,)
        Class labels.
    rows : ProbeRows
        The samples that the probes see.
    test : tuple of ndarrays, default=None
        Features and labels of the test samples, if there are any.
    random_state : int, default=0
        Seed of whatever is random.

    Returns
    -------
    values : dict of str to float
        One number a probe, by their names.
    """
    X_test, y_test = (X, y) if test is None else test
    samples = ProbeSamples(X, y, rows, X_test, y_test, random_state)
    # The matrices are small: threads of BLAS gain little, and lose much time by waiting for
    # each other where the processors are shared.
    with threadpool_limits(1), warnings.catch_warnings():
        # The linear probe stops early by design, and equal rows make fewer clusters than
        # there are classes.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return {each.name: float(each.measure(samples)) for each in probes}


@probe(
    "knn",
    "accuracy of 5 nearest neighbours on the test samples, or on a quarter held out",
)
def _knn(samples: ProbeSamples) -> float:
    n_neighbours = min(_N_NEIGHBOURS, len(samples.rows.train))
    return _held_out_accuracy(KNeighborsClassifier(n_neighbours), samples)


@probe(
    "linear",
    "accuracy of a logistic regression on the test samples, or on a quarter held out",
)
def _linear(samples: ProbeSamples) -> float:
    classifier = LogisticRegression(max_iter=_LINEAR_ITERATIONS, tol=1e-3)
    return _held_out_accuracy(make_pipeline(StandardScaler(), classifier), samples)


def _held_out_accuracy(classifier: Any, samples: ProbeSamples) -> float:
    train, test = samples.rows.train, samples.rows.test
    classifier.fit(samples.X[train], samples.y[train])
    return classifier.score(samples.X_test[test], samples.y_test[test])


@probe("silhouette", "mean silhouette of the classes, taken as clusters")
def _silhouette(samples: ProbeSamples) -> float:
    few = samples.rows.few
    n_classes = len(np.unique(samples.y[few]))
    if not 1 < n_classes < len(few):  # where the silhouette is not defined
        return np.nan
    return silhouette_score(samples.X[few], samples.y[few])


@probe(
    "kmeans_ari",
    "adjusted Rand index of as many clusters by k-means as there are classes (Ben-Shaul "
    "and Dekel, arXiv 2105.06849)",
)
def _kmeans_ari(samples: ProbeSamples) -> float:
    few = samples.rows.few
    y = samples.y[few]
    clusters = KMeans(
        len(np.unique(y)),
        n_init=_KMEANS_STARTS,
        max_iter=_KMEANS_ITERATIONS,
        random_state=samples.seed,
    )
    return adjusted_rand_score(y, clusters.fit_predict(samples.X[few]))


@probe(
    "nc1",
    "variability within classes relative to that between them, the first measure of "
    "neural collapse (Papyan, Han and Donoho, PNAS 117, 2020); NaN if all class means are "
    "equal",
)
def _nc1(samples: ProbeSamples) -> float:
    """Compute trace(S_W pinv(S_B)) / K, of K classes.

    The range of the between-class covariance S_B is spanned by the K centred class means:
    in the basis of their singular vectors the trace is a sum of at most K - 1 ratios of
    variances, and no covariance of all features is needed.
    """
    X, means, codes = samples.X, *_class_means(samples)
    _, scale, basis = np.linalg.svd(means - means.mean(axis=0), full_matrices=False)
    # Directions without variance between the classes have singular values of the size of
    # rounding errors, which are in proportion to the means, not to their differences.
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


@probe(
    "ncc_mismatch",
    "share of the samples whose nearest class mean is that of another class (Ben-Shaul and "
    "Dekel, arXiv 2201.08924)",
)
def _ncc_mismatch(samples: ProbeSamples) -> float:
    # The paper compares with the predictions of the network, which are the labels once a
    # network has memorised them.
    X, means, codes = samples.X, *_class_means(samples)
    means = means.astype(X.dtype)
    missed = sum(
        np.sum(pairwise_distances_argmin(X[block], means) != codes[block])
        for block in _blocks(X)
    )
    return missed / len(X)


def _class_means(samples: ProbeSamples) -> tuple[np.ndarray, np.ndarray]:
    """Compute the means of all classes, in float64, and number the class of each sample."""
    X, (classes, codes) = samples.X, np.unique(samples.y, return_inverse=True)
    is_of_class = np.eye(len(classes))
    sums = sum(is_of_class[codes[block]].T @ X[block] for block in _blocks(X))
    return sums / np.bincount(codes)[:, None], codes


def _blocks(X: np.ndarray) -> Iterator[slice]:
    return gen_batches(len(X), _BLOCK_ROWS)


@probe(
    "intrinsic_dimension",
    "dimension by the distances to the two nearest neighbours (TwoNN of scikit-dimension; "
    "Facco and others, Scientific Reports 7, 2017); NaN if hardly any rows are distinct",
    requires=("skdim.id", "sksmooth[probes]"),
)
def _intrinsic_dimension(samples: ProbeSamples) -> float:
    from skdim.id import TwoNN

    # Equal rows have the distance 0, whose ratios say nothing.
    X = np.unique(samples.X[samples.rows.few], axis=0)
    if len(X) < _FEWEST_DISTINCT:
        return np.nan
    # TwoNN refuses a single column; a constant one beside it changes no distance.
    return TwoNN().fit(np.pad(X, ((0, 0), (0, 1)))).dimension_
