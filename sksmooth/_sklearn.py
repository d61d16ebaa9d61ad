"""The private names of scikit-learn that the package uses, in one place.

They may move between releases; this module is then the only one to mend.
"""

from sklearn.base import _fit_context
from sklearn.utils._param_validation import (
    HasMethods,
    Interval,
    StrOptions,
    validate_params,
)
from sklearn.utils._set_output import _get_output_config

__all__ = [
    "HasMethods",
    "Interval",
    "StrOptions",
    "dense_output_wanted",
    "fit_context",
    "validate_params",
]

fit_context = _fit_context


def dense_output_wanted(transformer: object) -> bool:
    """Whether ``set_output`` asks ``transform`` for data frames (which are dense)."""
    return _get_output_config("transform", transformer)["dense"] != "default"
