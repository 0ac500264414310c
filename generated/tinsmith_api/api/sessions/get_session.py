# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""Describe a session.

Answers with the training runs and samplers of a session.

* `session_id`: Id of the session.
* `access_scope`: Whose things to return, one's own (`owned`) or all that the key may read
(`accessible`). Since 0.15. Absent means `owned`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...endpoint import Endpoint

if TYPE_CHECKING:
    from ...client import AuthenticatedClient
    from ...exchange import Request, Response
    from ...models.access_scope import AccessScope
    from ...models.error_body import ErrorBody
    from ...models.get_session_response import GetSessionResponse

ENDPOINT: Final[Endpoint[GetSessionResponse, ErrorBody]] = Endpoint(
    "get_session",
    "GET",
    "/api/v1/sessions/{session_id}",
    "GetSessionResponse",
    {"401 403 404 422 429 5XX": "ErrorBody"},
)


def request(session_id: str, *, access_scope: AccessScope | None = None) -> Request:
    """Build the request and do not send it."""
    return ENDPOINT.request({"session_id": session_id}, query={"access_scope": access_scope})


parse: Final = ENDPOINT.parse


def sync_detailed(
    session_id: str, *, client: AuthenticatedClient, access_scope: AccessScope | None = None
) -> Response[GetSessionResponse | ErrorBody]:
    """Send the request; return the whole answer, also that of a documented error."""
    return ENDPOINT.sync_detailed(client, request(session_id, access_scope=access_scope))


def sync(
    session_id: str, *, client: AuthenticatedClient, access_scope: AccessScope | None = None
) -> GetSessionResponse:
    """Send the request; return the value, or raise UnexpectedStatus."""
    return ENDPOINT.sync(client, request(session_id, access_scope=access_scope))


async def asyncio_detailed(
    session_id: str, *, client: AuthenticatedClient, access_scope: AccessScope | None = None
) -> Response[GetSessionResponse | ErrorBody]:
    """Send the request; return the whole answer, also that of a documented error."""
    return await ENDPOINT.asyncio_detailed(client, request(session_id, access_scope=access_scope))


async def asyncio(
    session_id: str, *, client: AuthenticatedClient, access_scope: AccessScope | None = None
) -> GetSessionResponse:
    """Send the request; return the value, or raise UnexpectedStatus."""
    return await ENDPOINT.asyncio(client, request(session_id, access_scope=access_scope))
