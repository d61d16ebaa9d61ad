"""Poolings: reduce the tokens or places of a layer to one row of features."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["POOLINGS", "Pooling"]


@dataclass(frozen=True)
class Pooling:
    """One way to pool.

    Attributes
    ----------
    name : str
        Name by which users choose it.
    over_tokens : callable or None
        ``over_tokens(tokens, mask)`` reduces a tensor (sample, token, feature), with the
        mask (sample, token) of the tokens that count, to (sample, feature). None keeps all
        values of all tokens, side by side.
    is_for_maps : bool
        Whether it makes sense for maps, whose places have no order.
    """

    name: str
    over_tokens: Callable[[Tensor, Tensor], Tensor] | None
    is_for_maps: bool = True


def _mean(tokens: Tensor, mask: Tensor) -> Tensor:
    import torch

    # Half precision loses digits in sums of many tokens, and integers have no mean.
    tokens = tokens.to(torch.promote_types(tokens.dtype, torch.float32))
    total = tokens.masked_fill(~mask[..., None], 0).sum(1)
    return total / mask.sum(1, keepdim=True)


def _maximum(tokens: Tensor, mask: Tensor) -> Tensor:
    import torch

    lowest = -torch.inf if tokens.is_floating_point() else torch.iinfo(tokens.dtype).min
    return tokens.masked_fill(~mask[..., None], lowest).amax(1)


def _first(tokens: Tensor, mask: Tensor) -> Tensor:
    return _token_at(_places(mask).masked_fill(~mask, mask.shape[1]).amin(1), tokens)


def _last(tokens: Tensor, mask: Tensor) -> Tensor:
    return _token_at(_places(mask).masked_fill(~mask, -1).amax(1), tokens)


def _places(mask: Tensor) -> Tensor:
    import torch

    return torch.arange(mask.shape[1], device=mask.device).expand_as(mask)


def _token_at(place: Tensor, tokens: Tensor) -> Tensor:
    import torch

    return tokens[torch.arange(len(tokens), device=tokens.device), place]


POOLINGS: dict[str, Pooling] = {
    pooling.name: pooling
    for pooling in (
        Pooling("flatten", None),
        Pooling("mean", _mean),
        Pooling("max", _maximum),
        Pooling("cls", _first, is_for_maps=False),
        Pooling("last", _last, is_for_maps=False),
    )
}
