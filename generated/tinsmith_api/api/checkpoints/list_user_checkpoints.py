# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""List one's own checkpoints.

Lists the checkpoints of all one's own training runs, newest first, one page at a time.

* `limit`: Most entries to return. Absent means 100.
* `offset`: Number of entries to skip. Absent means 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...endpoint import Endpoint

if TYPE_CHECKING:
    from ...client import AuthenticatedClient
    from ...exchange import Request, Response
    from ...models.checkpoints_list_response import CheckpointsListResponse
    from ...models.error_body import ErrorBody

ENDPOINT: Final[Endpoint[CheckpointsListResponse, ErrorBody]] = Endpoint(
    "list_user_checkpoints",
    "GET",
    "/api/v1/checkpoints",
    "CheckpointsListResponse",
    {"400 401 403 404 422 429 5XX": "ErrorBody"},
)


def request(*, limit: int | None = None, offset: int | None = None) -> Request:
    """Build the request and do not send it."""
    return ENDPOINT.request(query={"limit": limit, "offset": offset})


parse: Final = ENDPOINT.parse


def sync_detailed(
    *, client: AuthenticatedClient, limit: int | None = None, offset: int | None = None
) -> Response[CheckpointsListResponse | ErrorBody]:
    """Send the request; return the whole answer, also that of a documented error."""
    return ENDPOINT.sync_detailed(client, request(limit=limit, offset=offset))


def sync(
    *, client: AuthenticatedClient, limit: int | None = None, offset: int | None = None
) -> CheckpointsListResponse:
    """Send the request; return the value, or raise UnexpectedStatus."""
    return ENDPOINT.sync(client, request(limit=limit, offset=offset))


async def asyncio_detailed(
    *, client: AuthenticatedClient, limit: int | None = None, offset: int | None = None
) -> Response[CheckpointsListResponse | ErrorBody]:
    """Send the request; return the whole answer, also that of a documented error."""
    return await ENDPOINT.asyncio_detailed(client, request(limit=limit, offset=offset))


async def asyncio(
    *, client: AuthenticatedClient, limit: int | None = None, offset: int | None = None
) -> CheckpointsListResponse:
    """Send the request; return the value, or raise UnexpectedStatus."""
    return await ENDPOINT.asyncio(client, request(limit=limit, offset=offset))
