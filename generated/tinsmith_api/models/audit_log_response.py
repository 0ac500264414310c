# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""AuditLogResponse."""

from __future__ import annotations

import attrs

from ..model import Model
from ..reading import own_fields
from .audit_log_entry import AuditLogEntry


@attrs.frozen(field_transformer=own_fields)
class AuditLogResponse(Model):
    """What was done in one day.

    * `entries`: The entries.
    """

    entries: list[AuditLogEntry]
    """The entries."""
