"""Own the one event loop of the process: a daemon thread, started on first use and forgotten after a fork.

It also refuses waits for a result that could not end. It must not know what runs on it: clients hand it
coroutines, and drains to call before the process ends.
"""

from __future__ import annotations

import asyncio
import atexit
import concurrent.futures
import logging
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, Protocol, TypeVar

from tinsmith_api.future import may_wait

from tinsmith.core.errors import ClosedError, InputError, TinkerError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable

    from tinsmith_api.future import APIFuture, Wait

_T = TypeVar("_T")
_log = logging.getLogger("tinsmith.runtime")

WORKER_THREADS = 2
"""Threads that build and read large bodies: one encodes while one decodes, more would only share the GIL."""

_STEERING: tuple[type[Exception], ...] = (concurrent.futures.CancelledError, StopIteration)
"""Exceptions that a loop takes for its own."""

INTERRUPTED_DRAIN_S = 0.5
"""Seconds that the exit waits for work in flight after Ctrl-C: enough for an answer already on its way."""


RESULT_GRACE_S = 3.0
"""Seconds that the exit waits for results of what was accepted: most come in that time."""


class Unfinished(NamedTuple):
    """How many requests of a client have no outcome."""

    unsent: int = 0
    """Training requests that were not sent."""
    unanswered: int = 0
    """Training requests that were sent and are not acknowledged."""
    accepted: int = 0
    """Training calls that the server accepted and whose results are not here."""
    samples: int = 0
    """Samples; they change nothing, so they are not waited for."""


def total(counts: Iterable[Unfinished]) -> Unfinished:
    """Add counts up."""
    return Unfinished(*map(sum, zip(*counts, strict=True)))


class Drainable(Protocol):
    """Something with work in flight that wants to finish before the process ends."""

    async def drain(self, deadline_s: float | None, *, grace_s: float = 0.0) -> None:
        """Wait until nothing is unacknowledged, at most `deadline_s` seconds (None: the client's own limit).

        Then wait for results, at most `grace_s` seconds.
        """

    def unfinished(self) -> Unfinished:
        """Count what would be lost now."""

    def failed(self) -> list[BaseException]:
        """Return what requests failed with during the drain, when it could not be looked at any more."""


class Runtime:
    """The daemon thread with the event loop on which all requests of this process run."""

    def __init__(
        self, loop_factory: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop
    ) -> None:
        self.pid = os.getpid()
        """The process that owns the thread; a forked child has a copy of this object alone."""
        self.loop = loop_factory()
        """The loop; its clock is the only one that timers of this package read."""
        self.working = 0
        """Pieces of CPU work that are in the threads now."""
        self._drainables: set[Drainable] = set()
        self._reported: Unfinished | None = None
        self._guard = threading.Lock()
        self._workers: ThreadPoolExecutor | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self._thread = threading.Thread(target=self._run, name="tinsmith-loop", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        while True:
            try:
                self.loop.run_forever()
                return
            except BaseException as error:  # noqa: BLE001  # a callback of one client must not stop the others
                _log.error("a callback raised %s on tinsmith's loop", type(error).__name__, exc_info=error)

    def check(self) -> None:
        """Raise at once when this object was inherited through a fork, where its loop does not run."""
        if os.getpid() != self.pid:
            raise ClosedError(
                "this client was made in the parent process and its connections did not survive the fork; "
                "make a new ServiceClient in the child (or use the 'spawn' start method)",
                applied="no",
            )
        if self.loop.is_closed():
            raise ClosedError(
                "the event loop of this client was closed; make a new ServiceClient", applied="no"
            )

    @property
    def is_here(self) -> bool:
        """Whether the loop runs in this process."""
        return os.getpid() == self.pid and not self.loop.is_closed()

    def in_loop_thread(self) -> bool:
        """Say whether this is the loop's own thread, where waiting would never end."""
        return threading.current_thread() is self._thread

    def spawn(self, coroutine: Coroutine[Any, Any, _T]) -> concurrent.futures.Future[_T]:
        """Run a coroutine on the loop from any thread."""
        try:
            self.check()
        except TinkerError:
            coroutine.close()
            raise
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop)

    def finish(self, coroutine: Coroutine[Any, Any, _T]) -> None:
        """Run a coroutine to its end; on the loop's own thread, where waiting would never end, start it."""
        running = self.spawn(coroutine)
        if not self.in_loop_thread():
            running.result()

    def call_soon(self, callback: Callable[..., object], *args: object) -> None:
        """Run a plain function on the loop; calls made in order run in order."""
        self.check()
        self.loop.call_soon_threadsafe(callback, *args)

    def task(self, coroutine: Coroutine[Any, Any, _T]) -> asyncio.Task[_T]:
        """Start a task from the loop's thread and keep it referenced until it ends."""
        task = self.loop.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("a background task of tinsmith failed: %s", type(error).__name__, exc_info=error)

    async def in_worker(self, work: Callable[..., _T], *args: object) -> _T:
        """Run CPU work in a thread, so that the loop keeps its timers."""
        if self._workers is None:
            self._workers = ThreadPoolExecutor(WORKER_THREADS, thread_name_prefix="tinsmith-worker")
        self.working += 1
        try:
            return await self.loop.run_in_executor(self._workers, _contained, work, *args)
        except RuntimeError as error:
            if not _is_ending(error):
                raise
            return _contained(work, *args)  # threads take no more work, and there are no timers to keep
        finally:
            self.working -= 1

    async def in_thread(self, work: Callable[..., _T], *args: object) -> _T:
        """Run code of the user in a thread of its own: it may take long, and may wait for other calls."""
        self.working += 1
        try:
            return await asyncio.wrap_future(_in_daemon(work, *args))
        except RuntimeError as error:
            if not _is_ending(error):
                raise
            raise ClosedError(
                "the process is ending and starts no thread for your code any more; do it before",
                applied="no",
            ) from error
        finally:
            self.working -= 1

    def register(self, drainable: Drainable) -> None:
        """Have `drainable` drained before the process ends."""
        with self._guard:
            self._drainables.add(drainable)

    def unregister(self, drainable: Drainable) -> None:
        """Forget a drainable that was closed."""
        with self._guard:
            self._drainables.discard(drainable)

    def drain(self) -> None:
        """Wait for what is in flight, then say on stderr what was not sent or acknowledged."""
        with self._guard:
            drainables = list(self._drainables)
        if not drainables or os.getpid() != self.pid or self.loop.is_closed():
            return
        if self._reported == total(each.unfinished() for each in drainables)._replace(samples=0):
            return  # and nothing was begun since
        interrupted = _was_interrupted()
        deadline_s = INTERRUPTED_DRAIN_S if interrupted else None
        grace_s = 0.0 if interrupted else RESULT_GRACE_S
        waiting = asyncio.run_coroutine_threadsafe(_drain_all(drainables, deadline_s, grace_s), self.loop)
        try:
            waiting.result()
        except KeyboardInterrupt:
            waiting.cancel()
        left = total(each.unfinished() for each in drainables)
        self._reported = left._replace(samples=0)
        _report(left, [error for each in drainables for error in each.failed()])

    def stop(self) -> None:
        """End the thread; for tests that bring a loop of their own."""
        if os.getpid() == self.pid and not self.loop.is_closed():
            self.loop.call_soon_threadsafe(self.loop.stop)
            self._thread.join()
            _cancel_all(self.loop)
            self.loop.close()
            if self._workers is not None:
                self._workers.shutdown()


class SharedTask(Generic[_T]):
    """A coroutine that runs once, however many wait for its result, and again after it failed."""

    def __init__(self, run: Callable[[], Coroutine[None, None, _T]]) -> None:
        self._run = run
        self._task: asyncio.Task[_T] | None = None

    async def result(self) -> _T:
        """Wait for the result; a wait that is cancelled leaves the others waiting."""
        if self._task is None or (self._task.done() and _failed(self._task)):
            self._task = asyncio.get_running_loop().create_task(self._run())
            self._task.add_done_callback(_failed)
        try:
            return await asyncio.shield(self._task)
        except TinkerError as error:
            own = error.again(error.applied)  # each wait adds ids of its own
            raise own from error.__cause__

    def cancel(self) -> None:
        """Stop it."""
        if self._task is not None:
            self._task.cancel()


def _failed(task: asyncio.Task[_T]) -> bool:
    return task.cancelled() or task.exception() is not None


def _is_ending(error: RuntimeError) -> bool:
    """Say whether a thread was refused because the interpreter ends; a pool in use says so in other words."""
    return "shutdown" in str(error)


def _in_daemon(work: Callable[..., _T], *args: object) -> concurrent.futures.Future[_T]:
    """Call `work` in a thread that does not hold up the end of the process."""
    outcome: concurrent.futures.Future[_T] = concurrent.futures.Future()
    outcome.set_running_or_notify_cancel()

    def call() -> None:
        try:
            outcome.set_result(_contained(work, *args))
        except Exception as error:  # noqa: BLE001  # raised where it is waited for
            outcome.set_exception(error)

    threading.Thread(target=call, name="tinsmith-user-code", daemon=True).start()
    return outcome


def _contained(work: Callable[..., _T], *args: object) -> _T:
    """Call `work`; an exit, an interrupt or a cancellation in it must not become one of the loop's."""
    try:
        return work(*args)
    except BaseException as error:
        if isinstance(error, Exception) and not isinstance(error, _STEERING):
            raise
        raise TinkerError(f"{type(error).__name__} in a worker thread: {error}", applied="no") from error


def _cancel_all(loop: asyncio.AbstractEventLoop) -> None:
    left = asyncio.all_tasks(loop)
    for task in left:
        task.cancel()
    if left:
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.run_until_complete(loop.shutdown_default_executor())


async def _drain_all(drainables: list[Drainable], deadline_s: float | None, grace_s: float) -> None:
    drains = (each.drain(deadline_s, grace_s=grace_s) for each in drainables)
    await asyncio.gather(*drains, return_exceptions=True)


def _report(left: Unfinished, failed: list[BaseException]) -> None:
    ends = "tinsmith: the process ends with"
    if left.samples:
        sys.stderr.write(f"{ends} {left.samples} samples not finished\n")
    if failed:
        sys.stderr.write(
            f"tinsmith: {len(failed)} requests failed while the process ended; the first: {failed[0]}\n"
        )
    if left.unsent or left.unanswered:
        sys.stderr.write(
            f"{ends} {left.unsent} requests not sent "
            f"and {left.unanswered} requests sent but not acknowledged\n"
        )
    if left.accepted:
        sys.stderr.write(f"{ends} {left.accepted} requests accepted and not finished\n")
    sys.stderr.flush()


def _was_interrupted() -> bool:
    """Say whether the program ends because of Ctrl-C: the interpreter keeps what it could not handle."""
    last = getattr(sys, "last_type", None)
    return isinstance(last, type) and issubclass(last, KeyboardInterrupt)


_current: Runtime | None = None
_making = threading.Lock()


def current() -> Runtime:
    """Return the runtime of this process, starting it on first use."""
    global _current
    with _making:
        if _current is None or _current.pid != os.getpid() or _current.loop.is_closed():
            _current = Runtime()
        return _current


def in_loop_thread() -> bool:
    """Say whether this is the thread of this process's loop."""
    runtime = _current
    return runtime is not None and runtime.in_loop_thread()


class HeldQueue:
    """The queue whose turn a custom loss holds."""

    __slots__ = ("queue",)

    def __init__(self, queue: object) -> None:
        self.queue: object = queue
        """The queue; None once the loss has returned, since its context lives on in what it began."""


HELD_QUEUE: ContextVar[HeldQueue | None] = ContextVar("held_queue", default=None)
"""What the custom loss holds that runs in this context; None outside of one."""


def _refuse_endless_wait(future: APIFuture[Any], how: Wait) -> None:
    """Refuse a wait that cannot end."""
    if how != "watch" and future.pid != os.getpid():
        raise ClosedError(
            "this future belongs to the parent process; after a fork it is never set here",
            applied="unknown",
        )
    _refuse_own_queue(future)
    if how == "block" and in_loop_thread():
        raise RuntimeError(
            "result() was called on tinsmith's own loop thread, where it would wait for ever; "
            "in a callback, use result_async() from a loop of yours, or hand the work to a thread"
        )


def _refuse_own_queue(future: APIFuture[Any]) -> None:
    """Refuse to wait, inside a custom loss, for what cannot begin before the loss has returned."""
    held = HELD_QUEUE.get()
    if held is None or held.queue is None or in_loop_thread():  # what the loss began may wait
        return
    waits_for: APIFuture[Any] | None = future
    while waits_for is not None:
        if waits_for.queue is held.queue and waits_for.seq_id is None and not waits_for.done():
            raise InputError(
                f"waits for {waits_for.operation}, a later call of its own training client, which cannot"
                " begin before the loss has returned; wait for it after forward_backward_custom",
                field="loss_fn",
                applied="no",
            )
        waits_for = waits_for.origin


may_wait.append(_refuse_endless_wait)


def replace(runtime: Runtime | None) -> Runtime | None:
    """Put another runtime in place and return the old one; the door for tests with a clock of their own."""
    global _current
    with _making:
        before, _current = _current, runtime
    return before


def _forget() -> None:
    """Drop what the child of a fork inherited: its thread does not exist there, and its lock may be held."""
    global _current, _making
    _making = threading.Lock()
    _current = None


def _drain_current() -> None:
    runtime = _current
    if runtime is not None:
        runtime.drain()


def _before_exit(callback: Callable[[], None]) -> None:
    """Register `callback` to run while thread pools still take work, which a drain needs."""
    register = getattr(threading, "_register_atexit", None)
    if register is None:
        atexit.register(callback)
    else:
        register(callback)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
_before_exit(_drain_current)
atexit.register(_drain_current)  # once more, for what other functions at the exit began
