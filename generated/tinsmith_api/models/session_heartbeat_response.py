# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""SessionHeartbeatResponse."""

from __future__ import annotations

import attrs

from ..model import Model
from ..reading import own_fields


@attrs.frozen(field_transformer=own_fields)
class SessionHeartbeatResponse(Model):
    """The server heard the heartbeat.

    * `type`: The kind of answer, `session_heartbeat`.
    """

    type: str = "session_heartbeat"
    """The kind of answer, `session_heartbeat`."""
