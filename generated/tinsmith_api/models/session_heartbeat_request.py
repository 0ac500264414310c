# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""SessionHeartbeatRequest."""

from __future__ import annotations

from typing import Literal

import attrs

from ..model import Value
from ..reading import own_fields


@attrs.frozen(field_transformer=own_fields)
class SessionHeartbeatRequest(Value):
    """Keep a session alive. Sent every 10 seconds.

    * `session_id`: The session to keep alive.
    * `type`: The kind of request, always `session_heartbeat`.
    """

    session_id: str
    """The session to keep alive."""
    type: Literal["session_heartbeat"] = "session_heartbeat"
    """The kind of request, always `session_heartbeat`."""
