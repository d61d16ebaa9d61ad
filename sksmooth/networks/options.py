"""Options for reading features of layers, which all readers of networks share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from numbers import Integral
from os import PathLike
from typing import Any, ClassVar

import numpy as np

from .._lib.optional import require
from .._lib.scikit_learn import Interval, StrOptions
from .pooling import POOLINGS

__all__ = ["TARGETS", "ReaderOptions", "require_torch", "targets_among"]

TARGETS = ("labels", "label", "label_ids")  # as in tokenised data sets


def targets_among(entries: Mapping[Any, Any]) -> Any:
    """Return the targets among the entries of a dict; None if there are none."""
    given = [entries[name] for name in TARGETS if entries.get(name) is not None]
    return given[0] if given else None


def require_torch() -> None:
    """Raise an error that says what to install if torch is missing."""
    require("torch", purpose="Reading layers of networks", install="torch", extra="torch")


@dataclass(frozen=True, kw_only=True, eq=False)
class ReaderOptions:
    """The options of a pass that reads features of layers.

    Public functions and classes take them as parameters of the same names and bundle them
    here. :class:`LayerFeatureTransformer` documents them for users; ``constraints`` holds
    their valid values.
    """

    batch_size: int = 256
    device: Any = None
    input_shape: Sequence[int] | None = None
    output: int | str | Callable | None = None
    pooling: str = "flatten"
    n_components: int | None = None  # features that wider layers are projected to
    dtype: str = "float32"
    memmap: bool | str | PathLike = "auto"
    random_state: int | np.random.RandomState | None = None  # of the projections
    verbose: int = 0

    constraints: ClassVar[dict[str, Any]] = {
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "device": "no_validation",  # torch decides, when the network is moved
        "input_shape": ["array-like", None],
        "output": [str, Integral, callable, None],
        "pooling": [StrOptions(set(POOLINGS))],
        "n_components": [Interval(Integral, 1, None, closed="left"), None],
        "dtype": [StrOptions({"float32", "float64"})],
        "memmap": ["boolean", str, PathLike],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    @classmethod
    def among(cls, parameters: Mapping[str, Any]) -> ReaderOptions:
        """Select the options among the parameters of an estimator."""
        return cls(**{field.name: parameters[field.name] for field in fields(cls)})
