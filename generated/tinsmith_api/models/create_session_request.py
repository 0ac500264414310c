# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""CreateSessionRequest."""

from __future__ import annotations

from typing import Any, Literal

import attrs

from ..model import Value
from ..reading import own_fields


@attrs.frozen(field_transformer=own_fields)
class CreateSessionRequest(Value):
    """Open a session, to which models, samplers, heartbeats and telemetry belong.

    * `tags`: Labels of the session. May be empty.
    * `user_metadata`: Labels that the user attaches to the session, with any JSON values; null or
      `{}` for none.
    * `sdk_version`: Version of the calling client.
    * `project_id`: Project that the session counts to. Absent or null means none.
    * `display_name`: Name of the session for people. Absent or null means none.
    * `type`: The kind of request, always `create_session`.
    """

    tags: list[str]
    """Labels of the session. May be empty."""
    user_metadata: dict[str, Any] | None
    """Labels that the user attaches to the session, with any JSON values; null or `{}` for none."""
    sdk_version: str
    """Version of the calling client."""
    project_id: str | None = None
    """Project that the session counts to. Absent or null means none."""
    display_name: str | None = None
    """Name of the session for people. Absent or null means none."""
    type: Literal["create_session"] = "create_session"
    """The kind of request, always `create_session`."""
