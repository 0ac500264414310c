# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""Join a sampler from another process.

Gives a copy of a sampler a counter of its own, so that the copies number their requests apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...endpoint import Endpoint

if TYPE_CHECKING:
    from ...client import AuthenticatedClient
    from ...exchange import Request, Response
    from ...models.error_body import ErrorBody
    from ...models.join_sampling_session_request import JoinSamplingSessionRequest
    from ...models.join_sampling_session_response import JoinSamplingSessionResponse

ENDPOINT: Final[Endpoint[JoinSamplingSessionResponse, ErrorBody]] = Endpoint(
    "join_sampling_session",
    "POST",
    "/api/v1/join_sampling_session",
    "JoinSamplingSessionResponse",
    {"400 401 403 404 410 413 415 422 429 5XX": "ErrorBody"},
    body="JoinSamplingSessionRequest",
)


def request(*, body: JoinSamplingSessionRequest) -> Request:
    """Build the request and do not send it."""
    return ENDPOINT.request(body=body)


parse: Final = ENDPOINT.parse


def sync_detailed(
    *, client: AuthenticatedClient, body: JoinSamplingSessionRequest
) -> Response[JoinSamplingSessionResponse | ErrorBody]:
    """Send the request; return the whole answer, also that of a documented error."""
    return ENDPOINT.sync_detailed(client, request(body=body))


def sync(*, client: AuthenticatedClient, body: JoinSamplingSessionRequest) -> JoinSamplingSessionResponse:
    """Send the request; return the value, or raise UnexpectedStatus."""
    return ENDPOINT.sync(client, request(body=body))


async def asyncio_detailed(
    *, client: AuthenticatedClient, body: JoinSamplingSessionRequest
) -> Response[JoinSamplingSessionResponse | ErrorBody]:
    """Send the request; return the whole answer, also that of a documented error."""
    return await ENDPOINT.asyncio_detailed(client, request(body=body))


async def asyncio(
    *, client: AuthenticatedClient, body: JoinSamplingSessionRequest
) -> JoinSamplingSessionResponse:
    """Send the request; return the value, or raise UnexpectedStatus."""
    return await ENDPOINT.asyncio(client, request(body=body))
