# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""ClientFinishedSessionStatusQuery."""

from __future__ import annotations

from typing import Literal

import attrs

from ..limits import Limits
from ..model import Value
from ..reading import own_fields
from .client_session_finish_reason_type import ClientSessionFinishReasonType


@attrs.frozen(field_transformer=own_fields)
class ClientFinishedSessionStatusQuery(Value):
    """Search among the sessions that their client ended.

    * `reasons`: Only those that ended for one of these reasons. Absent or null means any reason.
    * `type`: The state, always `client_finished`.
    """

    reasons: list[ClientSessionFinishReasonType] | None = attrs.field(
        default=None, validator=Limits(min_items=1)
    )
    """Only those that ended for one of these reasons. Absent or null means any reason."""
    type: Literal["client_finished"] = "client_finished"
    """The state, always `client_finished`."""
