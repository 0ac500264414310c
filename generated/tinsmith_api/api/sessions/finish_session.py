# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""End a session.

Says that no more requests come, and why.
"""

from typing import Any, Final

from ...models.finish_session_request import FinishSessionRequest
from ...types import UnexpectedStatus, path_segment

OPERATION: Final = "finish_session"
METHOD: Final = "POST"
URL: Final = "/api/v1/sessions/{session_id}/finish"


def _get_kwargs(
    session_id: str,
    *,
    body: FinishSessionRequest,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}

    _kwargs: dict[str, Any] = {
        "method": METHOD,
        "url": URL.format(
            session_id=path_segment("session_id", session_id),
        ),
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
