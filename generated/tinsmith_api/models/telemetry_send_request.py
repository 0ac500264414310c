# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""TelemetrySendRequest."""

from __future__ import annotations

import attrs

from ..model import Value
from ..reading import own_fields
from .telemetry_event import TelemetryEvent


@attrs.frozen(field_transformer=own_fields)
class TelemetrySendRequest(Value):
    """Report events.

    * `events`: The events, at most 100 by convention.
    * `platform`: Operating system of the caller.
    * `sdk_version`: Version of the calling client.
    * `session_id`: The session that they belong to, or `sessionless-<uuid>`.
    * `process_uuid`: Id of the calling process, a UUID. Absent or null before 0.24.
    """

    events: list[TelemetryEvent]
    """The events, at most 100 by convention."""
    platform: str
    """Operating system of the caller."""
    sdk_version: str
    """Version of the calling client."""
    session_id: str
    """The session that they belong to, or `sessionless-<uuid>`."""
    process_uuid: str | None = None
    """Id of the calling process, a UUID. Absent or null before 0.24."""
