# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""List usage.

Lists what was used in a stretch of at most 14 days, from a full hour to a full hour.

* `starting_on`: From this hour on.
* `ending_before`: Up to, but not including, this hour.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...endpoint import Endpoint

if TYPE_CHECKING:
    import datetime

    from ...client import AuthenticatedClient
    from ...exchange import Request, Response
    from ...models.billing_usage_response import BillingUsageResponse
    from ...models.error_body import ErrorBody

ENDPOINT: Final[Endpoint[BillingUsageResponse, ErrorBody]] = Endpoint(
    "list_billing_usage_events",
    "GET",
    "/api/v1/billing/usage/events",
    "BillingUsageResponse",
    {"400 401 402 403 404 422 429 5XX": "ErrorBody"},
)


def request(*, starting_on: datetime.datetime, ending_before: datetime.datetime) -> Request:
    """Build the request and do not send it."""
    return ENDPOINT.request(query={"starting_on": starting_on, "ending_before": ending_before})


parse: Final = ENDPOINT.parse


def sync_detailed(
    *, client: AuthenticatedClient, starting_on: datetime.datetime, ending_before: datetime.datetime
) -> Response[BillingUsageResponse | ErrorBody]:
    """Send the request; return the whole answer, also that of a documented error."""
    return ENDPOINT.sync_detailed(client, request(starting_on=starting_on, ending_before=ending_before))


def sync(
    *, client: AuthenticatedClient, starting_on: datetime.datetime, ending_before: datetime.datetime
) -> BillingUsageResponse:
    """Send the request; return the value, or raise UnexpectedStatus."""
    return ENDPOINT.sync(client, request(starting_on=starting_on, ending_before=ending_before))


async def asyncio_detailed(
    *, client: AuthenticatedClient, starting_on: datetime.datetime, ending_before: datetime.datetime
) -> Response[BillingUsageResponse | ErrorBody]:
    """Send the request; return the whole answer, also that of a documented error."""
    return await ENDPOINT.asyncio_detailed(
        client, request(starting_on=starting_on, ending_before=ending_before)
    )


async def asyncio(
    *, client: AuthenticatedClient, starting_on: datetime.datetime, ending_before: datetime.datetime
) -> BillingUsageResponse:
    """Send the request; return the value, or raise UnexpectedStatus."""
    return await ENDPOINT.asyncio(client, request(starting_on=starting_on, ending_before=ending_before))
