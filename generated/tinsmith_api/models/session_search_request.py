# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""SessionSearchRequest."""

from __future__ import annotations

import attrs

from ..limits import Limits
from ..model import Value
from ..reading import own_fields
from .own_search_owner import OwnSearchOwner
from .search_owner import SearchOwner
from .session_search_cursor import SessionSearchCursor
from .session_status_query import SessionStatusQuery


@attrs.frozen(field_transformer=own_fields)
class SessionSearchRequest(Value):
    """Find sessions. `session_id` and `display_name` are alternatives: a session is found that fits
    one of them. Every other filter given must match too.

    * `session_id`: Find the session with this id. Absent or null does not filter by id.
    * `project_ids`: Find sessions of one of these projects. Absent or null means any project.
    * `user_metadata`: Find sessions that have all these labels with these values. Absent or `{}`
      does not filter.
    * `display_name`: Find sessions whose display name holds every word of this text, anywhere in it
      and in any case. Absent or null does not filter by name.
    * `owner`: Whose sessions are searched. Absent means one's own.
    * `statuses`: Find sessions in one of these states. Absent or null means any state.
    * `limit`: Most sessions on a page, 1 to 200. Absent means 50.
    * `cursor`: `next_cursor` of the previous page, as it came. Absent or null begins with the first
      page.
    """

    session_id: str | None = None
    """Find the session with this id. Absent or null does not filter by id."""
    project_ids: list[str] | None = None
    """Find sessions of one of these projects. Absent or null means any project."""
    user_metadata: dict[str, str] = attrs.field(factory=dict)
    """Find sessions that have all these labels with these values. Absent or `{}` does not filter."""
    display_name: str | None = None
    """Find sessions whose display name holds every word of this text, anywhere in it and in any case.
    Absent or null does not filter by name.
    """
    owner: SearchOwner = attrs.field(factory=OwnSearchOwner)
    """Whose sessions are searched. Absent means one's own."""
    statuses: list[SessionStatusQuery] | None = attrs.field(default=None, validator=Limits(min_items=1))
    """Find sessions in one of these states. Absent or null means any state."""
    limit: int = attrs.field(default=50, validator=Limits(minimum=1, maximum=200))
    """Most sessions on a page, 1 to 200. Absent means 50."""
    cursor: SessionSearchCursor | None = None
    """`next_cursor` of the previous page, as it came. Absent or null begins with the first page."""
