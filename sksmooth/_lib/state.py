"""Atomic fits and versioned pickles."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

from .._version import __version__
from ..exceptions import IncompatibleVersionError

__all__ = ["Versioned", "atomic_fit"]

_Estimator = TypeVar("_Estimator")
_Result = TypeVar("_Result")
_Arguments = ParamSpec("_Arguments")
_VERSION = "_sksmooth_version"  # its place in a pickle


class Versioned:
    """Base of objects that users pickle: records the package version in the pickle.

    Patch releases do not change what a pickle holds. Other releases may, so their pickles
    are refused rather than misread. Unpickling restores the parts of an object before the
    object itself, so the parts have this base, too.
    """

    def __getstate__(self) -> dict[str, Any]:
        state: Any = super().__getstate__()  # that of object is None without attributes
        return {**(state or {}), _VERSION: __version__}

    def __reduce_ex__(self, protocol: Any) -> Any:
        """Add the version where a subclass defines a __getstate__ of its own."""
        reduced: Any = super().__reduce_ex__(protocol)
        if isinstance(reduced, tuple) and len(reduced) > 2 and isinstance(reduced[2], dict):
            state = {_VERSION: __version__, **reduced[2]}
            return (*reduced[:2], state, *reduced[3:])
        return reduced

    def __setstate__(self, state: dict[str, Any]) -> None:
        attributes = dict(state)
        _check_version(attributes.pop(_VERSION, None), type(self).__name__)
        vars(self).update(attributes)
        finish = getattr(self, "__post_init__", None)
        if finish is not None:
            finish()  # arrays come back writable


def _check_version(version: str | None, name: str) -> None:
    if version is None:
        writer, install = "an unknown version of sksmooth", "that version"
    elif _release(version) == _release(__version__):
        return
    else:
        writer, install = f"sksmooth {version}", f"sksmooth=={version}"
    raise IncompatibleVersionError(
        f"This {name} was saved by {writer}, and sksmooth {__version__} would misread it: "
        f"fit it again, or install {install} to load it."
    )


def _release(version: str) -> list[str]:
    """Split off the major and minor number."""
    return version.split(".")[:2]


def atomic_fit(
    fit: Callable[Concatenate[_Estimator, _Arguments], _Result],
) -> Callable[Concatenate[_Estimator, _Arguments], _Result]:
    """Make a fitting method atomic: if it fails or is interrupted, nothing changes.

    The method runs on a shallow copy. Its attributes replace those of the estimator in one
    assignment at the end, which no interruption can split; until then, other threads see
    the previous fit.
    """

    @wraps(fit)
    def wrapped(
        self: _Estimator, /, *args: _Arguments.args, **kwargs: _Arguments.kwargs
    ) -> _Result:
        fitted: Any = object.__new__(type(self))
        fitted.__dict__ = dict(vars(self))
        result = fit(fitted, *args, **kwargs)
        self.__dict__ = fitted.__dict__
        return cast(_Result, self if result is fitted else result)

    return wrapped
