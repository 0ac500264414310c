# Written by codegen.sh from openapi/runtime/client.py. Do not edit.
"""The clients: where the server is, the key, the timeouts, and the connections that are kept open.

A client can be shared by threads and by tasks of any event loop, and nothing changes it: `with_headers` and
its like return new clients. It sends what it is given once and repeats nothing; `promises` waits for results.
httpx is imported when the first request is sent.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NoReturn, Self
from urllib.parse import urlsplit
from uuid import uuid4

import attrs

from .errors import InputError, InvalidBody
from .exchange import Response
from .redaction import secrets_in_headers, secrets_in_value, struck

if TYPE_CHECKING:
    import asyncio
    import ssl

    import httpx

    from .exchange import Request

DEFAULT_TIMEOUT_S = 60.0
"""Seconds for which a request waits for the connection, and then for each part of the answer. Servers hold
the question for a result that is not there yet for 20 to 45 s."""
IDEMPOTENCY_KEY = "X-Idempotency-Key"
"""The header by which a server knows a request that is sent again; every request but GET has one."""


def _address(value: str) -> str:
    parts = urlsplit(value)
    more = parts.query or parts.fragment or parts.username
    if parts.scheme not in ("http", "https") or not parts.hostname or more:
        problem = "must be http:// or https:// and a host, without key, query or fragment"
        raise InputError(problem, field="base_url")
    return value.rstrip("/")


def _header(name: str, value: object) -> str:
    """Return a header's value; the error does not show it, since it may be a secret."""
    text = str(value)
    if not text.isascii() or not text.isprintable() or text != text.strip():
        raise InputError("must be printable ASCII without spaces around it", field=name)
    return text


def _check_token(header: str, token: object) -> None:
    if not isinstance(token, str):
        raise InputError(f"must be a text, not a {type(token).__name__}", field="token")
    if not _header(header, token):
        raise InputError("is empty; a server that asks for no key takes a Client", field="token")


def _merged(*parts: Mapping[str, str]) -> dict[str, str]:
    """Return headers of several places: of equal names, in whatever case, the last one stays."""
    found = {name.lower(): (name, value) for part in parts for name, value in part.items()}
    return dict(found.values())


def _headers(given: Mapping[str, str]) -> Mapping[str, str]:
    return MappingProxyType({name: _header(name, value) for name, value in _merged(given).items()})


def _frozen(given: Mapping[str, Any]) -> Mapping[str, Any]:
    return MappingProxyType(dict(given))


class _Connections:
    """The connections of a client, opened when needed: one pool for threads, one for each event loop."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.sync: httpx.Client | None = None
        self.by_loop: dict[asyncio.AbstractEventLoop, httpx.AsyncClient] = {}


@attrs.frozen(eq=False)
class Client:
    """A server, and how to reach it without a key."""

    base_url: str = attrs.field(converter=_address)
    """The server's root, such as `http://127.0.0.1:8000`; paths of operations are added to it."""
    headers: Mapping[str, str] = attrs.field(
        factory=dict[str, str], kw_only=True, converter=_headers, repr=False
    )
    """Headers of every request."""
    cookies: Mapping[str, str] = attrs.field(
        factory=dict[str, str], kw_only=True, converter=_frozen, repr=False
    )
    """Cookies of every request."""
    timeout: float | httpx.Timeout | None = attrs.field(default=DEFAULT_TIMEOUT_S, kw_only=True)
    """Seconds for the connection and for each part of the answer, or a limit for each; None waits forever."""
    verify_ssl: bool | str | ssl.SSLContext = attrs.field(default=True, kw_only=True)
    """How the server proves who it is: by this machine's certificates (True), by others, or not (False)."""
    httpx_args: Mapping[str, Any] = attrs.field(
        factory=dict[str, Any], kw_only=True, converter=_frozen, repr=False
    )
    """Further arguments of `httpx.Client` and `httpx.AsyncClient`, such as `proxy` or `limits`."""
    httpx_client: httpx.Client | None = attrs.field(default=None, kw_only=True, repr=False)
    """The httpx client that threads send through; None opens one. See `with_httpx_client`."""
    async_httpx_client: httpx.AsyncClient | None = attrs.field(default=None, kw_only=True, repr=False)
    """The httpx client that tasks send through; None opens one for each event loop."""
    _connections: _Connections = attrs.field(factory=_Connections, init=False, repr=False)

    def with_headers(self, headers: Mapping[str, str]) -> Self:
        """Return a new client that sends these headers too, or instead of those of the same name."""
        return attrs.evolve(self, headers=_merged(self.headers, headers))

    def with_cookies(self, cookies: Mapping[str, str]) -> Self:
        """Return a new client that sends these cookies too."""
        return attrs.evolve(self, cookies={**self.cookies, **cookies})

    def with_timeout(self, timeout: float | httpx.Timeout | None) -> Self:
        """Return a new client with another timeout."""
        return attrs.evolve(self, timeout=timeout)

    def with_httpx_client(self, client: httpx.Client) -> Self:
        """Return a new client that sends through this one of httpx, and so do the clients made from it.

        Its timeout, cookies and certificates then hold. It stays yours to close. Headers and key come from
        here, and redirects are not followed.
        """
        return attrs.evolve(self, httpx_client=client)

    def with_async_httpx_client(self, client: httpx.AsyncClient) -> Self:
        """Return a new client whose tasks send through this httpx client; see `with_httpx_client`."""
        return attrs.evolve(self, async_httpx_client=client)

    def get_httpx_client(self) -> httpx.Client:
        """Return the httpx client that threads send through; it carries no key."""
        import httpx

        if self.httpx_client is not None:
            return self.httpx_client
        pools = self._connections
        with pools.lock:
            if pools.sync is None:
                pools.sync = httpx.Client(**self._settings())
            return pools.sync

    def get_async_httpx_client(self) -> httpx.AsyncClient:
        """Return the httpx client that tasks of this event loop send through; it carries no key."""
        import asyncio

        import httpx

        pools, loop = self._connections, asyncio.get_running_loop()
        if self.async_httpx_client is not None:
            return self.async_httpx_client
        with pools.lock:
            for ended in [known for known in pools.by_loop if known.is_closed()]:
                del pools.by_loop[ended]
            if loop not in pools.by_loop:
                pools.by_loop[loop] = httpx.AsyncClient(**self._settings())
            return pools.by_loop[loop]

    def send(self, request: Request, *, timeout_s: float | None = None) -> Response[None]:
        """Send a request once, and return the answer unread. `timeout_s` replaces the client's timeout.

        Raises the errors of httpx, such as `httpx.TimeoutException`, when no answer comes, and InvalidBody
        for a success that cannot be unpacked.
        """
        import httpx

        arguments = self._arguments(request, timeout_s, self.httpx_client)
        secrets = self._secrets(request, arguments["headers"])
        client = self.get_httpx_client()
        try:
            answer = client.send(client.build_request(**arguments), stream=True, follow_redirects=False)
            try:
                content, problem = answer.read(), None
            except httpx.DecodingError as error:
                content, problem = b"", str(error)
            finally:
                answer.close()
        except httpx.RequestError as error:
            _hide(error, secrets)
            raise
        told = Response(answer.status_code, content, answer.headers, None, secrets=secrets)
        return told if problem is None else _not_unpacked(request, told, problem)

    async def send_async(self, request: Request, *, timeout_s: float | None = None) -> Response[None]:
        """Do what `send` does, in a task."""
        import httpx

        arguments = self._arguments(request, timeout_s, self.async_httpx_client)
        secrets = self._secrets(request, arguments["headers"])
        client = self.get_async_httpx_client()
        try:
            answer = await client.send(client.build_request(**arguments), stream=True, follow_redirects=False)
            try:
                content, problem = await answer.aread(), None
            except httpx.DecodingError as error:
                content, problem = b"", str(error)
            finally:
                await answer.aclose()
        except httpx.RequestError as error:
            _hide(error, secrets)
            raise
        told = Response(answer.status_code, content, answer.headers, None, secrets=secrets)
        return told if problem is None else _not_unpacked(request, told, problem)

    def credentials(self) -> dict[str, str]:
        """Return the headers that hold the key."""
        return {}

    def close(self) -> None:
        """Close the connections of threads. The client can be used again."""
        with self._connections.lock:
            closing, self._connections.sync = self._connections.sync, None
        if closing is not None:
            closing.close()

    async def aclose(self) -> None:
        """Close the connections of this event loop. The client can be used again."""
        import asyncio

        with self._connections.lock:
            closing = self._connections.by_loop.pop(asyncio.get_running_loop(), None)
        if closing is not None:
            await closing.aclose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.aclose()

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            f"a {type(self).__name__} holds connections and may hold a key, so it is not pickled or copied; "
            "make one where it is used, or share this one"
        )

    def _settings(self) -> dict[str, Any]:
        """Return the arguments of an httpx client."""
        return {
            "base_url": self.base_url,
            "cookies": dict(self.cookies),
            "verify": self.verify_ssl,
            "timeout": self.timeout,
            **self.httpx_args,
        }

    def _arguments(self, request: Request, timeout_s: float | None, given: object) -> dict[str, Any]:
        """Return the arguments of one send; an httpx client that was `given` has a timeout of its own."""
        content = request.content()
        headers = _merged(
            {"Accept": "application/json"},
            {IDEMPOTENCY_KEY: str(uuid4())} if request.method != "GET" else {},
            self.headers,
            {"Content-Type": "application/json"} if content is not None else {},
            {name: _header(name, value) for name, value in request.headers.items()},
            self.credentials(),
        )
        arguments: dict[str, Any] = {
            "method": request.method,
            "url": f"{self.base_url}{request.target}",
            "headers": headers,
            "content": content,
        }
        if timeout_s is not None or given is None:
            arguments["timeout"] = self.timeout if timeout_s is None else timeout_s
        return arguments

    def _secrets(self, request: Request, headers: Mapping[str, str]) -> tuple[str, ...]:
        """Return what no error about the answer may show."""
        cookies = {f"Cookie {name}": str(value) for name, value in self.cookies.items()}
        return (*secrets_in_headers({**headers, **cookies}), *secrets_in_value(request.body))


@attrs.frozen(eq=False)
class AuthenticatedClient(Client):
    """A server, and how to reach it with a key."""

    token: str = attrs.field(repr=False)
    """The key, or a token from `auth_token`."""
    prefix: str = attrs.field(default="", kw_only=True)
    """What stands before the key in its header, such as `Bearer`."""
    auth_header_name: str = attrs.field(default="X-API-Key", kw_only=True)
    """The header of the key."""

    def __attrs_post_init__(self) -> None:
        _check_token(self.auth_header_name, self.token)

    def credentials(self) -> dict[str, str]:
        """Return the headers that hold the key."""
        return {self.auth_header_name: f"{self.prefix} {self.token}" if self.prefix else self.token}


def _not_unpacked(request: Request, answer: Response[None], problem: str) -> Response[None]:
    """Return an error without its body, which could not be unpacked; raise InvalidBody for a success."""
    if not 200 <= answer.status_code <= 299:
        return answer
    problem = f"it cannot be unpacked: {struck(problem, answer.secrets)}"
    raise InvalidBody(problem, operation=request.operation, status_code=answer.status_code).adding(
        applied=None if request.method == "GET" else "yes"
    )


def _hide(error: httpx.RequestError, secrets: tuple[str, ...]) -> None:
    """Take the headers, and what quotes a secret, out of an error that may be logged or pickled."""
    import httpx

    error.request = httpx.Request(error.request.method, error.request.url)
    error.args = tuple(struck(each, secrets) if isinstance(each, str) else each for each in error.args)
