"""The private names of scikit-learn that the package uses, in one place.

They may move between releases; this module is then the only one to fix.
"""

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from sklearn.base import _fit_context
from sklearn.utils._indexing import _safe_indexing
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils._param_validation import validate_params as _validate_params
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

_Function = TypeVar("_Function", bound=Callable[..., Any])


class _Decorator(Protocol):
    """What it decorates keeps its types, which scikit-learn does not say."""

    def __call__(self, function: _Function, /) -> _Function: ...


check_feature_names_in = _check_feature_names_in
check_sample_weight = _check_sample_weight
fit_context: Callable[..., _Decorator] = _fit_context
safe_indexing = _safe_indexing
validate_params: Callable[..., _Decorator] = _validate_params


def dense_output_wanted(transformer: object) -> bool:
    """Whether ``set_output`` asks ``transform`` for data frames (which are dense)."""
    return _get_output_config("transform", transformer)["dense"] != "default"
