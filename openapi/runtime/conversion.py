"""JSON objects to values and back, by the types of their fields: one table a class, made on its first use.

Unknown fields are kept where a value is open to them, and else left out; absent ones get their defaults. So a
newer server does no harm.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import attrs

from .errors import MISSING, InputError, InvalidBody
from .model import Model, named_extra, unknown_among
from .numbers import WORD
from .slots import ABSENT, Convert, Row, check_object, plain_kinds, slot_reader, within_field

SECONDS_FROM = 1e8
"""Numbers below are no times: as seconds they would lie before 1973."""

MILLISECONDS_FROM = 1e11
"""Numbers from here on are milliseconds: as seconds they would lie beyond the year 5100."""

T = TypeVar("T")


def from_json(cls: type[T], data: object) -> T:
    """Build a value from decoded JSON, which is the value's from then on: its lists are not copied.

    `cls` is a model, or any type that a field can have. Raises InvalidBody, which names the field that is
    missing or misshapen by its path.
    """
    try:
        read = _READERS[cls]
    except KeyError:
        hint: Any = cls
        read = _READERS[hint] = _reader(hint) if attrs.has(hint) else _guarded(_converter(hint))
    value: T = read(data)
    return value


_READERS: dict[Any, Convert] = {}
"""How each type is read that somebody asked for."""


def _guarded(convert: Convert) -> Convert:
    """Have what reads a plain type report as readers of classes do."""

    def read(data: Any) -> Any:
        try:
            return convert(data)
        except InvalidBody:
            raise
        except (TypeError, ValueError, OverflowError) as cause:
            raise InvalidBody(str(cause)) from cause

    return read


def to_json(value: Any) -> Any:
    """Return what `json.dumps` takes: the fields, None only where one must be given, and the unknown ones.

    Times are ISO 8601 texts, bytes are base64. NaN and infinities stay, so check them before sending.
    """
    cls = type(value)
    if attrs.has(cls):
        pairs = ((name, getattr(value, name), needed) for name, needed in sent_fields(cls))
        known = {name: to_json(part) for name, part, needed in pairs if needed or part is not None}
        extra = named_extra(value)
        return {**extra, **known} if extra else known
    if isinstance(value, (str, int, float, NoneType)):
        return value.value if isinstance(value, Enum) else value
    if isinstance(value, Mapping):
        return {name: to_json(part) for name, part in value.items()}
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, (bytes, bytearray, memoryview)):
        return base64.b64encode(value).decode()
    if isinstance(value, Sequence):
        plain = set(map(type, value)) <= {int, float, str}
        return list(value) if plain else [to_json(part) for part in value]
    if hasattr(value, "tolist"):  # an array, or a scalar of another library
        return value.tolist()
    raise InputError(f"cannot be written as JSON: {value!r:.100}")


@cache
def sent_fields(cls: Any) -> tuple[tuple[str, bool], ...]:
    """Return the fields of a class that go out, and whether each must: then None is sent as null."""
    return tuple(
        (field.name, field.default is attrs.NOTHING)
        for field in attrs.fields(cls)
        if field.init and field.name != "extra"
    )


@cache
def rows_of(cls: Any) -> tuple[Row, ...]:
    """Return how each field of a class is read."""
    hints = get_type_hints(cls)
    rows = []
    for field in attrs.fields(cls):
        if not field.init or field.name == "extra":
            continue
        hint = hints[field.name]
        nullable = NoneType in get_args(hint) or hint is Any
        required = field.default is attrs.NOTHING
        rows.append(
            Row(
                field.name,
                hint,
                _converter(hint),
                required and not nullable,
                None if required else field.default,
                nullable,
            )
        )
    return tuple(rows)


@cache
def _reader(cls: Any) -> Convert:
    """Choose how a class is built: answers slot by slot, being converted here; others are checked."""
    own_rules = any(field.validator or field.alias != field.name for field in attrs.fields(cls))
    made_by_attrs = "__slots__" in vars(cls) and cls.__attrs_props__.added_init
    if issubclass(cls, Model) and made_by_attrs and not own_rules:
        return slot_reader(cls, rows_of(cls))
    return _constructor_reader(cls)


def _constructor_reader(cls: Any) -> Convert:
    rows = rows_of(cls)
    known = frozenset(row.name for row in rows)
    aliases = {field.name: str(field.alias) for field in attrs.fields(cls)}

    def read(data: Any) -> Any:
        check_object(cls, data)
        arguments: dict[str, Any] = {}
        for name, _, convert, needed, default, nullable in rows:
            found = data.get(name, ABSENT)
            if found is ABSENT or (found is None and not nullable and not needed):
                if needed:
                    raise InvalidBody(MISSING, model=cls.__name__, field=name)
                if default is None:
                    arguments[aliases[name]] = None
                continue
            try:
                arguments[aliases[name]] = None if found is None and nullable else convert(found)
            except (InvalidBody, TypeError, ValueError, OverflowError) as cause:
                raise within_field(cls, name, cause) from cause
        if issubclass(cls, Model):
            arguments["extra"] = unknown_among(data, known)
        try:
            return cls(**arguments)
        except InputError as cause:
            raise InvalidBody(str(cause), model=cls.__name__) from cause

    return read


@cache
def _converter(hint: Any) -> Convert:
    """Choose how a field of this type is read. Null was dealt with before."""
    if attrs.has(hint):
        return _class_of(hint)
    if hint is NoneType:
        return lambda _: None
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return _union(tuple(part for part in arguments if part is not NoneType))
    if origin is list:
        return _list_of(arguments[0])
    if origin in (dict, Mapping):
        return _mapping_of(arguments[1])
    if hint in _SCALARS:
        return _SCALARS[hint]
    if origin is Literal:
        return _one_of(plain_kinds(hint), ())  # and any value of that type: newer servers have more
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint
    return _as_it_is


def _as_it_is(value: Any) -> Any:
    return value


def _class_of(cls: Any) -> Convert:
    """Read a value of a class; its table is made when one comes, since classes may hold each other."""
    reader: Convert | None = None

    def read(data: Any) -> Any:
        nonlocal reader
        if reader is None:
            reader = _reader(cls)
        return reader(data)

    return read


def _union(hints: tuple[Any, ...]) -> Convert:
    """Read one of several types: objects by their tag, or else by the fields that they need."""
    if len(hints) == 1:
        return _converter(hints[0])
    classes = [hint for hint in hints if attrs.has(hint)]
    if len(classes) < 2:
        others = [hint for hint in hints if not plain_kinds(hint)]
        return _one_of(frozenset[type]().union(*map(plain_kinds, hints)), tuple(map(_converter, others)))
    tag = next(name for name, hint in get_type_hints(classes[0]).items() if get_origin(hint) is Literal)
    tags = {cls: get_type_hints(cls)[tag] for cls in classes}
    by_tag = {get_args(hint)[0]: cls for cls, hint in tags.items() if get_origin(hint) is Literal}
    every_other = next((cls for cls in classes if cls not in by_tag.values()), None)

    def read(data: Any) -> Any:
        if not isinstance(data, Mapping):
            raise TypeError(f"unexpected {type(data).__name__}")
        cls = by_tag.get(data[tag], every_other) if tag in data else _by_fields(classes, data)
        if cls is None:
            raise ValueError(f"unknown {tag} {data.get(tag)!r:.100}")
        return _reader(cls)(data)

    return read


def _one_of(kinds: frozenset[type], converters: Sequence[Convert]) -> Convert:
    """Read a plain value of one of these types, or what the first of the converters takes."""

    def read(value: Any) -> Any:
        if type(value) in kinds:
            return value
        problem: Exception = TypeError(f"unexpected {type(value).__name__}")
        for convert in converters:
            try:
                return convert(value)
            except (InvalidBody, TypeError, ValueError) as cause:
                problem = cause if isinstance(cause, InvalidBody) and len(converters) == 1 else problem
        raise problem

    return read


def _by_fields(classes: Sequence[Any], data: Mapping[str, Any]) -> Any:
    """Find the class of an object without a tag: the one whose fields it has."""
    for cls in classes:
        needed = {row.name for row in rows_of(cls) if row.needed}
        if needed and needed <= data.keys():
            return cls
    return None


def _list_of(hint: Any) -> Convert:
    fits, inner = plain_kinds(hint).issuperset, _or_null(hint)

    def convert(value: Any) -> list[Any]:
        if not isinstance(value, list):
            raise TypeError(f"unexpected {type(value).__name__}")
        if hint is Any or fits(map(type, value)):
            return value
        made: list[Any] = []
        try:
            for item in value:
                made.append(inner(item))  # noqa: PERF401  # its length says where an error is
        except (InvalidBody, TypeError, ValueError) as cause:
            raise _at(f"[{len(made)}]", cause) from cause
        return made

    return convert


def _at(place: str, cause: Exception) -> InvalidBody:
    """Return the error about an entry of a list or a mapping."""
    return (
        cause.within(cause.model, place)
        if isinstance(cause, InvalidBody)
        else InvalidBody(str(cause), field=place)
    )


def _or_null(hint: Any) -> Convert:
    """Read an entry of a list or a mapping, which may be null."""
    convert = _converter(hint)
    if NoneType not in get_args(hint):
        return convert
    return lambda value: None if value is None else convert(value)


def _mapping_of(hint: Any) -> Convert:
    fits, inner = plain_kinds(hint).issuperset, _or_null(hint)

    def convert(value: Any) -> Any:
        if not isinstance(value, dict):
            raise TypeError(f"unexpected {type(value).__name__}")
        if hint is Any or fits(map(type, value.values())):
            return value
        made = {}
        for name, part in value.items():
            try:
                made[name] = inner(part)
            except (InvalidBody, TypeError, ValueError) as cause:
                raise _at(name, cause) from cause
        return made

    return convert


def _checked(kind: type) -> Convert:
    def check(value: Any) -> Any:
        if type(value) is not kind:
            raise TypeError(f"unexpected {type(value).__name__}")
        return value

    return check


def _whole(value: Any) -> Any:
    if type(value) is not int:
        raise TypeError(f"unexpected {type(value).__name__}")
    if not -WORD <= value < WORD:
        raise ValueError(f"must be a whole number of 64 bits, not {value!r}")
    return value


def _finite(value: Any) -> Any:
    if type(value) is float:
        if not math.isfinite(value):
            raise ValueError(f"must be a finite number, not {value!r}")
        return value
    return _whole(value)


def parse_time(told: object) -> datetime:
    """Read a time: ISO 8601, UTC where it has no zone, or seconds or milliseconds since 1970.

    Some servers write numbers, as such or as text. A number too small for a time of any server is none.
    """
    if type(told) is not str:
        return _of_number(told)
    try:
        moment = datetime.fromisoformat(told)
    except ValueError:
        try:
            number = float(told)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise
        return _of_number(number)
    if moment.tzinfo is UTC:
        return moment
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _of_number(told: object) -> datetime:
    if not isinstance(told, (int, float)) or isinstance(told, bool):
        raise TypeError(f"unexpected {type(told).__name__}")
    if not abs(told) >= SECONDS_FROM:
        raise ValueError(f"{told!r} is no time")
    seconds = told / 1000 if abs(told) >= MILLISECONDS_FROM else told
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OSError, OverflowError, ValueError):  # each from another place of the system's calendar
        raise ValueError(f"{told!r} is no time") from None


_SCALARS: dict[Any, Convert] = {
    str: _checked(str),
    bool: _checked(bool),
    int: _whole,
    float: _finite,
    datetime: parse_time,
}
"""How fields of one plain value are read."""
