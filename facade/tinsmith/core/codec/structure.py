"""JSON objects to values, by the types of their fields; hot results have decoders of their own.

Unknown fields are kept where a value is open to them, and else left out; missing optional ones are defaulted.
So a newer server does no harm.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import attrs

from tinsmith.core.errors import APIResponseValidationError
from tinsmith.core.values.open import Open, unknown_among

T = TypeVar("T")
Convert = Callable[[Any], Any]


def to_value(cls: type[T], payload: object) -> T:
    """Build a value from a decoded JSON object; a missing or misshapen field is named in the error."""
    if not isinstance(payload, Mapping):
        raise _invalid(cls, f"it is a {type(payload).__name__}, not an object", payload)
    arguments: dict[str, Any] = {}
    for name, convert, required in _plan(cls):  # type: ignore[arg-type]
        if name not in payload:
            if required:
                raise _invalid(cls, f"field {name!r} is missing", payload)
            continue
        try:
            arguments[name] = convert(payload[name])
        except (TypeError, ValueError, OverflowError) as cause:
            raise _invalid(cls, f"field {name!r}: {cause}", payload) from cause
    if len(arguments) < len(payload) and issubclass(cls, Open):
        arguments["extra"] = unknown_among(payload, arguments.keys())
    return cls(**arguments)


def _invalid(cls: type, problem: str, payload: object) -> APIResponseValidationError:
    return APIResponseValidationError(
        body=payload, message=f"The server's answer is no {cls.__name__}: {problem}", status_code=200
    )


@cache
def _plan(cls: Any) -> list[tuple[str, Convert, bool]]:
    hints = get_type_hints(cls)
    return [
        (field.name, _converter(hints[field.name]), field.default is attrs.NOTHING)
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


def parse_time(text: str) -> datetime:
    """Parse an ISO 8601 time; one without a zone is UTC."""
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
