# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""Copy a checkpoint.

Copies a checkpoint into a project or a session. All retries carry the same X-Idempotency-Key, so
that there is one copy.

* `x_idempotency_key`: A UUID, the same for all retries of one copy.
* `x_tinker_weights_access_token`: Secret that opens somebody else's checkpoint.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...endpoint import Endpoint

if TYPE_CHECKING:
    from ...client import AuthenticatedClient
    from ...exchange import Request, Response
    from ...models.copy_weights_request import CopyWeightsRequest
    from ...models.copy_weights_response import CopyWeightsResponse
    from ...models.error_body import ErrorBody

ENDPOINT: Final[Endpoint[CopyWeightsResponse, ErrorBody]] = Endpoint(
    "copy_weights",
    "POST",
    "/api/v1/copy_weights",
    "CopyWeightsResponse",
    {"400 401 402 403 404 409 413 415 422 425 429 5XX": "ErrorBody"},
    body="CopyWeightsRequest",
)


def request(
    *,
    body: CopyWeightsRequest,
    x_idempotency_key: str | None = None,
    x_tinker_weights_access_token: str | None = None,
) -> Request:
    """Build the request and do not send it."""
    return ENDPOINT.request(
        headers={
            "X-Idempotency-Key": x_idempotency_key,
            "X-Tinker-Weights-Access-Token": x_tinker_weights_access_token,
        },
        body=body,
    )


parse: Final = ENDPOINT.parse


def sync_detailed(
    *,
    client: AuthenticatedClient,
    body: CopyWeightsRequest,
    x_idempotency_key: str | None = None,
    x_tinker_weights_access_token: str | None = None,
) -> Response[CopyWeightsResponse | ErrorBody]:
    """Send the request; return the whole answer, also that of a documented error."""
    return ENDPOINT.sync_detailed(
        client,
        request(
            body=body,
            x_idempotency_key=x_idempotency_key,
            x_tinker_weights_access_token=x_tinker_weights_access_token,
        ),
    )


def sync(
    *,
    client: AuthenticatedClient,
    body: CopyWeightsRequest,
    x_idempotency_key: str | None = None,
    x_tinker_weights_access_token: str | None = None,
) -> CopyWeightsResponse:
    """Send the request; return the value, or raise UnexpectedStatus."""
    return ENDPOINT.sync(
        client,
        request(
            body=body,
            x_idempotency_key=x_idempotency_key,
            x_tinker_weights_access_token=x_tinker_weights_access_token,
        ),
    )


async def asyncio_detailed(
    *,
    client: AuthenticatedClient,
    body: CopyWeightsRequest,
    x_idempotency_key: str | None = None,
    x_tinker_weights_access_token: str | None = None,
) -> Response[CopyWeightsResponse | ErrorBody]:
    """Send the request; return the whole answer, also that of a documented error."""
    return await ENDPOINT.asyncio_detailed(
        client,
        request(
            body=body,
            x_idempotency_key=x_idempotency_key,
            x_tinker_weights_access_token=x_tinker_weights_access_token,
        ),
    )


async def asyncio(
    *,
    client: AuthenticatedClient,
    body: CopyWeightsRequest,
    x_idempotency_key: str | None = None,
    x_tinker_weights_access_token: str | None = None,
) -> CopyWeightsResponse:
    """Send the request; return the value, or raise UnexpectedStatus."""
    return await ENDPOINT.asyncio(
        client,
        request(
            body=body,
            x_idempotency_key=x_idempotency_key,
            x_tinker_weights_access_token=x_tinker_weights_access_token,
        ),
    )
