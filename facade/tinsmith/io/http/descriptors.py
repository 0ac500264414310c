"""Bound the descriptors that the connections of this process hold, by its soft limit (`ulimit -n`).

It owns how many requests may be under way on each kind of connection, first come, first served. It must not
know what is sent, nor open anything.
"""

from __future__ import annotations

import asyncio
import os
from collections import deque
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from tinsmith.io.http.messages import Lane

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

try:
    import resource
except ImportError:  # Windows, where sockets are no descriptors
    resource = None  # type: ignore[assignment]

KEPT_FREE = 64
"""Descriptors that are left to the program: its files, its modules, the few connections for control."""

FEWEST = 4
"""Connections of a kind that are used however low the limit is."""

SHARE_OF_UPLOADS = 4
"""One in so many connections is for submissions, which are answered soon; polls are held."""

SHARED_HOLD_S = 5.0
"""Seconds that a poll waits for its answer while others wait for its connection."""

PAUSE_S = 0.05
"""Seconds before an attempt that found no descriptor free is made again; doubles, up to a second."""


def soft_limit() -> int | None:
    """Return how many descriptors this process may have open; None for no limit."""
    if resource is None:
        return None
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return None if soft == resource.RLIM_INFINITY else soft


def _open_now() -> int:
    for folder in ("/proc/self/fd", "/dev/fd"):
        try:
            return len(os.listdir(folder))
        except OSError:
            continue
    return 0


class Turns:
    """Who may use a connection now; the others wait in the order in which they came."""

    def __init__(self, largest: int | None) -> None:
        self._largest = float("inf") if largest is None else float(max(FEWEST, largest))
        self._limit = self._largest
        self._used = 0
        self._queue: deque[asyncio.Future[None]] = deque()

    @property
    def is_contended(self) -> bool:
        """Whether somebody waits."""
        return bool(self._queue)

    @asynccontextmanager
    async def one(self) -> AsyncIterator[None]:
        """Hold a turn while the block runs."""
        await self._enter()
        try:
            yield
        finally:
            self._leave()

    def fewer(self) -> None:
        """Note that no descriptor was free: what is used now, but one, is what there is room for."""
        self._limit = max(float(FEWEST), min(self._limit, float(self._used)) - 1.0)

    async def _enter(self) -> None:
        if self._used < self._limit and not self._queue:
            self._used += 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._leave()
            else:
                self._queue.remove(turn)
            raise

    def _leave(self) -> None:
        self._used -= 1
        self._limit = min(self._largest, self._limit + 1.0 / self._limit)
        while self._queue and self._used < self._limit:
            turn = self._queue.popleft()
            if not turn.done():
                self._used += 1
                turn.set_result(None)


_by_loop: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[Lane, Turns]] = WeakKeyDictionary()


def turns_for(lane: Lane) -> Turns | None:
    """Return the turns of a kind of connections, which all clients of this loop share; None for no bound."""
    loop = asyncio.get_running_loop()
    made = _by_loop.get(loop)
    if made is None:
        limit = soft_limit()
        room = None if limit is None else limit - _open_now() - KEPT_FREE
        uploads = None if room is None else room // SHARE_OF_UPLOADS
        polls = None if room is None or uploads is None else room - uploads
        going_up = Turns(uploads)
        made = _by_loop[loop] = {Lane.UPLOAD: going_up, Lane.ALONE: going_up, Lane.POLL: Turns(polls)}
    return made.get(lane)
