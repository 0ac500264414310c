"""Heads and bodies of one exchange, as the HTTP library has them and as this package has them.

It owns the pieces in which bodies go out and come in, their bound, and what a redirect names. It must not
connect or send: `io.http.transport` does.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Mapping
from typing import TYPE_CHECKING
from urllib.parse import urljoin

import attrs

from tinsmith.core.codec.wire import encoding_of
from tinsmith.core.decision import Fault
from tinsmith.io.http.addressing import origin
from tinsmith.io.http.messages import REDIRECTS, Body, Faulted, Request

if TYPE_CHECKING:
    import httpx

    from tinsmith.core.secret import Secret

STREAM_ABOVE_BYTES = 256 * 1024
"""Bodies above this size are written piece by piece, so that timers run between the pieces."""

COMPRESSIONS = frozenset({"gzip", "deflate"})
"""What an answer may be compressed with: requests offer these, and each piece of them unfolds a little."""

MAX_UNFOLDED = 20
"""Times its size that a compressed JSON answer may unfold to: numbers shrink to a fifth at best."""

UNFOLDED_BYTES = 64 * 1024**2
"""What a compressed JSON answer may unfold to whatever its size."""

MAX_RESPONSE_BYTES = 2 * 1024**3
"""Largest answer that is read, decompressed: above any real result, below what ends the process."""


@attrs.frozen
class Streamed:
    """An answer whose body is still coming."""

    status: int
    """The HTTP status code."""

    headers: Mapping[str, str]
    """The headers, with lower-case names."""

    pieces: AsyncIterator[bytes]
    """The body, as it comes."""


def lower_names(headers: httpx.Headers) -> dict[str, str]:
    """Return the headers of an answer by their names in lower case."""
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in headers.raw}


def encoded(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    """Return headers as the wire has them."""
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]


def head_of(
    request: Request, common: list[tuple[bytes, bytes]], extra: Mapping[str, str], key: Secret | None
) -> list[tuple[bytes, bytes]]:
    """Return the headers of a request: those of all, without what its own replace, and its own."""
    own = {**request.headers, **extra}
    if key is not None:
        own["X-API-Key"] = key.reveal()
    if request.idempotency_key is not None:
        own["X-Idempotency-Key"] = request.idempotency_key
    body = request.body
    if body is not None:
        own["Content-Type"] = body.content_type
        own["Content-Length"] = str(body.size_bytes)
        if body.content_encoding is not None:
            own["Content-Encoding"] = body.content_encoding
    elif request.method != "GET":
        own["Content-Type"] = "application/json"
    own_encoded = encoded(own)
    replaced = {name.lower() for name, _ in own_encoded}
    return [pair for pair in common if pair[0].lower() not in replaced] + own_encoded


async def read(response: httpx.Response, headers: Mapping[str, str]) -> bytes:
    """Read a body to its end; only one that is compressed as we offer goes through the decoders.

    Others unfold to gigabytes from one piece, where their libraries happen to be installed.
    """
    pieces: list[bytes] = []
    size = 0
    named = {name.strip() for name in headers.get("content-encoding", "identity").lower().split(",")}
    plain = not (named & COMPRESSIONS and named <= {*COMPRESSIONS, "identity"})
    plain = plain and isinstance(response.stream, AsyncIterable)
    folded = not plain and encoding_of(headers.get("content-type")) != "protobuf"
    async for piece in response.stream if plain else response.aiter_bytes():  # type: ignore[union-attr]
        size += len(piece)
        if size > MAX_RESPONSE_BYTES:
            raise Faulted(Fault.BROKEN_BODY, f"the answer is larger than {MAX_RESPONSE_BYTES} bytes")
        if folded and size > max(UNFOLDED_BYTES, MAX_UNFOLDED * _wire_bytes(response, headers)):
            raise Faulted(
                Fault.BROKEN_BODY,
                f"the answer unfolds to more than {MAX_UNFOLDED} times its size and {UNFOLDED_BYTES} bytes",
            )
        pieces.append(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _wire_bytes(response: httpx.Response, headers: Mapping[str, str]) -> int:
    """Return how large an answer is before it unfolds: as it says, or as much of it as came."""
    told = headers.get("content-length", "")
    came = response.num_bytes_downloaded
    return max(came, int(told)) if told.isdecimal() and len(told) < 16 else came


def redirect(request: Request, url: httpx.URL, status: int, headers: Mapping[str, str]) -> str | None:
    """Return where to go next; None when this answer is the one to hand up."""
    where = headers.get("location")
    if request.method != "GET" or status not in REDIRECTS or where is None:
        return None
    if request.operation == "get_checkpoint_archive_url":
        return None
    here = str(url)
    target = onward(here, where)
    return target if origin(target) == origin(here) else None


def onward(url: str, where: str) -> str:
    """Return the URL that a `location` names."""
    try:
        target = urljoin(url, where)
        origin(target)
    except ValueError:
        raise Faulted(Fault.REDIRECT, f"a redirect to {where[:200]!r}, which is no URL") from None
    return target


async def raw(response: httpx.Response) -> AsyncIterator[bytes]:
    """Yield the body in the pieces in which it comes, so that a cut loses nothing that arrived."""
    if response.is_stream_consumed:
        yield response.content
        return
    async for piece in response.aiter_raw():
        yield piece


async def pieces_of(body: Body) -> AsyncIterator[bytes]:
    """Yield a body in pieces of bounded size."""
    for piece in body.pieces:
        if len(piece) <= STREAM_ABOVE_BYTES:
            yield piece
            continue
        view = memoryview(piece)
        for start in range(0, len(view), STREAM_ABOVE_BYTES):
            yield bytes(view[start : start + STREAM_ABOVE_BYTES])
