"""Dispatch samples: no order among them, a bounded number in flight, and a server that may push back.

It owns the queue of samples and how many go out. It must not know training, nor how a result is polled.
"""

from __future__ import annotations

import asyncio
import math
import threading
from collections import deque
from functools import partial
from typing import TYPE_CHECKING

import attrs

from tinsmith.core.errors import ClosedError, TinkerError
from tinsmith.io.http import operations
from tinsmith.io.http.messages import Lane
from tinsmith.io.http.sender import new_idempotency_key
from tinsmith.io.http.submission import Accepted, Submission, refusal, submit
from tinsmith.io.limits import Submissions, Window
from tinsmith.io.queues.jobs import ending, unexpected
from tinsmith.io.queues.results import SubmittedPromise, fetch

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tinsmith.core.config import RetryConfig
    from tinsmith.core.decision import Outcome
    from tinsmith.core.negotiation import Limits
    from tinsmith.core.values.results import SampleResponse
    from tinsmith.io.connection import Connection
    from tinsmith.io.limits import ByteBudget
    from tinsmith.io.poller import Promise
    from tinsmith.io.queues.sample_job import SampleJob
    from tinsmith.io.queues.sampling_session import SamplingSession
    from tinsmith.io.settings import ServerSettings

RAMP = 4
"""Accepted samples for each that may be under way: how many a server takes is found out by degrees."""

NO_LIMIT = 1_000_000
"""Samples in flight where the user asked for no limit: more than any process can hold."""


class SampleDispatcher:
    """The samples of one client, or of a sampler that has limits of its own."""

    def __init__(
        self,
        connection: Connection,
        settings: ServerSettings,
        budget: ByteBudget,
        retry: RetryConfig | None = None,
        *,
        cancel: Callable[[str], None],
    ) -> None:
        self._connection = connection
        self._settings = settings
        self._budget = budget
        self._cancel = cancel
        self._retry = retry
        largest = self._largest(settings.limits)
        self._window = Window(largest, largest)
        self._submissions = Submissions(connection.config.flow.sample_dispatch)
        self._waiting: deque[SampleJob] = deque()
        self._held: dict[SamplingSession, deque[SampleJob]] = {}  # of samplers that are being made
        self._pushed_back: deque[tuple[SampleJob, asyncio.Future[None]]] = deque()
        self._taken = 0
        self._target = operations.target("asample")
        self._request_type = operations.request_type("asample")
        bound = connection.config.flow.max_queued
        self._room = threading.BoundedSemaphore(bound) if bound is not None else None
        self._carried: set[asyncio.Task[None]] = set()
        self._ended: TinkerError | None = None

    @property
    def waiting(self) -> int:
        """Samples that were not sent yet."""
        return len(self._waiting) + sum(len(jobs) for jobs in self._held.values())

    @property
    def unfinished(self) -> int:
        """Samples that wait or are in flight."""
        return self.waiting + len(self._carried)

    def apply_limits(self, limits: Limits) -> None:
        """Apply the limits that the server dictates."""
        self._window.bound_by(self._largest(limits))

    def _largest(self, limits: Limits) -> int:
        own = limits.samples_in_flight if self._retry is None else self._retry.max_connections
        return own or NO_LIMIT

    def enter(self, job: SampleJob) -> None:
        """Queue a sample, from any thread; blocks while `max_queued` are waiting."""
        if self._room is not None:
            # A callback runs on the loop's thread: blocked there, it would hold up what makes room.
            job.has_room = self._room.acquire(blocking=not self._connection.runtime.in_loop_thread())
        try:
            self._connection.check()
            job.future.on_cancel(lambda: self._connection.runtime.call_soon(self._withdraw, job))
            self._connection.runtime.call_soon(self._entered, job)
        except TinkerError as error:
            self._release(job)
            job.future.fail(error)

    def end(self, error: TinkerError) -> None:
        """Fail what waits, of which nothing was sent, and what is in flight."""
        self._ended = self._ended or error
        for jobs in (self._waiting, *self._held.values()):
            self._give_up(jobs, error)
        self._held.clear()
        for task in self._carried:
            task.cancel()

    def opened(self, sampler: SamplingSession) -> None:
        """Let the samples go that were asked for while `sampler` was being made."""
        self._waiting.extend(self._held.pop(sampler, ()))
        self._dispatch()

    def refused(self, sampler: SamplingSession, error: TinkerError) -> None:
        """Fail the samples of a sampler that could not be made, now and later."""
        sampler.refusal = error
        self._give_up(self._held.pop(sampler, deque()), error)

    def _give_up(self, jobs: deque[SampleJob], error: TinkerError) -> None:
        while jobs:
            job = jobs.popleft()
            self._release(job)
            self._fail(job, ending(error, None))
            self._left(job)

    def _entered(self, job: SampleJob) -> None:
        self._connection.observers.entered()
        if (refusal := job.sampler.refusal) is not None:
            self._give_up(deque([job]), refusal)
        elif job.sampler.sampling_session_id is None:
            self._held.setdefault(job.sampler, deque()).append(job)
        else:
            self._waiting.append(job)
            self._dispatch()

    def _left(self, job: SampleJob) -> None:
        """Tell what became of a sample; its future, which may be kept, forgets how it came about."""
        future = job.future
        error = asyncio.CancelledError() if future.cancelled() else future.outcome_error()
        self._connection.observers.ended(error, started=job.task is not None)
        future.on_cancel(None)

    def _withdraw(self, job: SampleJob) -> None:
        if job.task is not None:
            job.task.cancel()
            return
        for jobs in (self._waiting, self._held.get(job.sampler, deque())):
            if job in jobs:
                jobs.remove(job)
                self._release(job)
                self._left(job)

    def _release(self, job: SampleJob) -> None:
        if self._room is not None and job.has_room:
            self._room.release()

    def _dispatch(self) -> None:
        """Send as many as the window lets through."""
        loop = self._connection.runtime.loop
        while self._pushed_back and self._may_send:
            job, turn = self._pushed_back.popleft()
            if not turn.done():
                self._window.in_flight += 1
                self._submissions.under_way += 1
                job.is_pushed_back = False
                turn.set_result(None)
        while self._waiting and self._may_send:
            job = self._waiting.popleft()
            self._release(job)
            if job.future.cancelled():
                self._left(job)
                continue
            self._window.in_flight += 1
            self._submissions.under_way += 1
            self._connection.observers.started()
            job.task = loop.create_task(self._carry(job))
            self._carried.add(job.task)
            job.task.add_done_callback(partial(self._carried_out, job))

    @property
    def _may_send(self) -> bool:
        ramp = max(Submissions.FEWEST, self._taken // RAMP)
        return self._window.is_open and self._submissions.is_open and self._submissions.under_way < ramp

    async def _carry(self, job: SampleJob) -> None:
        """Take one sample from its bytes to its result."""
        try:
            job.future.settle(await self._sample(job))
        except asyncio.CancelledError:  # nothing was sent before a number was drawn
            ended = self._ended or ClosedError("the client was closed")
            self._fail(job, ended.again("no" if job.future.seq_id is None else "unknown"))
        except TinkerError as error:
            self._fail(job, error)
        except Exception as error:  # noqa: BLE001  # the slot is released and the future set whatever happened
            self._fail(job, unexpected(error, None).again("unknown"))

    def _fail(self, job: SampleJob, error: TinkerError) -> None:
        future, owner = job.future, job.sampler.sampling_session_id
        future.fail(error.adding(request_id=future.request_id, model_id=owner, seq_id=future.seq_id))

    def _carried_out(self, job: SampleJob, task: asyncio.Task[None]) -> None:
        self._carried.discard(task)
        if not job.is_pushed_back:
            self._window.in_flight -= 1
        self._submitted(job)
        if task.cancelled():  # before its first step
            self._fail(job, ending(self._ended or ClosedError("the client was closed"), None))
        self._left(job)

    def _submitted(self, job: SampleJob) -> None:
        """Note that a sample has its promise, or will have none, and let the next one go."""
        if not job.is_submitted:
            job.is_submitted = True
            self._submissions.under_way -= not job.is_pushed_back
        self._dispatch()

    async def _sample(self, job: SampleJob) -> SampleResponse:
        await job.sampler.join(self._settings, self._connection.sender)
        seq_id = job.future.seq_id = job.sampler.draw()
        body = job.body(seq_id)
        submission = Submission(
            "asample",
            self._target,
            body,
            new_idempotency_key(),
            Lane.UPLOAD,
            {"X-Tinker-Sampling-Backpressure": "1"},
            job.retry or self._dictated_retry(),
            job.sampler.sampling_session_id,
            seq_id,
            job.sampler.claims,
        )
        accepted = await self._accepted(submission, job)
        self._taken += 1
        if accepted.attempts == 1:  # else it tells of pauses, not of the server
            self._submissions.answered(accepted.roundtrip_s)
        self._submitted(job)
        promise = SubmittedPromise(
            accepted.request_id,
            "asample",
            self._request_type,
            job.sampler.sampling_session_id,
            seq_id,
            accepted.roundtrip_s,
            progress_timeout_s=self._progress_timeout_s(),
            ended=self._completions(job.sampler),
            resent=accepted.resent,
            claims=job.sampler.claims,
            read=job.read,
            submission=submission,
        )
        job.future.request_ids.append(accepted.request_id)
        try:
            drawn: SampleResponse = await fetch(self._connection, promise, self._resubmitted)
        except asyncio.CancelledError:
            self._cancel(promise.request_id)
            raise
        self._window.grew()
        if job.sampler.completions is not None:
            job.sampler.completions.arrived(promise.request_id)
        return drawn.named(accepted.sample_sequence_ids)

    def _dictated_retry(self) -> RetryConfig | None:
        """Return how samples are retried where the server says so; pushed back, they wait all the same."""
        if self._settings.limits.samples_are_retried:
            return None
        return attrs.evolve(self._connection.config.retry, max_retries=0, start_retries=0)

    def _progress_timeout_s(self) -> float | None:
        if self._retry is not None:
            return self._retry.progress_timeout
        return None if self._settings.limits.samples_time_out else math.inf

    def _completions(self, sampler: SamplingSession) -> Callable[[Promise], Awaitable[None]] | None:
        """Return who hears of all promises of a sampler at once, where the server offers it."""
        flags = self._settings.flags
        if flags is None or not flags.sample_use_retrieve_futures:
            return None
        if sampler.completions is None:
            from tinsmith.io.queues.batch_poller import BatchPoller  # few servers offer it

            sampler.completions = BatchPoller(self._connection, sampler)
        return sampler.completions.ended

    async def _resubmitted(self, promise: SubmittedPromise) -> Accepted:
        return await self._accepted(promise.submission, unknown_before=True)

    async def _accepted(
        self, submission: Submission, job: SampleJob | None = None, *, unknown_before: bool = False
    ) -> Accepted:
        async with self._budget.room(submission.body.size_bytes):
            answered = await submit(
                self._connection.sender,
                submission,
                unknown_before=unknown_before,
                notice=partial(self._notice, job),
                admit=None if job is None else partial(self._admit, job),
            )
        if isinstance(answered, Accepted):
            return answered
        raise refusal(self._connection.sender, submission, answered)

    def _notice(self, job: SampleJob | None, outcome: Outcome) -> None:
        """Send less after a push-back: the server has what has its promise, and nothing of this one."""
        if outcome.status != 429:
            return
        self._window.pushed_back(self._window.in_flight - self._submissions.under_way)
        if job is not None and not job.is_pushed_back:
            job.is_pushed_back = True
            self._window.in_flight -= 1
            self._submissions.under_way -= 1

    async def _admit(self, job: SampleJob) -> None:
        """Have a sample that was pushed back wait until there is room for it, ahead of those not yet sent."""
        if not job.is_pushed_back:
            return
        turn: asyncio.Future[None] = self._connection.runtime.loop.create_future()
        self._pushed_back.append((job, turn))
        self._dispatch()
        await turn
