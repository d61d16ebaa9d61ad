"""Record the smoothness of layers while a network is trained."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from inspect import signature
from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.exceptions import NotFittedError
from sklearn.utils import check_random_state

from .._lib.html import visible
from .._lib.optional import comes_from
from .._lib.scikit_learn import Interval, validate_params
from .._lib.state import Versioned
from .._lib.text import paragraphs
from ..estimators.besov import BesovSmoothnessEstimator
from ..estimators.comparison import integer_seed, seeded
from ..estimators.probes import chosen_probes
from ..estimators.summary import history_card
from ..estimators.words import amount
from ..index import Level, Rise, rise
from ..samples import number_of_rows, read_rows
from .callbacks import lightning_callback, skorch_callback, transformers_callback
from .changes import layer_changes
from .columns import REFERENCE, change_values, columns_of
from .comparison import compare_layers
from .options import targets_among
from .words import in_words

__all__ = ["SmoothnessMonitor"]

_LONGEST_NAME = 60
_N_TREES = 3  # so that a record costs about a tenth of an epoch


class SmoothnessMonitor(Versioned):
    """Record how the smoothness of layers changes while a network is trained.

    It measures the chosen layers on the same few samples each time, as
    :func:`compare_layers` does, and does not affect training: gradients, running averages,
    training flags and random states are unchanged.

    Parameters
    ----------
    module : torch.nn.Module, fitted skorch net or None
        The network. None for callbacks, which use the network in training.
    X : array-like, tensor, dict of arrays or Dataset
        Samples, from which a subsample is drawn and kept. Items of a Dataset are read once,
        so that random augmentations are the same every time.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
        Class labels, or regression targets in a floating-point dtype. None where ``X`` is
        a Dataset that yields them.
    layers : array-like of str or int, default=None
        The layers, as in :func:`compare_layers`.
    every : int, default=1
        Number of steps or epochs from one record to the next.
    n_samples : int, default=500
        Number of samples to measure on, drawn at random.
    estimator : BesovSmoothnessEstimator, default=None
        An unfitted estimator. None means one with 3 trees; on a CPU, a record of a small
        convolutional network then takes about a tenth of the time of an epoch of 20,000
        images.
    probes : iterable of str or "all", default=()
        What to measure beside the index, as in :func:`compare_layers`.
    random_state : int, RandomState instance or None, default=0
        Seed of the subsample, and of everything that :func:`compare_layers` draws.
    **options
        Further parameters of :func:`compare_layers`, such as ``pooling`` or ``n_jobs``.

    See Also
    --------
    sksmooth.plotting.SmoothnessHistoryDisplay : Draws layers by steps as a heat map.
    sksmooth.plotting.LayerSmoothnessDisplay : Draws steps as curves.

    Examples
    --------
    >>> import torch
    >>> from sklearn.datasets import load_digits
    >>> from sksmooth import SmoothnessMonitor
    >>> X, y = load_digits(return_X_y=True)
    >>> X, targets = torch.tensor(X, dtype=torch.float32), torch.tensor(y)
    >>> _ = torch.manual_seed(0)
    >>> module = torch.nn.Sequential(
    ...     torch.nn.Linear(64, 64), torch.nn.ReLU(), torch.nn.Linear(64, 10)
    ... )
    >>> optimizer = torch.optim.Adam(module.parameters(), lr=0.01)
    >>> monitor = SmoothnessMonitor(module, X, y, layers=["1", "2"], every=10)
    >>> monitor.record()  # before training
    >>> for epoch in range(20):
    ...     loss = torch.nn.functional.cross_entropy(module(X), targets)
    ...     optimizer.zero_grad()
    ...     loss.backward()
    ...     optimizer.step()
    ...     monitor.step(loss=loss)
    >>> frame = monitor.to_frame()
    >>> alpha = frame.pivot(index="layer", columns="step", values="alpha")
    >>> list(alpha.columns), bool((alpha[20] > alpha[0]).all())
    ([0, 10, 20], True)
    """

    @validate_params(
        {
            "self": "no_validation",
            "module": "no_validation",
            "X": "no_validation",
            "y": "no_validation",
            "layers": ["array-like", str, Integral, None],
            "every": [Interval(Integral, 1, None, closed="left")],
            "n_samples": [Interval(Integral, 5, None, closed="left")],
            "estimator": [BesovSmoothnessEstimator, None],
            "probes": "no_validation",
            "random_state": ["random_state"],
            "options": "no_validation",
        },
        prefer_skip_nested_validation=True,
    )
    def __init__(
        self,
        module: Any,
        X: Any,
        y: ArrayLike | None = None,
        layers: ArrayLike | str | int | None = None,
        *,
        every: int = 1,
        n_samples: int = 500,
        estimator: BesovSmoothnessEstimator | None = None,
        probes: str | Iterable[str] = (),
        random_state: int | np.random.RandomState | None = 0,
        **options: Any,
    ) -> None:
        unknown = sorted(set(options) - set(signature(compare_layers).parameters))
        if unknown:
            raise TypeError(f"Unknown options {unknown}; see compare_layers.")
        if options.get("sample_weight") is not None:
            raise ValueError(
                "A monitor draws samples at random and takes no sample_weight; pass "
                "samples drawn in proportion to their weights."
            )
        seed = integer_seed(random_state)
        if estimator is None:
            estimator = BesovSmoothnessEstimator(_N_TREES)
        probes = probes if isinstance(probes, str) else list(probes)
        asked = chosen_probes(probes)
        self.module = module
        self.every = every
        self.X, self.y = _subsample(X, y, n_samples, seed)
        self._options = options | dict(
            layers=layers,
            estimator=seeded(estimator, seed),
            probes=probes,
            random_state=seed,
        )
        is_projected = options.get("n_components") is not None
        columns = columns_of(asked, is_projected=is_projected, has_reference=True)
        self._taken_names = {"step", *(column.name for column in columns)}
        self._n_steps = 0
        self._frames: dict[int, pd.DataFrame] = {}
        self._levels: dict[int, tuple[Level, ...]] = {}

    def step(self, **metrics: float) -> None:
        """Count a training step, and record every ``every``-th one.

        Parameters
        ----------
        **metrics : float
            Metrics of this step, such as ``loss=...``, which become columns of the table.
        """
        self._n_steps += 1
        if self._n_steps % self.every == 0:
            self.record(None, **metrics)

    def record(self, step: int | None = None, **metrics: float) -> None:
        """Measure the layers now.

        Parameters
        ----------
        step : int, default=None
            Number of the record, which replaces an earlier record of that number. None
            takes the number of calls of :meth:`step`: 0 before training.
        **metrics : float
            Metrics of this step, which become columns of the table.

        Raises
        ------
        ValueError
            If the monitor has no module, or for the reasons for which
            :func:`compare_layers` raises one, such as a layer whose features are no longer
            finite.
        """
        self._record(self.module, self._n_steps if step is None else step, metrics)

    def to_frame(self, reference_step: int | None = None) -> pd.DataFrame:
        """Return all records in one table.

        Parameters
        ----------
        reference_step : int, default=None
            A recorded step with which all others are compared, layer by layer, such as the
            last one before layers were changed.

        Returns
        -------
        frame : DataFrame
            One row for each step and layer: ``step``, the columns of
            :func:`compare_layers`, and one for each metric, NaN where it was not given.
            With ``reference_step``, also the columns of a reference.

        Raises
        ------
        NotFittedError
            If nothing has been recorded yet.
        ValueError
            If ``reference_step`` was not recorded, or had other layers.
        """
        if not self._frames:
            raise NotFittedError(
                "The monitor has recorded nothing yet; call record(), or step() at least "
                f"every={self.every} times."
            )
        if reference_step is None:
            return pd.concat(self._frames.values(), ignore_index=True)
        if reference_step not in self._frames:
            raise ValueError(
                f"reference_step={reference_step} was not recorded, but the steps "
                f"{list(self._frames)} were."
            )
        compared = [self._compared(step, reference_step) for step in self._frames]
        return pd.concat(compared, ignore_index=True)

    def rise(self, layer: str | int) -> Rise:
        """Test whether the smoothness of a layer rises during training.

        Parameters
        ----------
        layer : str or int
            Name of a layer, as in the table.

        Returns
        -------
        rise : Rise
            The test over the steps that recorded the layer, in order. Its ``str`` is a
            sentence, ``p_value`` tests the hypothesis of no rise, and ``drop`` has the
            steps between which smoothness falls most.

        Raises
        ------
        NotFittedError
            If nothing was recorded yet.
        ValueError
            If no step recorded the layer.
        """
        frame = self.to_frame()
        name = str(layer)
        if name not in set(frame["layer"]):
            raise ValueError(
                f"layer={layer!r} was not recorded, but the layers "
                f"{list(dict.fromkeys(frame['layer']))} were."
            )
        levels = {
            step: self._levels[step][names.index(name)]
            for step in sorted(self._frames)
            if name in (names := list(self._frames[step]["layer"]))
        }
        steps = [f"step {step}" for step in levels]
        return rise(list(levels.values()), steps, over="training")

    def __str__(self) -> str:
        """Say how far the training has come, and which layer is the smoothest."""
        words = self._in_words()
        return paragraphs(words or ["No step is recorded yet; call record() in training."])

    def _repr_html_(self) -> str | None:
        if not self._frames:
            return None
        return history_card(self.to_frame(), self._in_words())

    def _in_words(self) -> list[str]:
        """Say what the last record shows, and how held-out scores have changed."""
        if not self._frames:
            return []
        steps = sorted(self._frames)
        first, last = self._frames[steps[0]], self._frames[steps[-1]]
        layers = f"{len(last)} layer{'s' * (len(last) > 1)}"
        if len(steps) == 1:
            words = [f"1 step with {layers}, step {steps[0]}."]
        else:
            reach = f"from step {steps[0]} to step {steps[-1]}"
            words = [f"{len(steps)} steps with {layers}, {reach}."]
        words += [f"Step {steps[-1]}: {text}" for text in in_words(last, is_short=True)]
        if len(steps) > 1 and list(first["layer"]) == list(last["layer"]):
            gains = (last["held_out"] - first["held_out"]).to_numpy()
            if np.isfinite(gains).all():
                place = int(np.argmax(np.abs(gains)))
                name = visible(last["layer"].iloc[place], _LONGEST_NAME)
                values = [amount(part["held_out"].iloc[place]) for part in (first, last)]
                words.append(
                    f"Layer {name} has changed most: its held-out score went from "
                    f"{values[0]} to {values[1]}."
                )
        return words

    def skorch_callback(self, unit: str = "epoch") -> Any:
        """Make a callback for ``callbacks=[...]`` of a skorch net.

        It records the state before training, and then every ``every`` epochs or steps;
        after epochs, the numbers in the net's history are its metrics. A new ``fit``
        discards earlier records. Copies of the net, as a grid search makes them, have
        copies of the monitor.

        Parameters
        ----------
        unit : {"epoch", "step"}, default="epoch"
            What is counted.

        Returns
        -------
        callback : skorch.callbacks.Callback
            The callback.

        Raises
        ------
        ImportError
            If skorch is not installed.
        """
        return skorch_callback(self, unit)

    def lightning_callback(self, unit: str = "epoch", log: str | Sequence[str] = ()) -> Any:
        """Make a callback for ``callbacks=[...]`` of a Lightning Trainer.

        It records the state before training, and then every ``every`` epochs or steps, with
        the Trainer's ``callback_metrics``. Training from the start discards earlier
        records. Only the first of several processes records.

        Parameters
        ----------
        unit : {"epoch", "step"}, default="epoch"
            What is counted.
        log : str or sequence of str, default=()
            Columns of the table that the loggers of the Trainer are sent after each record,
            whether these write for TensorBoard, MLflow, Weights & Biases or a file. Each
            layer has a name such as ``"alpha/layer4"``; the step is the Trainer's
            ``global_step``.

        Returns
        -------
        callback : lightning.pytorch.Callback
            The callback; a ``pytorch_lightning`` one if that is in use.

        Raises
        ------
        ImportError
            If Lightning is not installed.
        ValueError
            If the table has no such column of numbers.
        """
        return lightning_callback(self, unit, self._checked(log))

    def transformers_callback(self, unit: str = "epoch") -> Any:
        """Make a callback for ``callbacks=[...]`` of a Trainer of Transformers.

        It records the state before training, and then every ``every`` epochs or steps of
        the optimiser, with what the Trainer logs there, such as ``loss`` and ``eval_loss``.
        A training from its start discards earlier records. Of several processes, the first
        records.

        Parameters
        ----------
        unit : {"epoch", "step"}, default="epoch"
            What is counted.

        Returns
        -------
        callback : transformers.TrainerCallback
            The callback.

        Raises
        ------
        ImportError
            If Transformers is not installed.
        """
        return transformers_callback(self, unit)

    def _record(self, module: Any, step: int, metrics: Mapping[str, Any]) -> None:
        if module is None:
            raise ValueError(
                "The monitor has no module; pass it as SmoothnessMonitor(module, ...), or "
                "record through a callback."
            )
        taken = sorted(self._taken_names & set(metrics))
        if taken:
            raise ValueError(f"Metrics must not be called {taken}.")
        table = compare_layers(module, self.X, self.y, **self._options)
        frame = table.to_frame()
        frame.insert(0, "step", step)
        for name, value in metrics.items():
            frame[name] = value.item() if hasattr(value, "item") else value
        self._frames.pop(step, None)
        self._frames[step], self._levels[step] = frame, table.levels_

    def _compared(self, step: int, reference_step: int) -> pd.DataFrame:
        """Add the columns of a reference to those of a step."""
        frame, reference = self._frames[step], self._frames[reference_step]
        if list(frame["layer"]) != list(reference["layer"]):
            raise ValueError(
                f"Steps {step} and {reference_step} have different layers; name those to "
                "compare by layers=."
            )
        changes = layer_changes(
            self._levels[step],
            self._options["estimator"].confidence_level,
            self._levels[reference_step],
        )
        return frame.assign(**change_values(REFERENCE, changes))

    def _forget(self) -> None:
        """Drop all records, for a callback at the start of a new training run."""
        self._frames.clear()
        self._levels.clear()

    def _record_if_due(self, module: Any, step: int, metrics: Mapping[str, Any]) -> bool:
        """Record for a callback: the network that is trained, unless there is another."""
        is_due = step % self.every == 0 and step not in self._frames
        if is_due:
            module = module if self.module is None else self.module
            self._record(module, step, self._renamed(metrics))
        return is_due

    def _add_metrics(self, step: int, metrics: Mapping[str, Any]) -> None:
        """Add what a library logs after a step to its record, if there is one."""
        if step in self._frames:
            self._frames[step] = self._frames[step].assign(**self._renamed(metrics))

    def _renamed(self, metrics: Mapping[str, Any]) -> dict[str, Any]:
        # Not an error: a training must not end because of what else it logs.
        return {
            f"logged_{name}" if name in self._taken_names else name: value
            for name, value in metrics.items()
        }

    def _checked(self, log: str | Sequence[str]) -> list[str]:
        """Refuse columns that no record has, before the training begins."""
        names = [log] if isinstance(log, str) else list(log)
        no_numbers = {"step", "layer", "type", "cautions", *(c.name for c in REFERENCE)}
        numbers = self._taken_names - no_numbers
        unknown = [name for name in names if name not in numbers]
        if unknown:
            raise ValueError(
                f"log={unknown} are no columns of numbers, which are {sorted(numbers)}."
            )
        return names

    def _logged(self, step: int, columns: Sequence[str]) -> dict[str, float]:
        """Give values of a record by column and layer, as loggers take them."""
        frame = self._frames[step]
        return {
            f"{column}/{layer}": float(value)
            for column in columns
            for layer, value in zip(frame["layer"], frame[column], strict=True)
        }


def _subsample(X: Any, y: Any, n_samples: int, seed: int) -> tuple[Any, Any]:
    """Draw a subsample with its targets, and keep it in memory."""
    if isinstance(X, Mapping) and not X:
        raise ValueError("X is a dict without entries.")
    if isinstance(y, Mapping):
        raise ValueError("A monitor takes one labelling of the samples; y is a dict.")
    if y is None and isinstance(X, Mapping):
        y = targets_among(X)
    elif y is None and isinstance(X, list) and X and isinstance(X[0], Mapping):
        y = [targets_among(item) for item in X]
    n_y = None if y is None else number_of_rows(y, "y")
    some = X
    while isinstance(some, Mapping) or _is_of_parts(some, n_y):
        some = next(iter(some.values())) if isinstance(some, Mapping) else some[0]
    n_rows = number_of_rows(some)
    if n_y not in (None, n_rows):
        raise ValueError(f"X has {n_rows} samples, but y has {n_y}.")
    rows = np.sort(check_random_state(seed).permutation(n_rows)[:n_samples])
    if comes_from(X, "torch") and not hasattr(X, "shape"):
        X, given = _items(X, rows)
        if y is None:
            return X, given
    else:
        X = _some(X, rows, n_rows)
    if y is None:
        raise ValueError("y is required unless X is a Dataset with targets.")
    return X, read_rows(y, rows)


def _is_of_parts(X: Any, n_rows: int | None) -> bool:
    """Distinguish several arguments with this number of rows from a list of samples."""
    return (
        isinstance(X, tuple | list)
        and len(X) not in (0, n_rows)
        and all(getattr(part, "ndim", 0) and len(part) == n_rows for part in X)
    )


def _some(X: Any, rows: np.ndarray, n_rows: int) -> Any:
    """Read some rows of each argument."""
    if isinstance(X, Mapping):
        return {key: _some(part, rows, n_rows) for key, part in X.items()}
    if _is_of_parts(X, n_rows):
        return tuple(_some(part, rows, n_rows) for part in X)
    return read_rows(X, rows)


def _items(data: Any, rows: np.ndarray) -> tuple[Any, Any]:
    """Read items of a Dataset as tensors, with their targets."""
    import torch

    if not isinstance(data, torch.utils.data.Dataset) or not hasattr(data, "__len__"):
        raise TypeError(
            f"No samples can be drawn from a {type(data).__name__}; pass its dataset, "
            "which must have a length."
        )
    # Random augmentations draw from torch's generator, which training uses, too.
    with torch.random.fork_rng():
        items = [data[int(row)] for row in rows]
    items = torch.utils.data.default_collate(items)
    if isinstance(items, Mapping):
        return items, targets_among(items)
    if not isinstance(items, tuple | list):
        return items, None
    if len(items) > 2:
        raise ValueError("The data set must yield the inputs, or pairs (inputs, y).")
    inputs = tuple(items[0]) if isinstance(items[0], list) else items[0]
    return inputs, items[1] if len(items) > 1 else None
