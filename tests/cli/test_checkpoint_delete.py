"""`tinsmith checkpoint delete` against a scripted server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cli.test_checkpoint import RUN, checkpoint

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cli.conftest import Result, Server

ONE, TWO, THREE = (f"tinker://{RUN}/weights/{name}" for name in ("one", "two", "three"))


def place(path: str) -> str:
    """Return the route of a checkpoint."""
    return f"/training_runs/{RUN}/checkpoints/" + path.removeprefix(f"tinker://{RUN}/")


def deletable(server: Server, *paths: str) -> None:
    """Let checkpoints be deleted."""
    for path in paths:
        server.on("DELETE", place(path), (204, None))


def test_asks_first(cli: Callable[..., Result], server: Server) -> None:
    """What will be lost is listed; `y` deletes, `n` does not, and both are exit code 0."""
    deletable(server, ONE, TWO)
    no = cli("checkpoint", "delete", ONE, TWO, stdin="n\n")
    assert (no.code, no.out, server.asked) == (0, "", [])
    assert "Will delete 2 checkpoints:" in no.err
    assert "Deletion cancelled." in no.err
    done = cli("checkpoint", "delete", ONE, TWO, stdin="y\n")
    assert (done.code, done.out) == (0, "")
    assert "Deleted 2 checkpoints" in done.err
    assert sorted(server.routes()) == sorted(f"DELETE {place(path)}" for path in (ONE, TWO))


def test_end_of_input_is_no_answer(cli: Callable[..., Result], server: Server) -> None:
    """Without anybody to ask nothing is deleted, and the exit code says so."""
    done = cli("checkpoint", "delete", ONE)
    assert (done.code, server.asked) == (1, [])


def test_goes_on_after_a_failure(cli: Callable[..., Result], server: Server) -> None:
    """Each failure is listed, the others are deleted, the exit code is 1."""
    deletable(server, ONE, THREE)
    done = cli("checkpoint", "delete", "--yes", ONE, TWO, THREE)
    assert (done.code, done.out) == (1, "")
    assert "Deleted 2 checkpoints" in done.err
    assert f"Failed: {TWO}: " in done.err
    found = cli("checkpoint", "delete", "-y", ONE, TWO, THREE, "-f", "json")
    assert found.code == 1
    assert (found.json["deleted_count"], found.json["deleted"]) == (2, [ONE, THREE])
    assert [item["tinker_path"] for item in found.json["failed"]] == [TWO]
    assert "no such thing" in found.json["failed"][0]["error"]


def test_one_failure_has_its_own_code(cli: Callable[..., Result], server: Server) -> None:
    """A single checkpoint that does not exist is exit code 3."""
    assert cli("checkpoint", "delete", "-y", ONE).code == 3
    assert len(server.asked) == 1


def test_twice_named_is_deleted_once(cli: Callable[..., Result], server: Server) -> None:
    """A path that is named twice is one checkpoint."""
    deletable(server, ONE)
    assert cli("checkpoint", "delete", "-y", ONE, ONE, "-f", "json").json["deleted_count"] == 1


@pytest.mark.parametrize(
    ("filters", "deleted"),
    [
        ((), {"a", "b", "c"}),
        (("--type", "sampler_weights"), {"c"}),
        (("--before", "2024-02-01"), {"a"}),
        (("--after", "2024-02-01"), {"c"}),
        (("--after", "2024-01-31T23:59:59Z", "--before", "2024-02-02"), {"b"}),
        (("--after", "2024-02-01T00:00:00+01:00", "--before", "2024-02-02"), {"b"}),
    ],
)
def test_of_a_run(
    cli: Callable[..., Result], server: Server, filters: tuple[str, ...], deleted: set[str]
) -> None:
    """`--run-id` deletes a run's checkpoints, by kind and by date in UTC; the bounds themselves are out."""
    listed = [
        checkpoint("a", time="2024-01-01T00:00:00Z"),
        checkpoint("b", time="2024-02-01T00:00:00Z"),
        checkpoint("c", "sampler_weights", time="2024-03-01T00:00:00"),
    ]
    server.on("GET", f"/training_runs/{RUN}/checkpoints", (200, {"checkpoints": listed}))
    deletable(server, *(item["tinker_path"] for item in listed))
    done = cli("checkpoint", "delete", "--run-id", RUN, "-y", *filters, "-f", "json")
    assert {path.rpartition("/")[2] for path in done.json["deleted"]} == deleted


def test_of_a_run_without_checkpoints(cli: Callable[..., Result], server: Server) -> None:
    """Nothing to delete asks nothing and is no failure."""
    server.on("GET", f"/training_runs/{RUN}/checkpoints", (200, {"checkpoints": []}))
    assert cli("checkpoint", "delete", "--run-id", RUN, "-f", "json").json["deleted_count"] == 0


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        (ONE, "--run-id", RUN),
        (ONE, "--type", "weights"),
        (ONE, "--before", "2024-01-01"),
        ("--run-id", RUN, "--before", "yesterday"),
        ("--run-id", RUN, "--type", "pictures"),
        (ONE, "run/weights/two"),
    ],
)
def test_usage(cli: Callable[..., Result], server: Server, arguments: tuple[str, ...]) -> None:
    """Wrong combinations, dates and paths are refused before anything is sent."""
    done = cli("checkpoint", "delete", "-y", *arguments)
    assert (done.code, done.out, server.asked) == (2, "", [])
