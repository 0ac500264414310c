"""Run the client on one thread, in virtual time: no thread hops, no real waits, the same run every time.

It owns the loop and the clock of a simulated process. It must not know what the client or the server do.
"""

from __future__ import annotations

import asyncio
import math
import selectors
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar
from unittest.mock import patch

from tinsmith.io import poller
from tinsmith.io import runtime as _runtime
from tinsmith.io.http import sender

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

T = TypeVar("T")

START_S = 1000.0
"""What the clock shows first; only differences mean something."""


class Simulation:
    """A process whose loop runs when it is told to, until nothing is left to do before a moment."""

    def __init__(self) -> None:
        self.now_s = START_S
        """Virtual time on the loop's clock, in seconds."""
        self._until_s = START_S
        self.loop: asyncio.AbstractEventLoop = _SteppedLoop(self)
        """The loop."""
        self.runtime = _SteppedRuntime(lambda: self.loop)
        """What clients find when they ask for the loop of their process."""
        self.wall_offset_s = 1.7e9
        """What the wall clock shows beyond the loop's; people and time servers change it."""

    def time(self) -> float:
        """Return the wall clock's time, as the module `time` does."""
        return self.now_s + self.wall_offset_s

    def settle(self) -> None:
        """Run everything that is ready; no time passes."""
        self.advance(0.0)

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass, jumping from timer to timer."""
        self._until_s = self.now_s + seconds
        self.loop.run_forever()

    def advance_until(self, reached: Callable[[], bool], limit_s: float, step_s: float = 5.0) -> bool:
        """Let time pass until something holds, at most `limit_s`; say whether it does."""
        end_s = self.now_s + limit_s
        self.settle()
        while not reached() and self.now_s < end_s:
            self.advance(min(step_s, end_s - self.now_s))
        return reached()

    def run(self, coroutine: Coroutine[Any, Any, T], limit_s: float = 600.0) -> T:
        """Run a coroutine to its end, at most `limit_s` of virtual time."""
        task = self.loop.create_task(coroutine)
        if not self.advance_until(task.done, limit_s):
            task.cancel()
            self.settle()
            raise AssertionError(f"not done within {limit_s:g} virtual seconds")
        return task.result()

    def waits(self, timeout_s: float | None) -> None:
        """Pass the time that an idle loop would wait, and stop it where the time that was granted ends."""
        wanted_s = math.inf if timeout_s is None else self.now_s + timeout_s
        if wanted_s <= self._until_s:
            self.now_s = wanted_s
            return
        self.now_s = self._until_s
        self.loop.stop()


class _SteppedSelector:
    """A selector whose waiting is a step of the simulation."""

    def __init__(self, simulation: Simulation, inner: selectors.BaseSelector) -> None:
        self._simulation = simulation
        self._inner = inner

    def select(self, timeout: float | None = None) -> Any:
        ready = self._inner.select(0)
        if not ready and (timeout is None or timeout > 0):
            self._simulation.waits(timeout)
        return ready

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class _SteppedLoop(asyncio.SelectorEventLoop):
    def __init__(self, simulation: Simulation) -> None:
        selector: Any = _SteppedSelector(simulation, selectors.DefaultSelector())
        super().__init__(selector)
        self._simulation = simulation

    def time(self) -> float:
        return self._simulation.now_s


class _SteppedRuntime(_runtime.Runtime):
    """A runtime without threads: its loop runs where the simulation is, and so does its CPU work."""

    def _run(self) -> None:
        """Leave the loop alone."""

    def stop(self) -> None:
        """Cancel what is left and close the loop."""
        left = asyncio.all_tasks(self.loop)
        for task in left:
            task.cancel()
        self.loop.run_forever()
        assert all(task.done() for task in left), "a task survives its cancellation"
        self.loop.close()

    async def in_worker(self, work: Callable[..., T], *args: object) -> T:
        """Do the work here and now."""
        return work(*args)

    async def in_thread(self, work: Callable[..., T], *args: object) -> T:
        """Do the work here and now."""
        return work(*args)


@contextmanager
def simulation() -> Iterator[Simulation]:
    """Have the clients made inside the block run in a simulation."""
    made = Simulation()
    before = _runtime.replace(made.runtime)
    try:
        with patch.object(sender, "time", made), patch.object(poller, "time", made):
            yield made
    finally:
        _runtime.replace(before)
        made.runtime.stop()
