# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""Say whether the server is up.

Answers as soon as the server takes requests. Open on some servers; a client need not call it.
"""

from typing import Any, Final

from ...models.health_response import HealthResponse
from ...types import UnexpectedStatus, invalid_body

OPERATION: Final = "healthz"
METHOD: Final = "GET"
URL: Final = "/api/v1/healthz"


def _get_kwargs() -> dict[str, Any]:

    _kwargs: dict[str, Any] = {
        "method": METHOD,
        "url": URL,
    }

    return _kwargs


def _parse_response(status_code: int, body: Any) -> HealthResponse:
    """Read the decoded JSON of a success; any 2xx counts, since servers differ.

    Raises UnexpectedStatus for other statuses and InvalidBody for a body that does not fit.
    """
    if not 200 <= status_code <= 299:
        raise UnexpectedStatus(OPERATION, status_code)
    try:
        response_200 = HealthResponse.from_dict(body)

        return response_200
    except (AttributeError, KeyError, TypeError, ValueError) as cause:
        raise invalid_body(OPERATION, status_code, cause) from cause
