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
    """Compare many representations of the same samples by how much trees explain on them.

    All representations are measured on the same subsamples with the same seeds, so that
    they are compared sample by sample, as by :func:`smoothness_difference`, and those that
    cannot be told apart from the best are marked. Transformers are fitted inside folds. No
    model is trained on the features; ``held_out`` measures how simply they describe the
    target.

    Parameters
    ----------
    representations : dict of str to {array-like, transformer, "passthrough", None}
        The representations by name:

        - features, one row per sample: an array, data frame or sparse matrix;
        - an unfitted transformer or Pipeline, applied to ``X``. It is cloned, seeded with
          ``random_state`` if it has no seed, and cross-fitted: fitted on samples that the
          trees see, never on those on which an error is computed;
        - "passthrough" or None: ``X`` as it is.

        With several data sets, features are a dict that maps their names to arrays.
    X : array-like of n_samples rows, or dict, default=None
        Input of the transformers, such as a table or a list of texts. Not needed if all
        representations are features. A dict of names to samples means several data sets; a
        dict of names to pairs (X, y) includes their targets.
    y : array-like, data frame or dict
        The target: class labels or regression targets, as in
        :meth:`BesovSmoothnessEstimator.fit`. Several targets of the same samples are the
        columns of a data frame, or a dict of names to targets: each is measured separately,
        and the table gets a first column ``target``. The dtype of a column decides whether
        it holds classes; classes with missing values need a dtype that allows them, such as
        "category", since NaN turns integers into floats. Samples without a value (NaN,
        None) are left out for this target only. A function with several outputs is an array
        of shape (n_samples, n_outputs). For several data sets, a dict with their names.
    estimator : BesovSmoothnessEstimator, default=None
        An unfitted estimator, which is cloned. Its ``confidence_level`` is that of the
        intervals, and its ``index`` must be ``"mterm"`` or ``"weak-lp"``. None means one
        with default parameters.
    baseline : str, default=None
        Name of the representation with which all others are compared.
    cv : int, cross-validation generator or iterable, default=None
        Folds, as in scikit-learn, such as ``GroupKFold(5)`` with ``groups``, or a list of
        (train, test) rows, such as a scaffold split; an integer means shuffled folds,
        stratified for classes. Each sample must be in exactly one test fold. All
        representations are then measured in these folds. None means the out-of-bag samples
        of one fit if no representation is learned, and 5 folds if any is.
    groups : array-like of shape (n_samples,), default=None
        Groups of samples that are not independent, such as patients or scaffolds. A tree
        sees all of a group or none of it, and the variance is that over groups. Folds keep
        groups together if ``cv`` is None or an integer.
    sample_weight : array-like of shape (n_samples,), default=None
        Non-negative weights for the trees and errors. Transformers do not receive them, but
        see no samples of weight zero.
    n_jobs : int, default=None
        Number of joblib workers, in place of the estimator's. They share the
        representations, or the trees if there are fewer representations. Results do not
        depend on it.
    random_state : int, RandomState instance or None, default=None
        Seed of the folds, and of the estimator and transformers that have none.
    verbose : int, default=0
        1 shows a progress bar on standard error.

    Returns
    -------
    table : RepresentationComparison
        A table with one row per representation, in their order, for each target.
        ``table.frame`` is a DataFrame, ``print(table)`` adds a sentence, and notebooks show
        bars. :meth:`RepresentationComparison.ranked` puts the best first. Its columns
        (those of the baseline only if one is given):

        {columns}

    Raises
    ------
    ValueError
        If representations and ``y`` differ in their number of rows, ``X`` is missing where
        a transformer needs it, data frames name the same rows by text in another order,
        ``baseline`` is unknown, a sample is in no test fold or in several, there are fewer
        than 5 groups, or the estimator's index is that of a published tool; or for the
        reasons for which :meth:`BesovSmoothnessEstimator.fit` raises one. The message
        begins with the name of the representation and, with several targets, of the target.
    TypeError
        If representations is not a mapping of names, or one of them is neither features nor
        a transformer.

    See Also
    --------
    RepresentationComparison : What it returns.
    sksmooth.plotting.RepresentationSmoothnessDisplay : Draws the table.
    smoothness_difference : Compare two representations, including their rates.
    SmoothnessSearch : Choose among the parameters of one transformer.
    compare_layers : Compare the layers of a network.

    Notes
    -----
    ``p_value`` tests the hypothesis that no other representation is truly better than this
    one, by the joint normal distribution of all levels over the samples (or groups) and the
    choice of the trees [1]_. Those with a p-value above ``1 - confidence_level`` are a
    confidence set for the best: it includes the truly best with probability at least
    ``confidence_level``, however many are compared. So ``p_value`` is already corrected,
    whereas the interval of ``difference_to_best`` is that of the single difference and is
    not. ``baseline_p_value`` is corrected by Holm's procedure. Each of several targets is a
    comparison of its own, corrected separately.

    With folds, ``explained`` is cross-fitted like ``held_out``. The index ``alpha`` is read
    from features and labels of the same samples. If a representation is learned, it is
    therefore the mean of two: the transformer is fitted on half of the samples (of the
    folds), and the index is measured on the other half. The same holds for ``roughness``.
    Since half of the samples have a different index from all of them, every row of such a
    table is measured in this way, and the intervals, whose ends are means as well, are
    wider. Given features look better than they are if they were learned from the labels;
    pass the transformer instead.

    In other words, this is a paired comparison of the held-out squared error of forests
    (for classes, the Brier score). Other models may rank representations differently.

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

    Learned features and the raw pixels:

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
            f"baseline={baseline!r} is not one of the representations, which are "
            f"{listed(list(representations))}."
        )
    shares, trees_share = n_jobs, 1
    if effective_n_jobs(n_jobs) > len(representations):
        shares, trees_share = 1, n_jobs
    if n_jobs is not None:
        template.set_params(n_jobs=trees_share)
    # Check all of them before measuring the first, which takes long.
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
    """Read the labels of all targets; cautions name the target if there are several."""
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
