"""Roughness in detail: of single classes, and of single samples."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from numbers import Integral

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from pandas.api.types import is_list_like
from scipy import sparse
from sklearn.base import clone

from .._lib.progress import progress_bar
from .._lib.scikit_learn import validate_params
from ..index import SAMPLES_PER_CELL
from ..samples import (
    Samples,
    as_array,
    class_codes,
    encode_targets,
    number_of_rows,
    read_samples,
)
from ..trees import GrownForest, Growth, grow
from ..wavelets import node_sums
from .base import growth_of
from .besov import FEWEST_SAMPLES, BesovSmoothnessEstimator, fit_samples, read_for
from .comparison import measured, ready_estimator
from .summary import as_columns

__all__ = ["class_smoothness", "sample_roughness"]

# A tree that has seen a sample has fitted its cells to the label, right or wrong, so it
# counts less than one that has not. The factor was chosen on digits and on MNIST images
# other than those of the benchmark.
_WEIGHT_IN_BAG = 1 / 3

# Neighbours are samples that share leaves of trees that have seen neither. Trees grown on
# few samples have leaves that hold several others, and trying few features makes the trees
# use all of them. Chosen, with the power of the proximity, on four targets of MoleculeACE
# that the benchmark leaves out.
_NEIGHBOUR_TREES, _NEIGHBOUR_SHARE, _FEWEST_IN_TREE = 200, 0.1, 20
_POWER_OF_PROXIMITY = 1.5
_LARGEST_NEIGHBOURHOOD = 1000  # samples in a leaf
_PAIRS_AT_ONCE = 1 << 23

_PARAMETERS = {
    # The samples are checked where all samples are read, with the same messages.
    "X": "no_validation",
    "y": "no_validation",
    "estimator": [BesovSmoothnessEstimator, None],
    "sample_weight": "no_validation",
    "n_jobs": [Integral, None],
    "random_state": ["random_state"],
    "verbose": ["verbose"],
}


@validate_params(
    _PARAMETERS | {"classes": ["array-like", None]}, prefer_skip_nested_validation=True
)
def class_smoothness(
    X: ArrayLike,
    y: ArrayLike,
    *,
    classes: ArrayLike | None = None,
    estimator: BesovSmoothnessEstimator | None = None,
    sample_weight: ArrayLike | None = None,
    n_jobs: int | None = None,
    random_state: int | np.random.RandomState | None = None,
    verbose: int = 0,
) -> pd.DataFrame:
    """Measure how smooth each class is: the index of that class against the rest.

    A class is smooth if a smooth surface separates it from all others, and rough if its
    boundary is irregular or its samples are scattered among other classes, as with wrong
    labels.

    Parameters
    ----------
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Features, NaN where there is no value.
    y : array-like of shape (n_samples,)
        Class labels.
    classes : array-like of shape (n_measured,), default=None
        The classes to measure. None measures all that y holds.
    estimator : BesovSmoothnessEstimator, default=None
        An unfitted estimator, which is cloned for every class. None means one with
        default parameters.
    sample_weight : array-like of shape (n_samples,), default=None
        Non-negative weights.
    n_jobs : int, default=None
        Number of joblib workers, in place of the estimator's if it is given.
    random_state : int, RandomState instance or None, default=None
        Seed of the estimator if it has none. All classes are measured on the same
        subsamples.
    verbose : int, default=0
        1 shows a progress bar on standard error.

    Returns
    -------
    frame : DataFrame
        One row per class, in sorted order or in that of ``classes``, with the columns

        - ``class``, ``n_samples``;
        - ``alpha``, ``alpha_low``, ``alpha_high``: the index of the function that is one
          on the class and zero elsewhere, and its interval;
        - ``explained``, ``explained_low``, ``explained_high``: share of the variance of
          that function that trees explain on samples that they have not seen;
        - ``roughness``, ``roughness_low``, ``roughness_high``: how much of its spread is
          left as cells are added, 1 for noise;
        - ``noise``, ``noise_low``, ``noise_high``, ``noise_is_bound``: share that no number
          of terms explains, or an upper bound on it;
        - ``held_out``: the estimator's ``oob_score_``;
        - ``r_squared``;
        - ``cautions``: classes of the warnings of the fit, which are not issued as
          warnings.

    Raises
    ------
    ValueError
        If y holds regression targets, or none of ``classes``; or for the reasons for which
        :meth:`BesovSmoothnessEstimator.fit` raises one.

    See Also
    --------
    sample_roughness : Which samples are rough.

    Notes
    -----
    Indices of classes of very different sizes are only roughly comparable: the fewer
    samples a class has, the fewer of them describe its boundary.

    Examples
    --------
    If some 3s are labelled 8 and some 8s are labelled 3, only these two classes become
    rough:

    >>> import numpy as np
    >>> from sklearn.datasets import load_digits
    >>> from sksmooth import class_smoothness
    >>> from sksmooth.datasets import corrupt_labels
    >>> X, y = load_digits(return_X_y=True)
    >>> confusion = np.zeros((10, 10))
    >>> confusion[3, 8] = confusion[8, 3] = 1
    >>> labels = corrupt_labels(y, 0.02, random_state=0, confusion=confusion)
    >>> before = class_smoothness(X, y, random_state=0)
    >>> after = class_smoothness(X, labels, random_state=0)
    >>> after["class"][after["alpha"] < 0.9 * before["alpha"]].tolist()
    [3, 8]
    """
    template = ready_estimator(estimator, random_state, n_jobs)
    samples = read_for(template, X, y, sample_weight)
    codes = samples.targets.codes
    if samples.classes is None or codes is None:
        raise ValueError(
            "y holds regression targets, but class_smoothness measures classes; if they "
            "are class labels, pass y.astype(int)."
        )
    wanted = _codes_of(classes, samples.classes)
    rows = []
    for code in progress_bar(wanted, len(wanted), "classes") if verbose else wanted:
        own = codes == code
        targets, sides = encode_targets(own)
        against_rest = replace(
            samples, y=own, targets=targets, classes=sides, joint_units=samples.units
        )
        fitted, held_out, cautions = measured(
            partial(fit_samples, clone(template), against_rest)
        )
        rows.append(
            {
                "class": samples.classes[code],
                "n_samples": int(own.sum()),
                **as_columns("alpha", fitted.alpha_, fitted.alpha_interval_),
                **as_columns("explained", fitted.explained_, fitted.explained_interval_),
                **as_columns("roughness", fitted.roughness_, fitted.roughness_interval_),
                **as_columns("noise", fitted.noise_, fitted.noise_interval_),
                "noise_is_bound": fitted.noise_is_bound_,
                "held_out": held_out,
                "r_squared": fitted.r_squared_,
                "cautions": cautions,
            }
        )
    return pd.DataFrame(rows)


@validate_params(_PARAMETERS, prefer_skip_nested_validation=True)
def sample_roughness(
    X: ArrayLike,
    y: ArrayLike,
    *,
    estimator: BesovSmoothnessEstimator | None = None,
    sample_weight: ArrayLike | None = None,
    n_jobs: int | None = None,
    random_state: int | np.random.RandomState | None = None,
    verbose: int = 0,
) -> pd.DataFrame:
    """Measure how rough the targets are at each sample, to find wrong labels and cliffs.

    The roughness of a sample is the energy of the small-scale wavelets through it, which a
    forest needs only to distinguish this sample from its neighbours. A sample with the
    label of its neighbours needs none; one with a wrong label needs large ones. Regression
    targets may also have cliffs: two similar samples with very different values.

    Parameters
    ----------
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Features, NaN where there is no value.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Class labels or regression targets, as in :meth:`BesovSmoothnessEstimator.fit`.
    estimator : BesovSmoothnessEstimator, default=None
        An unfitted estimator, which is cloned; only its forest is used. None means one
        with ``n_estimators=200, max_samples=0.5`` and, for classes,
        ``max_features="sqrt"``. More trees find more wrong labels.
    sample_weight : array-like of shape (n_samples,), default=None
        Non-negative weights. The whole weight of a sample is left out of the mean of its
        neighbours; a sample of weight zero has no roughness (NaN) and no suggestion.
    n_jobs : int, default=None
        Number of joblib workers, in place of the estimator's if it is given.
    random_state : int, RandomState instance or None, default=None
        Seed of the estimator if it has none.
    verbose : int, default=0
        1 shows a progress bar on standard error; so does that of the estimator.

    Returns
    -------
    frame : DataFrame
        One row per sample, in the order and with the index of X, and the columns

        - ``roughness``: the energy, in squared units of the targets. For classes it ranges
          from 0, if all neighbours have the label of the sample, to 2, if all share one
          other label;
        - ``excess``, for classes only: the roughness minus what it would be with the
          best-fitting other label, from -2 to 2. It is positive if that label fits better
          than the given one; sort by it to find wrong labels;
        - ``suggested``, for classes only: that other label;
        - ``jump``, for regression only: the value minus that of its neighbours, in units of
          the targets; the roughness is its square. For several outputs, here and below, the
          Euclidean length of the difference;
        - ``cliff``, for regression only: the largest jump to a single neighbour, in units
          of the targets, reduced if that neighbour is not close; sort by it to find cliffs;
        - ``neighbour``, for regression only: the row of that neighbour, by its name in the
          index of the frame; NaN if there is none;
        - ``neighbour_jump``, for regression only: the value minus that of this neighbour.

    Raises
    ------
    ValueError
        If a tree is grown on only one sample, or for the reasons for which
        :meth:`BesovSmoothnessEstimator.fit` raises one.

    See Also
    --------
    class_smoothness : Which classes are rough.
    sksmooth.datasets.corrupt_labels : Makes wrong labels, for a test.

    Notes
    -----
    Along its path through a tree grown on it, a sample lies in smaller and smaller cells,
    and the sum of the wavelets below one of them telescopes,

    ``sum psi_Omega(x_i) = y_i - c_cell = (1 - 1/n) (y_i - c_others)``,

    if leaves are pure, where ``c_others`` is the mean of the other ``n - 1`` samples in the
    cell [1]_. The factor, which comes from the sample's own share in the mean, is dropped.
    The cell is the smallest with at least ten other samples, the resolution at which the
    fit window of the index ends. A tree that has not seen the sample has no wavelets for
    it, so the cell is the leaf. The roughness is the energy of the average over trees,
    ``||mean_j (y_i - c_others)||^2``: at a boundary where trees differ only by chance,
    their wavelets cancel. A tree that has seen the sample has fitted its cells to the
    label, right or wrong, so it counts a third as much as one that has not.

    Copies of a row, with the same features and label, count as other samples and confirm
    its label.

    A cliff is a pair of samples. Their closeness is the proximity of [2]_: the share of the
    trees, among those that have seen neither sample, in which both are in the same leaf. No
    distance is needed, and uninformative columns count little. The trees are 200 further
    ones, each grown on a tenth of the samples with ``max_features="sqrt"``, whatever the
    estimator. A sample's cliff is the maximum of ``proximity^1.5 * |y_i - y_j|`` over its
    neighbours. Copies of a row do not count as its neighbours.

    References
    ----------
    .. [1] O. Elisha and S. Dekel, *Wavelet decompositions of Random Forests: smoothness
       analysis, sparse approximation and applications*, JMLR 17 (2016).
    .. [2] L. Breiman, *Random forests*, Machine Learning 45 (2001).

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sksmooth import sample_roughness
    >>> from sksmooth.datasets import corrupt_labels
    >>> X, y = load_digits(return_X_y=True)
    >>> labels, wrong = corrupt_labels(y, 0.1, random_state=0, return_mask=True)
    >>> frame = sample_roughness(X, labels, random_state=0)
    >>> found = frame.nlargest(100, "excess").index
    >>> bool(wrong[found].mean() > 0.95)
    True
    >>> bool((frame.suggested[found] == y[found]).mean() > 0.95)
    True
    """
    default = BesovSmoothnessEstimator(200, max_samples=0.5)
    grower = ready_estimator(
        default if estimator is None else estimator, random_state, n_jobs
    )
    if verbose:
        grower.set_params(verbose=verbose)
    samples = read_samples(X, y, sample_weight, estimator=grower, fewest=FEWEST_SAMPLES)
    if estimator is None and samples.classes is not None:
        grower.set_params(max_features="sqrt")
    targets = samples.targets
    growth = growth_of(grower)
    grown = grow(samples, growth)
    index = _index_of(X, y)
    rows = np.arange(len(index)) if samples.rows is None else samples.rows
    if samples.classes is None or targets.codes is None:
        values = targets.values - targets.values[0]  # a large offset would lose precision
        energy, expected = _roughness(grown, values)
        cliff, neighbour = _cliffs(samples, values, growth)
        found = neighbour >= 0
        names = pd.Series(_labels(index)[rows[neighbour]], rows).where(found)
        columns = {
            "roughness": energy,
            "jump": _size(values - expected),
            "cliff": cliff,
            "neighbour": names.to_numpy(),
            "neighbour_jump": np.where(found, _size(values - values[neighbour]), np.nan),
        }
    else:
        # One-hot vectors: their distances are those of the simplex, their sums are exact.
        labels = np.eye(len(samples.classes))[targets.codes]
        energy, shares = _roughness(grown, labels)
        excess, best = _excess(shares, targets.codes)
        suggested = samples.classes[best]
        columns = {"roughness": energy, "excess": excess, "suggested": suggested}
    frame = pd.DataFrame(columns, rows)
    if samples.rows is not None:  # samples of weight zero were dropped
        frame = frame.reindex(range(len(index)))
    frame.index = index
    return frame


def _index_of(*parts: ArrayLike) -> pd.Index:
    """Find the row index in the first argument that has one."""
    for data in parts:
        if isinstance(data, pd.DataFrame | pd.Series):
            return data.index
    return pd.RangeIndex(number_of_rows(parts[-1]))


def _labels(index: pd.Index) -> pd.Index:
    """Take one name for each row; a tuple if the index has several levels."""
    is_nested = isinstance(index, pd.MultiIndex)
    return index.to_flat_index() if is_nested else index


def _codes_of(wanted: ArrayLike | None, classes: np.ndarray) -> np.ndarray:
    """Look up the requested classes among all of them."""
    if wanted is None:
        return np.arange(len(classes))
    wanted = as_array(wanted if is_list_like(wanted) else [wanted])
    if len(wanted) == 0:
        raise ValueError("classes is empty; name some classes, or pass None for all.")
    codes, is_known = class_codes(wanted, classes)
    if not is_known.all():
        raise ValueError(f"y holds no class {wanted[~is_known].tolist()[0]!r}.")
    return codes


def _roughness(grown: GrownForest, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Compute every sample's energy, and the forest's mean without the sample."""
    bags = grown.bags
    if (np.count_nonzero(bags, axis=1) < 2).any():
        raise ValueError(
            "A tree is grown on only one sample, which has no neighbours; raise "
            "max_samples."
        )
    expected = np.zeros_like(values)
    for tree, leaf, bag in zip(grown.forest.trees, grown.leaves, bags, strict=True):
        weight = np.where(bag > 0, _WEIGHT_IN_BAG, 1.0)[:, None]
        expected += weight * _means_of_others(tree.parent, leaf, bag, values)
    n_seen = np.count_nonzero(bags, axis=0)
    expected /= (len(bags) - n_seen + _WEIGHT_IN_BAG * n_seen)[:, None]
    return np.sum((values - expected) ** 2, axis=1), expected


def _means_of_others(
    parent: np.ndarray, leaf: np.ndarray, bag: np.ndarray, values: np.ndarray
) -> np.ndarray:
    """Average the other samples in the smallest cell that has enough of them.

    Out of bag, where the splits do not depend on the sample, one is enough.
    """
    count, total = node_sums(parent, leaf, bag, values)
    n_samples, _ = node_sums(parent, leaf, (bag > 0).astype(float), values[:, :0])
    enough = np.where(bag > 0, SAMPLES_PER_CELL, 1)
    cell = leaf.astype(np.intp)
    climbing = np.arange(len(leaf))
    while len(climbing) > 0:
        here = cell[climbing]
        lacks = n_samples[here] - (bag[climbing] > 0) < enough[climbing]
        climbing = climbing[lacks & (here > 0)]
        cell[climbing] = parent[cell[climbing]]
    return (total[cell] - bag[:, None] * values) / (count[cell] - bag)[:, None]


def _excess(shares: np.ndarray, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Subtract the energy with the best other label from that with the given one.

    ``||e_a - p||^2 - ||e_b - p||^2 = 2 (p_b - p_a)`` for shares p of the classes.
    """
    own = (np.arange(len(codes)), codes)
    rivals = shares.copy()
    rivals[own] = -np.inf
    return 2 * (rivals.max(axis=1) - shares[own]), rivals.argmax(axis=1)


def _size(differences: np.ndarray) -> np.ndarray:
    """Differences of one output; of several, their Euclidean length."""
    if differences.shape[1] == 1:
        return differences[:, 0]
    return np.linalg.norm(differences, axis=1)


def _cliffs(
    samples: Samples, values: np.ndarray, growth: Growth
) -> tuple[np.ndarray, np.ndarray]:
    """Find the largest jump of every sample to a neighbour, and that neighbour or -1."""
    n_samples = len(values)
    share = min(max(_NEIGHBOUR_SHARE, _FEWEST_IN_TREE / n_samples), 0.5)
    grown = grow(
        samples,
        Growth(
            n_estimators=_NEIGHBOUR_TREES,
            max_samples=share,
            max_features="sqrt",
            random_state=growth.random_state,
            n_jobs=growth.n_jobs,
        ),
    )
    # Resolve equal jumps in an order of the samples that does not depend on that of the
    # rows.
    order = np.argsort(samples.units.unit, kind="stable")
    values = values[order]
    cells = _small_cells(grown, order)
    samples_of = sparse.csr_matrix(cells.T)
    unseen = grown.unseen[:, order].astype(np.float32)
    cliff, neighbour = np.zeros(n_samples), np.full(n_samples, -1)
    n_rows = max(1, _PAIRS_AT_ONCE // n_samples)
    for start in range(0, n_samples, n_rows):
        some = np.arange(start, min(start + n_rows, n_samples))
        pairs = sparse.csr_matrix(cells[some] @ samples_of)
        first, second = np.repeat(some, np.diff(pairs.indptr)), pairs.indices
        size = np.abs(_size(values[first] - values[second]))
        together = unseen[:, some].T @ unseen  # counts of trees, which are exact
        proximity = pairs.data / np.maximum(together[first - start, second], 1)
        jump = proximity**_POWER_OF_PROXIMITY * size
        jump[first == second] = -1.0  # but is there for every sample
        largest = np.maximum.reduceat(jump, pairs.indptr[:-1])
        is_largest = (jump >= 0) & (jump == largest[first - start])
        place = np.where(is_largest, second, n_samples)
        place = np.minimum.reduceat(place, pairs.indptr[:-1])
        cliff[order[some]] = np.maximum(largest, 0.0)
        neighbour[order[some]] = np.where(largest < 0, -1, order[place % n_samples])
    return cliff, neighbour


def _small_cells(grown: GrownForest, order: np.ndarray) -> sparse.csr_matrix:
    """Indicate the leaves of the samples that the tree has not seen, one column per leaf.

    Large leaves are left out. Every sample also has a column of its own.
    """
    n_samples = len(order)
    n_nodes = np.array([tree.n_nodes for tree in grown.forest.trees])
    first = np.cumsum(n_nodes) - n_nodes
    tree, sample = np.nonzero(grown.unseen[:, order])
    leaf = grown.leaves[:, order][tree, sample] + first[tree]
    is_small = np.bincount(leaf)[leaf] <= _LARGEST_NEIGHBOURHOOD
    rows = np.concatenate([sample[is_small], np.arange(n_samples)])
    columns = np.concatenate([leaf[is_small], n_nodes.sum() + np.arange(n_samples)])
    shape = (n_samples, n_nodes.sum() + n_samples)
    return sparse.csr_matrix((np.ones(len(rows)), (rows, columns)), shape)
