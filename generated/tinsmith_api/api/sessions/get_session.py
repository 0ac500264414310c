# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""Describe a session.

Its training runs and samplers.
"""

from typing import Any, Final

from ...models.access_scope import AccessScope
from ...models.get_session_response import GetSessionResponse
from ...types import UNSET, UnexpectedStatus, Unset, invalid_body, path_segment

OPERATION: Final = "get_session"
METHOD: Final = "GET"
URL: Final = "/api/v1/sessions/{session_id}"


def _get_kwargs(
    session_id: str,
    *,
    access_scope: AccessScope | Unset = UNSET,
) -> dict[str, Any]:

    params: dict[str, Any] = {}

    json_access_scope: str | Unset = UNSET
    if not isinstance(access_scope, Unset):
        json_access_scope = access_scope

    params["access_scope"] = json_access_scope

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": METHOD,
        "url": URL.format(
            session_id=path_segment("session_id", session_id),
        ),
        "params": params,
    }

    return _kwargs


def _parse_response(status_code: int, body: Any) -> GetSessionResponse:
    """Read the decoded JSON of a success; any 2xx counts, since servers differ.

    Raises UnexpectedStatus for other statuses and InvalidBody for a body that does not fit.
    """
    if not 200 <= status_code <= 299:
        raise UnexpectedStatus(OPERATION, status_code)
    try:
        response_200 = GetSessionResponse.from_dict(body)

        return response_200
    except (AttributeError, KeyError, TypeError, ValueError) as cause:
        raise invalid_body(OPERATION, status_code, cause) from cause
