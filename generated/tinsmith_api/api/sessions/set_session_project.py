# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""Move a session to a project.

The costs of the session count to that project from then on.

* `session_id`: Id of the session.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...endpoint import Endpoint

if TYPE_CHECKING:
    from ...client import AuthenticatedClient
    from ...exchange import Request, Response
    from ...models.error_body import ErrorBody
    from ...models.set_session_project_request import SetSessionProjectRequest

ENDPOINT: Final[Endpoint[None, ErrorBody]] = Endpoint(
    "set_session_project",
    "PUT",
    "/api/v1/sessions/{session_id}/project",
    None,
    {"400 401 403 404 409 413 415 422 429 5XX": "ErrorBody"},
    body="SetSessionProjectRequest",
)


def request(session_id: str, *, body: SetSessionProjectRequest) -> Request:
    """Build the request and do not send it."""
    return ENDPOINT.request({"session_id": session_id}, body=body)


parse: Final = ENDPOINT.parse


def sync_detailed(
    session_id: str, *, client: AuthenticatedClient, body: SetSessionProjectRequest
) -> Response[None | ErrorBody]:
    """Send the request; return the whole answer, also that of a documented error."""
    return ENDPOINT.sync_detailed(client, request(session_id, body=body))


def sync(session_id: str, *, client: AuthenticatedClient, body: SetSessionProjectRequest) -> None:
    """Send the request; return the value, or raise UnexpectedStatus."""
    ENDPOINT.sync(client, request(session_id, body=body))


async def asyncio_detailed(
    session_id: str, *, client: AuthenticatedClient, body: SetSessionProjectRequest
) -> Response[None | ErrorBody]:
    """Send the request; return the whole answer, also that of a documented error."""
    return await ENDPOINT.asyncio_detailed(client, request(session_id, body=body))


async def asyncio(session_id: str, *, client: AuthenticatedClient, body: SetSessionProjectRequest) -> None:
    """Send the request; return the value, or raise UnexpectedStatus."""
    await ENDPOINT.asyncio(client, request(session_id, body=body))
