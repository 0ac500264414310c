"""The forms of bodies: the two encodings and their media types, zstd, and JSON of large results.

Without simdjson, which is an extra, the numbers of large results become the lists that they are in JSON.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal

import attrs
import orjson

from tinsmith.core.errors import BodyTooLargeError, InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Encoding = Literal["json", "protobuf"]
"""How batches, and results of batches and samples, are written."""

CONTENT_TYPES: dict[Encoding, str] = {"json": "application/json", "protobuf": "application/x-protobuf"}
"""Media type of each encoding, as sent."""

ACCEPT_BOTH = f"{CONTENT_TYPES['protobuf']}, {CONTENT_TYPES['json']}"
"""What a poll that reads both says in `Accept`."""

LEVEL = 1
"""zstd's fastest level: token ids and floats shrink to six tenths, and at other levels hardly further."""

LEAST_WINDOW_LOG = 23
"""Window that every decoder grants, as a power of two in bytes; what level 19 writes needs it."""

LARGE_BYTES = 64 * 1024
"""Below this size, orjson reads JSON as quickly as simdjson."""

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
    """Return the encoding that a Content-Type names, in any case and with any parameters, or None."""
    name = (content_type or "").partition(";")[0].strip().lower()
    return "json" if name.endswith("+json") else _READ.get(name)


@cache
def _zstd() -> Any:
    """Return the module of zstd, which the first use loads."""
    if sys.version_info >= (3, 14):  # pragma: no cover - the same module, in the standard library by then
        from compression import zstd
    else:
        from backports import zstd
    return zstd


def compress(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield one zstd frame of all pieces. The same pieces give the same bytes."""
    compressor = _zstd().ZstdCompressor(level=LEVEL)
    for piece in pieces:
        written = compressor.compress(piece)
        if written:
            yield written
    yield compressor.flush()


def decompress(body: bytes, limit_bytes: int) -> bytes:
    """Return what one zstd frame holds. Above `limit_bytes` it raises BodyTooLargeError before it is held."""
    zstd = _zstd()
    window_log = min(max(LEAST_WINDOW_LOG, limit_bytes.bit_length()), 31)
    options: dict[int, int] = {zstd.DecompressionParameter.window_log_max: window_log}
    reader = zstd.ZstdDecompressor(options=options)
    try:
        found: bytes = reader.decompress(body, limit_bytes + 1)
    except zstd.ZstdError as cause:
        raise InputError(f"is no zstd frame: {cause}", field="body") from cause
    if len(found) > limit_bytes:
        raise BodyTooLargeError(limit_bytes)
    if not reader.eof:
        raise InputError("the zstd frame is cut short", field="body")
    if reader.unused_data:
        raise InputError(f"{len(reader.unused_data)} bytes follow the zstd frame", field="body")
    return found


def loads_result(body: bytes) -> Any:
    """Read the JSON of a result; `orjson.JSONDecodeError` says what is wrong with it."""
    library = _simdjson() if len(body) >= LARGE_BYTES else None
    if library is not None:
        try:
            return _Reader(library).read(body)
        except (ValueError, RuntimeError):
            pass  # the other library takes more, and has the one error that is expected
    return orjson.loads(body)


def load() -> None:
    """Import what large results are read with, if it is there."""
    if _simdjson() is not None:
        import_module("numpy")


@cache
def _simdjson() -> Any:
    try:
        import simdjson  # an extra
    except ImportError:
        return None
    return simdjson


class _Reader:
    """Copies values out of a parsed document, which is valid only as long as its parser."""

    def __init__(self, library: Any) -> None:
        self.parser, self.list, self.object = library.Parser(), library.Array, library.Object

    def read(self, body: bytes) -> Any:
        """Parse a body."""
        import numpy as np

        with np.errstate(over="ignore"):  # too large for a tensor is infinite, as it would be in a list
            return self.plain(self.parser.parse(body))

    def plain(self, part: Any) -> Any:
        """Return what a part holds."""
        kind = type(part)
        if kind is self.object:
            dtype = part.get("dtype")
            is_tensor = type(dtype) is str
            # One by one: items() makes lists of all numbers.
            return {
                name: self.numbers(part[name], dtype)
                if is_tensor and name == "data"
                else self.plain(part[name])
                for name in part
            }
        if kind is not self.list:
            return part
        if len(part) and type(part[0]) in (self.list, self.object):
            return [self.plain(item) for item in part]
        return part.as_list()

    def numbers(self, data: Any, dtype: str) -> Any:
        """Return the numbers of a tensor as an array of its dtype; anything else as it is."""
        import numpy as np

        kind = "i" if dtype == "int64" else "d"
        try:
            found = np.frombuffer(data.as_buffer(of_type=kind), "<i8" if kind == "i" else "<f8")
        except (AttributeError, TypeError, ValueError):
            return self.plain(data)
        if kind == "i":
            return found
        rounded = found.astype(np.float32)
        rounded.setflags(write=False)
        return rounded
