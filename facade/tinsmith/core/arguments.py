"""Arguments of calls, checked before anything is sent: by the contract's bounds, or by rules beside it.

Each check returns the argument as it will be sent.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

import attrs
from tinsmith_api.bounds import BOUNDS, Bounds
from tinsmith_api.conversion import parse_time
from tinsmith_api.models import (
    AdamOptimizerConfig,
    AdamParams,
    DimuonOptimizerConfig,
    DimuonParams,
    OtherOptimizerConfig,
)
from tinsmith_api.numbers import finite_number, whole_number

from tinsmith.core.addresses import check_tinker_path
from tinsmith.core.errors import InputError
from tinsmith.core.names import OptimizerConfig


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
    """Refuse what are no parameters of a step."""
    if not isinstance(params, (AdamParams, DimuonParams)):
        _check_tagged(params, "adam_params", "AdamParams or DimuonParams")


def _check_tagged(value: object, field: str, wanted: str) -> None:
    kind = value.get("type") if isinstance(value, Mapping) else None
    if not isinstance(kind, str) or not kind:
        raise InputError(
            f"must be {wanted}, or a mapping with a `type`, not {type(value).__name__}", field=field
        )


def checked(operation: str, given: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """Check parameters or fields of an operation against the contract, and return them as they will be sent.

    None is left out where the contract does not ask for the value. `names` says what the caller calls a
    parameter: errors name it so.
    """
    bounds = BOUNDS.get(operation, {})
    found: dict[str, Any] = {}
    for name, value in given.items():
        bound, field = bounds.get(name), names.get(name, name)
        if value is None:
            if bound is not None and bound.required:
                if not bound.null:
                    raise InputError("must be given, not None", field=field)
                found[name] = None
        else:
            found[name] = value if bound is None else fitted(value, bound, field)
    return found


def fitted(value: Any, bound: Bounds, field: str) -> Any:
    """Return a value as it will be sent, or raise what the contract has against it."""
    kind = bound.kind
    if kind == "integer":
        return _ranged(value, whole_number, bound, field, "a whole number")
    if kind == "number":
        return _ranged(value, finite_number, bound, field, "a finite number")
    if kind == "string":
        return _text(value, bound, field)
    if kind == "tinker-path":
        return check_tinker_path(value, field)
    if kind == "date-time":
        return _moment(value, bound, field)
    if kind == "date":
        return _day(value, field)
    if kind == "boolean" and type(value) is not bool:
        raise InputError(f"must be True or False, not {value!r}", field=field)
    if kind == "array":
        return _entries(value, bound, field)
    if kind == "object" and not isinstance(value, Mapping) and not attrs.has(type(value)):
        raise InputError(f"must be a mapping of names to texts, not {type(value).__name__}", field=field)
    return dict(value) if isinstance(value, Mapping) else value


def _ranged(value: Any, read: Callable[[Any, str], float], bound: Bounds, field: str, what: str) -> float:
    low, above, high, below = bound.minimum, bound.above, bound.maximum, bound.below
    try:
        number = read(value, field)
        fits = (low is None or number >= low) and (high is None or number <= high)
        fits = fits and (above is None or number > above) and (below is None or number < below)
    except InputError:
        fits = False
    if fits:
        return number
    ends = (">=", "<=") if None in (low, high) else ("from", "to")
    limits = ((ends[0], low), (">", above), (ends[1], high), ("<", below))
    told = "".join(f" {word} {limit}" for word, limit in limits if limit is not None)
    raise InputError(f"must be {what}{told}, not {value!r:.100}", field=field)


def _text(value: Any, bound: Bounds, field: str) -> str:
    if bound.choices is not None:
        if value not in bound.choices:
            raise InputError(f"must be one of {', '.join(bound.choices)}, not {value!r:.100}", field=field)
        return str(value)
    fits = isinstance(value, str) and (bound.pattern is None or re.search(_to_the_end(bound.pattern), value))
    if not fits and bound.shape is not None:
        raise InputError(f"{value!r:.300} is no {bound.shape}", field=field)
    if not isinstance(value, str):
        raise InputError(f"must be text, not {type(value).__name__}", field=field)
    if not fits:
        raise InputError(f"must match {bound.pattern}, not {value!r:.300}", field=field)
    if len(value) < (bound.min_length or 0):
        raise InputError("must be text, and not empty", field=field)
    if bound.max_length is not None and len(value) > bound.max_length:
        raise InputError(f"must have at most {bound.max_length} characters, not {len(value)}", field=field)
    return value


def _to_the_end(pattern: str) -> str:
    """Return a pattern of the contract for Python, where `$` matches before a last line break too."""
    return f"{pattern[:-1]}\\Z" if pattern.endswith("$") else pattern


def _moment(value: Any, bound: Bounds, field: str) -> str:
    """Return a moment as a query has it: UTC, to the second."""
    try:
        when = parse_time(value if isinstance(value, str) else value.isoformat()).astimezone(UTC)
    except (AttributeError, TypeError, ValueError, OverflowError):
        raise InputError(f"is no ISO 8601 time: {value!r:.100}", field=field) from None
    if bound.granularity == "hour" and (when.minute, when.second, when.microsecond) != (0, 0, 0):
        raise InputError(f"must be a full hour, not {value}", field=field)
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


def _day(value: Any, field: str) -> str:
    """Return a day of UTC as a query has it; a time stands for its day."""
    try:
        if isinstance(value, date) and not isinstance(value, datetime):
            return value.isoformat()
        return parse_time(value if isinstance(value, str) else value.isoformat()).date().isoformat()
    except (AttributeError, TypeError, ValueError, OverflowError):
        raise InputError(f"is no day such as 2026-11-22: {value!r:.100}", field=field) from None


def _entries(value: Any, bound: Bounds, field: str) -> list[Any]:
    if isinstance(value, (str, bytes)) or not isinstance(value, Sequence):
        raise InputError(f"must be a list, not {type(value).__name__}", field=field)
    least, most = bound.min_items or 0, bound.max_items
    if len(value) < least or (most is not None and len(value) > most):
        told = f"at least {least}" if len(value) < least else f"at most {most}"
        raise InputError(f"must have {told} entries, not {len(value)}", field=field)
    if bound.items is None:
        return list(value)
    return [fitted(each, bound.items, f"{field}[{index}]") for index, each in enumerate(value)]
