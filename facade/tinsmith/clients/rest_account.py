"""The part of RestClient that reads what an account is, used, and did."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import get_args

from tinsmith_api.conversion import parse_time
from tinsmith_api.models import AuditLogResponse, BillingUsageResponse, CurrentCheckpointStorageUsageResponse

from tinsmith.clients.rest_calls import RestCalls
from tinsmith.clients.whoami import who
from tinsmith.core.errors import InputError
from tinsmith.core.values.answers import WhoamiResponse
from tinsmith.core.values.names import AuditEventType
from tinsmith.io.future import APIFuture


class AccountCalls(RestCalls):
    """The account behind the key."""

    def whoami(self) -> APIFuture[WhoamiResponse]:
        """Tell to whom the key belongs, as far as the server says: fields that it leaves out are None.

        `APIResponseValidationError` if its token cannot be read.
        """
        return self._link.run(who(self._link))

    async def whoami_async(self) -> WhoamiResponse:
        """As `whoami`, awaited."""
        return await self.whoami()

    def get_billing_usage(
        self, starting_on: datetime | str, ending_before: datetime | str
    ) -> APIFuture[BillingUsageResponse]:
        """List what was used, hour by hour, from one full hour until before another.

        At most 14 days apart; times without a zone are UTC. Costs are US dollars, known until
        `cost_data_through`. `InputError` for what is no full hour.
        """
        query = {
            "starting_on": _hour(starting_on, "starting_on"),
            "ending_before": _hour(ending_before, "ending_before"),
        }
        return self._list("list_billing_usage_events", BillingUsageResponse, "data", query=query)

    async def get_billing_usage_async(
        self, starting_on: datetime | str, ending_before: datetime | str
    ) -> BillingUsageResponse:
        """As `get_billing_usage`, awaited."""
        return await self.get_billing_usage(starting_on, ending_before)

    def get_current_checkpoint_storage_usage(
        self, project_id: str | None = None
    ) -> APIFuture[CurrentCheckpointStorageUsageResponse]:
        """Tell what stored checkpoints take now, in bytes and US dollars a month: of one project, or all."""
        return self._list(
            "list_checkpoint_storage_usage",
            CurrentCheckpointStorageUsageResponse,
            "data",
            query={"project_id": project_id},
        )

    async def get_current_checkpoint_storage_usage_async(
        self, project_id: str | None = None
    ) -> CurrentCheckpointStorageUsageResponse:
        """As `get_current_checkpoint_storage_usage`, awaited."""
        return await self.get_current_checkpoint_storage_usage(project_id)

    def get_audit_log(
        self, event_type: AuditEventType = "all", day: date | str | None = None
    ) -> APIFuture[AuditLogResponse]:
        """List what was done on one day, UTC; a time stands for its day, None for today."""
        if event_type not in get_args(AuditEventType):
            raise InputError(f"must be one of {', '.join(get_args(AuditEventType))}", field="event_type")
        query = {"event_type": event_type, "day": None if day is None else _day(day)}
        return self._list("list_audit_log", AuditLogResponse, "entries", query=query)

    async def get_audit_log_async(
        self, event_type: AuditEventType = "all", day: date | str | None = None
    ) -> AuditLogResponse:
        """As `get_audit_log`, awaited."""
        return await self.get_audit_log(event_type, day)


def _hour(moment: datetime | str, field: str) -> str:
    """Return a full hour as the query has it."""
    try:
        when = parse_time(moment if isinstance(moment, str) else moment.isoformat())
    except (AttributeError, TypeError, ValueError, OverflowError):
        raise InputError(f"is no ISO 8601 time: {moment!r}", field=field) from None
    if (when.minute, when.second, when.microsecond) != (0, 0, 0):
        raise InputError(f"must be a full hour, not {moment}", field=field)
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _day(moment: date | str) -> str:
    """Return a day of UTC as the query has it."""
    try:
        if isinstance(moment, date) and not isinstance(moment, datetime):
            return moment.isoformat()
        return parse_time(moment if isinstance(moment, str) else moment.isoformat()).date().isoformat()
    except (AttributeError, TypeError, ValueError, OverflowError):
        raise InputError(f"is no day such as 2026-11-22: {moment!r}", field="day") from None
