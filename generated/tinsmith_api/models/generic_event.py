# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""GenericEvent."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import attrs

from ..limits import Limits
from ..model import Value
from ..reading import own_fields
from .severity import Severity


@attrs.frozen(field_transformer=own_fields)
class GenericEvent(Value):
    """Anything else worth knowing.

    * `event_id`: Id of the event, a fresh UUID.
    * `event_name`: Name of what happened.
    * `event_session_index`: Number of the event in its session, from 0.
    * `severity`: How serious the event is.
    * `timestamp`: When it happened, UTC.
    * `event_data`: Facts about it, by name. Absent means none.
    * `event`: The kind of event, always `GENERIC_EVENT`.
    """

    event_id: str
    """Id of the event, a fresh UUID."""
    event_name: str
    """Name of what happened."""
    event_session_index: int = attrs.field(validator=Limits(minimum=0))
    """Number of the event in its session, from 0."""
    severity: Severity
    """How serious the event is."""
    timestamp: datetime
    """When it happened, UTC."""
    event_data: dict[str, Any] = attrs.field(factory=dict)
    """Facts about it, by name. Absent means none."""
    event: Literal["GENERIC_EVENT"] = "GENERIC_EVENT"
    """The kind of event, always `GENERIC_EVENT`."""
