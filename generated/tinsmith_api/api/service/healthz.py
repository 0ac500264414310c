# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""Say whether the server is up.

The server answers as soon as it takes requests. Some servers want no key here. No client needs to
ask.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...endpoint import Endpoint

if TYPE_CHECKING:
    from ...client import Client
    from ...exchange import Request, Response
    from ...models.error_body import ErrorBody
    from ...models.health_response import HealthResponse

ENDPOINT: Final[Endpoint[HealthResponse, ErrorBody]] = Endpoint(
    "healthz", "GET", "/api/v1/healthz", "HealthResponse", {"429 5XX": "ErrorBody"}
)


def request() -> Request:
    """Build the request and do not send it."""
    return ENDPOINT.request()


parse: Final = ENDPOINT.parse


def sync_detailed(*, client: Client) -> Response[HealthResponse | ErrorBody]:
    """Send the request; return the whole answer, also that of a documented error."""
    return ENDPOINT.sync_detailed(client, request())


def sync(*, client: Client) -> HealthResponse:
    """Send the request; return the value, or raise UnexpectedStatus."""
    return ENDPOINT.sync(client, request())


async def asyncio_detailed(*, client: Client) -> Response[HealthResponse | ErrorBody]:
    """Send the request; return the whole answer, also that of a documented error."""
    return await ENDPOINT.asyncio_detailed(client, request())


async def asyncio(*, client: Client) -> HealthResponse:
    """Send the request; return the value, or raise UnexpectedStatus."""
    return await ENDPOINT.asyncio(client, request())
