"""JSON objects to values, by the types of their fields; hot results have decoders of their own.

Unknown fields are kept where a value is open to them, and else left out; missing optional ones are defaulted.
So a newer server does no harm.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import attrs

from tinsmith.core.errors import APIResponseValidationError, InputError
from tinsmith.core.values.open import Open, named_extra, unknown_among

SECONDS_FROM = 1e8
"""Numbers below are no times: as seconds they would lie before 1973."""

MILLISECONDS_FROM = 1e11
"""Numbers from here on are milliseconds: as seconds they would lie beyond the year 5100."""

T = TypeVar("T")
Convert = Callable[[Any], Any]


UNREADABLE = "unreadable"
"""Where `extra` of a page keeps the rows that could not be read, as they came."""


def to_page(cls: type[T], payload: object, rows: str) -> tuple[T, str | None]:
    """Build a page of a list, whose field `rows` has one value a row, and say what is wrong with one of them.

    A row that cannot be read does not cost the others: it is kept in `extra` under `UNREADABLE`. Where no row
    can be read, it is an error as in `to_value`.
    """
    if not isinstance(payload, Mapping) or not isinstance(payload.get(rows), list):
        return to_value(cls, payload), None
    convert = next(convert for name, convert, *_ in _plan(cls) if name == rows)  # type: ignore[arg-type]
    good, bad, problem = [], [], None
    for row in payload[rows]:
        try:
            convert([row])
        except APIResponseValidationError as cause:
            bad.append(row)
            problem = problem or cause.message
        else:
            good.append(row)
    if not bad or not good:
        return to_value(cls, payload), None
    return to_value(cls, {**payload, rows: good, UNREADABLE: bad}), problem


def rows_sent(page: object, rows: str) -> int:
    """Count the rows that a page came with, the unreadable ones too: where the next page begins."""
    return len(getattr(page, rows)) + len(named_extra(page).get(UNREADABLE, ()))


def to_value(cls: type[T], payload: object) -> T:
    """Build a value from a decoded JSON object; a missing or misshapen field is named in the error."""
    if not isinstance(payload, Mapping):
        raise _invalid(cls, f"it is a {type(payload).__name__}, not an object", payload)
    arguments: dict[str, Any] = {}
    for name, convert, required, nullable in _plan(cls):  # type: ignore[arg-type]
        if name not in payload:
            if required and not nullable:
                raise _invalid(cls, f"field {name!r} is missing", payload)
            if required:
                arguments[name] = None
            continue
        try:
            arguments[name] = convert(payload[name])
        except (TypeError, ValueError, OverflowError) as cause:
            raise _invalid(cls, f"field {name!r}: {cause}", payload) from cause
    if not payload.keys() <= arguments.keys() and issubclass(cls, Open):
        arguments["extra"] = unknown_among(payload, arguments.keys())
    try:
        return cls(**arguments)
    except InputError as cause:
        raise _invalid(cls, str(cause), payload) from cause


def _invalid(cls: type, problem: str, payload: object) -> APIResponseValidationError:
    return APIResponseValidationError(
        body=payload, message=f"The server's answer is no {cls.__name__}: {problem}", status_code=200
    )


@cache
def _plan(cls: Any) -> list[tuple[str, Convert, bool, bool]]:
    """Return of each field its name, how it is read, whether it has no default, whether it may be None."""
    hints = get_type_hints(cls)
    return [
        (
            field.name,
            _converter(hints[field.name]),
            field.default is attrs.NOTHING,
            NoneType in get_args(hints[field.name]),
        )
        for field in attrs.fields(cls)
        if field.init and field.name != "extra"
    ]


def _converter(hint: Any) -> Convert:
    """Choose how a field of this type is read; what is not named here is kept as it came."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        inner = _converter(next(part for part in arguments if part is not NoneType))
        return lambda value: None if value is None else inner(value)
    if origin is list:
        return _list_of(_converter(arguments[0]))
    if origin is dict:
        return _checked(dict)
    if hint is datetime:
        return parse_time
    if hint is float:
        return _checked((int, float))
    if hint in (str, int, bool):
        return _checked(hint)
    if origin is Literal or hint is Any:
        return lambda value: value
    if issubclass(hint, Enum):
        return cast(Convert, hint)
    return lambda value: to_value(hint, value)


def _checked(kinds: Any) -> Convert:
    def check(value: Any) -> Any:
        if not isinstance(value, kinds) or (isinstance(value, bool) and kinds is not bool):
            raise TypeError(f"unexpected {type(value).__name__}")
        return value

    return check


def _list_of(inner: Convert) -> Convert:
    def convert(value: Any) -> list[Any]:
        if not isinstance(value, list):
            raise TypeError(f"unexpected {type(value).__name__}")
        return [inner(item) for item in value]

    return convert


def parse_time(told: object) -> datetime:
    """Read a time: ISO 8601, UTC where it has no zone, or seconds or milliseconds since 1970.

    Some servers write numbers, as such or as text. A number too small for a time of any server is none.
    """
    if isinstance(told, (int, float)) and not isinstance(told, bool):
        if not abs(told) >= SECONDS_FROM:
            raise ValueError(f"{told!r} is no time")
        seconds = told / 1000 if abs(told) >= MILLISECONDS_FROM else told
        return datetime.fromtimestamp(seconds, UTC)
    if not isinstance(told, str):
        raise TypeError(f"unexpected {type(told).__name__}")
    try:
        moment = datetime.fromisoformat(told)
    except ValueError:
        try:
            number = float(told)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise
        return parse_time(number)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
