# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""Describe a model.

Its base model, adapter and tokenizer.
"""

from typing import Any, Final

from ...models.get_info_request import GetInfoRequest
from ...models.get_info_response import GetInfoResponse
from ...types import UnexpectedStatus, invalid_body

OPERATION: Final = "get_info"
METHOD: Final = "POST"
URL: Final = "/api/v1/get_info"


def _get_kwargs(
    *,
    body: GetInfoRequest,
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


def _parse_response(status_code: int, body: Any) -> GetInfoResponse:
    """Read the decoded JSON of a success; any 2xx counts, since servers differ.

    Raises UnexpectedStatus for other statuses and InvalidBody for a body that does not fit.
    """
    if not 200 <= status_code <= 299:
        raise UnexpectedStatus(OPERATION, status_code)
    try:
        response_200 = GetInfoResponse.from_dict(body)

        return response_200
    except (AttributeError, KeyError, TypeError, ValueError) as cause:
        raise invalid_body(OPERATION, status_code, cause) from cause
