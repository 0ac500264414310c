"""Keep the order of one model: a place in line at call time, one turn after the other, exactly once.

It drives `core.sequence`, which decides; it owns the lock, the turn and the futures. It must not retry
(`io.http.sender`), poll (`io.polling.poller`) or judge an answer (`io.http.submission`).
"""

from __future__ import annotations

import asyncio
from concurrent.futures import CancelledError
from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import ref

from tinsmith.core.claims import Claims
from tinsmith.core.errors import ClosedError, PartialBatchError, TinkerError
from tinsmith.core.ticket import Kind, Phase
from tinsmith.io.http.sender import new_idempotency_key
from tinsmith.io.http.submission import Accepted, Submission, conflict, leaves_doubt, refusal, submit
from tinsmith.io.queues.jobs import Chunk, Job, checksum
from tinsmith.io.queues.pending_jobs import PendingJobs, ending, unexpected
from tinsmith.io.queues.results import await_result

if TYPE_CHECKING:
    from tinsmith.core.ticket import Ticket
    from tinsmith.io.connection import Connection
    from tinsmith.io.future import APIFuture
    from tinsmith.io.http.messages import Body
    from tinsmith.io.limits import ByteBudget
    from tinsmith.io.settings import ServerSettings

WORKER_ABOVE_BYTES = 64 * 1024
"""Bodies above this size are built in a worker thread; a smaller one costs less than the way there."""


class _Withdrawn(TinkerError):  # noqa: N818  # an event, not something that users see
    """The owner cancelled the call before anything of it was sent."""


class TrainingQueue:
    """The line of one model, from the call that makes the model: calls wait in it until the server has it."""

    def __init__(
        self,
        connection: Connection,
        settings: ServerSettings,
        budget: ByteBudget,
        creation: APIFuture[Any],
    ) -> None:
        self.connection = connection
        """Sends the requests and asks for their results."""
        self.settings = settings
        """What the server said of itself."""
        self._budget = budget
        self._creation = ref(creation)  # weakly: the user's client, which may be dropped
        """The future of the model's client."""
        self.model_id: str | None = None
        """The model whose requests stand in this line; None until the server made it."""
        self.last_checkpoint: str | None = None
        """The newest checkpoint saved or loaded through this line, for the error that asks for one."""
        self.claims = Claims()
        """Whose the promises of this model are."""
        self._standing = PendingJobs(connection.config.optim_after)
        self._gradients: dict[Job[Any], None] = {}  # sent since the last step, without those that went well
        self._consumer: asyncio.Task[None] | None = None
        self.last_step: int | None = None
        """The number of the newest optim_step that was accepted."""
        self._is_open = False
        self._admitted: Job[Any] | None = None
        self._ended: TinkerError | None = None

    @property
    def bound_id(self) -> str:
        """The model's name, for the bytes of a request whose turn has come."""
        assert self.model_id is not None, "nothing is sent before the model is there"
        return self.model_id

    # From any thread.

    def enter(self, *calls: Job[Any]) -> None:
        """Give calls their places in line, side by side; the order of entry is the order of training."""
        runtime = self.connection.runtime
        runtime.check()
        refused: TinkerError | None
        with self._standing.guard:
            refused = self._standing.line.refusal() if self._standing.line.poison else None
            if refused is None and self.connection.closing is not None:
                refused = self.connection.closing.again("no").adding(model_id=self.model_id)
            if self._ended is not None:
                refused = ending(self._ended, None).adding(model_id=self.model_id)
            for call in calls if not self._is_open else ():
                call.future.origin = self._creation()
            for call in calls:
                call.future.operation, call.future.line = call.operation, self
            for call in calls if refused is None else ():
                if call.kind is Kind.STEP:
                    call.known = [failed for failed in self._standing.failed if failed.future.delivered]
                self._standing.take(call)
                call.future.on_cancel(partial(runtime.call_soon, self._withdraw, call))
                runtime.call_soon(self._entered, call)
        if refused is not None:
            for call in calls:
                call.future.fail(refused)

    def unfinished(self) -> tuple[int, int]:
        """Count (requests not sent, requests sent and not acknowledged)."""
        parts = [part for call, part in self._standing.all() if not call.future.cancelled()]
        phases = [part.place.phase for part in parts if part.place is not None and not part.settled]
        unsent = sum(phase in (Phase.WAITING, Phase.DRAWN) for phase in phases)
        return unsent, sum(phase is Phase.SENT for phase in phases)

    def futures(self) -> list[APIFuture[Any]]:
        """Return the future of each call that has no outcome."""
        return [call.future for call in dict.fromkeys(call for call, _ in self._standing.all())]

    @property
    def accepted(self) -> int:
        """How many requests were accepted and wait for their results."""
        return len(self._standing.in_flight)

    @property
    def awaits_results(self) -> bool:
        """Whether an accepted request still waits for its result."""
        return bool(self._standing.in_flight)

    @property
    def trouble(self) -> str | None:
        """Why nothing is sent any more, for a repr; None while things are."""
        cause = self._standing.line.poison
        return None if cause is None else f"stopped after {type(cause).__name__}: {cause.message}"

    # On the loop.

    def standing(self) -> tuple[int, str | None]:
        """Return the highest number that was sent, and the last checkpoint saved or loaded."""
        return self._standing.line.highest_sent, self.last_checkpoint

    def named(self, model_id: str) -> None:
        """Note the model that the server made; calls go on waiting until `open`."""
        self.model_id = model_id

    def admit(self, call: Job[Any]) -> None:
        """Send a call before all that waits, and only it: the load that belongs to the creation."""
        with self._standing.guard:
            self._standing.take(call, ahead=True)
        self._admitted = call
        self._entered(call)

    def open(self) -> None:
        """Let the calls go that were made since the creation was asked for."""
        self._is_open = True
        self._standing.changed.set()

    def end(self, error: TinkerError) -> None:
        """Fail everything that waits or is in flight, and every later call."""
        with self._standing.guard:
            self._ended = self._ended or error
        if self._consumer is not None:
            self._consumer.cancel()
        standing = self._standing.all()
        unsent = [(call, part) for call, part in standing if ending(error, part.place).applied == "no"]
        for call, part in [*unsent, *standing]:
            self._standing.settle(call, part, error=self._ending(error, part))
        for call in list(self._standing.in_flight):
            call.future.fail(self._ending(error, call.parts[0]))

    def _ending(self, error: TinkerError, part: Chunk) -> TinkerError:
        own = ending(error, part.place)
        return own.adding(request_id=part.request_id, model_id=self.model_id, seq_id=part.seq_id)

    def _entered(self, call: Job[Any]) -> None:
        self.connection.observers.entered()
        call.future.add_done_callback(lambda _: self.connection.runtime.call_soon(self._left, call))
        if self._consumer is None or self._consumer.done():
            self._consumer = self.connection.runtime.task(self._serve())
        self._standing.changed.set()

    def _left(self, call: Job[Any]) -> None:
        error = CancelledError() if call.future.cancelled() else call.future.outcome_error()
        self.connection.observers.ended(error, started=call.future.seq_id is not None)

    def _withdraw(self, call: Job[Any]) -> None:
        """Take a cancelled call out of the line, unless a part of it was sent; nobody behind it fails."""
        place = call.parts[0].place
        assert place is not None
        with self._standing.guard:
            gone = not call.parts[0].settled and self._standing.line.cancelled(place.call)
        if gone:
            for part in call.parts:
                self._standing.settle(
                    call, part, error=_Withdrawn("cancelled before it was sent", applied="no")
                )

    async def _serve(self) -> None:
        """Serve the head of the line, for ever; whatever happens in a turn, the next one comes."""
        while True:
            head = self._standing.head()
            if head is None or not (self._is_open or head[0] is self._admitted):
                self._standing.changed.clear()
                await self._standing.changed.wait()
                continue
            await self._serve_head(*head)

    async def _serve_head(self, call: Job[Any], part: Chunk, place: Ticket) -> None:
        """Serve one part; while the line is empty, nothing here holds on to the call before."""
        try:
            if place.chunk == 0 and self._recut(call):
                return
            await self._turn(call, part, place)
        except asyncio.CancelledError as error:
            ended = self._ended or ClosedError("the client was closed")
            task = asyncio.current_task()
            if self._ended is None and task is not None and not task.cancelling():
                self._reject(call, part, place, unexpected(error, place))  # of something awaited here
                return
            self._reject(call, part, place, ending(ended, place))
            raise
        except _Withdrawn:
            self._withdraw(call)
        except TinkerError as error:
            self._reject(call, part, place, error)
        except Exception as error:  # noqa: BLE001  # the turn is released whatever happened
            self._reject(call, part, place, unexpected(error, place))

    def _recut(self, call: Job[Any]) -> bool:
        """Cut a call anew if it was made before the server told its limits; its places move with it."""
        parts = None if call.replan is None else call.replan()
        if parts is None:
            return False
        self._standing.retake(call, parts)
        return True

    async def _turn(self, call: Job[Any], part: Chunk, place: Ticket) -> None:
        """Send one part; its result is waited for outside of the turn."""
        if place.chunk == 0:
            await self._prepare(call)
        part.idempotency_key = new_idempotency_key()
        with self._standing.guard:
            if place.phase is not Phase.WAITING:
                return  # withdrawn while it was prepared
            part.seq_id = self._standing.line.draw(place)
        accepted = await self._send(call, part, place)
        if accepted is None:  # the server wanted the next number, which cannot happen to that one
            accepted = await self._send(call, part, place)
        assert accepted is not None
        self._accept(call, part, place, accepted)

    async def _send(self, call: Job[Any], part: Chunk, place: Ticket) -> Accepted | None:
        """Build the bytes for the drawn number and have them accepted, within the byte budget."""
        async with self._budget.room(part.estimate_bytes):
            body = await self._build(part)
            if call.future.seq_id is None:
                call.future.seq_id = part.seq_id
                self.connection.observers.started()
            return await self._offer(call, part, place, body)

    async def _prepare(self, call: Job[Any]) -> None:
        """Do what must be done before the first number of a call is drawn."""
        if call.kind is Kind.STEP:
            call.before = list(self._gradients)
            for gradient in call.before:
                if self.connection.config.optim_after == "results" or gradient.has_failed_part:
                    await gradient.finished.wait()
            self._refuse_unseen(call)
        if call.protobuf_target is not None:
            await self.settings.choose(sum(part.estimate_bytes for part in call.parts))
        if call.prepare is not None:
            await call.prepare()

    def _refuse_unseen(self, step: Job[Any]) -> None:
        """Keep back an optim_step called before its caller looked at a gradient that failed."""
        with self._standing.guard:
            failed, self._standing.failed = self._standing.failed, []
        unseen = [call for call in failed if call not in step.known]
        if not unseen:
            return
        cause = unseen[0].failure()
        assert cause is not None
        raise PartialBatchError(
            f"the optim_step was not sent: a forward_backward before it failed ({cause.message})",
            applied="no",
        ) from cause

    async def _build(self, part: Chunk) -> Body:
        assert part.seq_id is not None
        if part.estimate_bytes > WORKER_ABOVE_BYTES:
            return await self.connection.runtime.in_worker(part.build, part.seq_id)
        return part.build(part.seq_id)

    async def _offer(self, call: Job[Any], part: Chunk, place: Ticket, body: Body) -> Accepted | None:
        """Send the bytes; None when the server wants the next number instead."""
        if place.chunk == 0 and call.future.cancelled():
            raise _Withdrawn("cancelled before it was sent", applied="no")
        submission = self.submission(call, part, body)
        with self._standing.guard:
            self._standing.line.sent(place)
        answered = await submit(self.connection.sender, submission)
        part.checksum = checksum(body)
        if isinstance(answered, Accepted):
            return answered
        part.attempts = answered.attempts
        reused, (highest_sent, checkpoint) = place.reused, self.standing()
        found = conflict(submission, answered, reused=reused, highest_sent=highest_sent)
        with self._standing.guard:
            if leaves_doubt(answered):
                self._standing.line.unsure(place)
            counted = found is not None and found.kind == "next number"
            number = self._standing.line.redraw(place) if counted else None
        if number is not None:
            part.seq_id = number
            part.idempotency_key = new_idempotency_key()
            return None
        if found is not None and found.applied == "yes":
            self._accept_without_result(call, part, place)
        raise refusal(
            self.connection.sender,
            submission,
            answered,
            checkpoint=checkpoint,
            reused=reused,
            highest_sent=highest_sent,
        )

    def submission(self, call: Job[Any], part: Chunk, body: Body) -> Submission:
        """Describe a part as it is sent, the first time and any other."""
        return Submission(
            call.operation,
            call.target_of(body),
            body,
            part.idempotency_key,
            self.connection.server.lane_of_changes(),
            retry=call.retry,
            model_id=self.model_id,
            seq_id=part.seq_id,
            claims=self.claims,
        )

    def _accept(self, call: Job[Any], part: Chunk, place: Ticket, accepted: Accepted) -> None:
        part.request_id, part.attempts = accepted.request_id, accepted.attempts
        call.future.request_ids.append(accepted.request_id)
        self._leave_line(call, place)
        self.connection.runtime.task(self._result(call, part, accepted))

    def _accept_without_result(self, call: Job[Any], part: Chunk, place: Ticket) -> None:
        """Count a request that the server has, but whose promise nobody knows."""
        self._leave_line(call, place)

    def _leave_line(self, call: Job[Any], place: Ticket) -> None:
        with self._standing.guard:
            settlement = self._standing.line.accepted(place)
        self._standing.in_flight.add(call)
        if call.kind is Kind.GRADIENT:
            self._gradients[call] = None
        if call.kind is Kind.STEP:
            self.last_step = place.seq_id
            self._gradients.clear()
        self._standing.apply(settlement.failed)

    async def _result(self, call: Job[Any], part: Chunk, accepted: Accepted) -> None:
        """Wait for the promise of a part, and for a step also for the gradients that it stepped on."""
        try:
            value = await await_result(self, call, part, accepted)
        except asyncio.CancelledError:
            ended = self._ended or ClosedError("the client was closed")
            self._standing.settle(call, part, error=self._ending(ended, part))
            raise
        except TinkerError as error:
            outcome: tuple[Any, TinkerError | None] = (None, error)
        except Exception as error:  # noqa: BLE001  # a result that cannot be read is still an outcome
            outcome = (None, unexpected(error, part.place))
        else:
            outcome = (value, None)
        for gradient in call.before:
            await gradient.finished.wait()
        self._standing.settle(call, part, *outcome)
        if call.finished.is_set() and call.failure() is None:
            self._gradients.pop(call, None)

    def _reject(self, call: Job[Any], part: Chunk, place: Ticket, error: TinkerError) -> None:
        """Release the turn of a part that was not accepted, and fail what stands behind it."""
        error.adding(model_id=self.model_id, seq_id=part.seq_id)
        with self._standing.guard:
            left = place.phase in (Phase.ACCEPTED, Phase.DONE, Phase.FAILED)
            fallout = [] if left else self._standing.line.rejected(place, error).failed
        self._standing.settle(call, part, error=error)
        self._standing.apply(fallout)
