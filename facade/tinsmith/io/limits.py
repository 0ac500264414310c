"""Bound what one client holds at once: bytes of bodies, samples in flight, samples being submitted.

It must not know what it admits, nor why a server pushed back.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class ByteBudget:
    """Room for the bodies that exist at one time, first come, first served.

    A body larger than the whole budget is admitted alone rather than never.
    """

    def __init__(self, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        """The room; who changes it changes what is admitted from then on."""
        self._used = 0
        self._queue: deque[tuple[int, asyncio.Future[None]]] = deque()

    @asynccontextmanager
    async def room(self, size_bytes: int) -> AsyncIterator[None]:
        """Hold room for `size_bytes` while the block runs."""
        await self._enter(size_bytes)
        try:
            yield
        finally:
            self._used -= size_bytes
            self._admit()

    def is_full_for(self, size_bytes: int) -> bool:
        """Say whether `size_bytes` would have to wait."""
        return bool(self._queue) or not self._fits(size_bytes)

    async def _enter(self, size_bytes: int) -> None:
        if not self.is_full_for(size_bytes):
            self._used += size_bytes
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry = (size_bytes, turn)
        self._queue.append(entry)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._used -= size_bytes
            else:
                self._queue.remove(entry)
            self._admit()
            raise

    def _fits(self, size_bytes: int) -> bool:
        return self._used == 0 or self._used + size_bytes <= self.limit_bytes

    def _admit(self) -> None:
        while self._queue and self._fits(self._queue[0][0]):
            size_bytes, turn = self._queue.popleft()
            if not turn.done():
                self._used += size_bytes
                turn.set_result(None)


class Window:
    """How many requests may be in flight: grows by one a window of successes, falls on push-back (AIMD)."""

    FALL = 0.85
    """Factor on push-back: a server that caps at c is then probed between 0.85 c and c."""
    PROBE = 10.0
    """Windows of successes for one more, where the server pushed back before: it mostly would again."""
    PAST = 1.05
    """Factor on where it pushed back, from which it no longer counts."""

    def __init__(self, start: int, largest: int) -> None:
        self._largest = float(largest)
        self._size = float(min(start, largest))
        self._ceiling = math.inf
        self.in_flight = 0
        """Requests that were let through and have not left."""

    def bound_by(self, largest: int) -> None:
        """Let the window grow to `largest`; at once, where nothing was pushed back."""
        unharmed = self._size == self._largest
        self._largest = float(largest)
        self._size = self._largest if unharmed else min(self._size, self._largest)

    @property
    def size(self) -> int:
        """The number of requests that may be in flight now; at least 1."""
        return max(1, int(self._size))

    @property
    def is_open(self) -> bool:
        """Whether one more may go."""
        return self.in_flight < self.size

    def grew(self) -> None:
        """Note a success."""
        slower = self.PROBE if self._size >= self._ceiling - 1.0 else 1.0
        self._size = min(self._largest, self._size + 1.0 / (self._size * slower))
        if self._size > self._ceiling * self.PAST + 1.0:
            self._ceiling = math.inf

    def pushed_back(self, in_flight_before: int) -> None:
        """Note a push-back that met the server with `in_flight_before` requests of ours."""
        self._ceiling = max(1.0, float(in_flight_before))
        self._size = max(1.0, min(self._size, in_flight_before * self.FALL))


class Submissions:
    """How many samples may be on their way to their promises: as many as answers come back in that time.

    More would open connections that are of use once. Where answers take long, more are needed to keep up.
    """

    FEWEST = 16
    """Submissions at once on the quickest connection."""
    PER_S = 500.0
    """Submissions a second that slow answers shall not hold up; quick ones come faster by themselves."""
    MEMORY = 0.9
    """Share of the average that a new roundtrip leaves."""

    def __init__(self, largest: int) -> None:
        self._largest = largest
        self._roundtrip_s: float | None = None
        self.under_way = 0
        """Submissions that were sent off and have no promise."""

    @property
    def limit(self) -> int:
        """Submissions that may be under way."""
        needed = math.ceil(self.PER_S * (self._roundtrip_s or 0.0))
        return min(self._largest, max(self.FEWEST, needed))

    @property
    def is_open(self) -> bool:
        """Whether one more may be sent off."""
        return self.under_way < self.limit

    def answered(self, roundtrip_s: float) -> None:
        """Learn from a promise how long promises take."""
        before_s = roundtrip_s if self._roundtrip_s is None else self._roundtrip_s
        self._roundtrip_s = self.MEMORY * before_s + (1.0 - self.MEMORY) * roundtrip_s
