# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""Give up a promise.

Nobody waits for it any more; the server may stop working on it.
"""

from typing import Any, Final

from ...models.cancel_future_request import CancelFutureRequest
from ...types import UnexpectedStatus

OPERATION: Final = "cancel_future"
METHOD: Final = "POST"
URL: Final = "/api/v1/cancel_future"


def _get_kwargs(
    *,
    body: CancelFutureRequest,
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


def _parse_response(status_code: int, body: Any = None) -> None:
    """Accept a success; there is no body to read, and one that comes is ignored.

    Raises UnexpectedStatus for other statuses.
    """
    if not 200 <= status_code <= 299:
        raise UnexpectedStatus(OPERATION, status_code)
