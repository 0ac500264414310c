"""Parameters that users set: LoRA, Adam, sampling, the losses' names. Owns their defaults and ranges."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

import attrs

from tinsmith.core.errors import InputError

LossFnType = Literal[
    "cross_entropy", "importance_sampling", "ppo", "cispo", "dro", "gspo", "stable_reinforce", "custom"
]
"""Losses that the API documents."""


def _require(ok: bool, attribute: attrs.Attribute[Any], value: object, rule: str) -> None:
    if not ok:
        raise InputError(f"must be {rule}, not {value!r}", field=attribute.name)


def _number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _at_least_zero(_: object, attribute: attrs.Attribute[Any], value: float) -> None:
    _require(_number(value) and value >= 0, attribute, value, "a finite number >= 0")


def _above_zero(_: object, attribute: attrs.Attribute[Any], value: float) -> None:
    _require(_number(value) and value > 0, attribute, value, "a finite number > 0")


def _decay(_: object, attribute: attrs.Attribute[Any], value: float) -> None:
    _require(_number(value) and 0 <= value < 1, attribute, value, "in [0, 1)")


def _whole(_: object, attribute: attrs.Attribute[Any], value: int | None) -> None:
    ok = value is None or (isinstance(value, int) and not isinstance(value, bool))
    _require(ok, attribute, value, "a whole number")
    _require(value is None or -(2**63) <= value < 2**63, attribute, value, "a whole number of 64 bits")


@attrs.frozen
class LoraConfig:
    """Shape of a LoRA adapter."""

    rank: int = attrs.field(validator=[_whole, _above_zero])
    """Rank of the two factors, at least 1."""
    seed: int | None = attrs.field(default=None, validator=_whole)
    """Seed of the initial weights; None lets the server draw one."""
    train_unembed: bool = True
    """Adapt the unembedding."""
    train_mlp: bool = True
    """Adapt the MLP projections."""
    train_attn: bool = True
    """Adapt the attention projections."""

    def __attrs_post_init__(self) -> None:
        if not (self.train_unembed or self.train_mlp or self.train_attn):
            raise InputError(
                "at least one of train_unembed, train_mlp and train_attn must be true", field="lora_config"
            )


@attrs.frozen
class AdamParams:
    """One optimizer step."""

    learning_rate: float = attrs.field(default=1e-4, validator=_at_least_zero)
    """Step size, >= 0."""
    beta1: float = attrs.field(default=0.9, validator=_decay)
    """Decay of the first moment, in [0, 1)."""
    beta2: float = attrs.field(default=0.95, validator=_decay)
    """Decay of the second moment, in [0, 1)."""
    eps: float = attrs.field(default=1e-12, validator=_above_zero)
    """Added to the root of the second moment, > 0."""
    weight_decay: float = attrs.field(default=0.0, validator=_at_least_zero)
    """Decoupled weight decay, >= 0."""
    grad_clip_norm: float = attrs.field(default=0.0, validator=_at_least_zero)
    """Largest norm of the whole gradient; 0 turns clipping off."""


@attrs.frozen
class SamplingParams:
    """How tokens are drawn."""

    max_tokens: int | None = attrs.field(default=None, validator=_whole)
    """Most tokens to draw; None leaves it to the server."""
    seed: int | None = attrs.field(default=None, validator=_whole)
    """Seed; None draws one."""
    stop: str | Sequence[str] | Sequence[int] | None = None
    """Text, texts or token ids that end a sequence. None keeps the end-of-sequence token; [] disables all."""
    temperature: float = attrs.field(default=1, validator=_at_least_zero)
    """Divides the logits; 0 is greedy."""
    top_k: int = attrs.field(default=-1, validator=_whole)
    """Draw from the k likeliest tokens; -1 is no limit."""
    top_p: float = attrs.field(default=1, validator=_at_least_zero)
    """Draw from the smallest set of tokens with this much probability, in (0, 1]."""

    def __attrs_post_init__(self) -> None:
        if self.max_tokens is not None and self.max_tokens <= 0:
            raise InputError(f"must be above 0, not {self.max_tokens}", field="max_tokens")
        if not 0 < self.top_p <= 1:
            raise InputError(f"must be in (0, 1], not {self.top_p}", field="top_p")
        if self.top_k == 0 or self.top_k < -1:
            raise InputError(f"must be -1 or above 0, not {self.top_k}", field="top_k")
