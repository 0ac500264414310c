"""What values keep of what they are given: copies of their own, so that its owner may use it again.

Owns how lists, mappings and arrays are copied, and how the fields of a value are converted by their types.
"""

from __future__ import annotations

from ast import literal_eval
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from types import NoneType
from typing import Any

import attrs

from .errors import InputError
from .numbers import as_finite, as_flag, as_whole

_UNCHANGING = frozenset({NoneType, str, int, float, bool, bytes, datetime})
"""Types of values that nobody can change, to the letter."""


def is_array(value: object) -> bool:
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


def own_flat(value: Any) -> Any:
    """Copy a list of numbers or texts, which cannot change themselves."""
    return value.copy() if type(value) is list else own(value)


def _whole(value: Any, field: attrs.Attribute[Any]) -> int:
    return as_whole(value, field.name)


def _whole_or_none(value: Any, field: attrs.Attribute[Any]) -> int | None:
    return None if value is None else as_whole(value, field.name)


def _finite(value: Any, field: attrs.Attribute[Any]) -> float:
    return as_finite(value, field.name)


def _finite_or_none(value: Any, field: attrs.Attribute[Any]) -> float | None:
    return None if value is None else as_finite(value, field.name)


def _flag(value: Any, field: attrs.Attribute[Any]) -> bool:
    return as_flag(value, field.name)


def _flag_or_none(value: Any, field: attrs.Attribute[Any]) -> bool | None:
    return None if value is None else as_flag(value, field.name)


for _each in (own, own_flat, _whole, _whole_or_none, _finite, _finite_or_none, _flag, _flag_or_none):
    # attrs copies it to constructors in modules where the name has no meaning.
    _each.__annotations__["value"] = Any

_SCALARS: dict[str, Callable[[Any, attrs.Attribute[Any]], Any]] = {
    "int": _whole,
    "int | None": _whole_or_none,
    "float": _finite,
    "float | None": _finite_or_none,
    "bool": _flag,
    "bool | None": _flag_or_none,
}
_AS_IT_IS = ("str", "bytes", "datetime")
_FLAT = ("list[str]", "list[int]", "list[float]", "list[float | None]")


def _one_of(known: tuple[object, ...], *, nullable: bool) -> Any:
    def check(value: Any, field: attrs.Attribute[Any]) -> Any:
        if value not in known and not (nullable and value is None):
            raise InputError(f"must be {' or '.join(map(repr, known))}, not {value!r:.100}", field=field.name)
        return value

    check.__annotations__["value"] = Any
    return attrs.Converter(check, takes_field=True)


def _converter(type_text: str) -> Any:
    """Choose what is done to the values of a field; None is nothing."""
    if type_text in _SCALARS:
        return attrs.Converter(_SCALARS[type_text], takes_field=True)
    bare = type_text.removesuffix(" | None")
    if bare in _AS_IT_IS:
        return None
    if bare.startswith("Literal["):
        return _one_of(literal_eval(f"({bare[len('Literal[') : -1]},)"), nullable=bare != type_text)
    return own_flat if bare in _FLAT else own


def own_fields(_: type, fields: list[attrs.Attribute[Any]]) -> list[attrs.Attribute[Any]]:
    """Have an attrs class own what its fields hold, and convert its numbers; a field transformer.

    Fields with a converter of their own are left to it. Type checkers still see the fields' own types.
    """
    return [
        field if field.converter is not None else field.evolve(converter=_converter(str(field.type)))
        for field in fields
    ]
