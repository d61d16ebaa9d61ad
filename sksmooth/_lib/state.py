"""The state of objects: changed by a fit wholly or not at all, and kept with a version."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

from .._version import __version__
from ..exceptions import IncompatibleVersionError

__all__ = ["Versioned", "whole_fit"]

_Estimator = TypeVar("_Estimator")
_Result = TypeVar("_Result")
_Arguments = ParamSpec("_Arguments")
_VERSION = "_sksmooth_version"  # its place in a pickle


class Versioned:
    """Base of what may be kept in files: its pickles know the version of the package.

    Patch releases do not change what is in a pickle. Others may, and a pickle of them is
    refused instead of misread. Parts of an object are restored before the object itself,
    so they have this base, too.
    """

    def __getstate__(self) -> dict[str, Any]:
        state: Any = super().__getstate__()  # that of object is None without attributes
        return {**(state or {}), _VERSION: __version__}

    def __reduce_ex__(self, protocol: Any) -> Any:
        """As usual, with the version where a subclass has a __getstate__ of its own."""
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
            finish()  # pickles forget that arrays are read-only


def _check_version(version: str | None, name: str) -> None:
    if version is None:
        writer, install = "a version of sksmooth that it does not tell", "that version"
    elif _release(version) == _release(__version__):
        return
    else:
        writer, install = f"sksmooth {version}", f"sksmooth=={version}"
    raise IncompatibleVersionError(
        f"This {name} was saved by {writer}, and sksmooth {__version__} would misread it: "
        f"fit it again, or install {install} to load it."
    )


def _release(version: str) -> list[str]:
    """Major and minor number."""
    return version.split(".")[:2]


def whole_fit(
    fit: Callable[Concatenate[_Estimator, _Arguments], _Result],
) -> Callable[Concatenate[_Estimator, _Arguments], _Result]:
    """A fitting method that fails or is interrupted leaves its estimator as it was.

    It runs on a copy that shares all attributes. They become those of the estimator by one
    assignment at the end, which no interruption can cut in two, and before which other
    threads see the earlier fit.
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
