# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""Report events.

Reports what happened at the client, in batches. Events may be lost without harm.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...endpoint import Endpoint

if TYPE_CHECKING:
    from ...client import AuthenticatedClient
    from ...exchange import Request, Response
    from ...models.error_body import ErrorBody
    from ...models.telemetry_response import TelemetryResponse
    from ...models.telemetry_send_request import TelemetrySendRequest

ENDPOINT: Final[Endpoint[TelemetryResponse, ErrorBody]] = Endpoint(
    "telemetry",
    "POST",
    "/api/v1/telemetry",
    "TelemetryResponse",
    {"400 401 403 404 413 415 422 429 5XX": "ErrorBody"},
    body="TelemetrySendRequest",
)


def request(*, body: TelemetrySendRequest) -> Request:
    """Build the request and do not send it."""
    return ENDPOINT.request(body=body)


parse: Final = ENDPOINT.parse


def sync_detailed(
    *, client: AuthenticatedClient, body: TelemetrySendRequest
) -> Response[TelemetryResponse | ErrorBody]:
    """Send the request; return the whole answer, also that of a documented error."""
    return ENDPOINT.sync_detailed(client, request(body=body))


def sync(*, client: AuthenticatedClient, body: TelemetrySendRequest) -> TelemetryResponse:
    """Send the request; return the value, or raise UnexpectedStatus."""
    return ENDPOINT.sync(client, request(body=body))


async def asyncio_detailed(
    *, client: AuthenticatedClient, body: TelemetrySendRequest
) -> Response[TelemetryResponse | ErrorBody]:
    """Send the request; return the whole answer, also that of a documented error."""
    return await ENDPOINT.asyncio_detailed(client, request(body=body))


async def asyncio(*, client: AuthenticatedClient, body: TelemetrySendRequest) -> TelemetryResponse:
    """Send the request; return the value, or raise UnexpectedStatus."""
    return await ENDPOINT.asyncio(client, request(body=body))
