"""The table of representations that comparisons give, which notebooks show with bars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..._lib.messages import MOST_NAMES
from ..._lib.tables import FrameTable, Look
from ...index import Level, holm
from ..changes import Change, change_between, compared_with_best
from ..words import smoothest
from .columns import MeasuredRepresentation, Row, columns_of, look_of

__all__ = ["RepresentationComparison", "in_words", "joined_tables", "table_of"]

_OF_ONE_TARGET = ("best_", "tied_")
_MOST_SENTENCES = 3  # of targets, that are printed


@dataclass(frozen=True, eq=False, repr=False)
class RepresentationComparison(FrameTable):
    """Representations of the same samples, one row each, for one target or several.

    It wraps a DataFrame and can be read like one: columns by name, and all public
    attributes and methods, which return what pandas returns. Printed, it shows the main
    numbers of the best and says in words which is the smoothest; notebooks show all with
    bars for the intervals, and marks at those that cannot be told apart from the best.
    Pass ``frame`` to functions of other libraries that require a DataFrame.

    Parameters
    ----------
    frame : DataFrame
        The table, as :func:`compare_representations` describes it.
    levels_ : tuple of Level, default=()
        Levels of the held-out errors, one per row, by which representations are compared.

    Attributes
    ----------
    frame, levels_
        The same.
    best_ : str
        Name of the representation with the highest ``held_out``. For one target only.
    tied_ : list of str
        Names of the others that cannot be told apart from it. For one target only.

    See Also
    --------
    compare_representations : Returns it.
    sksmooth.plotting.RepresentationSmoothnessDisplay : Draws it.
    report : Writes it as an HTML file.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sksmooth import compare_representations
    >>> X, y = load_digits(return_X_y=True)
    >>> pixels = {"upper half": X[:, :32], "all": X, "that vary": X[:, X.var(axis=0) > 9]}
    >>> table = compare_representations(pixels, y=y, random_state=0)
    >>> table.best_, table.tied_, len(table), type(table.head()).__name__
    ('that vary', ['all'], 3, 'DataFrame')
    >>> print(table)
    representation  alpha  explained  held_out  difference_to_best  p_value
    upper half       0.22       0.76      0.14              -0.062  < 0.001
    all              0.32       0.87      0.20              -0.001    0.414
    that vary        0.29       0.87      0.21              +0.000    1.000
    'that vary' is the smoothest on held-out samples (0.21, 87 % explained); 'all'
    cannot be told apart from it; 'upper half' is rougher, by 0.062 (p < 0.001).
    """

    levels_: tuple[Level, ...] = ()

    @property
    def best_(self) -> str:
        """Name of the representation with the highest level."""
        if self._is_profile or not {"representation", "held_out"} <= set(self.frame):
            raise AttributeError  # whose message is that of __getattr__
        return str(self.frame["representation"].iloc[_place_of_best(self.frame)])

    @property
    def tied_(self) -> list[str]:
        """Names of the others that cannot be told apart from the best."""
        if self._is_profile or "tied_with_best" not in self.frame:
            raise AttributeError  # whose message is that of __getattr__
        best = self.best_
        names = self.frame["representation"][self.frame["tied_with_best"]]
        return [name for name in names if name != best]

    @property
    def _is_profile(self) -> bool:
        return "target" in self.frame.columns

    def of(self, target: str) -> RepresentationComparison:
        """Select the rows of one of several targets.

        Parameters
        ----------
        target : str
            Its name.

        Returns
        -------
        table : RepresentationComparison
            Its rows, without the column ``target``.

        Raises
        ------
        ValueError
            If the table has no such target.
        """
        self._check_profile("of")
        known = list(dict.fromkeys(self.frame["target"]))
        if target not in known:
            raise ValueError(f"The table has no target {target!r}; it has {known}.")
        places = np.flatnonzero(self.frame["target"] == target)
        table = self._at(places)
        return type(self)(table.frame.drop(columns="target"), table.levels_)

    def ranked(self) -> RepresentationComparison:
        """Sort the rows by ``held_out``, the best first, within every target.

        Returns
        -------
        table : RepresentationComparison
            The same rows in this order.
        """
        keys = [-self.frame["held_out"].to_numpy()]
        if self._is_profile:
            keys.append(pd.factorize(self.frame["target"])[0])
        return self._at(np.lexsort(keys))

    def profile(self, value: str = "held_out") -> pd.DataFrame:
        """Arrange one column by targets and representations.

        Parameters
        ----------
        value : str, default="held_out"
            Name of the column.

        Returns
        -------
        profile : DataFrame
            One row per target, one column per representation, in the order of the table.
        """
        self._check_profile("profile")
        if value not in self.frame:
            raise ValueError(
                f"The table has no column {value!r}; it has {list(self.frame.columns)}."
            )
        frame = self.frame.pivot(index="target", columns="representation", values=value)
        targets, names = (self.frame[key].unique() for key in ("target", "representation"))
        return frame.loc[targets, names]

    def summary(self) -> pd.DataFrame:
        """Summarise how representations rank over the targets.

        Returns
        -------
        summary : DataFrame
            One row per representation, the best first: ``mean_rank`` by ``held_out`` (1 is
            the best); ``n_best``, the number of targets for which it is the best; and
            ``n_tied_with_best``, those for which it cannot be told apart from the best.
        """
        self._check_profile("summary")
        ranks = self.profile("held_out").rank(axis=1, ascending=False)
        summary = pd.DataFrame(
            {
                "mean_rank": ranks.mean(),
                "n_best": (self.profile("difference_to_best") == 0).sum(),
                "n_tied_with_best": self.profile("tied_with_best").sum().astype(int),
            }
        )
        return summary.sort_values("mean_rank", kind="stable")

    def _at(self, places: np.ndarray) -> RepresentationComparison:
        """Select rows by their places."""
        frame = self.frame.iloc[places].reset_index(drop=True)
        return type(self)(frame, tuple(self.levels_[k] for k in places if self.levels_))

    def _check_profile(self, name: str) -> None:
        if not self._is_profile:
            raise ValueError(
                f"{name}() is for a table of several targets, and this one has one target; "
                'read its columns, such as table["held_out"].'
            )

    def _look(self) -> Look:
        pairs = "pairs of a target and a representation"
        return look_of(pairs if self._is_profile else "representations")

    def _why_missing(self, name: str) -> str | None:
        if name not in _OF_ONE_TARGET:
            return None
        if self._is_profile:
            first = self.frame["target"].iloc[0] if len(self.frame) else "name"
            return (
                "There are several targets; select one, such as "
                f"table.of({first!r}).{name}."
            )
        return (
            f"{name} needs the columns representation, held_out and tied_with_best, which "
            "this table lacks."
        )

    def _in_words(self) -> list[str]:
        return in_words(self.frame)

    def _in_short(self) -> list[str]:
        return in_words(self.frame, _MOST_SENTENCES)

    def _is_printed_in_rows(self) -> bool:
        return not self._is_profile


def table_of(
    measured: Sequence[MeasuredRepresentation],
    baseline: str | None,
    confidence_level: float,
) -> RepresentationComparison:
    """Compare representations that were measured in the same way.

    Parameters
    ----------
    measured : sequence of MeasuredRepresentation
        The representations, of the same samples.
    baseline : str or None
        Name of the representation to compare with.
    confidence_level : float
        Level of the intervals.

    Returns
    -------
    table : RepresentationComparison
        One row each.
    """
    levels = [each.level for each in measured]
    names = [each.name for each in measured]
    to_baseline = [Change()] * len(levels)
    if baseline is not None:
        to_baseline = _compared_with(names.index(baseline), levels, confidence_level)
    to_best = compared_with_best(levels, confidence_level)
    rows = [Row(*parts) for parts in zip(measured, to_best, to_baseline, strict=True)]
    columns = columns_of(has_baseline=baseline is not None)
    frame = pd.DataFrame({column.name: list(map(column.get, rows)) for column in columns})
    return RepresentationComparison(frame, tuple(levels))


def _compared_with(
    place: int, levels: Sequence[Level], confidence_level: float
) -> list[Change]:
    """Compare all levels with one of them, with p-values corrected for their number."""
    changes = [change_between(levels[place], level, confidence_level) for level in levels]
    changes[place] = Change(0.0, 0.0, 0.0)
    corrected = holm(np.array([change.p_value for change in changes])).tolist()
    return [
        change._replace(p_value=p_value)
        for change, p_value in zip(changes, corrected, strict=True)
    ]


def joined_tables(
    tables: Mapping[str, RepresentationComparison],
) -> RepresentationComparison:
    """Join tables of several targets.

    Parameters
    ----------
    tables : dict of str to RepresentationComparison
        One table per target.

    Returns
    -------
    table : RepresentationComparison
        Their rows one after the other, with a first column ``target``.
    """
    frame = pd.concat([each.frame for each in tables.values()], ignore_index=True)
    names = np.repeat(list(tables), [len(each) for each in tables.values()])
    frame.insert(0, "target", pd.Series(names, dtype=object))
    levels = tuple(level for each in tables.values() for level in each.levels_)
    return RepresentationComparison(frame, levels)


# ---------------------------------------------------------------------- in words


def in_words(frame: pd.DataFrame, most_targets: int = MOST_NAMES) -> list[str]:
    """Describe in words which representations are the smoothest, as the columns show it.

    Parameters
    ----------
    frame : DataFrame
        A table of :func:`~sksmooth.compare_representations`.
    most_targets : int, default=5
        Largest number of targets that have sentences of their own.

    Returns
    -------
    sentences : list of str
        One sentence for one target; or one for each of a few targets and one for all.
    """
    needed = {
        *("representation", "explained_low", "held_out", "held_out_low"),
        *("tied_with_best", "p_value"),
    }
    if len(frame) == 0 or not needed <= set(frame.columns):
        return []
    if "target" not in frame.columns:
        return [_of_target(frame)]
    targets = list(frame.groupby("target", sort=False))
    sentences = [f"{name}: {_of_target(part)}" for name, part in targets[:most_targets]]
    if len(targets) > most_targets:
        sentences = []
    if len(targets) == 1:
        return sentences
    return [*sentences, _of_all(RepresentationComparison(frame).summary(), len(targets))]


def _of_target(frame: pd.DataFrame) -> str:
    names = [repr(str(name)) for name in frame["representation"]]
    if (frame[["explained_low", "held_out_low"]] <= 0).all(axis=None):
        if len(frame) == 1:
            return f"{names[0]} is not shown to explain anything."
        return "No representation is shown to explain anything."
    return smoothest(
        names,
        frame["held_out"].tolist(),
        frame["tied_with_best"].tolist(),
        kind="representation",
        explained=frame["explained"].tolist() if "explained" in frame else None,
        p_values=frame["p_value"].tolist(),
    )


def _of_all(summary: pd.DataFrame, n_targets: int) -> str:
    best = summary.iloc[0]
    return (
        f"Over {n_targets} targets: {str(summary.index[0])!r} has the best mean rank "
        f"({best['mean_rank']:.1f} of {len(summary)}), and is the smoothest or tied with "
        f"it in {best['n_tied_with_best']:.0f}."
    )


def _place_of_best(frame: pd.DataFrame) -> int:
    return int(np.argmax(frame["held_out"].fillna(-np.inf)))
