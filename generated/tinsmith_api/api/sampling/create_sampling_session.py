# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""Make a sampler.

Makes a sampler over a base model or over saved weights.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...endpoint import Endpoint

if TYPE_CHECKING:
    from ...client import AuthenticatedClient
    from ...exchange import Request, Response
    from ...models.create_sampling_session_request import CreateSamplingSessionRequest
    from ...models.create_sampling_session_response import CreateSamplingSessionResponse
    from ...models.error_body import ErrorBody

ENDPOINT: Final[Endpoint[CreateSamplingSessionResponse, ErrorBody]] = Endpoint(
    "create_sampling_session",
    "POST",
    "/api/v1/create_sampling_session",
    "CreateSamplingSessionResponse",
    {"400 401 402 403 404 409 410 413 415 422 425 429 5XX": "ErrorBody"},
    body="CreateSamplingSessionRequest",
)


def request(*, body: CreateSamplingSessionRequest) -> Request:
    """Build the request and do not send it."""
    return ENDPOINT.request(body=body)


parse: Final = ENDPOINT.parse


def sync_detailed(
    *, client: AuthenticatedClient, body: CreateSamplingSessionRequest
) -> Response[CreateSamplingSessionResponse | ErrorBody]:
    """Send the request; return the whole answer, also that of a documented error."""
    return ENDPOINT.sync_detailed(client, request(body=body))


def sync(*, client: AuthenticatedClient, body: CreateSamplingSessionRequest) -> CreateSamplingSessionResponse:
    """Send the request; return the value, or raise UnexpectedStatus."""
    return ENDPOINT.sync(client, request(body=body))


async def asyncio_detailed(
    *, client: AuthenticatedClient, body: CreateSamplingSessionRequest
) -> Response[CreateSamplingSessionResponse | ErrorBody]:
    """Send the request; return the whole answer, also that of a documented error."""
    return await ENDPOINT.asyncio_detailed(client, request(body=body))


async def asyncio(
    *, client: AuthenticatedClient, body: CreateSamplingSessionRequest
) -> CreateSamplingSessionResponse:
    """Send the request; return the value, or raise UnexpectedStatus."""
    return await ENDPOINT.asyncio(client, request(body=body))
