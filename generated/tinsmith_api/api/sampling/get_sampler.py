# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""Describe a sampler.

Which weights it samples.
"""

from typing import Any, Final

from ...models.get_sampler_response import GetSamplerResponse
from ...types import UnexpectedStatus, invalid_body, path_segment

OPERATION: Final = "get_sampler"
METHOD: Final = "GET"
URL: Final = "/api/v1/samplers/{sampler_id}"


def _get_kwargs(
    sampler_id: str,
) -> dict[str, Any]:

    _kwargs: dict[str, Any] = {
        "method": METHOD,
        "url": URL.format(
            sampler_id=path_segment("sampler_id", sampler_id),
        ),
    }

    return _kwargs


def _parse_response(status_code: int, body: Any) -> GetSamplerResponse:
    """Read the decoded JSON of a success; any 2xx counts, since servers differ.

    Raises UnexpectedStatus for other statuses and InvalidBody for a body that does not fit.
    """
    if not 200 <= status_code <= 299:
        raise UnexpectedStatus(OPERATION, status_code)
    try:
        response_200 = GetSamplerResponse.from_dict(body)

        return response_200
    except (AttributeError, KeyError, TypeError, ValueError) as cause:
        raise invalid_body(OPERATION, status_code, cause) from cause
