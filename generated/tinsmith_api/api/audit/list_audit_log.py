# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""Read the audit log.

Lists what was done in one day. The server may redirect to where the entries are.

* `event_type`: Which entries to list. Absent leaves it to the server, which lists all.
* `day`: Which day, in UTC.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...endpoint import Endpoint

if TYPE_CHECKING:
    import datetime

    from ...client import AuthenticatedClient
    from ...exchange import Request, Response
    from ...models.audit_log_response import AuditLogResponse
    from ...models.error_body import ErrorBody
    from ...models.list_audit_log_event_type import ListAuditLogEventType

ENDPOINT: Final[Endpoint[AuditLogResponse, ErrorBody]] = Endpoint(
    "list_audit_log", "GET", "/api/v1/audit", "AuditLogResponse", {"400 401 403 404 422 429 5XX": "ErrorBody"}
)


def request(*, event_type: ListAuditLogEventType | None = None, day: datetime.date | None = None) -> Request:
    """Build the request and do not send it."""
    return ENDPOINT.request(query={"event_type": event_type, "day": day})


parse: Final = ENDPOINT.parse


def sync_detailed(
    *,
    client: AuthenticatedClient,
    event_type: ListAuditLogEventType | None = None,
    day: datetime.date | None = None,
) -> Response[AuditLogResponse | ErrorBody]:
    """Send the request; return the whole answer, also that of a documented error."""
    return ENDPOINT.sync_detailed(client, request(event_type=event_type, day=day))


def sync(
    *,
    client: AuthenticatedClient,
    event_type: ListAuditLogEventType | None = None,
    day: datetime.date | None = None,
) -> AuditLogResponse:
    """Send the request; return the value, or raise UnexpectedStatus."""
    return ENDPOINT.sync(client, request(event_type=event_type, day=day))


async def asyncio_detailed(
    *,
    client: AuthenticatedClient,
    event_type: ListAuditLogEventType | None = None,
    day: datetime.date | None = None,
) -> Response[AuditLogResponse | ErrorBody]:
    """Send the request; return the whole answer, also that of a documented error."""
    return await ENDPOINT.asyncio_detailed(client, request(event_type=event_type, day=day))


async def asyncio(
    *,
    client: AuthenticatedClient,
    event_type: ListAuditLogEventType | None = None,
    day: datetime.date | None = None,
) -> AuditLogResponse:
    """Send the request; return the value, or raise UnexpectedStatus."""
    return await ENDPOINT.asyncio(client, request(event_type=event_type, day=day))
