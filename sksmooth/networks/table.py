"""The table of layers that comparisons give, which notebooks show with bars."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from .._lib.html import Html
from .._lib.tables import FrameTable, Look, frame_html
from ..index import Level, Rise, rise
from .changes import best_layer
from .columns import look_of_layers
from .words import in_words

__all__ = ["LayerComparison", "joined_tables", "layers_html"]

_OF_LEVELS = ("best_layer_", "rise_")
_MOST_SENTENCES = 2  # of labellings, that are printed


@dataclass(frozen=True, eq=False, repr=False)
class LayerComparison(FrameTable):
    """The layers of a network with their indices, one row per layer.

    It wraps a DataFrame and can be read like one: columns by name, and all public
    attributes and methods, which return what pandas returns. Printed, it shows the main
    numbers of the best layers and says in words which is the smoothest; notebooks show all
    with bars for the intervals and marks at layers that lose smoothness. Pass ``frame`` to
    functions of other libraries that require a DataFrame.

    Parameters
    ----------
    frame : DataFrame
        The table, as :func:`compare_layers` describes it.
    levels_ : tuple of Level, default=()
        Levels of the held-out errors of the layers, by which they are compared; empty in a
        table that was not made by :func:`compare_layers`.
    measured_on_ : str or dict of str, default=""
        Hash of what the levels depend on apart from the features: samples, targets,
        weights, estimator and seeds. Only levels with the same hash can be compared. A dict
        has one for each of several labellings.

    Attributes
    ----------
    frame, levels_, measured_on_
        The same.
    best_layer_ : str
        Name of the layer at which to cut the network for another task: of the layers that
        cannot be told apart from the one with the highest level (jointly at 5 %), the one
        with the highest ``held_out``. Only if there are levels.
    rise_ : Rise
        A test of whether smoothness rises from layer to layer, by the held-out levels: its
        ``str`` is a sentence, ``p_value`` tests the hypothesis of no rise, and ``drop``
        names the layers between which smoothness falls most. Only if there are levels.

    See Also
    --------
    compare_layers : Returns it.
    sksmooth.plotting.LayerSmoothnessDisplay : Draws it.

    Examples
    --------
    >>> import torch
    >>> from sklearn.datasets import load_digits
    >>> from sksmooth import compare_layers
    >>> X, y = load_digits(return_X_y=True)
    >>> module = torch.nn.Sequential(torch.nn.Linear(64, 10))
    >>> table = compare_layers(module, X, y, random_state=0)
    >>> len(table), list(table["layer"]), type(table.head()).__name__
    (2, ['input', '0'], 'DataFrame')
    """

    levels_: tuple[Level, ...] = ()
    measured_on_: str | dict[str, str] = ""

    @property
    def best_layer_(self) -> str:
        """Name of the layer at which to cut the network for another task."""
        if not self.levels_ or isinstance(self.measured_on_, dict):
            raise AttributeError  # whose message is that of __getattr__
        place = best_layer(self.levels_, list(self.frame["held_out"]))
        return self.frame["layer"].iloc[place]

    @property
    def rise_(self) -> Rise:
        """A test of whether smoothness rises from layer to layer."""
        if not self.levels_ or isinstance(self.measured_on_, dict):
            raise AttributeError  # whose message is that of __getattr__
        return rise(self.levels_, list(map(str, self.frame["layer"])), over="layers")

    def of(self, labels: str) -> LayerComparison:
        """Select the layers of one of several labellings of the samples.

        Parameters
        ----------
        labels : str
            Its name.

        Returns
        -------
        table : LayerComparison
            Its rows, without the column ``labels``.

        Raises
        ------
        ValueError
            If the table has no such labelling.
        """
        if not isinstance(self.measured_on_, dict) or labels not in self.measured_on_:
            known = list(self.measured_on_) if isinstance(self.measured_on_, dict) else []
            raise ValueError(f"The table has no labelling {labels!r}; it has {known}.")
        places = np.flatnonzero(self.frame["labels"] == labels)
        frame = self.frame.iloc[places].drop(columns="labels").reset_index(drop=True)
        levels = tuple(self.levels_[place] for place in places)
        return type(self)(frame, levels, self.measured_on_[labels])

    def _look(self) -> Look:
        return look_of_layers()

    def _in_words(self) -> list[str]:
        tested = getattr(self, "rise_", None)
        is_whole = tested is not None and len(self) == len(self.levels_) > 1
        return [*in_words(self.frame), *([str(tested)] if is_whole else [])]

    def _in_short(self) -> list[str]:
        return in_words(self.frame, _MOST_SENTENCES, is_short=True)

    def _is_printed_in_rows(self) -> bool:
        return "labels" not in self.frame.columns

    def _why_missing(self, name: str) -> str | None:
        if name not in _OF_LEVELS:
            return None
        if isinstance(self.measured_on_, dict):
            return (
                "There are several labellings; select one, such as "
                f"table.of({next(iter(self.measured_on_))!r}).{name}."
            )
        return (
            f"{name} needs the held-out levels of the layers, which this table lacks; only "
            "tables from compare_layers have them."
        )


def joined_tables(tables: Mapping[str, LayerComparison]) -> LayerComparison:
    """Join tables of the same layers with several labellings of the samples.

    Parameters
    ----------
    tables : dict of str to LayerComparison
        One table per labelling.

    Returns
    -------
    table : LayerComparison
        Their rows one after the other, with a first column ``labels``.
    """
    parts = [each.frame.assign(labels=name) for name, each in tables.items()]
    frame = pd.concat(parts, ignore_index=True)
    frame.insert(0, "labels", frame.pop("labels"))
    levels = [level for each in tables.values() for level in each.levels_]
    measured_on = {name: str(each.measured_on_) for name, each in tables.items()}
    return LayerComparison(frame, tuple(levels), measured_on)


def layers_html(frame: pd.DataFrame, most_rows: int) -> Html:
    """Make an HTML table of layers with bars and marks, up to a number of rows."""
    return frame_html(frame, look_of_layers(), most_rows)
