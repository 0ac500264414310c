"""The two encodings of the wire, and what their media types are called. Reads no body."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import attrs

Encoding = Literal["json", "protobuf"]
"""How batches, and results of batches and samples, are written."""

CONTENT_TYPES: dict[Encoding, str] = {"json": "application/json", "protobuf": "application/x-protobuf"}
"""Media type of each encoding, as sent."""

ACCEPT_BOTH = f"{CONTENT_TYPES['protobuf']}, {CONTENT_TYPES['json']}"
"""What a poll that reads both says in `Accept`."""

_READ: dict[str, Encoding] = {
    "": "json",  # servers that predate the choice may leave the header out
    "application/json": "json",
    "text/json": "json",
    "application/x-protobuf": "protobuf",
    "application/protobuf": "protobuf",
}


@attrs.frozen
class ProtobufPayload:
    """A protobuf body that nobody has decoded yet. Bytes by themselves are JSON."""

    data: bytes = attrs.field(repr=lambda data: f"<{len(data)} bytes>")
    """The whole body."""


Payload = bytes | Mapping[str, Any] | ProtobufPayload
"""A body, or what its JSON was decoded to already."""


def encoding_of(content_type: str | None) -> Encoding | None:
    """Tell the encoding by a Content-Type; None if it is neither. Parameters and case do not matter."""
    name = (content_type or "").partition(";")[0].strip().lower()
    return "json" if name.endswith("+json") else _READ.get(name)
