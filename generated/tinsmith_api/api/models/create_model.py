# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""Create a model to train.

Creates a model from a base model, with a fresh adapter.

The answer is a promise: `wait` for it as CreateModelResponse.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...endpoint import Endpoint

if TYPE_CHECKING:
    from ...client import AuthenticatedClient
    from ...exchange import Request, Response
    from ...models.create_model_request import CreateModelRequest
    from ...models.error_body import ErrorBody
    from ...models.untyped_api_future import UntypedAPIFuture

ENDPOINT: Final[Endpoint[UntypedAPIFuture, ErrorBody]] = Endpoint(
    "create_model",
    "POST",
    "/api/v1/create_model",
    "UntypedAPIFuture",
    {"400 401 402 403 404 409 413 415 422 429 5XX": "ErrorBody"},
    body="CreateModelRequest",
)


def request(*, body: CreateModelRequest) -> Request:
    """Build the request and do not send it."""
    return ENDPOINT.request(body=body)


parse: Final = ENDPOINT.parse


def sync_detailed(
    *, client: AuthenticatedClient, body: CreateModelRequest
) -> Response[UntypedAPIFuture | ErrorBody]:
    """Send the request; return the whole answer, also that of a documented error."""
    return ENDPOINT.sync_detailed(client, request(body=body))


def sync(*, client: AuthenticatedClient, body: CreateModelRequest) -> UntypedAPIFuture:
    """Send the request; return the value, or raise UnexpectedStatus."""
    return ENDPOINT.sync(client, request(body=body))


async def asyncio_detailed(
    *, client: AuthenticatedClient, body: CreateModelRequest
) -> Response[UntypedAPIFuture | ErrorBody]:
    """Send the request; return the whole answer, also that of a documented error."""
    return await ENDPOINT.asyncio_detailed(client, request(body=body))


async def asyncio(*, client: AuthenticatedClient, body: CreateModelRequest) -> UntypedAPIFuture:
    """Send the request; return the value, or raise UnexpectedStatus."""
    return await ENDPOINT.asyncio(client, request(body=body))
