"""The jobs of one model: each is a call in the queue, with its chunks and what becomes of them.

It owns the lock of the queue, the way from tickets to chunks, and how outcomes of chunks become the outcome
of a call. `core.sequence` decides on the order, and `io.queues.training_queue` takes each chunk through its
turn. It must not send, poll or wait.
"""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import attrs

from tinsmith.core.config import RetryConfig
from tinsmith.core.errors import ModelLostError, PartialBatchError, TinkerError
from tinsmith.core.sequence import Effect, Phase, QueuedCall, RequestOrder, Ticket
from tinsmith.io.future import APIFuture
from tinsmith.io.poller import Promise
from tinsmith.io.queues.training_requests import TrainingRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tinsmith.core.config import OptimAfter
    from tinsmith.core.errors import Applied
    from tinsmith.core.retry import Outcome
    from tinsmith.core.sequence import Failure

T = TypeVar("T")

_RELEASED: TrainingRequest[Any] = TrainingRequest("released")
"""Replaces the data of a call once it has its outcome."""


class UserCodeError(TinkerError):
    """Carries an exception of the user's own code through the queue; the user gets the original."""

    def __init__(self, original: BaseException) -> None:
        super().__init__(f"{type(original).__name__}: {original}", applied="no")
        self.original = original


@attrs.frozen
class Numbered:
    """It holds the turn. What is built and sent under this number is the same at each send."""

    seq_id: int
    """The number."""
    idempotency_key: str
    """One for all its sends."""


@attrs.frozen
class Promised:
    """The server has it, and gave a promise."""

    numbered: Numbered
    """How it was sent."""
    promise: Promise
    """The promise."""
    checksum: int
    """Of the bytes that were accepted: a second submission must have the same."""


@attrs.frozen
class Settled:
    """It has its outcome."""

    value: Any = None
    """The decoded result."""
    error: TinkerError | None = None
    """Why there is no result; None where there is one."""

    @property
    def is_applied(self) -> bool:
        """Whether the server applied it, with or without a result for us."""
        return self.error is None or self.error.applied == "yes"


@attrs.define(eq=False, repr=False)
class Chunk:
    """One request of a job: a chunk of its data, or all of it."""

    job: Job[Any]
    """The call that it belongs to."""
    request: TrainingRequest[Any]
    """What is sent, and how its result is read."""
    ticket: Ticket
    """Its place in the queue."""
    state: Numbered | Promised | Settled | None = None
    """How far it has come, and what is known since; None before it has a number."""
    request_id: str | None = None
    """The promise that it got first; None before it has one."""
    left: asyncio.Event = attrs.field(factory=asyncio.Event)
    """Set when the server has it, and when it failed."""
    task: asyncio.Task[None] | None = None
    """What sends it and waits for its result; None before its turn."""

    @property
    def error(self) -> TinkerError | None:
        """Why there is no result; None where there is one, and while there may be one."""
        return self.state.error if isinstance(self.state, Settled) else None

    @property
    def is_applied(self) -> bool:
        """Whether it is known that the server applied it."""
        return isinstance(self.state, Settled) and self.state.is_applied

    def notice(self, _outcome: Outcome) -> None:
        """Leave what an attempt means to the rules of retries."""

    async def admit(self) -> None:
        """Wait with a further attempt until the chunks before it have left: in trouble they go one by one."""
        for before in self.job.chunks[: self.ticket.chunk]:
            await before.left.wait()

    def explain(self, error: TinkerError) -> TinkerError:
        """Add to an error what is known of this request, and return it."""
        if isinstance(self.state, Numbered):
            error.adding(seq_id=self.state.seq_id)
        elif isinstance(self.state, Promised):
            promise = self.state.promise
            error.adding(seq_id=promise.seq_id, request_id=promise.request_id)
        return error


@attrs.define(eq=False, repr=False)
class Job(Generic[T]):
    """One call of the user."""

    request: TrainingRequest[T]
    """What is sent; the data are here until the call has its outcome."""
    retry: RetryConfig | None = None
    """Retry rules of this call; None for the client's."""
    future: APIFuture[T] = attrs.field(factory=APIFuture)
    """What the user holds."""
    chunks: list[Chunk] = attrs.field(factory=list)
    """Its requests in order; none before it is queued, and one for all until it is planned."""
    is_planned: bool = False
    """Whether it was prepared and cut into its chunks, as it is when its turn comes."""
    before: list[Job[Any]] = attrs.field(factory=list)
    """Of an optim_step: the gradient calls that it steps on."""
    known: list[Job[Any]] = attrs.field(factory=list)
    """Of an optim_step: the failed gradient calls whose error the user had seen when it was called."""
    finished: asyncio.Event = attrs.field(factory=asyncio.Event)
    """Set when each chunk has an outcome."""
    error: TinkerError | None = None
    """What the call failed with; None where it has a result, and before that."""

    @property
    def has_failed_chunk(self) -> bool:
        """Whether a chunk is known to have failed without being applied."""
        return any(chunk.error is not None and not chunk.is_applied for chunk in self.chunks)

    def failure(self) -> TinkerError | None:
        """Return the error that the user should see, or None when each chunk has a result."""
        errors = [chunk.error for chunk in self.chunks if chunk.error is not None]
        if not errors or len(self.chunks) == 1:
            return errors[0] if errors else None
        first = errors[0]
        applied = tuple(i for i, chunk in enumerate(self.chunks) if chunk.is_applied)
        if len(applied) == len(self.chunks) or not (applied or any(each.applied != "no" for each in errors)):
            return first
        if self.request.effect is not Effect.GRADIENT:
            return first.again("unknown")
        error = PartialBatchError(
            f"{self.request.operation}: {len(applied)} of {len(self.chunks)} chunks were applied;"
            f" {first.message}",
            chunks_applied=applied,
            chunks_failed=tuple(i for i in range(len(self.chunks)) if i not in applied),
            request_id=first.request_id,
            model_id=first.model_id,
            seq_id=first.seq_id,
            attempts=first.attempts,
            elapsed_s=first.elapsed_s,
            applied="unknown",
        )
        error.__cause__ = first
        return error

    def promised(self, chunk: Chunk, request_id: str) -> None:
        """Note the promise of a chunk. They come in any order; the future lists them in order."""
        chunk.request_id = request_id
        known = (each.request_id for each in self.chunks)
        self.future.request_ids[:] = [each for each in known if each is not None]

    def merged(self) -> T:
        """Make the result of the call of those of its chunks."""
        return self.request.merge(
            [chunk.state.value for chunk in self.chunks if isinstance(chunk.state, Settled)]
        )

    def release(self) -> None:
        """Let go of data and results: the user may keep the future, and with it this job, for long."""
        self.future.on_cancel(None)
        self.before, self.known = [], []
        self.request = _RELEASED
        for chunk in self.chunks:
            chunk.request, chunk.state, chunk.task = _RELEASED, Settled(error=chunk.error), None


class PendingJobs:
    """The jobs of one model that have no outcome."""

    def __init__(self, optim_after: OptimAfter, on_result: Callable[[Job[Any], Any], None]) -> None:
        self.lock = threading.Lock()
        """Held around each change of the order: by all methods but `add`, whose caller holds it."""
        self.order = RequestOrder(optim_after)
        """Decides whose turn it is, and what follows from an outcome."""
        self.failed: list[Job[Any]] = []
        """Gradient calls that failed since the last optim_step."""
        self.changed = asyncio.Event()
        """Set when the head of the queue may be another."""
        self._on_result = on_result
        self._jobs: dict[QueuedCall, Job[Any]] = {}

    def add(self, job: Job[Any], *, ahead: bool = False) -> None:
        """Queue a job behind all others, or ahead of them; under the lock."""
        ticket = self.order.take(job.request.effect, ahead=ahead)
        self._jobs[ticket.call] = job
        job.chunks = [Chunk(job, job.request, ticket)]

    def split(
        self, job: Job[Any], requests: Sequence[TrainingRequest[Any]], *, one_by_one: int | None = None
    ) -> None:
        """Put the chunks of a job whose turn has come in its place, unless it was withdrawn meanwhile.

        The first `one_by_one` of them wait for each other; None for all.
        """
        with self.lock:
            (whole,) = job.chunks
            ticket = whole.ticket
            if ticket.phase is not Phase.WAITING:
                return
            job.is_planned = True
            if len(requests) == 1:
                whole.request = requests[0]
            else:
                tickets = self.order.split(ticket, len(requests), one_by_one=one_by_one)
                pairs = zip(requests, tickets, strict=True)
                job.chunks = [Chunk(job, request, ticket) for request, ticket in pairs]

    def head(self) -> Chunk | None:
        """Return the chunk whose turn begins; None for none, and while somebody has the turn."""
        with self.lock:
            ticket = self.order.head
            if ticket is None or ticket.phase is not Phase.WAITING:
                return None
            return self._jobs[ticket.call].chunks[ticket.chunk]

    def draw(self, chunk: Chunk) -> int:
        """Give the chunk whose turn it is its number."""
        with self.lock:
            return self.order.draw(chunk.ticket)

    def sent(self, chunk: Chunk) -> bool:
        """Note that bytes of a chunk are about to leave; False where it was withdrawn or failed meanwhile."""
        with self.lock:
            if chunk.ticket.phase is Phase.FAILED:
                return False
            self.order.sent(chunk.ticket)
        if len(chunk.job.chunks) > 1:  # the next one may follow at once
            self.changed.set()
        return True

    def refused(self, chunk: Chunk, *, leaves_doubt: bool, wants_next: bool) -> int | None:
        """Note that a submission got no promise; return the next number, where the server wants that."""
        with self.lock:
            if leaves_doubt:
                self.order.unsure(chunk.ticket)
            return self.order.redraw(chunk.ticket) if wants_next else None

    def accepted(self, chunk: Chunk) -> None:
        """Let the next chunk go: the server has this one."""
        with self.lock:
            failures = self.order.accepted(chunk.ticket)
        chunk.left.set()
        self.apply(failures)

    def rejected(self, chunk: Chunk, error: TinkerError) -> None:
        """Release the turn of a chunk that was not accepted, and fail what is queued behind it."""
        with self.lock:
            failures = self.order.rejected(chunk.ticket, error)
        self.settle(chunk, Settled(error=error))
        self.apply(failures)

    def withdraw(self, job: Job[Any], error: TinkerError) -> None:
        """Take a cancelled call out of the queue, unless a chunk of it was sent; no call behind it fails."""
        first = job.chunks[0]
        with self.lock:
            is_settled = isinstance(first.state, Settled)
            gone = not is_settled and self.order.cancelled(first.ticket.call)
        for chunk in job.chunks if gone else ():
            self.settle(chunk, Settled(error=error))

    def take_failed(self) -> list[Job[Any]]:
        """Return the gradient calls that failed since the last optim_step, for a step whose turn has come."""
        with self.lock:
            failed, self.failed = self.failed, []
        return failed

    def all(self) -> list[Chunk]:
        """Return every chunk without an outcome."""
        with self.lock:
            chunks = [chunk for job in self._jobs.values() for chunk in job.chunks]
        return [chunk for chunk in chunks if not isinstance(chunk.state, Settled)]

    def settle(self, chunk: Chunk, outcome: Settled) -> None:
        """Note the outcome of a chunk, once; the last one concludes its job."""
        if isinstance(chunk.state, Settled):
            return
        chunk.state = outcome
        chunk.left.set()
        job = chunk.job
        if all(isinstance(each.state, Settled) for each in job.chunks):
            with self.lock:
                del self._jobs[chunk.ticket.call]
            self._conclude(job)
            job.finished.set()

    def _conclude(self, job: Job[Any]) -> None:
        """Report the outcome of the job to the order, then to the user."""
        failures = self._report(job)
        first = job.chunks[0]
        for each in failures:
            if each.ticket is first.ticket and first.is_applied:
                first.state = Settled(error=each.error)
        job.error = job.failure()
        self.apply(failures)
        if job.error is None:
            self._hand_out(job)
        if job.error is not None:
            self._fail(job, job.error)
        job.release()
        self.changed.set()

    def _hand_out(self, job: Job[Any]) -> None:
        """Merge the results of a job, all of whose chunks were applied, and set its future."""
        try:
            result = job.merged()
        except TinkerError as error:
            job.error = error.adding(applied="yes")
        except Exception as error:  # noqa: BLE001  # a merge that fails must end the future, not hang it
            job.error = unexpected(error, None).again("yes")
        else:
            self._on_result(job, result)
            job.future.settle(result)

    def _fail(self, job: Job[Any], error: TinkerError) -> None:
        """Set the error of a job, and keep a gradient that is missing for the next optim_step."""
        missing = error.applied != "yes" or self.order.optim_after == "results"
        if job.request.effect is Effect.GRADIENT and missing and not job.future.cancelled():
            with self.lock:
                self.failed.append(job)
        job.future.fail(error.original if isinstance(error, UserCodeError) else error)

    def _report(self, job: Job[Any]) -> list[Failure]:
        """Report each accepted chunk, the lost ones last and together, when it is known which are applied."""
        failures: list[Failure] = []
        lost: list[tuple[Ticket, TinkerError]] = []
        with self.lock:
            for chunk in job.chunks:
                ticket, error = chunk.ticket, chunk.error
                if ticket.phase is not Phase.ACCEPTED:
                    continue
                if error is None or chunk.is_applied:
                    failures += self.order.finished(ticket)
                else:
                    ticket.call.applied.discard(ticket.chunk)
                    lost.append((ticket, error))
            for ticket, error in lost:
                failures += self.order.finished(ticket, error)
                unsure = error.applied == "unknown" and job.request.changes_the_model
                if unsure or isinstance(error, ModelLostError):  # the model is gone for every call
                    failures += self.order.close(error)
        return failures

    def apply(self, failures: list[Failure]) -> None:
        """Fail the requests that end because of what happened to another."""
        for each in failures:
            with self.lock:
                job = self._jobs.get(each.ticket.call)
            if job is not None:
                self._fail_chunk(job.chunks[each.ticket.chunk], each.error)
        self.changed.set()

    def _fail_chunk(self, chunk: Chunk, error: TinkerError) -> None:
        """Fail a chunk, and stop what sends it or waits for its result.

        Of one whose result was lost it is doubtful whether it was applied, where one before it is missing.
        """
        if isinstance(chunk.state, Settled):
            is_doubtful = error.applied == "unknown" and chunk.state.error is not None
            if is_doubtful and chunk.is_applied:
                chunk.state = Settled(error=error)
            return
        task = chunk.task
        self.settle(chunk, Settled(error=chunk.explain(error)))
        if task is not None:
            task.cancel()


def unexpected(error: BaseException, ticket: Ticket | None) -> TinkerError:
    """Wrap what no code here raises on purpose, with what is known of the request."""
    wrapped = TinkerError(f"{type(error).__name__}: {error}", applied=_may_have_left(ticket))
    wrapped.__cause__ = error
    return wrapped


def ending(error: TinkerError, ticket: Ticket | None) -> TinkerError:
    """Copy the error that ended the client, with what is known of one request that it ended."""
    return error.again(_may_have_left(ticket))


def _may_have_left(ticket: Ticket | None) -> Applied:
    return "no" if ticket is None or ticket.phase in (Phase.WAITING, Phase.DRAWN) else "unknown"
