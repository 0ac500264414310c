# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""AuditLogEntry."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import attrs

from ..model import Model
from ..reading import own_fields


@attrs.frozen(field_transformer=own_fields)
class AuditLogEntry(Model):
    """Something that was done.

    * `timestamp`: When it was done, UTC.
    * `event`: What was done.
    * `event_details`: What else is known of it, by name. Absent means nothing.
    * `model_id`: Model that it was done to. Absent or null for none.
    * `tinker_path`: Checkpoint that it was done to, as a `tinker://` path. Absent or null for none.
    * `purpose`: What it was done for. Absent or null where nobody said.
    """

    timestamp: datetime
    """When it was done, UTC."""
    event: str
    """What was done."""
    event_details: dict[str, Any] = attrs.field(factory=dict)
    """What else is known of it, by name. Absent means nothing."""
    model_id: str | None = None
    """Model that it was done to. Absent or null for none."""
    tinker_path: str | None = None
    """Checkpoint that it was done to, as a `tinker://` path. Absent or null for none."""
    purpose: str | None = None
    """What it was done for. Absent or null where nobody said."""
