# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""TryAgainResponse."""

from __future__ import annotations

from typing import Any

import attrs

from ..model import Model
from ..reading import own_fields


@attrs.frozen(field_transformer=own_fields)
class TryAgainResponse(Model):
    """The result is not there yet. Body of a 408, and of a 200 on servers that say it so. Some servers
    send only `detail`.

    * `request_id`: The promise that was asked for. Absent where the server does not repeat it.
    * `queue_state`: Why the work waits: `active` is at work or next, `paused_capacity` waits for
      machines, `paused_rate_limit` waits for one's own limit. Absent where the server does not say.
      Known values: `active`, `paused_capacity`, `paused_rate_limit`.
    * `queue_state_reason`: The reason in words, for people. Absent or null where the server gives
      none.
    * `detail`: What servers of the FastAPI family say instead of the fields above.
    * `type`: Kind of answer, `try_again`.
    """

    request_id: str | None = None
    """The promise that was asked for. Absent where the server does not repeat it."""
    queue_state: str | None = None
    """Why the work waits: `active` is at work or next, `paused_capacity` waits for machines,
    `paused_rate_limit` waits for one's own limit. Absent where the server does not say. Known
    values: `active`, `paused_capacity`, `paused_rate_limit`.
    """
    queue_state_reason: str | None = None
    """The reason in words, for people. Absent or null where the server gives none."""
    detail: Any = None
    """What servers of the FastAPI family say instead of the fields above."""
    type: str = "try_again"
    """Kind of answer, `try_again`."""
