"""Callbacks of training libraries that record the smoothness of layers.

All of them derive from :class:`TrainingCallback`, whose hooks define what happens at each
point of a training run. The class for a library only translates: it calls a hook with the
module, the number of completed steps or epochs, and the metrics that the library has
logged. The classes are created on demand, so the libraries need not be installed.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib import import_module
from numbers import Number
from typing import Any, Protocol

from .._lib.optional import require

__all__ = [
    "TrainingCallback",
    "lightning_callback",
    "skorch_callback",
    "transformers_callback",
]


# Of a Trainer of Transformers: epochs are sums of fractions, and not all logs are metrics.
_SMALL = 1e-6
_NOT_METRICS = ("epoch", "step", "total_flos", "train_loss", "num_input_tokens_seen")


class Monitor(Protocol):
    """What callbacks need of a monitor, whose module imports this one."""

    def _forget(self) -> None: ...

    def _record_if_due(
        self, module: Any, step: int, metrics: Mapping[str, Any]
    ) -> bool: ...

    def _add_metrics(self, step: int, metrics: Mapping[str, Any]) -> None: ...

    def _logged(self, step: int, columns: Sequence[str]) -> dict[str, float]: ...


class TrainingCallback:
    """Record the layers of a network during training.

    Parameters
    ----------
    monitor : SmoothnessMonitor
        The monitor that records.
    unit : {"epoch", "step"}
        What the monitor's ``every`` counts.
    """

    # Creates a callback of the class from its parameters. Pickles call it, since they
    # cannot find a class defined in a function.
    _make: Callable[[Monitor, str], Any]

    def __init__(self, monitor: Monitor, unit: str = "epoch") -> None:
        if unit not in ("epoch", "step"):
            raise ValueError(f"unit must be 'epoch' or 'step', got {unit!r}.")
        self.monitor = monitor
        self.unit = unit

    def __reduce__(self) -> tuple[Any, ...]:
        # Without the attributes that libraries set, which may refer to a whole training
        # run.
        return type(self)._make, (self.monitor, self.unit)

    @property
    def counts_steps(self) -> bool:
        """Whether steps are counted rather than epochs."""
        return self.unit == "step"

    def reset(self) -> None:
        """Discard earlier records: training starts from the beginning."""
        self.monitor._forget()

    def before_training(
        self, module: Any, n_done: int, metrics: Mapping[str, Any] | None = None
    ) -> None:
        """Record the state before training.

        Parameters
        ----------
        module : Module
            The network that is trained.
        n_done : int
            Steps or epochs completed earlier, if training is resumed.
        metrics : dict of str to number, default=None
            Metrics that become columns of the table.
        """
        self._record(module, n_done, metrics)

    def after_step(
        self, module: Any, n_done: int, metrics: Mapping[str, Any] | None = None
    ) -> None:
        """Record a step of the optimiser, with parameters as in :meth:`before_training`."""
        if self.counts_steps:
            self._record(module, n_done, metrics)

    def after_epoch(
        self, module: Any, n_done: int, metrics: Mapping[str, Any] | None = None
    ) -> None:
        """Record an epoch, with parameters as in :meth:`before_training`."""
        if not self.counts_steps:
            self._record(module, n_done, metrics)

    def recorded(self, n_done: int) -> None:
        """Do what the library wants done after a record, such as to log it.

        Parameters
        ----------
        n_done : int
            Number of the record.
        """

    def _record(self, module: Any, n_done: int, metrics: Mapping[str, Any] | None) -> None:
        if self.monitor._record_if_due(module, n_done, metrics or {}):
            self.recorded(n_done)


def skorch_callback(monitor: Monitor, unit: str = "epoch") -> Any:
    """Make a callback for ``callbacks=[...]`` of a skorch net."""
    return _skorch_class()(monitor=monitor, unit=unit)


@cache
def _skorch_class() -> type:
    library = require("skorch.callbacks", purpose="skorch_callback", install="skorch")
    base: Any = library.Callback

    class SmoothnessCallback(TrainingCallback, base):
        _make = staticmethod(skorch_callback)

        # skorch clones callbacks as scikit-learn does: attributes other than parameters end
        # with an underscore.
        n_steps_ = 0

        def __reduce__(self) -> tuple[Any, ...]:
            return (*super().__reduce__(), {"n_steps_": self.n_steps_})

        def initialize(self) -> SmoothnessCallback:  # called by fit, not by partial_fit
            self.n_steps_ = 0
            self.reset()
            return self

        def on_train_begin(self, net: Any, *_: Any, **__: Any) -> None:
            n_done = self.n_steps_ if self.counts_steps else len(net.history)
            self.before_training(net.module_, n_done)

        def on_batch_end(
            self, net: Any, *_: Any, training: bool = False, **__: Any
        ) -> None:
            if training:  # and not validation
                self.n_steps_ += 1
                self.after_step(net.module_, self.n_steps_)

        def on_epoch_end(self, net: Any, *_: Any, **__: Any) -> None:
            epoch = net.history[-1]
            metrics = {key: epoch[key] for key in epoch if _is_metric(key, epoch[key])}
            self.after_epoch(net.module_, epoch["epoch"], metrics)

    return SmoothnessCallback


def _is_metric(key: str, value: Any) -> bool:
    """Return whether an entry of skorch's history is a number worth a column."""
    is_bookkeeping = key in ("epoch", "dur") or key.endswith(("_count", "_best"))
    return isinstance(value, Number) and not is_bookkeeping


def lightning_callback(
    monitor: Monitor, unit: str = "epoch", log: Sequence[str] = ()
) -> Any:
    """Make a callback for ``callbacks=[...]`` of a Lightning Trainer."""
    return _lightning_class()(monitor, unit, log)


@cache
def _lightning_class() -> type:
    base: Any = _lightning().Callback

    class SmoothnessCallback(TrainingCallback, base):
        _make = staticmethod(lightning_callback)
        _trainer: Any = None

        def __init__(self, monitor: Monitor, unit: str, log: Sequence[str]) -> None:
            super().__init__(monitor, unit)
            # Not self.log: Lightning sets that to the method of the module.
            self.logged_columns = list(log)

        def __reduce__(self) -> tuple[Any, ...]:
            return type(self)._make, (self.monitor, self.unit, self.logged_columns)

        def recorded(self, n_done: int) -> None:
            values = self.monitor._logged(n_done, self.logged_columns)
            for logger in self._trainer.loggers if values else ():
                logger.log_metrics(values, step=self._trainer.global_step)

        def setup(self, trainer: Any, *_: Any, **__: Any) -> None:
            self._trainer = trainer

        def teardown(self, *_: Any, **__: Any) -> None:
            self._trainer = None

        def on_train_start(self, trainer: Any, pl_module: Any) -> None:
            if not trainer.is_global_zero:  # only the first of several processes records
                return
            if trainer.global_step == 0:
                self.reset()
            n_done = trainer.global_step if self.counts_steps else trainer.current_epoch
            self.before_training(pl_module, n_done, trainer.callback_metrics)

        def on_train_batch_end(self, trainer: Any, pl_module: Any, *_: Any) -> None:
            # global_step stays the same while gradients of several batches are accumulated;
            # do not record a step twice.
            if trainer.is_global_zero:
                step, metrics = trainer.global_step, trainer.callback_metrics
                self.after_step(pl_module, step, metrics)

        def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
            if trainer.is_global_zero:
                n_done, metrics = trainer.current_epoch + 1, trainer.callback_metrics
                self.after_epoch(pl_module, n_done, metrics)

    return SmoothnessCallback


def _lightning() -> Any:
    """Import Lightning under whichever of its two names is in use.

    They are two copies of the same code, and a Trainer refuses callbacks of the other one.
    """
    names = ["lightning.pytorch", "pytorch_lightning"]
    for name in sorted(names, key=lambda name: name not in sys.modules):
        try:
            return import_module(name)
        except ImportError:
            continue
    return require(names[0], purpose="lightning_callback", install="lightning")


def transformers_callback(monitor: Monitor, unit: str = "epoch") -> Any:
    """Make a callback for ``callbacks=[...]`` of a Trainer of Transformers."""
    return _transformers_class()(monitor, unit)


@cache
def _transformers_class() -> type:
    library = require(
        "transformers", purpose="transformers_callback", install="transformers[torch]"
    )
    base: Any = library.TrainerCallback

    class SmoothnessCallback(TrainingCallback, base):
        _make = staticmethod(transformers_callback)

        def on_train_begin(
            self, args: Any, state: Any, control: Any, model: Any = None, **_: Any
        ) -> None:
            if not state.is_world_process_zero:  # of several processes, the first records
                return
            if state.global_step == 0:
                self.reset()
            epoch = math.floor((state.epoch or 0) + _SMALL)
            self.before_training(model, state.global_step if self.counts_steps else epoch)

        def on_step_end(
            self, args: Any, state: Any, control: Any, model: Any = None, **_: Any
        ) -> None:
            if state.is_world_process_zero:
                self.after_step(model, self._n_done(state), _logged_now(state))

        def on_epoch_end(
            self, args: Any, state: Any, control: Any, model: Any = None, **_: Any
        ) -> None:
            if state.is_world_process_zero:
                self.after_epoch(model, self._n_done(state), _logged_now(state))

        def on_log(
            self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any
        ) -> None:
            # The Trainer logs and evaluates a step or epoch after it has ended.
            if state.is_world_process_zero and state.global_step > 0:
                self.monitor._add_metrics(self._n_done(state), _logged_now(state))

        def _n_done(self, state: Any) -> int:
            """Count steps or epochs, also one that ``max_steps`` cut short."""
            if self.counts_steps:
                return int(state.global_step)
            return math.ceil(state.epoch - _SMALL)

    return SmoothnessCallback


def _logged_now(state: Any) -> dict[str, Any]:
    """Collect the numbers that the Trainer has logged at the present step."""
    return {
        name: value
        for entry in state.log_history
        if entry["step"] == state.global_step
        for name, value in entry.items()
        if isinstance(value, Number)
        and name not in _NOT_METRICS
        and not name.endswith(("_runtime", "_per_second"))
    }
