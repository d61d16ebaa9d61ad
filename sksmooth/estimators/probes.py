"""Probes: other measures of features and targets, reported beside the index.

Each is a function registered by :func:`probe` with its name, its description, the kinds of
targets that it takes and the direction in which it is better; that one entry makes it a
column of the table of layers, with its documentation. Probes whose cost grows fast with the
number of samples see a subsample, which is the same for all features of the same samples.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.spatial.distance import pdist, squareform
from sklearn.cluster import KMeans
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.metrics import (
    adjusted_rand_score,
    pairwise_distances_argmin,
    silhouette_score,
)
from sklearn.model_selection import GroupShuffleSplit, train_test_split
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import check_random_state, gen_batches
from threadpoolctl import threadpool_limits

from .._lib.optional import require
from ..samples import label_codes, number_of_rows
from .transferability import mean_log_evidence, shrunk_h_score

__all__ = [
    "PROBES",
    "Probe",
    "ProbeRows",
    "ProbeSamples",
    "TargetKind",
    "chosen_probes",
    "measure_probes",
    "probe",
    "probe_rows",
]

_MOST_FOR_MODELS = 4000  # samples
_MOST_FOR_DISTANCES = 2000  # samples, for probes that compare each with all others
_TEST_SHARE = 0.25  # of the samples, where there are no test samples
_N_NEIGHBOURS = 5
_LINEAR_ITERATIONS = 200  # an accuracy does not need the optimum
_RIDGE_PENALTIES = np.logspace(-3, 6, 19)
_N_TREES = 100
# Features that a regression tree tries at a split: all of a usual table, but more would
# take minutes on a wide layer.
_MOST_TRIED = 100
_KMEANS_STARTS, _KMEANS_ITERATIONS = 3, 50
_FEWEST_DISTINCT = 20  # rows from which a dimension can be estimated
_BLOCK_ROWS = 1024  # rows of the features that are read from memory or disk at a time


class TargetKind(StrEnum):
    """What y holds: class labels, or regression targets of one or several outputs."""

    CLASSES = "classes"
    NUMBERS = "numbers"

    @property
    def words(self) -> str:
        """Name of the kind in messages."""
        return "class labels" if self is TargetKind.CLASSES else "regression targets"


class ProbeRows(NamedTuple):
    """Row numbers of the samples that the probes see, the same for all features.

    Attributes
    ----------
    few : ndarray of intp
        At most 2000 samples in random order, for silhouette, k-means and dimension.
    train, test : ndarray of intp
        At most 4000 samples on which models are fitted, and as many on which their accuracy
        or R² is measured. ``test`` are rows of the test samples if there are any, otherwise
        of the samples themselves.
    targets : TargetKind
        What the targets of the samples are.
    """

    few: np.ndarray
    train: np.ndarray
    test: np.ndarray
    targets: TargetKind = TargetKind.CLASSES


class ProbeSamples(NamedTuple):
    """The input of a probe.

    Attributes
    ----------
    X : ndarray of shape (n_samples, n_features)
        Features, finite, perhaps a memory map.
    y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        Regression targets or class codes, as ``rows.targets`` says; -1 for a test sample
        whose class is not among the samples.
    rows : ProbeRows
        The samples that probes see if they cannot see all.
    X_test, y_test : ndarray
        Test samples; the samples themselves if there are none.
    seed : int
        Seed of whatever is random.
    """

    X: np.ndarray
    y: np.ndarray
    rows: ProbeRows
    X_test: np.ndarray
    y_test: np.ndarray
    seed: int

    @property
    def has_classes(self) -> bool:
        """Whether the targets are class labels."""
        return self.rows.targets is TargetKind.CLASSES


Measure = Callable[[ProbeSamples], float]


@dataclass(frozen=True)
class Probe:
    """A measure of features that is reported beside the index.

    Attributes
    ----------
    name : str
        Name by which users request it, and name of its column.
    help : str
        What the value means, for the documentation and for reports.
    measure : callable
        ``measure(samples)`` returns the value for :class:`ProbeSamples`.
    larger_is_better : bool or None
        Whether a larger value means better features for the targets; None if neither does.
    targets : tuple of TargetKind
        The kinds of targets that it takes.
    requires : tuple of str or None
        An optional module that it imports, and what to install for it.
    """

    name: str
    help: str
    measure: Measure
    larger_is_better: bool | None
    targets: tuple[TargetKind, ...] = (TargetKind.CLASSES,)
    requires: tuple[str, str] | None = None

    @property
    def description(self) -> str:
        """What the value means, and whether lower is better."""
        return (
            f"{self.help}; lower is better" if self.larger_is_better is False else self.help
        )

    def check_installed(self) -> None:
        """Raise an error that says what to install if a library is missing."""
        if self.requires is not None:
            module, install = self.requires
            purpose = f"The probe {self.name!r}"
            require(module, purpose=purpose, install=install, extra="probes")


PROBES: dict[str, Probe] = {}


def probe(
    name: str,
    help: str,
    *,
    larger_is_better: bool | None,
    targets: Iterable[TargetKind] = (TargetKind.CLASSES,),
    requires: tuple[str, str] | None = None,
) -> Callable[[Measure], Measure]:
    """Register a function as a probe; the arguments become its attributes."""

    def registered(measure: Measure) -> Measure:
        PROBES[name] = Probe(
            name, help, measure, larger_is_better, tuple(targets), requires
        )
        return measure

    return registered


def chosen_probes(
    names: str | Iterable[str], targets: TargetKind | str | None = None
) -> list[Probe]:
    """Look up the requested probes.

    Parameters
    ----------
    names : str or iterable of str
        Names; a repeated one counts once. ``"all"`` means all that fit the targets.
    targets : {"classes", "numbers"} or None, default=None
        Kind of the targets; None if it is not known yet, so that any probe may fit.

    Returns
    -------
    probes : list of Probe
        The probes.

    Raises
    ------
    ValueError
        If a probe is unknown or does not take such targets.
    ImportError
        If scikit-dimension is needed and not installed.
    """
    fitting = _names_for(targets)
    if isinstance(names, str):
        names = fitting if names == "all" else [names]
    names = list(dict.fromkeys(names))
    unknown = [name for name in names if name not in PROBES]
    if unknown:
        raise ValueError(f'Unknown probes {unknown}; choose from {fitting}, or "all".')
    unfit = [name for name in names if name not in fitting]
    if unfit and targets is not None:
        given = TargetKind(targets)
        (needed,) = set(TargetKind) - {given}
        raise ValueError(
            f"The probes {unfit} need {needed.words}, but y holds {given.words}; choose "
            f'from {fitting}, or "all".'
        )
    chosen = [PROBES[name] for name in names]
    for each in chosen:
        each.check_installed()
    return chosen


def _names_for(targets: TargetKind | str | None) -> list[str]:
    if targets is None:
        return list(PROBES)
    kind = TargetKind(targets)
    return [name for name, each in PROBES.items() if kind in each.targets]


def probe_rows(
    y: ArrayLike,
    y_test: ArrayLike | None = None,
    *,
    targets: TargetKind | str = TargetKind.CLASSES,
    groups: ArrayLike | None = None,
    random_state: int | np.random.RandomState | None = None,
) -> ProbeRows:
    """Draw the samples that the probes see.

    Parameters
    ----------
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Targets.
    y_test : array-like, default=None
        Targets of the test samples, if there are any.
    targets : {"classes", "numbers"}, default="classes"
        Kind of the targets. A part of every class is held out.
    groups : array-like of shape (n_samples,), default=None
        Groups of samples, which are held out as a whole, whatever their classes.
    random_state : int, RandomState instance or None, default=None
        Seed of the draw.

    Returns
    -------
    rows : ProbeRows
        Their row numbers.

    Raises
    ------
    ValueError
        If samples must be held out and a class has only one sample.
    """
    kind = TargetKind(targets)
    (y,) = _as_targets(kind, y)
    rng = check_random_state(random_state)
    rows = rng.permutation(len(y))[:_MOST_FOR_MODELS]
    few = rows[:_MOST_FOR_DISTANCES]
    if y_test is not None:
        test = rng.permutation(number_of_rows(y_test, "y_test"))[:_MOST_FOR_MODELS]
        return ProbeRows(few, rows, test, kind)
    if groups is not None:
        of_rows = np.asarray(groups)[rows]
        split = GroupShuffleSplit(1, test_size=_TEST_SHARE, random_state=rng)
        train, test = next(split.split(rows, groups=of_rows))
        return ProbeRows(few, rows[train], rows[test], kind)
    if kind is TargetKind.NUMBERS:
        n_test = max(round(_TEST_SHARE * len(rows)), 1)
        return ProbeRows(few, rows[n_test:], rows[:n_test], kind)
    train, test = _stratified_split(rows, y, rng)
    return ProbeRows(few, train, test, kind)


def _stratified_split(
    rows: np.ndarray, y: np.ndarray, rng: np.random.RandomState
) -> tuple[np.ndarray, np.ndarray]:
    _, codes, counts = np.unique(y[rows], return_inverse=True, return_counts=True)
    if len(y) > len(rows):
        # Only one sample of a rare class may have been drawn, which cannot be split.
        rows = rows[counts[codes] > 1]
        _, counts = np.unique(y[rows], return_counts=True)
    if counts.min() < 2:
        raise ValueError(
            "Probes hold out a part of every class, but a class has only one sample; drop "
            "it, or pass X_test and y_test."
        )
    train, test = train_test_split(
        rows,
        test_size=max(round(_TEST_SHARE * len(rows)), len(counts)),
        stratify=y[rows],
        random_state=rng,
    )
    return train, test


def _as_targets(kind: TargetKind, *targets: ArrayLike) -> Iterator[np.ndarray]:
    """Return regression targets, or class codes by the classes of the first targets."""
    if kind is TargetKind.CLASSES:
        yield from label_codes(*targets)
        return
    for each in targets:
        y = np.asarray(each, dtype=np.float64)
        yield y.ravel() if y.shape[1:] == (1,) else y


def measure_probes(
    probes: Iterable[Probe],
    X: np.ndarray,
    y: ArrayLike,
    rows: ProbeRows,
    *,
    test: tuple[np.ndarray, ArrayLike] | None = None,
    random_state: int = 0,
) -> dict[str, float]:
    """Measure probes on features.

    Parameters
    ----------
    probes : iterable of Probe
        What to measure.
    X : ndarray of shape (n_samples, n_features)
        Features, finite.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Targets, of the kind for which ``rows`` were drawn.
    rows : ProbeRows
        The samples that the probes see.
    test : tuple of (ndarray, array-like), default=None
        Features and targets of the test samples, if there are any.
    random_state : int, default=0
        Seed of whatever is random.

    Returns
    -------
    values : dict of str to float
        One number per probe, by their names.
    """
    X_test, y_test = (X, y) if test is None else test
    y, y_test = _as_targets(rows.targets, y, y_test)
    samples = ProbeSamples(X, y, rows, X_test, y_test, random_state)
    # The matrices are small: BLAS threads gain little, and waste much time waiting for each
    # other where processors are shared.
    with threadpool_limits(1), warnings.catch_warnings():
        # The linear probe stops early by design, and equal rows make fewer clusters than
        # there are classes.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return {each.name: float(each.measure(samples)) for each in probes}


@probe(
    "knn",
    "accuracy of 5 nearest neighbours, R² for regression, on the test samples or a quarter "
    "held out",
    larger_is_better=True,
    targets=TargetKind,
)
def _knn(samples: ProbeSamples) -> float:
    model = KNeighborsClassifier if samples.has_classes else KNeighborsRegressor
    n_neighbours = min(_N_NEIGHBOURS, len(samples.rows.train))
    return _held_out_score(model(n_neighbours), samples)


@probe(
    "linear",
    "accuracy of a logistic regression on the test samples or a quarter held out",
    larger_is_better=True,
)
def _linear(samples: ProbeSamples) -> float:
    classifier = LogisticRegression(max_iter=_LINEAR_ITERATIONS, tol=1e-3)
    return _held_out_score(make_pipeline(StandardScaler(), classifier), samples)


@probe(
    "ridge",
    "R² of a ridge regression on the test samples or a quarter held out, with a penalty "
    "chosen by leave-one-out cross-validation",
    larger_is_better=True,
    targets=[TargetKind.NUMBERS],
)
def _ridge(samples: ProbeSamples) -> float:
    model = RidgeCV(_RIDGE_PENALTIES, alpha_per_target=True)
    return _held_out_score(make_pipeline(StandardScaler(), model), samples)


def _held_out_score(model: Any, samples: ProbeSamples) -> float:
    """Compute the accuracy of a classifier or the R² of a regressor, mean over outputs."""
    train, test = samples.rows.train, samples.rows.test
    model.fit(samples.X[train], samples.y[train])
    return model.score(samples.X_test[test], samples.y_test[test])


@probe(
    "forest",
    "out-of-bag accuracy, R² for regression, of a random forest of 100 trees",
    larger_is_better=True,
    targets=TargetKind,
)
def _forest(samples: ProbeSamples) -> float:
    y = samples.y[samples.rows.train]
    # Forests round to float32; centring first keeps small differences.
    X = StandardScaler().fit_transform(samples.X[samples.rows.train])
    options = dict(oob_score=True, n_jobs=1, random_state=samples.seed)
    if samples.has_classes:
        return RandomForestClassifier(_N_TREES, **options).fit(X, y).oob_score_
    n_tried = min(X.shape[1], _MOST_TRIED)
    forest = RandomForestRegressor(_N_TREES, max_features=n_tried, **options)
    y = StandardScaler().fit_transform(y.reshape(len(y), -1))  # outputs count alike
    return forest.fit(X, y[:, 0] if y.shape[1] == 1 else y).oob_score_


@probe(
    "logme",
    "log evidence per sample of a Bayesian linear model, mean over classes or outputs (You "
    "and others, ICML 2021); infinite where targets are linear in the features",
    larger_is_better=True,
    targets=TargetKind,
)
def _logme(samples: ProbeSamples) -> float:
    X, y = _float64(samples.X[samples.rows.train]), samples.y[samples.rows.train]
    if samples.has_classes:
        classes, codes = np.unique(y, return_inverse=True)
        y = np.eye(len(classes))[codes]
    return mean_log_evidence(X, y.reshape(len(X), -1))


@probe(
    "h_score",
    "H-score: variance of the class means relative to the covariance of the features, "
    "which is shrunk; at most the number of classes less one (Bao and others, ICIP 2019; "
    "Ibrahim, Ponomareva and Mazumder, ECML PKDD 2022)",
    larger_is_better=True,
)
def _h_score(samples: ProbeSamples) -> float:
    train = samples.rows.train
    _, codes = np.unique(samples.y[train], return_inverse=True)
    return shrunk_h_score(_float64(samples.X[train]), codes)


def _float64(X: np.ndarray) -> np.ndarray:
    return np.asarray(X, dtype=np.float64)


@probe(
    "silhouette",
    "mean silhouette of the classes, taken as clusters",
    larger_is_better=True,
)
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
    larger_is_better=True,
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
    larger_is_better=False,
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
    larger_is_better=False,
)
def _ncc_mismatch(samples: ProbeSamples) -> float:
    # The paper compares with the network's predictions, which equal the labels once the
    # network has memorised them.
    X, means, codes = samples.X, *_class_means(samples)
    means = means.astype(X.dtype)
    missed = sum(
        np.sum(pairwise_distances_argmin(X[block], means) != codes[block])
        for block in _blocks(X)
    )
    return missed / len(X)


@probe(
    "davies_bouldin",
    "spread of a class and of the class that overlaps it most, relative to the distance of "
    "their means, mean over the classes (Davies and Bouldin, IEEE TPAMI 1, 1979); NaN if "
    "two class means are equal",
    larger_is_better=False,
)
def _davies_bouldin(samples: ProbeSamples) -> float:
    # scikit-learn's version leaves out pairs with equal means, which are the worst.
    squared, codes, apart = _spreads(samples)
    if apart is None:
        return np.nan
    spread = np.bincount(codes, np.sqrt(squared)) / np.bincount(codes)
    return np.mean(np.max(squareform(_sums_of_pairs(spread) / apart), axis=1))


@probe(
    "cdnv",
    "class-distance normalised variance: mean variance within two classes relative to "
    "the squared distance of their means, mean over the pairs (Galanti, György and Hutter, "
    "arXiv 2112.15121); NaN if two class means are equal",
    larger_is_better=False,
)
def _cdnv(samples: ProbeSamples) -> float:
    squared, codes, apart = _spreads(samples)
    if apart is None:
        return np.nan
    variance = np.bincount(codes, squared) / np.bincount(codes)
    return np.mean(_sums_of_pairs(variance) / (2 * apart**2))


def _spreads(samples: ProbeSamples) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Compute how far samples are from their class means, and these from each other.

    Returns
    -------
    squared : ndarray of shape (n_samples,)
        Squared distances to the class means.
    codes : ndarray of shape (n_samples,)
        Class numbers.
    apart : ndarray of shape (n_pairs,) or None
        Distances between class means, in the order of ``pdist``. None if two means are
        equal up to rounding errors, or if there is only one class.
    """
    X, (means, codes) = samples.X, _class_means(samples)
    squared = np.concatenate(
        [np.sum((X[block] - means[codes[block]]) ** 2, axis=1) for block in _blocks(X)]
    )
    apart = pdist(means)
    rounding = np.finfo(means.dtype).eps * max(X.shape) * np.abs(means).max()
    return squared, codes, apart if np.all(apart > rounding) and len(apart) else None


def _sums_of_pairs(values: np.ndarray) -> np.ndarray:
    first, second = np.triu_indices(len(values), 1)
    return values[first] + values[second]


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
    larger_is_better=None,
    targets=TargetKind,
    requires=("skdim.id", "scikit-dimension"),
)
def _intrinsic_dimension(samples: ProbeSamples) -> float:
    from skdim.id import TwoNN

    # Equal rows have distance 0, so their ratios are meaningless.
    X = np.unique(samples.X[samples.rows.few], axis=0)
    if len(X) < _FEWEST_DISTINCT:
        return np.nan
    # TwoNN rejects a single column; adding a constant column changes no distance.
    return TwoNN().fit(np.pad(X, ((0, 0), (0, 1)))).dimension_
