"""`tinsmith run` against a scripted server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cli.conftest import Answer, Asked, Result, Server

RUN = {
    "training_run_id": "sess-1:train:0",
    "base_model": "meta/Some-Model",
    "model_owner": "ada",
    "is_lora": True,
    "lora_rank": 32,
    "corrupted": False,
    "last_request_time": "2020-05-01T10:00:00Z",
    "last_checkpoint": {
        "checkpoint_id": "weights/0007",
        "checkpoint_type": "training",
        "time": "2020-05-01T09:00:00Z",
        "tinker_path": "tinker://sess-1:train:0/weights/0007",
        "size_bytes": 2048,
        "public": False,
    },
    "last_sampler_checkpoint": None,
    "user_metadata": {"note": "first [bold]try[/bold]"},
}


def runs(there: int) -> Callable[[Asked], Answer]:
    """Answer pages of a list with so many runs."""

    def answer(asked: Asked) -> Answer:
        limit, offset = int(asked.query["limit"]), int(asked.query["offset"])
        found = [{**RUN, "training_run_id": f"sess-1:train:{n}"} for n in range(there)][
            offset : offset + limit
        ]
        cursor = {"offset": offset, "limit": limit, "total_count": there}
        return 200, {"training_runs": found, "cursor": cursor}

    return answer


def test_list_table(cli: Callable[..., Result], server: Server) -> None:
    """The table has the default columns, a heading and a row for each run; no session is opened."""
    server.on("GET", "/training_runs", runs(2))
    done = cli("run", "list")
    assert (done.code, done.err) == (0, "")
    assert "2 training runs" in done.out
    for words in ("Run ID", "Base Model", "LoRA", "Last Update", "Status"):
        assert words in done.out
    assert "Owner" not in done.out
    assert "sess-1:train:1 meta/Some-Model Rank 32 2020-05-01 OK" in done.words
    assert server.routes() == ["GET /training_runs"]
    assert server.asked[0].query == {"limit": "20", "offset": "0"}
    assert server.asked[0].key == "tml-key-of-the-tests"


def test_list_columns(cli: Callable[..., Result], server: Server) -> None:
    """`--columns` chooses and orders; an unknown name is a usage error that sends nothing."""
    server.on("GET", "/training_runs", runs(1))
    done = cli("run", "list", "-c", "status, owner,checkpoint,checkpoint_time")
    assert "OK ada weights/0007 2020-05-01" in done.words
    wrong = cli("run", "list", "-c", "id,size")
    assert (wrong.code, wrong.out) == (2, "")
    assert "unknown column 'size'" in wrong.err
    assert len(server.asked) == 1


def test_list_json(cli: Callable[..., Result], server: Server) -> None:
    """JSON has the runs as the API writes them, with the cursor and the total, dates in ISO 8601."""
    server.on("GET", "/training_runs", runs(3))
    found = cli("run", "list", "--limit", "2", "--format", "json").json
    assert set(found) == {"runs", "cursor", "total"}
    assert (found["total"], found["cursor"]) == (3, {"offset": 0, "limit": 2, "total_count": 3})
    assert found["runs"][0]["last_request_time"] == "2020-05-01T10:00:00+00:00"
    assert found["runs"][0]["last_checkpoint"]["checkpoint_id"] == "weights/0007"
    assert set(found["runs"][0]) >= set(RUN)


@pytest.mark.parametrize(
    "arguments",
    [
        ("-f", "json", "run", "list"),
        ("run", "-f", "json", "list"),
        ("run", "list", "-f", "json"),
        ("-f", "table", "run", "--format", "table", "list", "--format=json"),
    ],
)
def test_format_stands_anywhere(
    cli: Callable[..., Result], server: Server, arguments: tuple[str, ...]
) -> None:
    """`--format` counts before the group, on it and behind the command; the nearest wins."""
    server.on("GET", "/training_runs", runs(1))
    assert cli(*arguments).json["total"] == 1


def test_list_pages(cli: Callable[..., Result], server: Server) -> None:
    """All runs are fetched in pages of 100, and what a limit leaves out is said."""
    server.on("GET", "/training_runs", runs(250))
    assert len(cli("run", "list", "--limit", "0", "-f", "json").json["runs"]) == 250
    assert [asked.query["offset"] for asked in server.asked] == ["0", "100", "200"]
    assert "20 training runs (230 more not shown, use --limit to see more)" in cli("run", "list").out
    tail = cli("run", "list", "--offset", "245", "-f", "json").json
    assert [run["training_run_id"][-3:] for run in tail["runs"]] == ["245", "246", "247", "248", "249"]


def test_list_empty(cli: Callable[..., Result], server: Server) -> None:
    """An empty list is a sentence, or an empty JSON list; it is no failure."""
    server.on("GET", "/training_runs", runs(0))
    assert cli("run", "list").out == "No training runs found\n"
    assert cli("run", "list", "-f", "json").json["runs"] == []


def test_info(cli: Callable[..., Result], server: Server) -> None:
    """One run: properties in a table, the run itself in JSON; markup and control characters stay text."""
    evil: Any = {**RUN, "corrupted": True, "user_metadata": {"note": "[red]x[/red]\x1b[2J"}}
    server.on("GET", "/training_runs/sess-1:train:0", (200, evil))
    done = cli("run", "info", "sess-1:train:0")
    assert "LoRA Yes (Rank 32)" in done.words
    assert "Status Failed" in done.words
    assert "Path tinker://sess-1:train:0/weights/0007" in done.words
    assert "note [red]x[/red]�[2J" in done.words
    assert "\x1b" not in done.out
    found = cli("-f", "json", "run", "info", "sess-1:train:0").json
    assert (found["training_run_id"], found["lora_rank"]) == ("sess-1:train:0", 32)


def test_not_found(cli: Callable[..., Result], server: Server) -> None:
    """A run that does not exist is exit code 3, one line on stderr and nothing on stdout."""
    done = cli("-f", "json", "run", "info", "nobody")
    assert (done.code, done.out) == (3, "")
    assert done.err.startswith("Error: Resource not found: ")
    assert len(server.asked) == 1
