# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""ListAuditLogEventType."""

from typing import Literal

ListAuditLogEventType = Literal["all", "checkpoints", "organizations", "projects", "teams"]
