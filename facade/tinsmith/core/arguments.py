"""Arguments of calls that the contract describes loosely: labels, optimizers and their steps.

What the contract bounds is checked by `tinsmith_api.arguments`.
"""

from __future__ import annotations

from collections.abc import Mapping

from tinsmith_api.models import (
    AdamOptimizerConfig,
    AdamParams,
    DimuonOptimizerConfig,
    DimuonParams,
    OtherOptimizerConfig,
)

from tinsmith.core.errors import InputError
from tinsmith.core.names import OptimizerConfig


def labels(user_metadata: Mapping[str, str] | None) -> dict[str, str] | None:
    """Return the metadata that a user gives a session, a model or a checkpoint."""
    if user_metadata is None:
        return None
    try:
        return dict(user_metadata)
    except (TypeError, ValueError):
        kind = type(user_metadata).__name__
        raise InputError(f"must be a mapping of names to texts, not {kind}", field="user_metadata") from None


def check_optimizer(optimizer: object) -> None:
    """Refuse what is neither an optimizer's config nor a mapping with a `type`."""
    if not isinstance(optimizer, (AdamOptimizerConfig, DimuonOptimizerConfig, OtherOptimizerConfig)):
        _check_tagged(optimizer, "optimizer", "an optimizer's config")


def optimizer_config(
    optimizer: OptimizerConfig | None,
) -> AdamOptimizerConfig | DimuonOptimizerConfig | OtherOptimizerConfig | None:
    """Return an optimizer as the contract has it; every field of a mapping is kept."""
    if not isinstance(optimizer, Mapping):
        return optimizer
    return OtherOptimizerConfig(
        optimizer["type"], extra={name: part for name, part in optimizer.items() if name != "type"}
    )


def check_step(params: object) -> None:
    """Refuse what is neither the parameters of a step nor a mapping with a `type`."""
    if not isinstance(params, (AdamParams, DimuonParams)):
        _check_tagged(params, "adam_params", "AdamParams or DimuonParams")


def _check_tagged(value: object, field: str, wanted: str) -> None:
    kind = value.get("type") if isinstance(value, Mapping) else None
    if not isinstance(kind, str) or not kind:
        raise InputError(
            f"must be {wanted}, or a mapping with a `type`, not {type(value).__name__}", field=field
        )
