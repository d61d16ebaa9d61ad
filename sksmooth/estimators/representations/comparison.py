"""Compare many representations of the same samples in one call."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from numbers import Integral
from typing import Any

import numpy as np
from joblib import effective_n_jobs

from ..._lib.docstrings import documented
from ..._lib.messages import listed, naming
from ..._lib.scikit_learn import validate_params
from ..._lib.warn import warn_caller
from ...exceptions import TargetTypeWarning
from ..besov import BesovSmoothnessEstimator
from ..comparison import check_comparable, integer_seed, ready_estimator
from .columns import columns_of
from .measurement import Drawn, draw, measure_all
from .sources import Case, read_cases
from .table import RepresentationComparison, joined_tables, table_of

__all__ = ["compare_representations"]


@validate_params(
    {
        # Samples are checked where all samples are read, with the same messages.
        "representations": "no_validation",
        "X": "no_validation",
        "y": "no_validation",
        "estimator": [BesovSmoothnessEstimator, None],
        "baseline": [str, None],
        "cv": ["cv_object"],
        "groups": "no_validation",
        "sample_weight": "no_validation",
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    },
    prefer_skip_nested_validation=True,
)
@documented(columns={column.name: column.help for column in columns_of(has_baseline=True)})
def compare_representations(
    representations: Mapping[str, Any],
    X: Any = None,
    y: Any = None,
    *,
    estimator: BesovSmoothnessEstimator | None = None,
    baseline: str | None = None,
    cv: Any = None,
    groups: Any = None,
    sample_weight: Any = None,
    n_jobs: int | None = None,
    random_state: int | np.random.RandomState | None = None,
    verbose: int = 0,
) -> RepresentationComparison:
    """Compare many representations of the same samples by what trees explain on them.

    All representations are measured on the same subsamples with the same seeds, so that
    they are compared sample by sample, as by :func:`smoothness_difference`, and those that
    are not told apart from the best are marked. Transformers are fitted inside folds. No
    model is trained on the features; ``held_out`` tells how simply they hold the target.

    Parameters
    ----------
    representations : dict of str to {array-like, transformer, "passthrough", None}
        The representations by their names:

        - features, one row a sample: an array, data frame or sparse matrix;
        - an unfitted transformer or Pipeline, which is given ``X``. It is cloned, seeded
          with ``random_state`` where it has no seed, and cross-fitted: learned on samples
          that the trees see, never on those that an error is computed on;
        - "passthrough" or None: ``X`` as it is.

        With several data sets, features are a dict of their names to arrays.
    X : array-like of n_samples rows, or dict, default=None
        What transformers are given, such as a table, or a list of texts. Not needed where
        all representations are features. A dict of names to samples is several data sets;
        one of names to pairs (X, y) brings the targets, too.
    y : array-like, data frame or dict
        The target: class labels or regression targets, as in
        :meth:`BesovSmoothnessEstimator.fit`. Several targets of the same samples are the
        columns of a data frame, or a dict of names to targets: each is measured on its own,
        and the table gets a first column ``target``. Whether a column holds classes is told
        by its dtype; classes with gaps need one that has gaps, such as "category", since
        NaN turns integers into floats. Samples without a value (NaN, None) are left out for
        this target alone. A function with several outputs is an array of shape
        (n_samples, n_outputs). Of several data sets, a dict with their names.
    estimator : BesovSmoothnessEstimator, default=None
        An unfitted estimator, which is cloned; its ``confidence_level`` is that of the
        intervals, its ``index`` must be ``"mterm"`` or ``"weak-lp"``. None means one with
        default parameters.
    baseline : str, default=None
        Name of a representation to compare all others with.
    cv : int, cross-validation generator or iterable, default=None
        Folds, as in scikit-learn, such as ``GroupKFold(5)`` with ``groups``, or a list of
        (train, test) rows, such as a scaffold split; an integer means shuffled folds,
        stratified for classes. Each sample must be in one test fold. All representations
        are then measured in these folds. None means out-of-bag samples of one fit where all
        representations are features as they are, and 5 folds where any is learned.
    groups : array-like of shape (n_samples,), default=None
        Groups of samples that are not independent, such as the patient or the scaffold. A
        tree sees a group whole or not at all, and the variance is that over groups. Folds
        keep them together where ``cv`` is None or an integer.
    sample_weight : array-like of shape (n_samples,), default=None
        Non-negative weights of the trees and errors. Transformers are not given them, but
        see no samples of weight zero.
    n_jobs : int, default=None
        Number of joblib workers, in place of the estimator's. They share the
        representations; where these are fewer, the trees. Results do not depend on it.
    random_state : int, RandomState instance or None, default=None
        Seed of the folds, and of the estimator and transformers that have none.
    verbose : int, default=0
        1 shows a progress bar on standard error.

    Returns
    -------
    table : RepresentationComparison
        A table with one row a representation, in their order, for each target;
        ``table.frame`` is a DataFrame, ``print(table)`` sums it up, and notebooks show
        bars. :meth:`RepresentationComparison.ranked` puts the best first. Its columns, of
        which those of the baseline are there if one is given:

        {columns}

    Raises
    ------
    ValueError
        If representations and ``y`` differ in their number of rows, ``X`` is missing where
        a transformer needs it, data frames name the same rows by text in another order,
        ``baseline`` is not known, a sample is in no test fold or in
        several, there are fewer than 5 groups, or the estimator's index is that of a
        published tool; or as :meth:`BesovSmoothnessEstimator.fit` raises. The name of the
        representation, and of several targets that of the target, come first.
    TypeError
        If representations are no mapping of names, or one of them is neither features nor a
        transformer.

    See Also
    --------
    RepresentationComparison : What it returns.
    sksmooth.plotting.RepresentationSmoothnessDisplay : Draws the table.
    smoothness_difference : Compare two representations, their rates too.
    SmoothnessSearch : Choose among the parameters of one transformer.
    compare_layers : Compare the layers of a network.

    Notes
    -----
    ``p_value`` tests each representation against all others: that none of these is truly
    better, from the joint normal distribution of all levels, over the samples (or groups)
    and the choice of the trees [1]_. Those with a p-value above ``1 - confidence_level``
    are a confidence set of the best: the truly best is among them with at least that
    probability, however many are compared. So a p-value is corrected already, and the
    interval of ``difference_to_best`` is that of the single difference, which is not.
    ``baseline_p_value`` is corrected by Holm's procedure. Several targets are several
    comparisons, each corrected on its own.

    Where folds are used, ``explained`` is cross-fitted like ``held_out``. An index
    ``alpha`` is read from features and labels of the same samples, so where a
    representation is learned, it is the mean of two: the transformer learns on half of the
    samples (of the folds), and the index is that of the other half. So is ``roughness``.
    Half of the samples have another index than all, so this holds for every row of such a
    table, and intervals, whose ends are means, too, are wider. Features that are given
    look better than they are if they were learned from the labels; pass the transformer.

    In plain words, it is a paired comparison of the held-out squared error of forests (for
    classes, the Brier score). Other models may rank representations otherwise.

    References
    ----------
    .. [1] J. Hsu, *Constrained simultaneous confidence intervals for multiple comparisons
       with the best*, Annals of Statistics 12 (1984).

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.decomposition import PCA
    >>> from sksmooth import compare_representations
    >>> X, y = load_digits(return_X_y=True)
    >>> images = X.reshape(-1, 8, 8)
    >>> means = {"rows": images.mean(axis=2), "columns": images.mean(axis=1)}
    >>> table = compare_representations({"pixels": X, **means}, y=y, random_state=0)
    >>> table[["representation", "explained", "tied_with_best"]].round(2)
      representation  explained  tied_with_best
    0         pixels       0.87            True
    1           rows       0.70           False
    2        columns       0.52           False

    Features that are learned, beside the pixels as they are:

    >>> learned = {"pixels": None, "9 components": PCA(9), "3 components": PCA(3)}
    >>> table = compare_representations(learned, X, y, random_state=0)
    >>> table.best_, table.tied_
    ('9 components', ['pixels'])
    """
    seed = integer_seed(random_state)
    template = ready_estimator(estimator, seed)
    check_comparable(template)
    cases = read_cases(
        representations,
        X,
        y,
        sample_weight=sample_weight,
        groups=groups,
        cv=cv,
        seed=seed,
    )
    if baseline is not None and baseline not in representations:
        raise ValueError(
            f"baseline={baseline!r} is none of the representations; these are "
            f"{listed(list(representations))}."
        )
    shares, trees_share = n_jobs, 1
    if effective_n_jobs(n_jobs) > len(representations):
        shares, trees_share = 1, n_jobs
    if n_jobs is not None:
        template.set_params(n_jobs=trees_share)
    # All are checked before the first is measured, which takes long.
    drawn = _drawn(cases, template, seed)
    tables = {}
    for name, case in cases.items():
        with _of_target(name):
            measured = measure_all(
                case, drawn[name], template, n_jobs=shares, verbose=verbose
            )
        tables[name] = table_of(measured, baseline, template.confidence_level)
    if None in tables:
        return tables[None]
    return joined_tables({str(name): table for name, table in tables.items()})


def _drawn(
    cases: Mapping[str | None, Case], estimator: BesovSmoothnessEstimator, seed: int
) -> dict[str | None, Drawn]:
    """Read the labels of all targets, and say of which of several a caution is."""
    if None in cases:
        return {None: draw(cases[None], estimator, seed)}
    drawn: dict[str | None, Drawn] = {}
    cautions: dict[str, list[str | None]] = {}
    others: dict[str, warnings.WarningMessage] = {}
    for name, case in cases.items():
        with _of_target(name), warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", TargetTypeWarning)
            drawn[name] = draw(case, estimator, seed)
        for each in caught:
            text = str(each.message)
            if issubclass(each.category, TargetTypeWarning):
                cautions.setdefault(text, []).append(name)
            else:
                others.setdefault(text, each)
    for each in others.values():
        warnings.warn_explicit(each.message, each.category, each.filename, each.lineno)
    if cautions:
        texts = [f"{listed(names, 'Target')}: {text}" for text, names in cautions.items()]
        warn_caller(TargetTypeWarning(" ".join(texts)))
    return drawn


def _of_target(name: str | None) -> AbstractContextManager[None]:
    """Name one of several targets in errors."""
    return nullcontext() if name is None else naming(f"Target {name!r}")
