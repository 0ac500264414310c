"""Stands between our client and a server, and swallows one answer: the server acted, and nobody is told."""

from __future__ import annotations

import asyncio
import threading
from typing import Self

import aiohttp
from aiohttp import web

UNCOUNTED = ("session_heartbeat", "telemetry")
"""Requests that come when the clock says so, and therefore have no position."""
PROBE_BYTES = 3
"""A body below this says nothing: it asks whether the server reads its encoding."""
_OWN_HEADERS = ("connection", "keep-alive", "transfer-encoding", "content-length")


class Relay:
    """A relay with an address of its own; use it as a context manager."""

    def __init__(self, upstream: str, swallow: int | None = None) -> None:
        self._upstream = upstream
        self._swallow = swallow
        self.passed: list[str] = []
        """The requests that have a position, in order, by their paths."""
        self.swallowed: str | None = None
        """The path of the request whose answer was swallowed; one that asks for nothing is called a probe."""
        self.url = ""
        """The address for the client."""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="relay", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result()
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _start(self) -> None:
        self._http = aiohttp.ClientSession(auto_decompress=False, timeout=aiohttp.ClientTimeout(600))
        app = web.Application(client_max_size=0)
        app.router.add_route("*", "/{path:.*}", self._pass_on)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def _stop(self) -> None:
        await self._runner.cleanup()
        await self._http.close()

    async def _pass_on(self, request: web.Request) -> web.Response:
        lost = self._is_lost(request)
        body = await request.read()
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _OWN_HEADERS}
        async with self._http.request(
            request.method,
            self._upstream + request.path_qs,
            data=body,
            headers=headers,
            allow_redirects=False,
        ) as answer:
            content = await answer.read()
        if lost:
            self.swallowed = f"{request.path} (probe)" if 0 < len(body) < PROBE_BYTES else request.path
            assert request.transport is not None
            request.transport.abort()
        kept = [(name, value) for name, value in answer.headers.items() if name.lower() not in _OWN_HEADERS]
        return web.Response(body=content, status=answer.status, headers=kept)

    def _is_lost(self, request: web.Request) -> bool:
        if request.path.endswith(UNCOUNTED):
            return False
        self.passed.append(request.path)
        return len(self.passed) - 1 == self._swallow
