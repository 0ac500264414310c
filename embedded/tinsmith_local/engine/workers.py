"""Owns the threads that share one computation, and the arrays that they keep between two.

Must not know what they compute.

BLAS runs single-threaded inside a step and the team splits the work instead, so that element-wise work is
split too and a result does not depend on how BLAS would have divided it.
"""

from __future__ import annotations

import contextlib
import math
import os
import threading
from collections.abc import Callable, Iterator
from functools import cached_property
from queue import SimpleQueue

import numpy as np
import numpy.typing as npt
from threadpoolctl import ThreadpoolController

Array = npt.NDArray[np.float32]
Task = Callable[[int], None]

MAX_WORKERS = 8
"""More threads than this wait for memory rather than compute."""
ALIGNMENT_BYTES = 64
"""Start of every array: one cache line, one widest vector register."""


def aligned(shape: tuple[int, ...], dtype: npt.DTypeLike) -> Array:
    """Return an uninitialised array whose first byte lies on a cache line."""
    size = math.prod(shape) * np.dtype(dtype).itemsize
    raw = np.empty(size + ALIGNMENT_BYTES, np.uint8)
    start = -raw.__array_interface__["data"][0] % ALIGNMENT_BYTES
    view: Array = raw[start : start + size].view(dtype).reshape(shape)
    return view


class Workspace:
    """Arrays by name, grown when a call needs more and handed out again to the next."""

    def __init__(self) -> None:
        self._arrays: dict[str, Array] = {}

    def take(self, name: str, shape: tuple[int, ...], dtype: npt.DTypeLike) -> Array:
        """Return this name's array, uninitialised, cut to `shape`; valid until the name is taken again."""
        size = math.prod(shape)
        held = self._arrays.get(name)
        if held is None or held.size < size or held.dtype != dtype:
            self._arrays.pop(name, None)
            held = self._arrays[name] = aligned((size,), dtype)
        return held[:size].reshape(shape)


def available_cores() -> int:
    """Count the cores that this process may use, at most `MAX_WORKERS`."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(cores, MAX_WORKERS))


class BrokenTeamError(RuntimeError):
    """Another worker failed, so there is nobody to wait for; its own error is the one that is raised."""


class StoppedError(RuntimeError):
    """The computation was given up between two pieces, because the service closes; nothing of it was kept."""


class _Stopping(threading.local):
    """When the computations of each thread are to stop."""

    stop: Callable[[], bool] | None = None


_stopping = _Stopping()


def stop_when(stop: Callable[[], bool]) -> None:
    """Have computations that the calling thread starts end with `StoppedError` soon after `stop` is true."""
    _stopping.stop = stop


class Team:
    """Runs a task once per worker; the calling thread is worker 0."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.workspace = Workspace()
        """Arrays of the computation that uses the team; there is one at a time."""
        self.stop: Callable[[], bool] | None = None
        """Whether to give up; None for a computation that nobody stops."""
        self._go: list[SimpleQueue[Task]] = [SimpleQueue() for _ in range(size - 1)]
        self._done: SimpleQueue[BaseException | None] = SimpleQueue()
        self._meet: list[SimpleQueue[bool]] = [SimpleQueue() for _ in range(size)]
        for index, queue in enumerate(self._go, start=1):
            name = f"tinsmith-engine-{index}"
            threading.Thread(target=self._loop, args=(index, queue), daemon=True, name=name).start()

    def _loop(self, index: int, queue: SimpleQueue[Task]) -> None:
        with np.errstate(all="ignore"):  # as in `exclusive`: threads start with numpy's defaults
            while True:
                task = queue.get()
                self._done.put(self._outcome(task, index))
                del task  # a sleeping thread must not keep a step's arrays alive

    @cached_property
    def lanes(self) -> tuple[Team, ...]:
        """One-worker teams, each with arrays of its own: lane i for use by worker i inside a task."""
        return tuple(Team(1) for _ in range(self.size))

    def run(self, task: Task) -> None:
        """Call `task(worker)` for every worker at once and wait for all; raise the first error."""
        for queue in self._go:
            queue.put(task)
        errors = [self._outcome(task, 0)]
        errors += [self._done.get() for _ in self._go]
        found = [error for error in errors if error is not None]
        if found:
            self._meet = [SimpleQueue() for _ in range(self.size)]
            raise next((error for error in found if not isinstance(error, BrokenTeamError)), found[0])

    def look_up(self) -> None:
        """Raise `StoppedError` when the computation is to end: between pieces, with nothing half changed."""
        if self.stop is not None and self.stop():
            raise StoppedError("the service closes")

    def meet(self, worker: int) -> None:
        """Wait inside a task until every worker has come here."""
        self._tell(worker, True)
        mine = self._meet[worker]
        for _ in range(self.size - 1):
            if not mine.get():
                raise BrokenTeamError

    def _tell(self, worker: int, well: bool) -> None:
        for other, queue in enumerate(self._meet):
            if other != worker:
                queue.put(well)

    def _outcome(self, task: Task, index: int) -> BaseException | None:
        try:
            task(index)
        except BaseException as error:  # noqa: BLE001  (handed to the thread that waits in `run`)
            self._tell(index, False)
            return error
        return None


_engine = threading.RLock()
_team: Team | None = None
_blas: ThreadpoolController | None = None


def _forget_threads() -> None:
    """Drop what a fork did not copy: threads, and a lock that one of them may have held."""
    global _team, _engine
    _team = None
    _engine = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_threads)


@contextlib.contextmanager
def exclusive() -> Iterator[Team]:
    """Give the calling thread the engine: its team, and BLAS without threads of its own.

    Numbers that overflow raise no warnings there: callers check that results are finite.
    """
    global _team, _blas
    with _engine, np.errstate(all="ignore"):
        if _team is None:
            _team = Team(available_cores())
        if _blas is None:
            _blas = ThreadpoolController()
        outer, _team.stop = _team.stop, _stopping.stop
        try:
            with _blas.limit(limits=1, user_api="blas"):
                yield _team
        finally:
            if _team is not None:
                _team.stop = outer


def even_blocks(count: int, largest: int, workers: int) -> list[slice]:
    """Split range(count) into near-equal blocks of at most about `largest`, some for each worker."""
    if count <= 0:
        return []
    rounds = max(1, -(-count // (largest * workers)))
    size = -(-count // (rounds * workers))
    size += -size % 4
    return [slice(start, min(start + size, count)) for start in range(0, count, size)]
