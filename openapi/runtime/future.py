"""The one future: a `concurrent.futures.Future` that can also be awaited from any loop.

It owns how a result is waited for. It must not know how one comes about: whoever sends the request sets it
once.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import os
import threading
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any, Literal, NoReturn, Protocol, TypeVar

T = TypeVar("T")
U = TypeVar("U")

Wait = Literal["block", "await", "watch"]
"""How somebody waits: in a thread, in a loop, or by `concurrent.futures.wait` and `as_completed`."""

may_wait: list[Callable[[APIFuture[Any], Wait], None]] = []
"""Asked before a wait, with the future and how: each raises what stands against it.

Whoever sets futures from a loop of its own adds one, since a wait on that loop would never end.
"""

_cancelling = threading.Lock()
"""Held while a cancelled future tells its waiters, which it may do once."""


class Attaching(Protocol):
    """Whatever can wait for a promise by its id: a ServiceClient."""

    def attach(self, request_id: str, result: type[U]) -> APIFuture[U]:
        """Return a future for the promise `request_id`, decoded as `result`."""
        ...


class APIFuture(concurrent.futures.Future[T]):
    """The result of one call, wherever it is awaited.

    Use `result()` from plain code and `await future` (or `result_async()`) from any event loop; both may be
    used on the same future, any number of times. Neither a timeout nor a cancelled `await` cancels the
    request: only `cancel()` does. Works with `concurrent.futures.wait` and `as_completed`.
    """

    origin: APIFuture[Any] | None = None
    """The future that this one waits for and whose failure it repeats, such as that of a client which the
    server has not made yet; a look at this outcome is then a look at that one."""

    def __init__(self) -> None:
        super().__init__()
        self.request_ids: list[str] = []
        """The promise of each chunk, in chunk order; empty until the server accepted the first."""
        self.seq_id: int | None = None
        """The number of the first chunk in its model's queue; None until the request's turn came."""
        self.delivered = False
        """Whether somebody has looked at the outcome."""
        self.operation: str | None = None
        """The operation, such as `forward_backward`; None where it is no such request."""
        self.queue: object = None
        """The queue of the model in which the request is; None for a request that is in none."""
        self.pid = os.getpid()
        """The process that made it: after a fork it is not set in another one."""
        self._on_cancel: Callable[[], None] | None = None
        self._notified = False

    @property
    def _waiters(self) -> list[Any]:
        """Where `concurrent.futures.wait` and `as_completed` put themselves before they wait.

        They never call a method of a future, so that this is the one place to notice them.
        """
        waiters: list[Any] = self.__dict__["_waiters"]
        for check in may_wait:
            check(self, "watch")
        return waiters

    @_waiters.setter
    def _waiters(self, waiters: list[Any]) -> None:  # pyright: ignore[reportIncompatibleVariableOverride]
        self.__dict__["_waiters"] = waiters

    @property
    def request_id(self) -> str | None:
        """The promise of the first chunk, for `from_request_id`; None until it was accepted."""
        return self.request_ids[0] if self.request_ids else None

    def result(self, timeout: float | None = None) -> T:
        """Wait at most `timeout` seconds and return the result, or raise its error.

        A `TimeoutError` leaves the request running: a later call can still succeed.
        """
        self._check_may_wait("block")
        try:
            return super().result(timeout)
        finally:
            if self.done():
                self._look()

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """Wait at most `timeout` seconds and return the error, or None when there is a result."""
        self._check_may_wait("block")
        error = super().exception(timeout)
        self._look()
        return error

    async def result_async(self, timeout: float | None = None) -> T:
        """Like `result`, without blocking the caller's loop; other tasks of it run at least once."""
        if timeout is None:
            return await self._wait()
        async with asyncio.timeout(timeout):
            return await self._wait()

    async def coroutine(self) -> T:
        """Return a coroutine of the result, for what takes no other awaitables."""
        return await self

    def __await__(self) -> Generator[Any, None, T]:
        return self.result_async().__await__()

    async def _wait(self) -> T:
        if self.done():
            await asyncio.sleep(0)  # programs rely on an `await` letting their background tasks go on
        else:
            self._check_may_wait("await")
            loop = asyncio.get_running_loop()
            woken: asyncio.Future[None] = loop.create_future()
            self.add_done_callback(lambda _: _wake(loop, woken))
            await woken
        self._look()
        return super().result(0)

    def _look(self) -> None:
        """Note that somebody has looked at the outcome."""
        self.delivered = True
        if self.origin is not None:
            self.origin.delivered = True

    def cancel(self) -> bool:
        """Withdraw the call: before its turn nothing is sent, afterwards only the waiting ends.

        A training request that was sent keeps its number and goes on to its end at the server, and so do the
        requests behind it.
        """
        if not super().cancel():
            return False
        with _cancelling:
            if not self._notified:
                self._notified = True
                self.set_running_or_notify_cancel()  # else `wait` and `as_completed` never learn of it
        if self._on_cancel is not None:
            self._on_cancel()
        return True

    def future(self) -> APIFuture[T]:
        """Return the `concurrent.futures.Future`, which this object is."""
        return self

    @classmethod
    def from_request_id(cls, request_id: str, *, service: Attaching, result: type[U]) -> APIFuture[U]:
        """Attach to the promise `request_id`, for instance one noted before a crash.

        `result` is the type that the promise ends in, such as `types.ForwardBackwardOutput`.
        """
        return service.attach(request_id, result)

    def outcome_error(self) -> BaseException | None:
        """Return the error of a future that is done, without counting as a look at it."""
        return super().exception(0)

    def on_cancel(self, callback: Callable[[], None] | None) -> None:
        """Run `callback`, in the cancelling thread, when the call is withdrawn; None forgets it."""
        self._on_cancel = callback

    def settle(self, value: T) -> None:
        """Set the result, unless the call was withdrawn or has an outcome."""
        if not self.done():
            try:
                self.set_result(value)
            except concurrent.futures.InvalidStateError:
                return

    def fail(self, error: BaseException) -> None:
        """Set the error, unless the call was withdrawn or has an outcome."""
        if not self.done():
            try:
                self.set_exception(error)
            except concurrent.futures.InvalidStateError:
                return

    def _repr_html_(self) -> str | None:
        """Return the table that a notebook shows: how far the call is, and the ids by which it is known."""
        from .tables import facts_table

        if "_notified" not in self.__dict__:  # a subclass that never called our constructor
            return None
        operation = "" if self.operation is None else f" {self.operation}"
        return facts_table(type(self).__name__ + operation, self._shown())

    def _shown(self) -> dict[str, object]:
        """Return what the table in a notebook has, by name."""
        facts: dict[str, object] = {
            "model_id": getattr(self.queue, "model_id", None),
            "seq_id": self.seq_id,
            "request_ids": ", ".join(self.request_ids) or None,
        }
        if not self.done():
            return {**facts, "state": self._progress(), "waits for": self._waits_for()}
        error = None if self.cancelled() else self.outcome_error()
        if error is not None:
            about = {"state": "failed", "error": f"{type(error).__name__}: {error}"}
            return {**facts, **about, "applied": getattr(error, "applied", None)}
        result = None if self.cancelled() else super().result(0)
        kind = None if result is None else type(result).__name__
        return {**facts, "state": self._progress(), "result": kind}

    def _waits_for(self) -> str:
        """Say what a call waits for that has no outcome."""
        if self.operation is None:
            return "the answer"
        if self.request_ids:
            return "the result"
        if self.seq_id is not None:
            return "the server to accept it"
        if self.origin is not None and type(self.origin) is not APIFuture and not self.origin.done():
            return f"the {type(self.origin).__name__} to be made"
        return "its turn"

    def __repr__(self) -> str:
        kept = self.__dict__
        if "_notified" not in kept:  # a subclass that never called our constructor
            return object.__repr__(self)
        facts = {
            "model_id": getattr(self.queue, "model_id", None),
            "seq_id": self.seq_id,
            "request_id": self.request_id,
        }
        named = "".join(f" {name}={value!r}" for name, value in facts.items() if value is not None)
        what = "" if self.operation is None else f" {self.operation}"
        return f"<{type(self).__name__}{what}{named} state={self._progress()!r}>"

    def _progress(self) -> str:
        """Say how far the call has come, for its repr."""
        if self.cancelled():
            return "cancelled"
        if not self.done():
            return "in flight" if self.request_ids or self.seq_id is not None else "waiting"
        error = self.outcome_error()
        return "finished" if error is None else f"failed: {type(error).__name__}: {error}"

    if not TYPE_CHECKING:  # a type checker would take any attribute for one that is there

        def __getattr__(self, name: str) -> NoReturn:
            problem = f"{type(self).__name__!r} object has no attribute {name!r}"
            if not name.startswith("_"):
                problem += "; wait for the result first, with .result() or await, and ask that"
            raise AttributeError(problem, name=name, obj=self)

    def _check_may_wait(self, how: Wait) -> None:
        if not self.done():
            for check in may_wait:
                check(self, how)


def _wake(loop: asyncio.AbstractEventLoop, woken: asyncio.Future[None]) -> None:
    def set_once() -> None:
        if not woken.done():
            woken.set_result(None)

    if not loop.is_closed():
        loop.call_soon_threadsafe(set_once)


async def handed_out(future: APIFuture[T]) -> APIFuture[T]:
    """Return a future of a call that was made, after other tasks of the loop have run once."""
    await asyncio.sleep(0)
    return future
