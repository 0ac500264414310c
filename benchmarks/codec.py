"""Measures building, writing and reading batches in both encodings, beside the official client and the floor.

Usage: codec.py --peer PYTHON [--rounds N] [--no-calls]. The contestants take turns in fresh processes on one
core, so that all meet the same machine; `call` is a whole forward_backward over loopback, from arrays to the
result, against a stand-in server on the other core. Prints a JSON line each, a table and the bars, and fails
when one is missed.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from pathlib import Path
from typing import Any

from contest import Server, child, met

HERE = Path(__file__).parent
SIZES = ((64, 512), (128, 4096), (1024, 1024))
BARS: tuple[tuple[str, str, str, float, str], ...] = (
    ("protobuf", "official", "codec", 0.75, "encode and decode, of the official client's"),
    ("protobuf", "official", "build", 0.5, "building datums, of the official client's"),
    ("json", "floor json", "codec", 1.3, "encode and decode, of orjson's by itself"),
    ("protobuf", "official", "numpy", 1.1, "results as numpy, of the official client's, noise included"),
    ("protobuf", "official", "lists", 1.1, "results as lists, of the official client's, noise included"),
    ("protobuf", "official", "call", 0.75, "CPU of a whole call, of the official client's"),
    ("json", "official", "call", 1.3, "CPU of a whole call, of the official client's in protobuf"),
)
"""Ours, the other, what of both, the largest ratio, in words. JSON text of 32-bit floats costs orjson alone
more than the official client's protobuf, so that the codec in JSON is held against orjson."""
MEMORY_BAR_MB = 30
"""Largest memory that a call of 1024 x 1024 may add."""

Figures = dict[str, list[float]]


def measure(peer: str, rounds: int, size: tuple[int, int], whole: bool) -> dict[str, dict[str, float]]:
    """Run all contestants in turn and return medians."""
    shape = [str(number) for number in size]
    ours, theirs, floor = (str(HERE / f"codec_{name}.py") for name in ("ours", "peer", "floor"))
    commands = {
        "protobuf": [sys.executable, ours, "protobuf", *shape],
        "json": [sys.executable, ours, "json", *shape],
        "official": [peer, "-W", "ignore", theirs, *shape],
        "floor protobuf": [sys.executable, floor, "protobuf", *shape],
        "floor json": [sys.executable, floor, "json", *shape],
    }
    found: dict[str, Figures] = {name: {} for name in commands}
    server = Server("codec_server.py", str(size[1])) if whole else None
    for _ in range(rounds):
        for name, command in commands.items():
            figures = child(0, *command)
            figures["codec"] = figures["encode"] + figures["decode"]
            if server is not None and not name.startswith("floor"):
                figures |= child(0, *command, server.url)
            for key, value in figures.items():
                found[name].setdefault(key, []).append(value)
    medians = {
        name: {key: statistics.median(values) for key, values in figures.items()}
        for name, figures in found.items()
    }
    if server is not None:
        medians["server"] = server.close()
    return medians


COLUMNS = ("build", "encode", "decode", "codec", "numpy", "lists", "call", "wall", "added_mb", "body_mb")


def table(medians: dict[str, dict[str, float]]) -> None:
    """Print one size for people."""
    print(f"{'':15}" + "".join(f"{name:>10}" for name in COLUMNS))
    for name, figures in medians.items():
        if name != "server":
            cells = (f"{figures[key]:10.2f}" if key in figures else f"{'':10}" for key in COLUMNS)
            print(f"{name:15}" + "".join(cells))


def judge(size: tuple[int, int], medians: dict[str, dict[str, float]]) -> bool:
    """Print the bars of one size, and say whether all are met."""
    passed = True
    for name, other, key, bar, what in BARS:
        if key in medians[other]:
            passed &= met(medians[name][key] / medians[other][key], bar, f"{name}: {what}")
    if size == SIZES[-1] and "added_mb" in medians["protobuf"]:
        passed &= met(medians["protobuf"]["added_mb"], MEMORY_BAR_MB, "protobuf: MB added by the first call")
    return passed


def main() -> int:
    """Measure all sizes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peer", required=True, metavar="PYTHON", help="Python with the official client")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--no-calls", action="store_true", help="leave whole calls over loopback out")
    options = parser.parse_args()
    passed = True
    for size in SIZES:
        medians = measure(options.peer, options.rounds, size, not options.no_calls)
        for name, figures in medians.items():
            line: dict[str, Any] = {"datums": size[0], "length": size[1], "who": name, **figures}
            print(json.dumps({key: round(x, 2) if isinstance(x, float) else x for key, x in line.items()}))
        print(
            f"\n{size[0]} datums of {size[1]} tokens, 3 tensors; CPU in ms, median of {options.rounds} rounds"
        )
        table(medians)
        passed &= judge(size, medians)
        print()
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
