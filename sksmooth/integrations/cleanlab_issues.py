"""Rough labels as a type of issue of cleanlab's Datalab."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from .._lib.optional import require
from ..estimators.roughness import sample_roughness

__all__ = ["cleanlab_issue_manager"]

_DATALAB = "cleanlab.datalab.internal"


@cache
def cleanlab_issue_manager() -> type:
    """Add the issue type ``"roughness"`` to cleanlab's Datalab.

    It marks labels that fit the neighbours of a sample worse than another label does, by
    :func:`~sksmooth.sample_roughness`, which needs features but no model. Call this once,
    and then ``lab.find_issues(issue_types={"roughness": {"features": X}})``. The dict may
    also hold ``estimator``, ``random_state`` (0 if not given) and ``n_jobs`` of
    :func:`~sksmooth.sample_roughness`.

    Returns
    -------
    manager : type
        The subclass of ``cleanlab.IssueManager``. Scores are from 0 to 1: one half
        minus a quarter of ``excess``. Labels with a score below one half are issues.
        ``lab.get_info("roughness")["suggested_label"]`` has the label that fits best apart
        from the given one.

    Raises
    ------
    ImportError
        If cleanlab, or a library that its Datalab needs, is not installed.

    See Also
    --------
    sksmooth.sample_roughness : Ranks labels, and jumps of regression targets.

    Notes
    -----
    Datalab must have been created for classification, its default task. It does not pass
    the features of ``find_issues(features=...)`` on to issue types of other libraries.

    Examples
    --------
    .. code-block:: python

        cleanlab_issue_manager()
        lab = Datalab({"label": y}, label_name="label")
        lab.find_issues(issue_types={"roughness": {"features": X}})
        lab.get_issues("roughness").sort_values("roughness_score")
    """
    wanted = dict(purpose="cleanlab_issue_manager", install="cleanlab[datalab]")
    base: Any = require(f"{_DATALAB}.issue_manager", **wanted).IssueManager

    class RoughnessIssueManager(base):
        description = (
            "A rough label fits the other samples in the cells of a forest worse than "
            "another label does; its suggested_label is that other label."
        )
        issue_name = "roughness"
        # What the report of Datalab adds at each level of detail.
        verbosity_levels = {0: [], 1: [], 2: [], 3: ["suggested_label"]}

        def find_issues(
            self, features: Any = None, random_state: Any = 0, **options: Any
        ) -> None:
            if features is None or not self.datalab.has_labels:
                raise ValueError(
                    "roughness needs labels and features: pass label_name= to Datalab, and "
                    'issue_types={"roughness": {"features": X}} to find_issues.'
                )
            frame = sample_roughness(
                features, self.datalab.labels, random_state=random_state, **options
            )
            excess = frame["excess"].to_numpy()
            score = np.clip((2 - excess) / 4, 0, 1)  # rounding may exceed it
            self.issues = pd.DataFrame(
                {f"is_{self.issue_name}_issue": excess > 0, self.issue_score_key: score}
            )
            self.summary = self.make_summary(float(score.mean()))
            self.info = self.collect_info(frame["suggested"])

        def collect_info(self, suggested: Any) -> dict[str, Any]:
            names = self.datalab.class_names
            return {"suggested_label": [names[code] for code in suggested]}

    return require(f"{_DATALAB}.issue_manager_factory", **wanted).register(
        RoughnessIssueManager
    )
