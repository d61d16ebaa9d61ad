"""The smoothness of features as the score of a search of scikit-learn."""

from __future__ import annotations

from typing import Any

from numpy.typing import ArrayLike
from sklearn.pipeline import Pipeline

from .besov import BesovSmoothnessEstimator
from .comparison import ready_estimator
from .levels import held_out_score

__all__ = ["smoothness_scorer"]


def smoothness_scorer(
    estimator: Any,
    X: Any,
    y: ArrayLike,
    sample_weight: ArrayLike | None = None,
    *,
    smoothness: BesovSmoothnessEstimator | None = None,
) -> float:
    """Score the features that reach the model at the end of a fitted pipeline.

    Pass it as ``scoring=smoothness_scorer`` wherever scikit-learn takes a scorer: a search
    over the steps before the model then looks for the features on which the targets are
    smoothest, whatever the model is.

    Parameters
    ----------
    estimator : estimator or Pipeline
        Fitted estimator, which scikit-learn passes. The steps of a Pipeline before the last
        one transform ``X``, and so does the last one if it only transforms. A fitted search
        is replaced by its ``best_estimator_``. For a model alone, ``X`` is scored.
    X : array-like of n_samples rows
        Samples, in a search those of the test fold.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Class labels or regression targets, as in :meth:`BesovSmoothnessEstimator.fit`.
    sample_weight : array-like of shape (n_samples,), default=None
        Non-negative weights.
    smoothness : BesovSmoothnessEstimator, default=None
        An unfitted estimator, which is cloned and given the seed 0 if it has none. None
        means one with default parameters. For another one, pass
        ``functools.partial(smoothness_scorer, smoothness=...)`` as ``scoring``.

    Returns
    -------
    score : float
        The held-out score, larger for smoother features and about zero for noise: what
        fifty trees on the features of these samples explain out of bag, as a rate, which is
        about ``oob_score_``. If the last step is a BesovSmoothnessEstimator, its own
        ``score``.

    Raises
    ------
    ValueError
        For the reasons for which :meth:`BesovSmoothnessEstimator.fit` raises one.

    See Also
    --------
    SmoothnessSearch : Also says which candidates cannot be told apart from the best.
    BesovSmoothnessEstimator.score : The score of other samples than those of the fit.

    Notes
    -----
    A scorer receives only the test fold, so trees are grown on the samples of one fold: if
    these are few, choose few folds. The steps of the pipeline have not seen them, so a
    transformer that overfits is not rewarded. Where the model is fitted but not used, as in
    ``SequentialFeatureSelector``, a ``DummyClassifier`` saves time.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.decomposition import PCA
    >>> from sklearn.model_selection import GridSearchCV
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from sklearn.pipeline import make_pipeline
    >>> from sksmooth import smoothness_scorer
    >>> X, y = load_digits(return_X_y=True)
    >>> pipeline = make_pipeline(PCA(random_state=0), GaussianNB())
    >>> grid = {"pca__n_components": [2, 10, 40]}
    >>> search = GridSearchCV(pipeline, grid, scoring=smoothness_scorer, cv=3).fit(X, y)
    >>> search.best_params_
    {'pca__n_components': 10}
    """
    last, features = _reaching_the_model(estimator, X)
    if isinstance(last, BesovSmoothnessEstimator):
        return last.score(features, y, sample_weight)
    return held_out_score(ready_estimator(smoothness, 0), features, y, sample_weight)


def _reaching_the_model(estimator: Any, X: Any) -> tuple[Any, Any]:
    """Return the last step of a fitted estimator, and the features that it receives.

    If that step only transforms, these are the features that it returns.
    """
    estimator = getattr(estimator, "best_estimator_", estimator)
    if isinstance(estimator, Pipeline):
        *before, (_, last) = estimator.steps
        for _, step in before:
            if hasattr(step, "transform"):  # not "passthrough", None or a sampler
                X = step.transform(X)
        return _reaching_the_model(last, X)
    is_measure = isinstance(estimator, BesovSmoothnessEstimator)
    is_model = is_measure or hasattr(estimator, "predict")
    if not is_model and hasattr(estimator, "transform"):
        X = estimator.transform(X)
    return estimator, X
