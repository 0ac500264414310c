# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""List sessions.

Newest first, one page at a time.
"""

from typing import Any, Final

from ...models.access_scope import AccessScope
from ...models.list_sessions_response import ListSessionsResponse
from ...types import UNSET, UnexpectedStatus, Unset, invalid_body

OPERATION: Final = "list_sessions"
METHOD: Final = "GET"
URL: Final = "/api/v1/sessions"


def _get_kwargs(
    *,
    limit: int | Unset = UNSET,
    offset: int | Unset = UNSET,
    access_scope: AccessScope | Unset = UNSET,
) -> dict[str, Any]:

    params: dict[str, Any] = {}

    params["limit"] = limit

    params["offset"] = offset

    json_access_scope: str | Unset = UNSET
    if not isinstance(access_scope, Unset):
        json_access_scope = access_scope

    params["access_scope"] = json_access_scope

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": METHOD,
        "url": URL,
        "params": params,
    }

    return _kwargs


def _parse_response(status_code: int, body: Any) -> ListSessionsResponse:
    """Read the decoded JSON of a success; any 2xx counts, since servers differ.

    Raises UnexpectedStatus for other statuses and InvalidBody for a body that does not fit.
    """
    if not 200 <= status_code <= 299:
        raise UnexpectedStatus(OPERATION, status_code)
    try:
        response_200 = ListSessionsResponse.from_dict(body)

        return response_200
    except (AttributeError, KeyError, TypeError, ValueError) as cause:
        raise invalid_body(OPERATION, status_code, cause) from cause
