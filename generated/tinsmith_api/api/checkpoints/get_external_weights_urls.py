# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""Get the URLs of stored files.

For checkpoints of kind `external_weights` only.
"""

from typing import Any, Final

from ...models.checkpoint_kind import CheckpointKind
from ...models.external_weights_urls_response import ExternalWeightsUrlsResponse
from ...types import UnexpectedStatus, invalid_body, path_segment

OPERATION: Final = "get_external_weights_urls"
METHOD: Final = "GET"
URL: Final = "/api/v1/training_runs/{training_run_id}/checkpoints/{checkpoint_kind}/{checkpoint_name}/external_weights_urls"


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


def _parse_response(status_code: int, body: Any) -> ExternalWeightsUrlsResponse:
    """Read the decoded JSON of a success; any 2xx counts, since servers differ.

    Raises UnexpectedStatus for other statuses and InvalidBody for a body that does not fit.
    """
    if not 200 <= status_code <= 299:
        raise UnexpectedStatus(OPERATION, status_code)
    try:
        response_200 = ExternalWeightsUrlsResponse.from_dict(body)

        return response_200
    except (AttributeError, KeyError, TypeError, ValueError) as cause:
        raise invalid_body(OPERATION, status_code, cause) from cause
