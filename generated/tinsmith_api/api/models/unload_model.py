# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""Free the memory of a model.

What was not saved is lost. Clients stopped sending this at 0.26.

The answer is a promise: `wait` for it as UnloadModelResponse.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...endpoint import Endpoint

if TYPE_CHECKING:
    from ...client import AuthenticatedClient
    from ...exchange import Request, Response
    from ...models.error_body import ErrorBody
    from ...models.unload_model_request import UnloadModelRequest
    from ...models.untyped_api_future import UntypedAPIFuture

ENDPOINT: Final[Endpoint[UntypedAPIFuture, ErrorBody]] = Endpoint(
    "unload_model",
    "POST",
    "/api/v1/unload_model",
    "UntypedAPIFuture",
    {"400 401 403 404 409 410 413 415 422 429 5XX": "ErrorBody"},
    body="UnloadModelRequest",
)


def request(*, body: UnloadModelRequest) -> Request:
    """Build the request and do not send it."""
    return ENDPOINT.request(body=body)


parse: Final = ENDPOINT.parse


def sync_detailed(
    *, client: AuthenticatedClient, body: UnloadModelRequest
) -> Response[UntypedAPIFuture | ErrorBody]:
    """Send the request; return the whole answer, also that of a documented error."""
    return ENDPOINT.sync_detailed(client, request(body=body))


def sync(*, client: AuthenticatedClient, body: UnloadModelRequest) -> UntypedAPIFuture:
    """Send the request; return the value, or raise UnexpectedStatus."""
    return ENDPOINT.sync(client, request(body=body))


async def asyncio_detailed(
    *, client: AuthenticatedClient, body: UnloadModelRequest
) -> Response[UntypedAPIFuture | ErrorBody]:
    """Send the request; return the whole answer, also that of a documented error."""
    return await ENDPOINT.asyncio_detailed(client, request(body=body))


async def asyncio(*, client: AuthenticatedClient, body: UnloadModelRequest) -> UntypedAPIFuture:
    """Send the request; return the value, or raise UnexpectedStatus."""
    return await ENDPOINT.asyncio(client, request(body=body))
