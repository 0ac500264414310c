"""The order of training requests on one model, as a state machine. Pure: no waiting, no clock, no sending.

A request gets its ticket when it is called, draws its number when its turn comes, and leaves the queue when
its submission is settled. One request is at the head at any time; only the head may send. It owns the rule of
numbers: a number is given back only if the server provably did not take it and it was never sent with an
unknown outcome. Not thread-safe: the caller holds one lock around every method.
"""

from __future__ import annotations

from collections import deque
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

import attrs

from tinsmith.core.config import OptimAfter
from tinsmith.core.errors import ClientPoisonedError, PartialBatchError, TinkerError

if TYPE_CHECKING:
    from collections.abc import Callable


class Effect(StrEnum):
    """What a request does to the gradient on the server."""

    GRADIENT = "gradient"
    """forward_backward: adds to it."""
    STEP = "step"
    """optim_step: uses it up."""
    OTHER = "other"
    """forward, save, load: leaves it alone."""


class Phase(StrEnum):
    """How far a request has come."""

    WAITING = "waiting"
    """Queued; has no number."""
    DRAWN = "drawn"
    """At the head, with a number; nothing was sent."""
    SENT = "sent"
    """At the head; bytes may have left."""
    ACCEPTED = "accepted"
    """The server gave a promise; out of the queue."""
    DONE = "done"
    """The result is in."""
    FAILED = "failed"
    """Ended without a result."""


@attrs.define(eq=False, repr=False)
class QueuedCall:
    """One call of the user: one request, or the chunks of a batch."""

    effect: Effect
    """What it does to the gradient."""
    tickets: list[Ticket] = attrs.field(factory=list)
    """Its requests, in order."""
    applied: set[int] = attrs.field(factory=set)
    """Chunks that the server took and did not fail."""


@attrs.define(eq=False)
class Ticket:
    """One request in the queue, and what became of it. Only `RequestOrder` changes it."""

    call: QueuedCall = attrs.field(repr=False)
    """The call it belongs to."""
    chunk: int
    """Position in the call, from 0."""
    phase: Phase = Phase.WAITING
    """How far it has come."""
    seq_id: int | None = None
    """The number that it holds; None before it drew one, and after it gave it back."""
    reused: bool = False
    """Whether the number was sent before, refused, and given back."""
    unknown: bool = False
    """Whether the number was ever sent with an unknown outcome."""
    step: Ticket | None = attrs.field(default=None, repr=False)
    """Of a gradient: the step that used it up; None while no such step is accepted."""
    gradients: set[Ticket] = attrs.field(factory=set, repr=False)
    """Of a step: the gradients it used whose results are not in."""
    lost: Failure | None = attrs.field(default=None, repr=False)
    """A gradient that it builds on and that failed after this request had drawn its number; None for none."""

    @property
    def effect(self) -> Effect:
        """What the request does to the gradient."""
        return self.call.effect


@attrs.frozen
class Failure:
    """A request that ends with an error."""

    ticket: Ticket
    """The request."""
    error: TinkerError
    """What its future gets."""


@attrs.frozen
class Settlement:
    """What follows from an event."""

    ready: list[Ticket] = attrs.field(factory=list)
    """Requests whose results may be handed out now."""
    failed: list[Failure] = attrs.field(factory=list)
    """Requests that end with an error, the one that the event was about first."""


@attrs.define
class RequestOrder:
    """The queue of one model, and the numbers of its requests."""

    optim_after: OptimAfter = "accepted"
    """When a step may go out."""
    next_id: int = 1
    """Number that the next draw takes; the API counts from 1."""
    closed_by: TinkerError | None = None
    """The unknown outcome after which nothing is sent any more; None while the queue is open."""
    highest_sent: int = 0
    """The highest number under which bytes may have left."""
    _queue: deque[Ticket] = attrs.field(factory=deque)
    _batch: set[Ticket] = attrs.field(factory=set)
    """Gradients accepted since the last accepted step whose results are not in."""
    _given_back: bool = False

    def take(self, effect: Effect, chunks: int = 1, *, ahead: bool = False) -> list[Ticket]:
        """Queue one call behind everything called before, and return its tickets; an error once closed.

        With `ahead` they are before everything that waits: for what belongs to the creation of the model,
        while nothing has begun.
        """
        refusal = self.refusal
        if refusal is not None:
            raise refusal
        call = QueuedCall(effect)
        call.tickets.extend(Ticket(call, chunk) for chunk in range(chunks))
        if ahead:
            assert all(ticket.phase is Phase.WAITING for ticket in self._queue), "something has begun"
            self._queue.extendleft(reversed(call.tickets))
        else:
            self._queue.extend(call.tickets)
        return call.tickets

    def split(self, call: QueuedCall, chunks: int) -> list[Ticket]:
        """Give a call of which nothing has begun another number of tickets, where it is queued."""
        assert all(ticket.phase is Phase.WAITING for ticket in call.tickets), "something of it has begun"
        at = self._queue.index(call.tickets[0])
        self._queue.rotate(-at)
        for _ in call.tickets:
            self._queue.popleft()
        call.tickets[:] = [Ticket(call, chunk) for chunk in range(chunks)]
        self._queue.extendleft(reversed(call.tickets))
        self._queue.rotate(at)
        return call.tickets

    @property
    def refusal(self) -> ClientPoisonedError | None:
        """The error for what comes after the queue was closed; None while it is open."""
        return None if self.closed_by is None else _closed(self.closed_by)

    @property
    def waiting(self) -> int:
        """Requests in the queue, the head included."""
        return len(self._queue)

    @property
    def head(self) -> Ticket | None:
        """The request whose turn it is; None if there is none, or if a step must wait for results."""
        if not self._queue:
            return None
        head = self._queue[0]
        held = self.optim_after == "results" and head.effect is Effect.STEP and head.phase is Phase.WAITING
        return None if held and self._batch else head

    def draw(self, ticket: Ticket) -> int:
        """Give the head its number."""
        assert ticket is self.head, "only the head draws"
        assert ticket.phase is Phase.WAITING, "a number is drawn once"
        reused, self._given_back = self._given_back, False
        return self._number(ticket, reused=reused)

    def _number(self, ticket: Ticket, *, reused: bool) -> int:
        number = self.next_id
        self.next_id += 1
        ticket.seq_id, ticket.reused, ticket.phase = number, reused, Phase.DRAWN
        return number

    def sent(self, ticket: Ticket) -> None:
        """Record that bytes are about to be sent."""
        assert ticket.phase in (Phase.DRAWN, Phase.SENT), "only a drawn request is sent"
        ticket.phase = Phase.SENT
        self.highest_sent = max(self.highest_sent, self.next_id - 1)  # the head holds the last number drawn

    def unsure(self, ticket: Ticket) -> None:
        """Record that an attempt ended with an unknown outcome; from now on the number is used up."""
        ticket.unknown = True

    def redraw(self, ticket: Ticket) -> int | None:
        """Take the next number after a 409 on the first re-use of one given back; None if it is not that.

        The server had counted the request that gave the number back. That is the one 409 to go on after.
        """
        if not ticket.reused or ticket.unknown or ticket.phase is not Phase.SENT:
            return None
        return self._number(ticket, reused=False)

    def accepted(self, ticket: Ticket) -> Settlement:
        """Let the head go: the server gave a promise."""
        self._leave(ticket, Phase.ACCEPTED)
        ticket.call.applied.add(ticket.chunk)
        if ticket.effect is Effect.STEP:
            ticket.gradients, self._batch = self._batch, set()
            for gradient in ticket.gradients:
                gradient.step = ticket
        elif ticket.effect is Effect.GRADIENT:
            self._batch.add(ticket)
        return Settlement() if ticket.lost is None else self._accepted_on(ticket, ticket.lost)

    def _accepted_on(self, ticket: Ticket, lost: Failure) -> Settlement:
        """Settle a request that was under way when one it builds on failed; a step awaits its own result."""
        if ticket.effect is Effect.STEP:
            return self.close(_stepped(lost))
        partial = _partial(lost, "another chunk was applied", "unknown")
        ticket.phase = Phase.FAILED
        self._batch.discard(ticket)
        return Settlement(failed=[Failure(ticket, partial), *self.close(partial).failed])

    def rejected(self, ticket: Ticket, error: TinkerError) -> Settlement:
        """Settle a failed submission: free the turn, keep or give back the number, fail what waits behind.

        The error's `applied` decides: "no" gives the number back, unless it was ever sent with an unknown
        outcome; anything else closes the queue. A call whose other chunks were accepted is a partial batch.
        """
        if ticket.phase is Phase.FAILED:
            return Settlement()
        provably_not = error.applied == "no" and not ticket.unknown
        if provably_not:
            self._give_back(ticket)
        self._leave(ticket, Phase.FAILED)
        failure = Failure(ticket, error)
        if not provably_not:
            return Settlement(failed=[failure, *self.close(error).failed])
        if ticket.effect is Effect.GRADIENT and ticket.call.applied:
            return self._close_partial(failure)
        behind = self._fail_waiting(lambda other: _late(other, failure))
        return Settlement(failed=[failure, *behind])

    def _close_partial(self, failure: Failure) -> Settlement:
        partial = _partial(failure, "other chunks of the same call were applied", "unknown")
        return Settlement(failed=[Failure(failure.ticket, partial), *self.close(partial).failed])

    def _give_back(self, ticket: Ticket) -> None:
        if ticket.seq_id is None:
            return
        assert ticket.seq_id == self.next_id - 1, "one number is out at a time"
        self.next_id -= 1
        self._given_back = ticket.reused or ticket.phase is Phase.SENT
        ticket.seq_id = None

    def cancelled(self, call: QueuedCall) -> bool:
        """Take a call out of the queue, as its owner wishes; False if it is too late for that.

        Before sending nothing is lost: the number goes back. Once a chunk was sent, the call goes on without
        its owner, since half a batch would be worse; the others are not touched.
        """
        if any(ticket.phase not in (Phase.WAITING, Phase.DRAWN) for ticket in call.tickets):
            return False
        for ticket in call.tickets:
            self._give_back(ticket)
            self._leave(ticket, Phase.FAILED)
        return True

    def finished(self, ticket: Ticket, error: TinkerError | None = None) -> Settlement:
        """Settle a promise; says which results may be handed out now, and which futures fail.

        A step's result is held back until the gradients before it are settled. When one of them fails, a
        waiting step is not sent; one that was accepted runs on part of its batch: the queue is closed, and
        the step fails with `applied="yes"` once its own result says that it ran. A call of which other chunks
        were applied closes the queue too.
        """
        self._batch.discard(ticket)
        if ticket.phase is Phase.FAILED:
            return Settlement()
        if error is not None:
            return self._promise_failed(Failure(ticket, error))
        if ticket.effect is Effect.STEP and ticket.lost is not None:
            ticket.phase = Phase.FAILED
            return Settlement(failed=[Failure(ticket, _stepped(ticket.lost))])
        ticket.phase = Phase.DONE
        step = ticket.step
        if step is not None:
            step.gradients.discard(ticket)
            if step.phase is Phase.DONE and not step.gradients:
                return Settlement(ready=[ticket, step])
        return Settlement(ready=[] if ticket.gradients else [ticket])

    def _promise_failed(self, failure: Failure) -> Settlement:
        ticket = failure.ticket
        ticket.phase = Phase.FAILED
        ticket.call.applied.discard(ticket.chunk)
        if ticket.effect is not Effect.GRADIENT:
            return Settlement(failed=[failure])
        if ticket.step is not None:
            return self._step_was_wrong(failure, ticket.step)
        head = self._queue[0] if self._queue else None
        if head is not None and head.phase is not Phase.WAITING and _builds_on(head, ticket):
            head.lost = failure
        if ticket.call.applied:
            return self._close_partial(failure)
        return Settlement(failed=[failure, *self._fail_steps_on(failure)])

    def _step_was_wrong(self, failure: Failure, step: Ticket) -> Settlement:
        own = failure
        if failure.ticket.call.applied:
            why = "other chunks of the same call were applied"
            own = Failure(failure.ticket, _partial(failure, why, "unknown"))
        step.lost = step.lost or failure
        failed, partial = [own], _stepped(step.lost)
        if step.phase is Phase.DONE:
            step.phase = Phase.FAILED
            failed.append(Failure(step, partial))
        return Settlement(failed=failed + self.close(partial).failed)

    def close(self, error: TinkerError) -> Settlement:
        """Refuse everything after an unknown outcome, and fail what waits. What is under way goes on."""
        cause = self.closed_by = self.closed_by or error
        return Settlement(failed=self._fail_waiting(lambda _: _closed(cause)))

    def _leave(self, ticket: Ticket, phase: Phase) -> None:
        if self._queue and self._queue[0] is ticket:
            self._queue.popleft()
        else:
            self._queue.remove(ticket)
        ticket.phase = phase

    def _fail_waiting(self, error_for: Callable[[Ticket], TinkerError | None]) -> list[Failure]:
        """Fail the waiting requests for which there is an error; a head that is past waiting stays."""
        failed: list[Failure] = []
        stay: deque[Ticket] = deque()
        for ticket in self._queue:
            error = error_for(ticket) if ticket.phase is Phase.WAITING else None
            if error is None:
                stay.append(ticket)
            else:
                ticket.phase = Phase.FAILED
                failed.append(Failure(ticket, error))
        self._queue = stay
        return failed

    def _fail_steps_on(self, lost: Failure) -> list[Failure]:
        """Fail the rest of a lost call, and the first waiting step with all behind it.

        They were called on a gradient that is not there.
        """
        past_step = False

        def error_for(ticket: Ticket) -> TinkerError | None:
            nonlocal past_step
            past_step = past_step or ticket.effect is Effect.STEP
            return _late(ticket, lost) if past_step or ticket.call is lost.ticket.call else None

        return self._fail_waiting(error_for)


def _closed(cause: TinkerError) -> ClientPoisonedError:
    """Build the error of a request that comes after an unknown outcome."""
    error = ClientPoisonedError(
        f"an earlier request left the model in an unknown state ({type(cause).__name__}:"
        f" {cause.message}); load a checkpoint into a new client",
        model_id=cause.model_id,
        applied="no",
    )
    error.__cause__ = cause
    return error


def _builds_on(later: Ticket, lost: Ticket) -> bool:
    return later.effect is Effect.STEP or later.call is lost.call


def _late(behind: Ticket, failure: Failure) -> TinkerError:
    """Build the error of a request that was not sent because of one before it."""
    failed, error = failure.ticket, failure.error
    if behind.call is failed.call:
        return error
    what = f"not sent, since a request before it failed ({type(error).__name__}: {error.message})"
    late: TinkerError
    if behind.effect is Effect.STEP and failed.effect is Effect.GRADIENT:
        late = PartialBatchError(what, chunks_failed=(failed.chunk,), applied="no")
    else:
        late = TinkerError(what, applied="no")
    late.__cause__ = error
    return late


def _stepped(lost: Failure) -> PartialBatchError:
    """Build the error of a step that was applied without one of its gradients."""
    return _partial(lost, "the optim_step behind it was applied", "yes")


def _partial(failure: Failure, why: str, applied: Literal["yes", "unknown"]) -> PartialBatchError:
    """Build the error of a batch of which only a part is on the server."""
    call, error = failure.ticket.call, failure.error
    done = tuple(sorted(call.applied))
    chunks = len(call.tickets)
    partial = PartialBatchError(
        f"chunk {failure.ticket.chunk + 1} of {chunks} failed, but {why}: {error.message}",
        chunks_applied=done,
        chunks_failed=tuple(i for i in range(chunks) if i not in done),
        model_id=error.model_id,
        request_id=error.request_id,
        applied=applied,
    )
    partial.__cause__ = error
    return partial
