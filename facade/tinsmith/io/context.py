"""What the clients of one ServiceClient share: queues, the session, limits, and the end.

It is built over a `Connection`, which sends and polls. It must not know what a client does with it.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import warnings
from typing import TYPE_CHECKING, Any
from weakref import finalize

from tinsmith.core.errors import ClosedError, TinkerError
from tinsmith.core.promises import PromiseOwners
from tinsmith.io.events import warn_visibly
from tinsmith.io.limits import FairSemaphore
from tinsmith.io.runtime import Unfinished, total
from tinsmith.io.session import Session
from tinsmith.io.settings import ServerSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from tinsmith.core.config import RetryConfig
    from tinsmith.core.negotiation import Limits
    from tinsmith.io.connection import Connection
    from tinsmith.io.future import APIFuture
    from tinsmith.io.queues.canceller import Canceller
    from tinsmith.io.queues.sample_dispatcher import SampleDispatcher
    from tinsmith.io.queues.training_queue import TrainingQueue
    from tinsmith.io.telemetry import Telemetry

_log = logging.getLogger("tinsmith")

DRAIN_STEP_S = 0.02
"""Pause between two looks at what is left, while draining."""


class ClientContext:
    """What the clients of one user of one service share. Two contexts share nothing but the event loop."""

    def __init__(self, connection: Connection) -> None:
        config = connection.config
        self.connection = connection
        """Sends requests and polls for their results."""
        self.upload_budget = FairSemaphore(config.flow.upload_bytes)
        """Room for the bodies of training requests."""
        self.sample_budget = FairSemaphore(config.flow.sample_bytes)
        """Room for the bodies of samples."""
        self.settings = ServerSettings(
            config,
            connection.credentials,
            connection.sender,
            connection.server,
            on_limits=self._apply_limits,
        )
        """What the server said of itself."""
        self.telemetry = self._telemetry() if config.telemetry else None
        """The events that are sent to the server; None while telemetry is off, as it is by default."""
        self.session = Session(
            config,
            connection.runtime,
            connection.sender,
            self.settings,
            self.telemetry,
            on_opening=connection.open_early,
            on_lost=self._end,
        )
        """The session at the server, opened when it is first needed."""
        self.promise_owners = PromiseOwners(recent=0)
        """Whose the outstanding promises of creations are: models are made anew after a restart."""
        self._guard = threading.Lock()
        self._canceller: Canceller | None = None
        self._queues: list[TrainingQueue] = []
        self._dispatchers: list[SampleDispatcher] = []
        self._common_dispatcher: SampleDispatcher | None = None
        self._clients: dict[object, None] = {}
        self._creations: set[APIFuture[Any]] = set()
        self._drained: list[APIFuture[Any]] = []
        connection.runtime.register(self)

    def training_queue(self, creation: APIFuture[Any]) -> TrainingQueue:
        """Make the queue of a model; `creation` is the future of its client."""
        from tinsmith.io.queues.training_queue import TrainingQueue  # not needed by who only samples or reads

        queue = TrainingQueue(self.connection, self.settings, self.upload_budget, creation)
        with self._guard:
            self._queues.append(queue)
        return queue

    def sample_dispatcher(self, retry: RetryConfig | None) -> SampleDispatcher:
        """Return where samples are queued: one queue for all but samplers that have limits of their own."""
        from tinsmith.io.queues.sample_dispatcher import SampleDispatcher  # not needed by who only trains

        with self._guard:
            if retry is None and self._common_dispatcher is not None:
                return self._common_dispatcher
            dispatcher = SampleDispatcher(
                self.connection, self.settings, self.sample_budget, retry, cancel=self._cancel
            )
            self._dispatchers.append(dispatcher)
            if retry is None:
                self._common_dispatcher = dispatcher
            return dispatcher

    def _cancel(self, request_id: str) -> None:
        """Cancel the work for a sample at the server."""
        connection = self.connection
        if connection.closed:
            return
        if self._canceller is None:
            from tinsmith.io.queues.canceller import Canceller  # not needed before something is cancelled

            timeout_s = connection.config.timeouts.cancel_s
            self._canceller = Canceller(connection.runtime, connection.sender, timeout_s)
        self._canceller.cancel(request_id)

    def _telemetry(self) -> Telemetry:
        from tinsmith.io.telemetry import Telemetry  # not needed while it is off

        connection = self.connection
        timeout_s = connection.config.timeouts.telemetry_s
        return Telemetry(connection.runtime, connection.sender, timeout_s)

    def _apply_limits(self, limits: Limits) -> None:
        """Apply the limits that the server dictates."""
        self.upload_budget.limit = limits.upload_bytes
        self.sample_budget.limit = limits.sample_bytes
        self.connection.apply_limits(limits)
        for dispatcher in self._dispatchers:
            dispatcher.apply_limits(limits)

    def register_client(self, client: object) -> None:
        """Note a client of the user: a warning is given when the last one is dropped and none was closed."""
        token = object()
        self._clients[token] = None
        finalize(client, self._dropped, token).atexit = False

    def _dropped(self, token: object) -> None:
        """Note that a client is gone; called wherever the collector runs, so it takes no lock."""
        self._clients.pop(token, None)
        connection, session_id = self.connection, self.session.session_id
        if self._clients or connection.ended or connection.closing or session_id is None:
            return
        if not connection.runtime.is_here:
            return
        warnings.warn(
            f"a client of {connection.config.base_url} was dropped without close(): its session {session_id}"
            " stays open as long as the process lives; use `with ServiceClient(...)` or call close()",
            ResourceWarning,
            stacklevel=1,
        )

    def begin_to_close(self) -> None:
        """Take no new calls: what is drained would never end while others add to it."""
        self.connection.closing = self.connection.closing or ClosedError(
            "the client is being closed and takes no new calls", applied="no"
        )

    def create(
        self,
        coroutine: Coroutine[Any, Any, Any],
        client: APIFuture[Any],
        refuse: Callable[[BaseException], None],
    ) -> None:
        """Run what makes a client; `close` waits for it, and warns of a failure that was not looked at.

        `refuse` fails, on the loop, what was called on a client that is not made: also on one that was
        cancelled before its creation had begun, of which the coroutine learns nothing.
        """
        with self._guard:
            self._creations.add(client)
        client.add_done_callback(lambda _: self._created(client, refuse))
        self.connection.run(coroutine, client)

    def _created(self, client: APIFuture[Any], refuse: Callable[[BaseException], None]) -> None:
        """Forget a creation that went well, and keep one that failed until it is looked at."""
        with self._guard:
            self._creations = {each for each in self._creations if not each.done() or _failed_unseen(each)}
        error = ClosedError("it was cancelled") if client.cancelled() else client.outcome_error()
        if error is not None and self.connection.runtime.is_here:
            self.connection.runtime.call_soon(refuse, error)

    def unseen_failures(self) -> list[BaseException]:
        """Return why clients could not be made, for those whose outcome was not looked at."""
        with self._guard:
            failed = [each for each in self._creations if each.done() and _failed_unseen(each)]
        return [error for each in failed if (error := each.outcome_error()) is not None]

    def _end(self, error: TinkerError) -> None:
        """Fail everything, now and later: the client was closed, or the server lost the session."""
        self.connection.end(error)
        for dispatcher in self._dispatchers:
            dispatcher.end(error)
        for queue in self._queues:
            queue.end(error)

    def get_session_id(self) -> str:
        """Return the session's id, as the official holder does; opens the session if it is not open."""
        known = self.session.session_id
        if known is not None:
            return known
        opening = self.connection.run(self.session.open())
        opening.operation = "create_session"
        session_id: str = opening.result()
        return session_id

    def get_training_client_id(self) -> int:
        """Draw the number of a new model, as the official holder does; it is then not used here."""
        return self.session.next_model()

    def close(self, timeout: float | None = None) -> None:
        """Drain, at most `timeout` seconds, and end; returns when all is closed."""
        self.begin_to_close()
        self.connection.runtime.finish(self.aclose(timeout))

    async def aclose(self, deadline_s: float | None = None, *, results: bool = True) -> None:
        """Drain, wait for results that may still be looked at, then end: every later call fails."""
        self.begin_to_close()
        await self.drain(deadline_s, results=results)
        left = self.unfinished()
        if left.unsent or left.unanswered:
            _log.warning(
                "closed with %d requests not sent and %d requests sent but not acknowledged",
                left.unsent,
                left.unanswered,
            )
        for error in self.unseen_failures():
            warn_visibly(f"closed, and a client was never made: {type(error).__name__}: {error}")
        if self.telemetry is not None:
            await self.telemetry.end()
        self.settings.close()
        await self.session.close()
        self._end(ClosedError("the client was closed", applied="unknown"))
        await self.connection.aclose()
        self.connection.runtime.unregister(self)

    async def drain(self, deadline_s: float | None, *, results: bool = False, grace_s: float = 0.0) -> None:
        """Wait until training requests are acknowledged; with `results`, or in local mode, until they end.

        Where results are not waited for, they may still come within `grace_s` seconds.
        """
        limit_s = self.connection.config.flow.exit_drain_s if deadline_s is None else deadline_s
        self._drained = [future for queue in self._queues for future in queue.futures()]
        self._drained += self._creations
        try:
            async with asyncio.timeout(limit_s):
                while self._must_wait(results):  # noqa: ASYNC110  # only while leaving
                    await asyncio.sleep(DRAIN_STEP_S)
            async with asyncio.timeout(grace_s):
                while grace_s and self.unfinished().accepted:  # noqa: ASYNC110  # as above
                    await asyncio.sleep(DRAIN_STEP_S)
        except TimeoutError:
            return

    def failed(self) -> list[BaseException]:
        """Return what requests failed with during the drain, when it could not be looked at any more."""
        ended = [f for f in self._drained if f.done() and not f.cancelled() and not f.delivered]
        return [error for future in ended if (error := future.outcome_error()) is not None]

    def unfinished(self) -> Unfinished:
        """Count what has no outcome."""
        training = total(queue.unfinished() for queue in self._queues)
        return training._replace(samples=sum(each.unfinished for each in self._dispatchers))

    def _must_wait(self, results: bool) -> bool:
        """Say whether a drain goes on; a local service ends with the process, so its results are awaited."""
        left = self.unfinished()
        with self._guard:
            is_creating = not all(client.done() for client in self._creations)
        wants_results = results or self.connection.config.local
        return bool(left.unsent or left.unanswered or is_creating or (wants_results and left.accepted))


def _failed_unseen(client: APIFuture[Any]) -> bool:
    return not client.cancelled() and not client.delivered and client.outcome_error() is not None
