# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""Sample one completion, token by token.

An extension of Tinsmith's embedded service, for programs in which somebody reads along. Other
servers answer 404. The answer is a stream of server-sent events, whose data is JSON. An event
without a name is the next piece of the completion; the piece with `stop_reason` is the last event.
An event named `error` says that the work failed, and is the last event too. Lines that begin with a
colon keep the connection alive. A stream that ends without either was cut. Closing the connection
stops the sample. Nothing is kept: there is no promise, no number, and no second look.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...endpoint import Endpoint

if TYPE_CHECKING:
    from ...client import AuthenticatedClient
    from ...exchange import Request, Response
    from ...models.error_body import ErrorBody
    from ...models.sample_stream_request import SampleStreamRequest

ENDPOINT: Final[Endpoint[None, ErrorBody]] = Endpoint(
    "stream_sample",
    "POST",
    "/api/v1/x-tinsmith/stream_sample",
    None,
    {"400 401 402 403 404 408 410 413 415 422 429 5XX": "ErrorBody"},
    body="SampleStreamRequest",
)


def request(*, body: SampleStreamRequest) -> Request:
    """Build the request and do not send it."""
    return ENDPOINT.request(body=body)


parse: Final = ENDPOINT.parse


def sync_detailed(*, client: AuthenticatedClient, body: SampleStreamRequest) -> Response[None | ErrorBody]:
    """Send the request; return the whole answer, also that of a documented error."""
    return ENDPOINT.sync_detailed(client, request(body=body))


def sync(*, client: AuthenticatedClient, body: SampleStreamRequest) -> None:
    """Send the request; return the value, or raise UnexpectedStatus."""
    ENDPOINT.sync(client, request(body=body))


async def asyncio_detailed(
    *, client: AuthenticatedClient, body: SampleStreamRequest
) -> Response[None | ErrorBody]:
    """Send the request; return the whole answer, also that of a documented error."""
    return await ENDPOINT.asyncio_detailed(client, request(body=body))


async def asyncio(*, client: AuthenticatedClient, body: SampleStreamRequest) -> None:
    """Send the request; return the value, or raise UnexpectedStatus."""
    await ENDPOINT.asyncio(client, request(body=body))
