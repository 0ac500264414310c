# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""Make a checkpoint private.

No body.
"""

from typing import Any, Final

from ...models.checkpoint_kind import CheckpointKind
from ...types import UnexpectedStatus, path_segment

OPERATION: Final = "unpublish_checkpoint"
METHOD: Final = "DELETE"
URL: Final = "/api/v1/training_runs/{training_run_id}/checkpoints/{checkpoint_kind}/{checkpoint_name}/publish"


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
    """Accept a success; there is no body to read, and one that comes is ignored.

    Raises UnexpectedStatus for other statuses.
    """
    if not 200 <= status_code <= 299:
        raise UnexpectedStatus(OPERATION, status_code)
