"""Which of several is the smoothest, in one sentence: of representations and of layers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .._lib.text import enumerated, told_p_value
from .verdict import percent

__all__ = ["FEW", "amount", "smoothest"]

FEW = 3  # names: more are counted, not named


def smoothest(
    names: Sequence[str],
    held_out: Sequence[float],
    is_tied: Sequence[bool],
    *,
    kind: str,
    explained: Sequence[float] | None = None,
    p_values: Sequence[float] | None = None,
    is_named_by_kind: bool = False,
) -> str:
    """Say which is the smoothest, which are tied with it, and which are rougher.

    Of those that are tied, the smoothest is the one of the highest held-out score.

    Parameters
    ----------
    names : sequence of str
        Their names, as they are shown.
    held_out : sequence of float
        Their held-out scores.
    is_tied : sequence of bool
        Which cannot be told apart from the best.
    kind : str
        What they are, in the singular.
    explained : sequence of float, default=None
        The shares that are explained, if they are known.
    p_values : sequence of float, default=None
        Of the differences to the best, if they are known.
    is_named_by_kind : bool, default=False
        Whether a name follows its kind: "layer 4".

    Returns
    -------
    sentence : str
        The sentence.

    Examples
    --------
    >>> from sksmooth.estimators.words import smoothest
    >>> held_out, is_tied = [0.30, 0.31, 0.20], [True, True, False]
    >>> text = smoothest(["pixels", "rows", "ink"], held_out, is_tied, kind="view")
    >>> for clause in text.split("; "):
    ...     print(clause)
    rows is the smoothest on held-out samples (0.31)
    pixels cannot be told apart from it
    ink is rougher, by 0.11.
    """
    scores = np.nan_to_num(np.asarray(held_out, dtype=float), nan=-np.inf)
    tied = np.asarray(is_tied, dtype=bool)
    candidates = np.flatnonzero(tied) if tied.any() else np.arange(len(scores))
    best = int(candidates[np.argmax(scores[candidates])])
    named = _Named(names, kind, is_named_by_kind)
    score = amount(scores[best])
    if explained is not None and not np.isnan(explained[best]):
        score += f", {percent(explained[best])} explained"
    if len(names) == 1:
        return f"{named.first(best)} has the held-out score {score}."
    clauses = [f"{named.first(best)} is the smoothest on held-out samples ({score})"]
    others = np.arange(len(scores)) != best
    alike, rougher = (np.flatnonzero(others & part).tolist() for part in (tied, ~tied))
    if alike:
        clauses.append(f"{named(alike)} cannot be told apart from it")
    if rougher:
        by = scores[best] - scores[rougher]
        clauses.append(_rougher(named, rougher, float(by.min()), p_values))
    return "; ".join(clauses) + "."


class _Named:
    """Names in sentences, after their kind or as they are."""

    def __init__(self, names: Sequence[str], kind: str, is_named_by_kind: bool) -> None:
        self._names, self.kind, self._is_named_by_kind = names, kind, is_named_by_kind

    def __call__(self, places: Sequence[int]) -> str:
        """Name a few, and count the others."""
        text = enumerated([self._names[place] for place in places], FEW)
        kinds = f"{self.kind}{'s' * (len(places) > 1)}"
        return f"{kinds} {text}" if self._is_named_by_kind else text

    def first(self, place: int) -> str:
        """Name one at the beginning of a sentence."""
        name = self._names[place]
        return f"{self.kind.capitalize()} {name}" if self._is_named_by_kind else name


def _rougher(
    named: _Named, places: list[int], least: float, p_values: Sequence[float] | None
) -> str:
    """Say by how much the others are rougher; at least, if there are several."""
    n = len(places)
    who = f"the other {n} {named.kind}s" if n > FEW else named(places)
    text = f"{who} {'are' if n > 1 else 'is'} rougher"
    # Test samples may rank them otherwise than the paired comparison that tells them apart.
    if np.isfinite(least) and least > 0:
        text += f", by {amount(least)}{' or more' * (n > 1)}"
    if p_values is not None:
        text += _largest([p_values[place] for place in places])
    return text


def _largest(p_values: Sequence[float]) -> str:
    largest = max(p_values)
    told = told_p_value(largest)
    return f" ({told.replace('=', 'at most') if len(p_values) > 1 else told})"


def amount(value: float) -> str:
    """Write a score to two digits after the point, a small one to three."""
    return f"{value:.2f}" if abs(value) >= 0.1 else f"{value:z.3f}"
