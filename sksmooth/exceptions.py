"""Warnings, most of which say why an index cannot be trusted, and errors with names."""

__all__ = [
    "BentDecayWarning",
    "ConstantFeaturesWarning",
    "FewTermsWarning",
    "InSampleOnlyWarning",
    "IncompatibleVersionError",
    "PoorFitWarning",
    "SmoothnessWarning",
    "TargetTypeWarning",
    "UnresolvedIndexWarning",
    "UnseenClassesWarning",
    "WorkerLostWarning",
]


class SmoothnessWarning(UserWarning):
    """Base class: the index was computed, but read it with care."""


class BentDecayWarning(SmoothnessWarning):
    """The decay still changes its rate in the fit window: the index is not settled."""


class ConstantFeaturesWarning(SmoothnessWarning):
    """No feature separates the samples, so no term reduces the error (index 0)."""


class FewTermsWarning(SmoothnessWarning):
    """The fit window holds too few terms for a slope to mean much."""


class InSampleOnlyWarning(SmoothnessWarning):
    """No rows were left out of the trees, so the error is biased low."""


class PoorFitWarning(SmoothnessWarning):
    """The decay is not a power law over the fit window (low ``r_squared_``)."""


class UnresolvedIndexWarning(SmoothnessWarning):
    """The error vanishes after finitely many terms: the index is unbounded."""


class TargetTypeWarning(SmoothnessWarning):
    """The targets look like another kind than their dtype says."""


class UnseenClassesWarning(SmoothnessWarning):
    """Most samples to score are of classes that were not fitted."""


class WorkerLostWarning(UserWarning):
    """A worker process died, and its tasks were run again; the result is the same."""


class IncompatibleVersionError(RuntimeError):
    """A pickle holds an object of another version of sksmooth, which would be misread.

    Versions that differ in their third number only can read each other's pickles. It is a
    RuntimeError, since what does not fit is the installation, not an argument.

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
