# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""Sample completions.

A 429 is back-pressure. The client waits and sends the same request again, with the same seq_id.

* `x_tinker_sampling_backpressure`: `1` tells the server that it may answer 429, and that the client
then sends the request again.

The answer is a promise: `wait` for it as SampleResponse.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...endpoint import Endpoint

if TYPE_CHECKING:
    from ...client import AuthenticatedClient
    from ...exchange import Request, Response
    from ...models.error_body import ErrorBody
    from ...models.sample_request import SampleRequest
    from ...models.untyped_api_future import UntypedAPIFuture

ENDPOINT: Final[Endpoint[UntypedAPIFuture, ErrorBody]] = Endpoint(
    "asample",
    "POST",
    "/api/v1/asample",
    "UntypedAPIFuture",
    {"400 401 402 403 404 408 409 410 413 415 422 429 5XX": "ErrorBody"},
    body="SampleRequest",
)


def request(*, body: SampleRequest, x_tinker_sampling_backpressure: str | None = None) -> Request:
    """Build the request and do not send it."""
    return ENDPOINT.request(
        headers={"X-Tinker-Sampling-Backpressure": x_tinker_sampling_backpressure}, body=body
    )


parse: Final = ENDPOINT.parse


def sync_detailed(
    *, client: AuthenticatedClient, body: SampleRequest, x_tinker_sampling_backpressure: str | None = None
) -> Response[UntypedAPIFuture | ErrorBody]:
    """Send the request; return the whole answer, also that of a documented error."""
    return ENDPOINT.sync_detailed(
        client, request(body=body, x_tinker_sampling_backpressure=x_tinker_sampling_backpressure)
    )


def sync(
    *, client: AuthenticatedClient, body: SampleRequest, x_tinker_sampling_backpressure: str | None = None
) -> UntypedAPIFuture:
    """Send the request; return the value, or raise UnexpectedStatus."""
    return ENDPOINT.sync(
        client, request(body=body, x_tinker_sampling_backpressure=x_tinker_sampling_backpressure)
    )


async def asyncio_detailed(
    *, client: AuthenticatedClient, body: SampleRequest, x_tinker_sampling_backpressure: str | None = None
) -> Response[UntypedAPIFuture | ErrorBody]:
    """Send the request; return the whole answer, also that of a documented error."""
    return await ENDPOINT.asyncio_detailed(
        client, request(body=body, x_tinker_sampling_backpressure=x_tinker_sampling_backpressure)
    )


async def asyncio(
    *, client: AuthenticatedClient, body: SampleRequest, x_tinker_sampling_backpressure: str | None = None
) -> UntypedAPIFuture:
    """Send the request; return the value, or raise UnexpectedStatus."""
    return await ENDPOINT.asyncio(
        client, request(body=body, x_tinker_sampling_backpressure=x_tinker_sampling_backpressure)
    )
