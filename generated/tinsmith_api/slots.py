# Written by codegen.sh from openapi/runtime/slots.py. Do not edit.
"""Readers of answers: for each class a function, written on its first use, that fills the slots of a value.

Owns what makes reading quick. What a field takes is decided in `conversion`, which hands over a row for each.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from types import NoneType, UnionType
from typing import Any, Literal, NamedTuple, Union, get_args, get_origin

from .errors import MISSING, InvalidBody
from .model import FACTORY, unknown_among

Convert = Callable[[Any], Any]

ABSENT: Any = object()
"""What stands for a field that is not there; None is null."""


class Row(NamedTuple):
    """How one field is read."""

    name: str
    """Its name."""
    hint: Any
    """Its type."""
    convert: Convert
    """What is done to it."""
    needed: bool
    """Whether its absence is an error."""
    default: Any
    """What it is if absent; a factory of attrs makes it anew."""
    nullable: bool
    """Whether it keeps null; else null is absence."""


def slot_reader(cls: Any, rows: Sequence[Row]) -> Convert:
    """Write the function that reads a class: without a loop and, for what fits as it is, without a call.

    An object that has just the fields of the class, each as it is kept, is read by subscripts alone, and any
    other field by field. The value is filled while it is of a class that is not frozen, and gets its own
    class at the end. That takes two thirds of the time of a loop that sets slots by their descriptors, and
    most answers are small.
    """
    known = frozenset(row.name for row in rows)
    open_class = type(
        cls.__name__,
        cls.__bases__,
        {
            "__slots__": cls.__slots__,
            "__setattr__": object.__setattr__,
            "__delattr__": object.__delattr__,
            "__init__": object.__init__,
        },
    )
    names: dict[str, Any] = {
        "ABSENT": ABSENT,
        "cls": cls,
        "check": partial(check_object, cls),
        "new": open_class,
        "unknown": partial(unknown_among, known=known),
    }
    tests: list[str] = []
    for at, row in enumerate(rows):
        test, names[f"fits{at}"] = _quick_test(row.hint)
        if test and row.nullable:
            test = f"({test} or {{found}} is None)"
        tests.append(test.format(found=f"found{at}", fits=f"fits{at}"))
        names |= {f"convert{at}": partial(_converted, cls, row), f"default{at}": row.default}
    lines = [
        "def read(data):",
        "    if type(data) is not dict:",
        "        check(data)",
        *(_whole_at_once(rows, tests) if rows and all(tests) else []),
        "    made, get, absent = new(), data.get, 0",
        *(line for at, row in enumerate(rows) for line in _one_field(at, row, tests[at])),
        f"    made.extra = None if len(data) + absent == {len(rows)} else unknown(data)",
        "    made.__class__ = cls",
        "    return made",
    ]
    code = compile("\n".join(lines), f"<reader of {cls.__name__}>", "exec")
    exec(code, names)  # noqa: S102  # its only words from elsewhere are names of fields, as Python has them
    read: Convert = names["read"]
    return read


def _whole_at_once(rows: Sequence[Row], tests: Sequence[str]) -> list[str]:
    """Return the lines that read an object with all fields and no other, if each fits as it is."""
    return [
        f"    if len(data) == {len(rows)}:",
        "        try:",
        *(f"            found{at} = data[{row.name!r}]" for at, row in enumerate(rows)),
        "        except KeyError:",
        "            pass",
        "        else:",
        f"            if {' and '.join(tests)}:",
        "                made = new()",
        *(f"                made.{row.name} = found{at}" for at, row in enumerate(rows)),
        "                made.extra = None",
        "                made.__class__ = cls",
        "                return made",
    ]


def _one_field(at: int, row: Row, test: str) -> list[str]:
    """Return the lines that read one field, which may be absent, null or in need of conversion."""
    found = f"found{at}"
    lines = [
        f"    {found} = get({row.name!r}, ABSENT)",
        f"    if {test or 'False'}:",
        f"        made.{row.name} = {found}",
    ]
    if not row.needed and not isinstance(row.default, FACTORY):
        lines += [
            f"    elif {found} is ABSENT:",
            "        absent += 1",
            f"        made.{row.name} = default{at}",
        ]
    return [
        *lines,
        "    else:",
        f"        absent += {found} is ABSENT",
        f"        made.{row.name} = convert{at}({found})",
    ]


def _quick_test(hint: Any) -> tuple[str, Any]:
    """Return the source of a test for what fits a type as it is, and what it calls; empty for most."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        parts = [part for part in arguments if part is not NoneType]
        return _quick_test(parts[0]) if len(parts) == 1 else ("", None)
    if hint in (str, bool):
        return f"type({{found}}) is {hint.__name__}", None
    if origin is Literal and plain_kinds(hint) <= {str}:
        return "type({found}) is str", None
    if origin is list and (kinds := plain_kinds(arguments[0])):
        return "type({found}) is list and {fits}(map(type, {found}))", kinds.issuperset
    if origin in (dict, Mapping) and (kinds := plain_kinds(arguments[1])):
        return "type({found}) is dict and {fits}(map(type, {found}.values()))", kinds.issuperset
    return "", None


def _converted(cls: Any, row: Row, found: Any) -> Any:
    """Return what a value keeps of what is not kept as it is."""
    if found is not ABSENT:
        if found is not None or not (row.nullable or row.default is not None):
            try:
                return row.convert(found)
            except (InvalidBody, TypeError, ValueError, OverflowError) as cause:
                raise within_field(cls, row.name, cause) from cause
        if row.nullable:
            return None
    elif row.needed:
        raise InvalidBody(MISSING, model=cls.__name__, field=row.name)
    return row.default.factory() if isinstance(row.default, FACTORY) else row.default


def check_object(cls: type, data: object) -> None:
    """Refuse what is no object of JSON."""
    if type(data) is not dict and not isinstance(data, Mapping):
        raise InvalidBody(
            f"it is a {type(data).__name__}, not an object of {cls.__name__}", model=cls.__name__
        )


def within_field(cls: type, field: str, cause: Exception) -> InvalidBody:
    """Return the error about a field of a class, whatever its cause was."""
    if isinstance(cause, InvalidBody):
        return cause.within(cls.__name__, field)
    return InvalidBody(str(cause), model=cls.__name__, field=field)


@cache
def plain_kinds(hint: Any) -> frozenset[type]:
    """Return the types of JSON that fit a plain type as they are; none for what is read otherwise.

    Lists and mappings of such are checked, but not entry by entry: they are long.
    """
    if get_origin(hint) in (Union, UnionType):
        parts = [plain_kinds(part) for part in get_args(hint)]
        return frozenset[type]().union(*parts) if all(parts) else frozenset()
    if get_origin(hint) is Literal:
        return frozenset(map(type, get_args(hint)))
    if hint is float:
        return frozenset({int, float})
    return frozenset({hint}) if hint in (str, bool, int, NoneType) else frozenset()
