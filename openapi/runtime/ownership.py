"""What values keep of what they are given: copies of their own, so that its owner may use it again.

Owns how lists, mappings and arrays are copied.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import NoneType
from typing import Any, TypeGuard

_UNCHANGING = frozenset({NoneType, str, int, float, bool, bytes, datetime})
"""Types of values that nobody can change, to the letter."""


def is_array(value: object) -> TypeGuard[Any]:
    """Tell whether a value is a numpy array, without importing numpy."""
    return type(value).__module__ == "numpy" and type(value).__name__ == "ndarray"


def own_array(array: Any) -> Any:
    """Return an array that nobody else writes to: as it is where that is so already, else a frozen copy."""
    if not array.flags.writeable and (array.flags.owndata or type(array.base) is bytes):
        return array
    kept = array.copy()
    kept.setflags(write=False)
    return kept


def own(value: Any) -> Any:
    """Copy lists, mappings and arrays at every depth; what cannot change, and other values, stay."""
    kind = type(value)
    if kind in _UNCHANGING:
        return value
    if kind is list:
        return [own(item) for item in value]
    if isinstance(value, Mapping):
        return {name: own(part) for name, part in value.items()}
    if isinstance(value, tuple):
        return tuple(map(own, value))
    if is_array(value):
        return own_array(value)
    if isinstance(value, (bytearray, memoryview)):
        return bytes(value)
    if isinstance(value, (set, frozenset)):
        return frozenset(value)
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes, range)):
        return [own(item) for item in value]
    return value
