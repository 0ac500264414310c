"""What a value was read with and this version does not know. Owns where it is kept, not how it is written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import attrs

from tinsmith.core.values.ownership import own_fields
from tinsmith.core.values.value import Value

if TYPE_CHECKING:
    from collections.abc import Set

Extra = Mapping[str, Any] | bytes
"""Fields of a JSON object by name, or of a protobuf message as its bytes."""


@attrs.frozen(field_transformer=own_fields)
class Open(Value):
    """A value to which newer servers and clients may add fields."""

    extra: Extra | None = attrs.field(default=None, kw_only=True, repr=False, eq=False)
    """Fields that this version does not know, sent back as they came, in the encoding in which they came.

    They take no part in comparisons, so that what a newer server adds changes nothing here.
    """


def unknown_among(fields: Mapping[str, Any], known: Set[str]) -> Mapping[str, Any] | None:
    """Return those fields of a JSON object that are not known, or None."""
    if fields.keys() <= known:
        return None
    return {name: value for name, value in fields.items() if name not in known}


def named_extra(value: object) -> Mapping[str, Any]:
    """Return the unknown fields of any value that JSON has a name for."""
    extra = getattr(value, "extra", None)
    return extra if isinstance(extra, Mapping) else {}


def as_mapping(value: Any) -> dict[str, Any]:
    """Return the fields of a value and of the values in it by name, the unknown ones among them."""
    known = {
        field.name: _plain(getattr(value, field.name))
        for field in attrs.fields(type(value))
        if field.name != "extra"
    }
    return {**named_extra(value), **known}


def _plain(part: Any) -> Any:
    if attrs.has(type(part)):
        return as_mapping(part)
    if isinstance(part, (list, tuple)):
        return [_plain(item) for item in part]
    return part
