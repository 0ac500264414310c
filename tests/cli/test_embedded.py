"""Every command against the embedded service: what the server really answers, as a table and as JSON."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
import tinsmith
from tinsmith import types

from tests.guard import WAIT_S

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.conftest import Result

MODEL = "tinsmith/tiny"


class Saved(NamedTuple):
    """What the fixture left in the service."""

    run_id: str
    training: list[str]
    sampler: str


@pytest.fixture
def saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Saved:
    """Train a little on an embedded service that keeps its data, and let the environment name it."""
    address = f"local:{tmp_path / 'data'}"
    monkeypatch.setenv("TINKER_BASE_URL", address)
    with tinsmith.ServiceClient(base_url=address, user_metadata={"who": "the tests"}) as service:
        client = service.create_lora_training_client(MODEL, rank=4, seed=1)
        datum = types.Datum(
            model_input=types.ModelInput.from_ints([1, 2, 3]),
            loss_fn_inputs={"target_tokens": [2, 3, 4], "weights": [1.0, 1.0, 1.0]},
        )
        client.forward_backward([datum], "cross_entropy").result()
        client.optim_step(types.AdamParams(learning_rate=1e-2)).result()
        paths = [client.save_state(name).result().path for name in ("one", "two", "three")]
        sampler = client.save_weights_for_sampler("final").result().path
        assert sampler is not None
        return Saved(client.model_id, paths, sampler)


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Name an embedded service that nobody used yet."""
    monkeypatch.setenv("TINKER_BASE_URL", f"local:{tmp_path / 'empty'}")


def test_runs(cli: Callable[..., Result], saved: Saved) -> None:
    """The run is listed and shown, both ways, and looking opened no session."""
    assert f"{saved.run_id} {MODEL} Rank 4 just now OK" in cli("run", "list").words
    (run,) = cli("run", "list", "-f", "json").json["runs"]
    assert (run["training_run_id"], run["lora_rank"]) == (saved.run_id, 4)
    assert f"Run ID {saved.run_id}" in cli("run", "info", saved.run_id).words
    assert cli("run", "info", saved.run_id, "-f", "json").json["base_model"] == MODEL
    assert cli("run", "info", "nobody:train:0").code == 3
    assert len(cli("session", "list", "-f", "json").json["sessions"]) == 1


def test_sessions(cli: Callable[..., Result], saved: Saved) -> None:
    """The session is listed, and shows what it made."""
    (name,) = cli("session", "list", "-f", "json").json["sessions"]
    assert name in cli("session", "list").out
    assert saved.run_id in cli("session", "info", name).words
    assert cli("session", "info", name, "-f", "json").json["training_run_ids"] == [saved.run_id]
    assert cli("session", "info", "nobody").code == 3


def test_checkpoints(cli: Callable[..., Result], saved: Saved) -> None:
    """Checkpoints are listed, paged, shown, published, and given a time to live."""
    found = cli("checkpoint", "list", "-f", "json").json
    assert {item["tinker_path"] for item in found["checkpoints"]} == {*saved.training, saved.sampler}
    assert found["total"] == 4
    page = cli("checkpoint", "list", "--limit", "1")
    assert "1 checkpoint (3 more not shown, use --limit to see more)" in page.out
    one = saved.training[0]
    assert cli("checkpoint", "publish", one).code == 0
    assert cli("checkpoint", "set-ttl", one, "--ttl", "7200").code == 0
    shown = cli("checkpoint", "info", one, "-f", "json").json
    assert (shown["public"], shown["lora_rank"]) == (True, 4)
    assert shown["expires_at"] is not None
    assert "Expires in 2 hours" in cli("checkpoint", "info", one).words
    assert cli("checkpoint", "set-ttl", one, "--remove").code == 0
    assert cli("checkpoint", "unpublish", one).code == 0
    listed = cli("checkpoint", "list", "--run-id", saved.run_id)
    assert f"4 checkpoints for run {saved.run_id}" in listed.out
    assert "No" in listed.words
    assert "Never" in listed.words


def test_delete(cli: Callable[..., Result], saved: Saved) -> None:
    """One that does not exist does not keep the others from being deleted."""
    ghost = f"tinker://{saved.run_id}/weights/ghost"
    done = cli("checkpoint", "delete", "-y", saved.training[0], ghost, saved.training[1], "-f", "json")
    assert (done.code, done.json["deleted_count"]) == (1, 2)
    assert [item["tinker_path"] for item in done.json["failed"]] == [ghost]
    assert cli("checkpoint", "delete", "-y", ghost).code == 3
    rest = cli("checkpoint", "delete", "--run-id", saved.run_id, "--type", "weights", stdin="y\n")
    assert "Deleted 1 checkpoint" in rest.err
    (left,) = cli("checkpoint", "list", "-f", "json").json["checkpoints"]
    assert left["tinker_path"] == saved.sampler


def test_download(cli: Callable[..., Result], saved: Saved, tmp_path: Path) -> None:
    """A checkpoint comes as a folder with its adapter; one that is there is not touched without --force."""
    out = tmp_path / "out"
    done = cli("checkpoint", "download", saved.sampler, "-o", str(out), "-f", "json")
    assert done.code == 0, done.err
    folder = out / saved.sampler.removeprefix("tinker://").replace("/", "_").replace(":", "_")
    assert "lm_head (train_unembed). On a base model whose embeddings are tied" in " ".join(done.err.split())
    assert done.json["destination"] == str(folder)
    assert (folder / "adapter_model.safetensors").stat().st_size > 0
    (folder / "mine.txt").write_text("kept")
    again = cli("checkpoint", "download", saved.sampler, "-o", str(out))
    assert (again.code, again.out) == (1, "")
    assert (folder / "mine.txt").exists()
    forced = cli("checkpoint", "download", saved.sampler, "-o", str(out), "--force")
    assert f"Extracted to {folder}" in forced.words
    assert not (folder / "mine.txt").exists()
    ghost = cli("checkpoint", "download", f"tinker://{saved.run_id}/weights/ghost", "-o", str(out))
    assert ghost.code == 3
    assert [path.name for path in out.iterdir()] == [folder.name]


def test_sample(cli: Callable[..., Result], saved: Saved) -> None:
    """Text is drawn from a base model and from a checkpoint; the seed decides."""
    arguments = ("--max-tokens", "4", "--seed", "3", "-n", "2", "-f", "json")
    base = cli("sample", "one two", "--base-model", MODEL, *arguments)
    assert base.code == 0, base.err
    assert len(base.json["sequences"]) == 2
    assert {len(sequence["tokens"]) for sequence in base.json["sequences"]} == {4}
    for text in ("one two", "one two\n", "one two\r\n"):  # `echo` and editors end a line
        assert cli("sample", "-", "-b", MODEL, *arguments, stdin=text).json == base.json
    drawn = cli("sample", "one two", "-m", saved.sampler, "--max-tokens", "3", "--temperature", "0")
    assert (drawn.code, drawn.err) == (0, "")
    trained = cli("sample", "one two", "-m", saved.training[-1], "--max-tokens", "3", "--temperature", "0")
    assert (trained.code, trained.out) == (0, drawn.out)  # weights for training are loaded first
    several = cli("sample", "one two", "-b", MODEL, "-n", "2", "--max-tokens", "2")
    assert "--- sample 2 of 2 ---" in several.out


def test_a_sample_of_a_chat_ends_where_its_template_ends_a_turn(
    cli: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also by another token than the end of sequence; beside texts to stop at, by its text."""
    asked: list[object] = []
    sample = tinsmith.SamplingClient.sample

    def noting(client: tinsmith.SamplingClient, prompt: Any, number: int, params: Any) -> Any:
        asked.append(params.stop)
        return sample(client, prompt, number, params)

    monkeypatch.setattr(tinsmith.SamplingClient, "sample", noting)
    monkeypatch.setattr("tinsmith.core.answer_ends.turn_end", lambda *_: 7)
    words = ("--base-url", "local:", "sample", "one", "-b", MODEL, "--max-tokens", "2")
    for more in (("--chat",), ("--chat", "--stop", "x"), ()):
        assert cli(*words, *more).code == 0
    tokens, texts, none = asked
    assert isinstance(tokens, list)
    assert tokens[1:] == [7]
    assert isinstance(texts, list)
    assert (texts[0], len(texts), none) == ("x", 3, None)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("-b", "nobody/such-model"), {1, 3}),
        (("-m", "tinker://nobody/weights/x"), {1, 3}),
        (("-m", "nobody"), {2}),
        ((), {2}),
        (("-b", MODEL, "-m", "tinker://a/weights/b"), {2}),
        (("-b", MODEL, "--temperature", "-1"), {2}),
        (("-b", MODEL, "--top-p", "2"), {2}),
        (("-b", MODEL, "--system", "be kind"), {2}),
    ],
)
@pytest.mark.usefixtures("empty")
def test_bad_samples(cli: Callable[..., Result], arguments: tuple[str, ...], code: set[int]) -> None:
    """A model that is not there and a wrong setting are one sentence each."""
    done = cli("sample", "hello", "--max-tokens", "2", *arguments)
    assert (done.code in code, done.out) == (True, ""), done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        ("run", "No training runs found\n"),
        ("checkpoint", "No checkpoints found\n"),
        ("session", "No sessions found\n"),
    ],
)
@pytest.mark.usefixtures("empty")
def test_nothing_there(cli: Callable[..., Result], command: str, sentence: str) -> None:
    """A service that nobody used lists nothing, and looking at it changes nothing."""
    assert cli(command, "list").out == sentence
    assert cli(command, "list", "-f", "json").json["total"] == 0
    assert cli("session", "list").out == "No sessions found\n"


INTERRUPTED = """
import os, signal, sys
from tinsmith.cli import main
from tinsmith.clients.sampling import SamplingClient

sample = SamplingClient.sample

def interrupted(*arguments, **settings):
    future = sample(*arguments, **settings)
    os.kill(os.getpid(), signal.SIGINT)
    return future

SamplingClient.sample = interrupted
main(sys.argv[1:])
"""


def test_ctrl_c_while_sampling(saved: Saved) -> None:
    """Ctrl-C with a sample under way ends the program with 130, without a traceback or half a result."""
    settings = ("--max-tokens", "3000", "-n", "32", "-f", "json")
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, "sample", "one", "-m", saved.sampler, *settings],
        capture_output=True,
        text=True,
        timeout=WAIT_S,
        check=False,
    )
    assert (done.returncode, done.stdout) == (130, ""), done.stderr
    assert "Traceback" not in done.stderr
