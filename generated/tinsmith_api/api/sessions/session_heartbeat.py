# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""Keep a session alive.

Sent every 10 seconds. 410 says that the session is over; the client then stops.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...endpoint import Endpoint

if TYPE_CHECKING:
    from ...client import AuthenticatedClient
    from ...exchange import Request, Response
    from ...models.error_body import ErrorBody
    from ...models.session_heartbeat_request import SessionHeartbeatRequest
    from ...models.session_heartbeat_response import SessionHeartbeatResponse

ENDPOINT: Final[Endpoint[SessionHeartbeatResponse, ErrorBody]] = Endpoint(
    "session_heartbeat",
    "POST",
    "/api/v1/session_heartbeat",
    "SessionHeartbeatResponse",
    {"400 401 403 404 410 413 415 422 429 5XX": "ErrorBody"},
    body="SessionHeartbeatRequest",
)


def request(*, body: SessionHeartbeatRequest) -> Request:
    """Build the request and do not send it."""
    return ENDPOINT.request(body=body)


parse: Final = ENDPOINT.parse


def sync_detailed(
    *, client: AuthenticatedClient, body: SessionHeartbeatRequest
) -> Response[SessionHeartbeatResponse | ErrorBody]:
    """Send the request; return the whole answer, also that of a documented error."""
    return ENDPOINT.sync_detailed(client, request(body=body))


def sync(*, client: AuthenticatedClient, body: SessionHeartbeatRequest) -> SessionHeartbeatResponse:
    """Send the request; return the value, or raise UnexpectedStatus."""
    return ENDPOINT.sync(client, request(body=body))


async def asyncio_detailed(
    *, client: AuthenticatedClient, body: SessionHeartbeatRequest
) -> Response[SessionHeartbeatResponse | ErrorBody]:
    """Send the request; return the whole answer, also that of a documented error."""
    return await ENDPOINT.asyncio_detailed(client, request(body=body))


async def asyncio(*, client: AuthenticatedClient, body: SessionHeartbeatRequest) -> SessionHeartbeatResponse:
    """Send the request; return the value, or raise UnexpectedStatus."""
    return await ENDPOINT.asyncio(client, request(body=body))
