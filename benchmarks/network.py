"""Measures both clients over TLS and a path with delay and bandwidth, beside the floor in round trips.

Usage: network.py --peer PYTHON [--full] [--rounds N] [--only CASE ...] [--results FILE]. The certificate
comes from an authority that is made for the run; the path is `relay.py`, which proves first, with a plain
echo, that it keeps what it claims and is not the limit. Both clients run the same lines (`network_client.py`)
in fresh processes on one core, in turn; server and relay are on the other core. Prints JSON lines and tables.
`docs/performance.md` says how to read them.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any, NamedTuple

import trustme
from contest import HERE, Server, child, go_ahead
from network_path import GIGABIT, PATHS, Path
from relay_proof import prove, start

if TYPE_CHECKING:
    from collections.abc import Callable

QUICK_PATHS = [PATHS[0], PATHS[2], PATHS[4]]
"""1 and 80 ms at 1 Gbit/s, 20 ms at 50 Mbit/s."""

CONNECT = 2
"""Round trips of a new connection before its first request: the handshake of TCP, that of TLS 1.3."""
SAMPLE_BYTES = 4 * 200 * 8
"""A result: 4 sequences of 200 tokens, 4 bytes for a token and 4 for its log-probability."""
BATCH_BYTES = 480 * 4096 * 16
"""The upload: 4 bytes for the id of each token, 8 for its target, 4 for its weight."""


class Case(NamedTuple):
    """One thing that both clients do, and what it takes at least."""

    kind: str
    """What `network_client.py` calls it."""
    quick: int
    """How often in the quick run."""
    full: int
    """How often in the full run."""
    trips: Callable[[int], float]
    """Round trips that so many would take at least."""
    why: str
    """Where these round trips come from."""
    moved: Callable[[int], float] = lambda _: 0
    """Bytes that so many move at least, in one direction."""
    ready_s: float = 0.0
    """Seconds from a promise to its result."""
    hold: bool = True
    """Whether the server holds a poll until the result is there."""
    chunk_datums: int = 1024
    """Most datums that the server takes in one request."""

    def floor_s(self, path: Path, times: int) -> float:
        """Return the seconds that it takes at least on a path."""
        return self.trips(times) * path.typical_rtt_s + self.moved(times) / path.bytes_per_s + self.ready_s


CASES = {
    "cold start": Case(
        "cold",
        1,
        1,
        lambda _: CONNECT + 6,
        "a connection (2); the server's flags, which say what key the rest is sent with; the session; the"
        " model; its result; a batch; its result. Each needs the answer before it.",
    ),
    "step": Case(
        "step",
        8,
        30,
        lambda n: 3 * n,
        "the batch is accepted; then the optimizer step is sent, so that it never runs without its gradient;"
        " then its result is fetched. The batch's result comes meanwhile.",
    ),
    "step, 5 chunks": Case(
        "step5",
        8,
        30,
        lambda n: 3 * n,
        "as a step: the chunks of one call have their order by number, so all can be sent at once.",
        chunk_datums=1,
    ),
    "pipelined": Case(
        "pipelined",
        16,
        60,
        lambda n: 2 * n + 1,
        "a step: its batch is accepted, its optimizer step is accepted; results come meanwhile. One more"
        " for the last result.",
    ),
    "pipelined, 5 chunks": Case(
        "pipelined5",
        16,
        60,
        lambda n: 2 * n + 1,
        "as pipelined: the chunks of one call can be sent at once.",
        chunk_datums=1,
    ),
    "samples in turn": Case(
        "sample", 16, 60, lambda n: 2 * n, "each is accepted, and its result is fetched."
    ),
    "2000 samples at once": Case(
        "samples",
        2000,
        2000,
        lambda _: CONNECT + 2,
        "connections, opened side by side; the samples, all at once; their results.",
        lambda n: n * SAMPLE_BYTES,
    ),
    "64 samples in flight": Case(
        "samples64",
        640,
        2560,
        lambda n: CONNECT + 2 * n / 64,
        "connections, opened side by side; then each place is taken for two round trips by each sample.",
        lambda n: n * SAMPLE_BYTES,
    ),
    "poll held 2 s": Case(
        "wait",
        1,
        1,
        lambda _: 1,
        "the sample goes half of a round trip; the result, for which a poll waits there, comes back in half.",
        ready_s=2.0,
    ),
    "poll not held, 2 s": Case(
        "wait",
        1,
        1,
        lambda _: 1,
        "as held, for a poll that happens to arrive when the result is ready.",
        ready_s=2.0,
        hold=False,
    ),
    "upload of 31 MB": Case(
        "upload",
        1,
        3,
        lambda n: 2 * n,
        "the bytes of all chunks, one behind the other; the acceptance; the result.",
        lambda n: n * BATCH_BYTES,
    ),
    "download": Case(
        "download",
        100,
        1000,
        lambda _: 1 + CONNECT + 1,
        "the signed URL; a connection to where it leads; the request, and the bytes.",
        lambda megabytes: megabytes * 1e6,
    ),
}

LONG_S = 30.0
"""Work whose floor is longer than this is done once."""
COLUMNS = (
    "wall_s",
    "low_s",
    "high_s",
    "floor_s",
    "of_floor",
    "cpu_s",
    "peak_mb",
    "requests",
    "connections",
    "relay_cpu_s",
    "server_cpu_s",
)

Figures = dict[str, float]


class Authority:
    """A certificate authority made for this run, and the certificate of the stand-in server."""

    def __init__(self, folder: FilePath) -> None:
        authority = trustme.CA()
        self.trusted, self.server = folder / "authority.pem", folder / "server.pem"
        authority.cert_pem.write_to_path(self.trusted)
        authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(self.server)

    @property
    def variables(self) -> dict[str, str]:
        """What makes a client trust it."""
        return {"SSL_CERT_FILE": str(self.trusted)}


def measure(python: str, module: str, case: Case, times: int, path: Path, authority: Authority) -> Figures:
    """Have one client do one case once on a path."""
    numbers = (case.ready_s, int(case.hold), case.chunk_datums, times)
    server = Server("network_server.py", str(authority.server), *map(str, numbers), ahead=True)
    relay = start(path, server.port)
    url = f"https://127.0.0.1:{relay.port}"
    client = str(HERE / "network_client.py")
    command = (python, "-W", "ignore", client, module, case.kind, str(times), url)
    try:
        begun = time.perf_counter()
        found = child(0, *command, variables=authority.variables, ahead=True)
        found.setdefault("wall_s", time.perf_counter() - begun)
    finally:
        passed, seen = relay.close(), server.close()
    counted = {name: seen[name] for name in ("requests", "connections", "polls", "body_mb")}
    return found | counted | {"relay_cpu_s": passed["cpu_s"], "server_cpu_s": seen["cpu_s"]}


def summary(runs: list[Figures], floor_s: float) -> Figures:
    """Return the medians of several runs, the spread of the wall time, and what it is of the floor."""
    walls = [run["wall_s"] for run in runs]
    medians = {key: statistics.median(run[key] for run in runs) for key in runs[0]}
    spread = {"low_s": min(walls), "high_s": max(walls)}
    return medians | spread | {"floor_s": floor_s, "of_floor": medians["wall_s"] / floor_s}


def slope(by_path: dict[Path, Figures]) -> float | None:
    """Return the round trips that a case takes: how its time grows with delay, at the same bandwidth."""
    fast = sorted(path for path in by_path if path.bytes_per_s == GIGABIT)
    if len(fast) < 2:
        return None
    more_s = by_path[fast[-1]]["wall_s"] - by_path[fast[0]]["wall_s"]
    return more_s / (fast[-1].typical_rtt_s - fast[0].typical_rtt_s)


def table(name: str, case: Case, times: int, found: dict[str, dict[Path, Figures]]) -> None:
    """Print one case for people."""
    print(f"\n{name}, {times} times. Floor: {case.trips(times):g} round trips: {case.why}")
    print(f"{'':31}" + "".join(f"{column:>12}" for column in COLUMNS) + f"{'of official':>12}")
    for path in next(iter(found.values())):
        for who, by_path in found.items():
            figures = by_path[path]
            cells = "".join(f"{figures[column]:12.3f}" for column in COLUMNS)
            ratio = figures["wall_s"] / found["official"][path]["wall_s"]
            print(f"{path.name:21}{who:10}{cells}{ratio:12.2f}")
    for who, by_path in found.items():
        trips = slope(by_path)
        if trips is not None:
            print(f"{'round trips, by growth':21} {who:10}{trips:11.1f} (floor {case.trips(times):g})")


def line(name: str, path: Path, who: str, times: int, figures: Figures) -> str:
    """Return one JSON line."""
    named: dict[str, Any] = {"case": name, "path": path.name, "who": who, "times": times, **figures}
    named["load"] = os.getloadavg()[0]
    return json.dumps(
        {key: round(value, 4) if isinstance(value, float) else value for key, value in named.items()}
    )


def main() -> int:
    """Prove the relay, then measure each case on each path with both clients in turn."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peer", required=True, metavar="PYTHON", help="Python with the official client")
    parser.add_argument("--full", action="store_true", help="all paths, 1 GB, 5 rounds: two hours")
    parser.add_argument("--rounds", type=int, help="runs whose median counts; 5 with --full, else 1")
    parser.add_argument("--only", nargs="*", choices=list(CASES), default=list(CASES), metavar="CASE")
    parser.add_argument("--unproved", action="store_true", help="leave the proof of the relay out")
    parser.add_argument("--results", type=FilePath, help="where the JSON lines are written too")
    options = parser.parse_args()
    paths = PATHS if options.full else QUICK_PATHS
    rounds = options.rounds or (5 if options.full else 1)
    contestants = {"tinsmith": sys.executable, "official": options.peer}
    go_ahead()
    kept = options.unproved or prove(paths)
    lines: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        authority = Authority(FilePath(folder))
        for name in options.only:
            case = CASES[name]
            times = case.full if options.full else case.quick
            found: dict[str, dict[Path, Figures]] = {who: {} for who in contestants}
            for path in paths:
                floor_s = case.floor_s(path, times)
                runs: dict[str, list[Figures]] = {who: [] for who in contestants}
                for _ in range(1 if floor_s > LONG_S else rounds):
                    for who, python in contestants.items():
                        module = "tinsmith" if who == "tinsmith" else "tinker"
                        runs[who].append(measure(python, module, case, times, path, authority))
                for who, each in runs.items():
                    found[who][path] = summary(each, floor_s)
                    lines.append(line(name, path, who, times, found[who][path]))
                    print(lines[-1], flush=True)
            table(name, case, times, found)
    if options.results is not None:
        options.results.parent.mkdir(parents=True, exist_ok=True)
        options.results.write_text("".join(f"{each}\n" for each in lines))
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
