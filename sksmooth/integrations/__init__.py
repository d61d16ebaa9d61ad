"""Parts for other tools, which are imported on demand."""

from .cleanlab_issues import cleanlab_issue_manager
from .optuna_columns import ColumnObjective

__all__ = ["ColumnObjective", "cleanlab_issue_manager"]
