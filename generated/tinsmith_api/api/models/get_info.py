# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""Describe a model.

Answers with the base model, the adapter and the tokenizer of a model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...endpoint import Endpoint

if TYPE_CHECKING:
    from ...client import AuthenticatedClient
    from ...exchange import Request, Response
    from ...models.error_body import ErrorBody
    from ...models.get_info_request import GetInfoRequest
    from ...models.get_info_response import GetInfoResponse

ENDPOINT: Final[Endpoint[GetInfoResponse, ErrorBody]] = Endpoint(
    "get_info",
    "POST",
    "/api/v1/get_info",
    "GetInfoResponse",
    {"400 401 403 404 410 413 415 422 429 5XX": "ErrorBody"},
    body="GetInfoRequest",
)


def request(*, body: GetInfoRequest) -> Request:
    """Build the request and do not send it."""
    return ENDPOINT.request(body=body)


parse: Final = ENDPOINT.parse


def sync_detailed(
    *, client: AuthenticatedClient, body: GetInfoRequest
) -> Response[GetInfoResponse | ErrorBody]:
    """Send the request; return the whole answer, also that of a documented error."""
    return ENDPOINT.sync_detailed(client, request(body=body))


def sync(*, client: AuthenticatedClient, body: GetInfoRequest) -> GetInfoResponse:
    """Send the request; return the value, or raise UnexpectedStatus."""
    return ENDPOINT.sync(client, request(body=body))


async def asyncio_detailed(
    *, client: AuthenticatedClient, body: GetInfoRequest
) -> Response[GetInfoResponse | ErrorBody]:
    """Send the request; return the whole answer, also that of a documented error."""
    return await ENDPOINT.asyncio_detailed(client, request(body=body))


async def asyncio(*, client: AuthenticatedClient, body: GetInfoRequest) -> GetInfoResponse:
    """Send the request; return the value, or raise UnexpectedStatus."""
    return await ENDPOINT.asyncio(client, request(body=body))
