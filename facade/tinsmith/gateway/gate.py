"""Checks before every route of the gateway: Host and key, and how much of a body is read."""

from __future__ import annotations

import asyncio
import hmac
import re
from typing import TYPE_CHECKING, Any

import attrs
import orjson
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp

from tinsmith.gateway.fields import Fields
from tinsmith.gateway.gateway_options import GatewayOptions
from tinsmith.gateway.refusals import GatewayRefusal

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import Receive, Scope, Send


_HOST = re.compile(r"(\[[^\]]*\]|[^:\[\]]*)(?::\d*)?", re.ASCII)


def answer(document: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return a JSON answer."""
    return Response(orjson.dumps(document), status, headers, media_type="application/json")


def refused(refusal: GatewayRefusal) -> Response:
    """Return the answer of a refusal."""
    return answer(refusal.document, refusal.status, refusal.headers)


@attrs.frozen(eq=False)
class GatewayGate:
    """ASGI middleware; without a token or hosts these are not checked."""

    _app: ASGIApp
    _options: GatewayOptions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it before its body is read."""
        if scope["type"] == "http":
            try:
                self._check(Headers(scope=scope))
            except GatewayRefusal as refusal:
                await refused(refusal)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _check(self, headers: Headers) -> None:
        hosts, token = self._options.allowed_hosts, self._options.token
        if hosts is not None:
            found = _HOST.fullmatch(headers.get("host", ""))
            if found is None or found[1].lower() not in hosts:
                raise GatewayRefusal("this host is not served here", status=403, code="unknown_host")
        if token is not None:
            scheme, _, key = headers.get("authorization", "").partition(" ")
            given = key.strip() if scheme.lower() == "bearer" else ""
            if not hmac.compare_digest(given.encode("utf-8", "replace"), token.encode()):
                problem = "the key is wrong" if given else "no key: send it as Authorization: Bearer"
                raise GatewayRefusal(problem, status=401, code="invalid_api_key")


async def read_fields(request: Request, options: GatewayOptions) -> Fields:
    """Read the body of a request, within the bounds of size and time."""
    most = options.max_body_bytes
    body = bytearray()
    try:
        async with asyncio.timeout(options.body_s):
            async for piece in request.stream():
                body += piece
                if len(body) > most:
                    raise GatewayRefusal(
                        f"the body is bigger than {most} bytes", status=413, code="body_too_large"
                    )
    except TimeoutError:
        raise GatewayRefusal("the body took too long", status=408, code="body_timeout") from None
    try:
        return Fields(orjson.loads(body))
    except orjson.JSONDecodeError as error:
        raise GatewayRefusal(f"the body is no JSON: {error}", code="invalid_json") from None
