"""`tinsmith session` against a scripted server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cli.conftest import Answer, Asked, Result, Server


def sessions(there: int) -> Callable[[Asked], Answer]:
    """Answer pages of a list with so many sessions; this route tells no total."""

    def answer(asked: Asked) -> Answer:
        limit, offset = int(asked.query["limit"]), int(asked.query["offset"])
        return 200, {"sessions": [f"sess-{n}" for n in range(there)][offset : offset + limit]}

    return answer


def test_list(cli: Callable[..., Result], server: Server) -> None:
    """Sessions are listed by id; the total is null until a short page tells it."""
    server.on("GET", "/sessions", sessions(30))
    done = cli("session", "list")
    assert "20 sessions" in done.out
    assert "sess-19" in done.out
    assert cli("session", "list", "-f", "json").json["total"] is None
    every = cli("session", "list", "--limit", "0", "-f", "json").json
    assert (len(every["sessions"]), every["total"]) == (30, 30)


def test_list_tells_what_the_server_knows(cli: Callable[..., Result], server: Server) -> None:
    """Name, status and project come from the search, page by page, until all that are listed are found."""
    asked: list[Any] = []

    def search(request: Asked) -> Answer:
        asked.append(request.body.get("cursor"))
        number = len(asked)
        found = {
            "session_id": f"sess-{number}",
            "created_at": "2024-03-01T00:00:00Z",
            "display_name": f"Name {number}",
            "project_id": "proj-1",
            "status": {"type": "active"} if number == 1 else "failed",
        }
        return 200, {"sessions": [found], "next_cursor": {"last_session_id": found["session_id"]}}

    server.on("GET", "/sessions", (200, {"sessions": ["sess-1", "sess-2"]}))
    server.on("POST", "/sessions/search", search)
    done = cli("session", "list")
    assert "sess-1 Name 1 active proj-1 2024-03-01 sess-2 Name 2 failed proj-1 2024-03-01" in done.words
    assert asked == [None, {"last_session_id": "sess-1"}]
    asked.clear()
    found = cli("session", "list", "-f", "json").json
    assert found["sessions"] == ["sess-1", "sess-2"]
    assert {name: one["display_name"] for name, one in found["details"].items()} == {
        "sess-1": "Name 1",
        "sess-2": "Name 2",
    }


def test_list_empty(cli: Callable[..., Result], server: Server) -> None:
    """No sessions is no failure, and looking opens none."""
    server.on("GET", "/sessions", sessions(0))
    assert cli("session", "list").out == "No sessions found\n"
    assert server.routes() == ["GET /sessions"]


def test_info(cli: Callable[..., Result], server: Server) -> None:
    """One session lists what it made."""
    made = {"training_run_ids": ["s:train:0", "s:train:1"], "sampler_ids": [], "user_metadata": {"a": "b"}}
    server.on("GET", "/sessions/s", (200, made))
    done = cli("session", "info", "s")
    for words in ("Session ID s", "Training Runs 2", "s:train:1", "Samplers 0", "a b"):
        assert words in done.words
    found = cli("session", "info", "s", "-f", "json").json
    assert (found["session_id"], found["training_run_ids"]) == ("s", ["s:train:0", "s:train:1"])


def test_not_found(cli: Callable[..., Result], server: Server) -> None:
    """An unknown session is exit code 3."""
    assert cli("session", "info", "nobody").code == 3
    assert len(server.asked) == 1


def test_finish(cli: Callable[..., Result], server: Server) -> None:
    """A session is ended with a reason and words; an unknown one is exit code 3."""
    server.on("POST", "/sessions/sess-1/finish", (204, None))
    assert cli("session", "finish", "sess-1").err == "Ended the session sess-1.\n"
    assert server.asked[-1].body == {"reason": {"type": "interrupted"}}
    done = cli("session", "finish", "sess-1", "--reason", "errored", "--detail", "out of disk", "-f", "json")
    assert done.json == {"session_id": "sess-1", "reason": "errored", "detail": "out of disk"}
    assert server.asked[-1].body == {"reason": {"type": "errored"}, "detail": "out of disk"}
    assert cli("session", "finish", "sess-2").code == 3
