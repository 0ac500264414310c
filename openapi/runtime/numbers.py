"""Numbers as users give them, for fields of values: of any library, kept as Python's own.

Owns what counts as a number, and the ranges that fields share.
"""

from __future__ import annotations

import math
from numbers import Integral, Real
from operator import index as index_of
from typing import Any

import attrs

from .errors import InputError

WORD = 2**63
"""Whole numbers are sent as 64 bits with a sign."""


def whole_number(value: Any, field: str | None = None) -> int:
    """Take an int, or a scalar of another library that is whole by type; return Python's int."""
    if type(value) is int and -WORD <= value < WORD:
        return value
    try:
        if _is_flag(value):
            raise TypeError
        number = index_of(value)
    except TypeError:
        raise InputError(f"must be a whole number, not {value!r:.100}", field=field) from None
    if not -WORD <= number < WORD:
        raise InputError(f"must be a whole number of 64 bits, not {value!r:.100}", field=field)
    return number


def real_number(value: Any, field: str | None = None) -> float:
    """Take a number of any library, be it infinite; return Python's, an int where it was whole by type."""
    if type(value) is float:
        return value
    kind = type(value)
    if hasattr(kind, "__index__") and not _is_flag(value):
        try:
            return whole_number(value, field)
        except InputError:  # an array has the method too, and numbers of more bits have a float
            pass
    if hasattr(kind, "__float__") and not _is_flag(value):
        try:
            return float(value)
        except (TypeError, ValueError, OverflowError):
            pass
    raise InputError(f"must be a number, not {value!r:.100}", field=field)


def finite_number(value: Any, field: str | None = None) -> float:
    """Take a finite number of any library; return Python's, an int where it was whole by type."""
    try:
        number = real_number(value, field)
    except InputError:
        number = math.nan
    if not math.isfinite(number):
        raise InputError(f"must be a finite number, not {value!r:.100}", field=field)
    return number


def as_whole(value: Any, field: str | None = None) -> int:
    """Take a whole number in any form that configurations have: 16, "16", 16.0 and "1.6e1" are one number."""
    if type(value) is int:
        return whole_number(value, field)
    read = _read(value) if isinstance(value, str) else value
    if isinstance(read, Real) and not isinstance(read, Integral) and math.isfinite(read):
        whole = math.floor(read)
        read = whole if read == whole else read
    return whole_number(read, field)


def as_number(value: Any, field: str | None = None) -> float:
    """Take a number, be it infinite, or its text."""
    return real_number(_read(value) if isinstance(value, str) else value, field)


def as_finite(value: Any, field: str | None = None) -> float:
    """Take a finite number, or its text: readers of YAML return `1e-5` as text."""
    return finite_number(_read(value) if isinstance(value, str) else value, field)


def as_flag(value: Any, field: str | None = None) -> bool:
    """Take true or false, of any library."""
    if not _is_flag(value):
        raise InputError(f"must be true or false, not {value!r:.100}", field=field)
    return bool(value)


def _is_flag(value: object) -> bool:
    return type(value).__name__.startswith("bool")


def _read(text: str) -> int | float | str:
    """Return the number that a text spells, or the text."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return text


def require(ok: bool, attribute: attrs.Attribute[Any], value: object, rule: str) -> None:
    """Refuse the value of a field; the error names the field and its rule."""
    if not ok:
        raise InputError(f"must be {rule}, not {value!r}", field=attribute.name)


def unchanged(_: object, attribute: attrs.Attribute[Any], value: object) -> None:
    """Validate a tag: it has one value."""
    require(value == attribute.default, attribute, value, repr(attribute.default))


def at_least_zero(_: object, attribute: attrs.Attribute[Any], value: float) -> None:
    """Validate a field that is not negative."""
    require(value >= 0, attribute, value, ">= 0")


def above_zero(_: object, attribute: attrs.Attribute[Any], value: float | None) -> None:
    """Validate a field that is positive, or None."""
    require(value is None or value > 0, attribute, value, "> 0")
