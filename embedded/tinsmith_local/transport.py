"""The httpx transport of the client that calls the embedded service in this process.

`local:` is a private temporary directory, removed when the transport closes or the process ends; `local:PATH`
keeps its state there, locked against other processes. What is heavy is imported when a transport is opened.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import attrs
import httpx
from tinsmith.core.addresses import is_local, local_path

from tinsmith_local.options import ServeOptions

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from tinsmith_local.service import Service


EVENT_STREAM = "text/event-stream"
"""What a request accepts whose answer is to be read while it comes."""


def open_local(
    base_url: str = "local:", options: ServeOptions | None = None, *, models: Mapping[str, str] | None = None
) -> LocalTransport:
    """Open the service that `local:` or `local:PATH` names, with base models of the user, by name and path.

    `options` gives further settings; its data directory and key are not used. DirectoryLockedError says that
    another process has the directory.
    """
    if not is_local(base_url):
        raise ValueError(f"a local service is called local: or local:PATH, not {base_url!r}")
    path = local_path(base_url)
    directory = Path(path or tempfile.mkdtemp(prefix="tinsmith-"))
    private = directory if path is None else None
    chosen = options or ServeOptions(data_dir=directory, reads_paths=True)
    paths = {**chosen.models, **{name: Path(path) for name, path in (models or {}).items()}}
    try:
        return LocalTransport(
            attrs.evolve(chosen, data_dir=directory, token=None, allowed_hosts=None, models=paths), private
        )
    except BaseException:
        if private is not None:
            shutil.rmtree(private, ignore_errors=True)
        raise


class LocalTransport(httpx.AsyncBaseTransport):
    """Calls the ASGI app of a service; may be used from any event loop."""

    def __init__(self, options: ServeOptions, private: Path | None = None) -> None:
        from tinsmith_local.service import take

        self._service: Service = take(options)
        self._process = os.getpid()
        self._end = weakref.finalize(self, _close, self._service, private, self._process)

    @property
    def service(self) -> Service:
        """The service beneath, for tests that look inside."""
        return self._service

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request; the read timeout of httpx holds."""
        if os.getpid() != self._process:
            raise httpx.ConnectError(
                "this process was forked from the one with the local service; `tinsmith serve` can be shared",
                request=request,
            )
        body = await request.aread()
        timeout = request.extensions.get("timeout", {}).get("read")
        try:
            async with asyncio.timeout(timeout):
                if request.headers.get("accept") == EVENT_STREAM:
                    return await _LiveExchange(request, body).begin(self._service.app)
                return await _Exchange(request, body).run(self._service.app)
        except TimeoutError as error:
            raise httpx.ReadTimeout("the local service did not answer in time", request=request) from error

    async def aclose(self) -> None:
        """Release the service; the last release closes it."""
        await asyncio.to_thread(self._end)

    def close(self) -> None:
        """Release the service from code without an event loop."""
        self._end()

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled: the service lives in this process."""
        raise TypeError("a local: service lives in one process; share it with `tinsmith serve`")


def _close(service: Service, private: Path | None, process: int) -> None:
    """Release a service, and remove its directory if it was private; a forked child owns neither."""
    from tinsmith_local.service import give_back

    if os.getpid() != process:
        return
    give_back(service)
    if private is not None:
        shutil.rmtree(private, ignore_errors=True)


class _Exchange:
    """One request and its answer through an ASGI app.

    `httpx.ASGITransport` would do, but it looks for the library sniffio at each request. Where that is not
    installed, the search makes a short request half as slow again.
    """

    def __init__(self, request: httpx.Request, body: bytes) -> None:
        self._request = request
        self._body: bytes | None = body
        self._status = 0
        self._headers: list[tuple[bytes, bytes]] = []
        self._parts: list[bytes] = []
        self._gone = asyncio.Event()

    async def run(self, app: Any) -> httpx.Response:
        """Call the app to its end."""
        await self._call(app)
        return httpx.Response(
            self._status, headers=self._headers, content=b"".join(self._parts), request=self._request
        )

    async def _call(self, app: Any) -> None:
        url = self._request.url
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": self._request.method,
            "scheme": url.scheme,
            "path": url.path,
            "raw_path": url.raw_path.partition(b"?")[0],
            "query_string": url.query,
            "root_path": "",
            "headers": [(name.lower(), value) for name, value in self._request.headers.raw],
            "client": ("127.0.0.1", 0),
            "server": (url.host, url.port),
        }
        try:
            await app(scope, self._receive, self._send)
        except Exception:
            # The app has already answered 500 when it raises; what is left to raise is for its log.
            if not self._status:
                raise

    async def _receive(self) -> dict[str, Any]:
        """Give the app the body, once."""
        if self._body is None:
            await self._gone.wait()
            return {"type": "http.disconnect"}
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}

    async def _send(self, message: dict[str, Any]) -> None:
        """Take a part of the answer."""
        if message["type"] == "http.response.start":
            self._status, self._headers = message["status"], message.get("headers", [])
        elif message["type"] == "http.response.body":
            self._parts.append(message.get("body", b""))


class _LiveExchange(_Exchange, httpx.AsyncByteStream):
    """One request whose answer is read while the app writes it; closing the answer ends the app's call."""

    def __init__(self, request: httpx.Request, body: bytes) -> None:
        super().__init__(request, body)
        self._news = asyncio.Event()
        self._running: asyncio.Task[None] | None = None

    async def begin(self, app: Any) -> httpx.Response:
        """Call the app, and return as soon as there is a head."""
        self._running = asyncio.create_task(self._call(app))
        self._running.add_done_callback(lambda _: self._news.set())
        try:
            while not self._status and not self._running.done():
                await self._wait()
        except BaseException:
            await self.aclose()
            raise
        if not self._status:
            await self._running  # raises what the app raised
        return httpx.Response(self._status, headers=self._headers, stream=self, request=self._request)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield the parts of the body as they come; the read timeout of httpx holds for each."""
        assert self._running is not None, "its answer is there"
        timeout = self._request.extensions.get("timeout", {}).get("read")
        while self._parts or not self._running.done():
            if self._parts:
                yield self._parts.pop(0)
                continue
            try:
                async with asyncio.timeout(timeout):
                    await self._wait()
            except TimeoutError as error:
                reason = "the local service sent nothing in time"
                raise httpx.ReadTimeout(reason, request=self._request) from error

    async def aclose(self) -> None:
        """Let the app see that nobody reads any more, and wait for its end."""
        self._gone.set()
        if self._running is not None:
            await asyncio.wait([self._running])

    async def _wait(self) -> None:
        await self._news.wait()
        self._news.clear()

    async def _send(self, message: dict[str, Any]) -> None:
        await super()._send(message)
        self._news.set()
