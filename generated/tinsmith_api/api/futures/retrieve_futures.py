# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""Watch the promises of a sampler.

The server holds the request open until a promise of the sampler has ended. A client keeps one such
request open for each sampler.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...endpoint import Endpoint

if TYPE_CHECKING:
    from ...client import AuthenticatedClient
    from ...exchange import Request, Response
    from ...models.error_body import ErrorBody
    from ...models.futures_retrieve_request import FuturesRetrieveRequest
    from ...models.futures_retrieve_response import FuturesRetrieveResponse

ENDPOINT: Final[Endpoint[FuturesRetrieveResponse, ErrorBody]] = Endpoint(
    "retrieve_futures",
    "POST",
    "/api/v1/retrieve_futures",
    "FuturesRetrieveResponse",
    {"400 401 403 404 408 410 413 415 422 429 5XX": "ErrorBody"},
    body="FuturesRetrieveRequest",
)


def request(*, body: FuturesRetrieveRequest) -> Request:
    """Build the request and do not send it."""
    return ENDPOINT.request(body=body)


parse: Final = ENDPOINT.parse


def sync_detailed(
    *, client: AuthenticatedClient, body: FuturesRetrieveRequest
) -> Response[FuturesRetrieveResponse | ErrorBody]:
    """Send the request; return the whole answer, also that of a documented error."""
    return ENDPOINT.sync_detailed(client, request(body=body))


def sync(*, client: AuthenticatedClient, body: FuturesRetrieveRequest) -> FuturesRetrieveResponse:
    """Send the request; return the value, or raise UnexpectedStatus."""
    return ENDPOINT.sync(client, request(body=body))


async def asyncio_detailed(
    *, client: AuthenticatedClient, body: FuturesRetrieveRequest
) -> Response[FuturesRetrieveResponse | ErrorBody]:
    """Send the request; return the whole answer, also that of a documented error."""
    return await ENDPOINT.asyncio_detailed(client, request(body=body))


async def asyncio(*, client: AuthenticatedClient, body: FuturesRetrieveRequest) -> FuturesRetrieveResponse:
    """Send the request; return the value, or raise UnexpectedStatus."""
    return await ENDPOINT.asyncio(client, request(body=body))
