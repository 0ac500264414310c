# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""List the checkpoints of a run.

Lists all checkpoints of a training run, newest first. Some servers give one page at a time.

* `training_run_id`: Id of the training run. Its colons stay unescaped in the path.
* `limit`: Most entries to return. Absent leaves it to the server, which gives 100 or more.
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
    "list_checkpoints",
    "GET",
    "/api/v1/training_runs/{training_run_id}/checkpoints",
    "CheckpointsListResponse",
    {"400 401 403 404 422 429 5XX": "ErrorBody"},
)


def request(training_run_id: str, *, limit: int | None = None, offset: int | None = None) -> Request:
    """Build the request and do not send it."""
    return ENDPOINT.request({"training_run_id": training_run_id}, query={"limit": limit, "offset": offset})


parse: Final = ENDPOINT.parse


def sync_detailed(
    training_run_id: str, *, client: AuthenticatedClient, limit: int | None = None, offset: int | None = None
) -> Response[CheckpointsListResponse | ErrorBody]:
    """Send the request; return the whole answer, also that of a documented error."""
    return ENDPOINT.sync_detailed(client, request(training_run_id, limit=limit, offset=offset))


def sync(
    training_run_id: str, *, client: AuthenticatedClient, limit: int | None = None, offset: int | None = None
) -> CheckpointsListResponse:
    """Send the request; return the value, or raise UnexpectedStatus."""
    return ENDPOINT.sync(client, request(training_run_id, limit=limit, offset=offset))


async def asyncio_detailed(
    training_run_id: str, *, client: AuthenticatedClient, limit: int | None = None, offset: int | None = None
) -> Response[CheckpointsListResponse | ErrorBody]:
    """Send the request; return the whole answer, also that of a documented error."""
    return await ENDPOINT.asyncio_detailed(client, request(training_run_id, limit=limit, offset=offset))


async def asyncio(
    training_run_id: str, *, client: AuthenticatedClient, limit: int | None = None, offset: int | None = None
) -> CheckpointsListResponse:
    """Send the request; return the value, or raise UnexpectedStatus."""
    return await ENDPOINT.asyncio(client, request(training_run_id, limit=limit, offset=offset))
