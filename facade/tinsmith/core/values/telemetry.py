"""Telemetry events as the wire has them. Owns their fields; decides nothing about sending."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import attrs

from tinsmith.core.values.ownership import own_fields
from tinsmith.core.values.value import Value


class Severity(StrEnum):
    """How bad an event is."""

    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"
    CRITICAL = "CRITICAL"


class EventType(StrEnum):
    """Kinds of events."""

    SESSION_START = "SESSION_START"
    SESSION_END = "SESSION_END"
    UNHANDLED_EXCEPTION = "UNHANDLED_EXCEPTION"
    GENERIC_EVENT = "GENERIC_EVENT"


@attrs.frozen(kw_only=True, field_transformer=own_fields)
class _Event(Value):
    event_id: str
    """A uuid4."""
    event_session_index: int
    """Position in the session, from 0."""
    severity: Severity
    """How bad it is."""
    timestamp: str
    """UTC, ISO 8601 with Z."""


@attrs.frozen(kw_only=True, field_transformer=own_fields)
class SessionStartEvent(_Event):
    """A session began."""

    event: EventType = EventType.SESSION_START
    """Kind."""


@attrs.frozen(kw_only=True, field_transformer=own_fields)
class SessionEndEvent(_Event):
    """A session ended."""

    duration: str
    """Length as `H:MM:SS.ffffff`."""
    event: EventType = EventType.SESSION_END
    """Kind."""


@attrs.frozen(kw_only=True, field_transformer=own_fields)
class UnhandledExceptionEvent(_Event):
    """An exception reached the user."""

    error_type: str
    """Class of the exception."""
    error_message: str
    """Class of the exception again: its text may hold a secret."""
    traceback: str | None = None
    """Never filled by this client."""
    event: EventType = EventType.UNHANDLED_EXCEPTION
    """Kind."""


@attrs.frozen(kw_only=True, field_transformer=own_fields)
class GenericEvent(_Event):
    """Anything else."""

    event_name: str
    """Name."""
    event_data: dict[str, Any] = attrs.field(factory=dict)
    """Facts."""
    event: EventType = EventType.GENERIC_EVENT
    """Kind."""


TelemetryEvent = SessionStartEvent | SessionEndEvent | UnhandledExceptionEvent | GenericEvent
"""One event."""


@attrs.frozen(field_transformer=own_fields)
class TelemetrySendRequest(Value):
    """A batch of events."""

    events: list[TelemetryEvent]
    """The events."""
    platform: str
    """Operating system."""
    sdk_version: str
    """Version of the client."""
    session_id: str
    """The session."""


TelemetryBatch = TelemetrySendRequest
"""Official second name of the batch."""


@attrs.frozen(field_transformer=own_fields)
class TelemetryResponse(Value):
    """The server took the batch."""

    status: str = "accepted"
    """`accepted`."""
