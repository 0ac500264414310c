"""Bound the descriptors that the connections of this process hold, by its soft limit (`ulimit -n`).

It owns how many requests may be under way on each kind of connection, first come, first served. It must not
know what is sent, nor open anything.
"""

from __future__ import annotations

import asyncio
import os
from weakref import WeakKeyDictionary

from tinsmith.io.http.messages import Lane
from tinsmith.io.limits import FairSemaphore

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


class ConnectionLimit(FairSemaphore):
    """How many connections of a kind may be used at once; fewer for a time, after one could not be opened."""

    def __init__(self, largest: int | None) -> None:
        self._largest = float("inf") if largest is None else float(max(FEWEST, largest))
        super().__init__(self._largest)

    @property
    def is_contended(self) -> bool:
        """Whether requests wait."""
        return bool(self._queue)

    def fewer(self) -> None:
        """Note that no descriptor was free: what is used now, but one, is what there is room for."""
        self.limit = max(float(FEWEST), min(self.limit, float(self._used)) - 1.0)

    def _fits(self, _size: int) -> bool:
        return self._used < self.limit

    def _leave(self, size: int) -> None:
        self.limit = min(self._largest, self.limit + 1.0 / self.limit)
        super()._leave(size)


_by_loop: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[Lane, ConnectionLimit]] = WeakKeyDictionary()


def connection_limit(lane: Lane) -> ConnectionLimit | None:
    """Return the limit of a kind of connections, which all clients of this loop share; None for none."""
    loop = asyncio.get_running_loop()
    made = _by_loop.get(loop)
    if made is None:
        limit = soft_limit()
        room = None if limit is None else limit - _open_now() - KEPT_FREE
        uploads = None if room is None else room // SHARE_OF_UPLOADS
        polls = None if room is None or uploads is None else room - uploads
        going_up, down = ConnectionLimit(uploads), ConnectionLimit(polls)
        made = _by_loop[loop] = {Lane.UPLOAD: going_up, Lane.ALONE: going_up, Lane.POLL: down}
    return made.get(lane)
