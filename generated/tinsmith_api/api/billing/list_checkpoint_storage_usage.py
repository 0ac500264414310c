# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""List what stored checkpoints take.

Says for each user and project how much the stored checkpoints take now, and what they cost.

* `project_id`: Return only what belongs to this project. Absent means all projects.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...endpoint import Endpoint

if TYPE_CHECKING:
    from ...client import AuthenticatedClient
    from ...exchange import Request, Response
    from ...models.current_checkpoint_storage_usage_response import CurrentCheckpointStorageUsageResponse
    from ...models.error_body import ErrorBody

ENDPOINT: Final[Endpoint[CurrentCheckpointStorageUsageResponse, ErrorBody]] = Endpoint(
    "list_checkpoint_storage_usage",
    "GET",
    "/api/v1/billing/usage/checkpoints/current",
    "CurrentCheckpointStorageUsageResponse",
    {"400 401 403 404 422 429 5XX": "ErrorBody"},
)


def request(*, project_id: str | None = None) -> Request:
    """Build the request and do not send it."""
    return ENDPOINT.request(query={"project_id": project_id})


parse: Final = ENDPOINT.parse


def sync_detailed(
    *, client: AuthenticatedClient, project_id: str | None = None
) -> Response[CurrentCheckpointStorageUsageResponse | ErrorBody]:
    """Send the request; return the whole answer, also that of a documented error."""
    return ENDPOINT.sync_detailed(client, request(project_id=project_id))


def sync(
    *, client: AuthenticatedClient, project_id: str | None = None
) -> CurrentCheckpointStorageUsageResponse:
    """Send the request; return the value, or raise UnexpectedStatus."""
    return ENDPOINT.sync(client, request(project_id=project_id))


async def asyncio_detailed(
    *, client: AuthenticatedClient, project_id: str | None = None
) -> Response[CurrentCheckpointStorageUsageResponse | ErrorBody]:
    """Send the request; return the whole answer, also that of a documented error."""
    return await ENDPOINT.asyncio_detailed(client, request(project_id=project_id))


async def asyncio(
    *, client: AuthenticatedClient, project_id: str | None = None
) -> CurrentCheckpointStorageUsageResponse:
    """Send the request; return the value, or raise UnexpectedStatus."""
    return await ENDPOINT.asyncio(client, request(project_id=project_id))
