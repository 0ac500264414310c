# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""SessionStatus."""

from __future__ import annotations

import attrs

from ..model import Model
from ..reading import own_fields
from .session_status_reason import SessionStatusReason


@attrs.frozen(field_transformer=own_fields)
class SessionStatus(Model):
    """The state of a session, told apart by `type`: `active`; `cancelled`, perhaps with a `detail`;
    `failed`, with `category`, `reason` and `message`; `client_finished`, with a `reason` and
    perhaps a `detail`.

    * `type`: The kind of state. Known values: `active`, `cancelled`, `failed`, `client_finished`.
    * `category`: Whether the user or the service caused the failure. Only for `failed`. Known
      values: `user`, `internal`.
    * `reason`: What failed, or why the client ended the session. Only for `failed` and
      `client_finished`.
    * `message`: The failure in words. Only for `failed`.
    * `detail`: More about the end, in words. Only for `cancelled` and `client_finished`.
    """

    type: str
    """The kind of state. Known values: `active`, `cancelled`, `failed`, `client_finished`."""
    category: str | None = None
    """Whether the user or the service caused the failure. Only for `failed`. Known values: `user`,
    `internal`.
    """
    reason: SessionStatusReason | None = None
    """What failed, or why the client ended the session. Only for `failed` and `client_finished`."""
    message: str | None = None
    """The failure in words. Only for `failed`."""
    detail: str | None = None
    """More about the end, in words. Only for `cancelled` and `client_finished`."""
