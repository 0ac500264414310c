"""Measures the import, and the time from process start to the first answer, beside the official client.

Usage: startup.py --peer PYTHON [--runs N]. Both ask for `get_server_capabilities`, and a stand-in server on
loopback answers both; the two clients take turns, so that both meet the same machine. Prints one JSON
line a client, a table and the ratios of the medians, and fails when one is above its bar.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import threading
import time
from typing import NamedTuple

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

ANSWERS = {
    "/api/v1/get_server_capabilities": {"supported_models": [{"model_name": "a/b"}]},
    "/api/v1/create_session": {"type": "create_session", "session_id": "s"},
}


class StandIn(threading.Thread):
    """A server that answers each request at once."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.ready = threading.Event()
        self.port = 0
        self.busy_s = 0.0
        """CPU time of the server's thread, to show that it is not the limit."""

    def run(self) -> None:
        """Serve until the process ends."""
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._answer, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self.ready.set()
        await server.serve_forever()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                started = time.thread_time()
                fields = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
                await reader.readexactly(int(fields.get("content-length", 0)))
                body = json.dumps(ANSWERS.get(head.split(" ", 2)[1].split("?")[0], {})).encode()
                writer.write(
                    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
                    % len(body)
                    + body
                )
                self.busy_s += time.thread_time() - started
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


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
    server = StandIn()
    server.start()
    server.ready.wait()
    url = f"http://127.0.0.1:{server.port}"
    contestants = {"tinsmith": (sys.executable, OURS), "official": (options.peer, PEER)}
    missed = False
    for work, bar in BARS.items():
        starts: dict[str, list[Start]] = {name: [] for name in contestants}
        for run in range(-2, options.runs):
            for name, (python, programs) in contestants.items():
                start = timed(python, programs[work], url)
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
        missed |= ratio > bar
        print(f"{'ok  ' if ratio <= bar else 'MISS'} {ratio:.3f} (bar {bar}) wall time, of the official's")
        if work == "import":
            peak = medians["tinsmith"].peak_mb
            missed |= peak > MEMORY_BAR_MB
            print(f"{'ok  ' if peak <= MEMORY_BAR_MB else 'MISS'} {peak:.1f} MB (bar {MEMORY_BAR_MB})")
    print(json.dumps({"server_cpu_s": server.busy_s}))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
