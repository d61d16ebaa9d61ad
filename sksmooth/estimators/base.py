"""Base class of all estimators that grow or read a forest: its parameters and methods."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from numbers import Integral, Real
from typing import Any, NoReturn, TypeVar

from sklearn.base import BaseEstimator

from .._lib.scikit_learn import HasMethods, Interval, StrOptions
from .._lib.state import Versioned
from .._lib.text import WIDTH
from ..trees import MOST_BINS, Growth, allow_copies
from .summary import Summary, card_of, text_of

__all__ = [
    "ForestEstimator",
    "MethodOfOthers",
    "ShowsSummary",
    "growth_of",
    "only_fitted",
]

_Value = TypeVar("_Value")


def only_fitted(read: Callable[[Any], _Value]) -> Callable[[Any], _Value]:
    """Make a property available on fitted estimators only.

    The AttributeError names the property that was requested, not the one that it reads.
    """

    @wraps(read)
    def checked(self: Any) -> _Value:
        if "decay_" not in vars(self):
            raise AttributeError(
                f"This {type(self).__name__} has no attribute {read.__name__!r} before fit."
            )
        return read(self)

    return checked


class MethodOfOthers:
    """Placeholder for a method that a class lacks; its error says what to use instead.

    ``hasattr`` is False, as scikit-learn's tools expect.

    Parameters
    ----------
    instead : str
        What to use.
    """

    def __init__(self, instead: str) -> None:
        self._instead = instead

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, instance: object, owner: type) -> NoReturn:
        raise AttributeError(f"{owner.__name__} has no {self._name!r}: {self._instead}")


class ShowsSummary:
    """Show the summary of a fitted estimator: printed, and as a card below its diagram."""

    def _summary(self) -> Summary | None:
        """Summarise what was found; None before fit."""
        raise NotImplementedError

    def __str__(self) -> str:
        summary = self._summary()
        made = repr(self)
        if summary is None:
            return made
        made = made if len(made) <= WIDTH else f"{type(self).__name__}(...)"
        return f"{made}\n{text_of(summary)}"

    def _repr_html_inner(self) -> str:
        return super()._repr_html_inner() + self._card()  # type: ignore[misc]

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, str]:
        bundle = super()._repr_mimebundle_(**kwargs)  # type: ignore[misc]
        if "text/html" in bundle:
            bundle["text/html"] += self._card()
        return bundle

    def _card(self) -> str:
        summary = self._summary()
        return "" if summary is None else card_of(summary)


class ForestEstimator(Versioned, BaseEstimator):
    """Base class of estimators that use the built-in forest or one of another library."""

    _parameter_constraints: dict[str, list] = {
        "n_estimators": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        "forest": [
            HasMethods(["fit", "get_params"]),
            HasMethods(["get_tree_accessor"]),  # treelite.Model
            None,
        ],
        "max_depth": [Interval(Integral, 1, None, closed="left"), None],
        "max_features": [
            Interval(Integral, 1, None, closed="left"),
            Interval(Real, 0.0, 1.0, closed="right"),
            StrOptions({"sqrt", "log2"}),
            None,
        ],
        "max_samples": [
            Interval(Real, 0.0, 1.0, closed="right"),
            Interval(Integral, 1, None, closed="left"),
        ],
        "max_bins": [Interval(Integral, 2, MOST_BINS, closed="both"), None],
        "categorical_features": ["array-like", StrOptions({"from_dtype"}), None],
        "random_state": ["random_state"],
        "n_jobs": [Integral, None],
        "verbose": ["verbose"],
    }

    def __sklearn_clone__(self) -> Any:
        allow_copies(self.forest)
        return super().__sklearn_clone__()

    def __getstate__(self) -> dict[str, Any]:
        allow_copies(self.forest)
        return super().__getstate__()

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.allow_nan = True
        tags.target_tags.required = True
        return tags


def growth_of(estimator: ForestEstimator) -> Growth:
    """Collect how an estimator grows its forest."""
    return Growth(
        n_estimators=estimator.n_estimators,
        max_depth=estimator.max_depth,
        max_features=estimator.max_features,
        max_samples=estimator.max_samples,
        max_bins=estimator.max_bins,
        forest=estimator.forest,
        random_state=estimator.random_state,
        n_jobs=estimator.n_jobs,
        verbose=estimator.verbose,
    )
