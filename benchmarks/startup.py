"""Measures the time from process start to the first answer, beside the official client.

Usage: startup.py --peer PYTHON [--runs N]. Both ask for `get_server_capabilities`, and a stand-in server on
loopback answers both; the two clients take turns, so that both meet the same machine. Prints one JSON
line a client and the ratio of the medians, and fails when it is above the bar.
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

BAR = 0.5
"""Largest allowed ratio of our median to the peer's."""

OURS = """
import tinsmith
client = tinsmith.ServiceClient(base_url={url!r}, api_key="tml-bench")
assert client.get_server_capabilities().supported_models
{end}
"""

PEER = """
import warnings
warnings.simplefilter("ignore")
import tinker
client = tinker.ServiceClient(base_url={url!r}, api_key="tml-bench")
assert client.get_server_capabilities().supported_models
{end}
"""

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


def timed(python: str, program: str, url: str) -> float:
    """Run one client in a process of its own and return the wall time."""
    environment = {**os.environ, "TINKER_TELEMETRY": "0", "PYTHONDONTWRITEBYTECODE": "1"}
    code = program.format(url=url, end=END)
    started = time.perf_counter()
    subprocess.run([python, "-c", code], check=True, env=environment, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


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
    times: dict[str, list[float]] = {"tinsmith": [], "official": []}
    for run in range(-2, options.runs):
        for name, python, program in (("tinsmith", sys.executable, OURS), ("official", options.peer, PEER)):
            taken = timed(python, program, url)
            if run >= 0:  # the first two rounds warm the file cache
                times[name].append(taken)
    medians = {name: statistics.median(taken) for name, taken in times.items()}
    for name, taken in times.items():
        print(
            json.dumps({"client": name, "median_s": medians[name], "min_s": min(taken), "max_s": max(taken)})
        )
    ratio = medians["tinsmith"] / medians["official"]
    print(json.dumps({"ratio": ratio, "bar": BAR, "server_cpu_s": server.busy_s}))
    print(f"{'client':10} {'median s':>9} {'min s':>9}")
    for name, taken in times.items():
        print(f"{name:10} {medians[name]:9.3f} {min(taken):9.3f}")
    print(f"ratio {ratio:.3f}, bar {BAR}")
    return 0 if ratio <= BAR else 1


if __name__ == "__main__":
    sys.exit(main())
