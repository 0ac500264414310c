"""`tinsmith run watch`: a run in a folder, trained by another process, and a run on a server."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest
from tinsmith import train

from tests.guard import WAIT_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.cli.conftest import Result, Server


@pytest.fixture
def config(tmp_path: Path) -> train.RunConfig:
    """Give settings of a run of thirty short steps."""
    path = tmp_path / "chats.jsonl"
    path.write_text("\n".join(f'{{"instruction": "Metal {n}?", "output": "tin"}}' for n in range(10)))
    return train.RunConfig(
        data=str(path), model="tinsmith/tiny", rank=2, steps=30, batch_items=4, checkpoint_every=5
    )


@pytest.fixture
def training() -> Iterator[ExitStack]:
    """Stand for the training in this process: it ends when this is closed."""
    with ExitStack() as held:
        yield held


@pytest.fixture
def folder(tmp_path: Path, config: train.RunConfig, training: ExitStack) -> train.RunFolder:
    """Give the folder of a run that is being trained."""
    run = train.RunFolder.new(tmp_path / "run", config).write(config)
    training.enter_context(run.locked())
    return run


def started(config: train.RunConfig, path: Path) -> subprocess.Popen[bytes]:
    """Train in another process, and wait until the run is on disk."""
    words = [config.data, "-m", "tinsmith/tiny", "--rank", "2", "--steps", "30", "--batch-items", "4"]
    program = subprocess.Popen(
        [sys.executable, "-m", "tinsmith", "train", *words, "--checkpoint-every", "5", "-o", str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    while not (path / "metrics.jsonl").exists() and program.poll() is None:
        time.sleep(0.02)
    return program


def script(monkeypatch: pytest.MonkeyPatch, *acts: Callable[[], object]) -> None:
    """Do one thing between two looks at the run, each time another one."""
    todo = iter(acts)
    monkeypatch.setattr("tinsmith.cli.watch.sleep", lambda _: next(todo)())


def lines_of(done: Result) -> list[dict[str, Any]]:
    """Read what a command printed line by line."""
    return [json.loads(line) for line in done.out.splitlines()]


def test_a_run_of_another_process(
    cli: Callable[..., Result], tmp_path: Path, config: train.RunConfig
) -> None:
    """Each step is a line while it is trained, and the last line says that the run is finished."""
    path = tmp_path / "run"
    with started(config, path) as program:
        done = cli("run", "watch", str(path), "--every", "0.05", "-f", "json")
        program.communicate(timeout=WAIT_S)
    *steps, end = lines_of(done)
    assert done.code == 0
    assert steps == train.RunFolder.open(path).metrics()
    assert (end["state"], end["step"], end["steps"]) == ("finished", 30, 30)
    assert end["sampler_weights"]
    shown = cli("run", "watch", str(path))
    assert shown.code == 0
    assert "State finished Step 30 Steps 30" in shown.words


def test_a_killed_run(cli: Callable[..., Result], tmp_path: Path, config: train.RunConfig) -> None:
    """It is said that the run ended early, and how to go on."""
    path = tmp_path / "run"
    with started(config, path) as program:
        os.kill(program.pid, signal.SIGKILL)
        program.communicate(timeout=WAIT_S)
    done = cli("run", "watch", str(path))
    assert done.code == 1
    assert "State stopped" in done.words
    assert f"To go on: tinsmith train --resume {path}\n" in done.err


def test_a_run_that_is_gone_on_with(
    cli: Callable[..., Result],
    folder: train.RunFolder,
    training: ExitStack,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Steps that are made again are shown again, after a sentence."""
    for step in (0, 1, 2, 3):
        folder.log(step, {"loss": 1.0 * step})

    def go_on() -> None:
        folder.rewind(2)
        folder.log(3, {"loss": 9.0})

    script(monkeypatch, go_on, training.close)
    done = cli("run", "watch", str(folder.path), "-f", "json")
    assert [line["step"] for line in lines_of(done)] == [0, 1, 2, 3, 3, 3]
    assert "The run goes on after step 2.\n" in done.err


def test_a_run_that_stands_still(
    cli: Callable[..., Result],
    folder: train.RunFolder,
    training: ExitStack,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Much later than the next step was due, one sentence says so, once."""
    now_s = [0.0]
    monkeypatch.setattr("tinsmith.cli.watch.monotonic", lambda: now_s[0])

    def pass_by(seconds: float) -> Callable[[], object]:
        return lambda: now_s.append(now_s.pop() + seconds)

    script(monkeypatch, *map(pass_by, (50, 50, 500)), training.close)
    done = cli("run", "watch", str(folder.path))
    assert done.err.count("No step for") == 1
    assert "No step for 100 s; the process is alive" in done.err


def test_who_trains(folder: train.RunFolder, training: ExitStack) -> None:
    """The lock tells it, and whoever looks at it keeps nobody from training."""
    assert folder.is_being_trained
    training.close()
    assert not folder.is_being_trained
    with train.RunFolder.open(folder.path).locked():
        assert folder.is_being_trained
    (folder.path / "lock").unlink()
    assert not folder.is_being_trained


@pytest.mark.parametrize(("name", "words"), [("", "holds no run"), ("/gone", "is no folder")])
def test_no_run(cli: Callable[..., Result], tmp_path: Path, name: str, words: str) -> None:
    """What holds no run is named."""
    done = cli("run", "watch", f"{tmp_path}{name}")
    assert (done.code, done.out) == (2, "")
    assert words in done.err


def test_a_run_on_a_server(
    cli: Callable[..., Result], server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Checkpoints are shown as they come, until Ctrl-C or until the run has failed."""
    run = {
        "training_run_id": "r",
        "base_model": "Big/One",
        "model_owner": "ada",
        "is_lora": True,
        "lora_rank": 4,
        "corrupted": False,
        "last_request_time": "2026-12-01T10:00:00Z",
    }
    saved = [
        {
            "checkpoint_id": f"weights/{n}",
            "checkpoint_type": "training",
            "time": f"2026-12-01T10:0{n}:00Z",
            "tinker_path": f"tinker://r/weights/{n}",
        }
        for n in (1, 2)
    ]
    server.on("GET", "/training_runs/r", (200, run))
    server.on("GET", "/training_runs/r/checkpoints", (200, {"checkpoints": saved[:1]}))

    def go_on() -> None:
        server.on("GET", "/training_runs/r/checkpoints", (200, {"checkpoints": saved[::-1]}))
        server.on("GET", "/training_runs/r", (200, {**run, "last_request_time": "2026-12-01T10:09:00Z"}))

    def fail() -> None:
        server.on("GET", "/training_runs/r", (200, {**run, "corrupted": True}))

    script(monkeypatch, go_on, fail)
    done = cli("run", "watch", "r")
    assert done.code == 1
    assert done.out.splitlines() == [
        "2026-12-01 10:01:00  tinker://r/weights/1",
        "2026-12-01 10:02:00  tinker://r/weights/2",
    ]
    assert "the run r has failed" in done.err
    server.on("GET", "/training_runs/r", (200, run))
    script(monkeypatch, lambda: os.kill(os.getpid(), signal.SIGINT))
    done = cli("run", "watch", "r", "-f", "json")
    assert (done.code, len(lines_of(done))) == (130, 3)
    assert cli("run", "watch", "nobody").code == 3


def test_ctrl_c(tmp_path: Path, folder: train.RunFolder) -> None:
    """Ctrl-C ends the watcher at once, without a traceback."""
    program = subprocess.Popen(
        [sys.executable, "-m", "tinsmith", "run", "watch", str(folder.path), "-f", "json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    folder.log(1, {"loss": 1.0})
    assert program.stdout is not None
    assert program.stdout.readline() == b'{"step":1,"loss":1.0}\n'
    program.send_signal(signal.SIGINT)
    _, err = program.communicate(timeout=WAIT_S)
    assert (program.returncode, err) == (130, b"")
