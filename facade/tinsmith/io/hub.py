"""Wait for promises: ask for each that is outstanding, at the pace that `core.polling` sets.

It owns polls, their load on the server, the progress timeout and what a long wait says. It must not resubmit
or decode: it hands each raw result to whoever asked.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING

import attrs

from tinsmith.core.errors import APIConnectionError, ProgressTimeoutError, TinkerError
from tinsmith.core.pacing import Moment
from tinsmith.core.polling import Done, Failed, NotYet, PollState, Resubmit, decide, decide_fault
from tinsmith.core.retry import drive
from tinsmith.io.observe import QueueStateChanged, StillWaiting
from tinsmith.io.wire import Faulted, Lane, Request, json_body

if TYPE_CHECKING:
    from random import Random

    from tinsmith.core.config import ClientConfig
    from tinsmith.core.polling import Verdict
    from tinsmith.io.observe import Observers
    from tinsmith.io.runtime import Runtime
    from tinsmith.io.transport import Transport
    from tinsmith.io.wire import Answer

_log = logging.getLogger("tinsmith")

TARGET = "api/v1/retrieve_future"
"""Path of a poll."""

LONG_WAIT_S = 60.0
"""A wait this long says what it waits for: longer than a cycle of the hosted service."""

LARGE_ANSWER_BYTES = 256 * 1024
"""Answers above this size are read in a worker thread, so that the loop keeps its timers."""


@attrs.define(eq=False)
class Promise:
    """An outstanding result."""

    request_id: str
    """The server's name for it."""
    operation: str
    """What it is for."""
    request_type: str
    """The value of `X-Tinker-Request-Type`."""
    model_id: str | None = None
    """The model or sampler that works on it."""
    seq_id: int | None = None
    """Its number there."""
    roundtrip_s: float | None = None
    """Seconds from the start of the submission to the promise."""
    state: PollState = attrs.field(factory=PollState)
    """What is remembered of its polls."""
    started_s: float = 0.0
    """When waiting began, on the loop's clock."""
    queue_state: str | None = None
    """What the server last said that it waits for."""
    queue_reason: str | None = None
    """The same in the server's words."""
    progress_timeout_s: float | None = None
    """Limit of this promise alone; None for the client's."""
    told_s: float = LONG_WAIT_S
    """Length of wait at which observers hear of it next."""


class PollHub:
    """All polls of one client."""

    def __init__(
        self,
        config: ClientConfig,
        runtime: Runtime,
        transport: Transport,
        observers: Observers,
        random: Random,
    ) -> None:
        self._config = config
        self._runtime = runtime
        self._transport = transport
        self._observers = observers
        self._random = random
        self._moved_s = float("-inf")
        self._warned_s = float("-inf")
        self._next_slot_s = float("-inf")
        self._waits: dict[asyncio.Task[object], None] = {}
        self._interrupted: set[asyncio.Task[object]] = set()
        self._lost: TinkerError | None = None

    @property
    def outstanding(self) -> int:
        """How many promises are asked for now."""
        return len(self._waits)

    async def wait(self, promise: Promise) -> Done | Resubmit:
        """Ask until there is a result, or the promise is gone; raise what it failed with."""
        if self._lost is not None:
            raise self._lost
        promise.started_s = promise.started_s or self._runtime.loop.time()
        task = asyncio.current_task()
        assert task is not None
        self._waits[task] = None
        try:
            verdict = await drive(_Poller(self, promise).send, _pause, sleep=asyncio.sleep)
        except asyncio.CancelledError:
            if self._lost is None or task not in self._interrupted:
                raise
            self._interrupted.discard(task)
            task.uncancel()
            raise self._lost from None
        finally:
            del self._waits[task]
        if isinstance(verdict, Failed):
            self._moved_s = self._runtime.loop.time()
            raise verdict.error.adding(
                request_id=promise.request_id, model_id=promise.model_id, seq_id=promise.seq_id
            )
        assert not isinstance(verdict, NotYet)
        if isinstance(verdict, Done):
            self._moved_s = self._runtime.loop.time()
        else:
            promise.state = verdict.state
        return verdict

    def lose(self, error: TinkerError) -> None:
        """Fail every wait, now and later, with `error`."""
        self._lost = error
        for task in list(self._waits):
            self._interrupted.add(task)
            task.cancel()

    async def poll(self, promise: Promise) -> Verdict:
        """Ask once and judge the answer."""
        loop = self._runtime.loop
        self._check_progress(promise)
        asked_s = loop.time()
        try:
            answer = await self._transport.send(self._request(promise))
        except Faulted as faulted:
            moment = self._moment(promise, asked_s)
            verdict = decide_fault(
                faulted.fault,
                promise.state,
                moment=moment,
                policy=self._config.poll,
                retry=self._config.retry,
            )
            if verdict is None:
                error = APIConnectionError(
                    f"{promise.operation}: polling failed: {faulted.fault}: {faulted.reason}",
                    applied="unknown",
                )
                return Failed(error)
            self._observers.stumbled(f"poll: {faulted.fault}")
            return self._paced(promise, verdict)
        judged = await self._judge(answer, promise, self._moment(promise, asked_s))
        return self._paced(promise, judged) if isinstance(judged, NotYet) else judged

    async def _judge(self, answer: Answer, promise: Promise, moment: Moment) -> Verdict:
        def judge() -> Verdict:
            return decide(
                answer.status,
                answer.headers,
                answer.body,
                promise.state,
                moment=moment,
                policy=self._config.poll,
                retry=self._config.retry,
                request_id=promise.request_id,
            )

        if len(answer.body) > LARGE_ANSWER_BYTES:
            return await self._runtime.in_worker(judge)
        return judge()

    def _request(self, promise: Promise) -> Request:
        headers = {
            "X-Tinker-Request-Iteration": str(promise.state.iteration),
            "X-Tinker-Request-Type": promise.request_type,
        }
        if promise.state.iteration == 0 and promise.roundtrip_s is not None:
            headers["X-Tinker-Create-Promise-Roundtrip-Time"] = f"{promise.roundtrip_s:.6f}"
        return Request(
            "retrieve_future",
            "POST",
            TARGET,
            Lane.POLL,
            json_body({"request_id": promise.request_id}),
            headers,
            timeout_s=self._config.poll.read_timeout_s,
        )

    def _moment(self, promise: Promise, asked_s: float) -> Moment:
        now_s = self._runtime.loop.time()
        return Moment(now_s - asked_s, now_s - promise.started_s, time.time(), self._random.random())

    def _paced(self, promise: Promise, verdict: NotYet) -> NotYet:
        """Note what the server said, and keep failing polls of the whole client below their rate."""
        promise.state = verdict.state
        now_s = self._runtime.loop.time()
        state = verdict.queue_state
        if state is not None and state != promise.queue_state:
            promise.queue_state, promise.queue_reason = state, verdict.queue_reason
            self._moved_s = now_s
            self._observers.tell(
                QueueStateChanged(
                    promise.request_id, promise.operation, promise.model_id, state, verdict.queue_reason
                )
            )
        self._say_what_it_waits_for(promise, now_s)
        if verdict.failure is None:
            return verdict
        slot_s = max(now_s + verdict.pause_s, self._next_slot_s)
        self._next_slot_s = slot_s + 1.0 / self._config.poll.storm_polls_per_s
        return attrs.evolve(verdict, pause_s=slot_s - now_s)

    def _say_what_it_waits_for(self, promise: Promise, now_s: float) -> None:
        waited_s = now_s - promise.started_s
        if waited_s < promise.told_s:
            return
        first, promise.told_s = promise.told_s == LONG_WAIT_S, 2.0 * waited_s
        clause = _clause(promise)
        self._observers.tell(StillWaiting(promise.operation, clause, waited_s, promise.request_id))
        if first and now_s - self._warned_s >= LONG_WAIT_S:
            self._warned_s = now_s
            _log.warning(
                "%s (request %s) has waited %.0f s for %s",
                promise.operation,
                promise.request_id,
                waited_s,
                clause,
            )

    def _check_progress(self, promise: Promise) -> None:
        limit_s = promise.progress_timeout_s or self._config.progress_timeout_s
        now_s = self._runtime.loop.time()
        if limit_s is None or now_s - max(self._moved_s, promise.started_s) < limit_s:
            return
        raise ProgressTimeoutError(
            f"{promise.operation}: nothing moved on this client for {limit_s:g} s while waiting for"
            f" {_clause(promise)}; attach again with APIFuture.from_request_id",
            request_id=promise.request_id,
            model_id=promise.model_id,
            seq_id=promise.seq_id,
            elapsed_s=now_s - promise.started_s,
            applied="unknown",
        )


class _Poller:
    """The polls of one promise, as `core.retry.drive` wants them."""

    def __init__(self, hub: PollHub, promise: Promise) -> None:
        self._hub = hub
        self._promise = promise

    async def send(self, _attempt: int) -> Verdict:
        """Ask once."""
        return await self._hub.poll(self._promise)


def _pause(_attempt: int, verdict: Verdict) -> float | None:
    return verdict.pause_s if isinstance(verdict, NotYet) else None


def _clause(promise: Promise) -> str:
    words = {
        "paused_capacity": "capacity at the server",
        "paused_rate_limit": "a rate limit of your account (concurrent models)",
        "active": "the server to finish it",
        None: "the server to finish it",
    }
    clause = words.get(promise.queue_state, f"the server (queue state {promise.queue_state})")
    return f"{clause}: {promise.queue_reason}" if promise.queue_reason else clause
