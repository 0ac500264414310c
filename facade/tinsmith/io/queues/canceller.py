"""Cancel samples at the server that were cancelled here: in batches, best effort, and never in the way.

It owns the cancels that were not sent, and the part of the server's configuration that may change and says
whether the server takes cancels. It must not know what was cancelled.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tinsmith_api.models import ClientDynamicConfigResponse

from tinsmith.core import __version__
from tinsmith.core.negotiation import read_flags
from tinsmith.core.retry import OpClass
from tinsmith.io.http import operations
from tinsmith.io.http.messages import Lane

if TYPE_CHECKING:
    from tinsmith.io.http.sender import Sender
    from tinsmith.io.runtime import Runtime

MOST_WAITING = 10_000
"""Cancels that are kept while the server is slow; more than a client has samples in flight."""

LEAST_REFRESH_S = 10.0
"""Seconds between two fetches of what the server says of cancels, at least."""

CONFIG_TIMEOUT_S = 10.0
"""Seconds for such a fetch."""

AT_ONCE = 4
"""Cancels under way at once, whatever the server allows: heartbeats have the same few connections."""

_UNKNOWN_ROUTE = frozenset({405, 501})


class Canceller:
    """The cancels of one client."""

    def __init__(self, runtime: Runtime, sender: Sender, timeout_s: float) -> None:
        self._runtime, self._sender, self._timeout_s = runtime, sender, timeout_s
        self._waiting: list[str] = []
        self._sending: asyncio.Task[None] | None = None
        self._flags = ClientDynamicConfigResponse()
        self._fetched_s = float("-inf")
        self._takes_none = False

    def cancel(self, request_id: str) -> None:
        """Have the work for a promise cancelled at the server."""
        if self._takes_none or len(self._waiting) >= MOST_WAITING:
            return
        self._waiting.append(request_id)
        if self._sending is None or self._sending.done():
            self._sending = self._runtime.task(self._send_all())

    async def _send_all(self) -> None:
        """Send what is left, a few at once; a server that does not answer does not get the rest."""
        flags = await self._wanted()
        while self._waiting:
            batch = self._waiting[: min(flags.sample_cancel_max_batch_size, AT_ONCE)]
            del self._waiting[: len(batch)]
            answered = flags.sample_cancel_enabled and not self._takes_none
            if answered:
                answered = any(await asyncio.gather(*(self._send_one(request_id) for request_id in batch)))
            if not answered:
                self._waiting.clear()

    async def _wanted(self) -> ClientDynamicConfigResponse:
        """Return what the server says of cancels, fetched again as often as it says."""
        now_s = self._runtime.loop.time()
        if now_s - self._fetched_s < max(self._flags.refresh_interval_sec, LEAST_REFRESH_S):
            return self._flags
        self._fetched_s = now_s
        request = operations.request(
            "client_dynamic_config",
            body={"sdk_version": __version__},
            lane=Lane.HEARTBEAT,
            timeout_s=CONFIG_TIMEOUT_S,
        )
        exchange = await self._sender.exchange(request, OpClass.BEST_EFFORT, valid=operations.is_json)
        if exchange.done and exchange.answer is not None:
            payload = operations.decoded(exchange.answer, request.operation)
            self._flags, _ = read_flags(ClientDynamicConfigResponse, payload)
        return self._flags

    async def _send_one(self, request_id: str) -> bool:
        """Send one; say whether there was an answer."""
        request = operations.request(
            "cancel_future",
            body={"request_id": request_id},
            lane=Lane.HEARTBEAT,
            timeout_s=self._timeout_s,
        )
        exchange = await self._sender.exchange(request, OpClass.BEST_EFFORT)
        self._takes_none = self._takes_none or exchange.outcome.status in _UNKNOWN_ROUTE
        return exchange.answer is not None
