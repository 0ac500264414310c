# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""SessionSummary."""

from __future__ import annotations

from datetime import datetime

import attrs

from ..model import Model
from ..reading import own_fields
from .session_status import SessionStatus


@attrs.frozen(field_transformer=own_fields)
class SessionSummary(Model):
    """One session that was found. Experimental: fields may come and go.

    * `session_id`: The session.
    * `created_at`: When it was opened, UTC. Absent or null where the server does not say.
    * `owner`: The user that it belongs to, as a URN. Absent or null where the server does not say.
    * `project_id`: The project that it counts to; empty for none. Absent or null where the server
      does not say.
    * `status`: Its state, from some servers its kind alone as text. Absent or null where the server
      does not say.
    * `checkpoints_count`: Number of checkpoints that it saved and that still exist. Absent or null
      where the server does not say.
    * `display_name`: Its name for people. Absent or null where it has none.
    * `user_metadata`: Labels that the user attached. Absent or null where there are none.
    * `checkpoint_storage_bytes`: Size of its checkpoints, in bytes. Absent or null where the server
      does not say. Unit: bytes.
    """

    session_id: str
    """The session."""
    created_at: datetime | None = None
    """When it was opened, UTC. Absent or null where the server does not say."""
    owner: str | None = None
    """The user that it belongs to, as a URN. Absent or null where the server does not say."""
    project_id: str | None = None
    """The project that it counts to; empty for none. Absent or null where the server does not say."""
    status: SessionStatus | str | None = None
    """Its state, from some servers its kind alone as text. Absent or null where the server does not say."""
    checkpoints_count: int | None = None
    """Number of checkpoints that it saved and that still exist. Absent or null where the server does
    not say.
    """
    display_name: str | None = None
    """Its name for people. Absent or null where it has none."""
    user_metadata: dict[str, str] | None = None
    """Labels that the user attached. Absent or null where there are none."""
    checkpoint_storage_bytes: int | None = None
    """Size of its checkpoints, in bytes. Absent or null where the server does not say. Unit: bytes."""
