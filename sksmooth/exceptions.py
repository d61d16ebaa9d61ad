"""Warnings about the reliability of an index, and other warnings and errors."""

__all__ = [
    "BentDecayWarning",
    "ConstantFeaturesWarning",
    "FewPermutationsWarning",
    "FewTermsWarning",
    "IdentifierWarning",
    "InSampleOnlyWarning",
    "IncompatibleVersionError",
    "LayersLeftOutWarning",
    "LearningCurveWarning",
    "PoorFitWarning",
    "PrecisionWarning",
    "SmoothnessWarning",
    "TargetTypeWarning",
    "UnresolvedIndexWarning",
    "UnseenClassesWarning",
    "WorkerLostWarning",
]


class SmoothnessWarning(UserWarning):
    """Base class of warnings that an index was computed but may be unreliable."""


class BentDecayWarning(SmoothnessWarning):
    """The decay rate changes within the fit window: the index has not settled."""


class ConstantFeaturesWarning(SmoothnessWarning):
    """No feature separates the samples, so no term reduces the error (index 0)."""


class FewPermutationsWarning(SmoothnessWarning):
    """With so few permutations, no p-value is below 0.05, whatever the data."""


class FewTermsWarning(SmoothnessWarning):
    """The fit window holds too few terms for a reliable slope."""


class IdentifierWarning(SmoothnessWarning):
    """A column looks like a row number or a key rather than a feature.

    Attributes
    ----------
    columns : tuple of int
        Positions of the columns.
    """

    columns: tuple[int, ...] = ()


class InSampleOnlyWarning(SmoothnessWarning):
    """Every tree has seen all rows, so the error is biased low."""


class LearningCurveWarning(SmoothnessWarning):
    """The measured errors do not support a forecast: too few, or not falling."""


class PoorFitWarning(SmoothnessWarning):
    """The decay is not a power law over the fit window (low ``r_squared_``)."""


class PrecisionWarning(SmoothnessWarning):
    """The interval of the index is wider than ``precision`` asks for."""


class UnresolvedIndexWarning(SmoothnessWarning):
    """A few terms leave hardly any error: ``alpha_`` is a lower bound."""


class TargetTypeWarning(SmoothnessWarning):
    """The values of the targets do not match their dtype (classes or regression).

    The message says how they are read. ``y.astype(float)`` or ``y.astype(str)`` decides it.
    """


class UnseenClassesWarning(SmoothnessWarning):
    """Some samples to score belong to classes that were not in the fit."""


class LayersLeftOutWarning(UserWarning):
    """Layers that cannot be pooled are not measured; the others are."""


class WorkerLostWarning(UserWarning):
    """A worker process died and its tasks were run again; the result is the same."""


class IncompatibleVersionError(RuntimeError):
    """A pickle was saved by an incompatible version of sksmooth.

    Versions that differ in their third number only can read each other's pickles. This is
    a RuntimeError because the installation is at fault, not an argument.

    Examples
    --------
    >>> from sksmooth import SimplexEncoder
    >>> from sksmooth.exceptions import IncompatibleVersionError
    >>> encoder = SimplexEncoder().fit(["ant", "bee", "cat"])
    >>> saved = {**encoder.__getstate__(), "_sksmooth_version": "0.0.9"}
    >>> try:
    ...     SimplexEncoder().__setstate__(saved)  # which pickle.load calls
    ... except IncompatibleVersionError as error:
    ...     print(str(error).partition(",")[0])
    This SimplexEncoder was saved by sksmooth 0.0.9
    """
