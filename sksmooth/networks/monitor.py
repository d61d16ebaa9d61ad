"""The smoothness of layers while a network is trained."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import import_module
from inspect import signature
from numbers import Integral, Number
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.exceptions import NotFittedError
from sklearn.utils import check_random_state

from .._lib.optional import comes_from
from .._lib.scikit_learn import Interval, validate_params
from .._lib.state import Versioned
from ..estimators.besov import BesovSmoothnessEstimator
from ..estimators.comparison import integer_seed, seeded
from ..estimators.summary import history_card
from ..samples.checks import number_of_rows, read_rows
from .comparison import COLUMNS, compare_layers
from .probes import check_probes

__all__ = ["SmoothnessMonitor"]

_N_TREES = 5  # so that a record costs less than a tenth of an epoch
_UNITS = ("epoch", "step")


class SmoothnessMonitor(Versioned):
    """Record how the smoothness of layers develops while a network is trained.

    It measures the chosen layers on the same few samples each time, as
    :func:`compare_layers` does, and leaves the training as it is: gradients, running
    averages, training flags and random states are not touched.

    Parameters
    ----------
    module : torch.nn.Module, fitted skorch net or None
        The network. None for callbacks, which then take the one that is trained.
    X : array-like, tensor, dict of arrays or Dataset
        Samples, of which a subsample is kept. Items of a Dataset are read once, so that
        random augmentations are the same every time.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
        Class labels, or numbers. None where ``X`` is a Dataset that gives them.
    layers : array-like of str or int, default=None
        The layers, as in :func:`compare_layers`.
    every : int, default=1
        Record every so many steps, or epochs.
    n_samples : int, default=500
        Number of samples to measure by, drawn at random.
    estimator : BesovSmoothnessEstimator, default=None
        An unfitted estimator. None means one of 5 trees, so that a record of a small
        convolutional network on a processor takes less than a tenth of the time of an
        epoch of 20,000 images.
    probes : iterable of str or "all", default=()
        What to measure beside the index, as in :func:`compare_layers`.
    random_state : int, RandomState instance or None, default=0
        Seed of the draw of the samples, and of all that :func:`compare_layers` draws.
    **options
        Further options of :func:`compare_layers`, such as ``pooling`` or ``n_jobs``.

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
                "samples that are drawn by their weights."
            )
        seed = integer_seed(random_state)
        if estimator is None:
            estimator = BesovSmoothnessEstimator(_N_TREES)
        self.module = module
        self.every = every
        self.X, self.y = _subsample(X, y, n_samples, seed)
        self._options = options | dict(
            layers=layers,
            estimator=seeded(estimator, seed),
            probes=check_probes(probes),
            random_state=seed,
        )
        self._n_steps = 0
        self._frames: dict[int, pd.DataFrame] = {}

    def step(self, **metrics: float) -> None:
        """Count a step of the training, and record every ``every``-th of them.

        Parameters
        ----------
        **metrics : float
            What belongs to this step, such as ``loss=...``, for columns of the table.
        """
        self._n_steps += 1
        if self._n_steps % self.every == 0:
            self.record(None, **metrics)

    def record(self, step: int | None = None, **metrics: float) -> None:
        """Measure the layers now.

        Parameters
        ----------
        step : int, default=None
            Number of the record, which replaces an earlier one of that number. None takes
            the number of calls of :meth:`step`: 0 before the training.
        **metrics : float
            What belongs to this step, for columns of the table.

        Raises
        ------
        ValueError
            As :func:`compare_layers` raises, such as for a layer whose features are no
            longer finite; or if the monitor has no module.
        """
        self._record(self.module, self._n_steps if step is None else step, metrics)

    def to_frame(self) -> pd.DataFrame:
        """All records.

        Returns
        -------
        frame : DataFrame
            One row for each step and layer: ``step``, the columns of
            :func:`compare_layers`, and one for each metric, NaN where it was not given.

        Raises
        ------
        NotFittedError
            If nothing was recorded yet.
        """
        if not self._frames:
            raise NotFittedError(
                "The monitor has recorded nothing yet; call record(), or step() at least "
                f"every={self.every} times."
            )
        return pd.concat(self._frames.values(), ignore_index=True)

    def _repr_html_(self) -> str | None:
        return history_card(self.to_frame()) if self._frames else None

    def skorch_callback(self, unit: str = "epoch") -> Any:
        """A callback for ``callbacks=[...]`` of a skorch net.

        It records the state before training, and then every ``every`` epochs or steps,
        with, after epochs, the numbers in the net's history as metrics. A new ``fit``
        starts the records anew. Copies of the net, as a grid search makes them, have
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
        return _skorch_callback(self, unit)

    def lightning_callback(self, unit: str = "epoch") -> Any:
        """A callback for ``callbacks=[...]`` of a Lightning Trainer.

        It records the state before training, and then every ``every`` epochs or steps,
        with the Trainer's ``callback_metrics``. A training from its start starts the
        records anew. Of several processes, the first records.

        Parameters
        ----------
        unit : {"epoch", "step"}, default="epoch"
            What is counted.

        Returns
        -------
        callback : lightning.pytorch.Callback
            The callback; of ``pytorch_lightning`` if that is what is in use.

        Raises
        ------
        ImportError
            If Lightning is not installed.
        """
        return _lightning_callback(self, unit)

    def _record(self, module: Any, step: int, metrics: Mapping[str, Any]) -> None:
        if module is None:
            raise ValueError(
                "The monitor has no module: pass it as SmoothnessMonitor(module, ...), or "
                "record through a callback."
            )
        frame = compare_layers(module, self.X, self.y, **self._options)
        taken = sorted({"step", *frame.columns} & set(metrics))
        if taken:
            raise ValueError(f"Metrics must have other names than {taken}.")
        frame.insert(0, "step", step)
        for name, value in metrics.items():
            frame[name] = value.item() if hasattr(value, "item") else value
        self._frames.pop(step, None)
        self._frames[step] = frame

    def _record_if_due(self, module: Any, step: int, metrics: Mapping[str, Any]) -> None:
        """Record for a callback: the network that is trained, unless there is another."""
        if step % self.every == 0 and step not in self._frames:
            # A training is not ended for the name of a metric that it logs.
            metrics = {
                f"logged_{name}" if name in ("step", *COLUMNS) else name: value
                for name, value in metrics.items()
            }
            self._record(module if self.module is None else self.module, step, metrics)


def _subsample(X: Any, y: Any, n_samples: int, seed: int) -> tuple[Any, Any]:
    """Some of the samples, in memory, and their targets."""
    if isinstance(X, Mapping) and not X:
        raise ValueError("X is a dict without entries.")
    n_rows = number_of_rows(next(iter(X.values())) if isinstance(X, Mapping) else X)
    if y is not None and number_of_rows(y, "y") != n_rows:
        raise ValueError(f"X has {n_rows} samples, but y has {number_of_rows(y, 'y')}.")
    rows = np.sort(check_random_state(seed).permutation(n_rows)[:n_samples])
    if isinstance(X, Mapping):
        X = {key: read_rows(part, rows) for key, part in X.items()}
    elif comes_from(X, "torch") and not hasattr(X, "shape"):
        X, given = _items(X, rows)
        if y is None:
            return X, given
    else:
        X = read_rows(X, rows)
    if y is None:
        raise ValueError("y is None, and X is no data set that gives it; pass y.")
    return X, read_rows(y, rows)


def _items(data: Any, rows: np.ndarray) -> tuple[Any, Any]:
    """Items of a Dataset as tensors, and the targets among them."""
    import torch

    if not isinstance(data, torch.utils.data.Dataset) or not hasattr(data, "__len__"):
        raise TypeError(
            f"Of a {type(data).__name__} no samples can be drawn; pass its dataset, which "
            "must have a length."
        )
    with torch.random.fork_rng():  # which random augmentations draw from
        items = [data[int(row)] for row in rows]
    items = torch.utils.data.default_collate(items)
    if not isinstance(items, tuple | list):
        return items, None
    if len(items) > 2:
        raise ValueError("The data set must yield the inputs, or pairs (inputs, y).")
    return items[0], items[1] if len(items) > 1 else None


def _skorch_callback(monitor: SmoothnessMonitor, unit: str) -> Any:
    _check_unit(unit)
    return _skorch_callback_class()(monitor=monitor, unit=unit)


def _lightning_callback(monitor: SmoothnessMonitor, unit: str) -> Any:
    _check_unit(unit)
    return _lightning_callback_class()(monitor, unit)


def _check_unit(unit: str) -> None:
    if unit not in _UNITS:
        raise ValueError(f"unit must be one of {_UNITS}, got {unit!r}.")


@cache
def _skorch_callback_class() -> type:
    """The class is made when it is needed, so that skorch need not be installed."""
    try:
        from skorch.callbacks import Callback
    except ImportError as error:
        raise ImportError("This needs skorch: pip install skorch") from error

    class SmoothnessCallback(Callback):
        def __init__(self, monitor: SmoothnessMonitor, unit: str) -> None:
            self.monitor = monitor
            self.unit = unit

        def __reduce__(self) -> tuple[Any, ...]:
            return _skorch_callback, (self.monitor, self.unit)

        def initialize(self) -> SmoothnessCallback:  # by every fit, but not by partial_fit
            self.n_steps_ = 0
            self.monitor._frames.clear()
            return self

        def on_train_begin(self, net: Any, **kwargs: Any) -> None:
            done = self.n_steps_ if self.unit == "step" else len(net.history)
            self.monitor._record_if_due(net.module_, done, {})

        def on_batch_end(
            self, net: Any, training: bool | None = None, **kwargs: Any
        ) -> None:
            if self.unit == "step" and training:
                self.n_steps_ += 1
                self.monitor._record_if_due(net.module_, self.n_steps_, {})

        def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
            if self.unit == "epoch":
                epoch = net.history[-1]
                metrics = {key: epoch[key] for key in epoch if _is_metric(key, epoch[key])}
                self.monitor._record_if_due(net.module_, epoch["epoch"], metrics)

    return SmoothnessCallback


def _is_metric(key: str, value: Any) -> bool:
    """Whether an entry of skorch's history is a number worth a column."""
    is_bookkeeping = key in ("epoch", "dur") or key.endswith(("_count", "_best"))
    return isinstance(value, Number) and not is_bookkeeping


@cache
def _lightning_callback_class() -> type:
    callback: Any = _lightning().Callback

    class SmoothnessCallback(callback):
        def __init__(self, monitor: SmoothnessMonitor, unit: str) -> None:
            self.monitor = monitor
            self.unit = unit

        def __reduce__(self) -> tuple[Any, ...]:
            return _lightning_callback, (self.monitor, self.unit)

        def on_train_start(self, trainer: Any, pl_module: Any) -> None:
            if trainer.global_step == 0:
                self.monitor._frames.clear()
            is_steps = self.unit == "step"
            done = trainer.global_step if is_steps else trainer.current_epoch
            self._record(trainer, pl_module, done)

        def on_train_batch_end(self, trainer: Any, pl_module: Any, *args: Any) -> None:
            if self.unit == "step":
                self._record(trainer, pl_module, trainer.global_step)

        def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
            if self.unit == "epoch":
                self._record(trainer, pl_module, trainer.current_epoch + 1)

        def _record(self, trainer: Any, pl_module: Any, step: int) -> None:
            if trainer.is_global_zero:
                metrics = dict(trainer.callback_metrics)
                self.monitor._record_if_due(pl_module, step, metrics)

    return SmoothnessCallback


def _lightning() -> Any:
    """Lightning by the one of its two names that is in use."""
    names = ["lightning.pytorch", "pytorch_lightning"]
    for name in sorted(names, key=lambda name: name not in sys.modules):
        try:
            return import_module(name)
        except ImportError:
            continue
    raise ImportError("This needs Lightning: pip install lightning")
