"""Rows of a layer: samples with one or several labels, or tokens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from ..samples import sampling_units
from .extraction import LayerFeatures

__all__ = ["TokenRows", "labellings_of"]

_NO_LABEL = -100  # of unlabelled tokens, as in torch's losses


def labellings_of(y: Any) -> dict[str, Any] | None:
    """Detect several labellings of the same samples; None if there is only one.

    Parameters
    ----------
    y : dict, DataFrame or array-like
        A dict means several labellings; so do several columns of classes, that is, of
        anything but floating-point numbers.

    Returns
    -------
    labellings : dict of str to array-like, or None
        One entry per labelling.

    Raises
    ------
    ValueError
        If there is no labelling, or their lengths differ.
    """
    if isinstance(y, Mapping):
        found = {str(name): labels for name, labels in y.items()}
    elif isinstance(y, pd.DataFrame) and y.shape[1] > 1:
        if any(pd.api.types.is_float_dtype(dtype) for dtype in y.dtypes):
            return None
        found = {str(name): y[name] for name in y.columns}
    else:
        shape: tuple[int, ...] = getattr(y, "shape", ())
        dtype = getattr(y, "dtype", None)
        if len(shape) != 2 or shape[1] < 2 or not isinstance(dtype, np.dtype):
            return None
        if dtype.kind == "f":
            return None
        found = {str(k): y[:, k] for k in range(shape[1])}
    lengths = {name: len(labels) for name, labels in found.items()}
    if len(set(lengths.values())) != 1:
        raise ValueError(
            f"y must have at least one labelling, all of the same length; got {lengths}."
        )
    return found


class TokenRows:
    """The labelled tokens of samples, which become the rows of all layers.

    If a decoder has tokens of its own, the labels belong to one of the two streams.

    Parameters
    ----------
    y : ndarray of shape (n_samples, n_tokens)
        A label for each token, -100 for tokens that are left out.
    features : LayerFeatures
        Layers, and the masks of the tokens.
    streams : set of str, default=None
        Streams whose tokens are labelled, by the names of their masks. None detects them.

    Attributes
    ----------
    y : ndarray of shape (n_rows,)
        Labels of the tokens that are left.
    sample : ndarray of shape (n_rows,)
        The sample of each of them.
    streams : set of str
        Streams of these tokens.
    """

    def __init__(
        self, y: Any, features: LayerFeatures, streams: set[str] | None = None
    ) -> None:
        y = np.asarray(y)
        if y.ndim != 2:
            raise ValueError(
                "With tokens=True, y must have shape (n_samples, n_tokens), a label for "
                f"each token; got {y.shape}."
            )
        self._shape = y.shape
        kept = np.ones(y.shape, dtype=bool)
        if y.dtype.kind in "iuf":
            kept &= y != _NO_LABEL
        self.streams = streams or _labelled_streams(features, kept)
        kept = _kept_by(features, min(self.streams), kept)
        if not kept.any():
            raise ValueError("No token has a label.")
        self._kept = kept.ravel()
        self.y = y.ravel()[self._kept]
        self.sample = np.repeat(np.arange(len(y)), y.shape[1])[self._kept]

    def drawn_by(self, rows: np.ndarray, groups: Any) -> tuple[np.ndarray, np.ndarray]:
        """Return how tokens are drawn: by whole samples or groups of samples.

        Parameters
        ----------
        rows : ndarray of shape (n_samples, n_values)
            Features that identify the samples.
        groups : array-like of shape (n_samples,) or None
            Groups of samples.

        Returns
        -------
        source : ndarray of shape (n_rows, 1)
            Order of the tokens, which does not depend on that of the samples.
        groups : ndarray of shape (n_rows,)
            The group of each token.
        """
        n_rows = len(rows)
        unit = sampling_units((rows,), np.zeros(n_rows), np.ones(n_rows)).unit
        if groups is None:
            groups = unit
        elif np.shape(groups) != (n_rows,):
            raise ValueError(
                f"groups must have shape ({n_rows},), one per sample, got "
                f"{np.shape(groups)}."
            )
        source = unit[self.sample][:, None].astype(np.float64)
        return source, np.asarray(groups)[self.sample]

    def weights(self, sample_weight: Any) -> Any:
        """Assign the weight of its sample, or of its token, to each row."""
        if sample_weight is None:
            return None
        weights = np.asarray(sample_weight)
        if weights.shape == self._shape:
            return weights.ravel()[self._kept]
        if weights.shape != self._shape[:1]:
            raise ValueError(
                f"sample_weight must have shape {self._shape[:1]} or {self._shape}, got "
                f"{weights.shape}."
            )
        return weights[self.sample]

    def of(self, features: LayerFeatures, *, drop: bool) -> LayerFeatures:
        """Convert features of samples to features of their tokens.

        Parameters
        ----------
        features : LayerFeatures
            All values of all tokens of a sample side by side.
        drop : bool
            Whether layers without tokens are left out, rather than refused.

        Returns
        -------
        features : LayerFeatures
            One row per token.
        """
        n_samples, n_tokens = self._shape
        places, arrays = [], []
        for place, (name, shape) in enumerate(
            zip(features.names, features.shapes, strict=True)
        ):
            array = features.arrays[place]
            if len(array) != n_samples:
                raise ValueError(f"y has {n_samples} rows, but X has {len(array)}.")
            if _gives_tokens(name, shape, n_tokens) and (
                features.streams[place] in self.streams
            ):
                rows = array.reshape(n_samples * n_tokens, -1)[self._kept]
            elif drop:
                continue
            else:
                raise ValueError(
                    f"Layer {name!r} gives {tuple(shape)} for a sample, not features for "
                    f"each of the {n_tokens} tokens that are labelled; leave it out, or "
                    "select an output with output=."
                )
            places.append(place)
            arrays.append(rows)
        if not places:
            raise ValueError(f"No layer gives features for each of {n_tokens} tokens.")
        kept: dict[str, Any] = {
            name: [getattr(features, name)[place] for place in places]
            for name in (
                *("names", "types", "shapes", "streams"),
                *("projection_errors", "widths", "projections"),
            )
        }
        return replace(features, arrays=arrays, y=self.y, **kept)


def _gives_tokens(name: str, shape: tuple[int, ...], n_tokens: int) -> bool:
    return shape[:1] == (n_tokens,) and (name == "input" or len(shape) < 3)


def _labelled_streams(features: LayerFeatures, labelled: np.ndarray) -> set[str]:
    """Find whose tokens are labelled: the encoder's, its decoder's, or both."""
    shape = labelled.shape
    streams = {
        stream
        for name, of_sample, stream in zip(
            features.names, features.shapes, features.streams, strict=True
        )
        if _gives_tokens(name, of_sample, shape[1])
    } or set(features.streams)
    if len(streams) > 1 and not labelled.all():  # labelled padding rules a stream out
        streams = {
            stream
            for stream in streams
            if (_kept_by(features, stream, labelled) == labelled).all()
        } or streams
    kept = [_kept_by(features, stream, labelled) for stream in sorted(streams)]
    if any((one != kept[0]).any() for one in kept):
        raise ValueError(
            "Whether y labels the tokens of the encoder or of the decoder is ambiguous, "
            "since both have the same number; name layers of one of them by layers=."
        )
    return streams


def _kept_by(features: LayerFeatures, stream: str, labelled: np.ndarray) -> np.ndarray:
    """Mark the labelled tokens that are not padding."""
    mask = features.masks.get(stream)
    if mask is None:
        return labelled
    if mask.shape != labelled.shape:
        raise ValueError(f"{stream} has shape {mask.shape}, but y has {labelled.shape}.")
    return labelled & mask
