# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""List the checkpoints of a run.

All of them, newest first. Some servers page here too.
"""

from typing import Any, Final

from ...models.checkpoints_list_response import CheckpointsListResponse
from ...types import UNSET, UnexpectedStatus, Unset, invalid_body, path_segment

OPERATION: Final = "list_checkpoints"
METHOD: Final = "GET"
URL: Final = "/api/v1/training_runs/{training_run_id}/checkpoints"


def _get_kwargs(
    training_run_id: str,
    *,
    limit: int | Unset = UNSET,
    offset: int | Unset = UNSET,
) -> dict[str, Any]:

    params: dict[str, Any] = {}

    params["limit"] = limit

    params["offset"] = offset

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": METHOD,
        "url": URL.format(
            training_run_id=path_segment("training_run_id", training_run_id),
        ),
        "params": params,
    }

    return _kwargs


def _parse_response(status_code: int, body: Any) -> CheckpointsListResponse:
    """Read the decoded JSON of a success; any 2xx counts, since servers differ.

    Raises UnexpectedStatus for other statuses and InvalidBody for a body that does not fit.
    """
    if not 200 <= status_code <= 299:
        raise UnexpectedStatus(OPERATION, status_code)
    try:
        response_200 = CheckpointsListResponse.from_dict(body)

        return response_200
    except (AttributeError, KeyError, TypeError, ValueError) as cause:
        raise invalid_body(OPERATION, status_code, cause) from cause
