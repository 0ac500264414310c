"""Arguments of calls that neither the contract nor a value checks: counts, labels, settings of a loss.

Each check returns the argument as it will be sent.
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
from tinsmith_api.numbers import finite_number, whole_number

from tinsmith.core.errors import InputError
from tinsmith.core.values.names import OptimizerConfig


def count(value: Any, field: str, least: int = 0) -> int:
    """Return a whole number that is at least `least`."""
    try:
        number = whole_number(value, field)
    except InputError:
        number = least - 1
    if number < least:
        raise InputError(f"must be a whole number >= {least}, not {value!r}", field=field)
    return number


def loss_settings(settings: Mapping[str, Any] | None) -> dict[str, float | str] | None:
    """Return the settings of a loss: numbers and texts by name."""
    if settings is None:
        return None
    if not isinstance(settings, Mapping):
        kind = type(settings).__name__
        raise InputError(
            f"must be a mapping of names to numbers or texts, not a {kind}", field="loss_fn_config"
        )
    for name in settings:
        if not isinstance(name, str):
            raise InputError(
                f"the name {name!r} is a {type(name).__name__}, not a text", field="loss_fn_config"
            )
    return {
        name: value if isinstance(value, str) else _setting(f"loss_fn_config.{name}", value)
        for name, value in settings.items()
    }


def _setting(field: str, value: Any) -> float:
    try:
        return finite_number(value, field)
    except InputError:
        raise InputError(f"must be a finite number or text, not {value!r:.100}", field=field) from None


def labels(user_metadata: Mapping[str, str] | None) -> dict[str, str] | None:
    """Return what a user attaches to a thing on the server."""
    if user_metadata is None:
        return None
    try:
        return dict(user_metadata)
    except (TypeError, ValueError):
        kind = type(user_metadata).__name__
        raise InputError(f"must be a mapping of names to texts, not {kind}", field="user_metadata") from None


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
