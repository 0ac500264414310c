"""Optimizers beside Adam: how a model's optimizer is chosen, and what one step of it takes.

Owns their fields. Kinds that this version does not know are mappings with a `type`, sent as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import attrs

from tinsmith.core.errors import InputError
from tinsmith.core.values.numbers import above_zero, at_least_zero, below_one, unchanged
from tinsmith.core.values.ownership import own_fields
from tinsmith.core.values.params import AdamParams
from tinsmith.core.values.value import Value


@attrs.frozen(field_transformer=own_fields)
class AdamOptimizerConfig(Value):
    """Train a model with Adam, the default."""

    type: Literal["adamw"] = attrs.field(default="adamw", validator=unchanged)
    """Tag of this kind."""


@attrs.frozen(field_transformer=own_fields)
class DimuonOptimizerConfig(Value):
    """Train a model with Dimuon."""

    version: int = attrs.field(default=1, validator=above_zero)
    """Version of the optimizer."""
    type: Literal["dimuon"] = attrs.field(default="dimuon", validator=unchanged)
    """Tag of this kind."""


@attrs.frozen(field_transformer=own_fields)
class DimuonParams(Value):
    """One step of Dimuon."""

    learning_rate: float = attrs.field(validator=at_least_zero)
    """Step size, >= 0."""
    grad_clip_norm: float = attrs.field(default=0.0, validator=at_least_zero)
    """Largest norm of the whole gradient; 0 turns clipping off."""
    beta1: float = attrs.field(default=0.9, validator=below_one)
    """Decay of the gradient's average, in [0, 1)."""
    type: Literal["dimuon"] = attrs.field(default="dimuon", validator=unchanged)
    """Tag of this kind."""


OptimizerConfig = AdamOptimizerConfig | DimuonOptimizerConfig | Mapping[str, Any]
"""Which optimizer a model has; a mapping with a `type` for kinds that are not known here."""

OptimParams = AdamParams | DimuonParams | Mapping[str, Any]
"""One step of an optimizer; a mapping with a `type` for kinds that are not known here."""


def check_optimizer(optimizer: object) -> None:
    """Refuse what names no kind of optimizer."""
    if not isinstance(optimizer, (AdamOptimizerConfig, DimuonOptimizerConfig)):
        _check_tagged(optimizer, "optimizer", "an optimizer's config")


def check_step(params: object) -> None:
    """Refuse what are no parameters of a step."""
    if not isinstance(params, (AdamParams, DimuonParams)):
        _check_tagged(params, "adam_params", "AdamParams or DimuonParams")


def _check_tagged(value: object, field: str, wanted: str) -> None:
    kind = value.get("type") if isinstance(value, Mapping) else None
    if not isinstance(kind, str) or not kind:
        raise InputError(
            f"must be {wanted}, or a mapping with a `type`, not {type(value).__name__}", field=field
        )
