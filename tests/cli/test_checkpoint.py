"""`tinsmith checkpoint` against a scripted server: lists, properties, publication and time to live."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cli.conftest import Answer, Asked, Result, Server

RUN = "sess-1:train:0"
PATH = f"tinker://{RUN}/weights/one"
PLACE = f"/training_runs/{RUN}/checkpoints/weights/one"


def checkpoint(
    name: str, kind: str = "weights", time: str = "2024-03-01T00:00:00Z", **more: Any
) -> dict[str, Any]:
    """Return a checkpoint as a server writes it."""
    return {
        "checkpoint_id": f"{kind}/{name}",
        "checkpoint_type": "training" if kind == "weights" else "sampler",
        "time": time,
        "tinker_path": f"tinker://{RUN}/{kind}/{name}",
        "size_bytes": 1536,
        "public": False,
        **more,
    }


def of_user(there: int) -> Callable[[Asked], Answer]:
    """Answer pages of a list with so many checkpoints."""

    def answer(asked: Asked) -> Answer:
        limit, offset = int(asked.query["limit"]), int(asked.query["offset"])
        found = [checkpoint(f"{n:04}") for n in range(there)][offset : offset + limit]
        cursor = {"offset": offset, "limit": limit, "total_count": there}
        return 200, {"checkpoints": found, "cursor": cursor}

    return answer


def test_list(cli: Callable[..., Result], server: Server) -> None:
    """The list of all checkpoints has seven columns, and the path is never cut."""
    server.on("GET", "/checkpoints", of_user(30))
    done = cli("checkpoint", "list", "--limit", "3")
    assert "3 checkpoints (27 more not shown, use --limit to see more)" in done.out
    for words in ("Checkpoint ID", "Type", "Size", "Public", "Created", "Expires", "Path"):
        assert words in done.out
    row = f"weights/0002 training 1.5 KB No 2024-03-01 Never tinker://{RUN}/weights/0002"
    assert row in done.words
    found = cli("checkpoint", "list", "--limit", "0", "-f", "json").json
    assert set(found) == {"checkpoints", "cursor", "total"}
    assert (len(found["checkpoints"]), found["total"]) == (30, 30)
    assert found["checkpoints"][0]["time"] == "2024-03-01T00:00:00+00:00"


def test_list_of_a_run(cli: Callable[..., Result], server: Server) -> None:
    """`--run-id` asks for that run and names it in the heading and in the JSON."""
    server.on("GET", f"/training_runs/{RUN}/checkpoints", (200, {"checkpoints": [checkpoint("one")]}))
    assert f"1 checkpoint for run {RUN}" in cli("checkpoint", "list", "--run-id", RUN).out
    found = cli("checkpoint", "list", "--run-id", RUN, "-f", "json").json
    assert (found["run_id"], found["total"]) == (RUN, 1)
    assert server.routes() == [f"GET /training_runs/{RUN}/checkpoints"] * 2


def test_list_of_a_run_has_a_limit(cli: Callable[..., Result], server: Server) -> None:
    """A run's checkpoints come all at once; the limit and the offset hold all the same."""
    saved = [checkpoint(f"{n:04}") for n in range(30)]
    server.on("GET", f"/training_runs/{RUN}/checkpoints", (200, {"checkpoints": saved}))
    done = cli("checkpoint", "list", "--run-id", RUN, "--limit", "3", "--offset", "5")
    assert f"3 checkpoints for run {RUN} (22 more not shown, use --limit to see more)" in done.out
    assert ("weights/0005 " in done.words, "weights/0008 " in done.words) == (True, False)
    found = cli("checkpoint", "list", "--run-id", RUN, "--limit", "0", "-f", "json").json
    assert (len(found["checkpoints"]), found["total"]) == (30, 30)


def test_list_empty(cli: Callable[..., Result], server: Server) -> None:
    """Nothing saved is no failure."""
    server.on("GET", "/checkpoints", of_user(0))
    assert cli("checkpoint", "list").out == "No checkpoints found\n"


def test_info(cli: Callable[..., Result], server: Server) -> None:
    """One checkpoint, with what it was trained on where the server knows."""
    listed = [checkpoint("two"), checkpoint("one", expires_at="2020-01-01T00:00:00Z", public=True)]
    server.on("GET", f"/training_runs/{RUN}/checkpoints", (200, {"checkpoints": listed}))
    bare = cli("checkpoint", "info", PATH)
    assert bare.code == 0
    assert "LoRA" not in bare.out
    server.on("POST", "/weights_info", (200, {"base_model": "m", "is_lora": True, "lora_rank": 8}))
    done = cli("checkpoint", "info", PATH)
    for words in (
        f"Tinker Path {PATH}",
        "Size 1.5 KB",
        "Public Yes",
        f"Training Run ID {RUN}",
        "Yes (Rank 8)",
    ):
        assert words in done.words
    found = cli("checkpoint", "info", PATH, "-f", "json").json
    assert (found["tinker_path"], found["is_lora"], found["lora_rank"]) == (PATH, True, 8)
    server.on("POST", "/weights_info", (404, {"detail": "unknown"}))
    missing = cli("checkpoint", "info", f"tinker://{RUN}/weights/three")
    assert (missing.code, missing.out) == (3, "")


@pytest.mark.parametrize("listed", [[], [checkpoint("two")]])
def test_info_is_not_taken_in_by_an_answer_for_any_name(
    cli: Callable[..., Result], server: Server, listed: list[dict[str, Any]]
) -> None:
    """Where weights_info answers for any name, the run's list says what is missing."""
    server.on("GET", f"/training_runs/{RUN}/checkpoints", (200, {"checkpoints": listed}))
    server.on("POST", "/weights_info", (200, {"base_model": "m", "is_lora": True, "lora_rank": 8}))
    missing = cli("checkpoint", "info", PATH)
    assert (missing.code, missing.out) == (3, "")
    assert "POST /weights_info" not in server.routes()


def test_info_of_a_path_that_is_listed_in_a_longer_form(cli: Callable[..., Result], server: Server) -> None:
    """Some servers answer a save with a short path and list the long one; both name the same checkpoint."""
    listed = [checkpoint("one", "sampler_weights", user_metadata={"note": "best so far"})]
    server.on("GET", f"/training_runs/{RUN}/checkpoints", (200, {"checkpoints": listed}))
    done = cli("checkpoint", "info", f"tinker://{RUN}/one")
    assert done.code == 0
    assert "Size 1.5 KB" in done.words
    assert "Metadata note best so far" in done.words


@pytest.mark.parametrize(
    "path", [f"tinker://{RUN}/external_weights/x", "tinker://project-p:copy:r/weights/x"]
)
def test_info_of_one_that_is_in_no_list(cli: Callable[..., Result], server: Server, path: str) -> None:
    """External checkpoints and copies in projects are shown as far as the server knows them."""
    server.on("GET", f"/training_runs/{RUN}/checkpoints", (200, {"checkpoints": []}))
    server.on("POST", "/weights_info", (200, {"base_model": "m", "is_lora": True, "lora_rank": 8}))
    done = cli("checkpoint", "info", path)
    assert done.code == 0
    assert f"Tinker Path {path}" in done.words
    assert "Base Model m LoRA Yes (Rank 8)" in done.words
    assert "Created" not in done.out
    found = cli("checkpoint", "info", path, "-f", "json").json
    assert (found["tinker_path"], found["checkpoint_id"].partition("/")[2]) == (path, "x")
    assert (found["is_lora"], found["lora_rank"]) == (True, 8)


@pytest.mark.parametrize(
    ("command", "method", "public"), [("publish", "POST", True), ("unpublish", "DELETE", False)]
)
def test_publish(cli: Callable[..., Result], server: Server, command: str, method: str, public: bool) -> None:
    """Publishing says so on stderr; JSON says what is so now."""
    server.on(method, f"{PLACE}/publish", (204, None))
    done = cli("checkpoint", command, PATH)
    assert (done.code, done.out) == (0, "")
    assert done.err.lower().startswith(command)
    assert cli("-f", "json", "checkpoint", command, PATH).json == {"tinker_path": PATH, "public": public}


@pytest.mark.parametrize(("arguments", "ttl"), [(("--ttl", "3600"), 3600), (("--remove",), None)])
def test_set_ttl(
    cli: Callable[..., Result], server: Server, arguments: tuple[str, ...], ttl: int | None
) -> None:
    """A time to live is set or removed; null is sent for the latter."""
    server.on("PUT", f"{PLACE}/ttl", (200, {}))
    done = cli("checkpoint", "set-ttl", PATH, *arguments, "-f", "json")
    assert done.json == {"tinker_path": PATH, "ttl_seconds": ttl}
    assert server.asked[0].body == {"ttl_seconds": ttl}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "exactly one of --ttl and --remove"),
        (("--ttl", "3600", "--remove"), "exactly one of --ttl and --remove"),
        (("--ttl", "0"), "an hour (3600 s) at least"),
        (("--ttl", "3599"), "an hour (3600 s) at least"),
        (("--ttl", "315360001"), "ten years"),
        (("--ttl", "x"), "whole number"),
    ],
)
def test_set_ttl_usage(
    cli: Callable[..., Result], server: Server, arguments: tuple[str, ...], words: str
) -> None:
    """Exactly one of --ttl and --remove, and the seconds that the API takes; nothing is sent."""
    done = cli("checkpoint", "set-ttl", PATH, *arguments)
    assert (done.code, done.out, server.asked) == (2, "", [])
    assert words in " ".join(done.err.split())
    assert "3600 (an hour) or more" in " ".join(cli("checkpoint", "set-ttl", "--help").out.split())


@pytest.mark.parametrize("command", ["info", "publish", "unpublish", "download", "delete"])
@pytest.mark.parametrize("path", ["run/weights/one", "tinker://run/else/one", "tinker://a/weights/b/c"])
def test_malformed_path(cli: Callable[..., Result], server: Server, command: str, path: str) -> None:
    """A path that is none is a usage error that names it, before anything is sent."""
    done = cli("checkpoint", command, path, *(["-y"] if command == "delete" else []))
    assert (done.code, done.out, server.asked) == (2, "", [])
    assert path in done.err
