"""Run tinker-cookbook on `tinsmith serve` with the official client and with ours; compare what they leave.

Usage: python -m tests.cookbook.run --cookbook PYTHON [--only MODE ...] [--keep FOLDER]

PYTHON is the interpreter of an environment with tinker-cookbook, the official client and this package. Each
program runs to its end, and once more stopped with Ctrl-C at its third batch and resumed; both clients use
one server and start from one checkpoint. The exit code is 1 when anything differs.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tinsmith import RestClient, ServiceClient

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
MODES = (
    "supervised",
    "supervised-background",
    "dpo",
    "rl-sync",
    "rl-stream",
    "rl-async",
    "rl-async-stream",
)
STOP_AT = 2
"""The batch at which the stopped runs get their Ctrl-C."""
CLIENTS: dict[str, tuple[str, ...]] = {"official": (), "ours": ("-m", "tinsmith.compat")}
LIMIT_S = 1800
"""A guard against hangs, for each run."""

VARIES = re.compile(r"^time|batch_time|timing|elapsed|prefill_cached|prefill_uncached|total_cached")
"""Metrics that no two runs share: seconds, and how much of a prompt the server knew from the run before."""
TOLERANCE = {"rl-stream": 1e-4, "rl-async": 1e-4, "rl-async-stream": 1e-4}
"""Relative; these modes add gradients up in the order in which rollouts end. The others agree exactly."""


class Server(NamedTuple):
    """A running `tinsmith serve`."""

    url: str
    key: str
    tokenizers: Path


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[Server]:
    """Serve the embedded service with its data in `folder`."""
    tokenizers = folder / "tokenizers"
    tokenizers.mkdir(parents=True)
    command = [sys.executable, "-m", "tinsmith.cli", "serve", "--port", "0", "--data", str(folder / "data")]
    with subprocess.Popen(
        [*command, "--tokenizers", str(tokenizers)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        said: dict[str, str] = {}
        for line in process.stdout:
            said |= dict(re.findall(r"export (\w+)=(\S+)", line))
            if {"TINKER_BASE_URL", "TINKER_API_KEY"} <= set(said):
                break
        try:
            yield Server(said["TINKER_BASE_URL"], said["TINKER_API_KEY"], tokenizers)
        finally:
            process.send_signal(signal.SIGINT)


class Bench:
    """Starts the cookbook's programs, each in a process of its own."""

    def __init__(self, python: str, server: Server, folder: Path) -> None:
        # Programs run elsewhere; a link is kept as it is, for it is what makes the environment one.
        self._python = str(Path(python).absolute())
        self._server, self._folder = server, folder

    @cached_property
    def start(self) -> str:
        """A checkpoint that all runs start from."""
        code, said = self.call("official", "prepare", self._server.url)
        if code:
            raise SystemExit("the official client could not make the checkpoint that all runs start from")
        return said.strip().splitlines()[-1]

    def call(self, client: str, *arguments: str, program: str = "program.py") -> tuple[int, str]:
        """Run a program, and return its exit code and what it printed."""
        train = program == "sft.py" or (program == "program.py" and arguments[0] == "train")
        # In the folder of the tokenizers the official client finds them under the models' names.
        environment = {
            **os.environ,
            "TINKER_BASE_URL": self._server.url,
            "TINKER_API_KEY": self._server.key,
            "HF_HUB_OFFLINE": "1",
            "TINKER_TELEMETRY": "0",
        }
        done = subprocess.run(
            [self._python, *CLIENTS[client], str(HERE / program), *arguments],
            cwd=self._server.tokenizers,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if train else None,
            text=True,
            timeout=LIMIT_S,
            check=False,
            # What runs this in the background may have Ctrl-C ignored, and every process below inherits that.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        return done.returncode, done.stdout

    def train(self, client: str, mode: str, *, stopped: bool) -> list[str]:
        """Run one training program, stopped and resumed or in one piece, and return what went wrong."""
        folder = self.folder(client, mode, stopped=stopped)
        arguments = ("train", mode, self._server.url, self.start, str(folder))
        problems = []
        if stopped:
            code, said = self.call(client, *arguments, "--stop-at", str(STOP_AT))
            (self._folder / f"{folder.name}.stopped.txt").write_text(said)
            if code == 0:
                problems.append("the stopped run ended as if nothing had happened")
        code, said = self.call(client, *arguments)
        (self._folder / f"{folder.name}.txt").write_text(said)
        if code:
            problems.append(f"exit code {code}: {said.strip().splitlines()[-1] if said.strip() else ''}")
        return problems

    def folder(self, client: str, mode: str, *, stopped: bool) -> Path:
        """Return where a run leaves its files."""
        return self._folder / f"{mode}-{client}{'-resumed' if stopped else ''}"


def rows(path: Path) -> list[dict[str, Any]]:
    """Return the records of a file of JSON lines; none where there is no file."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def checkpoints(folder: Path) -> list[object]:
    """Return what a run noted of its checkpoints, by name: saves in the background end in any order."""
    noted = sorted(rows(folder / "checkpoints.jsonl"), key=lambda row: (row["name"], row["batch"]))
    return [unnamed({**row, "cumulative_tokens": None, "discarded_tokens": None}) for row in noted]


def files(folder: Path) -> set[str]:
    """Return the names of what a run wrote."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def unnamed(value: object) -> object:
    """Take the names that the server gave out of a record."""
    text = re.sub(r"session-[0-9a-f]+:train:\d+", "RUN", json.dumps(value))
    return json.loads(text)


def same(ours: object, theirs: object, tolerance: float) -> bool:
    """Tell whether two metrics agree."""
    if isinstance(ours, float) and isinstance(theirs, int | float):
        return math.isclose(ours, theirs, rel_tol=tolerance, abs_tol=tolerance) or (
            ours != ours and theirs != theirs
        )
    return unnamed(ours) == unnamed(theirs)


def metrics(official: Path, ours: Path, tolerance: float) -> Iterator[str]:
    """Yield where the metrics of two runs differ."""
    theirs, mine = rows(official / "metrics.jsonl"), rows(ours / "metrics.jsonl")
    if not theirs or [row.get("step") for row in theirs] != [row.get("step") for row in mine]:
        yield f"steps {[row.get('step') for row in theirs]} against {[row.get('step') for row in mine]}"
    for row, other in zip(theirs, mine, strict=False):
        for name in sorted(set(row) | set(other)):
            if not VARIES.search(name) and not same(other.get(name), row.get(name), tolerance):
                yield f"step {row.get('step')}: {name} is {row.get(name)} against {other.get(name)}"


def kept(rest: RestClient, folder: Path) -> list[tuple[str, str, bool]]:
    """Return what the server keeps of the runs that a folder speaks of: id, kind, whether it expires."""
    runs = {
        record["state_path"].removeprefix("tinker://").partition("/")[0]
        for record in rows(folder / "checkpoints.jsonl")
    }
    found = [each for run in runs for each in rest.list_checkpoints(run).result().checkpoints]
    return sorted((each.checkpoint_id, each.checkpoint_type, each.expires_at is not None) for each in found)


def compare(rest: RestClient, official: Path, ours: Path, mode: str) -> list[str]:
    """Return how two runs of one mode differ."""
    problems = []
    if files(official) != files(ours):
        problems.append(f"files: {sorted(files(official) ^ files(ours))}")
    if checkpoints(official) != checkpoints(ours):
        problems.append(f"checkpoints.jsonl: {checkpoints(official)} against {checkpoints(ours)}")
    if kept(rest, official) != kept(rest, ours):
        problems.append(f"kept by the server: {kept(rest, official)} against {kept(rest, ours)}")
    return problems + list(metrics(official, ours, TOLERANCE.get(mode, 1e-9)))


def imports(bench: Bench) -> list[str]:
    """Return the modules of the cookbook that import with one client only, or fail otherwise."""
    outcomes = [
        json.loads(bench.call(client, program="imports.py")[1].splitlines()[-1]) for client in CLIENTS
    ]
    works = [sum(error is None for error in each.values()) for each in outcomes]
    print(f"of {len(outcomes[0])} modules {works[0]} import with the official client, {works[1]} with ours")
    return [
        f"{name}: {outcomes[0].get(name, 'absent')} against {outcomes[1].get(name, 'absent')}"
        for name in sorted(set(outcomes[0]) | set(outcomes[1]))
        if outcomes[0].get(name, "absent") != outcomes[1].get(name, "absent")
    ]


def runs_of(bench: Bench, rest: RestClient, mode: str) -> Iterator[tuple[str, list[str]]]:
    """Run one mode in all four ways; yield what each pair is called, and its differences."""
    for stopped in (False, True):
        problems = [
            f"{client}: {problem}"
            for client in CLIENTS
            for problem in bench.train(client, mode, stopped=stopped)
        ]
        official, ours = (bench.folder(client, mode, stopped=stopped) for client in CLIENTS)
        yield f"{mode}{', resumed' if stopped else ''}", problems or compare(rest, official, ours, mode)


def main(arguments: list[str]) -> int:
    """Run what is asked for, print a line for each pair of runs, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cookbook", required=True, help="interpreter of the cookbook's environment")
    parser.add_argument("--only", action="append", choices=[*MODES, "imports"])
    parser.add_argument("--keep", type=Path, help="leave the files of the runs here")
    asked = parser.parse_args(arguments)
    wanted = asked.only or ["imports", *MODES]
    failed = False

    def report(name: str, problems: list[str], seconds: float) -> None:
        print(f"{'ok  ' if not problems else 'FAIL'} {name} ({seconds:.0f} s)", flush=True)
        for problem in problems[:20]:
            print(f"     {problem}", flush=True)

    with contextlib.ExitStack() as stack:
        folder = (asked.keep or Path(stack.enter_context(tempfile.TemporaryDirectory()))).absolute()
        server = stack.enter_context(serving(folder))
        bench = Bench(asked.cookbook, server, folder)
        service = stack.enter_context(ServiceClient(base_url=server.url, api_key=server.key))
        begun = time.monotonic()
        if "imports" in wanted:
            problems = imports(bench)
            report("imports", problems, time.monotonic() - begun)
            failed |= bool(problems)
        for mode in (mode for mode in MODES if mode in wanted):
            for name, problems in runs_of(bench, service.create_rest_client(), mode):
                report(name, problems, time.monotonic() - begun)
                failed |= bool(problems)
                begun = time.monotonic()
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
