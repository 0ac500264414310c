# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""SessionStartEvent."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import attrs

from ..limits import Limits
from ..model import Value
from ..reading import own_fields
from .severity import Severity


@attrs.frozen(field_transformer=own_fields)
class SessionStartEvent(Value):
    """A session was opened.

    * `event_id`: Id of the event, a fresh UUID.
    * `event_session_index`: Number of the event in its session, from 0.
    * `severity`: How serious the event is.
    * `timestamp`: When it happened, UTC.
    * `event`: The kind of event, always `SESSION_START`.
    """

    event_id: str
    """Id of the event, a fresh UUID."""
    event_session_index: int = attrs.field(validator=Limits(minimum=0))
    """Number of the event in its session, from 0."""
    severity: Severity
    """How serious the event is."""
    timestamp: datetime
    """When it happened, UTC."""
    event: Literal["SESSION_START"] = "SESSION_START"
    """The kind of event, always `SESSION_START`."""
