"""Notifications by name across threads and event loops: here a coroutine waits for another thread.

The service is used from whichever loop its caller runs (the client's, uvicorn's, a test's), so nothing is
bound to a loop before somebody waits.
"""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class Notifier:
    """Names that coroutines wait for, and that any thread may notify."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[str, list[tuple[asyncio.AbstractEventLoop, asyncio.Future[None]]]] = {}

    def notify(self, name: str) -> None:
        """Wake everybody who waits for a name."""
        with self._lock:
            waiting = self._waiting.pop(name, [])
        for loop, future in waiting:
            try:
                loop.call_soon_threadsafe(_set, future)
            except RuntimeError:  # that loop was closed: nobody waits there any more
                continue

    def notify_all(self) -> None:
        """Wake everybody."""
        with self._lock:
            names = list(self._waiting)
        for name in names:
            self.notify(name)

    async def wait_for(self, name: str, look: Callable[[], T | None], timeout_s: float) -> T | None:
        """Return what `look` finds, called now and after each notification; None when the time is over."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout_s
        while True:
            future: asyncio.Future[None] = loop.create_future()
            with self._lock:
                self._waiting.setdefault(name, []).append((loop, future))
            try:
                found = look()
                left = deadline - loop.time()
                if found is not None or left <= 0:
                    return found
                await asyncio.wait([future], timeout=left)
            finally:
                self._forget(name, future)

    def _forget(self, name: str, future: asyncio.Future[None]) -> None:
        """Take a waiter off the list."""
        future.cancel()
        with self._lock:
            left = [entry for entry in self._waiting.get(name, []) if entry[1] is not future]
            if left:
                self._waiting[name] = left
            else:
                self._waiting.pop(name, None)


def _set(future: asyncio.Future[None]) -> None:
    """Complete a future unless its waiter has left."""
    if not future.done():
        future.set_result(None)
