# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""List usage.

Over at most 14 days, from and to a full hour.
"""

import datetime
from typing import Any, Final

from ...models.billing_usage_events_response import BillingUsageEventsResponse
from ...types import UNSET, UnexpectedStatus, invalid_body

OPERATION: Final = "list_billing_usage_events"
METHOD: Final = "GET"
URL: Final = "/api/v1/billing/usage/events"


def _get_kwargs(
    *,
    starting_on: datetime.datetime,
    ending_before: datetime.datetime,
) -> dict[str, Any]:

    params: dict[str, Any] = {}

    json_starting_on = starting_on.isoformat()
    params["starting_on"] = json_starting_on

    json_ending_before = ending_before.isoformat()
    params["ending_before"] = json_ending_before

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": METHOD,
        "url": URL,
        "params": params,
    }

    return _kwargs


def _parse_response(status_code: int, body: Any) -> BillingUsageEventsResponse:
    """Read the decoded JSON of a success; any 2xx counts, since servers differ.

    Raises UnexpectedStatus for other statuses and InvalidBody for a body that does not fit.
    """
    if not 200 <= status_code <= 299:
        raise UnexpectedStatus(OPERATION, status_code)
    try:
        response_200 = BillingUsageEventsResponse.from_dict(body)

        return response_200
    except (AttributeError, KeyError, TypeError, ValueError) as cause:
        raise invalid_body(OPERATION, status_code, cause) from cause
