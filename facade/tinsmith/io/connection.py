"""The connection of one client to one server: it sends requests and polls for promises.

It wires `io.http` and `io.poller` together. It must not know a queue or a session: `io.context` does.
"""

from __future__ import annotations

import asyncio
from random import Random
from typing import TYPE_CHECKING, Any, TypeVar

from tinsmith.core.errors import ClosedError, TinkerError
from tinsmith.core.optional_deps import require_extra
from tinsmith.io import runtime as _runtime
from tinsmith.io.events import Observers
from tinsmith.io.future import APIFuture
from tinsmith.io.http.auth import Credentials
from tinsmith.io.http.sender import Sender
from tinsmith.io.http.server import Server
from tinsmith.io.http.transport import Transport, load_lean
from tinsmith.io.poller import Poller

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable

    import httpx

    from tinsmith.core.config import ClientConfig
    from tinsmith.core.negotiation import Limits
    from tinsmith.io.events import Event

T = TypeVar("T")


class Connection:
    """What sends and polls for one client. Two connections share nothing but the event loop."""

    def __init__(
        self,
        config: ClientConfig,
        *,
        http_client: httpx.AsyncClient | None = None,
        observers: Iterable[Callable[[Event], object]] = (),
    ) -> None:
        if config.local:
            require_extra("base_url='local:'", "local")
        self.config = config
        """The settings of the user."""
        self.runtime = _runtime.current()
        """The event loop on which everything runs."""
        self.random = Random()  # noqa: S311  # jitter, not a secret
        """The source of jitter."""
        self.observers = Observers(observers)
        """Receive the events of this client."""
        self.server = Server(config)
        """What is known of the server: its profile, recognised from its answers."""
        self.transport = Transport(config, http_client)
        """The HTTP connections."""
        self.credentials = Credentials(config, self.runtime, self.transport, self.random)
        """Adds the key that is valid now to each request."""
        self.sender = Sender(config, self.credentials, self.observers, self.random, self.server)
        """Sends requests, and sends them again where that is safe."""
        self.poller = Poller(config, self.runtime, self.credentials, self.observers, self.random, self.server)
        """Polls for the results of promises."""
        self.closing: TinkerError | None = None
        """The error of new calls, from the moment when `close` was called; None before."""
        self.ended: TinkerError | None = None
        """The error of every call after the end; None before."""
        self._tasks: set[asyncio.Task[Any]] = set()

    @property
    def closed(self) -> bool:
        """Whether the client ended."""
        return self.ended is not None

    def check(self) -> None:
        """Raise where no new call is taken: after the end, while closing, and in the child of a fork.

        It is called before anything of a call is sent.
        """
        self.runtime.check()
        refusal = self.ended or self.closing
        if refusal is not None:
            raise refusal.again("no")

    def run(self, coroutine: Coroutine[Any, Any, T], future: APIFuture[T] | None = None) -> APIFuture[T]:
        """Run a coroutine on the loop, and return the future of its result; `aclose` cancels it."""
        made: APIFuture[T] = APIFuture() if future is None else future
        try:
            self.check()
        except TinkerError as error:
            coroutine.close()
            made.fail(error)
            return made
        self.runtime.call_soon(self._start, coroutine, made)
        return made

    def _start(self, coroutine: Coroutine[Any, Any, Any], future: APIFuture[Any]) -> None:
        if future.cancelled():
            coroutine.close()
            return
        task = self.runtime.loop.create_task(coroutine)
        self._tasks.add(task)
        future.on_cancel(lambda: self.runtime.call_soon(task.cancel))
        task.add_done_callback(lambda done: self._finished(done, future))

    def _finished(self, task: asyncio.Task[Any], future: APIFuture[Any]) -> None:
        self._tasks.discard(task)
        if task.cancelled():
            future.fail(self.ended or ClosedError("the client was closed", applied="unknown"))
        elif (error := task.exception()) is not None:
            future.fail(error)
        else:
            future.settle(task.result())

    async def open_early(self) -> None:
        """Open the first connections for submissions and polls, and load what they need meanwhile."""
        if self.transport.opens_early:
            await self.runtime.in_worker(load_lean)
            await self.transport.open_early()

    def apply_limits(self, limits: Limits) -> None:
        """Apply the limits that the server dictates."""
        self.poller.apply_limits(limits)
        self.sender.apply_limits(limits)

    def end(self, error: TinkerError) -> None:
        """Fail every poll, and every later call, with the first error that is given here."""
        self.ended = self.ended or error
        self.poller.end(error)

    async def aclose(self) -> None:
        """Cancel what `run` began and close the HTTP connections; on the loop, after `end`."""
        for task in list(self._tasks):
            if task is not asyncio.current_task():
                task.cancel()
        await self.transport.aclose()
