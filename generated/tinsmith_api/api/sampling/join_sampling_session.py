# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""Join a sampler from another process.

Gives each copy of a sampler numbers of its own.
"""

from typing import Any, Final

from ...models.join_sampling_session_request import JoinSamplingSessionRequest
from ...models.join_sampling_session_response import JoinSamplingSessionResponse
from ...types import UnexpectedStatus, invalid_body

OPERATION: Final = "join_sampling_session"
METHOD: Final = "POST"
URL: Final = "/api/v1/join_sampling_session"


def _get_kwargs(
    *,
    body: JoinSamplingSessionRequest,
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


def _parse_response(status_code: int, body: Any) -> JoinSamplingSessionResponse:
    """Read the decoded JSON of a success; any 2xx counts, since servers differ.

    Raises UnexpectedStatus for other statuses and InvalidBody for a body that does not fit.
    """
    if not 200 <= status_code <= 299:
        raise UnexpectedStatus(OPERATION, status_code)
    try:
        response_200 = JoinSamplingSessionResponse.from_dict(body)

        return response_200
    except (AttributeError, KeyError, TypeError, ValueError) as cause:
        raise invalid_body(OPERATION, status_code, cause) from cause
