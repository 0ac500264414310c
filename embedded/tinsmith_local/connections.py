"""The connections of `tinsmith serve`: how long a head may take, and how many there are.

Owns a uvicorn protocol with these bounds. What a request means is the app's business.
"""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    import asyncio

_log = logging.getLogger("tinsmith.local")

RESERVED_DESCRIPTORS = 64
"""Descriptors that are kept for the database, its log, checkpoints and archives."""

LEAST_CONNECTIONS = 16
"""Connections that are taken even where the limit of descriptors is very low."""


def most_connections() -> int:
    """Return how many connections the descriptor limit of this process allows."""
    if sys.platform == "win32":  # pragma: no cover - sockets are no descriptors there
        return 10_000
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return 10_000
    return max(soft - RESERVED_DESCRIPTORS, LEAST_CONNECTIONS)


def bounded(head_s: float, most: int) -> type[H11Protocol]:
    """Return a protocol that ends connections whose head takes too long, and those above `most`."""

    class Bounded(H11Protocol):
        """HTTP/1.1 with a deadline for each head and a cap on connections."""

        _head: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as there
            super().connection_made(transport)
            if len(self.connections) > most:
                transport.abort()
            else:
                self._watch_head(waiting=True)

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            self._watch_head(waiting=bool(self.conn.trailing_data[0]))

        def on_response_complete(self) -> None:
            super().on_response_complete()
            self._watch_head(waiting=bool(self.conn.trailing_data[0]))

        def connection_lost(self, exc: Exception | None) -> None:
            self._stop_watching()
            super().connection_lost(exc)

        def _watch_head(self, *, waiting: bool) -> None:
            """Let the deadline run while a head has begun and is not whole; it never starts anew."""
            if not waiting or self.conn.their_state is not h11.IDLE:
                self._stop_watching()
            elif self._head is None:
                self._head = self.loop.call_later(head_s, self.transport.abort)

        def _stop_watching(self) -> None:
            if self._head is not None:
                self._head.cancel()
                self._head = None

    return Bounded


def log_accept_errors_once(loop: asyncio.AbstractEventLoop) -> None:
    """Log the first failure to take a connection; asyncio itself logs each, once a second."""
    logged = False

    def handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        nonlocal logged
        if "accept" not in context.get("message", ""):
            loop.default_exception_handler(context)
        elif not logged:
            logged = True
            _log.error("no further connection can be taken for now: %s", context.get("exception"))

    loop.set_exception_handler(handle)
