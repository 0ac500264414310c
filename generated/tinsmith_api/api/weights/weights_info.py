# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""Describe a checkpoint.

What is needed to train on from it.
"""

from typing import Any, Final

from ...models.weights_info_request import WeightsInfoRequest
from ...models.weights_info_response import WeightsInfoResponse
from ...types import UnexpectedStatus, invalid_body

OPERATION: Final = "weights_info"
METHOD: Final = "POST"
URL: Final = "/api/v1/weights_info"


def _get_kwargs(
    *,
    body: WeightsInfoRequest,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}

    _kwargs: dict[str, Any] = {
        "method": METHOD,
        "url": URL,
    }

    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(status_code: int, body: Any) -> WeightsInfoResponse:
    """Read the decoded JSON of a success; any 2xx counts, since servers differ.

    Raises UnexpectedStatus for other statuses and InvalidBody for a body that does not fit.
    """
    if not 200 <= status_code <= 299:
        raise UnexpectedStatus(OPERATION, status_code)
    try:
        response_200 = WeightsInfoResponse.from_dict(body)

        return response_200
    except (AttributeError, KeyError, TypeError, ValueError) as cause:
        raise invalid_body(OPERATION, status_code, cause) from cause
