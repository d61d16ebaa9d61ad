"""Which forests are boosted, and by which step each of their trees goes on."""

from __future__ import annotations

import json
import re
from typing import Any

from .._lib.optional import comes_from

__all__ = ["boosting_step"]


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
    if isinstance(fitted, _boosting_classes()):
        return float(fitted.learning_rate)
    if comes_from(fitted, "lightgbm"):
        return _lightgbm_step(fitted)
    if comes_from(fitted, "xgboost"):
        return _xgboost_step(fitted)
    return None


def _boosting_classes() -> tuple[Any, ...]:
    # Imported here, since these bring half of scikit-learn with them.
    from sklearn.ensemble import (
        GradientBoostingClassifier,
        GradientBoostingRegressor,
        HistGradientBoostingClassifier,
        HistGradientBoostingRegressor,
    )

    return (
        GradientBoostingClassifier,
        GradientBoostingRegressor,
        HistGradientBoostingClassifier,
        HistGradientBoostingRegressor,
    )


def _lightgbm_step(fitted: Any) -> float | None:
    # Its parameters have several names each, but one alone in what it saves.
    saved = fitted.booster_.model_to_string(num_iteration=1)
    options = dict(re.findall(r"^\[(\w+): (.*)\]$", saved, flags=re.MULTILINE))
    return None if options["boosting"] == "rf" else float(options["learning_rate"])


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
