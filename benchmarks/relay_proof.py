"""Shows what `relay.py` does to bytes, with a plain echo behind it: its delay, its pace, and what it costs.

Usage: relay_proof.py prints the proof for the paths of `network.py`, and fails where one is not kept. With
--echo it is the server that sends everything back, until standard input closes.
"""

from __future__ import annotations

import json
import socket
import statistics
import sys
import threading
import time

from contest import Server, go_ahead
from network_path import PATHS, Path, Proof, faults

UNHINDERED = Path(0.0, 0.0, 0.0)
"""No delay and no pace: what the relay itself moves."""
PINGS = 40
"""Round trips whose median is compared."""
OPENINGS = 9
"""New connections whose median is compared."""
STREAM_S = 0.6
"""Seconds of full bandwidth that are sent."""
HEADROOM = 1.5
"""How much more the relay must move unhindered than it is asked to pace."""
UNHINDERED_BYTES = 200_000_000
"""What is sent where nothing is paced."""


def start(path: Path, port: int) -> Server:
    """Start a relay for a path before a port."""
    numbers = (1000 * path.rtt_s, 1000 * path.jitter_s, 8 * path.bytes_per_s / 1e6)
    return Server("relay.py", str(port), *(f"{number:.6f}" for number in numbers), ahead=True)


def measure(path: Path) -> Proof:
    """Send bytes through a relay to an echo and back."""
    echo = Server("relay_proof.py", "--echo", ahead=True)
    relay = start(path, echo.port)
    try:
        firsts = [_first_byte(relay.port) for _ in range(OPENINGS)]
        with socket.create_connection(("127.0.0.1", relay.port)) as opened:
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            _ping(opened)
            trips = sorted(_ping(opened) for _ in range(PINGS))
            size_bytes = int(path.bytes_per_s * STREAM_S) or UNHINDERED_BYTES
            stream_s = _stream(opened, size_bytes)
    finally:
        cpu_s = relay.close()["cpu_s"]
        echo.close()
    first_s, late_s = statistics.median(firsts), trips[int(0.95 * len(trips))]
    return Proof(statistics.median(trips), late_s, first_s, stream_s, size_bytes, cpu_s)


def _first_byte(port: int) -> float:
    begun = time.perf_counter()
    with socket.create_connection(("127.0.0.1", port)) as opened:
        _ping(opened)
        return time.perf_counter() - begun


def _ping(opened: socket.socket) -> float:
    begun = time.perf_counter()
    opened.sendall(b".")
    opened.recv(1)
    return time.perf_counter() - begun


def _stream(opened: socket.socket, size_bytes: int) -> float:
    """Send and receive at once; return the seconds until the last byte is back."""
    data = memoryview(bytes(size_bytes))
    sending = threading.Thread(target=opened.sendall, args=(data,))
    begun = time.perf_counter()
    sending.start()
    left = size_bytes
    room = bytearray(1 << 20)
    while left:
        left -= opened.recv_into(room)
    taken_s = time.perf_counter() - begun
    sending.join()
    return taken_s


def report(path: Path, proof: Proof) -> bool:
    """Print the proof of one path, and say whether all is kept."""
    wrong = faults(path, proof)
    line: dict[str, float | str] = {
        "path": path.name,
        "rtt_ms": 1000 * proof.rtt_s,
        "rtt_95_ms": 1000 * proof.late_rtt_s,
        "first_byte_ms": 1000 * proof.first_s,
        "mbit_per_s": 8 * proof.bytes_per_s / 1e6,
        "relay_cpu_s": proof.cpu_s,
    }
    print(json.dumps({"proof": {name: _rounded(value) for name, value in line.items()}, "faults": wrong}))
    return not wrong


def prove(paths: list[Path]) -> bool:
    """Prove that the relay keeps each path, and that it could move more than the fastest one asks."""
    kept = True
    for path in paths:
        kept &= report(path, measure(path))
    free = measure(UNHINDERED)
    cpu_per_gb = free.cpu_s / (2 * free.stream_bytes / 1e9)
    line = {
        "mbit_per_s": 8 * free.bytes_per_s / 1e6,
        "rtt_ms": 1000 * free.rtt_s,
        "relay_cpu_s_per_gb": cpu_per_gb,
    }
    print(json.dumps({"unhindered": {name: _rounded(value) for name, value in line.items()}}))
    return kept and free.bytes_per_s >= HEADROOM * max(path.bytes_per_s for path in paths)


def _rounded(value: float | str) -> float | str:
    return round(value, 3) if isinstance(value, float) else value


def _echo_back(opened: socket.socket) -> None:
    room = bytearray(1 << 20)
    with opened:
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while count := opened.recv_into(room):
            opened.sendall(memoryview(room)[:count])


def _serve() -> None:
    listening = socket.create_server(("127.0.0.1", 0))
    print(listening.getsockname()[1], flush=True)

    def take() -> None:
        while True:
            threading.Thread(target=_echo_back, args=(listening.accept()[0],), daemon=True).start()

    threading.Thread(target=take, daemon=True).start()
    sys.stdin.read()
    print("{}")


if __name__ == "__main__":
    if "--echo" in sys.argv:
        _serve()
    else:
        go_ahead()
        sys.exit(0 if prove(PATHS) else 1)
