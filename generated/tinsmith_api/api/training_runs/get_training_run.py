# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""Describe a training run.

Its base model, state and newest checkpoints.
"""

from typing import Any, Final

from ...models.access_scope import AccessScope
from ...models.training_run import TrainingRun
from ...types import UNSET, UnexpectedStatus, Unset, invalid_body, path_segment

OPERATION: Final = "get_training_run"
METHOD: Final = "GET"
URL: Final = "/api/v1/training_runs/{training_run_id}"


def _get_kwargs(
    training_run_id: str,
    *,
    access_scope: AccessScope | Unset = UNSET,
) -> dict[str, Any]:

    params: dict[str, Any] = {}

    json_access_scope: str | Unset = UNSET
    if not isinstance(access_scope, Unset):
        json_access_scope = access_scope

    params["access_scope"] = json_access_scope

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": METHOD,
        "url": URL.format(
            training_run_id=path_segment("training_run_id", training_run_id),
        ),
        "params": params,
    }

    return _kwargs


def _parse_response(status_code: int, body: Any) -> TrainingRun:
    """Read the decoded JSON of a success; any 2xx counts, since servers differ.

    Raises UnexpectedStatus for other statuses and InvalidBody for a body that does not fit.
    """
    if not 200 <= status_code <= 299:
        raise UnexpectedStatus(OPERATION, status_code)
    try:
        response_200 = TrainingRun.from_dict(body)

        return response_200
    except (AttributeError, KeyError, TypeError, ValueError) as cause:
        raise invalid_body(OPERATION, status_code, cause) from cause
