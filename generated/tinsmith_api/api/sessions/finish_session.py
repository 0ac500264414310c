# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""End a session.

Says that no more requests come, and why. Ending a session twice is no error.

* `session_id`: Id of the session.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...endpoint import Endpoint

if TYPE_CHECKING:
    from ...client import AuthenticatedClient
    from ...exchange import Request, Response
    from ...models.error_body import ErrorBody
    from ...models.finish_session_request import FinishSessionRequest

ENDPOINT: Final[Endpoint[None, ErrorBody]] = Endpoint(
    "finish_session",
    "POST",
    "/api/v1/sessions/{session_id}/finish",
    None,
    {"400 401 403 404 409 410 413 415 422 429 5XX": "ErrorBody"},
    body="FinishSessionRequest",
)


def request(session_id: str, *, body: FinishSessionRequest) -> Request:
    """Build the request and do not send it."""
    return ENDPOINT.request({"session_id": session_id}, body=body)


parse: Final = ENDPOINT.parse


def sync_detailed(
    session_id: str, *, client: AuthenticatedClient, body: FinishSessionRequest
) -> Response[None | ErrorBody]:
    """Send the request; return the whole answer, also that of a documented error."""
    return ENDPOINT.sync_detailed(client, request(session_id, body=body))


def sync(session_id: str, *, client: AuthenticatedClient, body: FinishSessionRequest) -> None:
    """Send the request; return the value, or raise UnexpectedStatus."""
    ENDPOINT.sync(client, request(session_id, body=body))


async def asyncio_detailed(
    session_id: str, *, client: AuthenticatedClient, body: FinishSessionRequest
) -> Response[None | ErrorBody]:
    """Send the request; return the whole answer, also that of a documented error."""
    return await ENDPOINT.asyncio_detailed(client, request(session_id, body=body))


async def asyncio(session_id: str, *, client: AuthenticatedClient, body: FinishSessionRequest) -> None:
    """Send the request; return the value, or raise UnexpectedStatus."""
    await ENDPOINT.asyncio(client, request(session_id, body=body))
