"""The smoothness estimator: reads, grows, decomposes and fits; no mathematics."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse
from sklearn.base import TransformerMixin
from sklearn.utils.validation import check_is_fitted

from .._lib.scikit_learn import (
    Interval,
    StrOptions,
    check_feature_names_in,
    dense_output_wanted,
    fit_context,
)
from .._lib.state import atomic_fit
from .._lib.warn import warn_caller
from ..index import (
    CONVENTIONS,
    DEFAULT,
    HeldOutError,
    IndexFit,
    Shares,
    imprecise,
    least,
    out_of_bag_errors,
    variance_shares,
    whole_way_rate,
)
from ..samples import (
    Samples,
    encode_targets,
    number_of_rows,
    read_features,
    read_samples,
)
from ..trees import Growth, grow, grow_in_batches, number_of_trees
from ..wavelets import (
    MEASURES,
    ErrorCurves,
    decompose,
    error_curves,
    m_term_errors,
    wavelet_features,
)
from .base import ForestEstimator, MethodOfOthers, ShowsSummary, growth_of, only_fitted
from .folds import check_classes
from .identifiers import identifier_caution
from .summary import Summary, estimator_summary

__all__ = ["FEWEST_SAMPLES", "BesovSmoothnessEstimator", "fit_samples", "read_for"]

_LARGEST_P = 50  # powers of small errors underflow beyond it
_MOST_DIGITS = 280  # of p-th powers of the targets, with room for their weights
_MOST_FEATURES = 1000  # of transform, whose output may be dense
_INSTEAD = (
    "it measures and does not predict. Use WaveletForestClassifier or "
    "WaveletForestRegressor, or, where a tool such as RFECV takes scoring=, pass "
    "scoring=BesovSmoothnessEstimator.score."
)
FEWEST_SAMPLES = 5  # fewer say nothing about a rate


class BesovSmoothnessEstimator(ShowsSummary, TransformerMixin, ForestEstimator):
    """Measure how smooth labels are as a function of the features.

    A forest of decision trees, read as an expansion in geometric wavelets [1]_,
    approximates the labels. The faster the error falls with the number of wavelets, the
    smoother the labels, and the rate of that decay is the Besov smoothness index
    ``alpha_``: ``1/d`` for a smooth function of d relevant features, ``1 / (2 (d - 1))``
    for classes separated by a smooth surface in d dimensions, 0 for noise. It needs no
    test set, no trained model, and no scaling of the features.

    Parameters
    ----------
    n_estimators : int or "auto", default="auto"
        Number of trees of the built-in forest. "auto" means 10, and for less than 1,000
        samples as many as make 10,000 samples in all, up to 100. More trees make the index
        more stable, not larger; ``explained_`` and ``score`` describe the whole forest and
        grow slightly with it.
    forest : estimator or treelite.Model, default=None
        An unfitted tree or ensemble of trees, which is cloned and fitted in place of the
        built-in forest: of scikit-learn (DecisionTree*, ExtraTree*, RandomForest*,
        ExtraTrees*, Bagging* or AdaBoost* of trees, GradientBoosting*,
        HistGradientBoosting*), scikit-learn-intelex, LightGBM or XGBoost. Or a
        treelite.Model, which is fitted already and used as it is, also for ``explained_``
        and ``score``. Only the splits of the trees are used, and the rows that each tree
        has seen, where scikit-learn records them (its forests and bags); otherwise all
        trees count as having seen all rows. The parameters ``n_estimators``, ``max_depth``,
        ``max_features``, ``max_samples``, ``max_bins`` and ``random_state`` then have no
        effect.
    index : {"mterm", "weak-lp", "elisha-dekel", "sparsity-probe"}, default="mterm"
        Convention by which ``alpha_`` is read:

        - ``"mterm"``: the rate of the M-term error in L_p. Every tree is decomposed
          separately, and its errors on the rows it was grown on, which are biased low, are
          averaged with those on the rows left out, which are biased high by as much.
        - ``"weak-lp"``: the decay of the sorted norms, ``k^-(alpha + 1/p)``, in the same
          window. It measures the local slope of the error curve, whereas ``"mterm"``
          measures all of the remaining error, so it is less certain.
        - ``"elisha-dekel"``: the procedure of the tool of [2]_, for comparison with
          published values: the slope of the log of the *squared* L2 error (twice the rate
          of ``"mterm"``) at M = 1, 1 + 2J, 1 + 4J, ... < 1000, with wavelets ranked by box
          volume and the J root means among them. ``measure`` and ``p`` have no effect. That
          tool uses ``n_estimators=5, max_depth=9``.
        - ``"sparsity-probe"``: the critical exponent of [3]_ as in its published code.
          It drifts with the number of samples; for comparison only.
    measure : {"samples", "volume"}, default="samples"
        Measure of a node in the norms that rank the wavelets: its share of the samples,
        or of the volume of the box that the data span.
    p : float, default=2
        Exponent of the norms and of the error, from 1 to 50.
    max_depth : int, default=None
        Maximum depth of the built-in trees. None grows them until leaves are pure.
    max_features : int, float, {"sqrt", "log2"} or None, default=None
        Features tried at each split of the built-in trees, as in scikit-learn. None tries
        all, as the theory requires.
    max_samples : float or int, default=0.8
        Rows that each built-in tree is grown on, drawn without replacement: a fraction,
        or a number. The rows left out make the index nearly unbiased; with 1.0 it is too
        high. Which rows are drawn depends on the data set, not on the order of its rows.
        With a number, ``n_estimators * max_samples`` rows of larger data (twice
        ``max_samples`` for one tree) are drawn by position among those with a positive
        weight, and only those are read: X may then be a memory map or a Dask array
        larger than memory.
    max_bins : int, default=None
        If given, at most 255, the built-in trees cut each feature into at most that many
        quantile bins. None tries all thresholds; in nodes of many samples, it tries those
        between 255 bins and then places the best one exactly.
    categorical_features : array-like of {bool, int, str} or None, default="from_dtype"
        Columns of categories, which are split into two subsets:

        - ``"from_dtype"``: the columns of a data frame (pandas or polars) with a
          categorical dtype.
        - an array: a mask, positions, or names of the columns.
        - None: no column; numeric categories are read as numbers.

        Every tree orders the categories by the mean targets of the samples in its bag.
        Where a category has fewer than 20 samples, each sample is placed without those of
        its own fold, so that a column of names does not look informative. Missing and
        unknown categories go to the side that is learned for missing values.
    class_pairs : bool, default=True
        Whether trees of two classes at a time take part in ``alpha_`` for five and more
        classes, with ``index="mterm"``. With many classes, each border has few samples, and
        the index of all classes at once is too low. This takes up to about as long as
        growing the forest, and no time for regression or fewer classes.
    confidence_level : float, default=0.95
        Level of the intervals, in (0, 1).
    precision : float, default=None
        If given, the built-in forest is grown in batches of 4, 16, 64, ... trees until half
        of the length of ``alpha_interval_`` is at most ``precision``, so that an easy
        question takes few trees. ``n_estimators`` is then the largest number of trees; if
        they do not suffice, a PrecisionWarning says what was reached. The trees are the
        first ones of the forest without ``precision``; ``wavelets_.n_trees`` is their
        number. It saves time for ``alpha_`` only: ``explained_``, ``roughness_`` and
        ``score`` still come from fifty other trees. It cannot be given together with
        ``forest``.
    random_state : int, RandomState instance or None, default=None
        Seed of the subsamples and of ties between splits.
    n_jobs : int, default=None
        Number of joblib workers. None means 1 unless in a
        :func:`joblib.parallel_config` context, -1 all processors. Results do not depend
        on it.
    verbose : int, default=0
        1 shows a progress bar on standard error.

    Attributes
    ----------
    alpha_ : float
        The smoothness index, never negative: the rate of the error in the fit window, which
        is the theory's index; or the rate of the whole way (see ``score``), on the average
        of in-bag and out-of-bag errors, where no rate can be read in the window: it lies on
        the noise floor, it ends before 14 terms, or no error is left. In the last case it
        is a lower bound, with an UnresolvedIndexWarning. In between, it is a weighted mean;
        ``decay_`` has both rates and the weight. The published procedures compute the index
        in their own way.
    alpha_interval_ : tuple of float
        Interval for ``alpha_`` at ``confidence_level``, without an upper end where
        ``alpha_`` is a lower bound. For ``"mterm"`` it covers the randomness of the
        samples, of the trees, and of the fit window: how much the curve bends and
        fluctuates there, pooled with the same for functions of known index. ``"weak-lp"``
        does not cover the samples; the other two conventions cover neither the samples nor
        the window.
    oob_score_ : float
        The held-out index as :meth:`score` computes it, but on the fitted samples
        themselves: each is approximated by the trees that have not seen it, half of fifty
        by default. NaN if no rows are left out of the trees.
    explained_ : float
        Share of the variance of the targets, in [0, 1], that wavelets explain on samples
        which their trees have not seen, at the best number of terms; ``oob_score_`` is the
        same error as a rate. It is the larger of the shares of two forests: that of
        ``wavelets_``, and fifty trees that try the square root of the number of features at
        each split, on half of the samples. For ``p`` other than 2, this and the other
        shares are of the p-th power of the distance from the mean. NaN if no rows are left
        out of the trees.
    explained_interval_ : tuple of float
        Interval for ``explained_``, over samples.
    noise_ : float
        Share of the variance that no number of terms explains, if ``noise_is_bound_`` is
        False: the level at which the average of in-bag and out-of-bag errors stops falling,
        provided that it and ``explained_`` add up to nearly 1. Otherwise the curve still
        falls, or the trees do not find all of the function, and it is an upper bound.
    noise_interval_ : tuple of float
        Interval for ``noise_``; from 0 where it is an upper bound.
    noise_is_bound_ : bool
        Whether ``noise_`` is only an upper bound.
    wrong_labels_ : float
        For classes, ``noise_`` expressed as the share of wrong labels, assuming that these
        are spread evenly over the other classes. NaN for regression.
    wrong_labels_interval_ : tuple of float
        The ends of ``noise_interval_`` in this unit.
    signal_alpha_ : float
        The rate at which the error above the noise falls: the index of the signal. Infinite
        where finitely many boxes leave no error other than the noise.
    signal_alpha_interval_ : tuple of float
        Interval for ``signal_alpha_``.
    roughness_ : float
        How much of the spread of the targets (for classes, of their simplex vertices) is
        left as cells are added one by one, averaged over the logarithm of their number,
        from one cell to one per ten samples: an amplitude in [0, 1], where ``alpha_`` is a
        rate. It is 1 for noise and tends to 0 with more samples for a smooth function of
        few features. The L_p error with M cells, relative to that with one, is integrated
        as ROGI-XD [5]_ integrates the error of clusters. The errors are those of the fifty
        randomised trees of ``explained_``, on samples that they have not seen, or those of
        ``forest``. The same for every ``index`` at the same ``p``. NaN if no rows are left
        out of the trees.
    roughness_interval_ : tuple of float
        Interval for ``roughness_``, over samples and trees.
    shares_ : Shares
        These numbers as one object.
    n_relevant_ : float
        Effective number of relevant features, the inverse Simpson index of
        ``feature_importances_``. Where it exceeds about a third of the number of times that
        the cells are halved, the index of a regression target is too high, and its interval
        is wider.
    n_terms_ : ndarray of shape (n_points,), int64
        Numbers of terms M of the error curve: 1, 2, ... up to those of the largest tree.
    errors_ : ndarray of shape (n_points,), float64
        The M-term error of a tree in L_p, averaged over trees and over the rows in and out
        of their bags, in units of the targets (simplex edge sqrt(2) for classes). It is the
        same curve for every ``index``, except that ``"elisha-dekel"`` sets ``measure`` and
        ``p``. The curve that a published procedure uses, in its own units, is in
        ``decay_``.
    fit_range_ : tuple of int
        First and last number of terms at which that curve can be trusted: the fit window
        of ``"mterm"`` and ``"weak-lp"``.
    r_squared_ : float
        Share of the variance of the log errors (or norms) that the fitted line explains.
    decay_ : IndexFit
        The curve that ``alpha_`` was read from (``decay_.n_terms``, ``decay_.errors``),
        the window and the line fitted to it, and the convention that read it.
    wavelets_ : WaveletDecomposition
        The wavelets of the forest.
    feature_importances_ : ndarray of shape (n_features,), float64
        Sum of the norms of the leading wavelets made by splits on each feature [1]_, scaled
        to sum to one. Each norm is measured on the samples that its tree has not seen, and
        is negative where they contradict the wavelet, so that splits on noise add up to
        about zero [4]_. Without such samples the fitted norms are used, and noise columns
        get a share.
    classes_ : ndarray of shape (n_classes,)
        Class labels. Only if ``y`` holds classes.
    n_samples_ : int
        Number of samples with positive weight.
    n_outputs_ : int
        Dimension of the targets: number of classes minus one, or of columns of ``y``.
    is_categorical_ : ndarray of shape (n_features,), bool, or None
        Which columns hold categories; None if none does.
    n_features_in_ : int
        Number of features seen in ``fit``.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Their names. Only if ``X`` has string column names.

    See Also
    --------
    wavelet_decomposition : Wavelets of a forest that is already fitted.
    smoothness_difference : Compare two representations of the same samples.
    permutation_baseline : The index of shuffled targets.
    report : Write what was measured as one HTML file.
    sksmooth.plotting.ErrorDecayDisplay : Draws the curve and the line.

    Notes
    -----
    The dtype of ``y`` decides whether it holds classes or regression targets; see
    :meth:`fit`.

    References
    ----------
    .. [1] O. Elisha and S. Dekel, *Wavelet decompositions of Random Forests: smoothness
       analysis, sparse approximation and applications*, JMLR 17 (2016).
    .. [2] O. Elisha and S. Dekel, *Function space analysis of deep learning
       representation layers*, arXiv 1710.03263.
    .. [3] I. Ben-Shaul and S. Dekel, *Sparsity-Probe: analysis tool for deep learning
       models*, arXiv 2105.06849.
    .. [4] X. Li, Y. Wang, S. Basu, K. Kumbier and B. Yu, *A debiased MDI feature
       importance measure for random forests*, NeurIPS 2019 (of squared norms).
    .. [5] D. Graff, E. Pyzer-Knapp, K. Jordan, E. Shakhnovich and C. Coley, *Evaluating the
       roughness of structure-property relationships using pretrained molecular
       representations*, Digital Discovery 2 (2023).

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sksmooth import BesovSmoothnessEstimator
    >>> X, y = load_digits(return_X_y=True)
    >>> estimator = BesovSmoothnessEstimator(random_state=0).fit(X, y)
    >>> print(f"{estimator.alpha_:.2f}")
    0.31
    >>> "The features explain 87 % of the variance of the labels" in str(estimator)
    True
    """

    _parameter_constraints: dict[str, list] = {
        **ForestEstimator._parameter_constraints,
        "index": [StrOptions(CONVENTIONS.keys())],
        "measure": [StrOptions(MEASURES.keys())],
        "p": [Interval(Real, 1, _LARGEST_P, closed="both")],
        "class_pairs": ["boolean"],
        "confidence_level": [Interval(Real, 0, 1, closed="neither")],
        "precision": [Interval(Real, 0, None, closed="neither"), None],
    }

    def __init__(
        self,
        n_estimators: int | str = "auto",
        *,
        forest: Any = None,
        index: str = "mterm",
        measure: str = "samples",
        p: float = 2,
        max_depth: int | None = None,
        max_features: int | float | str | None = None,
        max_samples: float | int = 0.8,
        max_bins: int | None = None,
        categorical_features: ArrayLike | str | None = "from_dtype",
        class_pairs: bool = True,
        confidence_level: float = 0.95,
        precision: float | None = None,
        random_state: int | np.random.RandomState | None = None,
        n_jobs: int | None = None,
        verbose: int = 0,
    ) -> None:
        self.n_estimators = n_estimators
        self.forest = forest
        self.index = index
        self.measure = measure
        self.p = p
        self.max_depth = max_depth
        self.max_features = max_features
        self.max_samples = max_samples
        self.max_bins = max_bins
        self.categorical_features = categorical_features
        self.class_pairs = class_pairs
        self.confidence_level = confidence_level
        self.precision = precision
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose

    @fit_context(prefer_skip_nested_validation=False)
    @atomic_fit
    def fit(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> BesovSmoothnessEstimator:
        """Decompose the targets and measure the decay of their wavelets.

        Parameters
        ----------
        X : {array-like, sparse matrix, Dask array} of shape (n_samples, n_features)
            Features, NaN where there is no value; at least 5 rows. float32 input and CSR
            matrices are not copied to float64, and integers that float32 represents
            exactly, such as bits and counts, become float32.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Class labels: categories (numeric ones, too), text, booleans, or any hashable
            objects. Or regression targets: floating-point, or several columns. Integers are
            class labels, unless they have more than 100 distinct values, or more than half
            as many as rows, which neither count up from 0 or 1 as class numbers do (nine
            tenths of the numbers up to the largest occur) nor occur five times each (nine
            tenths of them): these are regression targets, with a TargetTypeWarning.
            ``y.astype(float)`` and ``y.astype(str)`` say which they are.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights. Whole multiples of the smallest positive weight have the
            same effect as repeating the rows that many times, unless equal features come
            with different targets or take only a few values (subsamples then draw rows).

        Returns
        -------
        self : BesovSmoothnessEstimator
            The fitted estimator.

        Raises
        ------
        ValueError
            If X is infinite or y is not finite, y holds one class or one value, or more
            classes than half the number of rows or than fit into 16 GB of memory, X or y
            holds dates, lengths differ, there are fewer than 5 rows, weights are negative
            or all zero, or both ``forest`` and ``precision`` are given.
        TypeError
            If ``forest`` is not made of trees.
        """
        return fit_samples(self, read_for(self, X, y, sample_weight))

    def score(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> float:
        """Compute the held-out index: what the fitted wavelets explain of other samples.

        The fitted wavelets of a whole forest, in their fitted order, approximate the given
        samples. Of the two forests of ``explained_``, it is the one that explains more out
        of bag. The score is the rate of the whole way, from no terms to the best number of
        them: minus the log of the error there, relative to that of the mean, over the log
        of the number of cells that the fitted samples allow (ten samples per cell). It
        therefore ranks representations of the same samples by how much the trees explain,
        and is a rate like ``alpha_``. Wavelets that memorised noise do not help on other
        samples, so the score of noise is about zero; it is never negative. Errors smaller
        than that of one sample do not count, so the score is finite where no error is left.
        It is an L_p rate for every ``index``.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples, preferably not those of the fit.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Their targets. A few samples of classes that ``fit`` has not seen count as
            errors that no wavelet reduces.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights.

        Returns
        -------
        score : float
            The held-out rate; larger is smoother.

        Raises
        ------
        ValueError
            If the classes of y are not those of the fit, as in folds of rows sorted by
            class: most samples belong to other classes, or all samples of a class are on
            one side, which happens in fewer than one in ten thousand random folds.
        """
        check_is_fitted(self)
        encode = partial(
            encode_targets,
            classes=getattr(self, "classes_", None),
            n_outputs=self.n_outputs_,
        )
        samples = read_samples(
            X, y, sample_weight, estimator=self, reset=False, encode=encode
        )
        # Errors are measured from the fitted mean, so the spread is, too.
        forest, wavelets = self._scoring
        spread = samples.targets.spread_about(wavelets.means.of_roots[0])
        _check_powers(spread, self.wavelets_.p, least=-np.inf)
        if samples.targets.codes is not None:
            check_classes(
                self.classes_, self._n_of_classes, samples.targets.codes, samples.y
            )
        leaves = forest.apply(samples.X, self.n_jobs)
        errors = m_term_errors(wavelets, leaves, samples.targets, samples.weights)
        if errors[0] == 0:
            return 0.0
        left = (errors.min() / errors[0]) ** self.wavelets_.p
        return whole_way_rate(left, self._n_grown, samples.weights.sum(), self.wavelets_.p)

    def transform(self, X: ArrayLike) -> sparse.csr_matrix | np.ndarray:
        """Return the values of the leading wavelets.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        features : CSR matrix of shape (n_samples, n_leading), float64
            One column per wavelet, by falling norm: its height on its node, 0 elsewhere.
            Their number is the upper end of the fit window of one tree times the number of
            trees, at most 1000. Dense if ``set_output`` asks for data frames. For a linear
            model, use trees with ``max_features="sqrt"``, whose wavelets are more diverse.
        """
        check_is_fitted(self)
        X = read_features(X, self, reset=False)
        leaves = self._forest.apply(X, self.n_jobs)
        features = wavelet_features(self.wavelets_, leaves, self._n_leading)
        return features.toarray() if dense_output_wanted(self) else features

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> np.ndarray:
        """Return the names of the columns of ``transform``.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Not used but checked against ``feature_names_in_``.

        Returns
        -------
        names : ndarray of str objects
            Such as ``"wavelet3_tree0_node12"``: rank by norm, tree and node.
        """
        check_is_fitted(self)
        check_feature_names_in(self, input_features, generate_names=False)
        nodes = self.wavelets_.order[: self._n_leading]
        trees = self.wavelets_.tree[nodes]
        own = nodes - self.wavelets_.roots[trees]
        return np.array(
            [
                f"wavelet{rank}_tree{tree}_node{node}"
                for rank, (tree, node) in enumerate(zip(trees, own, strict=True))
            ],
            dtype=object,
        )

    predict = MethodOfOthers(_INSTEAD)
    predict_proba = MethodOfOthers(_INSTEAD)
    decision_function = MethodOfOthers(_INSTEAD)

    def _summary(self) -> Summary | None:
        return estimator_summary(self) if hasattr(self, "decay_") else None

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        tags.transformer_tags.preserves_dtype = []
        return tags

    @property
    @only_fitted
    def alpha_(self) -> float:
        """The smoothness index."""
        return self.decay_.alpha

    @property
    @only_fitted
    def alpha_interval_(self) -> tuple[float, float]:
        """Its confidence interval."""
        return self.decay_.interval

    @property
    @only_fitted
    def n_terms_(self) -> np.ndarray:
        """Numbers of terms of the M-term error curve."""
        return np.arange(1, len(self.decay_.m_term_errors) + 1)

    @property
    @only_fitted
    def errors_(self) -> np.ndarray:
        """The M-term error curve."""
        return self.decay_.m_term_errors

    @property
    @only_fitted
    def fit_range_(self) -> tuple[int, int]:
        """First and last number of terms of its fit window."""
        return self.decay_.window

    @property
    @only_fitted
    def r_squared_(self) -> float:
        """Share of the variance of the log errors that the line explains."""
        return self.decay_.line.r_squared

    @property
    @only_fitted
    def oob_score_(self) -> float:
        """The rate of the whole way on out-of-bag samples."""
        return self.shares_.oob_score

    @property
    @only_fitted
    def explained_(self) -> float:
        """Share of the variance that is explained on out-of-bag samples."""
        return self.shares_.explained

    @property
    @only_fitted
    def explained_interval_(self) -> tuple[float, float]:
        """Its confidence interval."""
        return self.shares_.explained_interval

    @property
    @only_fitted
    def noise_(self) -> float:
        """Share of the variance that no number of terms explains, or a bound."""
        return self.shares_.noise

    @property
    @only_fitted
    def noise_interval_(self) -> tuple[float, float]:
        """Its confidence interval."""
        return self.shares_.noise_interval

    @property
    @only_fitted
    def noise_is_bound_(self) -> bool:
        """Whether the noise is an upper bound."""
        return self.shares_.noise_is_bound

    @property
    @only_fitted
    def wrong_labels_(self) -> float:
        """The noise as a share of wrong labels."""
        return self.shares_.wrong_labels

    @property
    @only_fitted
    def wrong_labels_interval_(self) -> tuple[float, float]:
        """Its confidence interval."""
        return self.shares_.wrong_labels_interval

    @property
    @only_fitted
    def signal_alpha_(self) -> float:
        """The rate of what lies above the noise floor."""
        return self.shares_.signal_alpha

    @property
    @only_fitted
    def signal_alpha_interval_(self) -> tuple[float, float]:
        """Its confidence interval."""
        return self.shares_.signal_alpha_interval

    @property
    @only_fitted
    def roughness_(self) -> float:
        """What is left of the spread of the targets as cells are added."""
        return self.shares_.roughness

    @property
    @only_fitted
    def roughness_interval_(self) -> tuple[float, float]:
        """Its confidence interval."""
        return self.shares_.roughness_interval

    @property
    @only_fitted
    def feature_importances_(self) -> np.ndarray:
        """Shares of the features in the norms of the leading wavelets."""
        return self.decay_.importances

    @property
    @only_fitted
    def n_relevant_(self) -> float:
        """Effective number of relevant features."""
        return self.decay_.n_relevant

    def n_terms_for(self, share: float) -> int:
        """Count the terms that a tree needs for a given share of what can be explained.

        That is what can be explained with this number of samples, at ten samples per cell,
        on the average of in-bag and out-of-bag errors. A split has two terms. The count
        thus measures the complexity of the function, from three terms for classes in two
        boxes to thousands for a rough function.

        Parameters
        ----------
        share : float
            Share in (0, 1), such as 0.9.

        Returns
        -------
        n_terms : int
            Number of terms; 0 if nothing is explained.

        Raises
        ------
        NotFittedError
            Before ``fit``.
        ValueError
            If share is not between 0 and 1.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sksmooth import BesovSmoothnessEstimator
        >>> X, y = load_iris(return_X_y=True)
        >>> BesovSmoothnessEstimator(random_state=0).fit(X, y).n_terms_for(0.9)
        4
        """
        check_is_fitted(self)
        if not 0 < share < 1:
            raise ValueError(f"share = {share!r} must lie between 0 and 1, such as 0.9.")
        return self.shares_.n_terms_for(share)

    @property
    def _n_leading(self) -> int:
        n_important = self.wavelets_.n_trees * self.decay_.window[1]
        return min(n_important, self.wavelets_.n_terms, _MOST_FEATURES)

    def _keep(
        self,
        samples: Samples,
        curves: ErrorCurves,
        fit: IndexFit,
        shares: Shares,
        errors: Sequence[HeldOutError],
    ) -> None:
        """Set the fitted attributes."""
        self._forest, self.wavelets_ = curves.grown.forest, curves.decomposition
        self._scoring = self._forest, self.wavelets_
        if errors:
            best = least(errors)
            self._scoring = best.grown.forest, best.wavelets
        self._n_grown = curves.grown.n_grown
        self.n_samples_ = len(samples.weights)
        self.n_outputs_ = samples.targets.n_outputs
        if samples.classes is not None:
            self.classes_ = samples.classes
            codes: Any = samples.targets.codes
            self._n_of_classes = np.bincount(codes)
        elif hasattr(self, "classes_"):  # of an earlier fit
            del self.classes_
        mistyping = () if samples.targets.caution is None else (samples.targets.caution,)
        self.decay_ = fit.with_cautions(*mistyping)
        self.shares_ = shares


def read_for(
    estimator: BesovSmoothnessEstimator, X: Any, y: Any, sample_weight: Any = None
) -> Samples:
    """Read samples as the parameters of an estimator require.

    If each tree is grown on a given number of rows, only the rows that the trees need are
    read.

    Parameters
    ----------
    estimator : BesovSmoothnessEstimator
        Where the names of the features are recorded.
    X, y, sample_weight
        As in :meth:`BesovSmoothnessEstimator.fit`.

    Returns
    -------
    samples : Samples
        The samples to fit.
    """
    n_drawn = None
    if estimator.forest is None and isinstance(estimator.max_samples, Integral):
        # At least for two trees, since a single tree would leave none of its rows out.
        n_samples = number_of_rows(X)
        n_trees = number_of_trees(estimator.n_estimators, estimator.max_samples, n_samples)
        n_drawn = max(n_trees, 2) * int(estimator.max_samples)
        if n_drawn < FEWEST_SAMPLES:
            raise ValueError(
                f"n_estimators * max_samples = {n_drawn} rows are drawn, but at least "
                f"{FEWEST_SAMPLES} are needed."
            )
    samples = read_samples(
        X,
        y,
        sample_weight,
        estimator=estimator,
        fewest=FEWEST_SAMPLES,
        n_drawn=n_drawn,
        random_state=estimator.random_state,
    )
    convention = CONVENTIONS[estimator.index]
    spread = samples.targets.spread_about(samples.targets.rows(slice(1)))
    _check_powers(spread, convention.exponent(estimator.p))
    return samples


def fit_samples(
    estimator: BesovSmoothnessEstimator, samples: Samples, *, warn: bool = True
) -> BesovSmoothnessEstimator:
    """Fit an estimator to samples that have been read.

    Parameters
    ----------
    estimator : BesovSmoothnessEstimator
        Estimator to fit.
    samples : Samples
        Samples, from :func:`read_for`.
    warn : bool, default=True
        Whether to issue cautions as warnings; ``decay_`` always has them.

    Returns
    -------
    estimator : BesovSmoothnessEstimator
        The same estimator, fitted.
    """
    growth = growth_of(estimator)
    curves, fit = _index_of(estimator, samples, growth)
    is_default = fit.convention is DEFAULT
    by_rate = fit if is_default else DEFAULT.fit(curves, fit.confidence_level)
    errors = out_of_bag_errors(curves.decomposition, curves.grown, samples, growth)
    shares = variance_shares(curves, by_rate, errors)
    names = getattr(estimator, "feature_names_in_", None)
    identifier = identifier_caution(samples.X, fit.importances, names)
    if identifier is not None:
        fit = fit.with_cautions(identifier)

    if warn:
        warn_caller(*fit.cautions)
    estimator._keep(samples, curves, fit, shares, errors)
    return estimator


def _index_of(
    estimator: BesovSmoothnessEstimator, samples: Samples, growth: Growth
) -> tuple[ErrorCurves, IndexFit]:
    """Grow the forest that the index is read from, up to ``precision`` if given."""
    convention, precision = CONVENTIONS[estimator.index], estimator.precision
    of_pairs = growth if estimator.class_pairs else None
    if precision is not None and growth.forest is not None:
        raise ValueError(
            "precision= chooses the number of trees of the built-in forest, which forest= "
            "replaces: pass only one of them."
        )
    is_fixed = precision is None
    for grown in [grow(samples, growth)] if is_fixed else grow_in_batches(samples, growth):
        wavelets = decompose(
            grown,
            samples,
            p=convention.exponent(estimator.p),
            measure=convention.measure(estimator.measure),
        )
        curves = error_curves(wavelets, grown, samples, estimator.n_jobs)
        fit = convention.fit(curves, estimator.confidence_level, of_pairs)
        if precision is not None and fit.half_width <= precision:
            return curves, fit
    return curves, fit if precision is None else imprecise(fit, precision, grown)


def _check_powers(spread: float, p: float, least: float = -_MOST_DIGITS) -> None:
    with np.errstate(divide="ignore"):
        digits = p * np.log10(spread)
    if not least <= digits <= _MOST_DIGITS:
        raise ValueError(
            f"The p-th powers (p={p}) of targets that spread over {spread:.3g} do not fit "
            "into float64; rescale y or lower p."
        )
