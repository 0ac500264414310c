# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""Give up a promise.

Nobody waits for the result any more, and the server may stop working on it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...endpoint import Endpoint

if TYPE_CHECKING:
    from ...client import AuthenticatedClient
    from ...exchange import Request, Response
    from ...models.cancel_future_request import CancelFutureRequest
    from ...models.error_body import ErrorBody

ENDPOINT: Final[Endpoint[None, ErrorBody]] = Endpoint(
    "cancel_future",
    "POST",
    "/api/v1/cancel_future",
    None,
    {"400 401 403 404 409 410 413 415 422 429 5XX": "ErrorBody"},
    body="CancelFutureRequest",
)


def request(*, body: CancelFutureRequest) -> Request:
    """Build the request and do not send it."""
    return ENDPOINT.request(body=body)


parse: Final = ENDPOINT.parse


def sync_detailed(*, client: AuthenticatedClient, body: CancelFutureRequest) -> Response[None | ErrorBody]:
    """Send the request; return the whole answer, also that of a documented error."""
    return ENDPOINT.sync_detailed(client, request(body=body))


def sync(*, client: AuthenticatedClient, body: CancelFutureRequest) -> None:
    """Send the request; return the value, or raise UnexpectedStatus."""
    ENDPOINT.sync(client, request(body=body))


async def asyncio_detailed(
    *, client: AuthenticatedClient, body: CancelFutureRequest
) -> Response[None | ErrorBody]:
    """Send the request; return the whole answer, also that of a documented error."""
    return await ENDPOINT.asyncio_detailed(client, request(body=body))


async def asyncio(*, client: AuthenticatedClient, body: CancelFutureRequest) -> None:
    """Send the request; return the value, or raise UnexpectedStatus."""
    await ENDPOINT.asyncio(client, request(body=body))
