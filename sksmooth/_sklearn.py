"""The private names of scikit-learn that the package uses, in one place.

They may move between releases; this module is then the only one to mend.
"""

from sklearn.base import _fit_context
from sklearn.utils._indexing import _safe_indexing
from sklearn.utils._param_validation import (
    HasMethods,
    Interval,
    StrOptions,
    validate_params,
)
from sklearn.utils._set_output import _get_output_config
from sklearn.utils.validation import _check_feature_names_in, _check_sample_weight

__all__ = [
    "HasMethods",
    "Interval",
    "StrOptions",
    "check_feature_names_in",
    "check_sample_weight",
    "dense_output_wanted",
    "fit_context",
    "safe_indexing",
    "validate_params",
]

check_feature_names_in = _check_feature_names_in
check_sample_weight = _check_sample_weight
fit_context = _fit_context
safe_indexing = _safe_indexing


def dense_output_wanted(transformer: object) -> bool:
    """Whether ``set_output`` asks ``transform`` for data frames (which are dense)."""
    return _get_output_config("transform", transformer)["dense"] != "default"
