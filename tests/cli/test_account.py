"""`tinsmith auth`, `billing`, `audit` and `session export-trace` against a scripted server."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.conftest import Result, Server

USED = {
    "event_info": {"type": "training", "token_count": 1200},
    "bucket_start": "2026-11-01T10:00:00Z",
    "bucket_end": "2026-11-01T11:00:00Z",
    "base_model": "Big/One",
    "session_id": "sess-1",
    "estimated_cost_usd": 0.125,
}
SAVED: dict[str, Any] = {"event_info": {"type": "checkpoint", "count": 3}, "session_id": "sess-2"}
USAGE = {"data": [USED, SAVED], "sessions": {"sess-1": {"display_name": "Baseline"}, "sess-2": None}}
STORED = {
    "data": [
        {
            "checkpoint_count": 4,
            "size_bytes": 1536,
            "project_id": "proj-1",
            "user_name": "Ada",
            "estimated_monthly_cost_usd": 1234.5,
        }
    ]
}
PATH = "tinker://sess-1:train:0/weights/one"
ENTRIES = {
    "entries": [{"timestamp": "2024-03-01T00:00:00Z", "event": "checkpoint.deleted", "tinker_path": PATH}]
}


def rows_of(path: Path) -> list[dict[str, str]]:
    """Read a CSV file."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_usage(cli: Callable[..., Result], server: Server, tmp_path: Path) -> None:
    """What was used is shown and written to files; a day stands for its first hour."""
    server.on("GET", "/billing/usage/events", (200, USAGE))
    entries, sessions = tmp_path / "entries.csv", tmp_path / "sessions.csv"
    files = ("--csv", str(entries), "--sessions-csv", str(sessions))
    done = cli("billing", "usage", "2026-11-01", "2026-11-02T05:00+01:00", *files)
    assert "2 items, $0.1250 as far as costs are known" in done.out
    assert "2026-11-01 10:00 training Big/One sess-1 1200 tokens $0.1250" in done.words
    assert "N/A checkpoint sess-2 3 checkpoints N/A" in done.words
    asked = server.asked[0].query
    assert asked == {"starting_on": "2026-11-01T00:00:00Z", "ending_before": "2026-11-02T04:00:00Z"}
    first, second = rows_of(entries)
    assert (first["type"], first["token_count"], second["count"]) == ("training", "1200", "3")
    assert rows_of(sessions) == [
        {"session_id": "sess-1", "display_name": "Baseline"},
        {"session_id": "sess-2", "display_name": ""},
    ]
    found = cli("billing", "usage", "2026-11-01", "2026-11-02", "-f", "json").json
    assert set(found) == {"data", "sessions", "cost_data_through"}
    assert found["data"][0]["event_info"]["token_count"] == 1200


def test_usage_by_run(cli: Callable[..., Result], server: Server) -> None:
    """Sums of each session to the last digit, with the runs that it held where the server knows them."""
    again = {**USED, "estimated_cost_usd": 0.2}
    sampled = {**USED, "event_info": {"type": "sampling_sample", "token_count": 7}, "estimated_cost_usd": 0.1}
    document = {**USAGE, "data": [USED, again, sampled, SAVED]}
    server.on("GET", "/billing/usage/events", (200, document))
    server.on("GET", "/sessions/sess-1", (200, {"training_run_ids": ["sess-1:train:0"], "sampler_ids": []}))
    done = cli("billing", "usage", "2026-11-01", "2026-11-02", "--by", "run")
    row = "sess-1:train:0 sess-1 Big/One 2,400 training, 7 sampling_sample $0.4250"
    assert row in done.words
    assert "N/A sess-2 N/A" in done.words
    first, second = cli("billing", "usage", "2026-11-01", "2026-11-02", "--by", "run", "-f", "json").json[
        "runs"
    ]
    assert first == {
        "session_id": "sess-1",
        "runs": ["sess-1:train:0"],
        "base_model": "Big/One",
        "tokens": {"training": 2400, "sampling_sample": 7},
        "cost_usd": "0.425",
    }
    assert (second["session_id"], second["runs"], second["cost_usd"]) == ("sess-2", [], None)


@pytest.mark.parametrize(
    ("start", "words"), [("yesterday", "no ISO 8601"), ("2026-11-01T10:30", "must be a full hour")]
)
def test_usage_of_no_hour(cli: Callable[..., Result], server: Server, start: str, words: str) -> None:
    """Times that the API does not take are usage errors; nothing is sent."""
    done = cli("billing", "usage", start, "2026-11-02")
    assert (done.code, done.out, server.asked) == (2, "", [])
    assert words in done.err
    assert "START" in done.err


def test_storage(cli: Callable[..., Result], server: Server, tmp_path: Path) -> None:
    """What checkpoints take, by project and user."""
    server.on("GET", "/billing/usage/checkpoints/current", (200, STORED))
    file = tmp_path / "stored.csv"
    done = cli("billing", "checkpoint-storage", "--project-id", "proj-1", "--csv", str(file))
    assert "proj-1 Ada 4 1.5 KB $1,234.50" in done.words
    assert server.asked[0].query == {"project_id": "proj-1"}
    assert rows_of(file)[0]["size_bytes"] == "1536"
    found = cli("billing", "checkpoint-storage", "-f", "json").json
    assert found["data"][0]["checkpoint_count"] == 4


def test_csv_on_stdout(cli: Callable[..., Result], server: Server) -> None:
    """`--csv -` prints the rows and nothing else; two files cannot both be stdout."""
    server.on("GET", "/billing/usage/checkpoints/current", (200, STORED))
    server.on("GET", "/billing/usage/events", (200, USAGE))
    storage = cli("billing", "checkpoint-storage", "--csv", "-")
    assert [row["size_bytes"] for row in csv.DictReader(storage.out.splitlines())] == ["1536"]
    days = ("2026-11-01", "2026-11-02")
    for option, rows in (("--csv", 2), ("--sessions-csv", 2)):
        done = cli("billing", "usage", *days, option, "-")
        assert len(list(csv.DictReader(done.out.splitlines()))) == rows
        assert done.err == ""
    assert cli("billing", "usage", *days, "--csv", "-", "--sessions-csv", "-").code == 2


def test_audit(cli: Callable[..., Result], server: Server) -> None:
    """What was done on a day, by kind."""
    server.on("GET", "/audit", (200, ENTRIES))
    done = cli("audit", "list", "--type", "checkpoints", "--day", "2024-03-01")
    assert f"checkpoint.deleted 2024-03-01 {PATH}" in done.words
    assert server.asked[0].query == {"event_type": "checkpoints", "day": "2024-03-01"}
    assert cli("audit", "list", "-f", "json").json["entries"][0]["tinker_path"] == PATH
    done = cli("audit", "list", "--day", "today")
    assert done.code == 2
    assert "--day: is no day such as" in done.err


def test_trace(cli: Callable[..., Result], server: Server, tmp_path: Path) -> None:
    """The trace is fetched without the key into a file that is whole, or its URL is printed."""
    url = f"{server.url}/traces/one?sig=s"
    server.on("GET", "/sessions/s/trace_export", (200, {"status": "ready", "url": url}))
    server.on("GET", "/traces/one", (200, {"spans": [1, 2]}))
    file = tmp_path / "trace.json"
    done = cli("session", "export-trace", "s", "-o", str(file), "-f", "json")
    assert done.json == {"session_id": "s", "path": str(file), "size_bytes": file.stat().st_size}
    assert json.loads(file.read_text()) == {"spans": [1, 2]}
    assert server.asked[-1].key is None
    assert f"URL {url}" in cli("session", "export-trace", "s", "--url-only").words
    assert cli("session", "export-trace", "s", "--url-only", "-o", str(file)).code == 2


@pytest.mark.parametrize(
    "answer",
    [{"status": "failed", "error": "trace is empty"}, {"status": "ready", "url": "file:///etc/passwd"}],
)
def test_no_trace(cli: Callable[..., Result], server: Server, tmp_path: Path, answer: dict[str, str]) -> None:
    """A trace that failed, and an address that is none of the web, leave no file."""
    server.on("GET", "/sessions/s/trace_export", (200, answer))
    done = cli("session", "export-trace", "s", "-o", str(tmp_path / "trace.json"))
    assert (done.code, done.out) == (1, "")
    assert list(tmp_path.iterdir()) == []
    server.on("GET", "/sessions/s/trace_export", (200, {"status": "ready", "url": f"{server.url}/nothing"}))
    assert cli("session", "export-trace", "s", "-o", str(tmp_path / "trace.json")).code == 3
    assert list(tmp_path.iterdir()) == []
