# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""Exchange the key for a token.

The client sends the token as X-API-Key from then on, and asks for a new one at about half of its
life. A 401 whose WWW-Authenticate holds `error="invalid_token"` asks for a new one at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...endpoint import Endpoint

if TYPE_CHECKING:
    from ...client import AuthenticatedClient
    from ...exchange import Request, Response
    from ...models.auth_token_request import AuthTokenRequest
    from ...models.auth_token_response import AuthTokenResponse
    from ...models.error_body import ErrorBody

ENDPOINT: Final[Endpoint[AuthTokenResponse, ErrorBody]] = Endpoint(
    "auth_token",
    "POST",
    "/api/v1/auth/token",
    "AuthTokenResponse",
    {"400 401 403 404 413 415 422 429 5XX": "ErrorBody"},
    body="AuthTokenRequest",
)


def request(*, body: AuthTokenRequest) -> Request:
    """Build the request and do not send it."""
    return ENDPOINT.request(body=body)


parse: Final = ENDPOINT.parse


def sync_detailed(
    *, client: AuthenticatedClient, body: AuthTokenRequest
) -> Response[AuthTokenResponse | ErrorBody]:
    """Send the request; return the whole answer, also that of a documented error."""
    return ENDPOINT.sync_detailed(client, request(body=body))


def sync(*, client: AuthenticatedClient, body: AuthTokenRequest) -> AuthTokenResponse:
    """Send the request; return the value, or raise UnexpectedStatus."""
    return ENDPOINT.sync(client, request(body=body))


async def asyncio_detailed(
    *, client: AuthenticatedClient, body: AuthTokenRequest
) -> Response[AuthTokenResponse | ErrorBody]:
    """Send the request; return the whole answer, also that of a documented error."""
    return await ENDPOINT.asyncio_detailed(client, request(body=body))


async def asyncio(*, client: AuthenticatedClient, body: AuthTokenRequest) -> AuthTokenResponse:
    """Send the request; return the value, or raise UnexpectedStatus."""
    return await ENDPOINT.asyncio(client, request(body=body))
