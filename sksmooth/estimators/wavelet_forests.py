"""Forests that predict by their most significant wavelets only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from copy import copy
from dataclasses import dataclass, replace
from numbers import Integral
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.metrics import accuracy_score, r2_score
from sklearn.model_selection import check_cv
from sklearn.utils.validation import check_is_fitted

from .._lib.scikit_learn import Interval, StrOptions, fit_context
from .._lib.state import Versioned, atomic_fit
from ..samples import (
    Samples,
    as_array,
    encode_labels,
    encode_values,
    label_codes,
    nearest_vertex,
    number_of_rows,
    read_features,
    read_samples,
    simplex_vertices,
)
from ..trees import Forest, GrownForest, grow, prune_tree
from ..wavelets import (
    WaveletDecomposition,
    decompose,
    decompose_boosting,
    held_out_norms,
    kept_values,
    m_term_approximation,
    m_term_errors,
    staged_approximations,
    wavelet_importances,
)
from .base import ForestEstimator, growth_of

__all__ = ["WaveletForestClassifier", "WaveletForestRegressor"]

_FEWEST_SAMPLES = 2


class _Decomposed(NamedTuple):
    """A forest over samples, and its wavelets."""

    grown: GrownForest
    wavelets: WaveletDecomposition


@dataclass(frozen=True, eq=False)
class CompressedForest(Versioned):
    """Trees cut back to the kept wavelets, and the values of their leaves."""

    forest: Forest
    values: tuple[np.ndarray, ...]

    @property
    def n_bytes(self) -> int:
        trees = sum(tree.n_bytes for tree in self.forest.trees)
        return trees + sum(values.nbytes for values in self.values)

    def predict(self, X: Any, n_jobs: int | None) -> np.ndarray:
        leaves = self.forest.apply(X, n_jobs)
        total = np.zeros((leaves.shape[1], self.values[0].shape[1]))
        for tree, values, leaf in zip(self.forest.trees, self.values, leaves, strict=True):
            number = np.cumsum(tree.left < 0) - 1  # of a leaf among the leaves
            total += values[number[leaf]]
        return total / len(self.values)


class _WaveletForest(ForestEstimator):
    _parameter_constraints: dict[str, list] = {
        **ForestEstimator._parameter_constraints,
        "n_terms": [
            Interval(Integral, 0, None, closed="left"),
            StrOptions({"oob", "cv"}),
            None,
        ],
        "cv": ["cv_object"],
    }

    def __init__(
        self,
        n_estimators: int = 100,
        *,
        n_terms: int | str | None = "oob",
        cv: Any = None,
        forest: Any = None,
        max_depth: int | None = None,
        max_features: int | float | str | None = None,
        max_samples: float | int = 0.632,
        max_bins: int | None = None,
        categorical_features: ArrayLike | str | None = "from_dtype",
        random_state: int | np.random.RandomState | None = None,
        n_jobs: int | None = None,
        verbose: int = 0,
    ) -> None:
        self.n_estimators = n_estimators
        self.n_terms = n_terms
        self.cv = cv
        self.forest = forest
        self.max_depth = max_depth
        self.max_features = max_features
        self.max_samples = max_samples
        self.max_bins = max_bins
        self.categorical_features = categorical_features
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose

    @fit_context(prefer_skip_nested_validation=False)
    @atomic_fit
    def fit(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> Self:
        """Grow the forest, decompose it and choose how many wavelets are kept.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Features, NaN where there is no value. float32 input and CSR matrices are not
            copied to float64.
        y : array-like of shape (n_samples,) or, for regression, (n_samples, n_outputs)
            Targets. A classifier takes any objects that can be hashed as labels, a
            regressor anything that float64 holds as numbers, categories of numbers, too.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If X is infinite or y is not finite, lengths differ, y holds one class only,
            weights are negative or all zero, or no rows are left out of the trees for
            ``n_terms="oob"``.
        TypeError
            If ``forest`` is not made of trees.
        """
        samples = read_samples(
            X,
            y,
            sample_weight,
            estimator=self,
            encode=self._encode,
            fewest=_FEWEST_SAMPLES,
        )
        n_rows = number_of_rows(X)
        self._remember(samples, y)
        # As predictions are, whatever the dtype of y.
        samples = replace(samples, y=self._decide(samples.targets.values))
        fitted = self._decompose(samples)
        errors = self._validation_errors(fitted, samples, n_rows)
        for name in ("validation_errors_", "oob_score_"):
            self.__dict__.pop(name, None)
        self._forest, self.wavelets_ = fitted.grown.forest, fitted.wavelets
        n_all = self.wavelets_.n_terms
        if errors is not None:
            self.validation_errors_ = errors
            self.n_terms_ = int(np.argmin(errors))
        else:
            self.n_terms_ = n_all if self.n_terms is None else min(int(self.n_terms), n_all)
        if self.n_terms == "oob":
            self.oob_score_ = self._oob_score(fitted, samples)
        self._compressed = _compressed(self._forest, self.wavelets_, self.n_terms_)
        self.compressed_size_ = self._compressed.n_bytes
        self.feature_importances_ = wavelet_importances(
            self.wavelets_,
            self.n_features_in_,
            self.n_terms_,
            held_out_norms(self.wavelets_, fitted.grown, samples, self.n_terms_),
        )
        return self

    def apply(self, X: ArrayLike) -> np.ndarray:
        """Leaf of every sample in every tree, of the trees of the kept wavelets.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        leaves : ndarray of shape (n_samples, n_trees), int32
            Node numbers, as in the trees of scikit-learn.
        """
        check_is_fitted(self)
        X = read_features(X, self, reset=False)
        return np.ascontiguousarray(self._compressed.forest.apply(X, self.n_jobs).T)

    def staged_predict(
        self, X: ArrayLike, n_terms: Iterable[int] | None = None
    ) -> Iterator[np.ndarray]:
        """Predict by more and more wavelets.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.
        n_terms : iterable of int, default=None
            Numbers of wavelets, in increasing order, from 0 to ``wavelets_.n_terms``.
            None means 0, 1, ..., ``n_terms_``, which may be a hundred thousand: numbers
            such as ``np.geomspace(1, forest.n_terms_, 50).astype(int)`` show as much.

        Yields
        ------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            What :meth:`predict` gives if so many wavelets are kept.
        """
        return (self._decide(values) for values in self._stages(X, n_terms))

    def compress(self) -> _WaveletForest:
        """Keep what prediction needs, and nothing else.

        Returns
        -------
        compressed : object
            A copy that predicts the same, in less memory and a smaller pickle, without
            ``wavelets_`` and ``staged_predict``.
        """
        check_is_fitted(self)
        compressed = copy(self)
        for name in ("_forest", "wavelets_", "validation_errors_"):
            compressed.__dict__.pop(name, None)
        return compressed

    def _values(self, X: ArrayLike) -> np.ndarray:
        check_is_fitted(self)
        X = read_features(X, self, reset=False)
        return self._compressed.predict(X, self.n_jobs)

    def _stages(self, X: ArrayLike, n_terms: Iterable[int] | None) -> Iterator[np.ndarray]:
        check_is_fitted(self)
        if not hasattr(self, "wavelets_"):
            raise ValueError(
                "compress() has dropped the wavelets that stages are made of; use the "
                "estimator that it was called on."
            )
        X = read_features(X, self, reset=False)
        n_terms = range(self.n_terms_ + 1) if n_terms is None else list(n_terms)
        _check_stages(np.asarray(n_terms), self.wavelets_.n_terms)
        leaves = self._forest.apply(X, self.n_jobs)
        return staged_approximations(self.wavelets_, leaves, n_terms)

    def _decompose(self, samples: Samples) -> _Decomposed:
        grown = grow(samples, growth_of(self))
        learning_rate = grown.learning_rate
        if learning_rate is None:
            return _Decomposed(grown, decompose(grown, samples))
        return _Decomposed(grown, decompose_boosting(grown, samples, learning_rate))

    def _validation_errors(
        self, fitted: _Decomposed, samples: Samples, n_rows: int
    ) -> np.ndarray | None:
        """Measure the errors of all M on samples that trees have not seen, if asked for."""
        if self.n_terms == "oob":
            return self._oob_errors(fitted, samples)
        if self.n_terms == "cv":
            return self._cv_errors(fitted, samples, n_rows)
        return None

    def _oob_errors(self, fitted: _Decomposed, samples: Samples) -> np.ndarray:
        """Approximate each sample by the trees that have not seen it, for all M."""
        unseen = fitted.grown.unseen
        if not unseen.any():
            raise ValueError(
                'n_terms="oob" needs rows that some trees have not seen, and there are '
                "none; let max_samples be less than 1 (or the forest draw subsamples), or "
                'use n_terms="cv".'
            )
        return m_term_errors(
            fitted.wavelets,
            fitted.grown.leaves,
            samples.targets,
            samples.weights,
            unseen=unseen,
        )

    def _folds(
        self, samples: Samples, n_rows: int
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield rows to fit and to hold out, among those of a positive weight."""
        y = samples.plain_y
        cv = check_cv(self.cv, y, classifier=samples.targets.codes is not None)
        folds = cv.split(samples.X, y)
        if self.cv is None or isinstance(self.cv, Integral) or hasattr(self.cv, "split"):
            return folds
        # Lists of folds name rows as they were passed, those of weight zero among them.
        is_read = np.ones(n_rows, dtype=bool)
        if samples.rows is not None:
            is_read = np.isin(np.arange(n_rows), samples.rows)
        number = np.cumsum(is_read) - 1
        return (
            (number[fit][is_read[fit]], number[held_out][is_read[held_out]])
            for fit, held_out in folds
        )

    def _cv_errors(self, fitted: _Decomposed, samples: Samples, n_rows: int) -> np.ndarray:
        """Measure the errors of all M in folds, matching terms by their share of all."""
        if self.forest is not None and not hasattr(self.forest, "fit"):
            raise ValueError(
                'forest comes fitted, so that n_terms="cv" cannot fit it to folds; pass '
                "n_terms as a number."
            )
        n_all = fitted.wavelets.n_terms
        squares, total = np.zeros(n_all + 1), 0.0
        for fit_rows, held_out_rows in self._folds(samples, n_rows):
            if min(len(fit_rows), len(held_out_rows)) == 0:
                raise ValueError("A fold of cv has no rows (of a positive weight).")
            held_out = samples.take(held_out_rows)
            fold = self._decompose(samples.take(fit_rows))
            leaves = fold.grown.forest.apply(held_out.X, self.n_jobs)
            errors = m_term_errors(
                fold.wavelets, leaves, held_out.targets, held_out.weights
            )
            share = (len(errors) - 1) / max(n_all, 1)
            matched = errors[np.rint(share * np.arange(n_all + 1)).astype(int)]
            squares += held_out.weights.sum() * matched**2
            total += held_out.weights.sum()
        if total == 0:
            raise ValueError(
                "cv gives no folds; a generator gives them once only, pass a list of them."
            )
        return np.sqrt(squares / total)

    def _oob_score(self, fitted: _Decomposed, samples: Samples) -> float:
        """Score the out-of-bag prediction of the samples that have one."""
        unseen = fitted.grown.unseen
        values = m_term_approximation(
            fitted.wavelets, fitted.grown.leaves, self.n_terms_, unseen=unseen
        )
        rows = np.flatnonzero(unseen.any(axis=0))
        return self._score_of(
            samples.y[rows],
            self._decide(values[rows]),
            sample_weight=samples.weights[rows],
        )


def _compressed(
    forest: Forest, decomposition: WaveletDecomposition, n_terms: int
) -> CompressedForest:
    """Prune the splits that no kept wavelet needs."""
    kept = decomposition.order[:n_terms]
    is_kept = np.zeros(len(decomposition.parent), dtype=bool)
    is_kept[kept] = True
    values = kept_values(decomposition, kept)
    trees, leaf_values = [], []
    for tree, first in zip(forest.trees, decomposition.roots, strict=True):
        pruned, nodes = prune_tree(tree, is_kept[first : first + tree.n_nodes])
        trees.append(pruned)
        leaf_values.append(values[first + nodes[pruned.left < 0]])
    pruned_forest = Forest(tuple(trees), forest.n_features, forest.single_precision)
    return CompressedForest(pruned_forest, tuple(leaf_values))


def _check_stages(n_terms: np.ndarray, n_all: int) -> None:
    is_valid = n_terms.ndim == 1 and (n_terms.size == 0 or n_terms.dtype.kind in "iu")
    if is_valid and n_terms.size:
        is_valid = (np.diff(n_terms) >= 0).all() and 0 <= n_terms[0] <= n_terms[-1] <= n_all
    if not is_valid:
        raise ValueError(
            f"n_terms must be increasing whole numbers from 0 to {n_all}, the number of "
            "wavelets."
        )


class WaveletForestClassifier(ClassifierMixin, _WaveletForest):
    """Random forest that classifies by its most significant wavelets.

    A forest is an expansion in geometric wavelets, one for each node: how much the mean
    of the targets changes from its parent to it, on the samples in it. The few large ones
    hold most of the function, the many small ones most of the noise in the labels. This
    estimator keeps the M largest ones over all trees [1]_. M is chosen from the
    out-of-bag error for all M, which comes from one sweep. Where labels are clean it
    keeps nearly all and predicts as a random forest does.

    Parameters
    ----------
    n_estimators : int, default=100
        Number of trees of the built-in forest.
    n_terms : int, "oob", "cv" or None, default="oob"
        Number M of wavelets that are kept, beside the means of the trees:

        - ``"oob"``: that of the least squared error out of bag, where each sample is
          approximated by the trees that have not seen it;
        - ``"cv"``: that of the least squared error in cross-validation, for forests that
          do not say which samples a tree has seen, such as boosting;
        - an int: at most so many;
        - None: all, which is the built-in forest itself.
    cv : int, cross-validation generator or iterable, default=None
        Folds for ``n_terms="cv"``; None means five, and folds by groups are passed as a
        list of pairs of row numbers. The terms of the forest of a fold
        and of the whole one are matched by their share of all terms.
    forest : estimator or treelite.Model, default=None
        An unfitted tree or ensemble of trees in place of the built-in forest, as in
        :class:`BesovSmoothnessEstimator`. The stages of gradient boosting (scikit-learn's
        GradientBoosting* and HistGradientBoosting*, LightGBM, XGBoost) are added up, each
        fitted to the residual of those before it by least squares on its splits; the
        trees of all others are averaged. The parameters ``n_estimators``, ``max_depth``,
        ``max_features``, ``max_samples``, ``max_bins`` and ``random_state`` then have no
        effect.
    max_depth : int, default=None
        Largest depth of the built-in trees. None grows them until leaves are pure.
    max_features : int, float, {"sqrt", "log2"} or None, default="sqrt"
        Features tried at each split of the built-in trees; None tries all.
    max_samples : float or int, default=0.632
        Rows that each built-in tree is grown on, drawn without replacement: a fraction,
        or a number. The fewer, the more trees have not seen a sample, and the better
        ``n_terms="oob"`` knows the error of the whole forest, for which the few of them
        stand in otherwise, and keep too few wavelets. The default is the share of
        distinct rows in a bootstrap sample.
    max_bins : int, default=None
        As in :class:`BesovSmoothnessEstimator`.
    categorical_features : array-like of {bool, int, str} or None, default="from_dtype"
        Columns of categories, as in :class:`BesovSmoothnessEstimator`.
    random_state : int, RandomState instance or None, default=None
        Seed of the subsamples and of the features tried.
    n_jobs : int, default=None
        Number of joblib workers. None means 1 unless in a
        :func:`joblib.parallel_config` context, -1 all processors. Results do not depend
        on it.
    verbose : int, default=0
        1 shows a progress bar on standard error.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels.
    n_terms_ : int
        Number of wavelets kept.
    validation_errors_ : ndarray of shape (`wavelets_.n_terms` + 1,), float64
        Root mean squared error, out of bag or in cross-validation, with 0, 1, ...
        wavelets; in units of one-hot labels, whose largest distance is sqrt(2). Only if
        ``n_terms`` is "oob" or "cv".
    oob_score_ : float
        Accuracy of the out-of-bag prediction by the wavelets kept. Only for "oob", and a
        little too good, since the number of wavelets is chosen by the same samples.
    wavelets_ : WaveletDecomposition
        All wavelets of the forest. For boosting, means and wavelets are multiplied by the
        number of stages, of which the average is the sum.
    compressed_size_ : int
        Bytes of the arrays that prediction needs: the splits above the kept wavelets and
        the values of the leaves.
    feature_importances_ : ndarray of shape (n_features,), float64
        Sum of the norms of the kept wavelets that splits by each feature made, on samples
        that their trees have not seen, as in :class:`BesovSmoothnessEstimator`; scaled to
        sum one.
    n_features_in_ : int
        Number of features seen in ``fit``.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Their names. Only if ``X`` has string column names.

    See Also
    --------
    WaveletForestRegressor : The same for numbers.
    BesovSmoothnessEstimator : How fast the error falls with the number of wavelets.

    References
    ----------
    .. [1] O. Elisha and S. Dekel, *Wavelet decompositions of Random Forests: smoothness
       analysis, sparse approximation and applications*, JMLR 17 (2016).

    Examples
    --------
    Three tenths of the labels that it learns from are wrong:

    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.model_selection import train_test_split
    >>> from sksmooth import WaveletForestClassifier
    >>> from sksmooth.datasets import corrupt_labels
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
    >>> y_train = corrupt_labels(y_train, 0.3, random_state=0)
    >>> forest = WaveletForestClassifier(random_state=0).fit(X_train, y_train)
    >>> forest.n_terms_ < forest.wavelets_.n_terms / 10
    True
    >>> forest.score(X_test, y_test) > 0.85
    True
    """

    def __init__(
        self,
        n_estimators: int = 100,
        *,
        n_terms: int | str | None = "oob",
        cv: Any = None,
        forest: Any = None,
        max_depth: int | None = None,
        max_features: int | float | str | None = "sqrt",
        max_samples: float | int = 0.632,
        max_bins: int | None = None,
        categorical_features: ArrayLike | str | None = "from_dtype",
        random_state: int | np.random.RandomState | None = None,
        n_jobs: int | None = None,
        verbose: int = 0,
    ) -> None:
        super().__init__(
            n_estimators,
            n_terms=n_terms,
            cv=cv,
            forest=forest,
            max_depth=max_depth,
            max_features=max_features,
            max_samples=max_samples,
            max_bins=max_bins,
            categorical_features=categorical_features,
            random_state=random_state,
            n_jobs=n_jobs,
            verbose=verbose,
        )

    def predict(self, X: ArrayLike) -> np.ndarray:
        """Classify samples by the kept wavelets.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            The class of the nearest vertex of the simplex, which is the most probable
            one; the first of several.
        """
        return self._decide(self._values(X))

    def predict_proba(self, X: ArrayLike) -> np.ndarray:
        """Class probabilities.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes), float64
            The approximation in the coordinates of one-hot labels. Some wavelets without
            the others may leave the simplex: negative shares are set to zero, and the
            rest is scaled to sum one.
        """
        return self._shares(self._values(X))

    def staged_predict_proba(
        self, X: ArrayLike, n_terms: Iterable[int] | None = None
    ) -> Iterator[np.ndarray]:
        """Class probabilities by more and more wavelets.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.
        n_terms : iterable of int, default=None
            As in :meth:`staged_predict`.

        Yields
        ------
        probabilities : ndarray of shape (n_samples, n_classes), float64
            What :meth:`predict_proba` gives if so many wavelets are kept.
        """
        return (self._shares(values) for values in self._stages(X, n_terms))

    _encode = staticmethod(encode_labels)

    def _remember(self, samples: Samples, y: ArrayLike) -> None:
        self.classes_: Any = samples.classes

    def _decide(self, values: np.ndarray) -> np.ndarray:
        vertices = simplex_vertices(len(self.classes_))
        return self.classes_[nearest_vertex(values, vertices)]

    def _shares(self, values: np.ndarray) -> np.ndarray:
        n_classes = len(self.classes_)
        shares = np.maximum(values @ simplex_vertices(n_classes).T + 1 / n_classes, 0.0)
        return shares / shares.sum(axis=1, keepdims=True)

    @staticmethod
    def _score_of(
        y: ArrayLike, predicted: np.ndarray, sample_weight: ArrayLike | None
    ) -> float:
        # By numbers, since scikit-learn compares numbers and text only.
        return accuracy_score(*label_codes(y, predicted), sample_weight=sample_weight)

    def score(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> float:
        """Compute the accuracy of the predicted classes.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.
        y : array-like of shape (n_samples,)
            Their labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights.

        Returns
        -------
        score : float
            Share of the samples whose class is predicted.
        """
        return self._score_of(y, self.predict(X), sample_weight=sample_weight)


class WaveletForestRegressor(RegressorMixin, _WaveletForest):
    """Random forest that predicts numbers by its most significant wavelets.

    As :class:`WaveletForestClassifier`, for one or several columns of numbers [1]_.

    Parameters
    ----------
    n_estimators : int, default=100
        Number of trees of the built-in forest.
    n_terms : int, "oob", "cv" or None, default="oob"
        Number M of wavelets that are kept, as in :class:`WaveletForestClassifier`.
    cv : int, cross-validation generator or iterable, default=None
        Folds for ``n_terms="cv"``; None means five.
    forest : estimator or treelite.Model, default=None
        An unfitted tree or ensemble of trees in place of the built-in forest, as in
        :class:`WaveletForestClassifier`. With all its wavelets, boosting by the squared
        loss predicts as it does itself if it starts from the mean and fits all samples at
        every stage without regularisation.
    max_depth : int, default=None
        Largest depth of the built-in trees. None grows them until leaves are pure.
    max_features : int, float, {"sqrt", "log2"} or None, default=None
        Features tried at each split of the built-in trees; None tries all.
    max_samples : float or int, default=0.632
        Rows that each built-in tree is grown on, drawn without replacement: a fraction,
        or a number, as in :class:`WaveletForestClassifier`.
    max_bins : int, default=None
        As in :class:`BesovSmoothnessEstimator`.
    categorical_features : array-like of {bool, int, str} or None, default="from_dtype"
        Columns of categories, as in :class:`BesovSmoothnessEstimator`.
    random_state : int, RandomState instance or None, default=None
        Seed of the subsamples and of the features tried.
    n_jobs : int, default=None
        Number of joblib workers, as in :class:`WaveletForestClassifier`.
    verbose : int, default=0
        1 shows a progress bar on standard error.

    Attributes
    ----------
    n_terms_ : int
        Number of wavelets kept.
    validation_errors_ : ndarray of shape (`wavelets_.n_terms` + 1,), float64
        Root mean squared error, out of bag or in cross-validation, with 0, 1, ...
        wavelets, over all columns of ``y`` together; in its units. Only if ``n_terms`` is
        "oob" or "cv".
    oob_score_ : float
        R^2 of the out-of-bag prediction by the wavelets kept. Only for "oob", and a
        little too good, since the number of wavelets is chosen by the same samples.
    wavelets_ : WaveletDecomposition
        All wavelets of the forest, as in :class:`WaveletForestClassifier`.
    compressed_size_ : int
        Bytes of the arrays that prediction needs.
    feature_importances_ : ndarray of shape (n_features,), float64
        Sum of the norms of the kept wavelets that splits by each feature made, on samples
        that their trees have not seen, as in :class:`BesovSmoothnessEstimator`; scaled to
        sum one.
    n_features_in_ : int
        Number of features seen in ``fit``.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Their names. Only if ``X`` has string column names.

    See Also
    --------
    WaveletForestClassifier : The same for classes.

    Notes
    -----
    The error adds up over the columns of ``y``, so the one with the largest spread decides
    which wavelets are kept; scale them to equal importance before.

    References
    ----------
    .. [1] O. Elisha and S. Dekel, *Wavelet decompositions of Random Forests: smoothness
       analysis, sparse approximation and applications*, JMLR 17 (2016).

    Examples
    --------
    >>> from sklearn.datasets import make_friedman1
    >>> from sklearn.metrics import r2_score
    >>> from sksmooth import WaveletForestRegressor
    >>> X, y = make_friedman1(500, noise=3.0, random_state=0)
    >>> forest = WaveletForestRegressor(random_state=0).fit(X, y)
    >>> forest.n_terms_ < forest.wavelets_.n_terms / 2
    True
    >>> stages = forest.staged_predict(X, n_terms=[10, 100, 1000])
    >>> [f"{r2_score(y, stage):.1f}" for stage in stages]
    ['0.0', '0.2', '0.6']
    """

    def predict(self, X: ArrayLike) -> np.ndarray:
        """Predict numbers by the kept wavelets.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs), float64
            Predicted values, of the shape that ``y`` had in ``fit``.
        """
        return self._decide(self._values(X))

    _encode = staticmethod(encode_values)

    def _remember(self, samples: Samples, y: ArrayLike) -> None:
        self._is_vector = as_array(y).ndim == 1

    def _decide(self, values: np.ndarray) -> np.ndarray:
        return values[:, 0].copy() if self._is_vector else values.copy()

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    _score_of = staticmethod(r2_score)
