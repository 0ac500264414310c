"""What the clients of one ServiceClient share: its transport, budgets, polls, session, and its end.

It wires the rooms of `io` together. It must not know what a client does with them.
"""

from __future__ import annotations

import asyncio
import logging
import random as _random
import threading
import warnings
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import finalize

from tinsmith.core.claims import Claims
from tinsmith.core.errors import ClosedError, TinkerError
from tinsmith.core.optional_deps import require_extra
from tinsmith.io import runtime as _runtime
from tinsmith.io.billing import Billing
from tinsmith.io.events import Observers
from tinsmith.io.future import APIFuture
from tinsmith.io.http.auth import Credentials
from tinsmith.io.http.sender import Sender
from tinsmith.io.http.transport import Transport
from tinsmith.io.limits import ByteBudget
from tinsmith.io.log import warn_on_stderr
from tinsmith.io.polling.poller import Poller
from tinsmith.io.server_settings import ServerSettings
from tinsmith.io.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable

    import httpx

    from tinsmith.core.config import ClientConfig
    from tinsmith.core.negotiation import Limits
    from tinsmith.core.policy import RetryConfig
    from tinsmith.io.events import Event
    from tinsmith.io.queues.canceller import Canceller
    from tinsmith.io.queues.sample_dispatcher import SampleDispatcher
    from tinsmith.io.queues.training_queue import TrainingQueue
    from tinsmith.io.telemetry import Telemetry

_log = logging.getLogger("tinsmith")
T = TypeVar("T")

DRAIN_STEP_S = 0.02
"""Pause between two looks at what is left, while draining."""


class Link:
    """One connection of a user to one service. Two links share nothing but the loop."""

    def __init__(
        self,
        config: ClientConfig,
        *,
        http_client: httpx.AsyncClient | None = None,
        observers: Iterable[Callable[[Event], object]] = (),
        random: _random.Random | None = None,
    ) -> None:
        if config.local:
            require_extra("base_url='local:'", "local")
        self.config = config
        """The settings."""
        self.runtime = _runtime.current()
        """The loop on which everything here runs."""
        self.random = random or _random.Random()  # noqa: S311  # jitter, not a secret
        """Where jitter comes from."""
        self.observers = Observers(observers)
        """Who watches."""
        self.transport = Transport(config, http_client)
        """The connections."""
        self.billing = Billing(self.observers)
        """Who tells of pauses while the account cannot pay."""
        self.credentials = Credentials(config, self.runtime, self.transport, self.random)
        """The key that holds now, between who sends and the connections."""
        self.caller = Sender(
            config, self.credentials, self.observers, self.billing, self.random, self._may_resend
        )
        """The sending side."""
        self.hub = Poller(
            config,
            self.runtime,
            self.credentials,
            self.observers,
            self.billing,
            self.random,
            lambda: self.terms.profile,
            self._may_resend,
        )
        """The waiting side."""
        self.budget = ByteBudget(config.flow.upload_bytes)
        """Room for request bodies."""
        self.sample_budget = ByteBudget(config.flow.sample_bytes)
        """Room for the bodies of samples."""
        self.terms = ServerSettings(self)
        """What the server said of itself."""
        self.caller.on_answer = self.terms.saw
        self.claims = Claims(recent=0)
        """Whose the outstanding promises of creations are: models are made anew after a restart."""
        self.session = Session(self)
        """The session at the server, opened on first need."""
        self._drained: list[APIFuture[Any]] = []
        self._creations: set[APIFuture[Any]] = set()
        self._cancels: Canceller | None = None
        self._desks: list[SampleDispatcher] = []
        self._common_desk: SampleDispatcher | None = None
        self.telemetry = self._telemetry() if config.telemetry else None
        """The events that are sent to the server; None while telemetry is off, as it is by default."""
        self._guard = threading.Lock()
        self._pipelines: list[TrainingQueue] = []
        self._closed: TinkerError | None = None
        self._closing: TinkerError | None = None
        self._holders: dict[object, None] = {}
        self._loose: set[asyncio.Task[Any]] = set()
        self.runtime.register(self)

    def _may_resend(self) -> bool:
        """Say whether an unknown outcome is sent again, as far as the server is known by now."""
        return self.terms.may_resend_unknown

    @property
    def cancels(self) -> Canceller:
        """Who tells the server of samples that nobody waits for."""
        if self._cancels is None:
            from tinsmith.io.queues.canceller import Canceller  # not needed before something is cancelled

            self._cancels = Canceller(self)
        return self._cancels

    @property
    def closed(self) -> bool:
        """Whether this client ended."""
        return self._closed is not None

    def desk(self, retry: RetryConfig | None) -> SampleDispatcher:
        """Return where samples wait: at one desk, unless a sampler has limits of its own."""
        from tinsmith.io.queues.sample_dispatcher import (
            SampleDispatcher,  # not needed by who only trains or reads
        )

        with self._guard:
            if retry is None and self._common_desk is not None:
                return self._common_desk
            desk = SampleDispatcher(self, retry)
            self._desks.append(desk)
            if retry is None:
                self._common_desk = desk
            return desk

    def bound_by(self, limits: Limits) -> None:
        """Have the limits hold that the server dictates."""
        self.budget.limit_bytes = limits.upload_bytes
        self.sample_budget.limit_bytes = limits.sample_bytes
        self.hub.bound_by(limits)
        self.caller.wait_for_a_bill(limits.billing_patience_s)
        for desk in self._desks:
            desk.bound_by(limits)

    def _telemetry(self) -> Telemetry:
        from tinsmith.io.telemetry import Telemetry  # not needed while it is off

        return Telemetry(self)

    def pipeline(self, creation: APIFuture[Any]) -> TrainingQueue:
        """Make the line of a model; `creation` is the future of its client."""
        from tinsmith.io.queues.training_queue import TrainingQueue  # not needed by who only samples or reads

        pipeline = TrainingQueue(self, creation)
        with self._guard:
            self._pipelines.append(pipeline)
        return pipeline

    def check(self) -> None:
        """Raise when this client was closed, lost its session, or was inherited through a fork.

        Callers ask before they send, so whatever was sent earlier, of this call nothing was.
        """
        self.runtime.check()
        if self._closed is not None:
            from tinsmith.io.queues.pending_jobs import ending  # not needed before the end

            raise ending(self._closed, None)

        if self._closing is not None:
            raise self._closing.again("no")

    @property
    def closing(self) -> TinkerError | None:
        """What a new call fails with from the moment when `close` was called; None before."""
        return self._closing

    def held_by(self, client: object) -> None:
        """Note a client of the user: when the last one is dropped and none was closed, that is told once."""
        holder = object()
        self._holders[holder] = None
        finalize(client, self._dropped, holder).atexit = False

    def _dropped(self, holder: object) -> None:
        """Take note that a client is gone; called wherever the collector runs, so it takes no lock."""
        self._holders.pop(holder, None)
        session_id = self.session.session_id
        if self._holders or self._closed or self._closing or session_id is None:
            return
        if not self.runtime.is_here:
            return
        warnings.warn(
            f"a client of {self.config.base_url} was dropped without close(): its session {session_id} stays"
            " open as long as the process lives; use `with ServiceClient(...)` or call close()",
            ResourceWarning,
            stacklevel=1,
        )

    def begin_to_close(self) -> None:
        """Take no new calls: what is drained would never end while others add to it."""
        self._closing = self._closing or ClosedError(
            "the client is being closed and takes no new calls", applied="no"
        )

    def create(
        self,
        coroutine: Coroutine[Any, Any, Any],
        client: APIFuture[Any],
        refuse: Callable[[BaseException], None],
    ) -> None:
        """Run what makes a client; `close` waits for it, and tells of a failure that nobody looked at.

        `refuse` fails, on the loop, what was called on a client that is not made: also on one that was
        cancelled before its creation had begun, of which the coroutine learns nothing.
        """
        with self._guard:
            self._creations.add(client)
        client.add_done_callback(lambda _: self._created(client, refuse))
        self.run(coroutine, client)

    def _created(self, client: APIFuture[Any], refuse: Callable[[BaseException], None]) -> None:
        """Forget a creation that went well, and keep one that failed until somebody looks at it."""
        with self._guard:
            self._creations = {each for each in self._creations if not each.done() or _is_untold(each)}
        error = ClosedError("it was cancelled") if client.cancelled() else client.outcome_error()
        if error is not None and self.runtime.is_here:
            self.runtime.call_soon(refuse, error)

    def untold(self) -> list[BaseException]:
        """Return why clients could not be made, for those of which nobody looked at the outcome."""
        with self._guard:
            failed = [each for each in self._creations if each.done() and _is_untold(each)]
        return [error for each in failed if (error := each.outcome_error()) is not None]

    def run(
        self, coroutine: Coroutine[Any, Any, Any], future: APIFuture[Any] | None = None
    ) -> APIFuture[Any]:
        """Run a coroutine on the loop and return the future of what it returns."""
        made = APIFuture() if future is None else future
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
        self._loose.add(task)
        future.on_cancel(lambda: self.runtime.call_soon(task.cancel))
        task.add_done_callback(lambda done: self._finished(done, future))

    def _finished(self, task: asyncio.Task[Any], future: APIFuture[Any]) -> None:
        self._loose.discard(task)
        if task.cancelled():
            future.fail(self._closed or ClosedError("the client was closed", applied="unknown"))
        elif (error := task.exception()) is not None:
            future.fail(error)
        else:
            future.settle(task.result())

    def lose(self, error: TinkerError) -> None:
        """Fail everything, now and later, because the server forgot this session."""
        self._closed = self._closed or error
        self.hub.lose(error)
        for desk in self._desks:
            desk.end(error)
        for pipeline in self._pipelines:
            pipeline.end(error)

    def get_session_id(self) -> str:
        """Return the session's id, as the official holder does; opens the session if nobody has."""
        known = self.session.session_id
        if known is not None:
            return known
        opening = self.run(self.session.open())
        opening.operation = "create_session"
        session_id: str = opening.result()
        return session_id

    def get_training_client_id(self) -> int:
        """Draw the number of a new model, as the official holder does; it is then not used here."""
        return self.session.next_model()

    def close(self, timeout: float | None = None) -> None:
        """Drain, at most `timeout` seconds, and end; returns when all is closed."""
        self.begin_to_close()
        self.runtime.finish(self.aclose(timeout))

    async def aclose(self, deadline_s: float | None = None, *, results: bool = True) -> None:
        """Drain, wait for the results that somebody may still look at, then end: every later call fails."""
        self.begin_to_close()
        await self.drain(deadline_s, results=results)
        unsent, unanswered = self.unfinished()
        if unsent or unanswered:
            _log.warning(
                "closed with %d requests not sent and %d requests sent but not acknowledged",
                unsent,
                unanswered,
            )
        for error in self.untold():
            warn_on_stderr("closed, and a client was never made: %s: %s", type(error).__name__, error)
        if self.telemetry is not None:
            await self.telemetry.end()
        self.terms.close()
        await self.session.close()
        self.lose(ClosedError("the client was closed", applied="unknown"))
        for task in list(self._loose):
            if task is not asyncio.current_task():
                task.cancel()
        await self.transport.aclose()
        self.runtime.unregister(self)

    async def drain(self, deadline_s: float | None, *, results: bool = False, grace_s: float = 0.0) -> None:
        """Wait until training requests are acknowledged; with `results`, or in local mode, until they end.

        Where results are not asked for, they may still come within `grace_s` seconds.
        """
        limit_s = self.config.flow.exit_drain_s if deadline_s is None else deadline_s
        self._drained = [future for pipeline in self._pipelines for future in pipeline.futures()]
        self._drained += self._creations
        try:
            async with asyncio.timeout(limit_s):
                while any(self.unfinished()) or self._is_creating or self._awaits_results(results):  # noqa: ASYNC110  # only while leaving
                    await asyncio.sleep(DRAIN_STEP_S)
            async with asyncio.timeout(grace_s):
                while grace_s and self.accepted():  # noqa: ASYNC110  # as above
                    await asyncio.sleep(DRAIN_STEP_S)
        except TimeoutError:
            return

    def failed(self) -> list[BaseException]:
        """Return what requests failed with during the drain, when nobody could look any more."""
        ended = [f for f in self._drained if f.done() and not f.cancelled() and not f.delivered]
        return [error for future in ended if (error := future.outcome_error()) is not None]

    def unfinished(self) -> tuple[int, int]:
        """Count (requests not sent, requests sent and not acknowledged)."""
        counts = [pipeline.unfinished() for pipeline in self._pipelines]
        return sum(unsent for unsent, _ in counts), sum(unanswered for _, unanswered in counts)

    def accepted(self) -> int:
        """Count the requests that the server accepted and whose results are not here."""
        return sum(pipeline.accepted for pipeline in self._pipelines)

    def abandoned(self) -> int:
        """Count the samples that are not finished."""
        return sum(desk.unfinished for desk in self._desks)

    @property
    def _is_creating(self) -> bool:
        with self._guard:
            return not all(client.done() for client in self._creations)

    def _awaits_results(self, wanted: bool) -> bool:
        if not (wanted or self.transport.is_local):
            return False
        return any(pipeline.awaits_results for pipeline in self._pipelines)


def _is_untold(client: APIFuture[Any]) -> bool:
    return not client.cancelled() and not client.delivered and client.outcome_error() is not None
