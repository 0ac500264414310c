"""Names of what telemetry events say. Owns no event: those are the contract's."""

from __future__ import annotations

from enum import StrEnum

from tinsmith_api.models import TelemetrySendRequest


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


TelemetryBatch = TelemetrySendRequest
"""Official second name of the batch."""
