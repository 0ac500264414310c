"""Every command x table, JSON, empty, paging, usage, error, no key, Ctrl-C, against the embedded service."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, NamedTuple

import pytest
import tinsmith
from tinsmith import types

from tests.cli.test_main import helps
from tests.guard import WAIT_S

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cli.conftest import Result

DAYS = ("2026-11-01", "2026-11-02")
GHOST = "tinker://nobody/weights/ghost"


class Row(NamedTuple):
    """One command: how it is called, what it says, how it fails. `{...}` is filled in from the service."""

    good: str
    """Arguments that succeed."""
    words: str
    """What it then says to a person, on stdout or, where nothing is asked for, on stderr."""
    keys: set[str]
    """Keys of its JSON document."""
    empty: str | None = None
    """What it says where nobody did anything yet."""
    pages: str | None = None
    """The list of the JSON document that `--limit` cuts."""
    bad: tuple[str, int] | None = None
    """Arguments that the server or the disk refuses, and the exit code."""


GRID = {
    "version": Row("", "tinsmith", {"name", "version"}),
    "sample": Row(
        "one -b tinsmith/tiny --max-tokens 2", "", {"prompt_tokens", "sequences"}, bad=("one -b no/body", 3)
    ),
    "run list": Row("", "{run}", {"runs", "cursor", "total"}, "No training runs found", "runs"),
    "run info": Row("{run}", "Rank 4", {"training_run_id", "lora_rank", "user_metadata"}, bad=("nobody", 3)),
    "checkpoint list": Row(
        "",
        "{path}",
        {"checkpoints", "cursor", "total"},
        "No checkpoints found",
        "checkpoints",
        ("--run-id nobody", 3),
    ),
    "checkpoint info": Row(
        "{path}", "Training Run ID", {"tinker_path", "size_bytes", "lora_rank"}, bad=(GHOST, 3)
    ),
    "checkpoint publish": Row("{next}", "Published", {"tinker_path", "public"}, bad=(GHOST, 3)),
    "checkpoint unpublish": Row("{public}", "Unpublished", {"tinker_path", "public"}, bad=(GHOST, 3)),
    "checkpoint set-ttl": Row(
        "{path} --ttl 7200",
        "expires in 7200 seconds",
        {"tinker_path", "ttl_seconds"},
        bad=(f"{GHOST} --remove", 3),
    ),
    "checkpoint delete": Row(
        "-y {next}", "Deleted 1 checkpoint", {"deleted_count", "deleted", "failed"}, bad=(f"-y {GHOST}", 3)
    ),
    "checkpoint download": Row(
        "{path} -o {folder} --force",
        "Extracted to",
        {"checkpoint_path", "destination"},
        bad=(f"{GHOST} -o {{folder}}", 3),
    ),
    "checkpoint push-hf": Row(
        "{path} --dry-run {folder}/hub",
        "adapter_model.safetensors",
        {"repo", "files", "base_model", "commit"},
        bad=(f"{GHOST} --dry-run {{folder}}/hub", 3),
    ),
    "export": Row(
        "{path} --to merged -o {folder}/merged",
        "Largest Difference of a Logit",
        {"form", "destination", "base_model", "rank", "size_bytes", "compared", "difference", "limit"},
        bad=(f"{GHOST} --to peft -o {{folder}}/peft", 3),
    ),
    "session list": Row("", "{session}", {"sessions", "cursor", "total"}, "No sessions found", "sessions"),
    "session info": Row("{session}", "{run}", {"session_id", "training_run_ids"}, bad=("nobody", 3)),
    "session finish": Row("{session}", "Ended", {"session_id", "reason", "detail"}, bad=("nobody", 3)),
    "model list": Row("", "tinsmith/tiny", {"models"}),
    "data check": Row(
        "{chats} -m tinsmith/tiny",
        "1 chat",
        {"records", "tokens", "problems"},
        bad=("{chats} -m no/body", 3),
    ),
    "train": Row(
        "{chats} -m tinsmith/tiny --epochs 1 --rank 2 -o {folder}/run",
        "Weights to Sample",
        {"out", "steps", "loss", "held_out_loss", "checkpoint", "sampler_weights"},
        bad=("{chats} -m no/body -o {folder}/run", 3),
    ),
    "cost": Row(
        "{chats} -m tinsmith/tiny",
        "Training",
        {"model", "steps", "tokens", "prices", "cost_usd"},
        bad=("{chats} -m no/body", 3),
    ),
    "eval": Row(
        "-m tinsmith/tiny {chats} --match exact --max-new-tokens 2",
        "nats a token",
        {"records", "loss", "score", "failed"},
        bad=("tinker://nobody/sampler_weights/ghost {chats}", 3),
    ),
    "auth whoami": Row("", "Organization", {"email", "user_urn", "org_urn"}),
    "auth status": Row("", "Server", {"base_url", "source", "accepted", "key"}),
    "billing usage": Row(
        " ".join(DAYS),
        "No items found",
        {"data", "sessions"},
        "No items found",
        bad=("2026-11-01 2026-11-02 --csv /nowhere/at/all", 1),
    ),
    "billing checkpoint-storage": Row(
        "", "local", {"data"}, "No items found", bad=("--csv /nowhere/at/all", 1)
    ),
    "audit list": Row("", "No events found", {"entries"}, "No events found"),
}
ELSEWHERE = {
    "gateway": "test_gateway: it prints two lines and runs until Ctrl-C",
    "serve": "test_serve: it prints two lines and runs until Ctrl-C",
    "model fetch": "test_model: it asks an index, and no service",
    "chat": "test_chat: it reads turns from standard input, in a terminal or a pipe",
    "contract check": "test_contract: its argument is a server, and it has two more tables",
    "run watch": "test_watch: it follows another process, and prints a line for each step",
    "doctor": "test_doctor: it goes on where others fail, and says all of it",
    "auth login": "test_login: it reads a key from standard input, and changes a file",
    "auth logout": "test_login: it changes a file, and needs no server",
    "session export-trace": "test_account: the embedded service records no traces",
}
REMOTE = [command for command in GRID if command != "version"]


class Filled(NamedTuple):
    """A service with something in it."""

    address: str
    facts: dict[str, str]
    spare: list[str]
    """Checkpoints that a test may change or delete."""

    def words(self, command: str, text: str, folder: str) -> list[str]:
        """Return the words of a command line."""
        facts = dict(self.facts, folder=folder)
        for name in ("next", "public"):
            if f"{{{name}}}" in text:
                facts[name] = self.spare.pop()
        return [*command.split(), *text.format_map(facts).split()]


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Filled:
    """Train a little, twice, on a service that keeps its data."""
    address = f"local:{tmp_path_factory.mktemp('grid') / 'data'}"
    with tinsmith.ServiceClient(base_url=address) as service:
        rest = service.create_rest_client()
        for rank in (2, 4):
            trainer = service.create_lora_training_client("tinsmith/tiny", rank=rank)
            trainer.optim_step(types.AdamParams()).result()
        names = [f"n{number}" for number in range(12)]
        paths = [saved.result().path for saved in [trainer.save_state(name) for name in names]]
        run = trainer.model_id
    with tinsmith.ServiceClient(base_url=address) as service:
        service.create_lora_training_client("tinsmith/tiny", rank=1)
        rest = service.create_rest_client()
        sessions = rest.list_sessions().result().sessions
    session = next(name for name in sessions if run.startswith(name))
    chats = tmp_path_factory.mktemp("data") / "chats.jsonl"
    chats.write_text('{"instruction": "Name the symbol of tin.", "output": "Sn"}')
    facts = {"run": run, "path": paths[0], "session": session, "chats": str(chats)}
    return Filled(address, facts, paths[1:])


def commands() -> set[str]:
    """Return the words of every command there is."""
    groups = {" ".join(path) for path in helps()}
    return {path for path in groups if path and not any(other.startswith(f"{path} ") for other in groups)}


def test_the_grid_is_complete() -> None:
    """Each command has its row, or a reason and another test."""
    assert set(GRID) | set(ELSEWHERE) == commands()
    assert not set(GRID) & set(ELSEWHERE)


@pytest.mark.parametrize("command", GRID)
def test_table(cli: Callable[..., Result], filled: Filled, tmp_path: object, command: str) -> None:
    """A person gets a table or text on stdout, or a sentence on stderr where nothing was asked for."""
    row = GRID[command]
    words = filled.words(command, row.good, str(tmp_path))
    if command == "checkpoint unpublish":
        assert cli("--base-url", filled.address, "checkpoint", "publish", words[-1]).code == 0
    done = cli("--base-url", filled.address, *words)
    assert done.code == 0, done.err
    assert row.words.format_map(filled.facts) in done.out + done.err
    assert not done.out.startswith("{")
    assert "Traceback" not in done.err


@pytest.mark.parametrize("command", GRID)
def test_json(cli: Callable[..., Result], filled: Filled, tmp_path: object, command: str) -> None:
    """A program gets one document on stdout and nothing beside it."""
    row = GRID[command]
    words = filled.words(command, row.good, str(tmp_path))
    if command == "checkpoint unpublish":
        assert cli("--base-url", filled.address, "checkpoint", "publish", words[-1]).code == 0
    done = cli("--base-url", filled.address, "-f", "json", *words)
    assert done.code == 0, done.err
    assert set(done.json) >= row.keys


@pytest.mark.parametrize("command", [name for name, row in GRID.items() if row.empty])
def test_empty(cli: Callable[..., Result], tmp_path: object, command: str) -> None:
    """Where nothing is, a sentence says so, and JSON has an empty list; neither is a failure."""
    words = ["--base-url", f"local:{tmp_path}/empty", *command.split(), *GRID[command].good.split()]
    assert cli(*words)[:2] == (0, f"{GRID[command].empty}\n")
    document = cli(*words, "-f", "json").json
    assert [value for value in document.values() if isinstance(value, list)] == [[]]


@pytest.mark.parametrize("command", [name for name, row in GRID.items() if row.pages])
def test_paging(cli: Callable[..., Result], filled: Filled, command: str) -> None:
    """Pages of one entry, put together, are the whole list; the cursor says where each one is."""
    row = GRID[command]
    here = ["--base-url", filled.address, *command.split(), "-f", "json"]
    whole = cli(*here, "--limit", "0").json
    assert len(whole[row.pages]) > 1
    for place, entry in enumerate(whole[row.pages]):
        page = cli(*here, "--limit", "1", "--offset", str(place)).json
        assert page[row.pages] == [entry]
        assert (page["cursor"]["offset"], page["cursor"]["limit"]) == (place, 1)
    assert cli(*here, "--offset", "1000").json[row.pages] == []


@pytest.mark.parametrize("command", sorted(commands()))
def test_usage(cli: Callable[..., Result], command: str) -> None:
    """An option that is none is exit code 2 with the usage on stderr."""
    done = cli(*command.split(), "--nonsense")
    assert (done.code, done.out) == (2, "")
    assert f"Usage: tinsmith {command}" in done.err


@pytest.mark.parametrize("command", [name for name, row in GRID.items() if row.bad])
@pytest.mark.parametrize("output", ["table", "json"])
def test_error(
    cli: Callable[..., Result], filled: Filled, tmp_path: object, command: str, output: str
) -> None:
    """A refusal is one sentence on stderr, its exit code, and nothing on stdout but what JSON reports."""
    bad, code = GRID[command].bad or ("", 0)
    done = cli("--base-url", filled.address, "-f", output, *filled.words(command, bad, str(tmp_path)))
    assert done.code == code, done.err
    assert done.err.startswith("Error: ")
    assert "Traceback" not in done.err
    if (command, output) == ("checkpoint delete", "json"):
        assert len(done.json["failed"]) == 1
    else:
        assert done.out == ""


@pytest.mark.parametrize("command", REMOTE)
def test_no_key(
    cli: Callable[..., Result],
    filled: Filled,
    tmp_path: object,
    monkeypatch: pytest.MonkeyPatch,
    command: str,
) -> None:
    """Without a key nothing is sent, and the exit code is 4."""
    monkeypatch.delenv("TINKER_API_KEY", raising=False)
    text = GRID[command].good.replace("{next}", "{path}").replace("{public}", "{path}")
    done = cli("--base-url", "https://example.com", *filled.words(command, text, str(tmp_path)))
    assert (done.code, done.out) == (4, "")
    assert "TINKER_API_KEY" in done.err


INTERRUPTED = """
import asyncio, os, signal, sys
from tinsmith.cli import main
from tinsmith_local.transport import LocalTransport

async def interrupted(self, request):
    os.kill(os.getpid(), signal.SIGINT)
    await asyncio.sleep(60)

LocalTransport.handle_async_request = interrupted
main(sys.argv[1:])
"""


@pytest.mark.parametrize("command", REMOTE)
def test_ctrl_c(filled: Filled, tmp_path: object, command: str) -> None:
    """Ctrl-C while the server thinks ends the command with 130, without a traceback or half a result."""
    text = GRID[command].good.replace("{next}", "{path}").replace("{public}", "{path}")
    words = ["--base-url", filled.address, "-f", "json", *filled.words(command, text, str(tmp_path))]
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, *words],
        capture_output=True,
        text=True,
        timeout=WAIT_S,
        check=False,
    )
    assert (done.returncode, done.stdout) == (130, ""), done.stderr
    assert "Traceback" not in done.stderr
