"""Checks before every route: header size, Host, key. Everything is refused before a body is read."""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable

import attrs
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from tinsmith_local.app.account import KeyTokens
from tinsmith_local.app.answers import Answer, Refusal
from tinsmith_local.app.archives import ARCHIVES_PATH
from tinsmith_local.app.reference import OPEN_PATHS

OPEN_PREFIXES = ("/api/v1/healthz", ARCHIVES_PATH)
"""What needs no key: the health check, and URLs that carry their own signature."""
_HOST = re.compile(r"(\[[^\]]*\]|[^:\[\]]*)(?::\d*)?", re.ASCII)


@attrs.frozen(kw_only=True, eq=False)
class Gate:
    """ASGI middleware of the embedded service; without a token or hosts these are not checked."""

    _app: ASGIApp
    _tokens: KeyTokens
    _token: str | None = attrs.field(repr=False)
    _allowed_hosts: tuple[str, ...] | None
    _max_header_bytes: int
    _word: Callable[[Refusal], Answer]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] == "http":
            try:
                self._check(scope)
            except Refusal as refusal:
                await self._word(refusal).response()(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _check(self, scope: Scope) -> None:
        """Refuse a request whose headers, host or key are wrong."""
        size = sum(len(name) + len(value) + 4 for name, value in scope["headers"])
        if size > self._max_header_bytes:
            raise Refusal(431, f"the headers are bigger than {self._max_header_bytes} bytes")
        headers = Headers(scope=scope)
        if self._allowed_hosts is not None:
            host = _without_port(headers.get("host", ""))
            if host not in self._allowed_hosts:
                raise Refusal(403, f"host {host[:80]!r} is not served here")
        path = str(scope["path"])
        if self._token is not None and path not in OPEN_PATHS and not path.startswith(OPEN_PREFIXES):
            self._check_key(headers.get("x-api-key") or _bearer(headers), self._token)

    def _check_key(self, key: str, token: str) -> None:
        """Compare the key in constant time; a token that this service issued will do."""
        if not key:
            raise Refusal(
                401,
                "no key: send it as X-API-Key or as Authorization: Bearer",
                headers={"WWW-Authenticate": "Bearer"},
                kind="missing_key",
            )
        if key.startswith("eyJ"):
            problem = self._tokens.problem(key)
            if problem is not None:
                challenge = 'Bearer error="invalid_token"'
                raise Refusal(401, problem, headers={"WWW-Authenticate": challenge}, kind="invalid_token")
        elif not hmac.compare_digest(key.encode("utf-8", "replace"), token.encode()):
            raise Refusal(401, "wrong key", headers={"WWW-Authenticate": "Bearer"}, kind="wrong_key")


def _bearer(headers: Headers) -> str:
    """Return the credential of an Authorization header of the Bearer scheme (RFC 6750), or nothing."""
    scheme, _, credential = headers.get("authorization", "").partition(" ")
    return credential.strip() if scheme.lower() == "bearer" else ""


def _without_port(host: str) -> str:
    """Return the name in a Host header without its port; a header of another form is returned whole."""
    found = _HOST.fullmatch(host)
    return found[1].lower() if found else host
