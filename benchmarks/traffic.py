"""Measures samples, steps and polls beside the official client, against a stand-in server.

Usage: traffic.py --peer PYTHON [--rounds N] [--only NAME ...]. Both clients run the same lines
(`traffic_client.py`) in fresh processes on one core, in turn; the server is on the other core, and its CPU
time is printed to show that it is not the limit. Prints a JSON line each, a table and the bars, and fails
when one is missed.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from pathlib import Path
from typing import Any, NamedTuple

from contest import Server, child, met

HERE = Path(__file__).parent


class Bar(NamedTuple):
    """One bar of one piece of work."""

    key: str
    """The figure."""
    most: float
    """Its largest value; of a ratio to the official client's where `relative`."""
    relative: bool
    """Whether it is a ratio."""
    what: str
    """In words."""


class Work(NamedTuple):
    """One thing that both clients do."""

    kind: str
    """What `traffic_client.py` calls it."""
    times: int
    """How often."""
    ready_s: float
    """Seconds from a promise to its result."""
    hold: int
    """1 where the server holds a poll until the result is there."""
    cap: int
    """Samples that the server takes at a time."""
    bars: tuple[Bar, ...]
    """What holds of ours."""


NO_CAP = 1_000_000
WORKS = {
    "samples at once": Work(
        "many",
        2000,
        0.0,
        1,
        NO_CAP,
        (Bar("wall_s", 0.25, True, "wall time"), Bar("cpu_ms", 0.85, False, "CPU ms each")),
    ),
    "samples in turn": Work("one", 500, 0.0, 1, NO_CAP, (Bar("wall_s", 0.4, True, "added latency"),)),
    "steps in turn": Work("step", 500, 0.0, 1, NO_CAP, (Bar("wall_s", 0.4, True, "added latency"),)),
    "poll held 5 s": Work(
        "wait",
        1,
        5.0,
        1,
        NO_CAP,
        (Bar("polls", 1, False, "polls a result"), Bar("late_ms", 10, False, "ms late")),
    ),
    "poll not held": Work(
        "wait",
        1,
        2.0,
        0,
        NO_CAP,
        (Bar("polls", 20, False, "polls a result"), Bar("late_ms", 100, False, "ms late")),
    ),
    "queue, 100 at a time": Work(
        "queue",
        10_000,
        0.5,
        1,
        100,
        (Bar("wall_s", 60, False, "s"), Bar("added_mb", 0.7, True, "memory added")),
    ),
}
"""By name. 10,000 samples of 0.5 s, 100 at a time, take 50 s at least. What they add to memory depends on how
long they are: the bar of 100 MB was set where the official client took 143."""

COLUMNS = ("wall_s", "cpu_ms", "late_ms", "added_mb", "polls", "refused", "most", "server_cpu_s")


def measure(python: str, module: str, work: Work) -> dict[str, float]:
    """Have one client do a piece of work once."""
    server = Server("traffic_server.py", str(work.ready_s), str(work.hold), str(work.cap))
    client = str(HERE / "traffic_client.py")
    try:
        found = child(0, python, "-W", "ignore", client, module, work.kind, str(work.times), server.url)
    finally:
        seen = server.close()
    found["cpu_ms"] = 1000 * found["cpu_s"] / work.times
    if work.kind == "wait":
        found["late_ms"] = 1000 * (found["wall_s"] - work.ready_s)
    seen["server_cpu_s"] = seen.pop("cpu_s")
    return found | seen | {"polls": seen["polls"] / seen["samples"]}


def judge(work: Work, medians: dict[str, dict[str, float]]) -> bool:
    """Print the bars of one piece of work, and say whether all are met."""
    passed = True
    for bar in work.bars:
        value, what = medians["tinsmith"][bar.key], bar.what
        if bar.relative:
            value, what = value / medians["official"][bar.key], f"{what}, of the official client's"
        passed &= met(value, bar.most, what)
    return passed


def main() -> int:
    """Do each piece of work with both clients in turn."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peer", required=True, metavar="PYTHON", help="Python with the official client")
    parser.add_argument("--rounds", type=int, default=5, help="of short work; long work runs once")
    parser.add_argument("--only", nargs="*", choices=list(WORKS), default=list(WORKS), metavar="NAME")
    options = parser.parse_args()
    contestants = {"tinsmith": sys.executable, "official": options.peer}
    passed = True
    for name in options.only:
        work = WORKS[name]
        found: dict[str, list[dict[str, float]]] = {who: [] for who in contestants}
        for _ in range(1 if work.ready_s else options.rounds):
            for who, python in contestants.items():
                found[who].append(measure(python, "tinsmith" if who == "tinsmith" else "tinker", work))
        medians = {
            who: {key: statistics.median(run[key] for run in runs) for key in runs[0]}
            for who, runs in found.items()
        }
        print(f"\n{name}: {work.times}, ready after {work.ready_s:g} s; medians of {len(found['tinsmith'])}")
        print(f"{'':10}" + "".join(f"{column:>13}" for column in COLUMNS))
        for who, figures in medians.items():
            line: dict[str, Any] = {"work": name, "who": who, **figures}
            cells = (f"{figures[column]:13.2f}" if column in figures else f"{'':13}" for column in COLUMNS)
            print(f"{who:10}" + "".join(cells))
            print(json.dumps({key: round(x, 3) if isinstance(x, float) else x for key, x in line.items()}))
        passed &= judge(work, medians)
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
