"""Measures the import, and the time from process start to the first results, beside the official client.

Usage: startup.py --peer PYTHON [--runs N]. The first answer is that of `get_server_capabilities`, the first
training result that of a batch of one datum; a stand-in server on loopback answers both clients, which take
turns, so that both meet the same machine. Prints one JSON line a client, a table and the ratios of the
medians, and fails when one is above its bar.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from typing import NamedTuple

from contest import Server, met

BARS = {"import": 0.15, "first answer": 0.55, "first training result": 0.75}
"""Largest allowed ratios of our median to the peer's."""
MEMORY_BAR_MB = 30
"""Largest peak of the memory that the import may take."""

START = {
    "tinsmith": "import tinsmith as sdk",
    "official": "import warnings; warnings.simplefilter('ignore'); import tinker as sdk",
}
CLIENT = """
client = sdk.ServiceClient(base_url={url!r}, api_key="tml-bench")
"""
TRAINING = """
trainer = client.create_lora_training_client("a/b", rank=8)
prompt = sdk.types.ModelInput.from_ints(list(range(8)))
inputs = {{"target_tokens": list(range(8)), "weights": [1.0] * 8}}
datum = sdk.types.Datum(loss_fn_inputs=inputs, model_input=prompt)
trainer.forward_backward([datum], "cross_entropy").result()
"""
END = """
import os
os._exit(0)
"""
"""Leave at once: how a client shuts down is not what is measured."""

PROGRAMS = {
    "import": "",
    "first answer": CLIENT + "assert client.get_server_capabilities().supported_models" + END,
    "first training result": CLIENT + TRAINING + END,
}


class Start(NamedTuple):
    """What one process took."""

    wall_s: float
    cpu_s: float
    peak_mb: float


def timed(python: str, program: str, cache: str) -> Start:
    """Run one client in a process of its own; `cache` is where compiled modules are kept."""
    environment = {**os.environ, "TINKER_TELEMETRY": "0", "PYTHONPYCACHEPREFIX": cache}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # who installs a package has it compiled
    started = time.perf_counter()
    process = subprocess.Popen([python, "-c", program], env=environment, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    taken = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{python} ended with {process.returncode}")
    return Start(taken, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def main() -> int:
    """Measure both clients in turn."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peer", required=True, metavar="PYTHON", help="Python with the official client")
    parser.add_argument("--runs", type=int, default=15)
    options = parser.parse_args()
    server = Server("traffic_server.py", "0", "1", "1000000")
    pythons = {"tinsmith": sys.executable, "official": options.peer}
    cache = tempfile.mkdtemp()
    passed = True
    for work, bar in BARS.items():
        starts: dict[str, list[Start]] = {name: [] for name in pythons}
        program = PROGRAMS[work].format(url=server.url)
        for run in range(-2, options.runs):
            for name, python in pythons.items():
                start = timed(python, f"{START[name]}\n{program}", cache)
                if run >= 0:  # the first two rounds warm the file cache
                    starts[name].append(start)
        medians = {
            name: Start(*map(statistics.median, zip(*runs, strict=True))) for name, runs in starts.items()
        }
        print(f"\n{work}\n{'':10} {'median s':>9} {'min s':>9} {'cpu s':>9} {'peak MB':>9}")
        for name, runs in starts.items():
            figures = {
                "median_s": medians[name].wall_s,
                "min_s": min(runs)[0],
                "cpu_s": medians[name].cpu_s,
                "peak_mb": medians[name].peak_mb,
            }
            print(f"{name:10} " + " ".join(f"{value:9.3f}" for value in figures.values()))
            print(json.dumps({"work": work, "client": name, **figures}))
        ratio = medians["tinsmith"].wall_s / medians["official"].wall_s
        passed &= met(ratio, bar, "wall time, of the official client's")
        cpu = medians["tinsmith"].cpu_s / medians["official"].cpu_s
        print(f"     {cpu:8.3f} CPU time, of the official client's")
        if work == "import":
            passed &= met(medians["tinsmith"].peak_mb, MEMORY_BAR_MB, "MB at most")
    shutil.rmtree(cache)
    print(json.dumps({"server_cpu_s": server.close()["cpu_s"]}))
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
