"""`tinsmith session` against a scripted server."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
