# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""Ask again how to behave.

The part of the configuration that may change while a client runs. A server without this route
answers 404, which is no error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...endpoint import Endpoint

if TYPE_CHECKING:
    from ...client import AuthenticatedClient
    from ...exchange import Request, Response
    from ...models.client_config_request import ClientConfigRequest
    from ...models.client_dynamic_config_response import ClientDynamicConfigResponse
    from ...models.error_body import ErrorBody

ENDPOINT: Final[Endpoint[ClientDynamicConfigResponse, ErrorBody]] = Endpoint(
    "client_dynamic_config",
    "POST",
    "/api/v1/client/dynamic_config",
    "ClientDynamicConfigResponse",
    {"400 401 403 404 413 415 422 429 5XX": "ErrorBody"},
    body="ClientConfigRequest",
)


def request(*, body: ClientConfigRequest) -> Request:
    """Build the request and do not send it."""
    return ENDPOINT.request(body=body)


parse: Final = ENDPOINT.parse


def sync_detailed(
    *, client: AuthenticatedClient, body: ClientConfigRequest
) -> Response[ClientDynamicConfigResponse | ErrorBody]:
    """Send the request; return the whole answer, also that of a documented error."""
    return ENDPOINT.sync_detailed(client, request(body=body))


def sync(*, client: AuthenticatedClient, body: ClientConfigRequest) -> ClientDynamicConfigResponse:
    """Send the request; return the value, or raise UnexpectedStatus."""
    return ENDPOINT.sync(client, request(body=body))


async def asyncio_detailed(
    *, client: AuthenticatedClient, body: ClientConfigRequest
) -> Response[ClientDynamicConfigResponse | ErrorBody]:
    """Send the request; return the whole answer, also that of a documented error."""
    return await ENDPOINT.asyncio_detailed(client, request(body=body))


async def asyncio(*, client: AuthenticatedClient, body: ClientConfigRequest) -> ClientDynamicConfigResponse:
    """Send the request; return the value, or raise UnexpectedStatus."""
    return await ENDPOINT.asyncio(client, request(body=body))
