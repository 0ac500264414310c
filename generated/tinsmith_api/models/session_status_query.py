# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""SessionStatusQuery."""

from __future__ import annotations

from .active_session_status_query import ActiveSessionStatusQuery
from .cancelled_session_status_query import CancelledSessionStatusQuery
from .client_finished_session_status_query import ClientFinishedSessionStatusQuery
from .failed_session_status_query import FailedSessionStatusQuery

SessionStatusQuery = (
    ActiveSessionStatusQuery
    | CancelledSessionStatusQuery
    | FailedSessionStatusQuery
    | ClientFinishedSessionStatusQuery
)
"""A state that sessions are searched by, told apart by `type`."""
