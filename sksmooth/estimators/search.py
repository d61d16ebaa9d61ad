"""Search for the simplest representation that cannot be told apart from the best one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from numbers import Integral
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd
from joblib import delayed
from numpy.typing import ArrayLike
from scipy.stats import rankdata
from sklearn.base import BaseEstimator, MetaEstimatorMixin, TransformerMixin, clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import ParameterGrid
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags, indexable
from sklearn.utils.validation import check_is_fitted

from .._lib.parallel import run_parallel
from .._lib.scikit_learn import HasMethods, StrOptions, fit_context, safe_indexing
from .._lib.state import Versioned, atomic_fit
from ..index import Level
from .base import ShowsSummary
from .besov import BesovSmoothnessEstimator
from .changes import compared_with_best
from .comparison import integer_seed, ready_estimator, seeded
from .levels import Fold, Labels, cross_fitted_level, read_labels, split
from .summary import Summary, search_summary

__all__ = ["SmoothnessSearch"]

Parameters = dict[str, Any]
# Keys that sort candidates by simplicity; ties go to the first in the grid.
_SIMPLICITY: dict[str, Callable[[Parameters, int], Any]] = {
    "n_features": lambda params, n_features: n_features,
    "order": lambda params, n_features: 0,
}


class SmoothnessSearch(
    ShowsSummary, Versioned, MetaEstimatorMixin, TransformerMixin, BaseEstimator
):
    """Pick the simplest transformer that cannot be told apart from the best one.

    Every candidate is fitted on the samples that the trees see, and scored by how much the
    trees explain of the others, in the same folds for all. The best of many candidates owes
    some of its lead to chance, so all candidates that cannot be told apart from it are
    tied, and the simplest of these is chosen. No model is trained on the features; the
    score measures how simply they describe the targets.

    Parameters
    ----------
    estimator : transformer or Pipeline
        Unfitted transformer, or Pipeline of these. The last step of the Pipeline may be a
        BesovSmoothnessEstimator, as for :class:`~sklearn.model_selection.GridSearchCV`; it
        is then ``smoothness``, and no step of the transformation.
    param_grid : dict or list of dict
        Parameter names and the values to try, as in GridSearchCV.
    smoothness : BesovSmoothnessEstimator, default=None
        Parameters of the trees, and the confidence level. None means the last step of the
        Pipeline, or one with default parameters.
    cv : int, cross-validation generator or iterable, default=5
        The folds. An integer means shuffled folds, stratified for classes. Each sample must
        be in exactly one test fold.
    simplest : {"n_features", "order"} or callable, default="n_features"
        Which of the tied candidates is chosen: the one with the fewest features, the first
        in the grid, or the one with the smallest ``simplest(params, n_features)``. Ties go
        to the first in the grid.
    refit : bool or "best", default=True
        Whether to fit the chosen candidate on all samples; "best" fits the one with the
        highest score instead.
    n_jobs : int, default=None
        Number of joblib workers, which share the candidates. Results do not depend on it.
    random_state : int, RandomState instance or None, default=None
        Seed of the folds, and of the trees and transformers that have none.
    verbose : int, default=0
        1 shows a progress bar on standard error.

    Attributes
    ----------
    cv_results_ : dict of arrays
        One entry per candidate: ``params`` and ``param_NAME``; ``score``, the level of the
        held-out error as a rate, with the same values as ``mean_test_score``;
        ``rank_test_score``; ``difference_to_best`` with ``difference_to_best_low`` and
        ``difference_to_best_high``, the confidence interval of this single difference,
        which is not corrected; ``p_value``, corrected for the number of candidates and the
        choice of the best; ``tied_with_best``; ``n_features`` of the transformed data, the
        largest over folds; and ``seconds``.
    best_index_ : int
        Candidate with the highest score.
    best_params_ : dict
        Its parameters.
    best_score_ : float
        Its score, which is biased upwards as the best of many.
    simplest_index_ : int
        The simplest candidate of those tied with the best.
    simplest_params_ : dict
        Its parameters.
    chosen_index_ : int
        The simplest candidate; with ``refit="best"`` the best one.
    transformer_ : transformer
        The candidate that was fitted on all samples of positive weight. Only if ``refit``.
    n_features_in_ : int
        Number of features seen in ``fit``. Only if ``refit``.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Their names. Only if ``refit``, and if X has string column names.

    See Also
    --------
    compare_representations : Compare any representations in one table.
    smoothness_difference : Compare two representations.
    sklearn.model_selection.GridSearchCV : Pick the highest score.

    Notes
    -----
    The tied candidates are a confidence set: it includes the candidate with the truly
    highest level with probability at least ``smoothness.confidence_level``, however many
    candidates there are. With fewer samples, more of them are tied. A p-value tests the
    hypothesis that no other candidate is truly better than this one, by the joint normal
    distribution of all levels over the samples and the choice of the trees.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.decomposition import PCA
    >>> from sksmooth import SmoothnessSearch
    >>> X, y = load_digits(return_X_y=True)
    >>> X, y = X[:500], y[:500]
    >>> grid = {"n_components": [2, 10, 12]}
    >>> search = SmoothnessSearch(PCA(), grid, random_state=0).fit(X, y)
    >>> search.best_params_, search.simplest_params_
    ({'n_components': 12}, {'n_components': 10})
    >>> search.to_frame()["tied_with_best"].to_dict()
    {2: True, 1: True, 0: False}
    >>> search.transform(X).shape
    (500, 10)
    """

    _parameter_constraints: dict[str, Any] = {
        "estimator": [HasMethods(["fit_transform", "transform"])],
        "param_grid": [dict, list],
        "smoothness": [BesovSmoothnessEstimator, None],
        "cv": ["cv_object"],
        "simplest": [StrOptions(_SIMPLICITY.keys()), callable],
        "refit": ["boolean", StrOptions({"best"})],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        estimator: Any,
        param_grid: dict[str, Any] | list[dict[str, Any]],
        *,
        smoothness: BesovSmoothnessEstimator | None = None,
        cv: Any = 5,
        simplest: str | Callable[[Parameters, int], Any] = "n_features",
        refit: bool | str = True,
        n_jobs: int | None = None,
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
    ) -> None:
        self.estimator = estimator
        self.param_grid = param_grid
        self.smoothness = smoothness
        self.cv = cv
        self.simplest = simplest
        self.refit = refit
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    @fit_context(prefer_skip_nested_validation=False)
    @atomic_fit
    def fit(
        self,
        X: Any,
        y: ArrayLike,
        *,
        groups: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> SmoothnessSearch:
        """Score all candidates, and fit the chosen one on all samples.

        Parameters
        ----------
        X : array-like of n_samples rows
            Input of the transformers.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Class labels or regression targets, as in
            :meth:`BesovSmoothnessEstimator.fit`.
        groups : array-like of shape (n_samples,), default=None
            Groups of samples that are not independent, such as patients or plates. A group
            is in one fold, and the variances are those over groups.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights for the trees and scores. Transformers do not receive them,
            but see no samples of weight zero.

        Returns
        -------
        self : SmoothnessSearch
            The fitted search.

        Raises
        ------
        ValueError
            If a parameter of the grid is unknown, lengths differ, a sample is in no test
            fold or in several, or there are fewer than 5 groups. An error from a candidate
            has a note that names its parameters.
        """
        seed = integer_seed(self.random_state)
        grid = list(ParameterGrid(self.param_grid))
        if not grid:
            raise ValueError("param_grid has no candidates; {} is the plain estimator.")
        transformer, smoothness = self._parts(grid, seed)
        candidates = [_candidate(transformer, params, seed) for params in grid]
        if isinstance(X, dict) and not hasattr(X, "shape"):
            raise TypeError(
                "X is a dict, whose rows cannot be split into folds; wrap it, "
                "skorch.helper.SliceDict(**X), or pass a list of dicts of one sample each."
            )
        X, y = indexable(X, y)
        labels = read_labels(y, sample_weight, groups)
        folds = split(labels, self.cv, seed)
        tasks = (
            delayed(_measured)(candidate, params, X, labels, folds, smoothness)
            for candidate, params in zip(candidates, grid, strict=True)
        )
        measured = run_parallel(
            tasks, len(grid), n_jobs=self.n_jobs, label="candidates", verbose=self.verbose
        )
        self._keep(grid, measured, smoothness.confidence_level)
        if self.refit:
            X = safe_indexing(X, labels.rows)
            self.transformer_ = candidates[self.chosen_index_].fit(
                X, labels.samples.plain_y
            )
        return self

    def transform(self, X: Any) -> Any:
        """Transform samples by the chosen transformer.

        Parameters
        ----------
        X : array-like of n_samples rows
            Samples.

        Returns
        -------
        features : array-like of n_samples rows
            Their features.
        """
        return self._refitted().transform(X)

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> np.ndarray:
        """Name the features of the chosen transformer.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Names of its input features.

        Returns
        -------
        names : ndarray of str objects
            Their names.
        """
        return self._refitted().get_feature_names_out(input_features)

    def to_frame(self) -> pd.DataFrame:
        """Show ``cv_results_`` as a table, the highest score first.

        Returns
        -------
        frame : DataFrame
            One row per candidate; the index is its number in the grid.
        """
        check_is_fitted(self, "cv_results_")
        left_out = ("params", "mean_test_score")  # redundant with other columns
        columns = {k: v for k, v in self.cv_results_.items() if k not in left_out}
        frame = pd.DataFrame(columns).rename_axis("candidate")
        return frame.sort_values("score", ascending=False, kind="stable")

    @property
    def n_features_in_(self) -> int:
        """Number of features seen in ``fit``."""
        return self.transformer_.n_features_in_

    @property
    def feature_names_in_(self) -> np.ndarray:
        """Names of the features seen in ``fit``."""
        return self.transformer_.feature_names_in_

    def _summary(self) -> Summary | None:
        return search_summary(self) if hasattr(self, "cv_results_") else None

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "cv_results_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags = deepcopy(get_tags(self.estimator).input_tags)
        tags.target_tags.required = True
        tags.transformer_tags.preserves_dtype = []
        return tags

    def _refitted(self) -> Any:
        check_is_fitted(self)
        if not hasattr(self, "transformer_"):
            raise NotFittedError(
                "refit=False, so no transformer was fitted on all samples; use refit=True."
            )
        return self.transformer_

    def _parts(
        self, grid: list[Parameters], seed: int
    ) -> tuple[Any, BesovSmoothnessEstimator]:
        """Split the steps that transform from the one that measures."""
        transformer, smoothness = self.estimator, self.smoothness
        if isinstance(transformer, Pipeline):
            name, last = transformer.steps[-1]
            if isinstance(last, BesovSmoothnessEstimator):
                _refuse_changes(name, grid)
                if smoothness is not None or len(transformer) == 1:
                    raise ValueError(
                        f"The last step {name!r} of the Pipeline measures smoothness; put "
                        "transforming steps before it, and leave smoothness=None."
                    )
                transformer, smoothness = transformer[:-1], last
        return transformer, ready_estimator(smoothness, seed)

    def _keep(
        self,
        grid: Sequence[Parameters],
        measured: Sequence[tuple[Level, int, float]],
        confidence_level: float,
    ) -> None:
        """Set the fitted attributes."""
        levels, n_features, seconds = zip(*measured, strict=True)
        results = _parameter_columns(grid) | _comparison(levels, confidence_level)
        results |= {"n_features": np.array(n_features), "seconds": np.array(seconds)}
        simplest = self.simplest
        key = simplest if callable(simplest) else _SIMPLICITY[simplest]
        tied = np.flatnonzero(results["tied_with_best"]).tolist()
        self.cv_results_ = results
        self.best_index_ = int(np.argmax(results["score"]))
        self.best_params_ = grid[self.best_index_]
        self.best_score_ = float(results["score"][self.best_index_])
        self.simplest_index_ = min(tied, key=lambda i: key(grid[i], n_features[i]))
        self.simplest_params_ = grid[self.simplest_index_]
        is_best = self.refit == "best"
        self.chosen_index_ = self.best_index_ if is_best else self.simplest_index_
        if hasattr(self, "transformer_"):  # of an earlier fit
            del self.transformer_


def _refuse_changes(name: str, grid: list[Parameters]) -> None:
    """Reject a grid that changes how smoothness is measured."""
    for key in (key for params in grid for key in params):
        if key.split("__")[0] == name:
            raise ValueError(
                f"param_grid must not change {key!r}: scores are comparable only if "
                f"{name!r} is the same for all candidates."
            )


def _candidate(transformer: Any, params: Parameters, seed: int) -> Any:
    """Clone a transformer with other parameters; the same seeds for all candidates."""
    return seeded(clone(transformer).set_params(**clone(params, safe=False)), seed)


def _measured(
    candidate: Any,
    params: Parameters,
    X: Any,
    labels: Labels,
    folds: Sequence[Fold],
    smoothness: BesovSmoothnessEstimator,
) -> tuple[Level, int, float]:
    """Measure the level of a candidate, its features, and how long it takes."""
    start = perf_counter()
    try:
        found = cross_fitted_level(candidate, X, labels, folds, smoothness)
    except Exception as error:
        error.add_note(f"The candidate {params} raised this error.")
        raise
    return found.level, found.n_features, perf_counter() - start


def _parameter_columns(grid: Sequence[Parameters]) -> dict[str, Any]:
    """Collect the parameters as GridSearchCV does, masked where a candidate has none."""
    columns: dict[str, Any] = {"params": list(grid)}
    for name in dict.fromkeys(name for params in grid for name in params):
        column = np.ma.MaskedArray(np.empty(len(grid), dtype=object), mask=True)
        for i, params in enumerate(grid):
            if name in params:
                column[i] = params[name]
        columns[f"param_{name}"] = column
    return columns


def _comparison(levels: Sequence[Level], confidence_level: float) -> dict[str, np.ndarray]:
    """Compare all levels with the highest one."""
    score = np.array([level.score for level in levels])
    compared = compared_with_best(levels, confidence_level)
    difference, low, high, _ = np.array([each.change for each in compared]).T
    return {
        "score": score,
        "mean_test_score": score,
        "rank_test_score": rankdata(-score, method="min").astype(np.int32),
        "difference_to_best": difference,
        "difference_to_best_low": low,
        "difference_to_best_high": high,
        "p_value": np.array([each.p_value for each in compared]),
        "tied_with_best": np.array([each.is_tied for each in compared]),
    }
