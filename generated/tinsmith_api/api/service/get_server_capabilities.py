# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""List the base models.

Which base models can be trained and sampled.
"""

from typing import Any, Final

from ...models.get_server_capabilities_response import GetServerCapabilitiesResponse
from ...types import UnexpectedStatus, invalid_body

OPERATION: Final = "get_server_capabilities"
METHOD: Final = "GET"
URL: Final = "/api/v1/get_server_capabilities"


def _get_kwargs() -> dict[str, Any]:

    _kwargs: dict[str, Any] = {
        "method": METHOD,
        "url": URL,
    }

    return _kwargs


def _parse_response(status_code: int, body: Any) -> GetServerCapabilitiesResponse:
    """Read the decoded JSON of a success; any 2xx counts, since servers differ.

    Raises UnexpectedStatus for other statuses and InvalidBody for a body that does not fit.
    """
    if not 200 <= status_code <= 299:
        raise UnexpectedStatus(OPERATION, status_code)
    try:
        response_200 = GetServerCapabilitiesResponse.from_dict(body)

        return response_200
    except (AttributeError, KeyError, TypeError, ValueError) as cause:
        raise invalid_body(OPERATION, status_code, cause) from cause
