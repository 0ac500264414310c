"""How a benchmark runs its contestants: in fresh processes on one core, with a stand-in server on another."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def child(core: int, *command: str) -> dict[str, float]:
    """Run one contestant on one core and return its figures."""
    environment = {**os.environ, "TINKER_TELEMETRY": "0", "PYTHONPATH": str(HERE), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        ["taskset", "-c", str(core), *command], capture_output=True, text=True, env=environment, check=False
    )
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stderr[-3000:]}")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


class Server:
    """A stand-in server, on the second core."""

    def __init__(self, script: str, *arguments: str) -> None:
        command = ["taskset", "-c", "1", sys.executable, str(HERE / script), *arguments]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ}
        )
        assert self.process.stdout is not None
        self.url = f"http://127.0.0.1:{self.process.stdout.readline().strip()}"

    def close(self) -> dict[str, float]:
        """Stop it and return what it saw, its CPU seconds (`cpu_s`) among it."""
        seen: dict[str, float] = json.loads(self.process.communicate()[0])
        return seen


def met(value: float, most: float, what: str) -> bool:
    """Print how a figure stands to its bar, and say whether it keeps below."""
    print(f"{'ok  ' if value <= most else 'MISS'} {value:8.3f} (bar {most:g}) {what}")
    return value <= most
