# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""Revoke the key.

The key of this request stops working.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...endpoint import Endpoint

if TYPE_CHECKING:
    from ...client import AuthenticatedClient
    from ...exchange import Request, Response
    from ...models.error_body import ErrorBody

ENDPOINT: Final[Endpoint[None, ErrorBody]] = Endpoint(
    "delete_api_key", "DELETE", "/api/v1/auth/apikey/me", None, {"401 403 404 429 5XX": "ErrorBody"}
)


def request() -> Request:
    """Build the request and do not send it."""
    return ENDPOINT.request()


parse: Final = ENDPOINT.parse


def sync_detailed(*, client: AuthenticatedClient) -> Response[None | ErrorBody]:
    """Send the request; return the whole answer, also that of a documented error."""
    return ENDPOINT.sync_detailed(client, request())


def sync(*, client: AuthenticatedClient) -> None:
    """Send the request; return the value, or raise UnexpectedStatus."""
    ENDPOINT.sync(client, request())


async def asyncio_detailed(*, client: AuthenticatedClient) -> Response[None | ErrorBody]:
    """Send the request; return the whole answer, also that of a documented error."""
    return await ENDPOINT.asyncio_detailed(client, request())


async def asyncio(*, client: AuthenticatedClient) -> None:
    """Send the request; return the value, or raise UnexpectedStatus."""
    await ENDPOINT.asyncio(client, request())
