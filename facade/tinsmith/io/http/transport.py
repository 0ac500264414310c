"""Send one request and read one answer. The only module of the client that imports httpx.

It owns connections, proxies, TLS and deadlines of one attempt; `io.http.messages` knows heads and bodies. It
must not retry: `io.http.sender` does, by the rules of `core.retry`. Requests to the server run over aiohttp,
whose cost does not grow with what is in flight; downloads from signed URLs run over httpx's own transport.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
import sys
from base64 import b64encode
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from itertools import count
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from tinsmith_api.redaction import secrets_in_headers, struck

from tinsmith.core.addresses import LOCAL_ROOT
from tinsmith.core.config import set_variables
from tinsmith.core.errors import InputError
from tinsmith.core.retry import Fault
from tinsmith.io.http.addressing import check_loopback, check_signed, proxy_for
from tinsmith.io.http.aiohttp_import import aiohttp_module
from tinsmith.io.http.descriptors import PAUSE_S, SHARED_HOLD_S, connection_limit, soft_limit
from tinsmith.io.http.exceptions import is_of_the_wire, lacks_descriptors, name_fault
from tinsmith.io.http.messages import (
    REDIRECTS,
    STREAM_ABOVE_BYTES,
    Answer,
    Faulted,
    Lane,
    Request,
    Seen,
    Streamed,
    client_headers,
    encoded,
    head_of,
    lower_names,
    onward,
    pieces_of,
    raw,
    read,
    redirect,
    secrets_of,
    without_secrets,
)
from tinsmith.io.http.streaming import QUIET_S, LiveEvents, StreamedAnswer, is_stream
from tinsmith.io.http.tls_sessions import resume

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping

    from tinsmith.core.config import ClientConfig, Secret
    from tinsmith.io.http.addressing import ProxyAddress
    from tinsmith.io.http.descriptors import ConnectionLimit

    Headers = list[tuple[bytes, bytes]]

if "httpx" not in sys.modules:
    # httpx tries to import its own command line (click, rich, pygments); without it the import takes half as
    # long.
    sys.modules["httpx._main"] = None  # type: ignore[assignment]
    import httpx

    del sys.modules["httpx._main"]
else:
    import httpx

_log = logging.getLogger("tinsmith")

Timeout = httpx.Timeout
"""Seconds for each phase of a request, by its official name; `ServiceClient(timeout=)` takes one."""

MAX_REDIRECTS = 3
"""Redirects followed for one GET; the API needs at most one."""

CONTROL_CONNECTIONS = 8
"""Connections of the control lane, and of heartbeats: few requests that are small."""

EARLY_CONNECTIONS = 2
"""Connections opened while a session is: a submission and a poll are under way at once in every loop."""

KEEPALIVE_S = 15.0
"""Seconds that an idle connection is kept; shorter than the idle limit of common proxies."""

MAX_HEADER_BYTES = 64 * 1024
"""Longest header line of an answer: proxies add policies and cookies above aiohttp's own 8 KiB."""

KEPT_URLS = 256
"""Parsed URLs that a client keeps: the operations of the API, and the first ids."""

CERTIFICATE_VARIABLES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE")
"""What the libraries beneath read for TLS."""

_POOLED = (Lane.UPLOAD, Lane.POLL)
"""Lanes that take their connections from one pool. It has no limit, so that neither can starve the other, and
a poll has a connection at hand as soon as its submission was answered."""

_BY_A_PROXY = frozenset({Fault.REFUSED, Fault.DNS, Fault.CONNECT_TIMEOUT})


def _described(request: Request, extra: Mapping[str, str]) -> str:
    """Say for the log what an attempt sends: neither headers nor bodies, only ids, sizes and counts."""
    words = [request.method, f"{0 if request.body is None else request.body.size_bytes} bytes"]
    if retries := extra.get("x-stainless-retry-count"):
        words.append(f"attempt {int(retries) + 1}")
    if request.idempotency_key is not None:
        words.append(f"idempotency key …{request.idempotency_key[-6:]}")
    return ", ".join(words)


class Transport:
    """The connections of one client to one server."""

    def __init__(self, config: ClientConfig, http_client: httpx.AsyncClient | None = None) -> None:
        self._config = config
        self.base = LOCAL_ROOT if config.local else config.base_url
        """What paths are appended to."""
        self._query = urlencode(dict(config.default_query))
        self._given = http_client
        self._closed = False
        self._lanes: dict[Lane, httpx.AsyncBaseTransport] = {}
        self._stale: list[httpx.AsyncBaseTransport] = []
        self._foreign: httpx.AsyncBaseTransport | None = None
        self._local: httpx.AsyncBaseTransport | None = None
        self._tls: ssl.SSLContext | None = None
        self._proxy: ProxyAddress | None = None
        common = client_headers(config)
        self._headers, self._secrets = encoded(common), secrets_in_headers(common)
        self._urls: dict[str, httpx.URL] = {}
        self._attempts = count(1)

    async def send(
        self,
        request: Request,
        extra_headers: Mapping[str, str] | None = None,
        *,
        key: Secret | None = None,
        hidden: Iterable[str] = (),
    ) -> Answer:
        """Make one attempt: send, and read the whole answer within the deadline, or raise `Faulted`.

        The deadline begins when there is a connection to use. An attempt that finds no descriptor free sent
        nothing; it waits for one. Neither the answer nor a fault quotes a secret of the request, or of what
        is `hidden`.
        """
        if not _log.isEnabledFor(logging.DEBUG):
            return await self._send(request, extra_headers, key, hidden)
        what, clock = f"#{next(self._attempts)} {request.title}", asyncio.get_running_loop().time
        _log.debug("-> %s: %s", what, _described(request, extra_headers or {}))
        began_s = clock()
        try:
            answer = await self._send(request, extra_headers, key, hidden)
        except Faulted as faulted:
            _log.debug("<- %s: %s after %.3f s: %s", what, faulted.fault, clock() - began_s, faulted.reason)
            raise
        size_bytes = len(answer.body)
        _log.debug("<- %s: %d, %d bytes in %.3f s", what, answer.status, size_bytes, clock() - began_s)
        return answer

    async def _send(
        self,
        request: Request,
        extra_headers: Mapping[str, str] | None,
        key: Secret | None,
        hidden: Iterable[str],
    ) -> Answer:
        changed = key if key is not self._config.api_key else None
        headers = head_of(request, self._headers, extra_headers or {}, changed)
        secrets = (*self._secrets, *secrets_of(request, changed, hidden))
        try:
            await self._open_lane(request.lane)
            limit = None if self._given is not None or self._config.local else connection_limit(request.lane)
            async with AsyncExitStack() as held:
                if limit is not None:
                    await held.enter_async_context(limit.hold())
                answer = await self._wait_and_attempt(request, headers, limit)
                if isinstance(answer, StreamedAnswer):
                    answer.stream.keep(held.pop_all(), secrets)
            return without_secrets(answer, secrets)
        except Faulted as named:
            faulted = Faulted(named.fault, struck(named.reason, secrets))
        raise faulted  # out here, without a cause, which may quote what was struck

    async def _wait_and_attempt(
        self, request: Request, headers: Headers, limit: ConnectionLimit | None
    ) -> Answer:
        """Make one attempt; as long as there is no descriptor for it, make room and begin again."""
        loop = asyncio.get_running_loop()
        ends_s = loop.time() + (request.timeout_s or self._config.timeouts.total_s)
        pause_s = PAUSE_S
        while True:
            try:
                hurry = limit is not None and limit.is_contended
                return await self._attempt(request, headers, hurry=hurry)
            except _Starved:
                if limit is not None:
                    limit.fewer()
            if loop.time() + pause_s >= ends_s:
                raise _Starved
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, 1.0)

    async def _attempt(self, request: Request, head: Headers, *, hurry: bool) -> Answer:
        deadline_s = request.timeout_s or self._config.timeouts.total_s
        message = self._message(request, self._url(request.target), head)
        if hurry and request.lane is Lane.POLL and not request.streams:
            timeout = message.extensions["timeout"]
            timeout["read"] = min(timeout["read"], SHARED_HOLD_S)
        try:
            async with asyncio.timeout(deadline_s):
                for _ in range(MAX_REDIRECTS + 1):
                    response = await self._exchange(request.lane, message)
                    headers = lower_names(response.headers)
                    if request.streams and is_stream(response.status_code, headers):
                        return StreamedAnswer(response.status_code, headers, b"", LiveEvents(response))
                    try:
                        body = await read(response, headers)
                    finally:
                        await response.aclose()
                    where = redirect(request, message.url, response.status_code, headers)
                    if where is None:
                        return Answer(response.status_code, headers, body)
                    message = self._message(request, httpx.URL(where), head)
            faulted = Faulted(Fault.REDIRECT, f"more than {MAX_REDIRECTS} redirects")
        except TimeoutError:
            faulted = Faulted(Fault.DEADLINE, f"no whole answer within {deadline_s:g} s")
        except Faulted:
            raise
        except Exception as error:
            if not (self._closed or is_of_the_wire(error)):  # one library has no name for its own end
                raise
            faulted = _Starved() if lacks_descriptors(error) else self._by_the_proxy(name_fault(error))
        # Raised out here, without a cause: the libraries' errors hold the request, and with it the key.
        raise faulted

    @asynccontextmanager
    async def stream(self, url: str, headers: Mapping[str, str]) -> AsyncIterator[Streamed]:
        """Fetch a signed URL piece by piece, without a key, a cookie or a header of this client."""
        limits = self._config.timeouts
        timeout = httpx.Timeout(limits.read_s, connect=limits.connect_s, pool=None).as_dict()
        try:
            for _ in range(MAX_REDIRECTS + 1):
                await check_signed(url, insecure=self._config.insecure or self._config.local)
                message = httpx.Request("GET", url, headers=dict(headers), extensions={"timeout": timeout})
                response = await self._foreign_exchange(message)
                try:
                    where = response.headers.get("location")
                    if response.status_code not in REDIRECTS or where is None:
                        yield Streamed(response.status_code, lower_names(response.headers), raw(response))
                        return
                finally:
                    await response.aclose()
                url = onward(url, where)
            faulted = Faulted(Fault.REDIRECT, f"more than {MAX_REDIRECTS} redirects")
        except Exception as error:
            if not is_of_the_wire(error):
                raise
            faulted = name_fault(error)
        raise faulted  # without a cause, since the libraries' errors hold the signed URL

    def _by_the_proxy(self, faulted: Faulted) -> Faulted:
        """Name the proxy where it is what could not be reached, or did not let us through."""
        proxy = self._proxy if self._given is None and not self._config.local else None
        if proxy is None or faulted.fault not in _BY_A_PROXY:
            return faulted
        return Faulted(faulted.fault, f"by {proxy.named}: {faulted.reason}")

    def renew(self, lane: Lane) -> None:
        """Have the next request of a lane open a connection: those at hand lead nowhere."""
        stale = self._lanes.get(lane)
        if stale is not None and stale is not self._local:
            self._stale.append(stale)
            self._lanes = {other: kept for other, kept in self._lanes.items() if kept is not stale}

    async def aclose(self) -> None:
        """Close every connection; a client that the user gave stays open, since it is the user's."""
        opened = dict.fromkeys([*self._lanes.values(), *self._stale])
        if self._foreign is not None:
            opened[self._foreign] = None
        self._lanes, self._stale, self._foreign, self._local = {}, [], None, None
        self._closed = True
        for transport in opened:
            await transport.aclose()

    async def _exchange(self, lane: Lane, message: httpx.Request) -> httpx.Response:
        if self._closed:
            raise Faulted(Fault.CLOSED, "the client was closed")
        if self._given is not None:
            return await self._given.send(message, stream=True, follow_redirects=False)
        await self._open_lane(lane)
        transport = self._lanes[lane]
        response = await transport.handle_async_request(message)
        response.request = message
        return response

    async def _open_lane(self, lane: Lane) -> None:
        """Have the connections of a lane at hand; loading their library is no part of an attempt's time."""
        if lane in self._lanes or self._given is not None or self._closed:
            return
        if not (self._config.local or self._config.insecure):
            await check_loopback(self.base)
        if lane not in self._lanes:
            self._lanes[lane] = self._open(lane)

    @property
    def opens_early(self) -> bool:
        """Whether connections can be opened before a request needs them."""
        return not (self._config.local or self._closed or self._given is not None)

    async def open_early(self) -> None:
        """Open connections for the first submission and its poll, which then wait for no handshake.

        What cannot be opened is left to the request that needs it, which names the fault.
        """
        import aiohttp  # loaded by `load_lean`

        with suppress(Faulted, InputError, OSError, aiohttp.ClientError, TimeoutError):
            await self._open_lane(Lane.UPLOAD)
            if self.opens_early and self._proxy is None:
                connect_s = self._config.timeouts.connect_s
                await _connect(self._lanes[Lane.UPLOAD], self.base, EARLY_CONNECTIONS, connect_s)

    async def _foreign_exchange(self, message: httpx.Request) -> httpx.Response:
        """Send to a URL that carries its own permission; nothing of this client is added."""
        if self._closed:
            raise Faulted(Fault.CLOSED, "the client was closed")
        if self._given is not None or (self._config.local and str(message.url).startswith(LOCAL_ROOT)):
            return await self._exchange(Lane.CONTROL, message)
        if self._foreign is None:
            self._foreign = _lean_transport(trusted(), proxy_for(str(message.url)), alone=False)
        response = await self._foreign.handle_async_request(message)
        response.request = message
        return response

    def _url(self, target: str) -> httpx.URL:
        """Return the URL of a target; the few that come again and again are parsed once."""
        known = self._urls.get(target)
        if known is not None:
            return known
        url = self.base + target
        if self._query:
            url += ("&" if "?" in target else "?") + self._query
        parsed = httpx.URL(url)
        if len(self._urls) < KEPT_URLS:
            self._urls[target] = parsed
        return parsed

    def _message(self, request: Request, url: httpx.URL, headers: Headers) -> httpx.Request:
        body = request.body
        limits = self._config.timeouts
        timeout = {
            "connect": min(limits.connect_s, request.timeout_s or limits.connect_s),
            "read": max(limits.read_s, QUIET_S) if request.streams else request.timeout_s or limits.read_s,
            "write": request.timeout_s or limits.write_s,
            "pool": None,
        }
        extensions = {"timeout": timeout}
        if body is None or body.size_bytes > STREAM_ABOVE_BYTES:
            content = None if body is None else pieces_of(body)
            message = httpx.Request(
                request.method, url, headers=headers, content=content, extensions=extensions
            )
        else:  # what httpx would find out about these bytes is known here
            stream = httpx.ByteStream(body.joined())
            if b"host" not in {name.lower() for name, _ in headers}:
                headers = [*headers, (b"Host", url.netloc)]
            message = httpx.Request(
                request.method, url, headers=headers, stream=stream, extensions=extensions
            )
            message.read()
        message.headers.encoding = "latin-1"  # else each look at a header guesses it anew
        return message

    def _open(self, lane: Lane) -> httpx.AsyncBaseTransport:
        if self._config.local:
            if self._local is None:
                from tinsmith_local.transport import open_local  # the door into the embedded service

                self._local = open_local(self._config.base_url, models=self._config.models)
            return self._local
        self._proxy = proxy = proxy_for(self.base)
        if lane in (Lane.CONTROL, Lane.HEARTBEAT):
            return _lean_transport(self._tls_context(), proxy, limit=CONTROL_CONNECTIONS)
        from tinsmith.core.codec.decode import load_decoders  # not needed for reads

        load_decoders(protobuf=self._config.encoding != "json")
        pooled = next((self._lanes[other] for other in _POOLED if other in self._lanes), None)
        if lane in _POOLED and pooled is not None:
            return pooled
        return _lean_transport(self._tls_context(), proxy, alone=lane is Lane.ALONE)

    def _tls_context(self) -> ssl.SSLContext:
        if self._tls is None:
            if self.base.startswith("https:"):
                self._tls = resume(trusted())
            else:
                # Reading the certificates takes longer than the first request; plain http never asks for
                # them.
                self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        return self._tls


class _Starved(Faulted):
    """No descriptor was free, so nothing was sent."""

    def __init__(self) -> None:
        super().__init__(Fault.REFUSED, f"no file descriptor is free (`ulimit -n` is {soft_limit()})")


class FunctionTransport(httpx.AsyncBaseTransport):
    """A transport made of a function: the seam at which tests put a server into the process."""

    def __init__(self, answer: Callable[[Seen], Awaitable[Answer]]) -> None:
        self._answer = answer

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Have the function answer."""
        body = await request.aread()
        target = request.url.raw_path.decode("ascii").lstrip("/")
        seen = Seen(request.method, target, lower_names(request.headers), body)
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


def trusted() -> ssl.SSLContext:
    """Read the certificates to trust; an error names the variables of the user that cannot be used."""
    try:
        return httpx.create_ssl_context(trust_env=True)
    except OSError as error:  # ssl.SSLError is one
        chosen = set_variables(*CERTIFICATE_VARIABLES)
        if not chosen:
            raise
        named = " and ".join(f"{name}={value}" for name, value in chosen.items())
        raise InputError(f"cannot use what {named} names for TLS: {error}") from error


def _proxy(address: ProxyAddress | None) -> httpx.Proxy | None:
    """Address a proxy as aiohttp wants it, which passes this header on as Proxy-Authorization."""
    if address is None:
        return None
    url = httpx.URL(address.url)
    if not url.userinfo:
        return httpx.Proxy(url)
    word = b64encode(f"{url.username}:{url.password}".encode()).decode()
    return httpx.Proxy(url.copy_with(userinfo=b""), headers={"Authorization": f"Basic {word}"})


def load_lean() -> None:
    """Load what carries submissions and polls: half of the start-up time, which reads do not need."""
    import httpx_aiohttp  # noqa: F401


async def _connect(transport: Any, url: str, count: int, connect_s: float) -> None:
    """Open connections of a lean transport to a server, and leave them in its pool."""
    import aiohttp
    from yarl import URL

    session = transport.client = transport.get_client()
    request = aiohttp.ClientRequest("GET", URL(url), loop=asyncio.get_running_loop(), session=session)
    limits = aiohttp.ClientTimeout(sock_connect=connect_s)
    opening = [session.connector.connect(request, [], limits) for _ in range(count)]
    for opened in await asyncio.gather(*opening, return_exceptions=True):
        if not isinstance(opened, BaseException):
            opened.release()


def _lean_transport(
    tls: ssl.SSLContext, proxy: ProxyAddress | None, *, limit: int = 0, alone: bool = False
) -> httpx.AsyncBaseTransport:
    """Build the transport for many requests at once: HTTP/1.1 with no limit of its own.

    Connections are kept for the next request, unless each request is to be `alone` on its own.
    """
    aiohttp = aiohttp_module()
    from httpx_aiohttp import AiohttpTransport

    def open_session() -> Any:
        kept: dict[str, Any] = {"force_close": True} if alone else {"keepalive_timeout": KEEPALIVE_S}
        connector = aiohttp.TCPConnector(limit=limit, ssl=tls, ttl_dns_cache=60, **kept)
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            max_line_size=MAX_HEADER_BYTES,
            max_field_size=MAX_HEADER_BYTES,
        )

    return AiohttpTransport(verify=tls, trust_env=False, proxy=_proxy(proxy), client=open_session)
