"""`tinsmith eval`: what it says and writes, what it takes for a checkpoint, and what it refuses."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import orjson
import pytest
import tinsmith
from tinsmith import train
from tinsmith_local.options import ServeOptions
from tinsmith_local.serve import serving

from tests.guard import WAIT_S
from tests.train.conftest import written

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.cli.conftest import Result

    Cli = Callable[..., Result]

SHORT = ("--max-new-tokens", "3")
TINY = ("--model", "tinsmith/tiny")
SCORES = """
import helper

def length(text, record):
    print("scoring", record.answer)
    return helper.twice(len(record.answer))

def picky(text, record):
    if record.answer.startswith("2"):
        raise KeyError("no answer begins with 2")
    return True

def wordy(text, record):
    return "word"

def lonely(text):
    return 1

number = 7
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with a file of chats and one of scoring functions."""
    made = tmp_path_factory.mktemp("eval")
    written(made / "metals.jsonl")
    (made / "score.py").write_text(SCORES)
    (made / "helper.py").write_text("def twice(number):\n    return 2 * number\n")
    return made


@pytest.fixture(autouse=True)
def here(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Work in that folder, and forget what a file of scoring functions imported."""
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield
    sys.modules.pop("helper", None)


@pytest.fixture(scope="module")
def run(folder: Path) -> train.RunFolder:
    """Give a finished run on the file."""
    config = train.RunConfig(
        data=str(folder / "metals.jsonl"),
        model="tinsmith/tiny",
        rank=2,
        steps=4,
        held_out=0.3,
        learning_rate=1e-2,
        max_tokens=60,
        truncation="left",
        train_on="last",
    )
    made = train.RunFolder.new(folder / "run", config)
    with tinsmith.ServiceClient(base_url=made.base_url) as service:
        train.prepare(service, made).train()
    return train.RunFolder.open(made.path)


def test_the_held_out_records_of_a_run(cli: Cli, run: train.RunFolder) -> None:
    """Their loss is the one that training printed, by the run's own settings and weights."""
    done = cli("-f", "json", "eval", "run")
    assert done.code == 0, done.err
    trained = run.metrics()[-1]["held_out_loss"]
    assert done.json["loss"] == pytest.approx(trained, rel=1e-6)
    assert done.json["checkpoint"] == run.sampler_weights()
    assert (done.json["records"], done.json["file"], done.json["score"]) == (4, run.config.data, None)
    assert "Evaluating on the 4 records that the run held out." in done.err


def test_weights_of_training_and_for_sampling_are_the_same(cli: Cli, run: train.RunFolder) -> None:
    """Both are evaluated, with any options, and so is the run with a file."""
    saved = run.last_checkpoint()
    assert saved is not None
    settings = ["--train-on", "last", "--max-tokens", "60", "--truncation", "left"]
    losses = [
        cli("--base-url", run.base_url, "-f", "json", "eval", path, "metals.jsonl", *settings).json["loss"]
        for path in (saved.path, run.sampler_weights())
    ]
    losses.append(cli("-f", "json", "eval", "run", "metals.jsonl").json["loss"])
    assert losses[1:] == [pytest.approx(losses[0], rel=1e-6)] * 2
    base = cli("-f", "json", "eval", *TINY, "metals.jsonl").json["loss"]
    assert base > losses[0] + 0.5


def test_the_table(cli: Cli) -> None:
    """It has the loss and the score with its error; without a key or a server, the model is local."""
    done = cli("eval", *TINY, "metals.jsonl", "--score", "score.py:length", *SHORT)
    assert done.code == 0, done.err
    assert "Model tinsmith/tiny Records 12 Loss " in done.words
    assert "nats a token, 100 tokens Score 12.6667 ± 0.3761" in done.words
    assert "record 12 of 12: loss " in done.err
    assert "scoring 232 °C" in done.err


def test_the_results(cli: Cli, tmp_path: Path) -> None:
    """A line for each record, with its answers; the document says where they are, nothing else is left."""
    out = tmp_path / "results.jsonl"
    out.write_text("of an earlier time")
    words = ["--score", "score.py:picky", "-n", "2", "--seed", "1", *SHORT, "--out", str(out)]
    done = cli("-f", "json", "eval", *TINY, "metals.jsonl", *words)
    assert done.code == 1
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert [line["where"] for line in lines] == [f"metals.jsonl:{n + 1}" for n in range(12)]
    assert all(len(line["samples"]) == 2 for line in lines)
    assert len({sample["text"] for line in lines for sample in line["samples"]}) > 12
    failed = {"metals.jsonl:1", "metals.jsonl:10"}
    assert {line["where"] for line in lines if line["error"]} == failed
    assert [line["score"] for line in lines].count(1) == 10
    assert done.json["score"] == 1
    assert {each["record"] for each in done.json["failed"]} == failed
    assert "KeyError: 'no answer begins with 2' (score.py:10)" in done.json["failed"][0]["error"]
    assert done.json["out"] == str(out)
    assert list(tmp_path.iterdir()) == [out]


def test_records_that_fail_are_listed(cli: Cli) -> None:
    """By file and line, and the exit code says that there are any."""
    done = cli("eval", *TINY, "metals.jsonl", "--score", "score.py:picky", *SHORT)
    assert done.code == 1
    assert "2 records with an error" in done.words
    assert "metals.jsonl:10 the scoring function failed: KeyError" in done.words
    assert "Score 1.0000 ± 0.0000" in done.words


def test_prompts_without_answers(cli: Cli, tmp_path: Path) -> None:
    """They are scored if the loss is left out, and the error says so."""
    asked = tmp_path / "asked.jsonl"
    asked.write_text(json.dumps({"messages": [{"role": "user", "content": "Tin?"}]}))
    (tmp_path / "one.py").write_text("def one(text, record):\n    return 1\n")
    words = ["eval", *TINY, str(asked), "--score", f"{tmp_path / 'one.py'}:one", *SHORT]
    refused = cli(*words)
    assert (refused.code, refused.out) == (2, "")
    assert refused.err.endswith("asked.jsonl:1: has no answer to compute the loss of; give --no-loss\n")
    assert "Score 1.0000" in cli(*words, "--no-loss").words


def test_a_server_behind_a_socket(cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It gives the same loss as the service in the process."""
    here = cli("-f", "json", "eval", *TINY, "metals.jsonl")
    with serving(ServeOptions(data_dir=tmp_path)) as (address, _):
        monkeypatch.setenv("TINKER_API_KEY", address.token)
        there = cli("--base-url", address.base_url, "-f", "json", "eval", *TINY, "metals.jsonl")
    assert there.code == 0, there.err
    assert there.json["loss"] == pytest.approx(here.json["loss"], rel=1e-6)


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ([], "name a checkpoint or the folder of a run, and a file"),
        (["tinker://a/sampler_weights/b"], "name the file to evaluate on"),
        (["metals.jsonl"], "metals.jsonl is no checkpoint (tinker://...) and no folder of a run"),
        (["nowhere", "metals.jsonl"], "nowhere is no checkpoint"),
        ([".", "metals.jsonl"], "holds no run: there is no config.json"),
        (["unfinished"], "has no checkpoint yet; go on with it (tinsmith train --resume unfinished)"),
        (
            [*TINY, "metals.jsonl", "--match", "exact", "--max-new-tokens", "1000000000"],
            "--max-new-tokens: 1000000000 tokens leave no room for a prompt in the 4096 of the model",
        ),
        (
            [*TINY, "metals.jsonl", "--score", "score.py:wordy", *SHORT],
            "--score: returned 'word' for metals.jsonl:1, which is no number; return one",
        ),
        (
            [*TINY, "metals.jsonl", "--score", "score.py:lonely", *SHORT],
            "--score: takes (text), and is called with an answer and its record",
        ),
        (["run", "metals.jsonl", "more"], "unexpected extra argument(s) (more)"),
        ([*TINY], "with --model, name a file"),
        ([*TINY, "run", "metals.jsonl"], "with --model, name a file"),
        ([*TINY, "metals.jsonl", "--match", "exact", "--score", "score.py:length"], "either --match or"),
        ([*TINY, "metals.jsonl", "--score", "score.py"], "the function, such as score.py:score"),
        ([*TINY, "metals.jsonl", "--score", ":f"], "the function, such as score.py:f"),
        ([*TINY, "metals.jsonl", "--score", "none.py:length"], "none.py is no Python file"),
        ([*TINY, "metals.jsonl", "--score", "metals.jsonl:length"], "metals.jsonl is no Python file"),
        ([*TINY, "metals.jsonl", "--score", "score.py:width"], "score.py has no function width"),
        ([*TINY, "metals.jsonl", "--score", "score.py:number"], "score.py has no function number"),
        ([*TINY, "metals.jsonl", "--score", "broken.py:f"], "broken.py does not run: ZeroDivisionError"),
        ([*TINY, "metals.jsonl", "--score", "leaving.py:f"], "leaving.py does not run: SystemExit: 0"),
        ([*TINY, "metals.jsonl", "--temperature", "1"], "is of use with --match, --score or --samples only"),
        ([*TINY, "metals.jsonl", "--out", "no/results.jsonl"], "there is no folder no"),
        ([*TINY, "metals.jsonl", "--out", "."], "is a folder; name a file"),
        ([*TINY, "none.jsonl"], "none.jsonl cannot be read: No such file"),
        ([*TINY, "broken.py"], "broken.py:1: is no JSON"),
        ([*TINY, "empty.jsonl"], "the file: there is nothing to evaluate"),
        ([*TINY, "metals.jsonl", "--max-tokens", "20"], "metals.jsonl:1: has 61 tokens, 20 are allowed"),
        ([*TINY, "metals.jsonl", "--input-format", "gguf"], "--input-format: must be one of"),
        ([*TINY, "metals.jsonl", "--no-loss"], "there is nothing to do"),
    ],
)
def test_what_is_refused(
    cli: Cli, run: train.RunFolder, folder: Path, words: list[str], problem: str
) -> None:
    """One sentence on stderr and exit code 2; nothing is written."""
    (folder / "broken.py").write_text("1 / 0\n")
    (folder / "leaving.py").write_text("raise SystemExit(0)\n")
    (folder / "empty.jsonl").touch()
    if not (folder / "unfinished").exists():
        train.RunFolder.new(folder / "unfinished", run.config).write(run.config)
    before = sorted(folder.iterdir())
    done = cli("eval", *words)
    assert (done.code, done.out) == (2, "")
    assert problem in " ".join(done.err.replace("│", " ").split())
    assert "Traceback" not in done.err
    assert sorted(folder.iterdir()) == before


def test_changed_data(cli: Cli, run: train.RunFolder, folder: Path, tmp_path: Path) -> None:
    """The held-out records of a run cannot be told any more once its file has changed."""
    data = folder / "metals.jsonl"
    kept = data.read_text()
    try:
        data.write_text(kept + "\n")
        done = cli("eval", "run")
        assert (done.code, done.out) == (2, "")
        assert "has changed since the run began; restore it, or name another file" in done.err
    finally:
        data.write_text(kept)


def test_a_full_disk_leaves_no_results(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What does not fit is named, and nothing is left of it; the file of an earlier time is as it was."""
    out = tmp_path / "results.jsonl"
    out.write_text("of an earlier time")
    dumps, written_lines = orjson.dumps, []

    def fill(document: Any, default: Any = None, option: int | None = None) -> bytes:
        line = dumps(document, default, option)
        if option == orjson.OPT_APPEND_NEWLINE:
            written_lines.append(line)
            if len(written_lines) == 5:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return line

    monkeypatch.setattr("orjson.dumps", fill)
    done = cli("eval", *TINY, "metals.jsonl", "--score", "score.py:length", *SHORT, "--out", str(out))
    assert done.code == 1
    assert "No space left on device" in done.err
    assert len(written_lines) == 5
    assert [path.name for path in tmp_path.iterdir()] == ["results.jsonl"]
    assert out.read_text() == "of an earlier time"


def test_ctrl_c_leaves_no_results(folder: Path, tmp_path: Path) -> None:
    """The program ends with 130, and the file of an earlier time is as it was."""
    out = tmp_path / "results.jsonl"
    out.write_text("of an earlier time")
    (tmp_path / "slow.py").write_text(
        "import os, signal\n\ndef slow(text, record):\n    os.kill(os.getpid(), signal.SIGINT)\n"
    )
    words = ["eval", *TINY, "metals.jsonl", "--score", f"{tmp_path / 'slow.py'}:slow", *SHORT]
    done = subprocess.run(
        [sys.executable, "-m", "tinsmith", *words, "--out", str(out)],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=WAIT_S,
        check=False,
    )
    assert (done.returncode, done.stdout) == (130, ""), done.stderr
    assert "Traceback" not in done.stderr
    assert out.read_text() == "of an earlier time"
