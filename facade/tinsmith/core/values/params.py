"""Parameters that users set: LoRA, Adam, sampling, the losses' names. Owns their defaults and ranges."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import attrs

from tinsmith.core.errors import InputError
from tinsmith.core.values.numbers import above_zero, at_least_zero, below_one, require
from tinsmith.core.values.ownership import own_fields
from tinsmith.core.values.value import Value

LossFnType = Literal[
    "cross_entropy", "importance_sampling", "ppo", "cispo", "dro", "gspo", "stable_reinforce", "custom"
]
"""Losses that the API documents; servers have others, which go out under their own names."""


def _probability(_: object, attribute: attrs.Attribute[Any], value: float) -> None:
    require(0 < value <= 1, attribute, value, "in (0, 1]")


def _top_k(_: object, attribute: attrs.Attribute[Any], value: int) -> None:
    require(value == -1 or value > 0, attribute, value, "-1 or above 0")


def _flag(_: object, attribute: attrs.Attribute[Any], value: bool) -> None:
    require(isinstance(value, bool), attribute, value, "true or false")


@attrs.frozen(field_transformer=own_fields)
class LoraConfig(Value):
    """Shape of a LoRA adapter."""

    rank: int = attrs.field(validator=above_zero)
    """Rank of the two factors, at least 1."""
    seed: int | None = None
    """Seed of the initial weights; None lets the server draw one."""
    train_unembed: bool = attrs.field(default=True, validator=_flag)
    """Adapt the unembedding."""
    train_mlp: bool = attrs.field(default=True, validator=_flag)
    """Adapt the MLP projections."""
    train_attn: bool = attrs.field(default=True, validator=_flag)
    """Adapt the attention projections."""

    def __attrs_post_init__(self) -> None:
        if not (self.train_unembed or self.train_mlp or self.train_attn):
            raise InputError(
                "at least one of train_unembed, train_mlp and train_attn must be true", field="lora_config"
            )


@attrs.frozen(field_transformer=own_fields)
class AdamParams(Value):
    """One optimizer step."""

    learning_rate: float = attrs.field(default=1e-4, validator=at_least_zero)
    """Step size, >= 0."""
    beta1: float = attrs.field(default=0.9, validator=below_one)
    """Decay of the first moment, in [0, 1)."""
    beta2: float = attrs.field(default=0.95, validator=below_one)
    """Decay of the second moment, in [0, 1)."""
    eps: float = attrs.field(default=1e-12, validator=above_zero)
    """Added to the root of the second moment, > 0."""
    weight_decay: float = attrs.field(default=0.0, validator=at_least_zero)
    """Decoupled weight decay, >= 0."""
    grad_clip_norm: float = attrs.field(default=0.0, validator=at_least_zero)
    """Largest norm of the whole gradient; 0 turns clipping off."""


@attrs.frozen(field_transformer=own_fields)
class SamplingParams(Value):
    """How tokens are drawn."""

    max_tokens: int | None = attrs.field(default=None, validator=above_zero)
    """Most tokens to draw; None leaves it to the server."""
    seed: int | None = None
    """Seed; None draws one."""
    stop: str | Sequence[str] | Sequence[int] | None = None
    """Text, texts or token ids that end a sequence. None keeps the end-of-sequence token; [] disables all."""
    temperature: float = attrs.field(default=1, validator=at_least_zero)
    """Divides the logits; 0 is greedy."""
    top_k: int = attrs.field(default=-1, validator=_top_k)
    """Draw from the k likeliest tokens; -1 is no limit."""
    top_p: float = attrs.field(default=1, validator=_probability)
    """Draw from the smallest set of tokens with this much probability, in (0, 1]."""
