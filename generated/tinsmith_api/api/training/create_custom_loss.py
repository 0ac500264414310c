# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""Hand over a loss function.

Used afterwards as loss_fn `custom`.
"""

from typing import Any, Final

from ...models.create_custom_loss_request import CreateCustomLossRequest
from ...models.untyped_api_future import UntypedAPIFuture
from ...types import UnexpectedStatus, invalid_body

OPERATION: Final = "create_custom_loss"
METHOD: Final = "POST"
URL: Final = "/api/v1/create_custom_loss"


def _get_kwargs(
    *,
    body: CreateCustomLossRequest,
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


def _parse_response(status_code: int, body: Any) -> UntypedAPIFuture:
    """Read the decoded JSON of a success; any 2xx counts, since servers differ.

    Raises UnexpectedStatus for other statuses and InvalidBody for a body that does not fit.
    """
    if not 200 <= status_code <= 299:
        raise UnexpectedStatus(OPERATION, status_code)
    try:
        response_200 = UntypedAPIFuture.from_dict(body)

        return response_200
    except (AttributeError, KeyError, TypeError, ValueError) as cause:
        raise invalid_body(OPERATION, status_code, cause) from cause
