# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""SessionSearchResponse."""

from __future__ import annotations

import attrs

from ..model import Model
from ..reading import own_fields
from .session_search_cursor import SessionSearchCursor
from .session_summary import SessionSummary


@attrs.frozen(field_transformer=own_fields)
class SessionSearchResponse(Model):
    """One page of found sessions.

    * `sessions`: The sessions, newest first.
    * `next_cursor`: Send it as `cursor` for the next page. Absent or null on the last page.
    """

    sessions: list[SessionSummary]
    """The sessions, newest first."""
    next_cursor: SessionSearchCursor | None = None
    """Send it as `cursor` for the next page. Absent or null on the last page."""
