# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""Ask how to behave.

The first call of newer clients: limits and switches that the server dictates. A server without it
answers 404, which means every setting has its known default.
"""

from typing import Any, Final

from ...models.client_config_request import ClientConfigRequest
from ...models.client_config_response import ClientConfigResponse
from ...types import UnexpectedStatus, invalid_body

OPERATION: Final = "client_config"
METHOD: Final = "POST"
URL: Final = "/api/v1/client/config"


def _get_kwargs(
    *,
    body: ClientConfigRequest,
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


def _parse_response(status_code: int, body: Any) -> ClientConfigResponse:
    """Read the decoded JSON of a success; any 2xx counts, since servers differ.

    Raises UnexpectedStatus for other statuses and InvalidBody for a body that does not fit.
    """
    if not 200 <= status_code <= 299:
        raise UnexpectedStatus(OPERATION, status_code)
    try:
        response_200 = ClientConfigResponse.from_dict(body)

        return response_200
    except (AttributeError, KeyError, TypeError, ValueError) as cause:
        raise invalid_body(OPERATION, status_code, cause) from cause
