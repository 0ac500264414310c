# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""Get the URL of a checkpoint's archive.

The success is the redirect itself. Read Location, and do not follow it with the key. The official
client stopped sending this at 0.36; some servers have no other way to download.

* `training_run_id`: Id of the training run. Its colons stay unescaped in the path.
* `checkpoint_kind`: First half of the checkpoint id, `weights` in `weights/0001`.
* `checkpoint_name`: Second half of the checkpoint id, `0001` in `weights/0001`.

Success is a redirect: read the headers of `sync_detailed`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...endpoint import Endpoint

if TYPE_CHECKING:
    from ...client import AuthenticatedClient
    from ...exchange import Request, Response
    from ...models.checkpoint_kind import CheckpointKind
    from ...models.error_body import ErrorBody

ENDPOINT: Final[Endpoint[None, ErrorBody]] = Endpoint(
    "get_checkpoint_archive_url",
    "GET",
    "/api/v1/training_runs/{training_run_id}/checkpoints/{checkpoint_kind}/{checkpoint_name}/archive",
    None,
    {"400 401 403 404 405 410 422 425 429 5XX": "ErrorBody"},
    redirects=True,
)


def request(training_run_id: str, checkpoint_kind: CheckpointKind, checkpoint_name: str) -> Request:
    """Build the request and do not send it."""
    return ENDPOINT.request(
        {
            "training_run_id": training_run_id,
            "checkpoint_kind": checkpoint_kind,
            "checkpoint_name": checkpoint_name,
        }
    )


parse: Final = ENDPOINT.parse


def sync_detailed(
    training_run_id: str,
    checkpoint_kind: CheckpointKind,
    checkpoint_name: str,
    *,
    client: AuthenticatedClient,
) -> Response[None | ErrorBody]:
    """Send the request; return the whole answer, also that of a documented error."""
    return ENDPOINT.sync_detailed(client, request(training_run_id, checkpoint_kind, checkpoint_name))


def sync(
    training_run_id: str,
    checkpoint_kind: CheckpointKind,
    checkpoint_name: str,
    *,
    client: AuthenticatedClient,
) -> None:
    """Send the request; return the value, or raise UnexpectedStatus."""
    ENDPOINT.sync(client, request(training_run_id, checkpoint_kind, checkpoint_name))


async def asyncio_detailed(
    training_run_id: str,
    checkpoint_kind: CheckpointKind,
    checkpoint_name: str,
    *,
    client: AuthenticatedClient,
) -> Response[None | ErrorBody]:
    """Send the request; return the whole answer, also that of a documented error."""
    return await ENDPOINT.asyncio_detailed(client, request(training_run_id, checkpoint_kind, checkpoint_name))


async def asyncio(
    training_run_id: str,
    checkpoint_kind: CheckpointKind,
    checkpoint_name: str,
    *,
    client: AuthenticatedClient,
) -> None:
    """Send the request; return the value, or raise UnexpectedStatus."""
    await ENDPOINT.asyncio(client, request(training_run_id, checkpoint_kind, checkpoint_name))
