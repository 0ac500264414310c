# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""Describe a training run.

Answers with the base model, the state and the newest checkpoints of a training run.

* `training_run_id`: Id of the training run. Its colons stay unescaped in the path.
* `access_scope`: Whose things to return, one's own (`owned`) or all that the key may read
(`accessible`). Since 0.15. Absent means `owned`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...endpoint import Endpoint

if TYPE_CHECKING:
    from ...client import AuthenticatedClient
    from ...exchange import Request, Response
    from ...models.access_scope import AccessScope
    from ...models.error_body import ErrorBody
    from ...models.training_run import TrainingRun

ENDPOINT: Final[Endpoint[TrainingRun, ErrorBody]] = Endpoint(
    "get_training_run",
    "GET",
    "/api/v1/training_runs/{training_run_id}",
    "TrainingRun",
    {"401 403 404 422 429 5XX": "ErrorBody"},
)


def request(training_run_id: str, *, access_scope: AccessScope | None = None) -> Request:
    """Build the request and do not send it."""
    return ENDPOINT.request({"training_run_id": training_run_id}, query={"access_scope": access_scope})


parse: Final = ENDPOINT.parse


def sync_detailed(
    training_run_id: str, *, client: AuthenticatedClient, access_scope: AccessScope | None = None
) -> Response[TrainingRun | ErrorBody]:
    """Send the request; return the whole answer, also that of a documented error."""
    return ENDPOINT.sync_detailed(client, request(training_run_id, access_scope=access_scope))


def sync(
    training_run_id: str, *, client: AuthenticatedClient, access_scope: AccessScope | None = None
) -> TrainingRun:
    """Send the request; return the value, or raise UnexpectedStatus."""
    return ENDPOINT.sync(client, request(training_run_id, access_scope=access_scope))


async def asyncio_detailed(
    training_run_id: str, *, client: AuthenticatedClient, access_scope: AccessScope | None = None
) -> Response[TrainingRun | ErrorBody]:
    """Send the request; return the whole answer, also that of a documented error."""
    return await ENDPOINT.asyncio_detailed(client, request(training_run_id, access_scope=access_scope))


async def asyncio(
    training_run_id: str, *, client: AuthenticatedClient, access_scope: AccessScope | None = None
) -> TrainingRun:
    """Send the request; return the value, or raise UnexpectedStatus."""
    return await ENDPOINT.asyncio(client, request(training_run_id, access_scope=access_scope))
