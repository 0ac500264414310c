"""How a benchmark runs its contestants: in fresh processes on one core, with a stand-in server on another."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

HERE = Path(__file__).parent


SERVER_CORE = 1
"""Where the stand-in server runs, and whatever is between it and the contestant."""


AHEAD = 10
"""Real-time priority of what is to be on time on a machine that others use too: a `nice` value would only
count among the processes of one session."""


def go_ahead() -> None:
    """Have this process come before others, where that is permitted."""
    with suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(AHEAD))


def child(
    core: int, *command: str, variables: Mapping[str, str] | None = None, ahead: bool = False
) -> dict[str, float]:
    """Run one contestant on one core, with further environment variables, and return its figures.

    With `ahead` it comes before other work of the machine.
    """
    environment = {
        **os.environ,
        "TINKER_TELEMETRY": "0",
        "PYTHONPATH": str(HERE),
        "OMP_NUM_THREADS": "1",
        **(variables or {}),
    }
    done = subprocess.run(
        ["taskset", "-c", str(core), *command],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
        preexec_fn=go_ahead if ahead else None,
    )
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stderr[-3000:]}")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


class Server:
    """A stand-in server or a relay, on the second core."""

    def __init__(self, script: str, *arguments: str, ahead: bool = False) -> None:
        command = ["taskset", "-c", str(SERVER_CORE), sys.executable, str(HERE / script), *arguments]
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ},
            preexec_fn=go_ahead if ahead else None,
        )
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())
        """Where it listens on loopback."""
        self.url = f"http://127.0.0.1:{self.port}"
        """Its address, of a server that speaks plain HTTP."""

    def close(self) -> dict[str, float]:
        """Stop it and return what it saw, its CPU seconds (`cpu_s`) among it."""
        seen: dict[str, float] = json.loads(self.process.communicate()[0])
        return seen


def met(value: float, most: float, what: str) -> bool:
    """Print how a figure stands to its bar, and say whether it keeps below."""
    print(f"{'ok  ' if value <= most else 'MISS'} {value:8.3f} (bar {most:g}) {what}")
    return value <= most
