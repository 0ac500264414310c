# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""Describe a sampler.

Answers with the weights that a sampler samples.

* `sampler_id`: Id of the sampler. Its colons stay unescaped in the path.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...endpoint import Endpoint

if TYPE_CHECKING:
    from ...client import AuthenticatedClient
    from ...exchange import Request, Response
    from ...models.error_body import ErrorBody
    from ...models.get_sampler_response import GetSamplerResponse

ENDPOINT: Final[Endpoint[GetSamplerResponse, ErrorBody]] = Endpoint(
    "get_sampler",
    "GET",
    "/api/v1/samplers/{sampler_id}",
    "GetSamplerResponse",
    {"401 403 404 422 429 5XX": "ErrorBody"},
)


def request(sampler_id: str) -> Request:
    """Build the request and do not send it."""
    return ENDPOINT.request({"sampler_id": sampler_id})


parse: Final = ENDPOINT.parse


def sync_detailed(
    sampler_id: str, *, client: AuthenticatedClient
) -> Response[GetSamplerResponse | ErrorBody]:
    """Send the request; return the whole answer, also that of a documented error."""
    return ENDPOINT.sync_detailed(client, request(sampler_id))


def sync(sampler_id: str, *, client: AuthenticatedClient) -> GetSamplerResponse:
    """Send the request; return the value, or raise UnexpectedStatus."""
    return ENDPOINT.sync(client, request(sampler_id))


async def asyncio_detailed(
    sampler_id: str, *, client: AuthenticatedClient
) -> Response[GetSamplerResponse | ErrorBody]:
    """Send the request; return the whole answer, also that of a documented error."""
    return await ENDPOINT.asyncio_detailed(client, request(sampler_id))


async def asyncio(sampler_id: str, *, client: AuthenticatedClient) -> GetSamplerResponse:
    """Send the request; return the value, or raise UnexpectedStatus."""
    return await ENDPOINT.asyncio(client, request(sampler_id))
