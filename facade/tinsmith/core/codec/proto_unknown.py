"""Fields of protobuf messages that this version does not know: taken from one, and put back into one.

Owns which are kept: those of messages that become values. Records of arrays are taken apart, and theirs are
not kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.protobuf.message import DecodeError
from google.protobuf.unknown_fields import UnknownFieldSet

if TYPE_CHECKING:
    from google.protobuf.message import Message
    from tinsmith_api.model import Extra


def unknown_of(message: Message, *parts: str) -> bytes | None:
    """Return the unknown fields of a message, and of those parts of it that are no values by themselves."""
    found = [part for part in parts if message.HasField(part) and _has_unknown(getattr(message, part))]
    if not found and not _has_unknown(message):
        return None
    rest = type(message)()
    rest.CopyFrom(message)
    for field, part in rest.ListFields():
        kept = unknown_of(part) if field.name in found else None
        rest.ClearField(field.name)
        if kept is not None:
            getattr(rest, field.name).MergeFromString(kept)
    return rest.SerializeToString(deterministic=True)


def _has_unknown(message: Message) -> bool:
    return len(UnknownFieldSet(message)) > 0


def put_back(message: Message, extra: Extra | None) -> None:
    """Add unknown fields that came as protobuf; those that came as JSON have no number."""
    if not isinstance(extra, bytes):
        return
    try:
        message.MergeFromString(extra)
    except DecodeError as cause:
        raise ValueError(f"extra is no protobuf: {cause}") from cause


def refuse_named(extra: Extra | None) -> None:
    """Refuse unknown fields that only JSON can say, since what is sent must be all of it."""
    if extra and not isinstance(extra, bytes):
        raise ValueError(f"the protobuf form has no field {min(extra)!r}; send it as JSON")
