# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""Describe the key.

Describes the key of this request, for example to check a key that a user has pasted in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...endpoint import Endpoint

if TYPE_CHECKING:
    from ...client import AuthenticatedClient
    from ...exchange import Request, Response
    from ...models.api_key_info import ApiKeyInfo
    from ...models.error_body import ErrorBody

ENDPOINT: Final[Endpoint[ApiKeyInfo, ErrorBody]] = Endpoint(
    "get_api_key", "GET", "/api/v1/auth/apikey/me", "ApiKeyInfo", {"401 403 404 429 5XX": "ErrorBody"}
)


def request() -> Request:
    """Build the request and do not send it."""
    return ENDPOINT.request()


parse: Final = ENDPOINT.parse


def sync_detailed(*, client: AuthenticatedClient) -> Response[ApiKeyInfo | ErrorBody]:
    """Send the request; return the whole answer, also that of a documented error."""
    return ENDPOINT.sync_detailed(client, request())


def sync(*, client: AuthenticatedClient) -> ApiKeyInfo:
    """Send the request; return the value, or raise UnexpectedStatus."""
    return ENDPOINT.sync(client, request())


async def asyncio_detailed(*, client: AuthenticatedClient) -> Response[ApiKeyInfo | ErrorBody]:
    """Send the request; return the whole answer, also that of a documented error."""
    return await ENDPOINT.asyncio_detailed(client, request())


async def asyncio(*, client: AuthenticatedClient) -> ApiKeyInfo:
    """Send the request; return the value, or raise UnexpectedStatus."""
    return await ENDPOINT.asyncio(client, request())
