"""Compare two representations, or an index with those of shuffled targets."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any, cast

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.base import clone
from sklearn.exceptions import DataConversionWarning
from sklearn.pipeline import Pipeline
from sklearn.utils import check_random_state

from .._lib.scikit_learn import Interval, validate_params
from .._lib.state import Versioned
from .._lib.warn import warn_caller
from ..exceptions import FewPermutationsWarning, SmoothnessWarning, TargetTypeWarning
from ..index import (
    CONVENTIONS,
    IndexFit,
    Level,
    level_difference,
    student_margin,
    two_sided_p_value,
    variance_of_difference,
)
from ..samples import (
    as_array,
    holds_categories,
    in_memory,
    number_of_rows,
)
from .besov import BesovSmoothnessEstimator, fit_samples, read_for
from .levels import (
    cross_fitted_level,
    fitted_level,
    read_labels,
    split,
    units_in_common,
)
from .summary import baseline_summary, card_of, difference_summary, text_of

__all__ = [
    "PermutationBaseline",
    "SmoothnessDifference",
    "check_comparable",
    "integer_seed",
    "measured",
    "paired_difference",
    "permutation_baseline",
    "ready_estimator",
    "seeded",
    "smoothness_difference",
]

_FEWEST_PERMUTATIONS = 19  # for a test at level 0.05
_LARGEST_SEED = np.iinfo(np.int32).max


@dataclass(frozen=True, eq=False)
class SmoothnessDifference(Versioned):
    """Difference of smoothness between two representations.

    Attributes
    ----------
    difference : float
        ``score_b - score_a``: positive if trees explain more of the held-out samples on the
        second representation.
    interval : tuple of float
        Its confidence interval, at the level of the estimator.
    p_value : float
        Two-sided, for the hypothesis that both scores are equal.
    score_a, score_b : float
        The two held-out scores: rates of the whole way of a randomised forest, on samples
        that its trees have not seen. Negative where the forest is worse than the mean.
    rate_difference : float
        ``alpha_b - alpha_a``, the difference of the rates; NaN with ``transformers``.
    rate_interval : tuple of float
        Its confidence interval; unbounded if the variance is not known. Where ``alpha_b``
        is a lower bound, since no error is left, it has no upper end; where ``alpha_a`` is
        one, it has no lower end.
    rate_p_value : float
        Two-sided, for the hypothesis that both rates are equal; NaN if a lower bound leaves
        open which rate is larger. This test has little power.
    alpha_a, alpha_b : float
        The two indices, of forests whose trees draw the same samples of both.
    estimators : tuple of BesovSmoothnessEstimator
        The two fitted estimators; empty with ``transformers``.
    confidence_level : float
        Level of the intervals.

    See Also
    --------
    smoothness_difference : Computes it.

    Examples
    --------
    >>> from sksmooth import smoothness_difference
    >>> from sksmooth.datasets import make_known_smoothness
    >>> X, y, _ = make_known_smoothness("smooth", 2000, random_state=0)
    >>> noise = X[::-1]
    >>> result = smoothness_difference(noise, X, y, random_state=0)
    >>> print(result)
    The second representation is smoother on held-out samples: score 0.62, against
    0.000 of the first (p < 0.001).
    difference +0.62... [...], 95 %
    alpha 0.00 and 0.51 (p < 0.001 for their difference)
    """

    difference: float
    interval: tuple[float, float]
    p_value: float
    score_a: float
    score_b: float
    rate_difference: float
    rate_interval: tuple[float, float]
    rate_p_value: float
    alpha_a: float
    alpha_b: float
    estimators: tuple[BesovSmoothnessEstimator, ...]
    confidence_level: float

    def __str__(self) -> str:
        """Say on which representation the targets are smoother, in a few lines."""
        return text_of(difference_summary(self))

    def _repr_html_(self) -> str:
        return card_of(difference_summary(self), is_loss=self.interval[1] < 0)


@dataclass(frozen=True, eq=False)
class PermutationBaseline(Versioned):
    """The index of shuffled targets: the distribution of ``alpha`` without any relation.

    Attributes
    ----------
    alpha : float
        Index of the original targets.
    alphas : ndarray of shape (n_permutations,)
        Indices of shuffled targets.
    p_value : float
        Share of permutations, including the identity, whose index is at least ``alpha``:
        the permutation test of the hypothesis that X and y are unrelated. At least
        ``1 / (n_permutations + 1)``.

    See Also
    --------
    permutation_baseline : Computes it.

    Examples
    --------
    >>> from sksmooth import BesovSmoothnessEstimator, permutation_baseline
    >>> from sksmooth.datasets import make_known_smoothness
    >>> X, y, _ = make_known_smoothness("smooth", 1000, random_state=0)
    >>> estimator = BesovSmoothnessEstimator(3, random_state=0)
    >>> baseline = permutation_baseline(estimator, X, y, random_state=0)
    >>> print(baseline)
    Features and targets are related: alpha is 0.48, and at most 0.02 in 20
    permutations (p = 0.048).
    """

    alpha: float
    alphas: np.ndarray
    p_value: float

    @property
    def note(self) -> str:
        """Why the p-value cannot be small, if there are too few permutations."""
        n_permutations = len(self.alphas)
        if n_permutations >= _FEWEST_PERMUTATIONS:
            return ""
        return (
            f"With n_permutations={n_permutations}, no p-value is below "
            f"{1 / (n_permutations + 1):.2g}; 0.05 needs {_FEWEST_PERMUTATIONS}."
        )

    def __str__(self) -> str:
        """Say whether features and targets are related."""
        return text_of(baseline_summary(self))

    def _repr_html_(self) -> str:
        return card_of(baseline_summary(self))


@validate_params(
    {
        # The samples are checked where all samples are read, with the same messages.
        "X_a": "no_validation",
        "X_b": "no_validation",
        "y": "no_validation",
        "estimator": [BesovSmoothnessEstimator, None],
        "sample_weight": "no_validation",
        "groups": ["array-like", None],
        "transformers": [tuple, list, None],
        "cv": ["cv_object"],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def smoothness_difference(
    X_a: ArrayLike,
    X_b: ArrayLike,
    y: ArrayLike,
    *,
    estimator: BesovSmoothnessEstimator | None = None,
    sample_weight: ArrayLike | None = None,
    groups: ArrayLike | None = None,
    transformers: Sequence[Any] | None = None,
    cv: Any = 5,
    n_jobs: int | None = None,
    random_state: int | np.random.RandomState | None = None,
) -> SmoothnessDifference:
    """Test which of two representations of the same samples makes the targets smoother.

    On each representation a forest of fifty randomised trees is grown, on the same
    subsamples. Every sample is approximated by the trees that have not seen it, and the
    losses are compared sample by sample, so that samples that are hard on both
    representations, such as wrong labels, cancel. The variance is the sum of that over
    samples and that over the choice of the trees.

    In other words, this is a paired test of the held-out squared error of forests (for
    classes, the Brier score). Its null hypothesis is that forests explain equally much of
    new samples on both representations. It is neither that the classes have the same shape
    nor that other models perform equally well.

    Parameters
    ----------
    X_a, X_b : {array-like, sparse matrix, Dask array} of shape \
(n_samples, n_features_a) and (n_samples, n_features_b)
        The two representations, whose rows are the same samples. With ``transformers``,
        their inputs, usually the same for both.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Class labels or regression targets.
    estimator : BesovSmoothnessEstimator, default=None
        An unfitted estimator, which is cloned. Its ``confidence_level`` is that of the
        intervals, and its ``index`` must be ``"mterm"`` or ``"weak-lp"``. None means one
        with default parameters.
    sample_weight : array-like of shape (n_samples,), default=None
        Non-negative weights.
    groups : array-like of shape (n_samples,), default=None
        Groups of samples that are not independent, such as patients or plates. A tree sees
        all of a group or none of it, and the variance is that over groups.
    transformers : sequence of two transformers, default=None
        Unfitted transformers or Pipelines that learn the representations; None leaves
        features as they are. They are cross-fitted: fitted on the samples that the trees
        see, never on those on which a loss is computed. Without this, a representation that
        was learned from the same labels looks better than it is. Rates are then not
        computed.
    cv : int, cross-validation generator or iterable, default=5
        Folds for cross-fitting, as in scikit-learn; an integer means shuffled folds,
        stratified for classes. Each sample must be in exactly one test fold.
    n_jobs : int, default=None
        Number of joblib workers; if given, it replaces that of the estimator.
    random_state : int, RandomState instance or None, default=None
        Seed of the estimator if it has none.

    Returns
    -------
    result : SmoothnessDifference
        The difference of the held-out scores, its interval and a p-value; and the
        difference of the rates with its own.

    Raises
    ------
    ValueError
        If the numbers of rows differ, if there are fewer than 5 groups, if the index is
        that of a published tool, whose variance is not known well enough, or for the
        reasons for which :meth:`BesovSmoothnessEstimator.fit` raises one.

    See Also
    --------
    compare_representations : Compare many, and find those tied with the best.
    SmoothnessSearch : Choose among the parameters of a transformer.
    permutation_baseline : The index of shuffled targets.

    Notes
    -----
    The p-value is that of Student's t, with Satterthwaite's degrees of freedom. Level and
    power on data sets of 150 to 3,000 samples are measured in
    ``benchmarks/compare_representations.py``.

    The *rates* are compared by paired replicates: the same samples or the same tree are
    left out of both, and the same quarters of the two fit windows are compared. That
    variance includes the fit window, so the test asks whether the rates differ:
    representations with the same index whose curves bend differently are not called
    different. Under its null hypothesis it rejects far less often than its level, and it
    has little power. With ``index="weak-lp"`` the variance does not include that of the
    samples. Where no error is left, an index is a lower bound. If the larger of two indices
    is one, it is still known to be larger; if the smaller or both are, the order is
    unknown.

    Examples
    --------
    >>> import numpy as np
    >>> from sksmooth import BesovSmoothnessEstimator, smoothness_difference
    >>> from sksmooth.datasets import make_known_smoothness
    >>> X, y, _ = make_known_smoothness("jump", 500, random_state=0)
    >>> blurred = X + 0.05 * np.random.RandomState(0).standard_normal(X.shape)
    >>> result = smoothness_difference(blurred, X, y, random_state=0)
    >>> result.difference > 0, result.p_value < 0.01, result.rate_p_value < 0.01
    (True, True, False)

    Supervised features against unsupervised ones, with cross-fitting:

    >>> from sklearn.datasets import load_digits
    >>> from sklearn.decomposition import PCA
    >>> from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    >>> X, y = load_digits(return_X_y=True)
    >>> result = smoothness_difference(
    ...     X, X, y, transformers=[PCA(9), LinearDiscriminantAnalysis()], random_state=0
    ... )
    >>> result.difference > 0, result.p_value < 0.01
    (True, True)
    """
    first = ready_estimator(estimator, random_state, n_jobs)
    check_comparable(first)
    if transformers is not None:
        return _difference_of_learned(
            (X_a, X_b), y, transformers, first, sample_weight, groups, cv
        )
    second = clone(first)
    samples_a = read_for(first, X_a, y, sample_weight)
    with warnings.catch_warnings():
        for said_once in (TargetTypeWarning, DataConversionWarning):
            warnings.simplefilter("ignore", said_once)
        samples_b = read_for(second, X_b, y, sample_weight)
    units = units_in_common((samples_a, samples_b), groups, number_of_rows(y, "y"))
    levels = []
    for fitted, samples in ((first, samples_a), (second, samples_b)):
        samples = samples.drawn_by(units)
        fit_samples(fitted, samples)
        levels.append(fitted_level(fitted, samples))
    level_a, level_b = levels
    return SmoothnessDifference(
        *_of_levels(level_a, level_b, first.confidence_level),
        *paired_difference(first.decay_, second.decay_),
        first.alpha_,
        second.alpha_,
        (first, second),
        first.confidence_level,
    )


def _difference_of_learned(
    inputs: tuple[Any, Any],
    y: Any,
    transformers: Sequence[Any],
    estimator: BesovSmoothnessEstimator,
    sample_weight: Any,
    groups: Any,
    cv: Any,
) -> SmoothnessDifference:
    """Compare two representations that are learned, in the same folds."""
    if len(transformers) != 2:
        raise ValueError(
            "transformers must hold two, one per representation (None leaves features as "
            f"they are); got {len(transformers)}."
        )
    labels = read_labels(y, sample_weight, groups)
    folds = split(labels, cv, integer_seed(estimator.random_state))
    first, second = (
        cross_fitted_level(transformer, X, labels, folds, estimator).level
        for transformer, X in zip(transformers, inputs, strict=True)
    )
    unknown = (np.nan, (-np.inf, np.inf), np.nan, np.nan, np.nan)
    level = estimator.confidence_level
    return SmoothnessDifference(*_of_levels(first, second, level), *unknown, (), level)


def _of_levels(
    first: Level, second: Level, confidence_level: float
) -> tuple[float, tuple[float, float], float, float, float]:
    found = level_difference(first, second)
    return (
        found.difference,
        found.interval(confidence_level),
        found.p_value,
        first.score,
        second.score,
    )


def measured(
    fit: Callable[[], BesovSmoothnessEstimator], test: tuple[Any, Any] | None = None
) -> tuple[BesovSmoothnessEstimator, float, str]:
    """Fit an estimator for a table row; return it, its held-out score and its cautions.

    Parameters
    ----------
    fit : callable
        Returns the fitted estimator. Its cautions become a column; other warnings are
        re-issued.
    test : tuple of X and y, default=None
        Samples for the held-out score; None takes the out-of-bag score.

    Returns
    -------
    estimator : BesovSmoothnessEstimator
        The fitted estimator.
    held_out : float
        The score.
    cautions : str
        Names of the cautions, separated by commas.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", SmoothnessWarning)
        estimator = fit()
        held_out = estimator.oob_score_ if test is None else estimator.score(*test)
    return estimator, held_out, ", ".join(_caution_names(caught))


def _caution_names(caught: list[warnings.WarningMessage]) -> list[str]:
    """Collect the names of SmoothnessWarnings, and re-issue all other warnings."""
    names = []
    for warning in caught:
        if issubclass(warning.category, SmoothnessWarning):
            names.append(warning.category.__name__)
        else:
            warn_caller(cast(Warning, warning.message))
    return list(dict.fromkeys(names))


@validate_params(
    {
        "estimator": "no_validation",
        "X": "no_validation",
        "y": "no_validation",
        "n_permutations": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=False,
)
def permutation_baseline(
    estimator: Any,
    X: ArrayLike,
    y: ArrayLike,
    *,
    n_permutations: int = 20,
    random_state: int | np.random.RandomState | None = None,
) -> PermutationBaseline:
    """Measure the index of shuffled targets on the same features.

    Shuffling y removes every relation to X and keeps everything else: features, class
    sizes, number of samples. The index of pure noise is zero or slightly above; a large one
    means that the estimator finds smoothness where there is none, as in-sample indices
    (``max_samples=1.0``) do.

    Parameters
    ----------
    estimator : BesovSmoothnessEstimator or Pipeline that ends in one
        Cloned and fitted once to y and once to each permutation.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Samples.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Class labels or regression targets.
    n_permutations : int, default=20
        Number of permutations, each of which costs a fit. The p-value is at least
        ``1 / (n_permutations + 1)``: 20 permutations are enough for one below 0.05, and 19
        for a test at that level. Five, which give a warning, show the size of the index of
        noise.
    random_state : int, RandomState instance or None, default=None
        Seed of the permutations.

    Returns
    -------
    baseline : PermutationBaseline
        The index, those of the permutations, and a p-value.

    See Also
    --------
    sklearn.model_selection.permutation_test_score : The same for cross-validated scores.

    References
    ----------
    .. [1] M. Ojala and G. Garriga, *Permutation tests for studying classifier
       performance*, JMLR 11 (2010).

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sksmooth import BesovSmoothnessEstimator, permutation_baseline
    >>> X, y = load_digits(return_X_y=True)
    >>> estimator = BesovSmoothnessEstimator(random_state=0)
    >>> baseline = permutation_baseline(estimator, X, y, random_state=0)
    >>> f"{baseline.alpha:.2f}", bool((abs(baseline.alphas) < 0.02).all())
    ('0.31', True)
    """
    _last_step(estimator)
    rng = check_random_state(random_state)
    alpha = _last_step(clone(estimator).fit(X, y)).alpha_
    # Drop the index, by which data frames would align the rows again.
    of_categories = holds_categories(in_memory(y))
    y = as_array(y)
    alphas = np.empty(n_permutations)
    for i in range(n_permutations):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SmoothnessWarning)  # noise fits poorly
            warnings.simplefilter("ignore", DataConversionWarning)  # said once
            other = y[rng.permutation(len(y))]
            other = pd.Categorical(other.ravel()) if of_categories else other
            shuffled = clone(estimator).fit(X, other)
        alphas[i] = _last_step(shuffled).alpha_
    p_value = (1 + np.sum(alphas >= alpha)) / (n_permutations + 1)
    baseline = PermutationBaseline(float(alpha), alphas, float(p_value))
    if baseline.note:
        warn_caller(FewPermutationsWarning(baseline.note))
    return baseline


def paired_difference(
    first: IndexFit, second: IndexFit
) -> tuple[float, tuple[float, float], float]:
    """Subtract the first index from the second, of the same subsamples.

    Returns
    -------
    difference : float
        Second index minus first.
    interval : tuple of float
        Its interval, at the level of the second index. An index that is a lower bound may
        be any larger one, so the interval has no end on that side.
    p_value : float
        Two-sided. NaN if the interval contains zero at every level, since the smaller index
        is a lower bound.
    """
    difference = float(second.alpha - first.alpha)
    variance, freedom = variance_of_difference(second.replicates, first.replicates)
    margin = student_margin(variance, freedom, second.confidence_level)
    low = -np.inf if first.is_bound else difference - margin
    high = np.inf if second.is_bound else difference + margin
    is_open = (first.is_bound and difference >= 0) or (second.is_bound and difference <= 0)
    p_value = np.nan if is_open else two_sided_p_value(difference, variance, freedom)
    return difference, (low, high), p_value


def ready_estimator(
    estimator: BesovSmoothnessEstimator | None,
    random_state: int | np.random.RandomState | None = None,
    n_jobs: int | None = None,
) -> BesovSmoothnessEstimator:
    """Clone an estimator, or the default one, so that repeated fits give the same result.

    This rule holds wherever a function takes an ``estimator`` as well as ``random_state``
    and ``n_jobs``: ``n_jobs``, if given, replaces that of the estimator, and
    ``random_state`` seeds the estimator if it has no seed of its own.
    """
    ready = seeded(
        BesovSmoothnessEstimator() if estimator is None else estimator, random_state
    )
    if n_jobs is not None:
        ready.set_params(n_jobs=n_jobs)
    ready._validate_params()
    return ready


def seeded(
    estimator: BesovSmoothnessEstimator,
    random_state: int | np.random.RandomState | None = None,
) -> BesovSmoothnessEstimator:
    """Clone an estimator, with integers for its random states, so that fits repeat.

    ``random_state`` replaces those that are None.
    """
    copy = clone(estimator)
    for name, value in estimator.get_params().items():
        is_seed = name.split("__")[-1] == "random_state"
        # Leave other values, such as scikit-learn's "deprecated", to the estimator.
        if is_seed and (value is None or isinstance(value, np.random.RandomState)):
            value = random_state if value is None else value
            copy.set_params(**{name: integer_seed(value)})
    return copy


def check_comparable(estimator: BesovSmoothnessEstimator) -> None:
    """Reject an estimator whose index has no variance to compare by."""
    if not CONVENTIONS[estimator.index].has_variance:
        comparable = tuple(c.name for c in CONVENTIONS.values() if c.has_variance)
        raise ValueError(
            f"index={estimator.index!r} has no variance over its window to compare by; use "
            f"one of {comparable}."
        )


def integer_seed(random_state: int | np.random.RandomState | None) -> int:
    """Draw a seed that can be reused."""
    if isinstance(random_state, Integral):
        return int(random_state)
    return int(check_random_state(random_state).randint(_LARGEST_SEED))


def _last_step(estimator: Any) -> BesovSmoothnessEstimator:
    """Get the estimator, or the last step of a Pipeline."""
    last = estimator[-1] if isinstance(estimator, Pipeline) else estimator
    if not isinstance(last, BesovSmoothnessEstimator):
        raise TypeError(
            "estimator must be a BesovSmoothnessEstimator, or a Pipeline that ends in "
            f"one, got {last!r}."
        )
    return last
