# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""SessionSearchCursor."""

from __future__ import annotations

import attrs

from ..model import Model
from ..reading import own_fields


@attrs.frozen(field_transformer=own_fields)
class SessionSearchCursor(Model):
    """Where a page of found sessions ended. Pass it on as it came.

    * `last_session_id`: The last session of the page.
    * `last_created_at`: When the last session of the page was opened, as the server writes it.
    """

    last_session_id: str
    """The last session of the page."""
    last_created_at: str | None = None
    """When the last session of the page was opened, as the server writes it."""
