"""JSON bytes of plain values, arrays and scalars of any library.

Owns what is a number to us, and the name of the field that cannot be written.
"""

from __future__ import annotations

from typing import Any

import orjson

from tinsmith.core.errors import InputError


def dumps(value: Any, datum: int | None = None) -> bytes:
    """Write JSON; an error names the field, and the datum if one is given."""
    try:
        return orjson.dumps(
            value, default=_plain, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS
        )
    except TypeError as cause:
        field = _culprit(value)
        raise InputError(f"cannot be written as JSON: {cause}", datum=datum, field=field or None) from cause


def _plain(value: Any) -> Any:
    """Return what orjson does not take by itself as lists and numbers: strided arrays, ranges, tensors."""
    if isinstance(value, range):
        return list(value)
    try:
        return value.tolist()
    except AttributeError:
        raise TypeError from None


def _culprit(value: Any) -> str:
    """Name the first field in which something cannot be written, by its path."""
    if isinstance(value, dict):
        parts = [(str(name), part) for name, part in value.items()]
    elif isinstance(value, list) and any(isinstance(part, dict) for part in value):
        parts = [(f"[{index}]", part) for index, part in enumerate(value)]
    else:
        return ""
    for name, part in parts:
        try:
            dumps(part)
        except InputError as error:
            inner = error.field or ""
            return name + (inner if inner.startswith("[") or not inner else f".{inner}")
    return ""  # a key, not a value
