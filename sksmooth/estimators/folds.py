"""Check that samples to score belong to the classes of the fit, as in random folds."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import stats

from .._lib.warn import warn_caller
from ..exceptions import UnseenClassesWarning
from ..samples import label_vector, numbered

__all__ = ["STRATIFIED", "check_classes", "refuse_unseen_classes"]

STRATIFIED = "cv=StratifiedKFold(5, shuffle=True, random_state=0)"  # in messages

_CHANCE = 1e-4  # of class counts, in random folds
_ADVICE = (
    f"Folds of rows that are sorted by class do this: pass {STRATIFIED}, or for groups "
    "StratifiedGroupKFold, and to learning_curve also shuffle=True; split off test "
    "samples with stratify=y."
)


def check_classes(
    classes: np.ndarray, n_fitted: np.ndarray, codes: np.ndarray, y: Any
) -> None:
    """Reject samples to score whose classes differ from those of the fit.

    By chance, a few samples may lack a class or have a new one.

    Parameters
    ----------
    classes, n_fitted : ndarray of shape (n_classes,)
        The fitted classes, and the number of samples of each.
    codes : ndarray of shape (n_samples,)
        Class codes of the samples to score; -1 for unseen classes.
    y : array-like of shape (n_samples,)
        Their labels.

    Raises
    ------
    ValueError
        If most samples are of classes that were not in the fit; or if some are, or a class
        of the fit is missing, which would not happen in random folds.
    """
    is_new = codes < 0
    n_of_fitted = np.bincount(codes[~is_new], minlength=len(classes))
    before, n_scored = n_fitted, n_of_fitted
    if is_new.any():
        new, numbers = numbered(label_vector(y, warn=False)[is_new])
        n_new = np.bincount(numbers)
        before = np.append(n_fitted, np.zeros_like(n_new))
        n_scored = np.append(n_of_fitted, n_new)
        refuse_unseen_classes(before, n_scored, new[0])
        warn_caller(
            UnseenClassesWarning(
                f"Some of y are classes that fit has not seen, such as {str(new[0])!r}; no "
                "wavelet explains them, so they count as errors."
            )
        )
    if n_scored.min() == 0 and _is_no_chance(before, n_scored):
        lacking = classes[np.argmax(np.where(n_of_fitted, 0, n_fitted))]
        raise ValueError(
            f"y lacks classes that fit has seen, such as {str(lacking)!r}, so the score "
            f"would be that of other labels. {_ADVICE}"
        )


def refuse_unseen_classes(n_fitted: np.ndarray, n_scored: np.ndarray, name: Any) -> None:
    """Reject samples of classes that were not in the fit, unless they are few by chance.

    Parameters
    ----------
    n_fitted, n_scored : ndarray of shape (n_classes,)
        Numbers of samples of every class, in the fit and to score.
    name : object
        A class that was not in the fit.

    Raises
    ------
    ValueError
        If most samples are of such classes, or more than in random folds.
    """
    n_new = n_scored[n_fitted == 0].sum()
    if 2 * n_new > n_scored.sum() or _is_no_chance(n_fitted, n_scored):
        raise ValueError(
            f"{n_new} of {n_scored.sum()} samples to score are of classes that fit has not "
            f"seen, such as {str(name)!r}; no wavelet explains them. {_ADVICE}"
        )


def _is_no_chance(n_fitted: np.ndarray, n_scored: np.ndarray) -> bool:
    """Decide by the likelihood-ratio test of homogeneity."""
    table = np.stack([n_fitted, n_scored])[:, n_fitted + n_scored > 0]
    return bool(stats.chi2_contingency(table, False, "log-likelihood").pvalue < _CHANCE)
