"""Masks of the tokens that count, of a network's input and of its decoder.

If a decoder receives the tokens of another text, two masks mark the tokens that are not
padding. Layers of the decoder are pooled by its own mask, all others by the encoder's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from .inputs import DECODER_MASK, MASK, Batch
from .modules import is_leaf, submodules

__all__ = ["Streams", "TokenMasks"]

_NO_LABEL = -100  # of unlabelled tokens, as in torch's losses
_STATES = "encoder_hidden_states"  # what decoders of Transformers call the encoder's output


class TokenMasks:
    """The token masks of a batch, by the names of the inputs.

    Parameters
    ----------
    batch : Batch
        The batch.
    streams : Streams
        The network's encoder and decoder.
    """

    def __init__(self, batch: Batch, streams: Streams) -> None:
        self._inputs, self._streams = batch.keywords, streams

    def __getitem__(self, name: str) -> Tensor | None:
        """Get the mask of a stream of tokens, True for those that count; None for all."""
        return self._of_decoder if name == DECODER_MASK else self._given(MASK)

    def fitting(self, name: str, shape: Sequence[int]) -> str:
        """Return the other stream if only that has this number of tokens.

        Raises
        ------
        ValueError
            If there is a mask for a decoder, but no part of the network is called that.
        """
        other = MASK if name == DECODER_MASK else DECODER_MASK
        if not self._streams.are_two and DECODER_MASK not in self._inputs:
            return name
        if not _fits(self[name], shape):
            return other if self[other] is not None and _fits(self[other], shape) else name
        if not self._streams.are_two and _fits(self[other], shape):
            raise ValueError(
                f"X has a {DECODER_MASK}, but no part of the network is called 'decoder', "
                "so it is unknown which layers have its tokens; leave it out, and pool by "
                "output=, a function."
            )
        return name

    def arrays(self) -> dict[str, np.ndarray]:
        """Copy the masks that there are."""
        found = {name: self[name] for name in (MASK, DECODER_MASK)}
        return {
            name: mask.cpu().numpy() for name, mask in found.items() if mask is not None
        }

    def _given(self, name: str) -> Tensor | None:
        mask = self._inputs.get(name)
        if mask is None or mask.ndim != 2:
            return None
        if (mask < 0).any():
            raise ValueError(f"{name} must be 1 for tokens and 0 for padding.")
        return mask.bool()

    @cached_property
    def _of_decoder(self) -> Tensor | None:
        """The given mask, or one derived from the decoder's tokens.

        Without a mask, padding is what follows the last other token. Decoders are causal,
        so it does not affect the tokens before it. The first token starts a text; some
        models use the padding token for that.
        """
        mask = self._given(DECODER_MASK)
        if mask is not None or not self._streams.are_two:
            return mask
        inputs, padding = self._inputs, self._streams.padding
        ids, labels = inputs.get("decoder_input_ids"), inputs.get("labels")
        if ids is not None:
            return _to_the_last(ids != padding) if padding is not None else None
        if "decoder_inputs_embeds" in inputs:
            return None
        if labels is not None and labels.ndim == 2:
            # The decoder receives a start token and all labels but the last.
            return _to_the_last((labels != _NO_LABEL) & (labels != padding))
        return self._of_shifted_inputs(self._given(MASK))

    def _of_shifted_inputs(self, mask: Tensor | None) -> Tensor | None:
        """The mask if the decoder receives the encoder's tokens, shifted by one place."""
        if mask is not None and not mask[:, 0].all():
            raise ValueError(
                "The tokens of the decoder are made from input_ids, whose padding comes "
                "first and is not masked in the decoder; pad on the right, or pass "
                f"decoder_input_ids and {DECODER_MASK}."
            )
        return mask


def _fits(mask: Tensor | None, shape: Sequence[int]) -> bool:
    return mask is None or mask.shape == tuple(shape[:2])


def _to_the_last(is_token: Tensor) -> Tensor:
    """Mark all places up to the last token, and the first place."""
    counted = is_token.flip(1).cumsum(1).flip(1) > 0
    counted[:, 0] = True
    return counted


class Streams:
    """Distinguish the tokens of a decoder from those of its encoder during a pass.

    Values computed before the decoder starts, or by a layer that reads the encoder's output
    directly, such as the keys and values of attention, are tokens of the encoder.

    Parameters
    ----------
    root : Module
        The network.
    batch : Batch
        Some of its samples.
    """

    def __init__(self, root: nn.Module, batch: Batch) -> None:
        config = getattr(root, "config", None)
        self.padding = getattr(config, "pad_token_id", None)
        given = any(name.startswith("decoder_") for name in batch.keywords)
        self._encoder = self._decoder = None
        if given or getattr(config, "is_encoder_decoder", False):
            self._encoder, self._decoder = _part(root, "encoder"), _part(root, "decoder")
        self.begin()

    @property
    def are_two(self) -> bool:
        """Whether there is a decoder with tokens of its own."""
        return self._decoder is not None

    def begin(self) -> None:
        """Forget the pass before."""
        self._has_begun = False
        # Keep the tensors, so that their memory is not reused meanwhile.
        self._encoded: dict[tuple[Any, ...], Tensor] = {}

    def watch(self) -> list[RemovableHandle]:
        """Register the hooks that follow a pass."""
        if self._decoder is None:
            return []
        decoder = self._decoder.register_forward_pre_hook(self._enter, with_kwargs=True)
        if self._encoder is None:
            return [decoder]
        return [decoder, self._encoder.register_forward_hook(self._leave)]

    def _enter(self, _module: nn.Module, _arguments: Any, keywords: Any) -> None:
        self._has_begun = True
        self._encoded |= _by_place(keywords.get(_STATES))

    def _leave(self, _module: nn.Module, _arguments: Any, output: Any) -> None:
        self._encoded |= _by_place(output)

    def name_of(self, tensor: Tensor, module: nn.Module, arguments: Any) -> str:
        """Name the mask of the tokens in an output of a module.

        Parameters
        ----------
        tensor : Tensor
            Tensor read from the output.
        module : Module
            The module.
        arguments : tuple
            What it was called with.

        Returns
        -------
        name : str
            Name of the mask among the network's inputs.
        """
        if not self._has_begun or self._is_encoded(tensor):
            return MASK
        reads_encoder = is_leaf(module) and self._is_encoded(arguments[:1])
        return MASK if reads_encoder else DECODER_MASK

    def _is_encoded(self, value: Any) -> bool:
        return not self._encoded.keys().isdisjoint(_by_place(value))


def _part(root: nn.Module, name: str) -> nn.Module | None:
    """Find the outermost submodule of a name."""
    found = [path for path in submodules(root) if path.split(".")[-1] == name]
    return (
        root.get_submodule(min(found, key=lambda path: path.count("."))) if found else None
    )


def _by_place(value: Any) -> dict[tuple[Any, ...], Tensor]:
    """Key the tensors in a value by their location and layout in memory."""
    if isinstance(value, Tensor):
        return {(value.data_ptr(), tuple(value.shape), value.stride()): value}
    if isinstance(value, Mapping):
        value = tuple(value.values())
    parts = value if isinstance(value, tuple | list) else ()
    return {place: tensor for part in parts for place, tensor in _by_place(part).items()}
