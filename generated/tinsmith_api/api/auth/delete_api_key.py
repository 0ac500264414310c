# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""Revoke the key.

The key of this very request stops working.
"""

from typing import Any, Final

from ...types import UnexpectedStatus

OPERATION: Final = "delete_api_key"
METHOD: Final = "DELETE"
URL: Final = "/api/v1/auth/apikey/me"


def _get_kwargs() -> dict[str, Any]:

    _kwargs: dict[str, Any] = {
        "method": METHOD,
        "url": URL,
    }

    return _kwargs


def _parse_response(status_code: int, body: Any = None) -> None:
    """Accept a success; there is no body to read, and one that comes is ignored.

    Raises UnexpectedStatus for other statuses.
    """
    if not 200 <= status_code <= 299:
        raise UnexpectedStatus(OPERATION, status_code)
