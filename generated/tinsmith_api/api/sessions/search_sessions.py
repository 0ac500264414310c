# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""Find sessions.

By label, name, project, owner or state. Experimental.
"""

from typing import Any, Final

from ...models.search_sessions_request import SearchSessionsRequest
from ...models.search_sessions_response import SearchSessionsResponse
from ...types import UnexpectedStatus, invalid_body

OPERATION: Final = "search_sessions"
METHOD: Final = "POST"
URL: Final = "/api/v1/sessions/search"


def _get_kwargs(
    *,
    body: SearchSessionsRequest,
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


def _parse_response(status_code: int, body: Any) -> SearchSessionsResponse:
    """Read the decoded JSON of a success; any 2xx counts, since servers differ.

    Raises UnexpectedStatus for other statuses and InvalidBody for a body that does not fit.
    """
    if not 200 <= status_code <= 299:
        raise UnexpectedStatus(OPERATION, status_code)
    try:
        response_200 = SearchSessionsResponse.from_dict(body)

        return response_200
    except (AttributeError, KeyError, TypeError, ValueError) as cause:
        raise invalid_body(OPERATION, status_code, cause) from cause
