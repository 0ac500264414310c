"""Measures the import, and the time from process start to the first answer, beside the official client.

Usage: startup.py --peer PYTHON [--runs N]. Both ask for `get_server_capabilities`, and a stand-in server on
loopback answers both; the two clients take turns, so that both meet the same machine. Prints one JSON
line a client, a table and the ratios of the medians, and fails when one is above its bar.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from typing import NamedTuple

from contest import Server, met

BARS = {"import": 0.15, "first answer": 0.5}
"""Largest allowed ratios of our median to the peer's."""
MEMORY_BAR_MB = 30
"""Largest peak of the memory that the import may take."""

OURS = {
    "import": "import tinsmith",
    "first answer": """
import tinsmith
client = tinsmith.ServiceClient(base_url={url!r}, api_key="tml-bench")
assert client.get_server_capabilities().supported_models
{end}
""",
}

PEER = {
    "import": "import warnings; warnings.simplefilter('ignore'); import tinker",
    "first answer": """
import warnings
warnings.simplefilter("ignore")
import tinker
client = tinker.ServiceClient(base_url={url!r}, api_key="tml-bench")
assert client.get_server_capabilities().supported_models
{end}
""",
}

END = "import os; os._exit(0)"
"""Leave at once: how a client shuts down is not what is measured."""


class Start(NamedTuple):
    """What one process took."""

    wall_s: float
    peak_mb: float


def timed(python: str, program: str, url: str) -> Start:
    """Run one client in a process of its own."""
    environment = {**os.environ, "TINKER_TELEMETRY": "0", "PYTHONDONTWRITEBYTECODE": "1"}
    code = program.format(url=url, end=END)
    started = time.perf_counter()
    process = subprocess.Popen([python, "-c", code], env=environment, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    taken = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{python} ended with {process.returncode}")
    return Start(taken, usage.ru_maxrss / 1024)


def main() -> int:
    """Measure both clients in turn."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peer", required=True, metavar="PYTHON", help="Python with the official client")
    parser.add_argument("--runs", type=int, default=15)
    options = parser.parse_args()
    server = Server("stand_in.py")
    contestants = {"tinsmith": (sys.executable, OURS), "official": (options.peer, PEER)}
    passed = True
    for work, bar in BARS.items():
        starts: dict[str, list[Start]] = {name: [] for name in contestants}
        for run in range(-2, options.runs):
            for name, (python, programs) in contestants.items():
                start = timed(python, programs[work], server.url)
                if run >= 0:  # the first two rounds warm the file cache
                    starts[name].append(start)
        medians = {
            name: Start(*map(statistics.median, zip(*runs, strict=True))) for name, runs in starts.items()
        }
        print(f"\n{work:10} {'median s':>9} {'min s':>9} {'peak MB':>9}")
        for name, runs in starts.items():
            figures = {
                "median_s": medians[name].wall_s,
                "min_s": min(runs)[0],
                "peak_mb": medians[name].peak_mb,
            }
            print(f"{name:10} " + " ".join(f"{value:9.3f}" for value in figures.values()))
            print(json.dumps({"work": work, "client": name, **figures}))
        ratio = medians["tinsmith"].wall_s / medians["official"].wall_s
        passed &= met(ratio, bar, "wall time, of the official client's")
        if work == "import":
            passed &= met(medians["tinsmith"].peak_mb, MEMORY_BAR_MB, "MB at most")
    print(json.dumps({"server_cpu_s": server.close()["cpu_s"]}))
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
