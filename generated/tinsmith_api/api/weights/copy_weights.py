# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""Copy a checkpoint.

Into a project or a session. Retries carry the same X-Idempotency-Key, so that one copy is made.
"""

from typing import Any, Final

from ...models.copy_weights_request import CopyWeightsRequest
from ...models.copy_weights_response import CopyWeightsResponse
from ...types import UNSET, UnexpectedStatus, Unset, invalid_body

OPERATION: Final = "copy_weights"
METHOD: Final = "POST"
URL: Final = "/api/v1/copy_weights"


def _get_kwargs(
    *,
    body: CopyWeightsRequest,
    x_idempotency_key: str | Unset = UNSET,
    x_tinker_weights_access_token: str | Unset = UNSET,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    if not isinstance(x_idempotency_key, Unset):
        headers["X-Idempotency-Key"] = x_idempotency_key

    if not isinstance(x_tinker_weights_access_token, Unset):
        headers["X-Tinker-Weights-Access-Token"] = x_tinker_weights_access_token

    _kwargs: dict[str, Any] = {
        "method": METHOD,
        "url": URL,
    }

    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(status_code: int, body: Any) -> CopyWeightsResponse:
    """Read the decoded JSON of a success; any 2xx counts, since servers differ.

    Raises UnexpectedStatus for other statuses and InvalidBody for a body that does not fit.
    """
    if not 200 <= status_code <= 299:
        raise UnexpectedStatus(OPERATION, status_code)
    try:
        response_200 = CopyWeightsResponse.from_dict(body)

        return response_200
    except (AttributeError, KeyError, TypeError, ValueError) as cause:
        raise invalid_body(OPERATION, status_code, cause) from cause
