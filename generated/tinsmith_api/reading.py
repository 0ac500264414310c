# Written by codegen.sh from openapi/runtime/reading.py. Do not edit.
"""What the fields of values take: checked by their types, converted, and copied, so that a value owns it.

Owns how a field is read from what users give: a value's constructor and `Value.model_validate` read alike.
Answers of servers have a reader of their own in `conversion`, which takes what a newer server may say; this
one refuses it by name. How a type is read is found once, when its first value comes.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from enum import Enum
from functools import cache, partial
from types import NoneType, SimpleNamespace, UnionType
from typing import Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

import attrs

from .errors import InputError
from .numbers import as_finite, as_flag, as_number, as_whole
from .ownership import is_array, own, own_array

Take = Callable[[Any], Any]
"""Takes what is given, and returns what a value keeps of it; its InputError says what does not fit."""

UNNAMED = "extra"
"""The field that holds what has no field."""


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
        if field.init and field.name != UNNAMED
    ]


def own_fields(cls: type, fields: list[attrs.Attribute[Any]]) -> list[attrs.Attribute[Any]]:
    """Have an attrs class check and own what its fields hold; a field transformer.

    Fields with a converter of their own are left to it. Type checkers still see the fields' own types.
    """
    return [
        field if field.converter is not None else field.evolve(converter=_converter_of(cls, str(field.type)))
        for field in fields
    ]


def _converter_of(cls: type, annotation: str) -> Any:
    """Return what reads a type as a class has it; plain types mean the same in all modules."""
    plain = _PLAIN.issuperset(re.findall(r"\w+", annotation))
    return _converter(__name__ if plain else cls.__module__, annotation)


_PLAIN = frozenset({"str", "bytes", "int", "float", "bool", "datetime", "None", "Any", "list", "dict"})


@cache
def _converter(module: str, annotation: str) -> Any:
    """Make what reads the fields of one type in one module; a type as it is written there.

    They share it, since attrs takes long to look at each. The type is looked up when the first value comes:
    at the time of the class, what it names may not be there yet.
    """
    kept: frozenset[type] = frozenset()
    take: Take | None = None

    def convert(value: Any, made: object, field: attrs.Attribute[Any]) -> Any:
        nonlocal kept, take
        if type(value) in kept:
            return value
        if take is None:
            given = SimpleNamespace(__annotations__={field.name: annotation})
            hint = get_type_hints(given, vars(sys.modules[module]))[field.name]
            kept, take = _kept(hint) - _NUMBERS, _taker(hint)
        try:
            return take(value)
        except InputError as wrong:
            if not field.repr:  # nor may an error show it
                wrong.problem = wrong.problem.partition(", not ")[0]
            raise wrong.within(type(made).__name__, str(field.alias)) from wrong.__cause__

    return attrs.Converter(convert, takes_self=True, takes_field=True)


def taking(model: str, field: str, hint: Any) -> Take:
    """Return what reads a field, for a class with a converter of its own, whose type is wider."""
    take = _taker(hint)

    def taken(value: Any) -> Any:
        try:
            return take(value)
        except InputError as wrong:
            raise wrong.within(model, field) from wrong.__cause__

    return taken


@cache
def _taker(hint: Any, inner: bool = False) -> Take:
    """Choose how a type is read; `inner` says that it is one of the entries of a list or a mapping."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return _one_of(arguments, inner)
    if origin is Literal:
        return partial(_among, arguments)
    if origin in (list, Sequence):
        return _list_of(arguments[0])
    if origin is tuple:
        return _tuple_of(arguments)
    if origin in (dict, Mapping):
        return _mapping_of(arguments[1])
    if hint is float and inner:
        return as_number  # logprobs and metrics may be infinite
    if hint in _SCALARS:
        return _SCALARS[hint]
    if attrs.has(hint):
        return partial(_value, hint)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return partial(_made, hint)
    return own


@cache
def _kept(hint: Any) -> frozenset[type]:
    """Return the types whose values are kept as they are, to the letter: nobody can change them."""
    if get_origin(hint) in (Union, UnionType):
        return frozenset[type]().union(*map(_kept, get_args(hint)))
    if hint is float:
        return _NUMBERS
    return frozenset({hint}) if hint in (str, bool, int, NoneType) or attrs.has(hint) else frozenset()


_NUMBERS: frozenset[type] = frozenset({int, float})
"""Types whose values have a range of their own; within lists it is not looked at, since these are long."""


def _among(choices: tuple[object, ...], value: Any) -> Any:
    if not isinstance(value, (str, int)) or value not in choices:
        raise InputError(f"must be {' or '.join(map(repr, choices))}, not {value!r:.100}")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise InputError(f"must be text, not {value!r:.100}")
    return value


def _bytes(value: Any) -> bytes:
    if not isinstance(value, (bytes, bytearray, memoryview)):
        raise InputError(f"must be bytes, not {value!r:.100}")
    return bytes(value)


def _time(value: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        moment = None
    if not isinstance(moment, datetime):
        raise InputError(f"must be a datetime or its ISO 8601 text, not {value!r:.100}")
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _made(make: Take, value: Any) -> Any:
    try:
        return make(value)
    except InputError:
        raise
    except (TypeError, ValueError) as cause:
        raise InputError(str(cause)) from cause


_SCALARS: dict[Any, Take] = {
    str: _text,
    bytes: _bytes,
    datetime: _time,
    bool: as_flag,
    int: as_whole,
    float: as_finite,
}


def _value(cls: Any, value: Any) -> Any:
    """Take a value of a class, a mapping of its fields, or the class that a client has in its place."""
    if isinstance(value, cls) or (attrs.has(type(value)) and type(value).__name__ == cls.__name__):
        return value
    if not isinstance(value, Mapping):
        raise InputError(f"must be a {cls.__name__} or a mapping of its fields, not {value!r:.100}")
    return _made(cls.model_validate, value)


_NO_LISTS = (str, bytes, bytearray, memoryview, Mapping)
"""What can be gone through and is no list all the same."""

_ARRAYS = {int: "iu", float: "iuf"}
"""Kinds of numpy's types that are kept as arrays where a list of numbers may stand."""


def _list_of(hint: Any) -> Take:
    take, fits, kinds = _taker(hint, True), _kept(hint).issuperset, _ARRAYS.get(hint, "")

    def taken(value: Any) -> Any:
        if type(value) is list and fits(map(type, value)):
            return value.copy()
        if is_array(value) and value.ndim == 1 and value.dtype.kind in kinds:
            return own_array(value)
        if not isinstance(value, Iterable) or isinstance(value, _NO_LISTS) or attrs.has(type(value)):
            raise InputError(f"must be a list, not {value!r:.100}")
        made: list[Any] = []
        try:
            for item in value:
                made.append(take(item))  # noqa: PERF401  # its length says where an error is
        except InputError as wrong:
            raise wrong.within("", f"[{len(made)}]") from wrong.__cause__
        return made

    return taken


def _tuple_of(hints: tuple[Any, ...]) -> Take:
    takers = [_taker(hint, True) for hint in hints]

    def taken(value: Any) -> Any:
        if not isinstance(value, (tuple, list)) or len(value) != len(takers):
            raise InputError(f"must be a tuple of {len(takers)}, not {value!r:.100}")
        return tuple(take(part) for take, part in zip(takers, value, strict=True))

    return taken


def _mapping_of(hint: Any) -> Take:
    take, fits, names = _taker(hint, True), _kept(hint).issuperset, {str}.issuperset

    def taken(value: Any) -> dict[str, Any]:
        if type(value) is not dict and not isinstance(value, Mapping):
            raise InputError(f"must be a mapping, not {value!r:.100}")
        if names(map(type, value)) and fits(map(type, value.values())):
            return dict(value)
        made = {}
        for name, part in value.items():
            if not isinstance(name, str):
                raise InputError(f"must have texts for names, not {name!r:.100}")
            try:
                made[name] = take(part)
            except InputError as wrong:
                raise wrong.within("", name) from wrong.__cause__
        return made

    return taken


def _one_of(hints: Sequence[Any], inner: bool) -> Take:
    """Read what is one of several types: values by their tag, everything else by what fits first."""
    kinds = [hint for hint in hints if hint is not NoneType]
    if len(kinds) == 1:
        only = _taker(kinds[0], inner)
        return lambda value: None if value is None else only(value)
    kept = frozenset[type]().union(*map(_kept, hints)) - (frozenset() if inner else _NUMBERS)
    takers = [(_tag(hint), _taker(hint, inner)) for hint in kinds]

    def taken(value: Any) -> Any:
        if type(value) in kept:
            return value
        tag = value.get("type") if isinstance(value, Mapping) else None
        fitting = [take for own_tag, take in takers if tag is not None and own_tag == tag]
        problems = []
        for take in fitting or [take for own_tag, take in takers if own_tag is None or tag is None]:
            try:
                return take(value)
            except InputError as cause:
                problems.append(cause)
        raise _told(problems) if problems else InputError(f"is of an unknown type, {tag!r:.100}")

    return taken


def _told(problems: list[InputError]) -> InputError:
    """Say what fits none of several types: of the one that fitted furthest, else what each wanted."""
    nearest = max(problems, key=lambda each: len(each.field or ""))
    if nearest.field or len(problems) == 1:
        return nearest
    told = [each.problem.removeprefix("must be ").partition(", not ") for each in problems]
    return InputError(f"must be {' or '.join(dict.fromkeys(part[0] for part in told))}, not {told[0][2]}")


def _tag(hint: Any) -> object:
    """Return the tag of a kind of value, None for what has none."""
    field = attrs.fields_dict(hint).get("type") if attrs.has(hint) else None
    return field.default if field is not None and isinstance(field.default, str) else None
