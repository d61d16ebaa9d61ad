"""Read the input of a comparison: representations, their samples and the targets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from inspect import isclass
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from ..._lib.messages import listed, naming
from ...samples import as_array, in_memory, number_of_rows
from ..besov import FEWEST_SAMPLES, BesovSmoothnessEstimator
from ..comparison import seeded

__all__ = ["Case", "Source", "read_cases"]


class Source(NamedTuple):
    """Source of a representation.

    Attributes
    ----------
    X : array-like of n_samples rows
        Its features, or the input of the transformer.
    transformer : transformer, Pipeline or None
        The transformer that learns it; None if nothing is learned.
    """

    X: Any
    transformer: Any = None


@dataclass(frozen=True, eq=False)
class Case:
    """Representations of the same samples, with one target.

    Attributes
    ----------
    sources : dict of str to Source
        The representations by name.
    y : array-like
        The target.
    sample_weight, groups : array-like or None
        Weights and groups of the samples.
    cv : int, cross-validation generator, iterable or None
        How they are split; None if they need not be.
    """

    sources: dict[str, Source]
    y: Any
    sample_weight: Any
    groups: Any
    cv: Any

    @property
    def is_learned(self) -> bool:
        """Whether a transformer learns any of the representations."""
        return any(source.transformer is not None for source in self.sources.values())

    @property
    def is_cross_fitted(self) -> bool:
        """Whether representations are measured in folds."""
        return self.is_learned or self.cv is not None


def read_cases(
    representations: Any,
    X: Any,
    y: Any,
    *,
    sample_weight: Any,
    groups: Any,
    cv: Any,
    seed: int,
) -> dict[str | None, Case]:
    """Distinguish one target, several targets and several data sets.

    Parameters
    ----------
    representations, X, y, sample_weight, groups, cv
        As in :func:`~sksmooth.compare_representations`.
    seed : int
        Seed of transformers that have none.

    Returns
    -------
    cases : dict of str to Case
        One entry per target or data set; the name is None for a single target.
    """
    representations = _named(representations)
    if y is None and _are_pairs(X):
        X, y = ({name: pair[place] for name, pair in X.items()} for place in (0, 1))
    if y is None:
        mend = ""
        if X is not None and not any(map(_needs_samples, representations.values())):
            mend = " X is the input of the transformers; if it holds the labels, pass y=..."
        raise ValueError(
            f"y is required: the class labels or regression targets of the samples.{mend}"
        )
    cv = _read_again(cv)
    shared = dict(sample_weight=sample_weight, groups=groups, cv=cv)
    if _is_mapping(X) or any(map(_is_mapping, representations.values())):
        return _data_sets(representations, X, y, seed, **shared)
    for name, value in shared.items():
        if _is_mapping(value):
            raise ValueError(
                f"{name} is a mapping, as for several data sets, but X is not; pass {name} "
                "of the rows of X."
            )
    n_rows, targets = _targets(y)
    sources = _sources(representations, X, n_rows, seed)
    _check_order(sources, {"y": y} if targets is None else targets)
    if targets is None:
        return {None: Case(sources, y, **shared)}
    return {
        name: Case(sources, target, **shared | _without_gaps(name, target, sample_weight))
        for name, target in targets.items()
    }


def _named(representations: Any) -> dict[str, Any]:
    if not _is_mapping(representations):
        raise TypeError(
            "representations must be a mapping of names to features or transformers, such "
            '{"raw": X, "ten components": PCA(10)}; got a '
            f"{type(representations).__name__}."
        )
    if len(representations) == 0:
        raise ValueError("representations is empty; pass at least one.")
    for name in representations:
        if not isinstance(name, str):
            raise TypeError(
                f"Names of representations must be text, got {name!r}, a "
                f"{type(name).__name__}."
            )
    return dict(representations)


def _is_mapping(value: Any) -> bool:
    """Distinguish mappings of names from data with names, such as skorch's SliceDict."""
    return isinstance(value, Mapping) and not hasattr(value, "shape")


def _are_pairs(X: Any) -> bool:
    """Recognise data sets that include their targets, as pairs (X, y)."""
    return _is_mapping(X) and all(
        isinstance(pair, tuple) and len(pair) == 2 for pair in X.values()
    )


def _read_again(cv: Any) -> Any:
    """Turn folds that can be read only once into a list."""
    is_folds = isinstance(cv, Iterable) and not hasattr(cv, "split")
    return list(cv) if is_folds and not _is_mapping(cv) else cv


def _data_sets(
    representations: dict[str, Any], X: Any, y: Any, seed: int, **shared: Any
) -> dict[str | None, Case]:
    """Read several data sets, each with its own samples."""
    if not _is_mapping(y):
        raise ValueError(
            "X or a representation maps names of data sets to their samples, so y must be "
            "a mapping with the same names. If each sample has several arrays, pass a list "
            "of dicts, or skorch.helper.SliceDict(**X)."
        )
    if len(y) == 0:
        raise ValueError("y is an empty mapping; pass at least one data set.")
    parts = {"X": X, **shared}
    cases: dict[str | None, Case] = {}
    for key, (name, target) in zip(_texts(y), y.items(), strict=True):
        own = {what: _part(what, value, name, y) for what, value in parts.items()}
        chosen = {
            which: _part(f"representation {which!r}", value, name, y)
            for which, value in representations.items()
        }
        with naming(f"Data set {key!r}"):
            sources = _sources(chosen, own.pop("X"), number_of_rows(target, "y"), seed)
            _check_order(sources, {"y": target})
        cases[key] = Case(sources, target, **own)
    return cases


def _part(what: str, value: Any, name: Any, y: Mapping[Any, Any]) -> Any:
    """Select the part of one of several data sets."""
    if _is_mapping(value):
        if value.keys() != y.keys():
            raise ValueError(
                f"y has the data sets {list(y)}, but {what} has {list(value)}; both need "
                "the same names."
            )
        return value[name]
    if _is_data(value) and not hasattr(value, "split"):
        raise ValueError(
            f"There are several data sets, so {what} must be a mapping with the same names "
            f"({listed(list(y))}), got a {type(value).__name__}."
        )
    return value


def _targets(y: Any) -> tuple[int, dict[str, Any] | None]:
    """Count the rows, and distinguish several targets of the same samples from one."""
    if _is_mapping(y):
        if len(y) == 0:
            raise ValueError("y is an empty mapping; pass at least one target.")
        found = dict(zip(_texts(y), y.values(), strict=True))
        lengths = {name: number_of_rows(target, "y") for name, target in found.items()}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"All targets in y must have the same length; got {lengths}.")
        return next(iter(lengths.values())), found
    y = in_memory(y)
    columns = getattr(y, "columns", ())
    if len(columns) < 2:
        return number_of_rows(y, "y"), None
    names = _texts(columns)
    if isinstance(y, pd.DataFrame):
        return len(y), {name: y.iloc[:, k] for k, name in enumerate(names)}
    return len(y), {name: y[column] for name, column in zip(names, columns, strict=True)}


def _texts(names: Iterable[Any]) -> list[str]:
    """Convert the names of targets to text; they must differ."""
    texts = list(map(str, names))
    if len(set(texts)) < len(texts):
        raise ValueError(f"Targets in y must have different names; got {texts}.")
    return texts


def _without_gaps(name: str, y: Any, sample_weight: Any) -> dict[str, Any]:
    """Give samples without a value zero weight, so that they are left out."""
    values = as_array(y)
    missing: Any = pd.isna(values)
    missing = missing.reshape(len(values), -1).any(axis=1)
    if not missing.any():
        return {}
    n_rows, n_known = len(missing), np.count_nonzero(~missing)
    if n_known < FEWEST_SAMPLES:
        raise ValueError(
            f"Target {name!r} has {n_known} values, the others are missing; at least "
            f"{FEWEST_SAMPLES} are needed."
        )
    weight = 1.0
    if sample_weight is not None:
        weight = np.asarray(in_memory(sample_weight), dtype=np.float64)
        if weight.shape not in ((), (n_rows,)):
            raise ValueError(
                f"sample_weight must have shape ({n_rows},), one per sample, got "
                f"{weight.shape}."
            )
    return {"sample_weight": np.where(missing, 0.0, weight)}


def _sources(
    representations: dict[str, Any], X: Any, n_rows: int, seed: int
) -> dict[str, Source]:
    """Check every representation, and the input of the transformers."""
    is_given = {
        name: value is None or (isinstance(value, str) and value == "passthrough")
        for name, value in representations.items()
    }
    transformers = {
        name: _checked_transformer(name, value, seed)
        for name, value in representations.items()
        if not is_given[name] and not _is_data(value)
    }
    needing = [name for name in representations if is_given[name] or name in transformers]
    if X is None and needing:
        raise ValueError(
            f"X is required for the {listed(needing, 'representation')}: transformers are "
            "fitted to it, and None takes it as it is."
        )
    if X is not None:
        X = _of_rows(X, "X", n_rows)
    return {
        name: Source(X, transformers.get(name))
        if name in needing
        else Source(_of_rows(value, f"Representation {name!r}", n_rows))
        for name, value in representations.items()
    }


def _check_order(sources: dict[str, Source], targets: dict[str, Any]) -> None:
    """Reject rows with the same text index in another order."""
    parts = {f"representation {name!r}": source.X for name, source in sources.items()}
    parts |= {name if name == "y" else f"target {name!r}": y for name, y in targets.items()}
    indices = {
        what: part.index
        for what, part in parts.items()
        if isinstance(part, pd.Series | pd.DataFrame)
        and part.index.inferred_type == "string"
    }
    for (first, one), (second, other) in pairwise(indices.items()):
        if not one.equals(other) and set(one) == set(other):
            raise ValueError(
                f"The index of {first} names the same rows as that of {second}, but in "
                "another order, and rows are matched by position; sort them alike, such "
                "as by X.loc[y.index]."
            )


def _needs_samples(value: Any) -> bool:
    """Distinguish what is derived from X from given features."""
    return value is None or isinstance(value, str) or not _is_data(value)


def _is_data(value: Any) -> bool:
    """Distinguish features from transformers, and from objects without rows."""
    if isclass(value) or hasattr(value, "fit") or callable(value):
        return False
    if hasattr(value, "shape"):
        return len(value.shape) > 0
    return hasattr(value, "__len__") and not isinstance(value, str | bytes)


def _of_rows(data: Any, what: str, n_rows: int) -> Any:
    """Check the number of rows."""
    found = number_of_rows(data, what)
    if found != n_rows:
        raise ValueError(
            f"{what} has {found} rows, but y has {n_rows}: one row per sample, in the same "
            "order."
        )
    return data


def _checked_transformer(name: str, value: Any, seed: int) -> Any:
    """Reject what cannot be fitted to some samples and applied to others."""
    what = f"Representation {name!r}"
    if isclass(value):
        raise TypeError(
            f"{what} is the class {value.__name__}; pass an instance, such as "
            f"{value.__name__}()."
        )
    if isinstance(value, Pipeline) and isinstance(value[-1], BesovSmoothnessEstimator):
        raise TypeError(
            f"{what} is a Pipeline that ends in a BesovSmoothnessEstimator, which "
            "measures; pass the steps before it, pipeline[:-1], and to measure by it "
            "estimator=pipeline[-1]."
        )
    if isinstance(value, Pipeline) and not hasattr(value, "transform"):
        raise TypeError(
            f"{what} is a Pipeline that ends in a {type(value[-1]).__name__}, which has no "
            "transform; pass the steps before it, pipeline[:-1]."
        )
    if hasattr(value, "fit") and not hasattr(value, "transform"):
        raise TypeError(
            f"{what} is a {type(value).__name__}, which has no transform and so cannot be "
            "fitted to some samples and applied to others. If it uses no labels, pass the "
            "features that it returns instead."
        )
    if not (hasattr(value, "fit_transform") and hasattr(value, "transform")):
        mend = ""
        if callable(value):
            mend = "; make it one: sklearn.preprocessing.FunctionTransformer(function)"
        raise TypeError(
            f"{what} must be features (one row per sample), a transformer with "
            f'fit_transform and transform, or "passthrough"; got {value!r}{mend}.'
        )
    return seeded(value, seed)
