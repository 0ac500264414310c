# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""Export the trace of a session.

The first request starts the export. Ask again every 5 seconds until it is ready or has failed.

* `session_id`: Id of the session.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...endpoint import Endpoint

if TYPE_CHECKING:
    from ...client import AuthenticatedClient
    from ...exchange import Request, Response
    from ...models.error_body import ErrorBody
    from ...models.session_trace_export import SessionTraceExport

ENDPOINT: Final[Endpoint[SessionTraceExport, ErrorBody]] = Endpoint(
    "export_session_trace",
    "GET",
    "/api/v1/sessions/{session_id}/trace_export",
    "SessionTraceExport",
    {"401 403 404 422 429 5XX": "ErrorBody"},
)


def request(session_id: str) -> Request:
    """Build the request and do not send it."""
    return ENDPOINT.request({"session_id": session_id})


parse: Final = ENDPOINT.parse


def sync_detailed(
    session_id: str, *, client: AuthenticatedClient
) -> Response[SessionTraceExport | ErrorBody]:
    """Send the request; return the whole answer, also that of a documented error."""
    return ENDPOINT.sync_detailed(client, request(session_id))


def sync(session_id: str, *, client: AuthenticatedClient) -> SessionTraceExport:
    """Send the request; return the value, or raise UnexpectedStatus."""
    return ENDPOINT.sync(client, request(session_id))


async def asyncio_detailed(
    session_id: str, *, client: AuthenticatedClient
) -> Response[SessionTraceExport | ErrorBody]:
    """Send the request; return the whole answer, also that of a documented error."""
    return await ENDPOINT.asyncio_detailed(client, request(session_id))


async def asyncio(session_id: str, *, client: AuthenticatedClient) -> SessionTraceExport:
    """Send the request; return the value, or raise UnexpectedStatus."""
    return await ENDPOINT.asyncio(client, request(session_id))
