"""Owns one training example as arrays, its checks against a model's shape and a loss, and their error."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import attrs
import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from tinsmith_local.engine.config import ModelConfig

Tokens = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]


class ExampleError(ValueError):
    """A datum or a prompt that the engine cannot compute; names its index and its field."""

    def __init__(self, message: str, *, index: int | None = None, field: str | None = None) -> None:
        place = "".join([f"datum {index}: " if index is not None else "", f"{field}: " if field else ""])
        super().__init__(place + message)
        self.reason = message
        self.index = index
        self.field = field


@attrs.frozen(kw_only=True, eq=False)
class ImageSpan:
    """Positions whose embedding comes from image patches instead of a token."""

    start: int
    """First position in the sequence."""
    patches: Floats
    """[positions, patch_dim]."""


@attrs.frozen(kw_only=True, eq=False)
class Example:
    """One datum. Position i of every per-token array speaks of the token that follows position i."""

    tokens: Tokens
    """[N] input tokens; 0 at positions covered by `images`."""
    targets: Tokens
    """[N], or [N, K] for cross_entropy with several weighted targets a position."""
    weights: Floats | None = None
    """Shape of `targets`; cross_entropy."""
    logprobs: Floats | None = None
    """[N], the sampler's logprobs; policy losses."""
    advantages: Floats | None = None
    """[N]; policy losses."""
    mask: Floats | None = None
    """[N] `sequence_ratio_mask` of gspo, or None."""
    images: tuple[ImageSpan, ...] = attrs.field(default=())
    """Image positions, in order, not overlapping."""


def check_tokens(
    tokens: Tokens,
    images: tuple[ImageSpan, ...],
    config: ModelConfig,
    *,
    field: str,
    index: int | None = None,
) -> None:
    """Raise ExampleError unless the model can read these tokens and images."""
    fail = partial(ExampleError, index=index, field=field)
    if tokens.ndim != 1 or len(tokens) == 0:
        raise fail("needs at least one token in one dimension")
    if len(tokens) > config.max_context:
        raise fail(f"{len(tokens)} tokens exceed the model's context of {config.max_context}")
    _check_range(tokens, config.vocab_size, index=index, field=field)
    if images and not config.patch_dim:
        raise fail(f"{config.name} reads text only")
    end = 0
    for span in images:
        if span.start < end or span.patches.ndim != 2 or span.patches.shape[1] != config.patch_dim:
            raise fail("image patches overlap or have the wrong width")
        end = span.start + len(span.patches)
        if end > len(tokens) or not np.isfinite(span.patches).all():
            raise fail("image patches do not fit the sequence or are not finite")


def check_example(example: Example, needs: tuple[str, ...], config: ModelConfig, index: int) -> None:
    """Raise ExampleError naming the datum and the field unless a loss with these needs can be computed."""
    check_tokens(example.tokens, example.images, config, field="model_input", index=index)
    length, targets = len(example.tokens), example.targets
    several = "weights" in needs
    if len(targets) != length or targets.ndim not in ((1, 2) if several else (1,)) or targets.size == 0:
        raise ExampleError(
            f"target_tokens has shape {targets.shape}, the input has {length} tokens",
            index=index,
            field="target_tokens",
        )
    _check_range(targets, config.vocab_size, index=index, field="target_tokens")
    fields = {"weights": targets.shape, "logprobs": (length,), "advantages": (length,), "mask": (length,)}
    for name, shape in fields.items():
        values: Floats | None = getattr(example, name)
        public = "sequence_ratio_mask" if name == "mask" else name
        if values is None:
            if name in needs:
                raise ExampleError("is missing", index=index, field=public)
            continue
        if values.shape != shape:
            raise ExampleError(f"has shape {values.shape}, expected {shape}", index=index, field=public)
        if not np.isfinite(values).all():
            raise ExampleError("holds NaN or infinity", index=index, field=public)


def _check_range(tokens: Tokens, vocab_size: int, *, index: int | None, field: str) -> None:
    low, high = int(tokens.min()), int(tokens.max())
    if low < 0 or high >= vocab_size:
        wrong = low if low < 0 else high
        raise ExampleError(
            f"token {wrong} is outside the vocabulary of {vocab_size}", index=index, field=field
        )
