"""What the service answers, before it becomes HTTP: values of the contract, and refusals."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING

import attrs
from starlette.responses import Response, StreamingResponse
from tinsmith_api import models
from tinsmith_api.model import Model

from tinsmith_local.work.results import encode

if TYPE_CHECKING:
    from starlette.types import Send

LONGEST = 2000
"""Most characters of a message: it quotes what was sent, which may be 64 MB."""


@attrs.frozen(eq=False)
class Answer:
    """One answer."""

    body: Model | bytes | None = attrs.field(default=None, repr=False)
    """Value to encode, bytes that are encoded already, or nothing."""
    status: int = 200
    """HTTP status."""
    headers: Mapping[str, str] = attrs.field(factory=dict)
    """Further headers."""
    content_type: str = "application/json"
    """What the bytes are."""

    @classmethod
    def of(cls, reply: Reply) -> Answer | Events:
        """Return the answer that an operation gives: a value with 200, nothing with 204, or its own."""
        if isinstance(reply, Answer | Events):
            return reply
        return cls(reply, 200 if reply is not None else 204)

    def response(self) -> Response:
        """Make it HTTP."""
        if self.body is None:
            return Response(status_code=self.status, headers=self.headers)
        content = self.body if isinstance(self.body, bytes) else encode(self.body)
        return Response(content, self.status, self.headers, self.content_type)


@attrs.frozen(eq=False)
class Events:
    """An answer that comes piece by piece, as server-sent events."""

    events: AsyncGenerator[bytes]
    """The events, written out; closed when the client is gone."""

    def response(self) -> Response:
        """Make it HTTP."""
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}  # the latter for nginx
        return _EventResponse(self.events, headers=headers, media_type="text/event-stream")


class _EventResponse(StreamingResponse):
    """A response that closes its events whatever ends it."""

    body_iterator: AsyncGenerator[bytes]

    async def stream_response(self, send: Send) -> None:
        async with aclosing(self.body_iterator):
            await super().stream_response(send)


Reply = Model | Answer | Events | None
"""What an operation returns."""


@attrs.define(eq=False)
class Refusal(Exception):  # noqa: N818 - a refusal is an answer, not a defect
    """An error answer."""

    status: int
    """HTTP status."""
    message: str
    """What is wrong and, where it helps, what to do."""
    field: tuple[str | int, ...] = attrs.field(default=(), kw_only=True)
    """Path to the field in the body, such as `("forward_input", "data", 3)`."""
    headers: Mapping[str, str] = attrs.field(factory=dict, kw_only=True)
    """Further headers, such as Retry-After."""
    kind: str = attrs.field(default="value_error", kw_only=True)
    """Short name of the kind of error, which imitated servers show."""
    more: Mapping[str, object] = attrs.field(factory=dict, kw_only=True)
    """Further fields of the body."""

    @property
    def short_message(self) -> str:
        """The message, cut where it is too long to be sent."""
        length = len(self.message)
        return self.message if length <= LONGEST else f"{self.message[:LONGEST]}... ({length} characters)"

    @property
    def text(self) -> str:
        """The message behind the name of the field."""
        return f"{dotted(self.field)}: {self.short_message}" if self.field else self.short_message

    def answer(self) -> Answer:
        """Return the answer that the contract describes."""
        field = {"field": dotted(self.field)} if self.field else {}
        category = "server" if self.status >= 500 else "user"
        body = models.ErrorBody(detail=self.text, category=category, extra={**field, **self.more})
        return Answer(body, self.status, self.headers)


def dotted(path: Sequence[str | int]) -> str:
    """Write a path as `forward_input.data[3].weights`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text
