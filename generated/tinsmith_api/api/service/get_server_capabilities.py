# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""List the base models.

Lists the base models that can be trained and sampled.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...endpoint import Endpoint

if TYPE_CHECKING:
    from ...client import AuthenticatedClient
    from ...exchange import Request, Response
    from ...models.error_body import ErrorBody
    from ...models.get_server_capabilities_response import GetServerCapabilitiesResponse

ENDPOINT: Final[Endpoint[GetServerCapabilitiesResponse, ErrorBody]] = Endpoint(
    "get_server_capabilities",
    "GET",
    "/api/v1/get_server_capabilities",
    "GetServerCapabilitiesResponse",
    {"401 403 404 429 5XX": "ErrorBody"},
)


def request() -> Request:
    """Build the request and do not send it."""
    return ENDPOINT.request()


parse: Final = ENDPOINT.parse


def sync_detailed(*, client: AuthenticatedClient) -> Response[GetServerCapabilitiesResponse | ErrorBody]:
    """Send the request; return the whole answer, also that of a documented error."""
    return ENDPOINT.sync_detailed(client, request())


def sync(*, client: AuthenticatedClient) -> GetServerCapabilitiesResponse:
    """Send the request; return the value, or raise UnexpectedStatus."""
    return ENDPOINT.sync(client, request())


async def asyncio_detailed(
    *, client: AuthenticatedClient
) -> Response[GetServerCapabilitiesResponse | ErrorBody]:
    """Send the request; return the whole answer, also that of a documented error."""
    return await ENDPOINT.asyncio_detailed(client, request())


async def asyncio(*, client: AuthenticatedClient) -> GetServerCapabilitiesResponse:
    """Send the request; return the value, or raise UnexpectedStatus."""
    return await ENDPOINT.asyncio(client, request())
