"""The columns of the table of layers, one entry for each.

An entry holds the name of a column, its meaning, how it is computed for a layer and how it
is shown. The table of :func:`compare_layers`, its documentation, the display in notebooks
and the report are made from the list: to add a column, add an entry.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from .._lib.tables import Column, Format, Look, Mark, help_of, with_interval
from ..estimators.besov import BesovSmoothnessEstimator
from ..estimators.probes import PROBES, Probe
from .changes import LayerChange

__all__ = [
    "COLUMNS",
    "MARKS",
    "PROJECTION_ERROR",
    "REFERENCE",
    "ChangeColumn",
    "Column",
    "MeasuredLayer",
    "change_values",
    "column_help",
    "columns_of",
    "known_columns",
    "look_of_layers",
]


# The columns that are read first, in their order, and those that are printed.
_NAMES = ("labels", "step", "layer")
_FIRST = (
    "alpha",
    "explained",
    "held_out",
    "reference_difference",
    "reference_p_value",
    "difference",
    "p_value_corrected",
    "cautions",
)
_THEN = ("type", "n_features", "r_squared")
_PRINTED = ("layer", "alpha", "explained", "held_out", "reference_difference")
MARKS = ("loses_smoothness", "gains_nothing", "loses_to_reference")  # of layers


class MeasuredLayer(NamedTuple):
    """Measurements of one layer, from which its row of the table is made.

    Attributes
    ----------
    name, type : str
        Its name, and the classes of its modules.
    n_features : int
        Number of its features.
    projection_error : float or None
        Error of the projection; None if there was none.
    estimator : BesovSmoothnessEstimator
        The estimator that was fitted to the features.
    held_out : float
        Score on samples that the trees have not seen.
    cautions : str
        Names of the warnings of the fit.
    seconds : float
        Duration of the fit.
    probes : dict of str to float
        Probes by their names.
    """

    name: str
    type: str
    n_features: int
    projection_error: float | None
    estimator: BesovSmoothnessEstimator
    held_out: float
    cautions: str
    seconds: float
    probes: Mapping[str, float]


@dataclass(frozen=True)
class ChangeColumn(Column):
    """A column of :class:`LayerChange`, known when all layers have been measured."""


def _fitted(name: str, help: str, **options: Any) -> tuple[Column, ...]:
    """Make the columns of a fitted number and of the ends of its interval."""

    def get(layer: MeasuredLayer) -> tuple[float, float, float]:
        fitted = layer.estimator
        return getattr(fitted, f"{name}_"), *getattr(fitted, f"{name}_interval_")

    names = (name, f"{name}_low", f"{name}_high")
    return with_interval(Column, names, help, "the confidence interval", get, **options)


def _of_change(
    which: str, names: tuple[str, str, str, str], help: str, of_p_value: str
) -> tuple[Column, ...]:
    """Make the columns of a difference of levels, of its interval and of its p-value."""
    of_interval = "the paired confidence interval"
    return (
        *with_interval(
            ChangeColumn,
            names[:3],
            help,
            of_interval,
            lambda change: getattr(change, which)[:3],
            sign="+",
        ),
        ChangeColumn(
            names[3],
            of_p_value,
            lambda change: getattr(change, which).p_value,
            Format(places=4, is_p_value=True),
        ),
    )


COLUMNS = (
    Column("layer", "name of the layer, as list_layers gives it", lambda layer: layer.name),
    Column(
        "type",
        "class of the module, with those of the following modules that belong to the layer",
        lambda layer: layer.type,
    ),
    Column("n_features", "number of features", lambda layer: layer.n_features),
    *_fitted(
        "alpha",
        "smoothness index of the targets on the layer; a lower bound where alpha_high is "
        "infinite and cautions say that it is unresolved",
        has_bar=True,
        marks=tuple(
            Mark(name, f"\N{BLACK DOWN-POINTING TRIANGLE} {name.replace('_', ' ')}")
            for name in MARKS
        ),
    ),
    *_fitted(
        "explained",
        "share of the variance of the targets, from 0 to 1, that the trees explain on "
        "samples that they have not seen; NaN if they have seen all",
    ),
    *_fitted(
        "noise",
        "share of the variance that no number of terms explains, or an upper bound on it",
        bound="noise_is_bound",
    ),
    Column(
        "noise_is_bound",
        "whether noise is an upper bound, since the error still falls",
        lambda layer: layer.estimator.noise_is_bound_,
    ),
    Column(
        "held_out",
        "explained as a rate like alpha, zero for noise: the score on the test samples or, "
        "if there are none, the level of the held-out error of fifty randomised trees, by "
        "which layers are compared, but at least 0",
        lambda layer: layer.held_out,
    ),
    *_of_change(
        "step",
        ("difference", "difference_low", "difference_high", "p_value"),
        "level of the held-out error, as a rate, minus that of the row before, on the same "
        "out-of-bag samples; NaN in the first row",
        "two-sided p-value of the hypothesis that trees explain equally much on the layer "
        "and on the one before",
    ),
    ChangeColumn(
        "p_value_corrected",
        "the same, corrected for the number of layers (Holm)",
        lambda change: change.corrected_p_value,
        Format(places=4, is_p_value=True),
    ),
    ChangeColumn(
        "loses_smoothness",
        "whether the interval of the difference lies below zero: the layer makes the "
        "targets less smooth",
        lambda change: change.step.is_loss,
    ),
    ChangeColumn(
        "gains",
        "whether the interval of the difference lies above zero",
        lambda change: change.step.is_gain,
    ),
    ChangeColumn(
        "gains_nothing",
        "whether the layer gains nothing although comparable layers do: the nearest layers "
        "with significant gains, one before and one after it, gain on average more than "
        "twice the upper end of its difference",
        lambda change: change.gains_nothing,
    ),
    ChangeColumn(
        "tied_with_best",
        "whether the layer cannot be told apart from the one with the highest level; the "
        "tied ones include the truly best with 95 % probability, however many there are",
        lambda change: change.is_tied_with_best,
    ),
    Column(
        "wrong_labels",
        "noise as a share of wrong labels, assuming that they are spread evenly over the "
        "other classes; NaN for regression",
        lambda layer: layer.estimator.wrong_labels_,
    ),
    *_fitted(
        "signal_alpha",
        "index of the signal: the rate at which the error above the noise falls; infinite "
        "if finitely many boxes leave no error but the noise",
    ),
    *_fitted(
        "roughness",
        "how much of the spread of the targets is left as cells are added, averaged over "
        "the logarithm of their number: from 0 to 1, its value for noise",
    ),
    Column(
        "n_terms_90",
        "number of terms that a tree needs for 90 % of what can be explained; 0 if nothing "
        "can",
        lambda layer: layer.estimator.n_terms_for(0.9),
    ),
    Column(
        "n_relevant",
        "effective number of features that the trees use",
        lambda layer: layer.estimator.n_relevant_,
        Format(places=1),
    ),
    Column(
        "r_squared",
        "R² of the line fitted to the decay of the error",
        lambda layer: layer.estimator.r_squared_,
    ),
    Column(
        "seconds",
        "time to measure the layer, without forward pass and probes",
        lambda layer: layer.seconds,
        Format(places=1),
    ),
    Column(
        "cautions",
        "classes of the warnings of the fit, which are reasons to read the row with care; "
        "they are not issued as warnings",
        lambda layer: layer.cautions,
    ),
)

PROJECTION_ERROR = Column(
    "projection_error",
    "mean relative error of squared distances between samples due to the projection; NaN "
    "if the layer was not projected",
    lambda layer: np.nan if layer.projection_error is None else layer.projection_error,
)


REFERENCE = (
    *_of_change(
        "from_reference",
        ("reference_difference", "reference_low", "reference_high", "reference_p_value"),
        "level of the held-out error minus that of the same layer of the reference",
        "two-sided p-value of the hypothesis that trees explain equally much on the layer "
        "of the reference",
    ),
    ChangeColumn(
        "loses_to_reference",
        "whether the interval of that difference lies below zero",
        lambda change: change.from_reference.is_loss,
    ),
)


def columns_of(
    probes: Iterable[Probe] = (), *, is_projected: bool = False, has_reference: bool = False
) -> list[Column]:
    """List the columns of a table with these probes and perhaps projected layers."""
    projection = [PROJECTION_ERROR] if is_projected else []
    reference = REFERENCE if has_reference else ()
    return [*COLUMNS, *reference, *projection, *map(_column_of, probes)]


def change_values(
    columns: Iterable[Column], changes: Sequence[LayerChange]
) -> dict[str, list[Any]]:
    """Find the entries of the columns that changes fill."""
    return {
        column.name: [column.get(change) for change in changes]
        for column in columns
        if isinstance(column, ChangeColumn)
    }


def _column_of(probe: Probe) -> Column:
    return Column(probe.name, probe.description, lambda layer: layer.probes[probe.name])


def column_help(names: Iterable[Hashable] | None = None) -> dict[str, str]:
    """Describe the columns in plain text.

    Parameters
    ----------
    names : iterable of str, default=None
        The columns, such as those of a data frame; unknown ones are left out. None means
        those that every table has.

    Returns
    -------
    help : dict of str to str
        Description of each column.
    """
    if names is None:
        names = [column.name for column in COLUMNS]
    return help_of(names, known_columns())


def known_columns() -> dict[Hashable, Column]:
    """Return all columns that a table may have, by their names."""
    return {
        column.name: column
        for column in columns_of(PROBES.values(), is_projected=True, has_reference=True)
    }


def look_of_layers() -> Look:
    """How tables of layers are shown."""
    return Look("layers", known_columns(), _NAMES, _FIRST, _THEN, _PRINTED, ("alpha",))
