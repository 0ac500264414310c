# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""Ask for a result.

The server holds the request open until the result is there. If it takes too long, it answers 408,
or 200 with `try_again`, and the client asks again. A 400 or a 422 says that the work failed. A read
timeout at the client says nothing, and the client asks again. The result of a batch or a sample is
binary where `Accept` names application/x-protobuf, and JSON otherwise; some servers have one of the
two only.

* `x_tinker_request_iteration`: How often the client has asked for this promise before.
* `x_tinker_request_type`: Kind of work behind the promise, as `x-tinker-request-type` of its
operation says.
* `x_tinker_create_promise_roundtrip_time`: How long it took to get the promise, in seconds. Sent
with the first question only.
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
    body="FutureRetrieveRequest",
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
    """Send the request; return the whole answer, also that of a documented error."""
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
    """Send the request; return the whole answer, also that of a documented error."""
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
