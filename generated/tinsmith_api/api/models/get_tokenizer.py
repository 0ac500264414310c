# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""Fetch a tokenizer.

An extension of Tinsmith's embedded service, the tokenizer of a base model, so that no model hub is
needed. Other servers answer 404.

* `base_model`: The base model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...endpoint import Endpoint

if TYPE_CHECKING:
    from ...client import AuthenticatedClient
    from ...exchange import Request, Response
    from ...models.error_body import ErrorBody
    from ...models.get_tokenizer_response import GetTokenizerResponse

ENDPOINT: Final[Endpoint[GetTokenizerResponse, ErrorBody]] = Endpoint(
    "get_tokenizer",
    "GET",
    "/api/v1/x-tinsmith/tokenizers",
    "GetTokenizerResponse",
    {"400 401 403 404 422 429 5XX": "ErrorBody"},
)


def request(*, base_model: str) -> Request:
    """Build the request and do not send it."""
    return ENDPOINT.request(query={"base_model": base_model})


parse: Final = ENDPOINT.parse


def sync_detailed(
    *, client: AuthenticatedClient, base_model: str
) -> Response[GetTokenizerResponse | ErrorBody]:
    """Send the request; return the whole answer, also that of a documented error."""
    return ENDPOINT.sync_detailed(client, request(base_model=base_model))


def sync(*, client: AuthenticatedClient, base_model: str) -> GetTokenizerResponse:
    """Send the request; return the value, or raise UnexpectedStatus."""
    return ENDPOINT.sync(client, request(base_model=base_model))


async def asyncio_detailed(
    *, client: AuthenticatedClient, base_model: str
) -> Response[GetTokenizerResponse | ErrorBody]:
    """Send the request; return the whole answer, also that of a documented error."""
    return await ENDPOINT.asyncio_detailed(client, request(base_model=base_model))


async def asyncio(*, client: AuthenticatedClient, base_model: str) -> GetTokenizerResponse:
    """Send the request; return the value, or raise UnexpectedStatus."""
    return await ENDPOINT.asyncio(client, request(base_model=base_model))
