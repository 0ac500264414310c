# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""TelemetryEvent."""

from __future__ import annotations

from .generic_event import GenericEvent
from .session_end_event import SessionEndEvent
from .session_start_event import SessionStartEvent
from .unhandled_exception_event import UnhandledExceptionEvent

TelemetryEvent = SessionStartEvent | SessionEndEvent | UnhandledExceptionEvent | GenericEvent
"""One event, told apart by `event`."""
