# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""Ask again how to behave.

The part of the configuration that may change. 404 is tolerated.
"""

from typing import Any, Final

from ...models.client_config_request import ClientConfigRequest
from ...models.client_dynamic_config_response import ClientDynamicConfigResponse
from ...types import UnexpectedStatus, invalid_body

OPERATION: Final = "client_dynamic_config"
METHOD: Final = "POST"
URL: Final = "/api/v1/client/dynamic_config"


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


def _parse_response(status_code: int, body: Any) -> ClientDynamicConfigResponse:
    """Read the decoded JSON of a success; any 2xx counts, since servers differ.

    Raises UnexpectedStatus for other statuses and InvalidBody for a body that does not fit.
    """
    if not 200 <= status_code <= 299:
        raise UnexpectedStatus(OPERATION, status_code)
    try:
        response_200 = ClientDynamicConfigResponse.from_dict(body)

        return response_200
    except (AttributeError, KeyError, TypeError, ValueError) as cause:
        raise invalid_body(OPERATION, status_code, cause) from cause
