"""A relay between clients and one server on this machine that makes their path as slow as a network.

Usage: relay.py PORT RTT_MS JITTER_MS MBIT_PER_S. It listens on a port of its own, prints it, and forwards
each connection to PORT on loopback: bytes are delayed by half of the round-trip time each way, and paced to
the bandwidth (0: `UNPACED_MBIT`), which all connections share. A new connection waits one round trip before
its first byte is read, which is what the handshake of TCP takes. At the end it prints connections, bytes and
its CPU time. `network_path.py` computes the times; Linux only, for timers finer than a millisecond.
"""

from __future__ import annotations

import asyncio
import ctypes
import heapq
import os
import random
import socket
import sys
from collections.abc import Callable
from itertools import count

from network_path import Flow, Link, Path
from stand_in import until_closed

CLOCK_MONOTONIC = 1
TFD_NONBLOCK = os.O_NONBLOCK
TFD_TIMER_ABSTIME = 1

UNPACED_MBIT = 100_000
"""More than any process here moves."""

Due = Callable[[], None]
"""What is done at its time."""


class _Time(ctypes.Structure):
    """`struct itimerspec`: an interval, and a first time, in seconds and nanoseconds each."""

    _fields_ = [(name, ctypes.c_long) for name in ("every_s", "every_ns", "first_s", "first_ns")]


class Timetable:
    """Does things at their times, to about 0.1 ms: the loop's own timers are rounded up to milliseconds."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._timer = self._libc.timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK)
        if self._timer < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create")
        self._due: list[tuple[float, int, Due]] = []
        self._order = count()
        self._set_s = float("inf")
        loop.add_reader(self._timer, self._rung)

    def at(self, due_s: float, do: Due) -> None:
        """Do something at a time on the clock of the loop; what is due at once is done in order."""
        heapq.heappush(self._due, (due_s, next(self._order), do))
        if due_s < self._set_s:
            self._set(due_s)

    def _rung(self) -> None:
        try:
            os.read(self._timer, 8)
        except BlockingIOError:
            return
        while self._due and self._due[0][0] <= self._loop.time():
            heapq.heappop(self._due)[2]()
        self._set_s = float("inf")
        if self._due:
            self._set(self._due[0][0])

    def _set(self, due_s: float) -> None:
        self._set_s = due_s
        whole = int(due_s)
        first = _Time(0, 0, whole, max(int((due_s - whole) * 1e9), 1))
        self._libc.timerfd_settime(self._timer, TFD_TIMER_ABSTIME, ctypes.byref(first), None)


class Relay:
    """Both directions of the path, and what is counted."""

    def __init__(self, path: Path, loop: asyncio.AbstractEventLoop) -> None:
        self.path = path
        """The path that it imitates."""
        self.up, self.down = Link(path), Link(path)
        """To the server, and from it."""
        self.clock = loop.time
        """What arrivals are measured by."""
        self.timetable = Timetable(loop)
        """When bytes arrive."""
        self.seen = {"connections": 0.0, "up_mb": 0.0, "down_mb": 0.0}
        """Counts, for the report."""

    def flow(self, *, is_up: bool) -> Flow:
        """Make one direction of a connection."""
        return Flow(self.path, self.up if is_up else self.down)


class End(asyncio.BufferedProtocol):
    """One end of a relayed connection: what it reads arrives at the other one."""

    other: End

    def __init__(self, relay: Relay, *, is_up: bool) -> None:
        self._relay, self._flow = relay, relay.flow(is_up=is_up)
        self._count = "up_mb" if is_up else "down_mb"
        self._buffer = bytearray(relay.path.read_bytes)
        self._is_blocked = False
        self.transport: asyncio.Transport | None = None
        """The connection; None before there is one."""
        self.has_ended = False
        """Whether nothing more is read here."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the connection; small messages leave at once."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def get_buffer(self, _hint: int) -> bytearray:
        """Lend the room for one read."""
        return self._buffer

    def buffer_updated(self, size_bytes: int) -> None:
        """Put what was read on the link."""
        data = bytes(memoryview(self._buffer)[:size_bytes])
        self._relay.seen[self._count] += size_bytes / 1e6
        self._after(size_bytes, lambda: self._deliver(data))
        self._read_or_wait()

    def eof_received(self) -> bool:
        """Let the end travel like bytes; the way back stays open."""
        self.has_ended = True
        self._after(0, self._deliver_end)
        return True

    def connection_lost(self, _error: Exception | None) -> None:
        """Close the other end after all that was sent before."""
        self._after(0, self._close_other)

    def pause_writing(self) -> None:
        """Read no more at the other end: who gets it does not keep up."""
        self.other.block(True)

    def resume_writing(self) -> None:
        """Read on at the other end."""
        self.other.block(False)

    def block(self, is_blocked: bool) -> None:
        """Stop reading, or go on."""
        self._is_blocked = is_blocked
        self._read_or_wait()

    def _after(self, size_bytes: int, do: Due) -> None:
        relay = self._relay
        relay.timetable.at(self._flow.send(relay.clock(), size_bytes, random.random()), do)

    def _deliver(self, data: bytes) -> None:
        self._flow.arrived(len(data))
        target = self.other.transport
        if target is not None and not target.is_closing():
            target.write(data)
        self._read_or_wait()

    def _deliver_end(self) -> None:
        target = self.other.transport
        if target is not None and not target.is_closing():
            target.write_eof()
        if self.other.has_ended:
            self._close_other()
            self.other._close_other()

    def _close_other(self) -> None:
        if self.other.transport is not None:
            self.other.transport.close()

    def _read_or_wait(self) -> None:
        if self.transport is None or self.transport.is_closing():
            return
        if self._is_blocked or self._flow.is_full:
            self.transport.pause_reading()
        else:
            self.transport.resume_reading()


class ClientEnd(End):
    """The end at which a client came in; nothing is read before the handshake of TCP would be over."""

    def __init__(self, relay: Relay, port: int) -> None:
        super().__init__(relay, is_up=True)
        self._port = port
        self.other = End(relay, is_up=False)
        self.other.other = self

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait one round trip, then connect to the server."""
        super().connection_made(transport)
        self._relay.seen["connections"] += 1
        self.block(True)
        relay, loop = self._relay, asyncio.get_running_loop()
        relay.timetable.at(relay.clock() + relay.path.typical_rtt_s, lambda: self._open(loop))

    def _open(self, loop: asyncio.AbstractEventLoop) -> None:
        self._opening = loop.create_task(self._connect(loop))

    async def _connect(self, loop: asyncio.AbstractEventLoop) -> None:
        try:
            await loop.create_connection(lambda: self.other, "127.0.0.1", self._port)
        except OSError:
            self.other._close_other()
        else:
            self.block(False)
            if self.transport is None or self.transport.is_closing():
                self._close_other()


async def main() -> None:
    """Relay until standard input closes."""
    port, rtt_ms, jitter_ms, mbit = int(sys.argv[1]), *map(float, sys.argv[2:5])
    path = Path(rtt_ms / 1000, jitter_ms / 1000, (mbit or UNPACED_MBIT) * 125_000)
    loop = asyncio.get_running_loop()
    relay = Relay(path, loop)
    server = await loop.create_server(lambda: ClientEnd(relay, port), "127.0.0.1", 0, backlog=4096)
    await until_closed(server, relay.seen)


if __name__ == "__main__":
    asyncio.run(main())
