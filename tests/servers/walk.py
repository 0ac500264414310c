"""Steps: from a file of chats to a model that answers, by commands alone, as a newcomer walks.

The commands run in processes of their own. What they sent is not compared with the server's tables, but the
curve of a run that was interrupted with that of one that was not: a batch that was trained twice would show.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tinsmith import Datum, ModelInput
from tinsmith.train import RunFolder

from tests.servers.drive import KEY, WAIT_S, Differs, Drive, Refused, holds, same, step

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.servers.drive import Step

STEPS = 12
SETTINGS = (
    "--rank=4", f"--steps={STEPS}", "--batch-items=6", "--held-out=0.1", "--lr=1e-2", "--evaluate-every=1",
    "--checkpoint-every=2",
)  # fmt: skip
NEAR = 1e-3
"""Largest difference of logprobs that are the same."""
ROUNDING = 1e-5
"""Largest difference of a loss at one step of two runs. A server that computes requests together, or was
started anew, rounds another way, by 3e-7 on SkyRL; two steps of these runs are 0.02 apart and more."""
PEFT = Path(__file__).with_name("peft_logprobs.py")


def walk(name: str) -> Callable[[Callable[[Drive], object]], Step]:
    """Make a function a step whose requests are not compared: they are those of other processes."""

    def make(function: Callable[[Drive], object]) -> Step:
        def run(drive: Drive) -> object:
            try:
                return function(drive)
            finally:
                drive.begin()

        return step(f"walk: {name}")(run)

    return make


class Command:
    """A command that runs."""

    def __init__(self, drive: Drive, *words: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tinsmith.cli", "-f", "json", *words],
            env={**os.environ, "TINKER_BASE_URL": drive.url, "TINKER_API_KEY": KEY},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def line(self) -> str:
        """Read a line of what it prints."""
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def until(self, words: str) -> None:
        """Wait until it says so."""
        assert self._process.stderr is not None
        said = []
        for line in self._process.stderr:
            said.append(line)
            if words in line:
                return
        raise Differs(f"{words!r} is not in {' '.join(said)!r}")

    def end(self, number: signal.Signals | None = None, said: str = "") -> tuple[int, Any, str]:
        """Send a signal or a text, and wait for the end: exit code, document, and what it said last."""
        if number is not None:
            self._process.send_signal(number)
        out, err = self._process.communicate(said, timeout=WAIT_S)
        return self._process.returncode, json.loads(out) if out.strip() else None, " ".join(err.split())


def done(drive: Drive, *words: str, said: str = "") -> Any:
    """Run a command to its end, and return its document; `said` is its standard input."""
    code, document, told = Command(drive, *words).end(said=said)
    if code:
        raise Refused(f"exit {code}: {told}")
    return document


def chats(drive: Drive) -> str:
    """Return the file of chats."""
    path = drive.folder / "chats.jsonl"
    if not path.exists():
        asked = ((f"What comes after {n}?", f"{n + 1} comes after {n}.") for n in range(10, 50))
        rows = [[{"role": "user", "content": a}, {"role": "assistant", "content": b}] for a, b in asked]
        path.write_text("".join(json.dumps({"messages": row}) + "\n" for row in rows))
    return str(path)


def curve(folder: Path) -> list[dict[str, float]]:
    """Return the losses of a run, by step."""
    lines = RunFolder.open(folder).metrics()
    return [
        {name: line[name] for name in ("step", "loss", "held_out_loss") if name in line} for line in lines
    ]


def same_curve(found: list[dict[str, float]], whole: list[dict[str, float]]) -> None:
    """Raise `Differs` unless two runs have the same steps, and at each the same losses but for rounding."""
    same([set(line) for line in found], [set(line) for line in whole], "the losses of the curve")
    for line, expected in zip(found, whole, strict=True):
        apart = max(abs(line[name] - expected[name]) for name in line)
        holds(apart <= ROUNDING, f"the curve: {line}, expected {expected}")


def weights(drive: Drive) -> str:
    """Return the path of what the whole run made to sample from."""
    found = RunFolder.open(drive.folder / "whole").sampler_weights()
    holds(found is not None, "the run is not finished")
    return str(found)


def trained(drive: Drive) -> str:
    """Return the path of the last checkpoint of the whole run: any server loads it at any time."""
    found = RunFolder.open(drive.folder / "whole").last_checkpoint()
    holds(found is not None, "the run has no checkpoint")
    return found.path if found else ""


@walk("tinsmith data check")
def check(drive: Drive) -> object:
    """What the file holds, for the model of the server."""
    found = done(drive, "data", "check", chats(drive), "--model", drive.base_model)
    same(found["passed"], True, "passed")
    return f"{found['tokens']} tokens"


@walk("tinsmith train")
def whole(drive: Drive) -> object:
    """A run that nobody interrupts learns."""
    out = drive.folder / "whole"
    found = done(drive, "train", chats(drive), "--model", drive.base_model, f"--out={out}", *SETTINGS)
    losses = [line["held_out_loss"] for line in curve(out) if "held_out_loss" in line]
    holds(losses[-1] < losses[0], f"the held-out loss is {losses}")
    same(found["steps"], STEPS, "steps")
    return f"held-out loss {losses[0]:.3f} -> {losses[-1]:.3f}"


@walk("tinsmith eval")
def evaluate(drive: Drive) -> object:
    """The held-out loss is that of the last step."""
    found = done(drive, "eval", str(drive.folder / "whole"))["loss"]
    trained = curve(drive.folder / "whole")[-1]["held_out_loss"]
    holds(abs(found - trained) < NEAR, f"the loss is {found}, in training it was {trained}")
    return f"{found:.4f}, in training {trained:.4f}"


@walk("tinsmith chat")
def chat(drive: Drive) -> object:
    """The trained model answers a line of standard input."""
    words = ("chat", str(drive.folder / "whole"), "--max-tokens=8", "--seed=1")
    return done(drive, *words, said="What comes after 20?\n")


@walk("tinsmith gateway, and the openai client")
def gateway(drive: Drive) -> object:
    """The trained model answers the client of OpenAI, which the server's environment has."""
    command = Command(drive, "gateway", "--alias", f"tone={trained(drive)}")
    url, key = (command.line().partition("=")[2] for _ in range(2))
    program = (
        "from openai import OpenAI\n"
        "messages = [{'role': 'user', 'content': 'What comes after 20?'}]\n"
        "made = OpenAI().chat.completions.create(model='tone', messages=messages, max_tokens=8)\n"
        "print(made.usage.completion_tokens)\n"
    )
    ran = subprocess.run(
        [drive.python, "-c", program],
        env={**os.environ, "OPENAI_BASE_URL": url, "OPENAI_API_KEY": key},
        capture_output=True,
        text=True,
        timeout=WAIT_S,
    )
    command.end(signal.SIGINT)
    if ran.returncode:
        raise Refused(f"openai: {ran.stderr[-300:]}")
    return f"{ran.stdout.strip()} tokens"


@walk("tinsmith sample --chat")
def sample(drive: Drive) -> object:
    """The trained model answers."""
    return done(drive, "sample", "--chat", "What comes after 20?", "-m", trained(drive), "--max-tokens=8")


@walk("tinsmith export --to peft, and the adapter in peft")
def in_peft(drive: Drive) -> object:
    """The logprobs of a text are those that the server computes of the last checkpoint."""
    place = drive.folder / "adapter"
    done(drive, "export", str(drive.folder / "whole"), "--to=peft", f"--out={place}")
    ids = drive.ids("What comes after 20? 21 comes after 20.")
    ran = subprocess.run(
        [drive.python, PEFT, drive.base_model, place],
        input=json.dumps(ids),
        capture_output=True,
        text=True,
        timeout=WAIT_S,
    )
    if ran.returncode:
        raise Refused(f"peft: {ran.stderr[-300:]}")
    inputs = {"target_tokens": ids[1:], "weights": [1.0] * len(ids[1:])}
    datum = Datum(model_input=ModelInput.from_ints(ids[:-1]), loss_fn_inputs=inputs)
    trainer = drive.service.create_training_client_from_state(trained(drive))
    told = trainer.forward([datum], "cross_entropy").result(WAIT_S).loss_fn_outputs[0]["logprobs"].data
    theirs = json.loads(ran.stdout)
    apart = max(abs(a - b) for a, b in zip(told, theirs, strict=True))
    holds(apart < NEAR, f"logprobs differ by {apart}")
    return f"{len(theirs)} logprobs, {apart:.1e} apart at most"


@walk("tinsmith train: Ctrl-C, --resume, kill -9, --resume")
def interrupted(drive: Drive) -> object:
    """The curve is that of the whole run; a checkpoint that the folder does not list is found."""
    out = drive.folder / "parts"
    run = Command(drive, "train", chats(drive), "--model", drive.base_model, f"--out={out}", *SETTINGS)
    run.until(f"step 3 of {STEPS}")
    code, _, said = run.end(signal.SIGINT)
    same(code, 130, "the exit code after Ctrl-C")
    holds(f"To go on: tinsmith train --resume {out}" in said, said)

    run = Command(drive, "train", f"--resume={out}")
    run.until(f"step 9 of {STEPS}")
    same(run.end(signal.SIGKILL)[0], -signal.SIGKILL, "the exit code after SIGKILL")
    listed = out / "checkpoints.jsonl"
    lines = listed.read_text().splitlines(keepends=True)
    listed.write_text("".join(lines[:-1]))  # as if it had been killed a little earlier

    run = Command(drive, "train", f"--resume={out}")
    run.until("which the server has and checkpoints.jsonl does not yet list")
    code, _, said = run.end()
    same(code, 0, f"the exit code ({said})")
    same_curve(curve(out), curve(drive.folder / "whole"))
    return f"{STEPS} steps in three processes, the same curve"
