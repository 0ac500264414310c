"""Sessions: opened, kept alive, listed, found, finished; and the telemetry that clients send in them."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from typing import Any

import attrs
import orjson
from tinsmith_api import models

from tinsmith_local.app.account import OWNER
from tinsmith_local.app.answers import Refusal
from tinsmith_local.app.call import Call, labels, moment, page, whole
from tinsmith_local.app.lookups import Lookups
from tinsmith_local.store.checkpoint_table import CheckpointTable
from tinsmith_local.store.run_table import RunTable
from tinsmith_local.store.session_table import SamplerTable, SessionRow, SessionTable, TelemetryTable
from tinsmith_local.work.lifetimes import Lifetimes


@attrs.frozen(kw_only=True, eq=False)
class SessionEndpoints:
    """Serves sessions."""

    _lookups: Lookups
    _lifetimes: Lifetimes
    _sessions: SessionTable
    _samplers: SamplerTable
    _runs: RunTable
    _checkpoints: CheckpointTable
    _telemetry: TelemetryTable
    _clock: Callable[[], float]

    async def create_session(self, call: Call) -> models.CreateSessionResponse:
        """Open a session."""
        now = self._clock()
        row = SessionRow(
            session_id=f"session-{secrets.token_hex(8)}",
            created_at=now,
            last_seen=now,
            status="active",
            tags=orjson.dumps(call.body["tags"]).decode(),
            user_metadata=orjson.dumps(call.body.get("user_metadata") or {}).decode(),
            sdk_version=call.text("sdk_version"),
            project_id=call.body.get("project_id"),
            display_name=call.body.get("display_name"),
        )
        self._sessions.add(row)
        return models.CreateSessionResponse(session_id=row.session_id)

    async def session_heartbeat(self, call: Call) -> models.SessionHeartbeatResponse:
        """Record that the client is alive."""
        self._lookups.session(call.text("session_id"), ended=410)
        return models.SessionHeartbeatResponse()

    async def get_session(self, call: Call) -> models.GetSessionResponse:
        """Describe a session."""
        found = self._named(call)
        return models.GetSessionResponse(
            training_run_ids=self._runs.of_session(found.session_id),
            sampler_ids=[row.sampler_id for row in self._samplers.of_session(found.session_id)],
            user_metadata=labels(found.user_metadata),
            display_name=found.display_name,
            extra={
                "tags": orjson.loads(found.tags),
                "status": found.status,
                "project_id": found.project_id,
            },
        )

    def _named(self, call: Call) -> SessionRow:
        """Find the session that a path names, a finished one too."""
        return self._lookups.any_session(str(call.parameters["session_id"]))

    async def list_sessions(self, call: Call) -> models.ListSessionsResponse:
        """List sessions, newest first."""
        return models.ListSessionsResponse(sessions=self._sessions.page(*page(call, 20)))

    async def set_session_project(self, call: Call) -> None:
        """Put a session in a project."""
        self._sessions.update(self._named(call).session_id, project_id=call.text("project_id"))

    async def finish_session(self, call: Call) -> None:
        """Close a session; closing it again is no error."""
        found = self._named(call)
        if found.status == "active":
            finish = orjson.dumps(call.body).decode()
            self._lifetimes.finish_session(found.session_id, "finished", finish)

    async def export_session_trace(self, call: Call) -> models.SessionTraceExport:
        """Answer that no traces are recorded here."""
        self._named(call)
        return models.SessionTraceExport(status="failed", error="this service records no traces")

    async def search_sessions(self, call: Call) -> models.SessionSearchResponse:
        """Find sessions by what is known of them."""
        body = call.body
        found = [row for row in self._sessions.all() if _matches(row, body)]
        start = _behind(found, body.get("cursor"))
        limit = int(body.get("limit", 50))
        some = found[start : start + limit]
        more = None
        if start + limit < len(found):
            last = moment(some[-1].created_at).isoformat().replace("+00:00", "Z")
            more = models.SessionSearchCursor(last_created_at=last, last_session_id=some[-1].session_id)
        return models.SessionSearchResponse(sessions=[self._summary(row) for row in some], next_cursor=more)

    def _summary(self, row: SessionRow) -> models.SessionSummary:
        """Describe a found session."""
        saved = [
            one for run in self._runs.of_session(row.session_id) for one in self._checkpoints.of_run(run)
        ]
        return models.SessionSummary(
            session_id=row.session_id,
            created_at=moment(row.created_at),
            owner=OWNER,
            project_id=row.project_id or "",
            status=_status(row),
            checkpoints_count=len(saved),
            checkpoint_storage_bytes=sum(one.size_bytes for one in saved),
            display_name=row.display_name,
            user_metadata=labels(row.user_metadata),
        )

    async def telemetry(self, call: Call) -> models.TelemetryResponse:
        """Keep events. Unknown sessions are taken: newer clients send some events without one."""
        body = call.body
        for index, event in enumerate(body["events"]):
            whole(event, "event_session_index", "events", str(index))
        common = {"platform": body["platform"], "sdk_version": body["sdk_version"]}
        events = [orjson.dumps({**common, **event}).decode() for event in body["events"]]
        self._telemetry.add(call.text("session_id"), events, self._clock())
        return models.TelemetryResponse(status="accepted")


def _behind(found: list[SessionRow], cursor: object) -> int:
    """Return the index at which the page after a cursor begins; newer sessions come before it."""
    if cursor is None:
        return 0
    last = cursor.get("last_session_id") if isinstance(cursor, dict) else None
    places = [index for index, row in enumerate(found) if row.session_id == last]
    if not places:
        raise Refusal(400, "is no cursor of this service", field=("cursor",))
    return places[0] + 1


def _matches(row: SessionRow, body: Mapping[str, Any]) -> bool:
    """Whether a session matches a search."""
    metadata = labels(row.user_metadata) or {}
    wanted = body.get("user_metadata") or {}
    checks = (
        _is_named(row, body.get("session_id"), body.get("display_name")),
        body.get("project_ids") is None or row.project_id in body["project_ids"],
        body.get("statuses") is None or any(_is_in(row, status) for status in body["statuses"]),
        all(metadata.get(key) == value for key, value in wanted.items()),
    )
    return all(checks)


def _is_named(row: SessionRow, session_id: str | None, display_name: str | None) -> bool:
    """Whether a session has this id, or every word of this name in its own, in any case."""
    if session_id is None and display_name is None:
        return True
    own = (row.display_name or "").lower()
    words = None if display_name is None else display_name.lower().split()
    return row.session_id == session_id or (words is not None and all(word in own for word in words))


def _is_in(row: SessionRow, status: Mapping[str, Any]) -> bool:
    """Whether a session is in a state; sessions do not fail here."""
    own = _status(row)
    reasons = status.get("reasons")
    return own.type == status["type"] and (
        reasons is None or (own.reason is not None and own.reason.type in reasons)
    )


def _status(row: SessionRow) -> models.SessionStatus:
    """Describe the state of a session; one without heartbeats is cancelled."""
    if row.status == "active":
        return models.SessionStatus(type="active")
    if row.status != "finished":
        return models.SessionStatus(type="cancelled", detail=row.status)
    finish = orjson.loads(row.finish) if row.finish else {}
    reason = models.SessionStatusReason(type=finish.get("reason", {}).get("type", "success"))
    return models.SessionStatus(type="client_finished", reason=reason, detail=finish.get("detail"))
