"""Which forests are boosted, and by which step each of their trees goes on."""

from __future__ import annotations

import json
from typing import Any

from sklearn.ensemble import (
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)

from .._validation import comes_from

__all__ = ["boosting_step"]

_BOOSTING = (
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)


def boosting_step(fitted: Any) -> float | None:
    """Learning rate of gradient boosting.

    Parameters
    ----------
    fitted : estimator
        A fitted ensemble of scikit-learn, LightGBM or XGBoost.

    Returns
    -------
    step : float or None
        The factor of every tree in the sum; None for anything but gradient boosting,
        whose trees are averaged.
    """
    if isinstance(fitted, _BOOSTING):
        return float(fitted.learning_rate)
    if comes_from(fitted, "lightgbm"):
        is_forest = fitted.boosting_type in ("rf", "random_forest")
        return None if is_forest else float(fitted.learning_rate)
    if comes_from(fitted, "xgboost"):
        return _xgboost_step(fitted)
    return None


def _xgboost_step(fitted: Any) -> float | None:
    booster = fitted.get_booster()
    if (fitted.get_xgb_params().get("num_parallel_tree") or 1) > 1:
        if booster.num_boosted_rounds() == 1:
            return None
        raise ValueError(
            "This XGBoost model boosts forests (num_parallel_tree > 1), whose trees are "
            "neither stages nor an average; set num_parallel_tree=1."
        )
    # The default of the library is not among the parameters of the estimator.
    config = json.loads(booster.save_config())["learner"]["gradient_booster"]
    config = config.get("gbtree", config)  # dart holds its trees one level deeper
    return float(config["tree_train_param"]["eta"])
