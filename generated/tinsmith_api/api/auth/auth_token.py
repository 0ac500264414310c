# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""Exchange the key for a token.

The token is then sent as X-API-Key. Refresh it at about half of its life; a 401 whose WWW-
Authenticate holds `error="invalid_token"` asks for it at once.
"""

from typing import Any, Final

from ...models.auth_token_request import AuthTokenRequest
from ...models.auth_token_response import AuthTokenResponse
from ...types import UnexpectedStatus, invalid_body

OPERATION: Final = "auth_token"
METHOD: Final = "POST"
URL: Final = "/api/v1/auth/token"


def _get_kwargs(
    *,
    body: AuthTokenRequest,
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


def _parse_response(status_code: int, body: Any) -> AuthTokenResponse:
    """Read the decoded JSON of a success; any 2xx counts, since servers differ.

    Raises UnexpectedStatus for other statuses and InvalidBody for a body that does not fit.
    """
    if not 200 <= status_code <= 299:
        raise UnexpectedStatus(OPERATION, status_code)
    try:
        response_200 = AuthTokenResponse.from_dict(body)

        return response_200
    except (AttributeError, KeyError, TypeError, ValueError) as cause:
        raise invalid_body(OPERATION, status_code, cause) from cause
