# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""Export the trace of a session.

Starts the export at the first call; ask every 5 seconds until it is ready.
"""

from typing import Any, Final

from ...models.session_trace_export import SessionTraceExport
from ...types import UnexpectedStatus, invalid_body, path_segment

OPERATION: Final = "export_session_trace"
METHOD: Final = "GET"
URL: Final = "/api/v1/sessions/{session_id}/trace_export"


def _get_kwargs(
    session_id: str,
) -> dict[str, Any]:

    _kwargs: dict[str, Any] = {
        "method": METHOD,
        "url": URL.format(
            session_id=path_segment("session_id", session_id),
        ),
    }

    return _kwargs


def _parse_response(status_code: int, body: Any) -> SessionTraceExport:
    """Read the decoded JSON of a success; any 2xx counts, since servers differ.

    Raises UnexpectedStatus for other statuses and InvalidBody for a body that does not fit.
    """
    if not 200 <= status_code <= 299:
        raise UnexpectedStatus(OPERATION, status_code)
    try:
        response_200 = SessionTraceExport.from_dict(body)

        return response_200
    except (AttributeError, KeyError, TypeError, ValueError) as cause:
        raise invalid_body(OPERATION, status_code, cause) from cause
