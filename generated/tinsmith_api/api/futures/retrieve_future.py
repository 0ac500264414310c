# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""Ask for a result.

Held open until the result is there, or answered 408 (or 200 with `try_again`): ask again. Any 400
or 422 here means that the work failed. A read timeout of the caller means nothing: ask again. The
result of a batch or a sample is binary where `Accept` names application/x-protobuf, JSON else; some
servers have one of the two only.

* `x_tinker_request_iteration`: How often this promise was asked for before.
* `x_tinker_request_type`: `x-tinker-request-type` of the operation that made the promise.
* `x_tinker_create_promise_roundtrip_time`: On the first question only: how long it took to get the
promise, in seconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...endpoint import Endpoint

if TYPE_CHECKING:
    from ...client import AuthenticatedClient
    from ...exchange import Request, Response
    from ...models.error_body import ErrorBody
    from ...models.future_answer import FutureAnswer
    from ...models.future_retrieve_request import FutureRetrieveRequest
    from ...models.try_again_response import TryAgainResponse

ENDPOINT: Final[Endpoint[FutureAnswer, ErrorBody | TryAgainResponse]] = Endpoint(
    "retrieve_future",
    "POST",
    "/api/v1/retrieve_future",
    "FutureAnswer",
    {"400 401 402 403 404 409 410 413 415 422 425 429 5XX": "ErrorBody", "408": "TryAgainResponse"},
)


def request(
    *,
    body: FutureRetrieveRequest,
    x_tinker_request_iteration: str | None = None,
    x_tinker_request_type: str | None = None,
    x_tinker_create_promise_roundtrip_time: str | None = None,
) -> Request:
    """Build the request and do not send it."""
    return ENDPOINT.request(
        headers={
            "X-Tinker-Request-Iteration": x_tinker_request_iteration,
            "X-Tinker-Request-Type": x_tinker_request_type,
            "X-Tinker-Create-Promise-Roundtrip-Time": x_tinker_create_promise_roundtrip_time,
        },
        body=body,
    )


parse: Final = ENDPOINT.parse


def sync_detailed(
    *,
    client: AuthenticatedClient,
    body: FutureRetrieveRequest,
    x_tinker_request_iteration: str | None = None,
    x_tinker_request_type: str | None = None,
    x_tinker_create_promise_roundtrip_time: str | None = None,
) -> Response[FutureAnswer | ErrorBody | TryAgainResponse]:
    """Send the request; return the whole answer, that of a documented error too."""
    return ENDPOINT.sync_detailed(
        client,
        request(
            body=body,
            x_tinker_request_iteration=x_tinker_request_iteration,
            x_tinker_request_type=x_tinker_request_type,
            x_tinker_create_promise_roundtrip_time=x_tinker_create_promise_roundtrip_time,
        ),
    )


def sync(
    *,
    client: AuthenticatedClient,
    body: FutureRetrieveRequest,
    x_tinker_request_iteration: str | None = None,
    x_tinker_request_type: str | None = None,
    x_tinker_create_promise_roundtrip_time: str | None = None,
) -> FutureAnswer:
    """Send the request; return the value, or raise UnexpectedStatus."""
    return ENDPOINT.sync(
        client,
        request(
            body=body,
            x_tinker_request_iteration=x_tinker_request_iteration,
            x_tinker_request_type=x_tinker_request_type,
            x_tinker_create_promise_roundtrip_time=x_tinker_create_promise_roundtrip_time,
        ),
    )


async def asyncio_detailed(
    *,
    client: AuthenticatedClient,
    body: FutureRetrieveRequest,
    x_tinker_request_iteration: str | None = None,
    x_tinker_request_type: str | None = None,
    x_tinker_create_promise_roundtrip_time: str | None = None,
) -> Response[FutureAnswer | ErrorBody | TryAgainResponse]:
    """Send the request; return the whole answer, that of a documented error too."""
    return await ENDPOINT.asyncio_detailed(
        client,
        request(
            body=body,
            x_tinker_request_iteration=x_tinker_request_iteration,
            x_tinker_request_type=x_tinker_request_type,
            x_tinker_create_promise_roundtrip_time=x_tinker_create_promise_roundtrip_time,
        ),
    )


async def asyncio(
    *,
    client: AuthenticatedClient,
    body: FutureRetrieveRequest,
    x_tinker_request_iteration: str | None = None,
    x_tinker_request_type: str | None = None,
    x_tinker_create_promise_roundtrip_time: str | None = None,
) -> FutureAnswer:
    """Send the request; return the value, or raise UnexpectedStatus."""
    return await ENDPOINT.asyncio(
        client,
        request(
            body=body,
            x_tinker_request_iteration=x_tinker_request_iteration,
            x_tinker_request_type=x_tinker_request_type,
            x_tinker_create_promise_roundtrip_time=x_tinker_create_promise_roundtrip_time,
        ),
    )
