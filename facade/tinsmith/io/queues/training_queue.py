"""The queue of one model: calls are served one after the other, in the order in which they were made.

A call's way: `enter`, in the thread of the user, gives its job a ticket. On the loop, at its turn, the job is
prepared and cut into chunks. Each chunk draws a number at its turn; a task of its own encodes and submits it,
and waits for its result, which is decoded and merged with those of the other chunks. It leaves the queue once
it is accepted. Where the server orders by number, the next chunk of the call has its turn once it was sent.

`core.sequence` decides on the order, and `io.queues.jobs` makes outcomes of chunks outcomes of calls. It must
not retry (`io.http.sender`), poll (`io.poller`) or interpret an answer (`io.http.submission`).
"""

from __future__ import annotations

import asyncio
import zlib
from concurrent.futures import CancelledError
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import ref

from tinsmith.core.errors import ClosedError, PartialBatchError, ResultLostError, TinkerError
from tinsmith.core.promises import PromiseOwners
from tinsmith.core.sequence import Effect, Phase
from tinsmith.io.http.messages import Request
from tinsmith.io.http.sender import new_idempotency_key
from tinsmith.io.http.submission import Accepted, Submission, conflict, leaves_doubt, refusal, submit
from tinsmith.io.poller import Promise
from tinsmith.io.queues.jobs import (
    Chunk,
    Job,
    Numbered,
    PendingJobs,
    Promised,
    Settled,
    ending,
    unexpected,
)
from tinsmith.io.queues.training_requests import BatchForm, ForwardBackward, TrainingRequest
from tinsmith.io.runtime import Unfinished

if TYPE_CHECKING:
    from collections.abc import Coroutine, Hashable

    from tinsmith.io.connection import Connection
    from tinsmith.io.future import APIFuture
    from tinsmith.io.http.messages import Body
    from tinsmith.io.limits import FairSemaphore
    from tinsmith.io.settings import ServerSettings

T = TypeVar("T")

WORKER_ABOVE_BYTES = 64 * 1024
"""Bodies above this size are built in a worker thread; a smaller one costs less than the way there."""


class _Withdrawn(TinkerError):  # noqa: N818  # an event, not something that users see
    """The owner cancelled the call before anything of it was sent."""


class TrainingQueue:
    """The queue of one model. Calls wait in it from the creation on, until the server has the model."""

    def __init__(
        self,
        connection: Connection,
        settings: ServerSettings,
        budget: FairSemaphore,
        creation: APIFuture[Any],
    ) -> None:
        self.connection = connection
        """Sends requests, and asks for their results."""
        self._runtime, self._sender = connection.runtime, connection.sender
        self._observers = connection.observers
        self._settings = settings
        self._budget = budget
        self._creation = ref(creation)  # weakly: the user's client, which may be dropped
        self.model_id: str | None = None
        """The model whose requests are queued here; None until the server made it."""
        self.last_checkpoint: str | None = None
        """The newest checkpoint saved or loaded through this queue, for the error that asks for one."""
        self.last_step: int | None = None
        """The number of the newest optim_step that was accepted."""
        self._promise_owners = PromiseOwners()  # whose the promises of this model are
        self._pending = PendingJobs(connection.config.optim_after, self._has_result)
        self._accepted_kinds: set[Hashable] = set()  # of batches that the server took before
        self._gradients: dict[Job[Any], None] = {}  # sent since the last step, without those that went well
        self._consumer: asyncio.Task[None] | None = None
        self._is_open = False
        self._admitted: Job[Any] | None = None
        self._ended: TinkerError | None = None

    @property
    def bound_id(self) -> str:
        """The model's name, for the bytes of a request whose turn has come."""
        assert self.model_id is not None, "nothing is sent before the model is there"
        return self.model_id

    # From any thread.

    def enter(self, *jobs: Job[Any]) -> None:
        """Queue calls side by side; the order of entry is the order of training."""
        runtime = self._runtime
        runtime.check()
        with self._pending.lock:
            refused = self._refusal()
            for job in jobs:
                job.future.operation, job.future.queue = job.request.operation, self
                if not self._is_open:
                    job.future.origin = self._creation()
                if refused is not None:
                    continue
                if job.request.effect is Effect.STEP:
                    job.known = [failed for failed in self._pending.failed if failed.future.delivered]
                self._pending.add(job)
                job.future.on_cancel(partial(runtime.call_soon, self._withdraw, job))
                runtime.call_soon(self._entered, job)
        if refused is not None:
            for job in jobs:
                job.future.fail(refused)

    def _refusal(self) -> TinkerError | None:
        """Return why a new call is not queued; None where it is."""
        if self._ended is not None:
            return ending(self._ended, None).adding(model_id=self.model_id)
        closing = self.connection.closing
        if self._pending.order.refusal is None and closing is not None:
            return closing.again("no").adding(model_id=self.model_id)
        return self._pending.order.refusal

    def unfinished(self) -> Unfinished:
        """Count what has no outcome."""
        chunks = self._pending.all()
        phases = [chunk.ticket.phase for chunk in chunks if not chunk.job.future.cancelled()]
        unsent = phases.count(Phase.WAITING) + phases.count(Phase.DRAWN)
        accepted = {chunk.job for chunk in chunks if isinstance(chunk.state, Promised)}
        return Unfinished(unsent, phases.count(Phase.SENT), len(accepted))

    def futures(self) -> list[APIFuture[Any]]:
        """Return the future of each call that has no outcome."""
        return list(dict.fromkeys(chunk.job.future for chunk in self._pending.all()))

    @property
    def trouble(self) -> str | None:
        """Why nothing is sent any more, for a repr; None while things are."""
        cause = self._pending.order.closed_by
        return None if cause is None else f"stopped after {type(cause).__name__}: {cause.message}"

    # On the loop.

    def progress(self) -> tuple[int, str | None]:
        """Return the highest number that was sent, and the last checkpoint saved or loaded."""
        return self._pending.order.highest_sent, self.last_checkpoint

    def admit(self, job: Job[Any]) -> None:
        """Send a call before all that waits, and only it: the load that belongs to the creation."""
        with self._pending.lock:
            self._pending.add(job, ahead=True)
        self._admitted = job
        self._entered(job)

    def open(self) -> None:
        """Send the calls that were made while the model was being created."""
        self._is_open = True
        self._pending.changed.set()

    def end(self, error: TinkerError) -> None:
        """Fail everything that waits or is in flight, and every later call."""
        with self._pending.lock:
            self._ended = self._ended or error
        if self._consumer is not None:
            self._consumer.cancel()
        chunks = self._pending.all()
        unsent = [chunk for chunk in chunks if ending(error, chunk.ticket).applied == "no"]
        tasks = [chunk.task for chunk in chunks if chunk.task is not None]
        for chunk in [*unsent, *chunks]:
            self._pending.settle(chunk, self._ended_with(error, chunk))
        for task in tasks:
            task.cancel()

    def _ended_with(self, error: TinkerError, chunk: Chunk) -> Settled:
        """Make the outcome of a chunk that the end of the client met."""
        return Settled(error=chunk.explain(ending(error, chunk.ticket)).adding(model_id=self.model_id))

    def _entered(self, job: Job[Any]) -> None:
        self._observers.entered()
        job.future.add_done_callback(partial(self._runtime.call_soon, self._left))
        if self._consumer is None or self._consumer.done():
            self._consumer = self._runtime.task(self._serve())
        self._pending.changed.set()

    def _left(self, future: APIFuture[Any]) -> None:
        error = CancelledError() if future.cancelled() else future.outcome_error()
        self._observers.ended(error, started=future.seq_id is not None)

    def _withdraw(self, job: Job[Any]) -> None:
        """Take a cancelled call out of the queue, unless a chunk of it was sent; no call behind it fails."""
        self._pending.withdraw(job, _Withdrawn("cancelled before it was sent", applied="no"))

    async def _serve(self) -> None:
        """Begin the turn of whoever is at the head of the queue, for ever; each turn ends by itself."""
        while True:
            head = self._pending.head()
            if head is None or not (self._is_open or head.job is self._admitted):
                self._pending.changed.clear()
                await self._pending.changed.wait()
            elif head.job.is_planned:
                numbered = Numbered(self._pending.draw(head), new_idempotency_key())
                head.state = numbered
                head.task = self._runtime.task(self._carry(head, numbered))
            else:
                await self._release_on_failure(head, self._prepare(head.job))

    async def _carry(self, chunk: Chunk, numbered: Numbered) -> None:
        """Take one chunk through its turn to its result."""
        sent = await self._release_on_failure(chunk, self._have_accepted(chunk, numbered))
        if sent is not None:
            await self._result(chunk, sent)

    async def _release_on_failure(self, chunk: Chunk, act: Coroutine[Any, Any, T]) -> T | None:
        """Run what is done in a turn. Whatever it raises, the turn is released, and None returned."""
        try:
            return await act
        except asyncio.CancelledError as error:
            ended = self._ended or ClosedError("the client was closed")
            task = asyncio.current_task()
            if self._ended is None and task is not None and not task.cancelling():
                self._reject(chunk, unexpected(error, chunk.ticket))  # of something awaited here
                return None
            self._reject(chunk, ending(ended, chunk.ticket))
            raise
        except _Withdrawn:
            self._withdraw(chunk.job)
        except TinkerError as error:
            self._reject(chunk, error)
        except Exception as error:  # noqa: BLE001  # the turn is released whatever happened
            self._reject(chunk, unexpected(error, chunk.ticket))
        return None

    async def _prepare(self, job: Job[Any]) -> None:
        """Do what must be done before the first number of a call is drawn, and cut it into its chunks."""
        if job.request.effect is Effect.STEP:
            await self._await_gradients(job)
            self._refuse_unseen(job)
        if isinstance(job.request, ForwardBackward):
            await self._settings.choose(job.request.estimate_bytes)
            warning = job.request.left_out(self._form)
            if warning is not None:
                self._sender.warn_once("spans", warning)
        job.request = await job.request.prepare()
        requests = job.request.plan(self._settings.limits.chunks)
        one_by_one = self._one_by_one(job.request) if len(requests) > 1 else None
        self._pending.split(job, requests, one_by_one=one_by_one)

    def _one_by_one(self, request: TrainingRequest[Any]) -> int | None:
        """Return how many of the first chunks wait for each other; None for all.

        Of a loss that this model did not have yet it is the first one: its refusal is the likeliest, and must
        leave nothing behind it.
        """
        if not self._settings.sends_chunks_at_once:
            return None
        return 0 if request.kind in self._accepted_kinds else 1

    async def _await_gradients(self, step: Job[Any]) -> None:
        """Note what an optim_step steps on; wait for the outcome of each call that lost a chunk."""
        step.before = list(self._gradients)
        for gradient in step.before:
            if gradient.has_failed_chunk:
                await gradient.finished.wait()

    def _refuse_unseen(self, step: Job[Any]) -> None:
        """Do not send an optim_step that was called before its caller saw that a gradient had failed."""
        for job in self._pending.take_failed():
            if job.error is not None and job not in step.known:
                raise PartialBatchError(
                    f"the optim_step was not sent: a forward_backward before it failed ({job.error.message})",
                    applied="no",
                ) from job.error

    async def _have_accepted(self, chunk: Chunk, numbered: Numbered) -> Promised:
        """Send one chunk until the server has it."""
        sent: Numbered | Promised = numbered
        while isinstance(sent, Numbered):  # a second time where the server wants the next number
            chunk.state = sent
            sent = await self._send(chunk, sent)
        chunk.state = sent
        chunk.job.promised(chunk, sent.promise.request_id)
        self._accepted_kinds.add(chunk.request.kind)
        self._leave_queue(chunk)
        return sent

    async def _send(self, chunk: Chunk, numbered: Numbered) -> Promised | Numbered:
        """Build the bytes and have them accepted, within the byte budget; another number is to be tried."""
        future = chunk.job.future
        async with self._budget.hold(chunk.request.estimate_bytes):
            body = await self._encoded(chunk, numbered)
            if future.seq_id is None:
                future.seq_id = numbered.seq_id
                self._observers.started()
            return await self._submit(chunk, numbered, body)

    @property
    def _form(self) -> BatchForm:
        """How this server gets batches; chosen before the first one, and the same ever after."""
        return BatchForm(self._settings.encoding or "json", self._settings.compresses)

    async def _encoded(self, chunk: Chunk, numbered: Numbered) -> Body:
        arguments = (self.bound_id, numbered.seq_id, self._form)
        if chunk.request.estimate_bytes > WORKER_ABOVE_BYTES:
            return await self._runtime.in_worker(chunk.request.encode, *arguments)
        return chunk.request.encode(*arguments)

    def _submission(self, chunk: Chunk, numbered: Numbered, body: Body) -> Submission:
        """Describe what is sent, the first time and any other."""
        request = Request(
            chunk.request.operation,
            "POST",
            chunk.request.target(body),
            self.connection.sender.lane_of_changes(),
            body,
            idempotency_key=numbered.idempotency_key,
            about=f"seq_id={numbered.seq_id}",
        )
        gate = chunk if chunk.ticket.chunk else None
        return Submission(
            request, chunk.job.retry, self.model_id, numbered.seq_id, self._promise_owners, gate
        )

    async def _submit(self, chunk: Chunk, numbered: Numbered, body: Body) -> Promised | Numbered:
        """Send the bytes; return the promise, or the next number where the server wants that."""
        if chunk.ticket.chunk == 0 and chunk.job.future.cancelled():
            raise _Withdrawn("cancelled before it was sent", applied="no")
        submission = self._submission(chunk, numbered, body)
        if not self._pending.sent(chunk):
            raise _Withdrawn("it ended before it was sent", applied="no")
        answered = await submit(self._sender, submission)
        if isinstance(answered, Accepted):
            promise = Promise.of(submission, answered, chunk.request.decode)
            promise.progress_of_model = self.progress
            return Promised(numbered, promise, checksum(body))
        reused, (highest_sent, checkpoint) = chunk.ticket.reused, self.progress()
        found = conflict(submission, answered, reused=reused, highest_sent=highest_sent)
        wants_next = found is not None and found.kind == "next number"
        number = self._pending.refused(chunk, leaves_doubt=leaves_doubt(answered), wants_next=wants_next)
        if number is not None:
            return Numbered(number, new_idempotency_key())
        if found is not None and found.applied == "yes":
            self._leave_queue(chunk)  # the server has it, but its promise is lost
        raise refusal(self._sender, submission, answered, found, checkpoint=checkpoint)

    def _leave_queue(self, chunk: Chunk) -> None:
        """Let the next one go: the server has this chunk."""
        if chunk.ticket.effect is Effect.GRADIENT:
            self._gradients[chunk.job] = None
        if chunk.ticket.effect is Effect.STEP:
            self.last_step = chunk.ticket.seq_id
            self._gradients.clear()
        self._pending.accepted(chunk)

    def _reject(self, chunk: Chunk, error: TinkerError) -> None:
        """Release the turn of a chunk that was not accepted, and fail what is queued behind it."""
        chunk.explain(error).adding(model_id=self.model_id)
        self._pending.rejected(chunk, error)

    async def _result(self, chunk: Chunk, sent: Promised) -> None:
        """Wait for the promise of a chunk, and for a step also for the gradients that it stepped on."""
        job = chunk.job
        try:
            resubmit = partial(self._resubmit, chunk, sent)
            outcome = Settled(await self.connection.poller.fetch(sent.promise, resubmit))
        except asyncio.CancelledError:
            ended = self._ended or ClosedError("the client was closed")
            self._pending.settle(chunk, self._ended_with(ended, chunk))
            raise
        except TinkerError as error:
            outcome = Settled(error=error)
        except Exception as error:  # noqa: BLE001  # a result that cannot be read is still an outcome
            outcome = Settled(error=unexpected(error, chunk.ticket))
        for gradient in job.before:
            await gradient.finished.wait()
        self._pending.settle(chunk, outcome)
        if job.finished.is_set() and job.error is None:
            self._gradients.pop(job, None)

    async def _resubmit(self, chunk: Chunk, sent: Promised) -> Accepted:
        """Send the same bytes under the same number again, and return the new promise."""
        body = await self._encoded(chunk, sent.numbered)
        if checksum(body) != sent.checksum:
            raise ResultLostError(
                f"{chunk.request.operation}: the server lost the promise, and the data was changed since it"
                " was sent, so that the same bytes cannot be sent again",
                applied="yes",
            )
        submission = self._submission(chunk, sent.numbered, body)
        answered = await submit(self._sender, submission, unknown_before=True)
        if isinstance(answered, Accepted):
            return answered
        highest_sent, checkpoint = self.progress()
        found = conflict(submission, answered, highest_sent=highest_sent)
        raise refusal(self._sender, submission, answered, found, checkpoint=checkpoint)

    def _has_result(self, job: Job[Any], result: Any) -> None:
        """Note what the result of a call says beside its value."""
        self.last_checkpoint = job.request.checkpoint(result) or self.last_checkpoint
        warning = job.request.missing(result)
        if warning is not None:
            self._sender.warn_once("few outputs", warning)


def checksum(body: Body) -> int:
    """Return a checksum of the bytes; enough to notice that an array was changed between two builds."""
    value = 0
    for piece in body.pieces:
        value = zlib.crc32(piece, value)
    return value
