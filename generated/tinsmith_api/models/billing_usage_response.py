# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""BillingUsageResponse."""

from __future__ import annotations

from datetime import datetime

import attrs

from ..model import Model
from ..reading import own_fields
from .billing_usage_event import BillingUsageEvent
from .billing_usage_session import BillingUsageSession


@attrs.frozen(field_transformer=own_fields)
class BillingUsageResponse(Model):
    """What was used in a stretch of time.

    * `data`: The usage, one entry for each session, hour and kind.
    * `sessions`: The sessions that the entries belong to, by their ids. Absent means none.
    * `cost_data_through`: Until when costs are known, UTC. Absent or null where none are.
    """

    data: list[BillingUsageEvent]
    """The usage, one entry for each session, hour and kind."""
    sessions: dict[str, BillingUsageSession | None] = attrs.field(factory=dict)
    """The sessions that the entries belong to, by their ids. Absent means none."""
    cost_data_through: datetime | None = None
    """Until when costs are known, UTC. Absent or null where none are."""
