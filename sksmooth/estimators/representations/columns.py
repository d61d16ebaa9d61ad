"""The columns of the table of representations, one entry for each.

The table of :func:`~sksmooth.compare_representations`, its documentation, the display in
notebooks and the report are made from the list: to add a column, add an entry.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from ..._lib.tables import Column, Format, Look, Mark, help_of, with_interval
from ...index import Level
from ..changes import Change, ToBest

__all__ = [
    "BASELINE",
    "COLUMNS",
    "FITTED",
    "TARGET",
    "MeasuredRepresentation",
    "Row",
    "column_help",
    "known_columns",
    "look_of",
]

# Attributes of fitted estimators that columns show, means of two fits where representations
# are learned: see MeasuredRepresentation.
FITTED = ("alpha_", "alpha_interval_", "roughness_", "roughness_interval_")
# The columns that are read first, in their order, and those that are printed.
_NAMES = ("target", "representation")
_FIRST = (
    "alpha",
    "explained",
    "held_out",
    "difference_to_baseline",
    "baseline_p_value",
    "difference_to_best",
    "p_value",
    "cautions",
)
_THEN = ("n_features",)
_PRINTED = (
    "representation",
    "alpha",
    "explained",
    "held_out",
    "difference_to_best",
    "p_value",
)


@dataclass(frozen=True, eq=False)
class MeasuredRepresentation:
    """Measurements of one representation, before it is compared with others.

    Attributes
    ----------
    name : str
        Its name.
    n_features : int
        Number of its features; the largest over folds.
    level : Level
        The level of the held-out error, by which it is compared.
    held_out, explained : tuple of float
        That level and the share that is explained, each with the ends of its interval.
    fitted : dict of str to float or ndarray
        The attributes ``FITTED``; where representations are learned, means over estimators
        that were fitted to parts of the samples from which nothing was learned.
    cautions : str
        Names of the cautions of the fits.
    seconds : float
        Duration of the measurement.
    """

    name: str
    n_features: int
    level: Level
    held_out: tuple[float, float, float]
    explained: tuple[float, float, float]
    fitted: Mapping[str, Any]
    cautions: str
    seconds: float


class Row(NamedTuple):
    """A row of the table: a representation and its comparison with others."""

    measured: MeasuredRepresentation
    to_best: ToBest
    to_baseline: Change


def _of_difference(
    name: str, help: str, get: Callable[[Row], Change]
) -> tuple[Column, ...]:
    """Make the columns of a difference of levels and of its interval."""
    return with_interval(
        Column,
        (name, f"{name}_low", f"{name}_high"),
        help,
        "the paired confidence interval",
        lambda row: get(row)[:3],
        sign="+",
    )


def _of_number(
    name: str, help: str, get: Callable[[Row], tuple[float, float, float]], **options: Any
) -> tuple[Column, ...]:
    names = (name, f"{name}_low", f"{name}_high")
    return with_interval(Column, names, help, "the confidence interval", get, **options)


def _fitted(name: str) -> Callable[[Row], tuple[float, float, float]]:
    """Get an attribute of fitted estimators with its interval."""

    def get(row: Row) -> tuple[float, float, float]:
        fitted = row.measured.fitted
        return fitted[f"{name}_"], *fitted[f"{name}_interval_"]

    return get


_TIED = Mark("tied_with_best", "\N{CHECK MARK} tied with the best", is_loss=False)

TARGET = Column("target", "name of the target or data set", lambda row: None)

COLUMNS = (
    Column("representation", "name of the representation", lambda row: row.measured.name),
    Column(
        "n_features",
        "number of features; the largest over folds if they differ",
        lambda row: row.measured.n_features,
    ),
    *_of_number(
        "explained",
        "share of the variance of the target, from 0 to 1, that the trees explain on "
        "samples that neither they nor a transformer have seen",
        lambda row: row.measured.explained,
    ),
    *_of_number(
        "alpha",
        "smoothness index of the target on the representation; a lower bound where "
        "alpha_high is infinite",
        _fitted("alpha"),
    ),
    *_of_number(
        "roughness",
        "share of the spread of the target, from 0 to 1, that is left as cells are added, "
        "averaged over the logarithm of their number",
        _fitted("roughness"),
    ),
    *_of_number(
        "held_out",
        "level of the held-out error of randomised trees, as a rate like alpha, by which "
        "representations are compared: larger is better; about 0 or slightly below if "
        "nothing is explained",
        lambda row: row.measured.held_out,
        has_bar=True,
        marks=(_TIED,),
    ),
    *_of_difference(
        "difference_to_best",
        "held_out minus the highest held_out of all representations, on the same samples",
        lambda row: row.to_best.change,
    ),
    Column(
        "p_value",
        "p-value of the hypothesis that no other representation is truly better than this "
        "one, corrected for their number and for the choice of the best",
        lambda row: row.to_best.p_value,
        Format(places=4, is_p_value=True),
    ),
    Column(
        "tied_with_best",
        "whether it cannot be told apart from the best; the tied ones together include the "
        "truly best with the probability confidence_level of the estimator",
        lambda row: row.to_best.is_tied,
    ),
    Column(
        "seconds",
        "time to measure it, including its transformers",
        lambda row: row.measured.seconds,
        Format(places=1),
    ),
    Column(
        "cautions",
        "classes of the warnings of the fits for alpha, which are reasons to read it with "
        "care; they are not issued as warnings",
        lambda row: row.measured.cautions,
    ),
)

BASELINE = (
    *_of_difference(
        "difference_to_baseline",
        "held_out minus that of the baseline, on the same samples",
        lambda row: row.to_baseline,
    ),
    Column(
        "baseline_p_value",
        "two-sided p-value of the hypothesis that trees explain equally much on the "
        "baseline, corrected for the number of representations that are compared with it "
        "(Holm); NaN for the baseline itself",
        lambda row: row.to_baseline.p_value,
        Format(places=4, is_p_value=True),
    ),
)


def columns_of(*, has_baseline: bool) -> list[Column]:
    """List the columns of a table of one target."""
    if not has_baseline:
        return list(COLUMNS)
    place = 1 + [column.name for column in COLUMNS].index("tied_with_best")
    return [*COLUMNS[:place], *BASELINE, *COLUMNS[place:]]


def known_columns() -> dict[Hashable, Column]:
    """Return all columns that a table may have, by their names."""
    return {column.name: column for column in (TARGET, *columns_of(has_baseline=True))}


def column_help(names: Iterable[Hashable]) -> dict[str, str]:
    """Describe the columns in plain text; unknown columns are left out."""
    return help_of(names, known_columns())


def look_of(rows: str = "representations") -> Look:
    """How tables of representations are shown; ``rows`` is the name of their rows."""
    return Look(rows, known_columns(), _NAMES, _FIRST, _THEN, _PRINTED)
