"""`tinsmith version`, `tinsmith --help` and the help of commands beside the official ones, in one paired run.

Usage: cli.py --peer PATH [--rounds N] [--json FILE]

Both run in turn, in processes of their own, pinned to one core, so that a busy machine slows both alike.
Prints medians of wall and CPU time as a table and as JSON lines; exits with 1 when a ratio is above the bar.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

BAR = 0.1
"""Most of the peer's wall time that ours may take."""

COMMANDS = {
    "--help": ("--help",),
    "run --help": ("run", "--help"),
    "checkpoint list --help": ("checkpoint", "list", "--help"),
    "version": ("version",),
}
"""What both command lines have."""

COMPILED = {"PYTHONPYCACHEPREFIX": tempfile.mkdtemp()}
"""Both have their modules compiled, as who installs a package has."""


class Timing(NamedTuple):
    """What one process took."""

    wall_s: float
    cpu_s: float


def run(program: str, arguments: tuple[str, ...], core: int) -> Timing:
    """Run a program to its end and time it, start and exit included."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    subprocess.run(
        [program, *arguments],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"} | COMPILED,
        preexec_fn=lambda: os.sched_setaffinity(0, {core}) if hasattr(os, "sched_setaffinity") else None,
    )
    wall = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Timing(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def measure(programs: dict[str, str], arguments: tuple[str, ...], rounds: int) -> dict[str, list[Timing]]:
    """Run the programs in turn, `rounds` times, after one run each that fills the caches."""
    core = os.cpu_count() or 1
    times: dict[str, list[Timing]] = {name: [] for name in programs}
    for number in range(rounds + 1):
        order = list(programs) if number % 2 else list(programs)[::-1]
        for name in order:
            timing = run(programs[name], arguments, core - 1)
            if number:
                times[name].append(timing)
    return times


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--peer", required=True, help="the official `tinker` program")
    parser.add_argument("--ours", default=str(Path(sys.executable).parent / "tinsmith"))
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", type=Path, help="append the results to this file as JSON lines")
    arguments = parser.parse_args()
    programs = {"tinsmith": arguments.ours, "tinker": arguments.peer}
    print(f"{'command':<22} {'tinsmith ms':>12} {'tinker ms':>12} {'ratio':>7} {'cpu ratio':>10} {'bar':>6}")
    worst = 0.0
    lines = []
    for name, words in COMMANDS.items():
        times = measure(programs, words, arguments.rounds)
        wall = {who: statistics.median(t.wall_s for t in found) for who, found in times.items()}
        cpu = {who: statistics.median(t.cpu_s for t in found) for who, found in times.items()}
        ratio = statistics.median(
            ours.wall_s / theirs.wall_s
            for ours, theirs in zip(times["tinsmith"], times["tinker"], strict=True)
        )
        worst = max(worst, ratio)
        print(
            f"{name:<22} {wall['tinsmith'] * 1e3:>12.1f} {wall['tinker'] * 1e3:>12.1f} {ratio:>7.3f}"
            f" {cpu['tinsmith'] / cpu['tinker']:>10.3f} {BAR:>6}"
        )
        lines.append(
            {
                "benchmark": f"cli {name}",
                "rounds": arguments.rounds,
                "tinsmith_wall_s": round(wall["tinsmith"], 5),
                "tinker_wall_s": round(wall["tinker"], 5),
                "ratio": round(ratio, 4),
                "cpu_ratio": round(cpu["tinsmith"] / cpu["tinker"], 4),
                "bar": BAR,
                "met": ratio <= BAR,
            }
        )
    for line in lines:
        print(json.dumps(line))
    if arguments.json:
        arguments.json.parent.mkdir(parents=True, exist_ok=True)
        with arguments.json.open("a") as file:
            file.writelines(json.dumps(line) + "\n" for line in lines)
    return 0 if worst <= BAR else 1


if __name__ == "__main__":
    sys.exit(main())
