# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""Get a download URL.

Success is the redirect itself: read Location, do not follow it with the key.
"""

from typing import Any, Final

from ...models.checkpoint_kind import CheckpointKind
from ...types import UnexpectedStatus, path_segment

OPERATION: Final = "get_checkpoint_archive_url"
METHOD: Final = "GET"
URL: Final = "/api/v1/training_runs/{training_run_id}/checkpoints/{checkpoint_kind}/{checkpoint_name}/archive"


def _get_kwargs(
    training_run_id: str,
    checkpoint_kind: CheckpointKind,
    checkpoint_name: str,
) -> dict[str, Any]:

    _kwargs: dict[str, Any] = {
        "method": METHOD,
        "url": URL.format(
            training_run_id=path_segment("training_run_id", training_run_id),
            checkpoint_kind=path_segment("checkpoint_kind", checkpoint_kind),
            checkpoint_name=path_segment("checkpoint_name", checkpoint_name),
        ),
    }

    return _kwargs


def _parse_response(status_code: int, body: Any = None) -> None:
    """Accept a success; what counts is in the headers of the redirect.

    Raises UnexpectedStatus for other statuses.
    """
    if not 300 <= status_code <= 399:
        raise UnexpectedStatus(OPERATION, status_code)
