"""Sends the requests of a check one at a time, and keeps each with its answer.

It has no retries, no numbers and no values of the client: it must be able to send what the client never
would, and to see each answer as it came. It goes through the one transport, so that proxies, TLS and `local:`
work as always.
"""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from tinsmith.contract.exchange import WRONG_KEY, Exchange, kept_headers, query_of, readable
from tinsmith.core.config import Secret
from tinsmith.core.retry import NOT_SENT, Fault
from tinsmith.io.http.messages import Body, Faulted, Lane, Request, json_body
from tinsmith.io.http.transport import Transport

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tinsmith.contract.document import Contract, Json
    from tinsmith.core.config import ClientConfig

PATH_SAFE = ":"
"""What stands unescaped in a path, beside letters and digits: ids have colons."""

SILENCES = 3
"""Requests in a row without an answer in time, after which no more are sent."""

_IN_TIME = frozenset({Fault.READ_TIMEOUT, Fault.DEADLINE})
_WORDED = NOT_SENT | {Fault.DEADLINE, Fault.REDIRECT}
"""Faults whose reason comes from the system or from this client; that of others is about a library."""


class SilentError(Exception):
    """The server stopped answering: ends the steps of a check, and is no error for users."""

    def __init__(self) -> None:
        super().__init__("the server stopped answering")


class Recorder:
    """Sends to one server; `exchanges` holds all requests and answers.

    `on_send` is called before each request with its operation and what it is to show.
    """

    def __init__(
        self,
        contract: Contract,
        config: ClientConfig,
        http_client: Any = None,
        on_send: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.contract = contract
        self.exchanges: list[Exchange] = []
        """In the order in which they were sent."""
        self._on_send = on_send
        self._silences = 0
        self._transport = Transport(config, http_client)
        self._source = config.base_url
        self._wrong_key = Secret(f"tml-{secrets.token_hex(12)}")

    async def aclose(self) -> None:
        """Close the connections."""
        await self._transport.aclose()

    async def call(
        self,
        operation: str,
        body: Json = None,
        *,
        step: str = "",
        path: Mapping[str, str] | None = None,
        query: Mapping[str, Json] | None = None,
        headers: Mapping[str, str] | None = None,
        alias: bool = False,
        escape: bool = False,
        timeout_s: float | None = None,
    ) -> Exchange:
        """Send one request to an operation; a body of bytes is protobuf.

        `alias` takes the shorter path that some servers have, `escape` writes colons as %3A. What went wrong
        on the way is an answer with status 0. Raises SilentError, and sends nothing, when the last requests
        had no answer in time.
        """
        op = self.contract.operations[operation]
        target = op.aliases[0] if alias else op.path
        for name, value in (path or {}).items():
            target = target.replace(f"{{{name}}}", quote(value, safe="" if escape else PATH_SAFE))
        if query:
            target += "?" + urlencode(query)
        return await self._send(
            Request(
                operation,
                op.method,
                target.lstrip("/"),
                Lane.CONTROL,
                _body(body),
                dict(headers or {}),
                None if op.method == "GET" else secrets.token_hex(16),
                timeout_s,
            ),
            step,
            body,
        )

    async def get(self, path: str, *, step: str) -> Exchange:
        """Send a GET to a path that no operation has."""
        return await self._send(Request("x-contract-check", "GET", path.lstrip("/"), Lane.CONTROL), step)

    def ask_once_more(self) -> None:
        """Let one more request go out after silence; its answer lets the next ones."""
        self._silences = min(self._silences, SILENCES - 1)

    async def _send(self, request: Request, step: str, body: Json = None) -> Exchange:
        """Make one attempt, and keep what came of it."""
        if self._silences >= SILENCES:
            raise SilentError
        self._on_send(f"{request.operation}, {step}" if step else request.operation)
        key = self._wrong_key if step == WRONG_KEY else None
        status, answer_headers, answer = await self._attempt(request, key)
        own = request.headers
        told = {"content-type": request.body.content_type, **own} if request.body is not None else own
        path, _, query = f"/{request.target}".partition("?")
        exchange = Exchange(
            name=f"{len(self.exchanges) + 1:03} {request.operation}",
            source=self._source,
            method=request.method,
            path=path,
            query=query_of(query),
            status=status,
            request_headers=kept_headers(told),
            request=readable(body, "protobuf") if isinstance(body, bytes) else json.loads(json.dumps(body)),
            answer_headers=answer_headers,
            answer=answer,
            step=step,
        )
        self.exchanges.append(exchange)
        return exchange

    async def _attempt(self, request: Request, key: Secret | None) -> tuple[int, dict[str, str], Json]:
        status, headers, answer = 0, {}, None
        try:
            found = await self._transport.send(request, key=key)
        except Faulted as faulted:
            worded = f": {faulted.reason}" if faulted.fault in _WORDED else ""
            answer = {"text": f"{faulted.fault}{worded}"}
            # A request with a time of its own may be one that the server holds.
            self._silences += faulted.fault in _IN_TIME and request.timeout_s is None
        else:
            self._silences = 0
            status, headers = found.status, kept_headers(found.headers)
            answer = readable(found.body, found.headers.get("content-type", ""))
        if status == 0 or status >= 500:  # a server that broke may end the connection without a word
            self._transport.renew(Lane.CONTROL)
        return status, headers, answer


def _body(body: Json) -> Body | None:
    """Return a body as it is sent: bytes are protobuf, all else is JSON."""
    if isinstance(body, bytes):
        return Body.of((body,), "application/x-protobuf")
    return None if body is None else json_body(body)
