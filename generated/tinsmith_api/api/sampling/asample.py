# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""Sample completions.

429 is back-pressure: wait, then send the same request again under the same seq_id.
"""

from typing import Any, Final

from ...models.sample_request import SampleRequest
from ...models.untyped_api_future import UntypedAPIFuture
from ...types import UNSET, UnexpectedStatus, Unset, invalid_body

OPERATION: Final = "asample"
METHOD: Final = "POST"
URL: Final = "/api/v1/asample"


def _get_kwargs(
    *,
    body: SampleRequest,
    x_tinker_sampling_backpressure: str | Unset = UNSET,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    if not isinstance(x_tinker_sampling_backpressure, Unset):
        headers["X-Tinker-Sampling-Backpressure"] = x_tinker_sampling_backpressure

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
