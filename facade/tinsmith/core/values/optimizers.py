"""Which optimizers there are beside Adam: what users pass for one, and what is checked of it.

Kinds that this version does not know are mappings with a `type`, sent as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tinsmith_api.models import (
    AdamOptimizerConfig,
    AdamParams,
    DimuonOptimizerConfig,
    DimuonParams,
    OtherOptimizerConfig,
)

from tinsmith.core.errors import InputError

OptimizerConfig = AdamOptimizerConfig | DimuonOptimizerConfig | OtherOptimizerConfig | Mapping[str, Any]
"""Which optimizer a model has; a mapping with a `type` for kinds that are not known here."""

OptimParams = AdamParams | DimuonParams | Mapping[str, Any]
"""One step of an optimizer; a mapping with a `type` for kinds that are not known here."""


def check_optimizer(optimizer: object) -> None:
    """Refuse what names no kind of optimizer."""
    if not isinstance(optimizer, (AdamOptimizerConfig, DimuonOptimizerConfig, OtherOptimizerConfig)):
        _check_tagged(optimizer, "optimizer", "an optimizer's config")


def as_config(
    optimizer: OptimizerConfig | None,
) -> AdamOptimizerConfig | DimuonOptimizerConfig | OtherOptimizerConfig | None:
    """Return an optimizer as the contract has it; every field of a mapping is kept."""
    if not isinstance(optimizer, Mapping):
        return optimizer
    return OtherOptimizerConfig(
        optimizer["type"], extra={name: part for name, part in optimizer.items() if name != "type"}
    )


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
