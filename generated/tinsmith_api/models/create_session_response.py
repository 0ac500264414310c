# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""CreateSessionResponse."""

from __future__ import annotations

import attrs

from ..model import Model
from ..reading import own_fields


@attrs.frozen(field_transformer=own_fields)
class CreateSessionResponse(Model):
    """The session is open.

    * `session_id`: Id of the new session.
    * `info_message`: Message that the client logs at INFO. Absent or null for none.
    * `warning_message`: Message that the client logs at WARNING. Absent or null for none.
    * `error_message`: Message that the client logs at ERROR. Absent or null for none.
    * `type`: The kind of answer, `create_session`.
    """

    session_id: str
    """Id of the new session."""
    info_message: str | None = None
    """Message that the client logs at INFO. Absent or null for none."""
    warning_message: str | None = None
    """Message that the client logs at WARNING. Absent or null for none."""
    error_message: str | None = None
    """Message that the client logs at ERROR. Absent or null for none."""
    type: str = "create_session"
    """The kind of answer, `create_session`."""
