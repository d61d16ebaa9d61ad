"""An objective by which Optuna chooses columns."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .._lib.scikit_learn import safe_indexing
from ..estimators.besov import BesovSmoothnessEstimator
from ..estimators.comparison import ready_estimator
from ..estimators.levels import held_out_score
from ..samples import number_of_rows

__all__ = ["ColumnObjective"]


class ColumnObjective:
    """Let a study of Optuna choose the columns on which the targets are smoothest.

    Each trial chooses a set of columns, a parameter ``True`` or ``False`` for each of them,
    and is scored by the held-out score of these columns, as by
    :func:`~sksmooth.smoothness_scorer`. No model is trained.

    Parameters
    ----------
    X : DataFrame or array-like of shape (n_samples, n_features)
        The columns.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Class labels or regression targets, as in
        :meth:`~sksmooth.BesovSmoothnessEstimator.fit`.
    cost : float, default=0.0
        Amount that is subtracted from the score for each column, so that the smaller of two
        sets wins if they are about as good.
    estimator : BesovSmoothnessEstimator, default=None
        An unfitted estimator, which is cloned for every trial. None means one with default
        parameters.
    random_state : int, RandomState instance or None, default=None
        Seed of the estimator if it has none. All trials have the same one.
    n_jobs : int, default=None
        Number of joblib workers, in place of the estimator's if it is given.

    Attributes
    ----------
    columns : list
        Names of the columns of a data frame, else their positions.

    See Also
    --------
    sksmooth.SmoothnessSearch : Says which candidates cannot be told apart from the best.
    sksmooth.smoothness_scorer : The score for searches of scikit-learn.

    Notes
    -----
    Uninformative columns harm the trees little, so several sets are about as good, and the
    best of many trials owes some of its score to chance: measure the chosen columns on
    samples that the study has not seen.

    Examples
    --------
    .. code-block:: python

        study = optuna.create_study(direction="maximize")
        study.optimize(ColumnObjective(X, y, cost=0.002, random_state=0), n_trials=100)
        study.best_trial.user_attrs["columns"]
    """

    def __init__(
        self,
        X: Any,
        y: ArrayLike,
        *,
        cost: float = 0.0,
        estimator: BesovSmoothnessEstimator | None = None,
        random_state: int | np.random.RandomState | None = None,
        n_jobs: int | None = None,
    ) -> None:
        if not hasattr(X, "shape"):
            X = np.asarray(X)
        if len(X.shape) != 2:
            raise ValueError(f"X must have two dimensions, got the shape {X.shape}.")
        if number_of_rows(X) != number_of_rows(y, "y"):
            raise ValueError(
                f"X has {number_of_rows(X)} rows, but y has {number_of_rows(y, 'y')}."
            )
        self.X, self.y, self.cost = X, y, cost
        columns = getattr(X, "columns", range(X.shape[1]))
        self.columns: list[Any] = list(columns)
        names = [str(name) for name in self.columns]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"{name!r} is the name of several columns; rename them.")
        self.estimator = ready_estimator(estimator, random_state, n_jobs)

    def __call__(self, trial: Any) -> float:
        """Score the columns that a trial chooses.

        Parameters
        ----------
        trial : optuna.Trial
            The trial. Its ``user_attrs`` get ``columns``, the list of these columns, and
            ``score``, their held-out score, which is 0 if there are none.

        Returns
        -------
        value : float
            The score minus the cost of the columns.
        """
        chosen = [
            place
            for place, name in enumerate(self.columns)
            if trial.suggest_categorical(str(name), [True, False])
        ]
        score = 0.0
        if chosen:
            features = safe_indexing(self.X, chosen, axis=1)
            score = held_out_score(self.estimator, features, self.y)
        trial.set_user_attr("columns", [self.columns[place] for place in chosen])
        trial.set_user_attr("score", score)
        return score - self.cost * len(chosen)
