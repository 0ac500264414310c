"""The one thread that drives the engine: owners' training by turns, sampling in between, none starving.

Owns the thread and its fairness. What a task does is the task's business; it must report its own failure.
"""

import logging
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Protocol

from tinsmith_local.engine.workers import StoppedError, stop_when

_LOG = logging.getLogger("tinsmith.local")
_LOG.addHandler(logging.NullHandler())

#: Sampling gets at least this long after each training request, if it has work.
LEAST_SLICE_S = 0.01
#: The thread looks after expired things at least this often.
IDLE_ROUND_S = 5.0


class Floor(Protocol):
    """Sampling as the thread sees it."""

    def idle(self) -> bool:
        """Whether there is nothing to do."""

    def step(self) -> None:
        """Do one unit of work."""


class Worker:
    """The engine thread and its queue."""

    def __init__(self, floor: Floor, idle_round: Callable[[], None]) -> None:
        self._floor = floor
        self._idle_round = idle_round
        self._lines: OrderedDict[str, deque[Callable[[], None]]] = OrderedDict()
        self._waiting = 0
        self._ready = threading.Condition()
        self._closing = False
        self._next_round = 0.0
        self._thread = threading.Thread(target=self._run, name="tinsmith-engine", daemon=True)

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def put(self, task: Callable[[], None], owner: str = "") -> None:
        """Queue a task behind its owner's; owners take turns, a task each."""
        with self._ready:
            self._lines.setdefault(owner, deque()).append(task)
            self._waiting += 1
            self._ready.notify()

    def wake(self) -> None:
        """Say that sampling has work."""
        with self._ready:
            self._ready.notify()

    @property
    def waiting(self) -> int:
        """Tasks that have not begun."""
        return self._waiting

    def close(self) -> None:
        """Stop between two pieces of the work in hand; that and what is queued stays undone."""
        with self._ready:
            self._closing = True
            self._ready.notify()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join()

    def _run(self) -> None:
        """Alternate between training and sampling until closed."""
        stop_when(lambda: self._closing)
        while (task := self._next()) is not None:
            begun = time.monotonic()
            _guarded(task)
            spent = time.monotonic() - begun
            until = time.monotonic() + max(spent, LEAST_SLICE_S)
            while not self._closing and not self._floor.idle():
                _guarded(self._floor.step)
                if self._waiting and time.monotonic() >= until:
                    break
            if time.monotonic() >= self._next_round:
                self._next_round = time.monotonic() + IDLE_ROUND_S
                _guarded(self._idle_round)

    def _next(self) -> Callable[[], None] | None:
        """Wait for work; None when closing."""
        with self._ready:
            if not self._waiting and not self._closing and self._floor.idle():
                self._ready.wait(IDLE_ROUND_S)
            if self._closing:
                return None
            if not self._waiting:
                return _nothing
            self._waiting -= 1
            owner, line = self._lines.popitem(last=False)
            task = line.popleft()
            if line:
                self._lines[owner] = line
            return task


def _nothing() -> None:
    """Stand in for a training task when there is none."""


def _guarded(task: Callable[[], None]) -> None:
    """Run a task; a defect in it must not end the thread that everybody needs."""
    try:
        task()
    except StoppedError:
        _LOG.debug("work was given up, since the service closes")
    except Exception:  # noqa: BLE001 - see above
        _LOG.exception("a task of the engine thread failed")
