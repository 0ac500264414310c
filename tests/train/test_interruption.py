"""Runs of real processes that are killed, interrupted, and continued: nothing is lost but time."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import TYPE_CHECKING

from tinsmith import train

from tests.guard import WAIT_S
from tests.train.conftest import curve, written

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pytest

STEPS = 24
SETTINGS = (
    "--model=tinsmith/tiny", "--rank=2", "--held-out=0.2", f"--steps={STEPS}", "--batch-items=3", "--lr=1e-2",
    "--evaluate-every=1", "--checkpoint-every=4",
)  # fmt: skip
TINSMITH = ("-m", "tinsmith", "--base-url=local:")


class Run:
    """A process that trains."""

    def __init__(self, arguments: Sequence[str], program: Sequence[str] = TINSMITH) -> None:
        self.process = subprocess.Popen(
            [sys.executable, *program, "train", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stderr is not None
        self.lines = self.process.stderr

    def wait_for(self, words: str) -> str:
        """Wait until it says so."""
        said = []
        for line in self.lines:
            said.append(line)
            if words in line:
                return line
        raise AssertionError(f"{words!r} is not in {''.join(said)}")

    def end(self) -> tuple[int, str, str]:
        """Wait for its end, and return its exit code and what it said."""
        out, err = self.process.communicate(timeout=WAIT_S)
        return self.process.returncode, out, err


def whole(folder: Path) -> train.RunFolder:
    """Train without interruption."""
    code, _, err = Run([written(folder / "metals.jsonl"), f"--out={folder / 'whole'}", *SETTINGS]).end()
    assert code == 0, err
    return train.RunFolder.open(folder / "whole")


def adapter(folder: train.RunFolder) -> bytes:
    """Return the trained weights."""
    [file] = folder.path.glob("service/checkpoints/*/sampler_weights/final/adapter_model.safetensors")
    return file.read_bytes()


def test_kill_and_interrupt(tmp_path: Path) -> None:
    """SIGKILL twice, Ctrl-C once: the curve and the weights are those of a run that nobody disturbed."""
    expected = whole(tmp_path)
    out = tmp_path / "run"
    run = Run([str(tmp_path / "metals.jsonl"), f"--out={out}", *SETTINGS])
    run.wait_for(f"step 3 of {STEPS}")  # before the first checkpoint
    run.process.kill()
    assert run.end()[0] == -signal.SIGKILL

    run = Run([f"--resume={out}"])
    run.wait_for(f"step 10 of {STEPS}")
    run.process.kill()
    assert run.end()[0] == -signal.SIGKILL

    run = Run([f"--resume={out}"])
    step = int(run.wait_for(f" of {STEPS}").split()[4])
    assert step in (4, 8, 12)
    run.wait_for(f"step {step + 2} of {STEPS}")
    run.process.send_signal(signal.SIGINT)
    run.wait_for("Ctrl-C again leaves at once.")
    code, said, err = run.end()
    assert (code, said) == (130, ""), err
    step = train.RunFolder.open(out).last_checkpoint().step  # type: ignore[union-attr]
    assert (
        f"Stopped after step {step} of {STEPS}; its checkpoint is kept for 7 days.\n"
        f"To go on: tinsmith train --resume {out}\n" in err
    )

    code, said, err = Run([f"--resume={out}"]).end()
    assert code == 0, err
    assert "Weights to Sample" in said
    folder = train.RunFolder.open(out)
    assert curve(folder) == curve(expected)
    assert adapter(folder) == adapter(expected)


class Served:
    """A server that can be killed, and started again where it was."""

    def __init__(self, data: Path, port: int = 0) -> None:
        self.process = subprocess.Popen(
            [sys.executable, *TINSMITH[:2], "serve", f"--port={port}", f"--data={data}"],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        said = [self.process.stdout.readline().strip().partition("=")[2] for _ in range(2)]
        self.url, self.key = said

    def kill(self) -> None:
        """End it as a crash does."""
        self.process.kill()
        self.process.communicate()


def test_the_server_goes_away_and_comes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run waits for it, and the curve and the weights are those of a run that nobody disturbed."""
    expected = whole(tmp_path)
    out, data = tmp_path / "run", tmp_path / "data"
    server = Served(data)
    monkeypatch.setenv("TINKER_API_KEY", server.key)
    program = (*TINSMITH[:2], "--base-url", server.url)
    run = Run([str(tmp_path / "metals.jsonl"), f"--out={out}", *SETTINGS], program)
    run.wait_for(f"step 5 of {STEPS}")
    server.kill()
    server = Served(data, int(server.url.rpartition(":")[2]))
    code, _, err = run.end()
    server.kill()
    assert code == 0, err
    assert curve(train.RunFolder.open(out)) == curve(expected)


INTERRUPTED = """
import os, signal, sys
from tinsmith.cli import main
from tinsmith.train import loop

save = loop._Loop.save

def interrupted(self, ttl_seconds):
    if self.sent == 8:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
    return save(self, ttl_seconds)

loop._Loop.save = interrupted
main(sys.argv[1:])
"""


def test_the_second_interrupt_leaves_at_once(tmp_path: Path) -> None:
    """It says what is lost; the run continues after the last checkpoint, and the curve is the same."""
    expected = whole(tmp_path)
    out = tmp_path / "run"
    program = ("-c", INTERRUPTED, "--base-url=local:")
    code, said, err = Run([str(tmp_path / "metals.jsonl"), f"--out={out}", *SETTINGS], program).end()
    assert (code, said) == (130, ""), err
    assert "Traceback" not in err
    assert (
        "The run ended early; what was trained after step 4 is lost."
        f" To go on: tinsmith train --resume {out}\n" in err
    )
    code, _, err = Run([f"--resume={out}"]).end()
    assert code == 0, err
    assert curve(train.RunFolder.open(out)) == curve(expected)
