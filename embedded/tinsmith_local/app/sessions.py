"""Sessions: opened, kept alive, listed, finished."""

import secrets

import orjson

from tinsmith_local.service import Service
from tinsmith_local.store import SessionRow

from . import lookups
from .answer import Answer, nothing
from .call import Call
from .refusal import Refusal


async def create_session(service: Service, call: Call) -> Answer:
    """Open a session."""
    now = service.clock()
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
    service.sessions.add(row)
    body = {
        "type": "create_session",
        "session_id": row.session_id,
        "info_message": None,
        "warning_message": None,
        "error_message": None,
    }
    return Answer(body, 201 if service.options.imitate.status_codes else 200)


async def session_heartbeat(service: Service, call: Call) -> Answer:
    """Note a sign of life."""
    lookups.session(service, call.text("session_id"), ended=410)
    if service.options.imitate.status_codes:
        return nothing()
    return Answer({"type": "session_heartbeat"})


def _any_session(service: Service, call: Call) -> SessionRow:
    """Find a session, finished ones too."""
    session_id = str(call.parameters["session_id"])
    found = service.sessions.find(session_id)
    if found is None:
        raise Refusal(404, f"unknown session {session_id!r}")
    return found


async def get_session(service: Service, call: Call) -> Answer:
    """Describe a session."""
    found = _any_session(service, call)
    return Answer(
        {
            "training_run_ids": service.runs.of_session(found.session_id),
            "sampler_ids": [row.sampler_id for row in service.sessions.samplers(found.session_id)],
            "user_metadata": labels(found.user_metadata),
            "display_name": found.display_name,
            "tags": orjson.loads(found.tags),
            "status": found.status,
            "project_id": found.project_id,
        }
    )


async def list_sessions(service: Service, call: Call) -> Answer:
    """List sessions, newest first."""
    limit, offset = page(call, 20)
    return Answer({"sessions": service.sessions.page(limit, offset)})


def labels(stored: str | None) -> dict[str, str] | None:
    """Word stored metadata as answers do: text by name; other JSON values are written as text."""
    if stored is None:
        return None
    found: dict[str, object] = orjson.loads(stored)
    return {
        name: value if isinstance(value, str) else orjson.dumps(value).decode()
        for name, value in found.items()
    }


def page(call: Call, default: int) -> tuple[int, int]:
    """Return limit and offset of a list."""
    return int(call.parameters.get("limit", default)), int(call.parameters.get("offset", 0))


async def set_session_project(service: Service, call: Call) -> Answer:
    """Put a session in a project."""
    found = _any_session(service, call)
    service.sessions.set_project(found.session_id, call.text("project_id"))
    return nothing()


async def finish_session(service: Service, call: Call) -> Answer:
    """Close a session; closing it again is no error."""
    found = _any_session(service, call)
    if found.status == "active":
        service.finish_session(found.session_id, "finished", orjson.dumps(call.body).decode())
    return nothing()


async def export_session_trace(service: Service, call: Call) -> Answer:
    """Say that no traces are recorded here."""
    _any_session(service, call)
    return Answer({"status": "failed", "url": None, "error": "this service records no traces"})
