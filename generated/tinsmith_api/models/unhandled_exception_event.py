# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""UnhandledExceptionEvent."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import attrs

from ..limits import Limits
from ..model import Value
from ..reading import own_fields
from .severity import Severity


@attrs.frozen(field_transformer=own_fields)
class UnhandledExceptionEvent(Value):
    """A public method raised an exception that is not the user's fault.

    * `error_message`: Message of the exception. This project sends the class again, because a
      message may hold a secret.
    * `error_type`: Class of the exception.
    * `event_id`: Id of the event, a fresh UUID.
    * `event_session_index`: Number of the event in its session, from 0.
    * `severity`: How serious the event is.
    * `timestamp`: When it happened, UTC.
    * `traceback`: Where the exception was raised. Absent or null where the client does not say.
    * `event`: The kind of event, always `UNHANDLED_EXCEPTION`.
    """

    error_message: str
    """Message of the exception. This project sends the class again, because a message may hold a secret."""
    error_type: str
    """Class of the exception."""
    event_id: str
    """Id of the event, a fresh UUID."""
    event_session_index: int = attrs.field(validator=Limits(minimum=0))
    """Number of the event in its session, from 0."""
    severity: Severity
    """How serious the event is."""
    timestamp: datetime
    """When it happened, UTC."""
    traceback: str | None = None
    """Where the exception was raised. Absent or null where the client does not say."""
    event: Literal["UNHANDLED_EXCEPTION"] = "UNHANDLED_EXCEPTION"
    """The kind of event, always `UNHANDLED_EXCEPTION`."""
