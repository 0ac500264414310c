# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""Ask for a result.

Held open until the result is there, or answered 408 (or 200 with `try_again`): ask again. Any 400
or 422 here means that the work failed. A read timeout of the caller means nothing: ask again.
"""

from typing import Any, Final

from ...models.future_answer import FutureAnswer
from ...models.future_retrieve_request import FutureRetrieveRequest
from ...types import UNSET, UnexpectedStatus, Unset, invalid_body

OPERATION: Final = "retrieve_future"
METHOD: Final = "POST"
URL: Final = "/api/v1/retrieve_future"


def _get_kwargs(
    *,
    body: FutureRetrieveRequest,
    x_tinker_request_iteration: str | Unset = UNSET,
    x_tinker_request_type: str | Unset = UNSET,
    x_tinker_create_promise_roundtrip_time: str | Unset = UNSET,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    if not isinstance(x_tinker_request_iteration, Unset):
        headers["X-Tinker-Request-Iteration"] = x_tinker_request_iteration

    if not isinstance(x_tinker_request_type, Unset):
        headers["X-Tinker-Request-Type"] = x_tinker_request_type

    if not isinstance(x_tinker_create_promise_roundtrip_time, Unset):
        headers["X-Tinker-Create-Promise-Roundtrip-Time"] = x_tinker_create_promise_roundtrip_time

    _kwargs: dict[str, Any] = {
        "method": METHOD,
        "url": URL,
    }

    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(status_code: int, body: Any) -> FutureAnswer:
    """Read the decoded JSON of a success; any 2xx counts, since servers differ.

    Raises UnexpectedStatus for other statuses and InvalidBody for a body that does not fit.
    """
    if not 200 <= status_code <= 299:
        raise UnexpectedStatus(OPERATION, status_code)
    try:
        response_200 = FutureAnswer.from_dict(body)

        return response_200
    except (AttributeError, KeyError, TypeError, ValueError) as cause:
        raise invalid_body(OPERATION, status_code, cause) from cause
