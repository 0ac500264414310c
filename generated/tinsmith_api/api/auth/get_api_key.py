# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""Describe the key.

Used to check a key that was pasted in.
"""

from typing import Any, Final

from ...models.api_key_info import ApiKeyInfo
from ...types import UnexpectedStatus, invalid_body

OPERATION: Final = "get_api_key"
METHOD: Final = "GET"
URL: Final = "/api/v1/auth/apikey/me"


def _get_kwargs() -> dict[str, Any]:

    _kwargs: dict[str, Any] = {
        "method": METHOD,
        "url": URL,
    }

    return _kwargs


def _parse_response(status_code: int, body: Any) -> ApiKeyInfo:
    """Read the decoded JSON of a success; any 2xx counts, since servers differ.

    Raises UnexpectedStatus for other statuses and InvalidBody for a body that does not fit.
    """
    if not 200 <= status_code <= 299:
        raise UnexpectedStatus(OPERATION, status_code)
    try:
        response_200 = ApiKeyInfo.from_dict(body)

        return response_200
    except (AttributeError, KeyError, TypeError, ValueError) as cause:
        raise invalid_body(OPERATION, status_code, cause) from cause
