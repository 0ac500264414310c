"""A network path as numbers: when bytes that are sent now arrive. Pure: it reads no clock and sends nothing.

`relay.py` moves bytes by these times, and `relay_proof.py` measures whether it does. Left out are lost
packets and slow start: a connection has its full window from its first byte on.
"""

from __future__ import annotations

from typing import NamedTuple

MTU_BYTES = 1500
"""What one packet holds; no read of the relay is smaller."""

LARGEST_READ_BYTES = 256 * 1024
"""Most bytes that the relay takes from a connection at a time."""

READ_S = 0.001
"""How long what is read at a time takes on the link, so that connections share it in small turns."""

SPARE_BYTES = 64 * 1024
"""Bytes that a connection may have on the way beyond what the path holds."""

DELAY_OFF_S, DELAY_OFF = 0.001, 0.03
"""How far a median may be from the claim: seconds, and a share of it."""
PACE_OFF = 0.05
"""How much longer or shorter a stream may take than bandwidth and delay say, as a share."""


class Path(NamedTuple):
    """One path between two machines, the same both ways."""

    rtt_s: float
    """Seconds there and back, without jitter."""
    jitter_s: float
    """Most seconds that jitter adds there and back together; each way adds up to half, evenly spread."""
    bytes_per_s: float
    """Bandwidth each way."""

    @property
    def name(self) -> str:
        """The path for people: `20 ms, 50 Mbit/s`."""
        bits = 8 * self.bytes_per_s
        speed = f"{bits / 1e9:g} Gbit/s" if bits >= 1e9 else f"{bits / 1e6:g} Mbit/s"
        return f"{1000 * self.rtt_s:g} ms, {speed}"

    @property
    def typical_rtt_s(self) -> float:
        """Seconds there and back with the jitter that is added on average."""
        return self.rtt_s + self.jitter_s / 2

    @property
    def read_bytes(self) -> int:
        """Bytes that are taken from a connection at a time."""
        return int(min(max(self.bytes_per_s * READ_S, MTU_BYTES), LARGEST_READ_BYTES))

    @property
    def window_bytes(self) -> float:
        """Bytes of one connection on the way at once, one way: what fills the path, and a little more."""
        return 1.25 * self.bytes_per_s * (self.rtt_s + self.jitter_s) + SPARE_BYTES


JITTER = 0.02
"""Jitter of a path, as a share of its round trip."""
GIGABIT, SLOW = 125_000_000.0, 6_250_000.0
"""1 Gbit/s and 50 Mbit/s, in bytes."""

PATHS = [
    Path(rtt_ms / 1000, JITTER * rtt_ms / 1000, speed) for speed in (GIGABIT, SLOW) for rtt_ms in (1, 20, 80)
]
"""What is measured."""


class Link:
    """One direction of a path: all connections share its bandwidth, in the order in which they send."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._free_s = float("-inf")

    def arrival_s(self, now_s: float, size_bytes: int, chance: float) -> float:
        """Put bytes on the link, and return when the last of them arrives; `chance` in [0, 1) is the jitter.

        They leave when all that was put there before has left.
        """
        begin_s = max(now_s, self._free_s)
        self._free_s = begin_s + size_bytes / self._path.bytes_per_s
        return self._free_s + (self._path.rtt_s + chance * self._path.jitter_s) / 2


class Flow:
    """The bytes of one connection in one direction: they keep their order, and a window bounds them."""

    def __init__(self, path: Path, link: Link) -> None:
        self._link, self._window_bytes = link, path.window_bytes
        self._latest_s = float("-inf")
        self.under_way_bytes = 0
        """Bytes that were sent and have not arrived."""

    @property
    def is_full(self) -> bool:
        """Whether the sender has to wait until something has arrived."""
        return self.under_way_bytes >= self._window_bytes

    def send(self, now_s: float, size_bytes: int, chance: float) -> float:
        """Send bytes, and return when they arrive: never before what was sent earlier."""
        self.under_way_bytes += size_bytes
        self._latest_s = max(self._latest_s, self._link.arrival_s(now_s, size_bytes, chance))
        return self._latest_s

    def arrived(self, size_bytes: int) -> None:
        """Note that bytes have arrived."""
        self.under_way_bytes -= size_bytes


class Proof(NamedTuple):
    """What was measured of one path."""

    rtt_s: float
    """Median round trip of one byte on an open connection."""
    late_rtt_s: float
    """The round trip that 95 % keep below."""
    first_s: float
    """Median time from opening a connection to the first byte back."""
    stream_s: float
    """Seconds that a stream took there and back."""
    stream_bytes: int
    """Its length."""
    cpu_s: float
    """CPU time of the relay for all of it."""

    @property
    def bytes_per_s(self) -> float:
        """What the stream moved a second, each way."""
        return self.stream_bytes / self.stream_s


def faults(path: Path, proof: Proof) -> list[str]:
    """Return in words what the relay does not keep."""
    claims = {"a round trip": (proof.rtt_s, path.typical_rtt_s, path.jitter_s / 4)}
    claims["a first byte"] = (proof.first_s, 2 * path.typical_rtt_s, path.jitter_s)
    found = [
        f"{what} takes {1000 * measured:.2f} ms, not {1000 * claimed:.2f}"
        for what, (measured, claimed, spread_s) in claims.items()
        if abs(measured - claimed) > DELAY_OFF_S + DELAY_OFF * claimed + spread_s
    ]
    claimed_s = proof.stream_bytes / path.bytes_per_s + path.typical_rtt_s
    if not claimed_s * (1 - PACE_OFF) <= proof.stream_s <= claimed_s * (1 + PACE_OFF) + DELAY_OFF_S:
        found.append(f"{proof.stream_bytes} bytes take {proof.stream_s:.3f} s, not {claimed_s:.3f}")
    return found
