# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""SessionEndEvent."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import attrs

from ..limits import Limits
from ..model import Value
from ..reading import own_fields
from .severity import Severity


@attrs.frozen(field_transformer=own_fields)
class SessionEndEvent(Value):
    """A session ended.

    * `duration`: How long the session lasted, as `H:MM:SS.ffffff`, which is not ISO 8601.
    * `event_id`: Id of the event, a fresh UUID.
    * `event_session_index`: Number of the event in its session, from 0.
    * `severity`: How serious the event is.
    * `timestamp`: When it happened, UTC.
    * `event`: The kind of event, always `SESSION_END`.
    """

    duration: str
    """How long the session lasted, as `H:MM:SS.ffffff`, which is not ISO 8601."""
    event_id: str
    """Id of the event, a fresh UUID."""
    event_session_index: int = attrs.field(validator=Limits(minimum=0))
    """Number of the event in its session, from 0."""
    severity: Severity
    """How serious the event is."""
    timestamp: datetime
    """When it happened, UTC."""
    event: Literal["SESSION_END"] = "SESSION_END"
    """The kind of event, always `SESSION_END`."""
