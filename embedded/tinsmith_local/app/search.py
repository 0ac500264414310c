"""Sessions found by what is known of them."""

from typing import Any

import orjson

from tinsmith_local.service import Service
from tinsmith_local.store import SessionRow

from .answer import Answer
from .call import Call
from .refusal import Refusal
from .runs import OWNER, moment
from .sessions import labels


async def search_sessions(service: Service, call: Call) -> Answer:
    """Find sessions by what is known of them."""
    body = call.body
    found = [row for row in service.sessions.all() if _matches(row, body)]
    start = _behind(found, body.get("cursor"))
    limit = int(body.get("limit", 50))
    some = found[start : start + limit]
    more = None
    if start + limit < len(found):
        more = {"last_created_at": moment(some[-1].created_at), "last_session_id": some[-1].session_id}
    return Answer({"sessions": [_summary(service, row) for row in some], "next_cursor": more})


def _behind(found: list[SessionRow], cursor: object) -> int:
    """Return where the page behind a cursor begins; sessions opened since then stand before it."""
    if cursor is None:
        return 0
    last = cursor.get("last_session_id") if isinstance(cursor, dict) else None
    places = [index for index, row in enumerate(found) if row.session_id == last]
    if not places:
        raise Refusal(400, "is no cursor of this service", field=("cursor",))
    return places[0] + 1


def _matches(row: SessionRow, body: dict[str, Any]) -> bool:
    """Hold a session against a search."""
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
    """Tell whether a session has this id, or every word of this name in its own, in any case."""
    if session_id is None and display_name is None:
        return True
    own = (row.display_name or "").lower()
    words = None if display_name is None else display_name.lower().split()
    return row.session_id == session_id or (words is not None and all(word in own for word in words))


def _is_in(row: SessionRow, status: dict[str, Any]) -> bool:
    """Tell whether a session is in a state; sessions do not fail here."""
    own = _status(row)
    reasons = status.get("reasons")
    reason = own.get("reason")
    return own["type"] == status["type"] and (
        reasons is None or (isinstance(reason, dict) and reason["type"] in reasons)
    )


def _summary(service: Service, row: SessionRow) -> dict[str, object]:
    """Describe a found session."""
    saved = [
        one for run in service.runs.of_session(row.session_id) for one in service.checkpoints.of_run(run)
    ]
    return {
        "session_id": row.session_id,
        "created_at": moment(row.created_at),
        "owner": OWNER,
        "project_id": row.project_id or "",
        "status": _status(row),
        "checkpoints_count": len(saved),
        "checkpoint_storage_bytes": sum(one.size_bytes for one in saved),
        "display_name": row.display_name,
        "user_metadata": labels(row.user_metadata),
    }


def _status(row: SessionRow) -> dict[str, object]:
    """Word the state of a session; one that fell silent is cancelled."""
    if row.status != "finished":
        return {"type": "active"} if row.status == "active" else {"type": "cancelled", "detail": row.status}
    finish = orjson.loads(row.finish) if row.finish else {}
    reason = {"type": finish.get("reason", {}).get("type", "success")}
    return {"type": "client_finished", "reason": reason, "detail": finish.get("detail")}
