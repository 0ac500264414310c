# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""Read the audit log.

Of one day. May answer with a redirect to where the entries are.
"""

import datetime
from typing import Any, Final

from ...models.audit_log_response import AuditLogResponse
from ...models.list_audit_log_event_type import ListAuditLogEventType
from ...types import UNSET, UnexpectedStatus, Unset, invalid_body

OPERATION: Final = "list_audit_log"
METHOD: Final = "GET"
URL: Final = "/api/v1/audit"


def _get_kwargs(
    *,
    event_type: ListAuditLogEventType | Unset = UNSET,
    day: datetime.date | Unset = UNSET,
) -> dict[str, Any]:

    params: dict[str, Any] = {}

    json_event_type: str | Unset = UNSET
    if not isinstance(event_type, Unset):
        json_event_type = event_type

    params["event_type"] = json_event_type

    json_day: str | Unset = UNSET
    if not isinstance(day, Unset):
        json_day = day.isoformat()
    params["day"] = json_day

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": METHOD,
        "url": URL,
        "params": params,
    }

    return _kwargs


def _parse_response(status_code: int, body: Any) -> AuditLogResponse:
    """Read the decoded JSON of a success; any 2xx counts, since servers differ.

    Raises UnexpectedStatus for other statuses and InvalidBody for a body that does not fit.
    """
    if not 200 <= status_code <= 299:
        raise UnexpectedStatus(OPERATION, status_code)
    try:
        response_200 = AuditLogResponse.from_dict(body)

        return response_200
    except (AttributeError, KeyError, TypeError, ValueError) as cause:
        raise invalid_body(OPERATION, status_code, cause) from cause
