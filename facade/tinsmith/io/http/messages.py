"""One request and its answer: the values that travel, their form on the wire, and the secrets in them.

It owns the pieces in which bodies are sent and read, their size limits, what a redirect names, and what of an
answer is struck: a server may quote a key, and errors are printed. It must not connect, send or decide:
`io.http.transport` sends, `core.retry` and `core.polling` decide.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Collection, Iterable, Iterator, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypedDict
from urllib.parse import urljoin, urlsplit

import attrs
import orjson
from tinsmith_api.operations import SECRET_FIELDS
from tinsmith_api.redaction import SHORTEST, secrets_in_headers, struck, struck_bytes

from tinsmith.core import __version__
from tinsmith.core.codec.wire import encoding_of
from tinsmith.core.retry import Fault

if TYPE_CHECKING:
    import httpx

    from tinsmith.core.config import ClientConfig, Secret

REDIRECTS = frozenset({301, 302, 303, 307, 308})
"""Statuses whose `location` names where to go on."""

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

LARGEST_BYTES = 256 * 1024
"""Bodies of success above this size are numbers, and are left alone."""


class Lane(StrEnum):
    """Which connections a request may use. A lane with a limit shares none, so that it starves no other."""

    CONTROL = "control"
    """Sessions, models and reads: few at a time."""

    HEARTBEAT = "heartbeat"
    """Heartbeats and cancels: small, and they must be on time while uploads fill the network."""

    UPLOAD = "upload"
    """Training and sampling submissions: many at a time or very large."""

    ALONE = "alone"
    """Changes at a server that might apply a re-sent one twice. Each has a connection of its own: one that
    was used before may be closing at the other end."""

    POLL = "poll"
    """Long polls: one for each promise that is outstanding."""


class RequestOptions(TypedDict, total=False):
    """Options of one request, by the official names."""

    headers: Mapping[str, str]
    """Headers beside those of the client."""
    max_retries: int
    """Most re-sends."""
    timeout: float | None
    """Seconds for each phase."""
    params: Mapping[str, object]
    """Query parameters."""
    extra_json: Mapping[str, object]
    """Fields beside those of the body."""
    idempotency_key: str
    """Value of X-Idempotency-Key."""
    follow_redirects: bool
    """Whether redirects are followed."""


@attrs.frozen
class Body:
    """The bytes of a request, in pieces so that 30 MB need not be joined."""

    pieces: tuple[bytes, ...] = attrs.field(repr=False)
    """The body is their concatenation."""

    size_bytes: int
    """The sum of their lengths."""

    content_type: str = "application/json"
    """The media type that the header names."""

    content_encoding: str | None = None
    """How the bytes are compressed; None for not at all."""

    secrets: tuple[str, ...] = attrs.field(default=(), repr=False)
    """Secrets in it: servers quote the body that they refuse."""

    @classmethod
    def of(
        cls,
        pieces: Iterable[bytes],
        content_type: str = "application/json",
        *,
        content_encoding: str | None = None,
        secrets: tuple[str, ...] = (),
    ) -> Body:
        """Make a body of pieces that are bytes already."""
        kept = tuple(pieces)
        return cls(kept, sum(map(len, kept)), content_type, content_encoding, secrets)

    def joined(self) -> bytes:
        """Return the whole body as one object."""
        return self.pieces[0] if len(self.pieces) == 1 else b"".join(self.pieces)


def json_body(value: object) -> Body:
    """Encode a small JSON document."""
    return Body.of((orjson.dumps(value),))


@attrs.frozen
class Request:
    """One logical call: every re-send of it has these bytes, this target and this idempotency key."""

    operation: str
    """The operation id of the contract, for messages."""

    method: str
    """The HTTP method."""

    target: str
    """Path and query relative to the base URL, quoted, without a leading slash."""

    lane: Lane
    """The connections to use."""

    body: Body | None = None
    """The bytes to send."""

    headers: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    """Headers of this call beside those of the client."""

    idempotency_key: str | None = None
    """The value of X-Idempotency-Key, the same for each re-send; None on GET."""

    timeout_s: float | None = None
    """Total deadline of one attempt, in seconds; None for the client's."""

    about: str = ""
    """What it is about, for the log: `seq_id=3`, or `promise=` and its id."""

    streams: bool = False
    """Whether a success is a stream of events, which is handed up while it comes."""

    @property
    def title(self) -> str:
        """The operation and what it is about."""
        return f"{self.operation} {self.about}" if self.about else self.operation


@attrs.frozen
class Seen:
    """One request as a server sees it."""

    method: str
    """The HTTP method."""

    target: str
    """Path and query, without a leading slash."""

    headers: Mapping[str, str] = attrs.field(repr=False)
    """The headers, with lower-case names."""

    body: bytes = attrs.field(repr=False)
    """The whole body."""

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]

    def json(self) -> Any:
        """Decode the body; an empty one is None."""
        return orjson.loads(self.body) if self.body else None


@attrs.frozen
class Answer:
    """What came back for one attempt, read to its end."""

    status: int
    """The HTTP status code."""

    headers: Mapping[str, str]
    """The headers, with lower-case names."""

    body: bytes = attrs.field(repr=False)
    """The whole body, decompressed."""

    def json(self) -> Any:
        """Decode the body; raises `ValueError` when it is not JSON."""
        return orjson.loads(self.body)

    @property
    def ok(self) -> bool:
        """Whether the status says success."""
        return 200 <= self.status < 300


class Faulted(Exception):  # noqa: N818  # an outcome on its way to core.retry, not an error for users
    """One attempt ended without a whole answer."""

    def __init__(self, fault: Fault, reason: str) -> None:
        super().__init__(reason)
        self.fault = fault
        self.reason = reason


@attrs.frozen
class Streamed:
    """An answer whose body is still coming."""

    status: int
    """The HTTP status code."""

    headers: Mapping[str, str]
    """The headers, with lower-case names."""

    pieces: AsyncIterator[bytes]
    """The body, as it comes."""


def client_headers(config: ClientConfig) -> dict[str, str]:
    """Return the headers that go with each request to the origin of base_url, and nowhere else."""
    headers = {
        "Accept": "application/json",
        "Accept-Encoding": "gzip, deflate",
        "User-Agent": f"tinsmith/{__version__}",
    }
    if config.api_key is not None:
        headers["X-API-Key"] = config.api_key.reveal()
    return {**headers, **config.default_headers}


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
    said = headers.get("content-length", "")
    came = response.num_bytes_downloaded
    return max(came, int(said)) if said.isdecimal() and len(said) < 16 else came


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


def origin(url: str) -> tuple[str, str | None, int | None]:
    """Return scheme, host and port of a URL."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


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


def secrets_in(fields: Mapping[str, object]) -> tuple[str, ...]:
    """Return the secrets that a body of these fields carries."""
    return tuple(value for name in SECRET_FIELDS if isinstance(value := fields.get(name), str))


def secrets_of(request: Request, key: Secret | None, hidden: Iterable[str] = ()) -> Iterator[str]:
    """Yield the secrets of a request beside those of the client's headers, if they are worth hiding."""
    yield from secrets_in_headers(request.headers)
    carried = () if request.body is None else request.body.secrets
    for secret in (*(() if key is None else (key.reveal(),)), *carried, *hidden):
        if len(secret) >= SHORTEST:
            yield secret


def without_secrets(answer: Answer, secrets: Collection[str]) -> Answer:
    """Return an answer that quotes no secret of its request."""
    body, headers = answer.body, answer.headers
    if not answer.ok or len(body) <= LARGEST_BYTES:
        body = struck_bytes(body, secrets)
    if any(secret in value for value in headers.values() for secret in secrets):
        headers = {name: struck(value, secrets) for name, value in headers.items()}
    if body is answer.body and headers is answer.headers:
        return answer
    return attrs.evolve(answer, body=body, headers=headers)
