"""Training runs on disk: one row a model, which names its last snapshot."""

from __future__ import annotations

from typing import Any

import attrs

from tinsmith_local.store.database import Table, TableRow


@attrs.frozen(kw_only=True)
class AdapterShape(TableRow):
    """What an adapter is made on and changes: columns of runs and of checkpoints."""

    base_model: str
    """Name of the base model."""
    rank: int
    """LoRA rank."""
    train_attn: bool = attrs.field(converter=bool)
    """Adapters on the attention."""
    train_mlp: bool = attrs.field(converter=bool)
    """Adapters on the MLP."""
    train_unembed: bool = attrs.field(converter=bool)
    """Adapter on the unembedding."""
    optimizer: str = "adamw"
    """`adamw` or `dimuon`: what steps it."""

    def columns(self) -> dict[str, Any]:
        """Return these columns alone, for another row of this shape."""
        return {field.name: getattr(self, field.name) for field in attrs.fields(AdapterShape)}


@attrs.frozen(kw_only=True)
class RunRow(AdapterShape):
    """One training run; its id is the model's id."""

    TABLE, KEY = "runs", "model_id"

    model_id: str
    """`<session>:train:<n>`."""
    session_id: str
    """Session that it belongs to."""
    seed: int
    """Seed of the adapter's first weights; drawn by the service when the client gave none."""
    user_metadata: str | None
    """JSON object."""
    created_at: float
    """Seconds since the epoch."""
    last_request_at: float
    """Seconds since the epoch."""
    status: str
    """`active`, `unloaded` or `corrupted`."""
    snapshot_position: int = 0
    """Position of the queue up to which the snapshot contains everything; 0 for the fresh adapter."""
    snapshot_file: str | None = None
    """Name of the snapshot below `states/`."""


class RunTable(Table[RunRow]):
    """The table of training runs."""

    row = RunRow

    def page(self, limit: int, offset: int, project_id: str | None = None) -> list[RunRow]:
        """Return a page of runs, newest first."""
        sql = (
            "SELECT runs.* FROM runs LEFT JOIN sessions USING (session_id) "
            "WHERE COALESCE(?, sessions.project_id) IS sessions.project_id "
            "ORDER BY runs.created_at DESC, runs.rowid DESC LIMIT ? OFFSET ?"
        )
        return self._database.values(RunRow, sql, project_id, limit, offset)

    def count(self, project_id: str | None = None) -> int:
        """How many runs there are."""
        return self._database.number(
            "SELECT COUNT(*) FROM runs LEFT JOIN sessions USING (session_id) "
            "WHERE COALESCE(?, sessions.project_id) IS sessions.project_id",
            project_id,
        )

    def of_session(self, session_id: str) -> list[str]:
        """Ids of the runs of a session, oldest first."""
        rows = self._database.rows(
            "SELECT model_id FROM runs WHERE session_id = ? ORDER BY created_at, rowid", session_id
        )
        return [found[0] for found in rows]

    def snapshot_files(self) -> set[str]:
        """Names of all snapshots that a run points at."""
        rows = self._database.rows("SELECT snapshot_file FROM runs WHERE snapshot_file IS NOT NULL")
        return {found[0] for found in rows}
