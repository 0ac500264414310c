"""The one thread that drives the engine: training, one owner after the other, and sampling in between.

Owns the thread and its fairness. What a task does is the task's business; it must report its own failure.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict, deque
from typing import TYPE_CHECKING

from tinsmith_local.engine.workers import StoppedError, stop_when

if TYPE_CHECKING:
    from collections.abc import Callable

_log = logging.getLogger("tinsmith.local")

LEAST_SLICE_S = 0.01
"""Sampling gets at least this long after each training request, if it has work."""
HOUSEKEEPING_S = 5.0
"""The thread looks after expired things at least this often."""


class EngineThread:
    """The thread and its queues."""

    def __init__(self) -> None:
        self._queues: OrderedDict[str, deque[Callable[[], None]]] = OrderedDict()
        self._waiting = 0
        self._ready = threading.Condition()
        self._closing = False
        self._next_round = 0.0
        self._thread: threading.Thread | None = None

    def start(
        self,
        *,
        is_sampling: Callable[[], bool],
        sample: Callable[[], None],
        keep_house: Callable[[], None],
    ) -> None:
        """Begin to work. While `is_sampling` is true, `sample` does one unit of work."""
        self._is_sampling, self._sample, self._keep_house = is_sampling, sample, keep_house
        self._thread = threading.Thread(target=self._run, name="tinsmith-engine", daemon=True)
        self._thread.start()

    def put(self, task: Callable[[], None], owner: str = "") -> None:
        """Queue a task after its owner's others; the owners are served in rotation, a task each."""
        with self._ready:
            self._queues.setdefault(owner, deque()).append(task)
            self._waiting += 1
            self._ready.notify()

    def wake(self) -> None:
        """Notify the thread that sampling has work."""
        with self._ready:
            self._ready.notify()

    @property
    def waiting(self) -> int:
        """Tasks that have not begun."""
        return self._waiting

    def close(self) -> None:
        """Stop between two pieces of the present work; that and what is queued stays undone."""
        with self._ready:
            self._closing = True
            self._ready.notify()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()

    def _run(self) -> None:
        """Alternate between training and sampling until closed."""
        stop_when(lambda: self._closing)
        while (task := self._next()) is not None:
            begun = time.monotonic()
            _guarded(task)
            spent = time.monotonic() - begun
            until = time.monotonic() + max(spent, LEAST_SLICE_S)
            while not self._closing and self._is_sampling():
                _guarded(self._sample)
                if self._waiting and time.monotonic() >= until:
                    break
            if time.monotonic() >= self._next_round:
                self._next_round = time.monotonic() + HOUSEKEEPING_S
                _guarded(self._keep_house)

    def _next(self) -> Callable[[], None] | None:
        """Wait for work; None when closing."""
        with self._ready:
            if not self._waiting and not self._closing and not self._is_sampling():
                self._ready.wait(HOUSEKEEPING_S)
            if self._closing:
                return None
            if not self._waiting:
                return lambda: None  # only sampling has work
            self._waiting -= 1
            owner, queue = self._queues.popitem(last=False)
            task = queue.popleft()
            if queue:
                self._queues[owner] = queue
            return task


def _guarded(task: Callable[[], None]) -> None:
    """Run a task; a defect in it must not end the thread that everybody needs."""
    try:
        task()
    except StoppedError:
        _log.debug("work was given up, since the service closes")
    except Exception:  # noqa: BLE001 - see above
        _log.exception("a task of the engine thread failed")
