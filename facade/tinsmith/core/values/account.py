"""What an account used, what it pays, what was done in it, and whose it is. Owns the fields only."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import attrs

from tinsmith.core.values.open import Open
from tinsmith.core.values.ownership import own_fields

AuditEventType = Literal["all", "checkpoints", "projects", "teams", "organizations"]
"""Which entries of the audit log."""


@attrs.frozen(field_transformer=own_fields)
class BillingEventInfo(Open):
    """What was used; which fields are set depends on `type`."""

    type: str
    """`training`, `sampling_prefill`, `sampling_sample`, `checkpoint` or `storage`."""
    token_count: int | None = None
    """Tokens trained or sampled."""
    cached: bool | None = None
    """Whether prompt tokens had been computed before."""
    count: int | None = None
    """Checkpoints saved."""
    gigabyte_hours: float | None = None
    """Storage used."""
    free: bool | None = None
    """Whether the storage costs nothing."""


@attrs.frozen(field_transformer=own_fields)
class BillingUsageEvent(Open):
    """What one session used of one thing in one hour."""

    event_info: BillingEventInfo
    """What was used."""
    bucket_start: datetime | None = None
    """The hour's begin, UTC."""
    bucket_end: datetime | None = None
    """The hour's end, UTC."""
    base_model: str | None = None
    """Base model."""
    user_id: str | None = None
    """Who used it."""
    user_name: str | None = None
    """Their name."""
    session_id: str | None = None
    """The session; a key of `BillingUsageResponse.sessions`."""
    project_id: str | None = None
    """The project."""
    estimated_cost_usd: float | None = None
    """Cost in US dollars, where it is known already."""
    effective_rate_usd_per_million_tokens: float | None = None
    """Price of a million tokens in US dollars."""
    effective_rate_usd_per_gigabyte_month: float | None = None
    """Price of a gigabyte for a month in US dollars."""


@attrs.frozen(field_transformer=own_fields)
class BillingUsageResponse(Open):
    """What was used in a time."""

    data: list[BillingUsageEvent]
    """The events."""
    sessions: dict[str, Any] = attrs.field(factory=dict)
    """Facts about the sessions by id, as the server gives them."""
    cost_data_through: datetime | None = None
    """Until when costs are known, UTC."""


@attrs.frozen(field_transformer=own_fields)
class CurrentCheckpointStorageUsageItem(Open):
    """What the checkpoints of one user in one project take."""

    checkpoint_count: int
    """How many."""
    size_bytes: int
    """Their size."""
    size_gigabytes: float | None = None
    """Their size in gigabytes."""
    project_id: str | None = None
    """The project."""
    org_user_urn: str | None = None
    """The user."""
    user_email: str | None = None
    """Where the user is reached."""
    user_name: str | None = None
    """The user's name."""
    estimated_monthly_cost_usd: float | None = None
    """What a month costs in US dollars."""


@attrs.frozen(field_transformer=own_fields)
class CurrentCheckpointStorageUsageResponse(Open):
    """What stored checkpoints take now."""

    data: list[CurrentCheckpointStorageUsageItem] = attrs.field(factory=list)
    """One entry a user and project."""
    effective_rate_usd_per_gigabyte_month: float | None = None
    """Price of a gigabyte for a month in US dollars."""


@attrs.frozen(field_transformer=own_fields)
class AuditLogEntry(Open):
    """Something that was done."""

    timestamp: datetime
    """When, UTC."""
    event: str
    """What."""
    event_details: dict[str, Any] = attrs.field(factory=dict)
    """More about it."""
    model_id: str | None = None
    """The model that it was done to."""
    tinker_path: str | None = None
    """The checkpoint that it was done to."""
    purpose: str | None = None
    """What for."""


@attrs.frozen(field_transformer=own_fields)
class AuditLogResponse(Open):
    """What was done in a day."""

    entries: list[AuditLogEntry]
    """The entries."""


@attrs.frozen(field_transformer=own_fields)
class WhoamiResponse(Open):
    """Whom the server takes the caller for."""

    user_urn: str | None = None
    """The user."""
    org_urn: str | None = None
    """The organization that the user acts for, `tml:organization:<id>`."""
    email: str | None = None
    """Where the user is reached."""
