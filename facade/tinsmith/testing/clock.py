"""A clock that tests control: the client's event loop runs on it, and no test waits in real time."""

from __future__ import annotations

import asyncio
import selectors
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tinsmith.io import runtime as _runtime

if TYPE_CHECKING:
    from collections.abc import Iterator

GLANCE_S = 0.0005
"""Real seconds that an idle loop waits for work of other threads before its clock jumps to the next timer."""


class FrozenClock:
    """Time as the client sees it.

    With `auto` an idle loop jumps to its next timer, so that an hour of back-off passes in a moment. Without
    it time passes only by `advance`.
    """

    def __init__(self, *, auto: bool = True) -> None:
        self.auto = auto
        """Whether an idle loop jumps to its next timer."""
        self._now_s = 1000.0
        self._guard = threading.Lock()
        self._loop: _FrozenLoop | None = None
        self.runtime: _runtime.Runtime | None = None
        """The runtime that runs on this clock."""

    def now(self) -> float:
        """Return the time in seconds; only differences mean something."""
        return self._now_s

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass."""
        with self._guard:
            self._now_s += seconds
        if self._loop is not None:
            self._loop.call_soon_threadsafe(lambda: None)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Stop the clock while the block runs, for instance while calls are made."""
        with self._guard:  # a jump that has begun ends before it, or does not happen
            auto, self.auto = self.auto, False
        try:
            yield
        finally:
            self.auto = auto
            self.advance(0.0)

    def settle(self) -> None:
        """Wait until the loop has run everything that was ready."""
        if self.runtime is not None:
            for _ in range(3):
                self.runtime.spawn(asyncio.sleep(0)).result()

    def loop(self) -> asyncio.AbstractEventLoop:
        """Make the loop that runs on this clock."""
        self._loop = _FrozenLoop(self)
        return self._loop

    def _is_busy(self) -> bool:
        return self.runtime is not None and self.runtime.working > 0


class _FrozenSelector:
    """A selector whose waiting is a jump of the clock."""

    def __init__(self, clock: FrozenClock, inner: selectors.BaseSelector) -> None:
        self._clock = clock
        self._inner = inner

    def select(self, timeout: float | None = None) -> Any:
        if timeout is None or timeout <= 0:
            return self._inner.select(timeout)
        if not self._clock.auto:
            return self._inner.select(None)
        ready = self._inner.select(GLANCE_S)
        if not ready and not self._clock._is_busy():
            with self._clock._guard:
                if self._clock.auto:  # it may have been held meanwhile
                    self._clock._now_s += timeout
        return ready

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class _FrozenLoop(asyncio.SelectorEventLoop):
    def __init__(self, clock: FrozenClock) -> None:
        selector: Any = _FrozenSelector(clock, selectors.DefaultSelector())
        super().__init__(selector)
        self._clock = clock

    def time(self) -> float:
        return self._clock.now()


@contextmanager
def frozen_clock(*, auto: bool = True) -> Iterator[FrozenClock]:
    """Run the clients that are made inside the block on a clock of their own.

    With `auto` an idle client jumps to its next timer; without it time passes only by `advance`.

    >>> from tinsmith import ServiceClient, testing
    >>> with testing.frozen_clock() as clock, ServiceClient(**testing.LedgerService().settings()) as service:
    ...     began_s = clock.now()
    ...     clock.advance(60.0)
    >>> clock.now() - began_s
    60.0
    """
    clock = FrozenClock(auto=auto)
    clock.runtime = _runtime.Runtime(clock.loop)
    before = _runtime.replace(clock.runtime)
    try:
        yield clock
    finally:
        _runtime.replace(before)
        clock.runtime.stop()
