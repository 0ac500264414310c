# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""List stored checkpoints with their cost.

As of today.
"""

from typing import Any, Final

from ...models.checkpoint_storage_usage import CheckpointStorageUsage
from ...types import UNSET, UnexpectedStatus, Unset, invalid_body

OPERATION: Final = "list_checkpoint_storage_usage"
METHOD: Final = "GET"
URL: Final = "/api/v1/billing/usage/checkpoints/current"


def _get_kwargs(
    *,
    project_id: str | Unset = UNSET,
) -> dict[str, Any]:

    params: dict[str, Any] = {}

    params["project_id"] = project_id

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": METHOD,
        "url": URL,
        "params": params,
    }

    return _kwargs


def _parse_response(status_code: int, body: Any) -> CheckpointStorageUsage:
    """Read the decoded JSON of a success; any 2xx counts, since servers differ.

    Raises UnexpectedStatus for other statuses and InvalidBody for a body that does not fit.
    """
    if not 200 <= status_code <= 299:
        raise UnexpectedStatus(OPERATION, status_code)
    try:
        response_200 = CheckpointStorageUsage.from_dict(body)

        return response_200
    except (AttributeError, KeyError, TypeError, ValueError) as cause:
        raise invalid_body(OPERATION, status_code, cause) from cause
