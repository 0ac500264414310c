"""Checkpoints on disk: their rows, and the answers to copies of them, kept by idempotency key.

The directories are written by whoever makes the checkpoints.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from tinsmith_local.store.database import Table
from tinsmith_local.store.run_table import AdapterShape

if TYPE_CHECKING:
    import sqlite3

    from tinsmith_local.store.database import Database


@attrs.frozen(kw_only=True)
class CheckpointRow(AdapterShape):
    """One saved checkpoint."""

    TABLE, KEY = "checkpoints", "tinker_path"

    tinker_path: str
    """`tinker://<run>/<kind>/<name>`."""
    run_id: str
    """Training run that it was saved from."""
    kind: str
    """`weights`, `sampler_weights` or `external_weights`."""
    name: str
    """Last part of the path."""
    state: str
    """`making`, `ready` or `failed`."""
    created_at: float
    """Seconds since the epoch."""
    size_bytes: int = 0
    """Size of all its files."""
    public: bool = attrs.field(default=False, converter=bool)
    """Readable by everybody who has the path."""
    expires_at: float | None = None
    """Seconds since the epoch; None keeps it for ever."""
    user_metadata: str | None
    """JSON object."""
    directory: str
    """Path below the data directory."""


class CheckpointTable(Table[CheckpointRow]):
    """The table of checkpoints."""

    row = CheckpointRow

    def of_run(self, run_id: str) -> list[CheckpointRow]:
        """Ready checkpoints of a run, newest first."""
        sql = (
            "SELECT * FROM checkpoints WHERE run_id = ? AND state = 'ready' AND kind != 'external_weights' "
            "ORDER BY created_at DESC, rowid DESC"
        )
        return self._database.values(CheckpointRow, sql, run_id)

    def page(self, limit: int, offset: int) -> list[CheckpointRow]:
        """Return a page of all ready checkpoints, newest first."""
        sql = (
            "SELECT * FROM checkpoints WHERE state = 'ready' AND kind != 'external_weights' "
            "ORDER BY created_at DESC, rowid DESC LIMIT ? OFFSET ?"
        )
        return self._database.values(CheckpointRow, sql, limit, offset)

    def stored(self) -> list[tuple[str | None, int, int]]:
        """Return what ready checkpoints take, external ones among them: project, how many, bytes."""
        sql = (
            "SELECT CASE WHEN run_id LIKE 'project-%:copy:%' "
            "THEN substr(run_id, 9, instr(run_id, ':copy:') - 9) ELSE sessions.project_id END AS project, "
            "COUNT(*) AS number, SUM(size_bytes) AS bytes FROM checkpoints LEFT JOIN sessions "
            "ON sessions.session_id = substr(run_id, 1, instr(run_id, ':') - 1) "
            "WHERE state = 'ready' GROUP BY project ORDER BY project"
        )
        rows = self._database.rows(sql)
        return [(row["project"], int(row["number"]), int(row["bytes"])) for row in rows]

    def count(self) -> int:
        """How many ready checkpoints there are."""
        return self._database.number(
            "SELECT COUNT(*) FROM checkpoints WHERE state = 'ready' AND kind != 'external_weights'"
        )

    def expired(self, now: float) -> list[CheckpointRow]:
        """Checkpoints that have expired."""
        return self._database.values(
            CheckpointRow, "SELECT * FROM checkpoints WHERE expires_at IS NOT NULL AND expires_at <= ?", now
        )

    def delete(self, tinker_path: str) -> None:
        """Forget a checkpoint."""
        self._database.write("DELETE FROM checkpoints WHERE tinker_path = ?", tinker_path)


def insert_answer(connection: sqlite3.Connection, key: str, digest: bytes, answer: str, now: float) -> None:
    """Keep an answer inside a transaction of the caller."""
    connection.execute("INSERT OR IGNORE INTO answers VALUES (?, ?, ?, ?)", (key, digest, answer, now))


class AnswerTable:
    """Answers kept by idempotency key, for requests that have no number of their own."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, key: str, digest: bytes) -> str | None:
        """Find the answer to the same request under a key."""
        found = self._database.row("SELECT answer FROM answers WHERE key = ? AND digest = ?", key, digest)
        return str(found["answer"]) if found else None
