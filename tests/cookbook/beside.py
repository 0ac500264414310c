"""Train on the same chats with tinker-cookbook and with `tinsmith train`, and compare the held-out loss.

Usage: python -m tests.cookbook.beside --cookbook PYTHON [--seeds N]

Both begin with one checkpoint of SmolLM2 on one `tinsmith serve`, and have the same data, learning rate,
batch size and number of steps; the cookbook runs on the official client. One program measures both results on
chats that neither was trained on. Each orders its batches in its own way, so a run is repeated with other
first weights, and the means are compared. The exit code is 1 where they differ by more
than 2 %.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import importlib
import inspect
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import mean
from typing import TYPE_CHECKING

import attrs
from tinsmith import ServiceClient, data

from tests.cookbook.run import HERE, Bench, rows, serving

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tinsmith import Datum

    from tests.cookbook.run import Server

MODEL = "HuggingFaceTB/SmolLM2-135M-Instruct"
CHATS, HELD_OUT = 128, 40
"""Chats that are trained on, and chats that are not."""
MODULES = (
    *("argparse", "ast", "asyncio", "collections", "concurrent.futures", "csv", "datetime", "decimal"),
    *("difflib", "email.message", "fractions", "functools", "gzip", "heapq", "http.client", "inspect"),
    *("ipaddress", "itertools", "json", "logging", "mailbox", "math", "os", "pathlib", "random", "re"),
    *(
        "shutil",
        "socket",
        "statistics",
        "string",
        "subprocess",
        "tarfile",
        "textwrap",
        "threading",
        "zipfile",
    ),
)
"""Modules of the standard library that are asked about: texts that nobody can learn by heart in an epoch."""
SETTINGS = (
    "--epochs=1", "--batch-items=8", "--learning-rate=5e-4", "--schedule=linear", "--warmup-steps=0",
    "--held-out=0", "--checkpoint-every=1000",
)  # fmt: skip
"""What `sft.py` says to the cookbook, as options of `tinsmith train`."""
LARGEST = 0.02
"""Largest difference of the held-out losses, as a share."""
SYSTEM = "You know the standard library of Python."
"""Said in each chat: without it, the template of the model says something that the renderer does not."""


@attrs.frozen
class Trained:
    """What one run came to."""

    held_out: float
    """Mean loss of the chats that were not trained on, in nats a token."""
    steps: int
    """Steps that were made."""
    seconds: float
    """How long the program ran."""


def chats() -> list[dict[str, object]]:
    """Ask what things of the standard library do; their descriptions answer."""
    found: dict[str, str] = {}
    for module in map(importlib.import_module, MODULES):
        for name, value in sorted(vars(module).items()):
            said = inspect.getdoc(value) if callable(value) and not name.startswith("_") else None
            answer = " ".join((said or "").partition("\n\n")[0].split())
            if 40 <= len(answer) <= 240:
                found.setdefault(answer, f"What is {module.__name__}.{name}?")
    words = [(SYSTEM, question, answer) for answer, question in found.items()]
    random.Random(0).shuffle(words)
    roles = ("system", "user", "assistant")
    return [
        {"messages": [{"role": role, "content": text} for role, text in zip(roles, texts, strict=True)]}
        for texts in words[: CHATS + HELD_OUT]
    ]


def written(path: Path, rows: Sequence[object]) -> Path:
    """Write a file of chats."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def held_out_loss(service: ServiceClient, checkpoint: str, datums: Sequence[Datum]) -> float:
    """Measure a checkpoint, whoever trained it."""
    trainer = service.create_training_client_from_state(checkpoint)
    return data.mean_loss(trainer.forward(datums, "cross_entropy").result(), datums)


def lines_of(program: Path) -> int:
    """Count the lines of a program, without its docstring and blank ones."""
    lines = program.read_text().splitlines()
    docstring = ast.parse(program.read_text()).body[0]
    return sum(bool(line.strip()) for line in lines[docstring.end_lineno or 0 :])


class Pair:
    """Two runs from one checkpoint."""

    def __init__(self, bench: Bench, server: Server, folder: Path, model: str, seed: int) -> None:
        self._bench, self._server, self._model, self._seed = bench, server, model, seed
        self._folder = folder / f"seed-{seed}"
        rows = chats()
        self._chats = written(folder / "chats.jsonl", rows[:CHATS])
        self._held_out = written(folder / "held_out.jsonl", rows[CHATS:])

    def run(self, service: ServiceClient) -> tuple[float, Trained, Trained]:
        """Return the held-out loss before training, and what the cookbook and we came to."""
        builder = data.DatumBuilder(tokenizer=service.get_tokenizer(self._model))
        datums = [datum for record in data.read_records(self._held_out) for datum in builder.datums(record)]
        trainer = service.create_lora_training_client(self._model, rank=32, seed=self._seed)
        start = trainer.save_state("start").result().path
        assert start is not None
        results = []
        for train in (self._with_cookbook, self._with_command):
            begun = time.monotonic()
            checkpoint, steps = train(start)
            seconds = time.monotonic() - begun
            results.append(Trained(held_out_loss(service, checkpoint, datums), steps, seconds))
        return held_out_loss(service, start, datums), results[0], results[1]

    def _with_cookbook(self, start: str) -> tuple[str, int]:
        folder = self._folder / "cookbook"
        arguments = (str(self._chats), self._model, start, str(folder))
        code, said = self._bench.call("official", *arguments, program="sft.py")
        if code:
            raise SystemExit(f"the cookbook failed: {said[-2000:]}")
        return rows(folder / "checkpoints.jsonl")[-1]["state_path"], len(rows(folder / "metrics.jsonl"))

    def _with_command(self, start: str) -> tuple[str, int]:
        folder = self._folder / "tinsmith"
        command = ["train", str(self._chats), "--from", start, "--out", str(folder), *SETTINGS]
        done = subprocess.run(
            [sys.executable, "-m", "tinsmith", "--base-url", self._server.url, "-f", "json", *command],
            env={**os.environ, "TINKER_API_KEY": self._server.key},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SystemExit(f"tinsmith train failed: {done.stderr[-2000:]}")
        said = json.loads(done.stdout)
        return said["checkpoint"], said["steps"]


def main(arguments: list[str]) -> int:
    """Train as often as is asked for, print a line for each pair of runs, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cookbook", required=True, help="interpreter of the cookbook's environment")
    parser.add_argument("--model", default=MODEL, help="base model")
    parser.add_argument("--seeds", type=int, default=1, help="number of pairs of runs")
    parser.add_argument("--keep", type=Path, help="leave the files of the runs here")
    asked = parser.parse_args(arguments)
    found = []
    with contextlib.ExitStack() as stack:
        folder = (asked.keep or Path(stack.enter_context(tempfile.TemporaryDirectory()))).absolute()
        server = stack.enter_context(serving(folder))
        bench = Bench(asked.cookbook, server, folder)
        service = stack.enter_context(ServiceClient(base_url=server.url, api_key=server.key))
        for seed in range(asked.seeds):
            before, *pair = Pair(bench, server, folder, asked.model, seed).run(service)
            for name, run in zip(("cookbook", "tinsmith train"), pair, strict=True):
                losses = f"{before:.4f} -> {run.held_out:.4f}"
                words = f"{run.steps} steps, held-out loss {losses} ({run.seconds:.0f} s)"
                print(f"seed {seed}  {name:14}  {words}", flush=True)
            found.append(pair)
    theirs, ours = (mean(run.held_out for run in runs) for runs in zip(*found, strict=True))
    share = ours / theirs - 1
    print(f"mean held-out loss: cookbook {theirs:.4f}, tinsmith train {ours:.4f} ({share:+.1%})")
    print(f"lines of own code: cookbook {lines_of(HERE / 'sft.py')}, tinsmith train 0")
    same_steps = all(one.steps == other.steps for one, other in found)
    return int(not same_steps or abs(share) > LARGEST)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
