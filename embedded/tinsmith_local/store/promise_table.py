"""Promises on disk: the accepted request, its outcome, and the ledger of what was applied to which model.

A promise is journalled, body and all, before its request is acknowledged. Its result, the entry in the ledger
and whatever else must become true with it (`also`) are written in one transaction.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable

import attrs

from tinsmith_local.store.data_dir import INLINE_BYTES, DataDir
from tinsmith_local.store.database import Database, TableRow, insert_row, read_regular

#: Further writes of the same transaction.
Also = Callable[[sqlite3.Connection], object]


@attrs.frozen(kw_only=True)
class PromiseRow(TableRow):
    """One promise, without its body and its result, which are read when they are needed."""

    TABLE, KEY = "promises", "request_id"

    request_id: str
    """Opaque id that the client polls."""
    scope: str
    """What `seq` counts in: `train:<model>`, `sample:<sampler>`, `model:<session>`, or `` for neither."""
    seq: int | None
    """Number that the client gave."""
    digest: bytes
    """Fingerprint of the content: distinguishes a repetition from another request under the same number."""
    op: str
    """Operation id of the contract."""
    model_id: str | None = None
    """Model whose queue the request is in."""
    position: int | None = None
    """Position in that queue, 1, 2, 3, …: the order of application."""
    state: str = "accepted"
    """`accepted`, `done`, `failed`, `cancelled` or `expired`."""
    error: str | None = None
    """Why it failed."""
    category: str | None = None
    """`user`, `server` or `unknown`."""
    created_at: float
    """Seconds since the epoch."""
    finished_at: float | None = None
    """Seconds since the epoch."""
    body_bytes: int
    """Size of the accepted body."""


@attrs.frozen(kw_only=True)
class Applied:
    """One entry of the ledger: a training request that changed, or read, a model."""

    model_id: str
    """Model it was applied to."""
    seq: int | None
    """Number that the client gave."""
    op: str
    """Operation id."""
    request_id: str
    """Its promise."""


_COLUMNS = ", ".join(field.name for field in attrs.fields(PromiseRow))
_SELECT = f"SELECT {_COLUMNS} FROM promises "  # noqa: S608  # names of ours


class PromiseTable:
    """The table of promises and the ledger."""

    def __init__(self, database: Database, files: DataDir) -> None:
        self._database = database
        self._files = files

    def accept(self, row: PromiseRow, body: bytes, also: Also | None = None) -> None:
        """Journal a request; when this returns, a killed process will still answer its promise."""
        inline = len(body) <= INLINE_BYTES
        if not inline:
            self._files.write_file(self._files.bodies / row.request_id, body)
        try:
            with self._database.transaction() as connection:
                insert_row(connection, row, body=body if inline else None)
                if also is not None:
                    also(connection)
        except BaseException:
            if not inline:
                (self._files.bodies / row.request_id).unlink(missing_ok=True)
            raise

    def find(self, request_id: str) -> PromiseRow | None:
        """Find a promise by its id."""
        return self._database.value(PromiseRow, _SELECT + "WHERE request_id = ?", request_id)

    def latest(self, scope: str, seq: int) -> PromiseRow | None:
        """Find the newest promise under a number."""
        sql = _SELECT + "WHERE scope = ? AND seq = ? ORDER BY n DESC LIMIT 1"
        return self._database.value(PromiseRow, sql, scope, seq)

    def body(self, request_id: str) -> bytes:
        """Read the accepted body; KeyError when it was dropped."""
        found = self._database.row("SELECT body, body_bytes FROM promises WHERE request_id = ?", request_id)
        if found is None:
            raise KeyError(request_id)
        if found["body"] is not None:
            return bytes(found["body"])
        try:
            return read_regular(self._files.bodies / request_id)
        except FileNotFoundError:
            raise KeyError(request_id) from None

    def finish(
        self,
        request_id: str,
        result: bytes,
        now: float,
        *,
        applied: Applied | None = None,
        also: Also | None = None,
        drop_body: bool = False,
    ) -> None:
        """Keep a result, and with it the entry in the ledger and `also`; `drop_body` forgets the request."""
        inline = len(result) <= INLINE_BYTES
        if not inline:
            self._files.write_file(self._files.results / request_id, result)
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE promises SET state = 'done', result = ?, result_bytes = ?, finished_at = ?, "
                "body = CASE WHEN ? THEN NULL ELSE body END WHERE request_id = ?",
                (result if inline else None, len(result), now, drop_body, request_id),
            )
            if applied is not None:
                connection.execute(
                    "INSERT INTO ledger (model_id, seq, op, request_id, at) VALUES (?, ?, ?, ?, ?)",
                    (applied.model_id, applied.seq, applied.op, applied.request_id, now),
                )
            if also is not None:
                also(connection)
        if drop_body:
            (self._files.bodies / request_id).unlink(missing_ok=True)

    def fail(self, request_id: str, error: str, category: str, now: float, state: str = "failed") -> None:
        """Keep a failure (or a cancellation); nothing was applied."""
        self._database.write(
            "UPDATE promises SET state = ?, error = ?, category = ?, finished_at = ? WHERE request_id = ?",
            state, error, category, now, request_id,
        )  # fmt: skip

    def result(self, request_id: str) -> bytes:
        """Read the kept result; KeyError when it was dropped."""
        found = self._database.row("SELECT state, result FROM promises WHERE request_id = ?", request_id)
        if found is None or found["state"] != "done":
            raise KeyError(request_id)
        if found["result"] is not None:
            return bytes(found["result"])
        try:
            return read_regular(self._files.results / request_id)
        except FileNotFoundError:
            raise KeyError(request_id) from None

    def pending(self) -> list[PromiseRow]:
        """List accepted promises without an outcome, in order of acceptance."""
        return self._database.values(PromiseRow, _SELECT + "WHERE state = 'accepted' ORDER BY n")

    def replayable(self, model_id: str, after: int, ops: Iterable[str]) -> list[PromiseRow]:
        """Done promises of a model behind a position, in order: what its snapshot does not contain."""
        wanted = tuple(ops)
        marks = ", ".join("?" * len(wanted))
        sql = (
            f"{_SELECT}WHERE model_id = ? AND position > ? "
            f"AND state IN ('done', 'expired') AND op IN ({marks}) ORDER BY position"
        )
        return self._database.values(PromiseRow, sql, model_id, after, *wanted)

    def drop_replayed(self, model_id: str, up_to: int) -> None:
        """Forget the bodies of a model that a snapshot now contains."""
        sql = "SELECT request_id FROM promises WHERE model_id = ? AND position <= ? AND state != 'accepted'"
        doomed = [found["request_id"] for found in self._database.rows(sql, model_id, up_to)]
        with self._database.transaction() as connection:
            connection.executemany(
                "UPDATE promises SET body = NULL WHERE request_id = ?", [(r,) for r in doomed]
            )
        for request_id in doomed:
            (self._files.bodies / request_id).unlink(missing_ok=True)

    def expire(self, before: float) -> int:
        """Drop results finished before a time; their promises stay, for 410 and for repetitions."""
        rows = self._database.rows(
            "SELECT request_id FROM promises WHERE state = 'done' AND finished_at < ?", before
        )  # fmt: skip
        if not rows:
            return 0
        with self._database.transaction() as connection:
            connection.executemany(
                "UPDATE promises SET state = 'expired', result = NULL WHERE request_id = ?",
                [(found["request_id"],) for found in rows],
            )
        for found in rows:
            (self._files.results / found["request_id"]).unlink(missing_ok=True)
        return len(rows)

    def completions(self, scope: str) -> list[tuple[str, str, int, int | None]]:
        """List what finished in a scope, in that order: promise, state, size of the result, number."""
        sql = (
            "SELECT request_id, state, result_bytes, seq FROM promises "
            "WHERE scope = ? AND finished_at IS NOT NULL ORDER BY finished_at, n"
        )
        return [
            (found["request_id"], "done" if found["state"] == "expired" else found["state"],
             found["result_bytes"], found["seq"])
            for found in self._database.rows(sql, scope)
        ]  # fmt: skip

    def last_seq(self, scope: str) -> int:
        """Highest number accepted in a scope, 0 for none."""
        return self._database.number("SELECT MAX(seq) FROM promises WHERE scope = ?", scope)

    def last_position(self, model_id: str) -> int:
        """Last position in a model's queue, 0 for none."""
        return self._database.number("SELECT MAX(position) FROM promises WHERE model_id = ?", model_id)

    def last_settled(self, model_id: str) -> int:
        """Return the last position in a model's queue that has an outcome, 0 for none."""
        return self._database.number(
            "SELECT MAX(position) FROM promises WHERE model_id = ? AND state != 'accepted'", model_id
        )

    def files_in_use(self) -> tuple[set[str], set[str]]:
        """Name the promises whose bodies, and those whose results, may lie in files."""
        bodies = self._database.rows("SELECT request_id FROM promises WHERE body IS NULL")
        results = self._database.rows(
            "SELECT request_id FROM promises WHERE state = 'done' AND result IS NULL"
        )
        return {found[0] for found in bodies}, {found[0] for found in results}

    def ledger(self, model_id: str) -> list[Applied]:
        """List what was applied to a model, in order of application."""
        sql = "SELECT model_id, seq, op, request_id FROM ledger WHERE model_id = ? ORDER BY n"
        return self._database.values(Applied, sql, model_id)
