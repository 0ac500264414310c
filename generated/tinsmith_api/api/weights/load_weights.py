# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""Load a checkpoint.

Loads a checkpoint into a model, or creates a model from it.

The answer is a promise: `wait` for it as LoadWeightsResponse.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...endpoint import Endpoint

if TYPE_CHECKING:
    from ...client import AuthenticatedClient
    from ...exchange import Request, Response
    from ...models.error_body import ErrorBody
    from ...models.load_weights_request import LoadWeightsRequest
    from ...models.untyped_api_future import UntypedAPIFuture

ENDPOINT: Final[Endpoint[UntypedAPIFuture, ErrorBody]] = Endpoint(
    "load_weights",
    "POST",
    "/api/v1/load_weights",
    "UntypedAPIFuture",
    {"400 401 402 403 404 408 409 410 413 415 422 425 429 5XX": "ErrorBody"},
    body="LoadWeightsRequest",
)


def request(*, body: LoadWeightsRequest) -> Request:
    """Build the request and do not send it."""
    return ENDPOINT.request(body=body)


parse: Final = ENDPOINT.parse


def sync_detailed(
    *, client: AuthenticatedClient, body: LoadWeightsRequest
) -> Response[UntypedAPIFuture | ErrorBody]:
    """Send the request; return the whole answer, also that of a documented error."""
    return ENDPOINT.sync_detailed(client, request(body=body))


def sync(*, client: AuthenticatedClient, body: LoadWeightsRequest) -> UntypedAPIFuture:
    """Send the request; return the value, or raise UnexpectedStatus."""
    return ENDPOINT.sync(client, request(body=body))


async def asyncio_detailed(
    *, client: AuthenticatedClient, body: LoadWeightsRequest
) -> Response[UntypedAPIFuture | ErrorBody]:
    """Send the request; return the whole answer, also that of a documented error."""
    return await ENDPOINT.asyncio_detailed(client, request(body=body))


async def asyncio(*, client: AuthenticatedClient, body: LoadWeightsRequest) -> UntypedAPIFuture:
    """Send the request; return the value, or raise UnexpectedStatus."""
    return await ENDPOINT.asyncio(client, request(body=body))
