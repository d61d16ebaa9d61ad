"""The verdict: what a fit says about the data, in a sentence or two.

Cards, pages, the command line and ``print(estimator)`` show the same words. Every rule
below adds one clause, or none. The estimator is an argument here and not imported, since
its module imports this one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._lib.html import visible
from .._lib.messages import MOST_NAMES
from ..exceptions import IdentifierWarning
from ..index import Shares

__all__ = ["feature_name", "percent", "verdict"]

_SPEAKS = 0.005  # a smaller share rounds to 0 %, so it is not mentioned
_ALL = 1 - _SPEAKS
_WEAK = 0.25  # explained: less than a quarter, so that most is noise or not in the features
_HALF = 0.5  # noise: with more, it hides detail, and a bound does not exclude noise alone
_NEWS = 0.8  # of what is not explained: a bound above it would repeat that
_POSSIBLE = 0.05  # explained: a missed relation of this size is mentioned
# Linear relations in five features that explain 8 % are found in a tenth of the cases with
# 100 samples, in two fifths with 400, and in nine tenths with 800.
_FEW_SAMPLES = 1000
# The intervals of the signal's rate are ranges of dimensions. Up to these ratios of their
# ends, a border in the plane is distinguished from one in seven dimensions, and a function
# of one feature from one of five.
_WIDEST_BORDER, _WIDEST_FUNCTION = 3.0, 4.0
# A single feature rarely explains 95 % in a sound table; usually a row number, a key or the
# target itself is among the features.
_SUSPICIOUS = 0.95
_MOST_BOXES = 0.95  # of what is explained, by as many boxes as are counted
_SHORT = 10  # terms at the end of the window: too few to speak of dimensions
_HANDFUL = 4  # boxes; a curved border that is found so well takes more of them
_LONGEST_NAME = 60
# An interval of alpha that goes from almost noise to boxes, by a factor of ten.
_UNKNOWN, _CLEARLY_SMOOTH = 10, 0.5
_OPEN = "the rest may be noise, or detail that more samples or other features would show"


@dataclass(frozen=True)
class _Findings:
    """The numbers of a fit that the rules use, and the words for its targets."""

    shares: Shares
    n_boxes: int
    n_features: int
    is_short: bool
    n_samples: int
    p: float
    is_classes: bool
    n_outputs: int

    @property
    def target(self) -> str:
        if self.is_classes:
            return "labels"
        return "target" if self.n_outputs == 1 else "targets"

    @property
    def spread(self) -> str:
        return "variance" if self.p == 2 else "spread"

    @property
    def signal_and_ends(self) -> tuple[float, float, float]:
        """The rate of the signal, and the ends of its interval."""
        return self.shares.signal_alpha, *self.shares.signal_alpha_interval

    @property
    def is_found(self) -> bool:
        """Whether the features significantly explain anything."""
        return self.shares.explained_interval[0] > 0

    @property
    def has_noise(self) -> bool:
        """Whether the curve shows noise that is worth mentioning."""
        amount = (
            self.shares.noise
            if math.isnan(self.shares.wrong_labels)
            else self.shares.wrong_labels
        )
        return not self.shares.noise_is_bound and amount >= _SPEAKS


def verdict(estimator: Any, feature_names: Sequence[str] | None = None) -> str:
    """Describe a fit in words: how much is explained, how noisy, and how simple.

    Parameters
    ----------
    estimator : BesovSmoothnessEstimator
        A fitted estimator.
    feature_names : sequence of str, default=None
        Names of the features; None takes those that the estimator knows.

    Returns
    -------
    verdict : str
        One to three sentences.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sksmooth import BesovSmoothnessEstimator
    >>> from sksmooth.estimators.verdict import verdict
    >>> X, y = load_iris(return_X_y=True)
    >>> estimator = BesovSmoothnessEstimator(random_state=0).fit(X, y)
    >>> explained, noise, signal = verdict(estimator).split("; ")
    >>> explained[:25], noise[:5]
    ('The features explain 90 %', 'up to')
    >>> signal
    'more samples would show how complex the border between the classes is.'
    """
    found = _findings(estimator)
    if math.isnan(found.shares.explained):
        sentences = [_in_sample_only()]
    elif not found.is_found:
        sentences = [_nothing(found)]
    else:
        clauses = [_explained(found), _noise(found), _signal(found)]
        sentences = ["; ".join(filter(None, clauses)) + "."]
        sentences.append(_one_feature(estimator, found, feature_names))
    sentences.append(_identifiers(estimator, feature_names))
    sentences += [_undetermined(estimator), _published(estimator)]
    return " ".join(filter(None, sentences))


def _findings(estimator: Any) -> _Findings:
    shares, n_classes = estimator.shares_, len(getattr(estimator, "classes_", ()))
    return _Findings(
        shares=shares,
        # A split has two terms and turns one box into two. Every class has a box.
        n_boxes=max(math.ceil(shares.n_terms_for(_MOST_BOXES) / 2) + 1, n_classes),
        n_features=estimator.n_features_in_,
        is_short=estimator.decay_.window[1] < _SHORT,
        n_samples=estimator.n_samples_,
        p=estimator.wavelets_.p,
        is_classes=hasattr(estimator, "classes_"),
        n_outputs=estimator.n_outputs_,
    )


# --- how much ------------------------------------------------------------------------


def _in_sample_only() -> str:
    return (
        "Measured in-sample only: every tree has seen all samples, so explained and noise "
        "are unknown. Use the built-in forest with max_samples below 1, such as 0.8."
    )


def _nothing(found: _Findings) -> str:
    text = f"No relation found: the features explain nothing of the {found.target}, as for "
    text += "noise"
    most = found.shares.explained_interval[1]
    if found.shares.explained >= _POSSIBLE:
        return (
            f"Too few samples to tell: the features may explain anything up to "
            f"{percent(most)} of the {found.target}."
        )
    if most >= _POSSIBLE:
        return f"{text}; with these samples, up to {percent(most)} could have been missed."
    if found.n_samples < _FEW_SAMPLES:
        return f"{text}; with so few samples, a weak relation would be missed."
    return f"{text}."


def _explained(found: _Findings) -> str:
    if found.shares.explained >= _ALL:
        return f"The features explain practically all of the {found.target}"
    share, (low, high) = found.shares.explained, found.shares.explained_interval
    return (
        f"The features explain {percent(share)} of the {found.spread} of the "
        f"{found.target} ({100 * low:.0f} to {percent(high)})"
    )


# --- how noisy -----------------------------------------------------------------------


def _noise(found: _Findings) -> str:
    """Describe the noise or its bound, or that noise and detail cannot be told apart."""
    in_labels = not math.isnan(found.shares.wrong_labels)
    amount = found.shares.wrong_labels if in_labels else found.shares.noise
    most = (
        found.shares.wrong_labels_interval[1]
        if in_labels
        else found.shares.noise_interval[1]
    )
    if found.has_noise:
        if in_labels:
            return (
                f"given these features, about {percent(amount)} of the labels look wrong "
                "or ambiguous"
            )
        return f"about {percent(amount)} of it is noise"
    if amount < _SPEAKS or most < 2 * _SPEAKS:
        return f"no {'wrong labels' if in_labels else 'noise'} to speak of"
    return _bound(found, most, in_labels)


def _bound(found: _Findings, most: float, in_labels: bool) -> str:
    if found.shares.noise <= _HALF and in_labels and not math.isnan(most):
        return f"up to {math.ceil(100 * most)} % of the labels may be wrong or ambiguous"
    if found.shares.explained < _WEAK:
        return "the rest is mostly noise, or needs other features or more samples"
    if not in_labels and found.shares.noise_interval[1] < _NEWS * (
        1 - found.shares.explained
    ):
        return f"at most {math.ceil(100 * most)} % of it is noise"
    return _OPEN


# --- how fast ------------------------------------------------------------------------


def _signal(found: _Findings) -> str:
    """Describe the shape of what is explained, if the samples show it."""
    if found.shares.explained < _WEAK and not found.has_noise:
        return ""  # hidden by the noise, which has been mentioned
    beyond = "beyond that, " if found.has_noise else ""
    is_hidden = found.has_noise and found.shares.noise > _HALF  # which may hide detail
    if np.isinf(found.shares.signal_alpha) or _is_in_few_boxes(found):
        what = "the classes are" if found.is_classes else f"the {found.target} {_is(found)}"
        if is_hidden:
            beyond, what = "", "what shows through is"
        return f"{beyond}{what} as simple as about {found.n_boxes} boxes"
    if not found.is_classes and found.n_outputs > 1:
        return ""  # regression or one-hot classes: the rate is ambiguous
    shape = ""
    if not found.is_short:
        shape = _border(found) if found.is_classes else _function(found)
    if shape:
        what = "what shows through" if is_hidden else f"{beyond}the error"
        return f"{what} falls {shape}"
    if _noise(found) == _OPEN:
        return ""  # which already asks for more samples
    what = "border between the classes" if found.is_classes else found.target
    return f"more samples would show how complex the {what} is"


def _is(found: _Findings) -> str:
    return "is" if found.n_outputs == 1 else "are"


def _is_in_few_boxes(found: _Findings) -> bool:
    """Detect classes separated by so few cuts that a rate means nothing."""
    return found.is_classes and found.shares.explained >= _ALL and found.n_boxes <= _HANDFUL


def _border(found: _Findings) -> str:
    """A jump across a smooth surface in d dimensions has the rate 1 / (p (d - 1))."""
    middle, low, high = (1 + _inverse(found.p * rate) for rate in found.signal_and_ends)
    if not low / high <= _WIDEST_BORDER:
        return ""
    # In one dimension a border is a cut, whose rate is infinite.
    if found.n_features == 1:
        return "as for classes that change many times along the feature"
    if round(middle) > found.n_features:
        most = found.n_features
        return f"more slowly than for classes with a smooth border in {most} dimensions"
    dimensions = _reach(high, low, 2, found.n_features)
    return f"as for classes with a smooth border in {dimensions} dimensions"


def _function(found: _Findings) -> str:
    """A smooth function of d features has the rate 1 / d."""
    middle, low, high = (max(_inverse(rate), 1.0) for rate in found.signal_and_ends)
    if not low / high <= _WIDEST_FUNCTION:
        return ""
    if round(middle) > found.n_features:
        n_features, how = str(found.n_features), "more slowly than for"
    else:
        n_features, how = _reach(high, low, 1, found.n_features), "as for"
    return f"{how} a smooth function of {n_features} feature{'s' * (n_features != '1')}"


def _inverse(rate: float) -> float:
    return 1 / rate if rate > 0 else np.inf


def _reach(low: float, high: float, least: int, most: int) -> str:
    """Write the range of whole numbers between two ends, within bounds."""
    first, last = (min(max(round(end), least), most) for end in (low, high))
    return f"{first}" if first == last else f"{first} to {last}"


# --- what to check -------------------------------------------------------------------


def _one_feature(
    estimator: Any, found: _Findings, feature_names: Sequence[str] | None
) -> str:
    importances = estimator.feature_importances_
    strongest = int(np.argmax(importances))
    suspicious = min(importances[strongest], found.shares.explained) > _SUSPICIOUS
    if len(importances) == 1 or not suspicious:
        return ""
    name = _name(estimator, strongest, feature_names)
    return (
        f"One feature ({name}) explains nearly all of it; check that it is not an "
        f"identifier or a copy of the {found.target}."
    )


def _identifiers(estimator: Any, feature_names: Sequence[str] | None) -> str:
    columns = _numbered(estimator)
    names = ", ".join(_name(estimator, c, feature_names) for c in columns[:MOST_NAMES])
    if not columns:
        return ""
    if len(columns) == 1:
        return f"Column {names} looks like an identifier; drop it."
    return f"{len(columns)} columns ({names}) look like identifiers; drop them."


def _numbered(estimator: Any) -> tuple[int, ...]:
    """Find the features that number the rows."""
    cautions = estimator.decay_.cautions
    return next((c.columns for c in cautions if isinstance(c, IdentifierWarning)), ())


def _name(estimator: Any, place: int, feature_names: Sequence[str] | None) -> str:
    if feature_names is None:
        feature_names = getattr(estimator, "feature_names_in_", None)
    return visible(feature_name(place, feature_names), _LONGEST_NAME)


def _undetermined(estimator: Any) -> str:
    """Say that the interval of the index excludes almost nothing."""
    low, high = estimator.decay_.interval
    if not (np.isfinite(high) and high > max(_UNKNOWN * low, _CLEARLY_SMOOTH)):
        return ""
    return "These samples do not determine alpha; go by explained and the held-out score."


def _published(estimator: Any) -> str:
    convention = estimator.decay_.convention
    if convention.has_variance:
        return ""
    return f"This alpha is comparable only with others of index={convention.name!r}."


# --- words ---------------------------------------------------------------------------


def percent(share: float, places: int = 0) -> str:
    """Format a share as a percentage: ``89 %``."""
    return f"{100 * share:.{places}f} %"


def feature_name(place: int, names: Sequence[str] | None) -> str:
    """Name a feature: ``x3`` where it has no name."""
    return f"x{place}" if names is None else str(names[place])
