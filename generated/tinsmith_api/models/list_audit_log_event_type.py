# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
from typing import Literal

ListAuditLogEventType = Literal["all", "checkpoints", "organizations", "projects", "teams"]

LIST_AUDIT_LOG_EVENT_TYPE_VALUES: set[ListAuditLogEventType] = {
    "all",
    "checkpoints",
    "organizations",
    "projects",
    "teams",
}


def check_list_audit_log_event_type(value: str) -> ListAuditLogEventType:
    if value in LIST_AUDIT_LOG_EVENT_TYPE_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {LIST_AUDIT_LOG_EVENT_TYPE_VALUES!r}")
