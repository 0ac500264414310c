"""A search among sessions: what is asked for, and what is found. Owns the fields only."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import attrs

from tinsmith.core.errors import InputError
from tinsmith.core.values.numbers import require
from tinsmith.core.values.open import Open
from tinsmith.core.values.ownership import own_fields
from tinsmith.core.values.value import Value

OWNERS_LIMIT = 10
"""Most users that one search may name."""

PAGE_LIMIT = 200
"""Most sessions that one search returns."""


@attrs.frozen(field_transformer=own_fields)
class OwnSearchOwner(Value):
    """One's own sessions."""

    type: Literal["own"] = "own"
    """Tag of this kind."""


@attrs.frozen(field_transformer=own_fields)
class AccessibleSearchOwner(Value):
    """All sessions that one may read."""

    type: Literal["accessible"] = "accessible"
    """Tag of this kind."""


@attrs.frozen(field_transformer=own_fields)
class UserSearchOwner(Value):
    """The sessions of these users."""

    owner_urns: list[str] = attrs.field()
    """One to ten users."""
    type: Literal["user"] = "user"
    """Tag of this kind."""

    def __attrs_post_init__(self) -> None:
        if not 1 <= len(self.owner_urns) <= OWNERS_LIMIT:
            raise InputError(f"must name 1 to {OWNERS_LIMIT} users", field="owner_urns")


SearchOwner = OwnSearchOwner | AccessibleSearchOwner | UserSearchOwner
"""Whose sessions are searched."""


@attrs.frozen(field_transformer=own_fields)
class ActiveSessionStatusQuery(Value):
    """Sessions that are still open."""

    type: Literal["active"] = "active"
    """Tag of this kind."""


@attrs.frozen(field_transformer=own_fields)
class CancelledSessionStatusQuery(Value):
    """Sessions that were cancelled."""

    type: Literal["cancelled"] = "cancelled"
    """Tag of this kind."""


@attrs.frozen(field_transformer=own_fields)
class FailedSessionStatusQuery(Value):
    """Sessions that failed."""

    type: Literal["failed"] = "failed"
    """Tag of this kind."""


@attrs.frozen(field_transformer=own_fields)
class ClientFinishedSessionStatusQuery(Value):
    """Sessions that their client ended."""

    reasons: list[Literal["success", "errored", "interrupted"]] | None = None
    """For one of these reasons; None is any."""
    type: Literal["client_finished"] = "client_finished"
    """Tag of this kind."""


SessionStatusQuery = (
    ActiveSessionStatusQuery
    | CancelledSessionStatusQuery
    | FailedSessionStatusQuery
    | ClientFinishedSessionStatusQuery
)
"""A state that sessions are searched by."""


def _page_size(_: object, attribute: attrs.Attribute[Any], value: int) -> None:
    require(1 <= value <= PAGE_LIMIT, attribute, value, f"1 to {PAGE_LIMIT}")


@attrs.frozen(field_transformer=own_fields)
class SessionSearchRequest(Value):
    """Which sessions to find; every filter given must match."""

    session_id: str | None = None
    """This session."""
    project_ids: list[str] | None = None
    """In one of these projects."""
    user_metadata: dict[str, str] = attrs.field(factory=dict)
    """With all these labels."""
    display_name: str | None = None
    """With this name."""
    owner: SearchOwner = attrs.field(factory=OwnSearchOwner)
    """Whose."""
    statuses: list[SessionStatusQuery] | None = None
    """In one of these states."""
    limit: int = attrs.field(default=50, validator=_page_size)
    """Most sessions to return, 1 to 200."""
    cursor: Any = None
    """`next_cursor` of the page before, as it came."""


@attrs.frozen(field_transformer=own_fields)
class SessionSummary(Open):
    """One session that was found."""

    session_id: str
    """Its id."""
    created_at: datetime | None = None
    """When it was opened, UTC."""
    owner: str | None = None
    """Whose it is."""
    project_id: str | None = None
    """Its project."""
    status: Any = None
    """Its state as the server gives it: a text, or a mapping with a `type`."""
    checkpoints_count: int | None = None
    """How many checkpoints it saved."""
    display_name: str | None = None
    """Its name for people."""
    user_metadata: dict[str, str] | None = None
    """What the user attached."""
    checkpoint_storage_bytes: int | None = None
    """What its checkpoints take."""


@attrs.frozen(field_transformer=own_fields)
class SessionSearchResponse(Open):
    """A page of sessions that were found."""

    sessions: list[SessionSummary]
    """The page."""
    next_cursor: Any = None
    """Pass it as `cursor` for the next page; None on the last."""
