"""zstd, both ways. Owns the level, and how much a small body may grow to."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from tinsmith.core.errors import BodyTooLargeError, InputError

if sys.version_info >= (3, 14):  # pragma: no cover - the same module, in the standard library by then
    from compression import zstd
else:
    from backports import zstd

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LEVEL = 1
"""The fastest level: token ids and floats shrink to six tenths, and at other levels hardly further."""

LEAST_WINDOW_LOG = 23
"""Window that every decoder grants, as a power of two in bytes; what level 19 writes needs it."""


def compress(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield one zstd frame of all pieces. The same pieces give the same bytes."""
    compressor = zstd.ZstdCompressor(level=LEVEL)
    for piece in pieces:
        written = compressor.compress(piece)
        if written:
            yield written
    yield compressor.flush()


def decompress(body: bytes, limit_bytes: int) -> bytes:
    """Return what one zstd frame holds. Above `limit_bytes` it raises BodyTooLargeError before it is held."""
    window_log = min(max(LEAST_WINDOW_LOG, limit_bytes.bit_length()), 31)
    options: dict[int, int] = {zstd.DecompressionParameter.window_log_max: window_log}
    reader = zstd.ZstdDecompressor(options=options)
    try:
        found = reader.decompress(body, limit_bytes + 1)
    except zstd.ZstdError as cause:
        raise InputError(f"is no zstd frame: {cause}", field="body") from cause
    if len(found) > limit_bytes:
        raise BodyTooLargeError(limit_bytes)
    if not reader.eof:
        raise InputError("the zstd frame is cut short", field="body")
    if reader.unused_data:
        raise InputError(f"{len(reader.unused_data)} bytes follow the zstd frame", field="body")
    return found
