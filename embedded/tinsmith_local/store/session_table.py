"""Sessions on disk, with their samplers, and the telemetry that clients sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from tinsmith_local.store.database import Database, Table, TableRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

KEPT_EVENTS = 100_000
"""Oldest telemetry events beyond this number are dropped."""


@attrs.frozen(kw_only=True)
class SessionRow(TableRow):
    """One session."""

    TABLE, KEY = "sessions", "session_id"

    session_id: str
    """`session-<16 hex>`."""
    created_at: float
    """Seconds since the epoch."""
    last_seen: float
    """Time of the last heartbeat or request."""
    status: str
    """`active`, `finished` or `expired`."""
    tags: str
    """JSON list."""
    user_metadata: str
    """JSON object."""
    sdk_version: str
    """As the client said."""
    project_id: str | None = None
    """Project that it was put in."""
    display_name: str | None = None
    """Name for people."""
    finish: str | None = None
    """JSON of the finish request."""


@attrs.frozen(kw_only=True)
class SamplerRow(TableRow):
    """One sampler: of a base model, a checkpoint, or weights saved for it alone."""

    TABLE, KEY = "samplers", "sampler_id"

    sampler_id: str
    """`<session>:sample:<n>`."""
    session_id: str
    """Session that it belongs to."""
    seq: int | None
    """Number that the client gave."""
    base_model: str
    """Name of the base model."""
    model_path: str | None
    """Checkpoint that it samples from; None for the base model and for ephemeral ones."""
    ephemeral: bool = attrs.field(converter=bool)
    """Whether its weights were saved for it alone; they stay below `samplers/` until the session ends."""
    size_bytes: int
    """Disk space of an ephemeral sampler."""
    digest: bytes
    """Fingerprint of the request that made it."""
    created_at: float
    """Seconds since the epoch."""
    last_used: float
    """Time of the last sample."""
    status: str
    """`ready` or `dropped`."""
    cloned: int = 0
    """How many clients joined it."""


class SessionTable(Table[SessionRow]):
    """The table of sessions."""

    row = SessionRow

    def all(self) -> list[SessionRow]:
        """All sessions, newest first."""
        return self._database.values(
            SessionRow, "SELECT * FROM sessions ORDER BY created_at DESC, rowid DESC"
        )

    def page(self, limit: int, offset: int) -> list[str]:
        """Ids of a page of sessions, newest first."""
        sql = "SELECT session_id FROM sessions ORDER BY created_at DESC, rowid DESC LIMIT ? OFFSET ?"
        return [found[0] for found in self._database.rows(sql, limit, offset)]

    def all_seen(self, now: float) -> None:
        """Mark all active sessions as alive: they could not reach a service that did not run."""
        self._database.write("UPDATE sessions SET last_seen = ? WHERE status = 'active'", now)

    def silent_since(self, before: float) -> list[str]:
        """Ids of active sessions without a heartbeat or request since a time."""
        rows = self._database.rows(
            "SELECT session_id FROM sessions WHERE status = 'active' AND last_seen < ?", before
        )
        return [found[0] for found in rows]


class SamplerTable(Table[SamplerRow]):
    """The table of samplers."""

    row = SamplerRow

    def of_session(self, session_id: str) -> list[SamplerRow]:
        """All samplers of a session, oldest first."""
        sql = "SELECT * FROM samplers WHERE session_id = ? ORDER BY created_at, rowid"
        return self._database.values(SamplerRow, sql, session_id)

    def ephemeral(self) -> list[SamplerRow]:
        """All ephemeral samplers that are still there, unused for longest first."""
        sql = "SELECT * FROM samplers WHERE ephemeral = 1 AND status = 'ready' ORDER BY last_used, rowid"
        return self._database.values(SamplerRow, sql)

    def join(self, sampler_id: str) -> int:
        """Count one more client of a sampler; its counter, from 1."""
        with self._database.transaction() as connection:
            connection.execute("UPDATE samplers SET cloned = cloned + 1 WHERE sampler_id = ?", (sampler_id,))
            found = connection.execute(
                "SELECT cloned FROM samplers WHERE sampler_id = ?", (sampler_id,)
            ).fetchone()
        return int(found[0])


class TelemetryTable:
    """Telemetry events as clients sent them, kept to be read by the person who runs the service."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, session_id: str, events: Iterable[str], now: float) -> None:
        """Keep events, each a JSON text."""
        with self._database.transaction() as connection:
            connection.executemany(
                "INSERT INTO telemetry (session_id, received_at, event) VALUES (?, ?, ?)",
                [(session_id, now, event) for event in events],
            )
            connection.execute(
                "DELETE FROM telemetry WHERE n <= (SELECT MAX(n) FROM telemetry) - ?", (KEPT_EVENTS,)
            )

    def read(self) -> Iterator[tuple[str, float, str]]:
        """All kept events: session, time of receipt, JSON text."""
        for found in self._database.rows("SELECT session_id, received_at, event FROM telemetry ORDER BY n"):
            yield found["session_id"], found["received_at"], found["event"]
