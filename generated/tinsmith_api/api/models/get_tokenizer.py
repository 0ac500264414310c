# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""Fetch a tokenizer.

Extension of Tinsmith's embedded service: the tokenizer of a base model, so that no model hub is
needed. Other servers answer 404.
"""

from typing import Any, Final

from ...models.get_tokenizer_response import GetTokenizerResponse
from ...types import UNSET, UnexpectedStatus, invalid_body

OPERATION: Final = "get_tokenizer"
METHOD: Final = "GET"
URL: Final = "/api/v1/x-tinsmith/tokenizers"


def _get_kwargs(
    *,
    base_model: str,
) -> dict[str, Any]:

    params: dict[str, Any] = {}

    params["base_model"] = base_model

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": METHOD,
        "url": URL,
        "params": params,
    }

    return _kwargs


def _parse_response(status_code: int, body: Any) -> GetTokenizerResponse:
    """Read the decoded JSON of a success; any 2xx counts, since servers differ.

    Raises UnexpectedStatus for other statuses and InvalidBody for a body that does not fit.
    """
    if not 200 <= status_code <= 299:
        raise UnexpectedStatus(OPERATION, status_code)
    try:
        response_200 = GetTokenizerResponse.from_dict(body)

        return response_200
    except (AttributeError, KeyError, TypeError, ValueError) as cause:
        raise invalid_body(OPERATION, status_code, cause) from cause
