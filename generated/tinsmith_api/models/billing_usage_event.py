# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""BillingUsageEvent."""

from __future__ import annotations

from datetime import datetime

import attrs

from ..model import Model
from ..reading import own_fields
from .billing_event_info import BillingEventInfo


@attrs.frozen(field_transformer=own_fields)
class BillingUsageEvent(Model):
    """What one session used of one thing in one hour.

    * `event_info`: What was used, and how much of it.
    * `bucket_start`: Beginning of the hour, UTC.
    * `bucket_end`: End of the hour, UTC.
    * `base_model`: Base model that was used. Absent or null where none was.
    * `user_id`: Id of the user. Absent or null where the server does not say.
    * `user_name`: Name of the user. Absent or null where the server does not say.
    * `session_id`: The session, a key of `sessions`. Absent or null for what belongs to none,
      storage for example.
    * `project_id`: The project that pays. Absent or null for none.
    * `estimated_cost_usd`: Estimated cost, in US dollars. Absent or null while it is not known.
      Unit: USD.
    * `effective_rate_usd_per_million_tokens`: Price of a million tokens, in US dollars. Absent or
      null for what is not counted in tokens. Unit: USD.
    * `effective_rate_usd_per_gigabyte_month`: Price of a gigabyte for a month, in US dollars.
      Absent or null for what is no storage. Unit: USD.
    """

    event_info: BillingEventInfo
    """What was used, and how much of it."""
    bucket_start: datetime | None = None
    """Beginning of the hour, UTC."""
    bucket_end: datetime | None = None
    """End of the hour, UTC."""
    base_model: str | None = None
    """Base model that was used. Absent or null where none was."""
    user_id: str | None = None
    """Id of the user. Absent or null where the server does not say."""
    user_name: str | None = None
    """Name of the user. Absent or null where the server does not say."""
    session_id: str | None = None
    """The session, a key of `sessions`. Absent or null for what belongs to none, storage for example."""
    project_id: str | None = None
    """The project that pays. Absent or null for none."""
    estimated_cost_usd: float | None = None
    """Estimated cost, in US dollars. Absent or null while it is not known. Unit: USD."""
    effective_rate_usd_per_million_tokens: float | None = None
    """Price of a million tokens, in US dollars. Absent or null for what is not counted in tokens.
    Unit: USD.
    """
    effective_rate_usd_per_gigabyte_month: float | None = None
    """Price of a gigabyte for a month, in US dollars. Absent or null for what is no storage. Unit: USD."""
