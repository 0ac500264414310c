# Written by codegen.sh from openapi/runtime/reading.py. Do not edit.
"""Mappings to the fields of values, by the types of the fields, for `Value.model_validate`.

Owns what a field takes from a mapping. Answers of servers have a reader of their own in `codec.structure`,
which takes what a newer server may say; this one is for what users write, and refuses it by name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from enum import Enum
from functools import cache, partial
from types import NoneType, UnionType
from typing import Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

import attrs

from .errors import InputError
from .ownership import is_array

Read = Callable[[Any, str], Any]
"""Takes what stands in a mapping, and the path of the field for errors."""


class Named(NamedTuple):
    """A field as a value's constructor names it."""

    name: str
    """What the constructor calls it."""
    attribute: str
    """What the value keeps it under."""
    default: Any
    """What it is if left out; `attrs.NOTHING` where it cannot be."""
    hint: Any
    """Its type."""


@cache
def named_fields(cls: Any) -> list[Named]:
    """Return the fields that a value's constructor takes; not the unknown ones."""
    hints = get_type_hints(cls)
    return [
        Named(str(field.alias), field.name, field.default, hints[field.name])
        for field in attrs.fields(cls)
        if field.init and field.name != "extra"
    ]


def read_fields(cls: Any, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments for a value's constructor; an error names the field by its path."""
    arguments: dict[str, Any] = {}
    for field, read in _readers(cls):
        if field.name in fields:
            arguments[field.name] = read(fields[field.name], field.name)
        elif field.default is attrs.NOTHING:
            raise InputError(f"is missing; {cls.__name__} needs it", field=field.name)
    return arguments


@cache
def _readers(cls: Any) -> list[tuple[Named, Read]]:
    return [(field, _reader(field.hint)) for field in named_fields(cls)]


def _reader(hint: Any) -> Read:
    """Choose how a field of this type is read; numbers, bytes and arrays are left to the constructor."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return _one_of(arguments)
    if origin is Literal:
        return _checked(lambda value: value in arguments, f"one of {', '.join(map(repr, arguments))}")
    if origin in (list, Sequence):
        return _list_of(_reader(arguments[0]))
    if origin in (dict, Mapping):
        return _mapping_of(_reader(arguments[1]))
    if hint in (str, bool):
        return _checked(lambda value: isinstance(value, hint), {str: "text", bool: "true or false"}[hint])
    if hint is datetime:
        return _time
    if attrs.has(hint):
        return partial(_value, hint)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return lambda value, path: _at(path, hint, value)
    return lambda value, path: value


def _value(cls: Any, value: Any, path: str) -> Any:
    return _at(path, cls.model_validate, value)


def _at(path: str, read: Callable[[Any], Any], value: Any) -> Any:
    """Read a part; its error gets the path of the field that holds it."""
    try:
        return read(value)
    except InputError as cause:
        problem = cause.message.partition(": ")[2] if cause.field else cause.message
        inner = f"{path}.{cause.field}" if cause.field else path
        raise InputError(problem, field=inner) from cause
    except (TypeError, ValueError) as cause:
        raise InputError(str(cause), field=path) from cause


def _checked(fits: Callable[[Any], bool], wanted: str) -> Read:
    def read(value: Any, path: str) -> Any:
        if not fits(value):
            raise InputError(f"must be {wanted}, not {value!r:.100}", field=path)
        return value

    return read


def _time(value: Any, path: str) -> datetime:
    moment = value if isinstance(value, datetime) else _at(path, datetime.fromisoformat, value)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


_is_list = _checked(
    lambda value: is_array(value) or (isinstance(value, Sequence) and not isinstance(value, (str, bytes))),
    "a list",
)
_is_mapping = _checked(lambda value: isinstance(value, Mapping), "a mapping")


def _list_of(inner: Read) -> Read:
    def read(value: Any, path: str) -> Any:
        items = _is_list(value, path)
        return items if is_array(items) else [inner(item, f"{path}[{at}]") for at, item in enumerate(items)]

    return read


def _mapping_of(inner: Read) -> Read:
    def read(value: Any, path: str) -> Any:
        return {name: inner(part, f"{path}.{name}") for name, part in _is_mapping(value, path).items()}

    return read


def _one_of(hints: Sequence[Any]) -> Read:
    """Read what is one of several types: values by their tag, everything else by what fits first."""
    kinds = [hint for hint in hints if hint is not NoneType]
    readers = [(_tag(hint) if len(kinds) > 1 else None, _reader(hint)) for hint in kinds]

    def read(value: Any, path: str) -> Any:
        if value is None and NoneType in hints:
            return None
        tag = value.get("type") if isinstance(value, Mapping) else None
        fitting = [read for own, read in readers if tag is not None and own == tag]
        problems = []
        for attempt in fitting or [read for own, read in readers if own is None or tag is None]:
            try:
                return attempt(value, path)
            except InputError as cause:
                problems.append(cause)
        raise problems[0] if problems else InputError(f"is of an unknown type, {tag!r:.100}", field=path)

    return read


def _tag(hint: Any) -> object:
    """Return the tag of a kind of value, None for what has none."""
    field = attrs.fields_dict(hint).get("type") if attrs.has(hint) else None
    return field.default if field is not None and isinstance(field.default, str) else None
