# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""AuditEventDetails."""

from __future__ import annotations

from typing import Any

AuditEventDetails = dict[str, Any]
"""What else is known of an entry of the audit log; the keys depend on the kind of event."""
