# Written by codegen.sh from openapi/runtime/arguments.py. Do not edit.
"""Parameters and fields of an operation, checked against the contract's bounds before anything is sent.

Each check returns the value as it will be sent.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

import attrs

from .bounds import BOUNDS, Bounds
from .conversion import parse_time
from .errors import InputError
from .numbers import finite_number, whole_number
from .paths import check_tinker_path


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
    """Return a value as it will be sent; InputError if it is out of bounds."""
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
    except InputError:
        pass
    else:
        fits = (low is None or number >= low) and (high is None or number <= high)
        if fits and (above is None or number > above) and (below is None or number < below):
            return number
    ends = (">=", "<=") if None in (low, high) else ("from", "to")
    limits = ((ends[0], low), (">", above), (ends[1], high), ("<", below))
    allowed = "".join(f" {word} {limit}" for word, limit in limits if limit is not None)
    raise InputError(f"must be {what}{allowed}, not {value!r:.100}", field=field)


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
    """Return a time as a query has it: UTC, to the second."""
    try:
        when = parse_time(value if isinstance(value, str) else value.isoformat()).astimezone(UTC)
    except (AttributeError, TypeError, ValueError, OverflowError):
        raise InputError(f"is no ISO 8601 time: {value!r:.100}", field=field) from None
    if bound.granularity == "hour" and (when.minute, when.second, when.microsecond) != (0, 0, 0):
        raise InputError(f"must be a full hour, not {value}", field=field)
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


def _day(value: Any, field: str) -> str:
    """Return a day as a query has it; of a time, its day."""
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
        allowed = f"at least {least}" if len(value) < least else f"at most {most}"
        raise InputError(f"must have {allowed} entries, not {len(value)}", field=field)
    if bound.items is None:
        return list(value)
    return [fitted(each, bound.items, f"{field}[{index}]") for index, each in enumerate(value)]
