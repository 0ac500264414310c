"""An answer as server-sent events, which ends when its reader does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from starlette.responses import StreamingResponse

from tinsmith.core.errors import TinkerError
from tinsmith.gateway.refusals import GatewayRefusal, refusal_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from starlette.types import Receive, Scope, Send


async def event_stream(events: AsyncGenerator[dict[str, Any]]) -> EventStream:
    """Return the answer whose events these are; what goes wrong before the first is raised.

    What goes wrong later is an event with an error, since the status was sent.
    """
    try:
        first = await anext(events)
    except BaseException:
        await events.aclose()
        raise
    return EventStream(first, events)


class EventStream(StreamingResponse):
    """Events, then `[DONE]`; where the reader leaves, what is still being drawn is withdrawn."""

    def __init__(self, first: dict[str, Any], events: AsyncGenerator[dict[str, Any]]) -> None:
        self._first, self._events = first, events
        super().__init__(self._lines(), media_type="text/event-stream", headers={"Cache-Control": "no-cache"})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the events until there are no more, or nobody reads them."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self._events.aclose()

    async def _lines(self) -> AsyncIterator[bytes]:
        yield _line(self._first)
        try:
            async for event in self._events:
                yield _line(event)
        except GatewayRefusal as refusal:
            yield _line(refusal.document)
        except TinkerError as error:
            yield _line(refusal_of(error).document)
        else:
            yield b"data: [DONE]\n\n"


def _line(document: dict[str, Any]) -> bytes:
    return b"data: " + orjson.dumps(document) + b"\n\n"
