"""Walks protobuf bytes before they are parsed. Owns how much structure a body may unfold to.

A parser makes an object of some sixty bytes of two bytes that say "an empty message", and a later entry of
a map silently replaces an earlier one. Both are found here, by one pass over tags and lengths, which skips
payloads.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from google.protobuf.descriptor import Descriptor
    from google.protobuf.message import Message

MAX_FIELDS = 2_000_000
"""Most fields in a body; 128 datums of 4096 one-token chunks hold 1.6 million. Parsed, some 200 MB."""

MAX_ENTRIES = 100_000
"""Most datums or sequences in a body: each becomes several objects. Batches hold about a thousand."""

_ENTRIES = frozenset({"Datum", "SampledSequence", "ArrayRecord"})
"""Messages of which there are as many as the sender likes, at two bytes each."""

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_PACKED = "packed"
_KEY = "key"
_PLAIN = "plain"
_IS_ENTRY = -1
"""Key in the plan of a message that is counted; no field has this number."""

Plan = dict[int, Any]
"""Field number -> plan of the message there, or what else stands there. What is missing is not known."""


class WireError(ValueError):
    """The bytes are not the message that they should be."""


class MessageClass(Protocol):
    """A compiled message's class, as much of it as is used here."""

    DESCRIPTOR: Descriptor


M = TypeVar("M", bound="Message")


@cache
def plan_of(descriptor: Descriptor) -> Plan:
    """Return what stands in each field. No message contains itself."""
    plan: Plan = {_IS_ENTRY: True} if descriptor.name in _ENTRIES else {}
    is_entry = descriptor.GetOptions().map_entry
    for field in descriptor.fields:
        if field.message_type is not None:
            plan[field.number] = plan_of(field.message_type)
        elif field.is_packed:
            plan[field.number] = _PACKED
        elif is_entry and field.number == 1:
            plan[field.number] = _KEY
        else:
            plan[field.number] = _PLAIN
    return plan


class _Walk:
    """One pass over a body."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.left = MAX_FIELDS
        self.entries_left = MAX_ENTRIES
        self.met_unknown = False

    def spend(self, fields: int) -> None:
        """Count fields against the limit."""
        self.left -= fields
        if self.left < 0:
            raise WireError(f"holds more than {MAX_FIELDS} fields")

    def varint(self, at: int) -> tuple[int, int]:
        """Read a number; return it, and where it ends."""
        value = shift = 0
        while shift < 64:
            byte = self.data[at]
            at += 1
            value |= (byte & 127) << shift
            if byte < 128:
                return value, at
            shift += 7
        raise WireError("a number is longer than 64 bits")

    def message(self, at: int, end: int, plan: Plan) -> bytes:
        """Walk the fields from `at` to `end`; return the key, if it is an entry of a map."""
        data = self.data
        keys: set[tuple[int, bytes]] = set()
        own_key = b""
        while at < end:
            self.spend(1)
            tag = data[at]
            if tag < 128:
                at += 1
            else:
                tag, at = self.varint(at)
            kind = tag & 7
            inner = plan.get(tag >> 3)
            if inner is None:
                self.met_unknown = True
            if kind != _BYTES:
                at = self.number(at, kind)
                continue
            size = data[at]
            if size < 128:
                at += 1
            else:
                size, at = self.varint(at)
            stop = at + size
            if stop > end:
                raise WireError("ends inside a field")
            if inner is _KEY:
                own_key = data[at:stop]
            elif inner is _PACKED:
                self.spend(size)
            elif inner is not None and inner is not _PLAIN:
                self.nested(tag, at, stop, inner, keys)
            at = stop
        if at != end:
            raise WireError("ends inside a field")
        return own_key

    def nested(self, tag: int, at: int, end: int, plan: Plan, keys: set[tuple[int, bytes]]) -> None:
        """Walk a message within a message; an entry of a map must not be there twice."""
        if _IS_ENTRY in plan:
            self.entries_left -= 1
            if self.entries_left < 0:
                raise WireError(f"holds more than {MAX_ENTRIES} datums or sequences")
        key = self.message(at, end, plan)
        if plan.get(1) is _KEY:
            if (tag, key) in keys:
                raise WireError(f"names {key[:40].decode('utf-8', 'replace')!r} twice in one map")
            keys.add((tag, key))

    def number(self, at: int, kind: int) -> int:
        """Skip a number of a fixed or of its own length; return where it ends."""
        if kind == _VARINT:
            return self.varint(at)[1]
        if kind == _FIXED64:
            return at + 8
        if kind == _FIXED32:
            return at + 4
        raise WireError(f"has a field of wire type {kind}")


def parse(cls: type[M], data: bytes) -> tuple[M, bool]:
    """Parse a body that unfolds to a bounded size, and tell whether any field in it is not known.

    Anything else raises WireError.
    """
    from google.protobuf.message import DecodeError

    walk = _Walk(data)
    try:
        walk.message(0, len(data), plan_of(cls.DESCRIPTOR))
    except IndexError:
        raise WireError("ends inside a field") from None
    try:
        return cls.FromString(data), walk.met_unknown
    except (DecodeError, ValueError) as cause:
        raise WireError(f"is no {cls.DESCRIPTOR.name}: {cause}") from cause
