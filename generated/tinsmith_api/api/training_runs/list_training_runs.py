# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""List training runs.

Lists training runs, last used first, one page at a time.

* `limit`: Most entries to return. Absent means 20.
* `offset`: Number of entries to skip. Absent means 0.
* `access_scope`: Whose things to return, one's own (`owned`) or all that the key may read
(`accessible`). Since 0.15. Absent means `owned`.
* `project_id`: Return only what belongs to this project. Absent means all projects.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...endpoint import Endpoint

if TYPE_CHECKING:
    from ...client import AuthenticatedClient
    from ...exchange import Request, Response
    from ...models.access_scope import AccessScope
    from ...models.error_body import ErrorBody
    from ...models.training_runs_response import TrainingRunsResponse

ENDPOINT: Final[Endpoint[TrainingRunsResponse, ErrorBody]] = Endpoint(
    "list_training_runs",
    "GET",
    "/api/v1/training_runs",
    "TrainingRunsResponse",
    {"400 401 403 404 422 429 5XX": "ErrorBody"},
)


def request(
    *,
    limit: int | None = None,
    offset: int | None = None,
    access_scope: AccessScope | None = None,
    project_id: str | None = None,
) -> Request:
    """Build the request and do not send it."""
    return ENDPOINT.request(
        query={"limit": limit, "offset": offset, "access_scope": access_scope, "project_id": project_id}
    )


parse: Final = ENDPOINT.parse


def sync_detailed(
    *,
    client: AuthenticatedClient,
    limit: int | None = None,
    offset: int | None = None,
    access_scope: AccessScope | None = None,
    project_id: str | None = None,
) -> Response[TrainingRunsResponse | ErrorBody]:
    """Send the request; return the whole answer, also that of a documented error."""
    return ENDPOINT.sync_detailed(
        client, request(limit=limit, offset=offset, access_scope=access_scope, project_id=project_id)
    )


def sync(
    *,
    client: AuthenticatedClient,
    limit: int | None = None,
    offset: int | None = None,
    access_scope: AccessScope | None = None,
    project_id: str | None = None,
) -> TrainingRunsResponse:
    """Send the request; return the value, or raise UnexpectedStatus."""
    return ENDPOINT.sync(
        client, request(limit=limit, offset=offset, access_scope=access_scope, project_id=project_id)
    )


async def asyncio_detailed(
    *,
    client: AuthenticatedClient,
    limit: int | None = None,
    offset: int | None = None,
    access_scope: AccessScope | None = None,
    project_id: str | None = None,
) -> Response[TrainingRunsResponse | ErrorBody]:
    """Send the request; return the whole answer, also that of a documented error."""
    return await ENDPOINT.asyncio_detailed(
        client, request(limit=limit, offset=offset, access_scope=access_scope, project_id=project_id)
    )


async def asyncio(
    *,
    client: AuthenticatedClient,
    limit: int | None = None,
    offset: int | None = None,
    access_scope: AccessScope | None = None,
    project_id: str | None = None,
) -> TrainingRunsResponse:
    """Send the request; return the value, or raise UnexpectedStatus."""
    return await ENDPOINT.asyncio(
        client, request(limit=limit, offset=offset, access_scope=access_scope, project_id=project_id)
    )
