"""Run forward passes with hooks that read layers, and leave the network as it was.

The user may be in the middle of training. So a pass runs in evaluation mode without
gradients, and restores everything that it or the modules have changed: training flags,
buffers, attributes, the device, random states and hooks.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple, Protocol, TypeGuard

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from .arguments import parts_of
from .compiled import run_uncompiled
from .inputs import Batch, Inputs
from .modules import Point, display_name, submodules

__all__ = ["Call", "Recorder", "evaluation", "first_of", "trace"]

# Hooks and training flags belong to modules, not threads: a pass in another thread would
# call the hooks of this one. Reentrant, since a user's hook may start a pass.
_ONE_PASS = threading.RLock()


class Call(NamedTuple):
    """One call of a submodule."""

    name: str
    module: nn.Module
    index: int  # type: ignore[assignment]  # hides tuple.index; of this module's calls
    is_leaf: bool  # no other module was called meanwhile
    arguments: tuple[Any, ...]
    keywords: dict[str, Any]
    output: Any
    n_calls: int = 1  # of this module in the pass

    @property
    def label(self) -> str:
        """Name by which it is requested."""
        return display_name(self.name, self.index, self.n_calls)


class _EndOfPass(BaseException):
    """Exception that ends a forward pass from within a hook.

    It does not derive from ``Exception``, so that ``except Exception`` in a module does not
    catch it.
    """


@contextmanager
def evaluation(
    root: nn.Module, inputs: Inputs, device: Any = None
) -> Iterator[Iterator[Batch]]:
    """Put a network in evaluation mode on a device, and yield its batches.

    On exit, also after an error or an interruption, every module's training flag, buffers
    and attributes, the device and torch's random states are restored.

    Parameters
    ----------
    root : Module
        The network.
    inputs : Inputs
        Source of the batches.
    device : str or torch.device, default=None
        Device to use; None leaves the network where it is.

    Yields
    ------
    batches : iterator of Batch
        The batches, on the device.
    """
    place, dtype = _place_and_dtype(root)
    target = place if device is None else _checked_device(device)
    devices = {p.device for p in root.parameters()}
    if target != place and len(devices) > 1:
        raise ValueError(
            f"The module is on several devices, {sorted(map(str, devices))}; leave "
            "device=None."
        )
    with (
        _ONE_PASS,
        _kept_random_states(target, inputs.data),
        _plain_transformers(),
        run_uncompiled(root),
    ):
        states = [_State(module) for module in root.modules()]
        try:
            if target != place:
                root.to(target)
            # Not eval(), which modules may override: merging LoRA weights, for example.
            for state in states:
                state.module.training = False
            yield inputs.batches(dtype, target)
        finally:
            for state in states:
                state.put_back()
            if target != place:
                root.to(place)


def first_of(batches: Iterator[Batch]) -> Batch:
    """Return the first batch, or raise an error if there is none."""
    for batch in batches:
        return batch
    raise ValueError("X has no samples.")


def _place_and_dtype(root: nn.Module) -> tuple[torch.device, torch.dtype]:
    tensors = [*root.parameters(), *root.buffers()]
    place = tensors[0].device if tensors else torch.device("cpu")
    dtypes = [t.dtype for t in tensors if t.is_floating_point()]
    return place, dtypes[0] if dtypes else torch.float32


def _checked_device(device: Any) -> torch.device:
    try:
        checked = torch.empty(0, device=device).device
    except (RuntimeError, AssertionError, TypeError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"device={device!r} cannot be used: {reason}") from error
    if checked.type == "meta":
        raise ValueError("device='meta' has no values to compute with; use another device.")
    return checked


@contextmanager
def _kept_random_states(device: torch.device, data: Any) -> Iterator[None]:
    """Restore torch's random states on exit, so that training goes on unaffected.

    DataLoaders draw seeds and permutations, sometimes from generators of their own, and
    modules may draw noise even in evaluation mode.
    """
    drawing = (data, getattr(data, "sampler", None))
    generators = [getattr(one, "generator", None) for one in drawing]
    states = [(one, one.get_state()) for one in generators if one is not None]
    devices = [device] if device.type == "cuda" else []
    try:
        with torch.random.fork_rng(devices):
            yield
    finally:
        for generator, state in states:
            generator.set_state(state)


class _State:
    """Snapshot of the state of a module apart from its weights.

    It holds the training flag, the other attributes, and copies of the buffers: modules may
    count calls or cache keys even in evaluation mode.
    """

    def __init__(self, module: nn.Module) -> None:
        self.module = module
        self._attributes = dict(module.__dict__)
        self._buffers = {
            name: (buffer, buffer.clone() if _is_dense(buffer) else None)
            for name, buffer in module._buffers.items()
        }

    def put_back(self) -> None:
        """Undo the changes that the module has made to itself."""
        held = self.module.__dict__
        for name in held.keys() - self._attributes.keys():
            del held[name]
        held.update(self._attributes)
        for name, (buffer, copy) in self._buffers.items():
            # Writing increments a buffer's version counter, which would break a pending
            # backward pass. So write only buffers that have changed, and bypass autograd.
            if _is_dense(buffer) and copy is not None and not torch.equal(buffer, copy):
                buffer.data.copy_(copy)
            self.module._buffers[name] = buffer
        for name, value in held.items():
            held[name] = _trainable(value, set())


def _is_dense(buffer: Tensor | None) -> TypeGuard[Tensor]:
    return buffer is not None and buffer.layout == torch.strided


def _trainable(value: Any, seen: set[int]) -> Any:
    """Replace inference tensors in containers by copies that autograd can use.

    Entries that a module has appended to its own lists and dicts are not removed, but
    tensors made in inference mode would raise an error as soon as training uses them.
    """
    if isinstance(value, Tensor):
        return value.clone() if value.is_inference() else value
    if type(value) not in (tuple, list, dict) or id(value) in seen:
        return value
    seen.add(id(value))  # a container may hold itself
    if type(value) is tuple:
        return tuple(_trainable(entry, seen) for entry in value)
    if type(value) is list:
        value[:] = [_trainable(entry, seen) for entry in value]
    else:
        value.update({key: _trainable(entry, seen) for key, entry in value.items()})
    return value


@contextmanager
def _plain_transformers() -> Iterator[None]:
    """Turn off the fast path of torch's transformers, which calls no inner modules.

    In evaluation mode one fused kernel computes a whole encoder layer, so hooks on the
    modules inside would never fire.
    """
    backend = getattr(torch.backends, "mha", None)  # not before torch 2.3
    if backend is None:
        yield
        return
    enabled = backend.get_fastpath_enabled()
    backend.set_fastpath_enabled(False)
    try:
        yield
    finally:
        backend.set_fastpath_enabled(enabled)


class Taker(Protocol):
    """Protocol of objects that keep what is requested of the outputs of layers."""

    masks: Any  # of the tokens in the batch

    def watch(self) -> list[RemovableHandle]:
        """Register its own hooks, before those that read the layers."""

    def begin(self, batch: Batch) -> None:
        """Begin a pass over a batch."""

    def of_input(self, batch: Batch) -> Any:
        """Keep a copy of the input of the network."""

    def of(self, point: Point, output: Any, arguments: Any) -> Any:
        """Keep a copy of the requested part of an output."""


class Recorder:
    """Forward hooks on some modules, removed at the end of the ``with`` block.

    Parameters
    ----------
    root : Module
        The network.
    points : list of Point
        The requested places.
    take : Taker
        Keeps the requested part of every output.
    count_calls : bool
        Whether the first pass runs to the end. Other passes end after the last point.
    """

    def __init__(
        self,
        root: nn.Module,
        points: list[Point],
        take: Taker,
        *,
        count_calls: bool,
    ) -> None:
        self._root, self._points, self.take = root, points, take
        self._to_the_end = count_calls

    def __enter__(self) -> Recorder:
        self._hooks = ExitStack()
        try:
            for hook in self.take.watch():
                self._hooks.callback(hook.remove)
            for module in {point.module for point in self._points} - {None}:
                self._hooks.callback(module.register_forward_hook(self._hook).remove)
        except BaseException:
            self._hooks.close()
            raise
        return self

    def __exit__(self, *_: Any) -> None:
        self._hooks.close()

    def run(self, batch: Batch) -> list[Any]:
        """Read all points in one forward pass over a batch, in their order.

        The calls of a module can only be counted in a complete pass. An error after the
        last point was read is ignored there.
        """
        self.take.begin(batch)
        self._taken: dict[str, Any] = {}
        self._calls: Counter[nn.Module] = Counter()
        self._error: Exception | None = None
        for point in self._points:
            if point.module is None:
                self._taken[point.name] = self.take.of_input(batch)
        try:
            if any(point.module is not None for point in self._points):
                with torch.inference_mode():
                    batch.call(self._root)
        except _EndOfPass:
            pass
        except Exception as error:
            if not self._is_complete:
                error.add_note(_description(batch))
                raise
        if self._error is not None:
            raise self._error
        self._check_calls()
        self._to_the_end = False
        return [self._taken[point.name] for point in self._points]

    @property
    def _is_complete(self) -> bool:
        return len(self._taken) == len(self._points)

    def _hook(self, module: nn.Module, arguments: Any, output: Any) -> None:
        call = self._calls[module]
        self._calls[module] += 1
        try:
            for point in self._points:
                if point.module is module and (point.call or 0) == call:
                    self._taken[point.name] = self.take.of(point, output, arguments)
        except Exception as error:
            # Modules may catch errors and try something else; run() raises it instead.
            self._error = error
            raise _EndOfPass from None
        if self._is_complete and not self._to_the_end:
            raise _EndOfPass

    def _check_calls(self) -> None:
        for point in self._points:
            if point.module is None:
                continue
            n_calls = self._calls[point.module]
            if point.name not in self._taken:
                called = {0: "is not reached", 1: "is called once"}.get(
                    n_calls, f"is called {n_calls} times"
                )
                raise ValueError(
                    f"Layer {point.name!r} {called} in the forward pass; "
                    "list_layers(module, X) shows the layers that are."
                )
            if point.call is None and n_calls > 1:
                raise ValueError(
                    f"Layer {point.name!r} is called {n_calls} times in a forward pass; "
                    f"choose a call by '{point.name}:0' to '{point.name}:{n_calls - 1}'."
                )


def _description(batch: Batch) -> str:
    named = (*((None, each) for each in batch.arguments), *batch.keywords.items())
    parts = [
        f"{'' if key is None else f'{key}: '}{tuple(t.shape)} {t.dtype}"
        for key, value in named
        for t in parts_of(value)
    ]
    given = f"{'a dict' if batch.is_one_dict else 'a batch'} of {', '.join(parts)}"
    note = f"The module was given {given}; see input_shape."
    if any(t.dtype in (torch.int32, torch.int64) for t in parts_of(batch.arguments)):
        note += " Integers are read as tokens; if they are not, pass X.astype(np.float32)."
    if any(map(_may_be_channels_last, batch.tensors)):
        note += " In torch, channels come first; for arrays: np.moveaxis(X, -1, 1)."
    return note


def _may_be_channels_last(images: Tensor) -> bool:
    colours = (1, 3, 4)
    return (
        images.ndim == 4 and images.shape[3] in colours and images.shape[1] not in colours
    )


def trace(root: nn.Module, batch: Batch) -> list[Call]:
    """Record all calls of submodules in one forward pass, in the order of return.

    A module is a leaf of the trace if it calls no other one. Its children do not show this,
    since a module may own children without calling them.
    """
    names = {module: name for name, module in submodules(root).items()}
    calls: list[Call] = []
    counts: Counter[nn.Module] = Counter()
    # The stack of calls: the module, and whether it has called another one.
    under_way: list[list[Any]] = []

    def begin(module: nn.Module, _arguments: Any) -> None:
        if under_way:
            under_way[-1][1] = True
        under_way.append([module, False])

    def end(module: nn.Module, arguments: Any, keywords: Any, output: Any) -> None:
        # Calls whose error was caught by a module above did not reach their end hook.
        while under_way[-1][0] is not module:
            under_way.pop()
        _, has_called = under_way.pop()
        index, is_leaf = counts[module], not has_called
        calls.append(
            Call(names[module], module, index, is_leaf, arguments, keywords, output)
        )
        counts[module] += 1

    with ExitStack() as hooks:
        for module in names:
            hooks.callback(module.register_forward_pre_hook(begin).remove)
            hooks.callback(module.register_forward_hook(end, with_kwargs=True).remove)
        with torch.inference_mode():
            try:
                batch.call(root)
            except Exception as error:
                error.add_note(_description(batch))
                raise
    return [call._replace(n_calls=counts[call.module]) for call in calls]
