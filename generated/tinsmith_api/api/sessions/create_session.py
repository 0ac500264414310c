# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""Open a session.

Models, samplers, heartbeats and telemetry belong to a session. Heartbeats keep it alive.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...endpoint import Endpoint

if TYPE_CHECKING:
    from ...client import AuthenticatedClient
    from ...exchange import Request, Response
    from ...models.create_session_request import CreateSessionRequest
    from ...models.create_session_response import CreateSessionResponse
    from ...models.error_body import ErrorBody

ENDPOINT: Final[Endpoint[CreateSessionResponse, ErrorBody]] = Endpoint(
    "create_session",
    "POST",
    "/api/v1/create_session",
    "CreateSessionResponse",
    {"400 401 402 403 404 413 415 422 429 5XX": "ErrorBody"},
    body="CreateSessionRequest",
)


def request(*, body: CreateSessionRequest) -> Request:
    """Build the request and do not send it."""
    return ENDPOINT.request(body=body)


parse: Final = ENDPOINT.parse


def sync_detailed(
    *, client: AuthenticatedClient, body: CreateSessionRequest
) -> Response[CreateSessionResponse | ErrorBody]:
    """Send the request; return the whole answer, also that of a documented error."""
    return ENDPOINT.sync_detailed(client, request(body=body))


def sync(*, client: AuthenticatedClient, body: CreateSessionRequest) -> CreateSessionResponse:
    """Send the request; return the value, or raise UnexpectedStatus."""
    return ENDPOINT.sync(client, request(body=body))


async def asyncio_detailed(
    *, client: AuthenticatedClient, body: CreateSessionRequest
) -> Response[CreateSessionResponse | ErrorBody]:
    """Send the request; return the whole answer, also that of a documented error."""
    return await ENDPOINT.asyncio_detailed(client, request(body=body))


async def asyncio(*, client: AuthenticatedClient, body: CreateSessionRequest) -> CreateSessionResponse:
    """Send the request; return the value, or raise UnexpectedStatus."""
    return await ENDPOINT.asyncio(client, request(body=body))
