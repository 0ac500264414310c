"""The events of an answer that is still coming.

Owns the response that they are read from, until it is closed. What an event says is the caller's business.
"""

from __future__ import annotations

from contextlib import AsyncExitStack, suppress
from typing import TYPE_CHECKING

import attrs
from tinsmith_api.redaction import struck

from tinsmith.core.event_stream import EventParser, ServerEvent
from tinsmith.io.http.exceptions import is_of_the_wire, name_fault
from tinsmith.io.http.messages import Answer, Faulted, raw

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

    import httpx

MEDIA_TYPE = "text/event-stream"
"""What a request accepts, and an answer is, whose events are read as they come."""

HEADERS = {"Accept": MEDIA_TYPE, "Accept-Encoding": "identity"}
"""Headers of such a request: what is compressed may be held back until a block is full."""

QUIET_S = 30.0
"""Least seconds without a byte after which a stream counts as broken; servers send a line every 10 s."""


def is_stream(status: int, headers: Mapping[str, str]) -> bool:
    """Say whether an answer is a stream of events."""
    return 200 <= status < 300 and headers.get("content-type", "").partition(";")[0].strip() == MEDIA_TYPE


class LiveEvents:
    """The events of one answer, as they come; whoever has it closes it."""

    def __init__(self, response: httpx.Response) -> None:
        self._response = response
        self._held = AsyncExitStack()
        self._secrets: tuple[str, ...] = ()

    def keep(self, held: AsyncExitStack, secrets: tuple[str, ...]) -> None:
        """Hold a place among the connections until the end; no event quotes one of the secrets."""
        self._held, self._secrets = held, secrets

    async def events(self) -> AsyncGenerator[ServerEvent]:
        """Yield the events until the answer ends; raise `Faulted` where the connection breaks."""
        parser = EventParser()
        try:
            async for piece in raw(self._response):
                for event in parser.feed(piece):
                    yield attrs.evolve(event, data=struck(event.data, self._secrets))
            return
        except Exception as error:
            if not is_of_the_wire(error):
                raise
            named = name_fault(error)
        # Raised out here, without a cause: the libraries' errors hold the request, and with it the key.
        raise Faulted(named.fault, struck(named.reason, self._secrets))

    async def aclose(self) -> None:
        """Close the connection, by which the server learns that nobody reads any more."""
        try:
            with suppress(Exception):  # of a connection that is broken already
                await self._response.aclose()
        finally:
            await self._held.aclose()


@attrs.frozen
class StreamedAnswer(Answer):
    """An answer whose body is a stream of events and still comes."""

    stream: LiveEvents = attrs.field(repr=False)
    """The events, which whoever gets the answer closes."""
