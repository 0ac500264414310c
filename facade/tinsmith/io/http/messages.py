"""The values that travel between the pipeline and the transport: one request, one answer, one fault.

It must not send, wait or decide: `io.http.transport` sends, `core.retry` and `core.polling` decide.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypedDict

import attrs
import orjson

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tinsmith.core.decision import Fault


REDIRECTS = frozenset({301, 302, 303, 307, 308})
"""Statuses whose `location` names where to go on."""


class Lane(StrEnum):
    """Which connections a request may use. Lanes share none, so that a full one starves no other."""

    CONTROL = "control"
    """Sessions, models and reads: few at a time."""

    HEARTBEAT = "heartbeat"
    """Heartbeats and cancels: small, and they must keep their beat while uploads fill the line."""

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
    """The bytes of a request, in pieces so that nobody has to join 30 MB."""

    pieces: tuple[bytes, ...] = attrs.field(repr=False)
    """The body is their concatenation."""

    size_bytes: int
    """The sum of their lengths."""

    content_type: str = "application/json"
    """The media type that the header names."""

    content_encoding: str | None = None
    """How the bytes are compressed; None for not at all."""

    secrets: tuple[str, ...] = attrs.field(default=(), repr=False)
    """What in it nobody may see: servers quote the body that they refuse."""

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
