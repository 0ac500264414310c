# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""Watch a sampler's promises.

Held open until something ends. Clients run one such loop for each sampler.
"""

from typing import Any, Final

from ...models.retrieve_futures_request import RetrieveFuturesRequest
from ...models.retrieve_futures_response import RetrieveFuturesResponse
from ...types import UnexpectedStatus, invalid_body

OPERATION: Final = "retrieve_futures"
METHOD: Final = "POST"
URL: Final = "/api/v1/retrieve_futures"


def _get_kwargs(
    *,
    body: RetrieveFuturesRequest,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}

    _kwargs: dict[str, Any] = {
        "method": METHOD,
        "url": URL,
    }

    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(status_code: int, body: Any) -> RetrieveFuturesResponse:
    """Read the decoded JSON of a success; any 2xx counts, since servers differ.

    Raises UnexpectedStatus for other statuses and InvalidBody for a body that does not fit.
    """
    if not 200 <= status_code <= 299:
        raise UnexpectedStatus(OPERATION, status_code)
    try:
        response_200 = RetrieveFuturesResponse.from_dict(body)

        return response_200
    except (AttributeError, KeyError, TypeError, ValueError) as cause:
        raise invalid_body(OPERATION, status_code, cause) from cause
