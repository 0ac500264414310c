# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""Find sessions.

Finds sessions by id, name, labels, project, owner or state, one page at a time. Experimental.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...endpoint import Endpoint

if TYPE_CHECKING:
    from ...client import AuthenticatedClient
    from ...exchange import Request, Response
    from ...models.error_body import ErrorBody
    from ...models.session_search_request import SessionSearchRequest
    from ...models.session_search_response import SessionSearchResponse

ENDPOINT: Final[Endpoint[SessionSearchResponse, ErrorBody]] = Endpoint(
    "search_sessions",
    "POST",
    "/api/v1/sessions/search",
    "SessionSearchResponse",
    {"400 401 403 404 405 413 415 422 429 5XX": "ErrorBody"},
    body="SessionSearchRequest",
)


def request(*, body: SessionSearchRequest) -> Request:
    """Build the request and do not send it."""
    return ENDPOINT.request(body=body)


parse: Final = ENDPOINT.parse


def sync_detailed(
    *, client: AuthenticatedClient, body: SessionSearchRequest
) -> Response[SessionSearchResponse | ErrorBody]:
    """Send the request; return the whole answer, also that of a documented error."""
    return ENDPOINT.sync_detailed(client, request(body=body))


def sync(*, client: AuthenticatedClient, body: SessionSearchRequest) -> SessionSearchResponse:
    """Send the request; return the value, or raise UnexpectedStatus."""
    return ENDPOINT.sync(client, request(body=body))


async def asyncio_detailed(
    *, client: AuthenticatedClient, body: SessionSearchRequest
) -> Response[SessionSearchResponse | ErrorBody]:
    """Send the request; return the whole answer, also that of a documented error."""
    return await ENDPOINT.asyncio_detailed(client, request(body=body))


async def asyncio(*, client: AuthenticatedClient, body: SessionSearchRequest) -> SessionSearchResponse:
    """Send the request; return the value, or raise UnexpectedStatus."""
    return await ENDPOINT.asyncio(client, request(body=body))
