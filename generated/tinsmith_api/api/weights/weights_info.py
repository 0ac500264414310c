# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""Describe a checkpoint.

Answers with what is needed to go on training from a checkpoint.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...endpoint import Endpoint

if TYPE_CHECKING:
    from ...client import AuthenticatedClient
    from ...exchange import Request, Response
    from ...models.error_body import ErrorBody
    from ...models.weights_info_request import WeightsInfoRequest
    from ...models.weights_info_response import WeightsInfoResponse

ENDPOINT: Final[Endpoint[WeightsInfoResponse, ErrorBody]] = Endpoint(
    "weights_info",
    "POST",
    "/api/v1/weights_info",
    "WeightsInfoResponse",
    {"400 401 403 404 413 415 422 429 5XX": "ErrorBody"},
    body="WeightsInfoRequest",
)


def request(*, body: WeightsInfoRequest) -> Request:
    """Build the request and do not send it."""
    return ENDPOINT.request(body=body)


parse: Final = ENDPOINT.parse


def sync_detailed(
    *, client: AuthenticatedClient, body: WeightsInfoRequest
) -> Response[WeightsInfoResponse | ErrorBody]:
    """Send the request; return the whole answer, also that of a documented error."""
    return ENDPOINT.sync_detailed(client, request(body=body))


def sync(*, client: AuthenticatedClient, body: WeightsInfoRequest) -> WeightsInfoResponse:
    """Send the request; return the value, or raise UnexpectedStatus."""
    return ENDPOINT.sync(client, request(body=body))


async def asyncio_detailed(
    *, client: AuthenticatedClient, body: WeightsInfoRequest
) -> Response[WeightsInfoResponse | ErrorBody]:
    """Send the request; return the whole answer, also that of a documented error."""
    return await ENDPOINT.asyncio_detailed(client, request(body=body))


async def asyncio(*, client: AuthenticatedClient, body: WeightsInfoRequest) -> WeightsInfoResponse:
    """Send the request; return the value, or raise UnexpectedStatus."""
    return await ENDPOINT.asyncio(client, request(body=body))
