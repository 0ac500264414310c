"""Send one request and read one answer. The only module of the client that imports httpx.

It owns connections, proxies, TLS, redirects and deadlines of one attempt. It must not retry: `io.calls` does,
by the rules of `core.retry`. Connections that carry many requests run over aiohttp, whose cost does not grow
with what is in flight; the few control requests run over httpx's own transport, which loads in half of the
time.
"""

from __future__ import annotations

import asyncio
import ssl
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urljoin

import attrs

from tinsmith.core.origin import check_base_url
from tinsmith.core.verdict import Fault
from tinsmith.io.addressing import client_headers, origin, proxy_for
from tinsmith.io.fault_names import name_fault
from tinsmith.io.wire import Answer, Body, Faulted, Lane, Request, Seen

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tinsmith.core.config import ClientConfig

if "httpx" not in sys.modules:
    # httpx tries to import its own command line (click, rich, pygments); without it the import takes half as
    # long.
    sys.modules["httpx._main"] = None  # type: ignore[assignment]
    import httpx

    del sys.modules["httpx._main"]
else:
    import httpx

Timeout = httpx.Timeout
"""Seconds for each phase of a request, by its official name; `ServiceClient(timeout=)` takes one."""

MAX_REDIRECTS = 3
"""Redirects followed for one GET; the API needs at most one."""

STREAM_ABOVE_BYTES = 256 * 1024
"""Bodies above this size are written piece by piece, so that timers run between the pieces."""

CONTROL_CONNECTIONS = 8
"""Connections of the control lane; httpx's own pool is walked for each request, so it is kept short."""

KEEPALIVE_S = 15.0
"""Seconds that an idle connection is kept; shorter than the idle limit of common servers and proxies."""

MAX_RESPONSE_BYTES = 2 * 1024**3
"""Largest answer that is read, decompressed: above any real result, below what ends the process."""

_LOCAL_ORIGIN = "http://local.tinsmith/"

_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class Transport:
    """The connections of one client to one server."""

    def __init__(self, config: ClientConfig, http_client: httpx.AsyncClient | None = None) -> None:
        self._config = config
        self._base = _LOCAL_ORIGIN if config.local else config.base_url
        self._query = urlencode(dict(config.default_query))
        self._given = http_client
        self._clients: dict[Lane, httpx.AsyncClient] = {}
        self._foreign_client: httpx.AsyncClient | None = None
        self._local: httpx.AsyncBaseTransport | None = None
        self._tls: ssl.SSLContext | None = None
        self._headers = client_headers(config)

    @property
    def base(self) -> str:
        """What paths are appended to."""
        return self._base

    @property
    def is_local(self) -> bool:
        """Whether the server lives in this process."""
        return self._config.local

    async def send(self, request: Request, extra_headers: Mapping[str, str] | None = None) -> Answer:
        """Make one attempt: send, and read the whole answer within the deadline, or raise `Faulted`."""
        client = self._client(request.lane)
        deadline_s = request.timeout_s or self._config.timeouts.total_s
        url = self._base + request.target
        if self._query:
            url += ("&" if "?" in request.target else "?") + self._query
        try:
            async with asyncio.timeout(deadline_s):
                for _ in range(MAX_REDIRECTS + 1):
                    message = self._message(client, request, url, extra_headers)
                    response = await client.send(message, stream=True, follow_redirects=False)
                    try:
                        body = await self._read(response)
                    finally:
                        await response.aclose()
                    onward = self._redirect(request, url, response)
                    if onward is None:
                        return Answer(response.status_code, _lower(response.headers), body)
                    url = onward
        except TimeoutError as late:
            raise Faulted(Fault.DEADLINE, f"no whole answer within {deadline_s:g} s") from late
        except httpx.HTTPError as error:
            raise name_fault(error) from error
        except (OSError, ssl.SSLError) as error:
            raise name_fault(error) from error
        raise Faulted(Fault.REDIRECT, f"more than {MAX_REDIRECTS} redirects")

    @asynccontextmanager
    async def stream(self, url: str, headers: Mapping[str, str]) -> AsyncIterator[Streamed]:
        """Fetch a signed URL piece by piece, without a key, a cookie or a header of this client."""
        limits = self._config.timeouts
        timeout = httpx.Timeout(limits.read_s, connect=limits.connect_s, pool=None).as_dict()
        client = self._foreign(url)
        try:
            for _ in range(MAX_REDIRECTS + 1):
                check_base_url(url.partition("?")[0], insecure=self._config.insecure or self.is_local)
                asked = httpx.Request("GET", url, headers=dict(headers), extensions={"timeout": timeout})
                response = await client.send(asked, stream=True, follow_redirects=False)
                try:
                    where = response.headers.get("location")
                    if response.status_code not in _REDIRECTS or where is None:
                        yield Streamed(response.status_code, _lower(response.headers), _raw(response))
                        return
                finally:
                    await response.aclose()
                url = urljoin(url, where)
        except httpx.HTTPError as error:
            raise name_fault(error) from error
        raise Faulted(Fault.REDIRECT, f"more than {MAX_REDIRECTS} redirects")

    def _foreign(self, url: str) -> httpx.AsyncClient:
        """Return a client for URLs that carry their own permission; it adds nothing to a request."""
        if self._given is not None:
            return self._given
        if self.is_local and url.startswith(_LOCAL_ORIGIN):
            return self._client(Lane.CONTROL)
        if self._foreign_client is None:
            context = httpx.create_ssl_context(trust_env=True)
            inner = httpx.AsyncHTTPTransport(verify=context, trust_env=False, proxy=_proxy(proxy_for(url)))
            self._foreign_client = httpx.AsyncClient(transport=inner, trust_env=False)
        return self._foreign_client

    async def aclose(self) -> None:
        """Close every connection; a client that the user gave stays open, since it is the user's."""
        clients, self._clients = list(self._clients.values()), {}
        for client in clients:
            if client is not self._given:
                await client.aclose()
        if self._foreign_client is not None:
            await self._foreign_client.aclose()
        local, self._local = self._local, None
        if local is not None:
            await local.aclose()

    def _message(
        self, client: httpx.AsyncClient, request: Request, url: str, extra: Mapping[str, str] | None
    ) -> httpx.Request:
        headers = {**self._headers, **request.headers, **(extra or {})}
        if request.idempotency_key is not None:
            headers["X-Idempotency-Key"] = request.idempotency_key
        body = request.body
        if body is not None:
            headers["Content-Type"] = body.content_type
            headers["Content-Length"] = str(body.size_bytes)
        elif request.method != "GET":
            headers["Content-Type"] = "application/json"
        content = None if body is None else _content(body)
        limits = self._config.timeouts
        timeout = httpx.Timeout(
            connect=min(limits.connect_s, request.timeout_s or limits.connect_s),
            read=request.timeout_s or limits.read_s,
            write=request.timeout_s or limits.write_s,
            pool=None,
        )
        return client.build_request(request.method, url, headers=headers, content=content, timeout=timeout)

    async def _read(self, response: httpx.Response) -> bytes:
        limit = MAX_RESPONSE_BYTES
        pieces: list[bytes] = []
        size = 0
        async for piece in response.aiter_bytes():
            size += len(piece)
            if size > limit:
                raise Faulted(Fault.TRUNCATED, f"the answer is larger than {limit} bytes")
            pieces.append(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _redirect(self, request: Request, url: str, response: httpx.Response) -> str | None:
        """Return where to go next; None when this answer is the one to hand up."""
        where = response.headers.get("location")
        if request.method != "GET" or response.status_code not in _REDIRECTS or where is None:
            return None
        if request.operation == "get_checkpoint_archive_url":
            return None
        onward = urljoin(url, where)
        return onward if origin(onward) == origin(url) else None

    def _client(self, lane: Lane) -> httpx.AsyncClient:
        if self._given is not None:
            return self._given
        client = self._clients.get(lane)
        if client is None:
            client = self._clients[lane] = httpx.AsyncClient(
                transport=self._open(lane), trust_env=False, follow_redirects=False
            )
        return client

    def _open(self, lane: Lane) -> httpx.AsyncBaseTransport:
        if self.is_local:
            return self._open_local()
        proxy = proxy_for(self._base)
        if lane in (Lane.CONTROL, Lane.HEARTBEAT):
            limits = httpx.Limits(max_connections=CONTROL_CONNECTIONS, keepalive_expiry=KEEPALIVE_S)
            return httpx.AsyncHTTPTransport(
                verify=self._tls_context(), trust_env=False, limits=limits, proxy=_proxy(proxy)
            )
        return _lean_transport(self._tls_context(), proxy)

    def _open_local(self) -> httpx.AsyncBaseTransport:
        if self._local is None:
            from tinsmith.local.transport import open_local  # the door into the embedded service

            self._local = _Shared(open_local(self._config.base_url))
        return self._local

    def _tls_context(self) -> ssl.SSLContext:
        if self._tls is None:
            if self._base.startswith("https:"):
                self._tls = httpx.create_ssl_context(trust_env=True)
            else:
                # Reading the certificates takes longer than the first request; plain http never asks for
                # them.
                self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        return self._tls


class FunctionTransport(httpx.AsyncBaseTransport):
    """A transport made of a function: the seam at which tests put a server into the process."""

    def __init__(self, answer: Callable[[Seen], Awaitable[Answer]]) -> None:
        self._answer = answer

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Have the function answer."""
        body = await request.aread()
        target = request.url.raw_path.decode("ascii").lstrip("/")
        seen = Seen(request.method, target, _lower(request.headers), body)
        try:
            answer = await self._answer(seen)
        except Faulted as faulted:
            raise _RAISED.get(faulted.fault, httpx.ReadError)(faulted.reason, request=request) from faulted
        return httpx.Response(
            answer.status, headers=dict(answer.headers), content=answer.body, request=request
        )


_RAISED: dict[Fault, type[httpx.RequestError]] = {
    Fault.REFUSED: httpx.ConnectError,
    Fault.CONNECT_TIMEOUT: httpx.ConnectTimeout,
    Fault.READ_TIMEOUT: httpx.ReadTimeout,
    Fault.WRITE_TIMEOUT: httpx.WriteTimeout,
    Fault.TRUNCATED: httpx.RemoteProtocolError,
}


def client_of(answer: Callable[[Seen], Awaitable[Answer]]) -> httpx.AsyncClient:
    """Return an `http_client` whose server is a function."""
    return httpx.AsyncClient(transport=FunctionTransport(answer), trust_env=False)


@attrs.frozen
class Streamed:
    """An answer whose body is still coming."""

    status: int
    """The HTTP status code."""

    headers: Mapping[str, str]
    """The headers, with lower-case names."""

    pieces: AsyncIterator[bytes]
    """The body, as it comes."""


class _Shared(httpx.AsyncBaseTransport):
    """The embedded service beneath several lanes: closing one lane must not close it for the others."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner: httpx.AsyncBaseTransport | None = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self._inner is None:
            raise httpx.ConnectError("the embedded service of this client was closed", request=request)
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        """Close the embedded service itself; the lanes never call this before the transport closes."""
        inner, self._inner = self._inner, None
        if inner is not None:
            await inner.aclose()


def _proxy(url: str | None) -> httpx.Proxy | None:
    return None if url is None else httpx.Proxy(url)


def _lean_transport(tls: ssl.SSLContext, proxy: str | None) -> httpx.AsyncBaseTransport:
    """Build the transport for many requests at once: HTTP/1.1 with keep-alive and no limit of its own."""
    import aiohttp  # half of the start-up time; the first control request does not need it
    from httpx_aiohttp import AiohttpTransport

    def open_session() -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(limit=0, ssl=tls, keepalive_timeout=KEEPALIVE_S, ttl_dns_cache=60)
        return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())

    return AiohttpTransport(verify=tls, trust_env=False, proxy=_proxy(proxy), client=open_session)


def _lower(headers: httpx.Headers) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _content(body: Body) -> bytes | AsyncIterator[bytes]:
    return body.joined() if body.size_bytes <= STREAM_ABOVE_BYTES else _pieces(body)


async def _raw(response: httpx.Response) -> AsyncIterator[bytes]:
    """Yield the body in the pieces in which it comes, so that a cut loses nothing that arrived."""
    if response.is_stream_consumed:
        yield response.content
        return
    async for piece in response.aiter_raw():
        yield piece


async def _pieces(body: Body) -> AsyncIterator[bytes]:
    for piece in body.pieces:
        view = memoryview(piece)
        for start in range(0, len(view), STREAM_ABOVE_BYTES):
            yield bytes(view[start : start + STREAM_ABOVE_BYTES])
