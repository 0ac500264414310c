"""The order of training requests on one model, as a state machine. Pure: no waiting, no clock, no sending.

A request gets its ticket when it is called, draws its number when its turn comes, and leaves the queue when
its submission is settled. One request is at the head at any time; only the head draws and begins to send.
Behind a chunk that was sent, the next chunk of the same call may have the turn before that one is accepted,
where the server orders by number. No call overtakes another.

It owns the rule of numbers: a number is given back only if the server provably did not take it, it was never
sent with an unknown outcome, and nothing was sent under a higher one. A refused number below others is never
used again: the queue is closed. Not thread-safe: the caller holds one lock around every method.
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
    """At the head, with a number; nothing was sent. At most one request is."""
    SENT = "sent"
    """Bytes may have left. At the head, or the next chunk of the same call has the turn already."""
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
    one_by_one: int = 1
    """How many of its first chunks keep the turn until they are accepted; those behind them are sent without
    waiting for each other."""


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

    def take(self, effect: Effect, *, ahead: bool = False) -> Ticket:
        """Queue one call behind everything called before, and return its ticket; an error once closed.

        With `ahead` it is before everything that waits: for what belongs to the creation of the model, while
        nothing has begun.
        """
        refusal = self.refusal
        if refusal is not None:
            raise refusal
        ticket = Ticket(QueuedCall(effect), 0)
        ticket.call.tickets.append(ticket)
        if ahead:
            assert all(waiting.phase is Phase.WAITING for waiting in self._queue), "something has begun"
            self._queue.appendleft(ticket)
        else:
            self._queue.append(ticket)
        return ticket

    def split(self, ticket: Ticket, chunks: int, *, one_by_one: int | None = None) -> list[Ticket]:
        """Replace the one ticket of a call, of which nothing has begun, by one for each chunk of it.

        The first `one_by_one` chunks keep the turn until they are accepted; None for all of them.
        """
        assert ticket.phase is Phase.WAITING, "something of it has begun"
        call, at = ticket.call, self._queue.index(ticket)
        call.one_by_one = chunks if one_by_one is None else one_by_one
        call.tickets = [Ticket(call, chunk) for chunk in range(chunks)]
        del self._queue[at]
        self._queue.rotate(-at)
        self._queue.extendleft(reversed(call.tickets))
        self._queue.rotate(at)
        return call.tickets

    @property
    def refusal(self) -> ClientPoisonedError | None:
        """The error for what comes after the queue was closed; None while it is open."""
        return None if self.closed_by is None else _closed(self.closed_by)

    @property
    def head(self) -> Ticket | None:
        """The request whose turn it is; None if there is none, or if it must wait for others.

        A step waits for results, if it is to, and each call for the acceptance of all that was called before.
        """
        for ticket in self._queue:
            if ticket.call is not self._queue[0].call:
                return None
            if ticket.phase is not Phase.SENT or self._keeps_the_turn(ticket):
                held = ticket.effect is Effect.STEP and ticket.phase is Phase.WAITING and self._batch
                return None if held and self.optim_after == "results" else ticket
        return None

    @staticmethod
    def _keeps_the_turn(ticket: Ticket) -> bool:
        """Whether what was sent must be accepted before the next chunk; a reused number may still change."""
        return ticket.reused or ticket.chunk < ticket.call.one_by_one

    def draw(self, ticket: Ticket) -> int:
        """Give the head its number."""
        assert ticket is self.head, "only the head draws"
        assert ticket.phase is Phase.WAITING, "a number is drawn once"
        return self._number(ticket)

    def _number(self, ticket: Ticket) -> int:
        number = self.next_id
        self.next_id += 1
        ticket.seq_id, ticket.reused, ticket.phase = number, number <= self.highest_sent, Phase.DRAWN
        return number

    def sent(self, ticket: Ticket) -> None:
        """Record that bytes are about to be sent."""
        assert ticket.phase in (Phase.DRAWN, Phase.SENT), "only a drawn request is sent"
        assert ticket.seq_id is not None, "it was drawn"
        ticket.phase = Phase.SENT
        self.highest_sent = max(self.highest_sent, ticket.seq_id)

    def unsure(self, ticket: Ticket) -> None:
        """Record that an attempt ended with an unknown outcome; from now on the number is used up."""
        ticket.unknown = True

    def redraw(self, ticket: Ticket) -> int | None:
        """Take the next number after a 409 on the first re-use of one given back; None if it is not that.

        The server had counted the request that gave the number back. That is the one 409 to go on after.
        """
        if not ticket.reused or ticket.unknown or ticket.phase is not Phase.SENT:
            return None
        return self._number(ticket)

    def accepted(self, ticket: Ticket) -> list[Failure]:
        """Let a request go, since the server gave a promise; return which futures fail."""
        if ticket.phase is Phase.FAILED:
            return []
        self._leave(ticket, Phase.ACCEPTED)
        ticket.call.applied.add(ticket.chunk)
        if ticket.effect is Effect.STEP:
            for gradient in self._batch:
                gradient.step = ticket
            self._batch = set()
        elif ticket.effect is Effect.GRADIENT:
            self._batch.add(ticket)
        return [] if ticket.lost is None else self._accepted_on(ticket, ticket.lost)

    def _accepted_on(self, ticket: Ticket, lost: Failure) -> list[Failure]:
        """Settle a request that was under way when one it builds on failed; a step awaits its own result."""
        if ticket.effect is Effect.STEP:
            return self.close(_stepped(lost))
        partial = _partial(lost, "another chunk was applied", "unknown")
        ticket.phase = Phase.FAILED
        self._batch.discard(ticket)
        return [Failure(ticket, partial), *self.close(partial)]

    def rejected(self, ticket: Ticket, error: TinkerError) -> list[Failure]:
        """Settle a failed submission: free the turn, keep or give back the number, fail what waits behind.

        The error's `applied` decides: "no" gives the number back, unless it was ever sent with an unknown
        outcome, or a higher number was sent; anything else closes the queue. A call whose other chunks were
        accepted is a partial batch. Return which futures fail, this one first; none where the request has
        left the queue already.
        """
        if ticket.phase in (Phase.ACCEPTED, Phase.DONE, Phase.FAILED):
            return []
        failure = Failure(ticket, error)
        unsent = self._take_back_unsent(failure)
        provably_not = error.applied == "no" and not ticket.unknown
        is_last = ticket.seq_id is None or ticket.seq_id == self.next_id - 1
        if provably_not and is_last:
            self._give_back(ticket)
        self._leave(ticket, Phase.FAILED)
        if not is_last:
            behind = self._give_up_behind(failure)
            cause = _gap(failure) if provably_not else error
            return [failure, *behind, *unsent, *self.close(cause)]
        if not provably_not:
            return [failure, *unsent, *self.close(error)]
        return [*self._refused(failure), *unsent]

    def _refused(self, failure: Failure) -> list[Failure]:
        """Settle a request that the server did not take, and behind which nothing was sent."""
        ticket = failure.ticket
        if ticket.effect is Effect.GRADIENT:
            if ticket.call.applied:
                partial = _beside_applied(failure)
                return [partial, *self.close(partial.error)]
            for before in self._under_way(ticket.call):
                before.lost = failure
        return [failure, *self._fail_waiting(lambda other: _late(other, failure))]

    def _under_way(self, call: QueuedCall) -> list[Ticket]:
        """Return the requests of a call that have the turn or were sent, and are not accepted."""
        return [ticket for ticket in call.tickets if ticket.phase in (Phase.DRAWN, Phase.SENT)]

    def _take_back_unsent(self, failure: Failure) -> list[Failure]:
        """Fail the chunk of the same call that has the next number and was not sent."""
        for other in self._under_way(failure.ticket.call):
            if other.phase is Phase.DRAWN and other is not failure.ticket:
                self._give_back(other)
                self._leave(other, Phase.FAILED)
                return [Failure(other, failure.error)]
        return []

    def _give_up_behind(self, failure: Failure) -> list[Failure]:
        """Fail the chunks that were sent under higher numbers: the server keeps them until this one comes."""
        ticket, call = failure.ticket, failure.ticket.call
        sent = (Phase.SENT, Phase.ACCEPTED)
        behind = [other for other in call.tickets if other.chunk > ticket.chunk and other.phase in sent]
        for other in behind:
            if other.phase is Phase.SENT:
                self._leave(other, Phase.FAILED)
            other.phase = Phase.FAILED
            call.applied.discard(other.chunk)
            self._batch.discard(other)
        return [Failure(other, _behind_a_gap(failure)) for other in behind]

    def _give_back(self, ticket: Ticket) -> None:
        if ticket.seq_id is None:
            return
        assert ticket.seq_id == self.next_id - 1, "a higher number is out"
        self.next_id -= 1
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

    def finished(self, ticket: Ticket, error: TinkerError | None = None) -> list[Failure]:
        """Settle a promise, that of a step after those of its gradients; return which futures fail.

        When a gradient fails, a waiting step is not sent; one that was accepted runs on part of its batch:
        the queue is closed, and the step fails with `applied="yes"` once its own result says that it ran. A
        call of which other chunks were applied closes the queue too.
        """
        self._batch.discard(ticket)
        if error is not None:
            return self._promise_failed(Failure(ticket, error))
        if ticket.lost is not None:  # only a step is accepted on a lost gradient and not failed there
            ticket.phase = Phase.FAILED
            return [Failure(ticket, _stepped(ticket.lost))]
        ticket.phase = Phase.DONE
        return []

    def _promise_failed(self, failure: Failure) -> list[Failure]:
        ticket = failure.ticket
        ticket.phase = Phase.FAILED
        ticket.call.applied.discard(ticket.chunk)
        if ticket.effect is not Effect.GRADIENT:
            return [failure]
        own = _beside_applied(failure) if ticket.call.applied else failure
        if ticket.step is not None:
            ticket.step.lost = ticket.step.lost or failure
            return [own, *self.close(_stepped(ticket.step.lost))]
        for other in self._queue:
            if other.phase is Phase.WAITING:
                break
            if other.effect is Effect.STEP or other.call is ticket.call:
                other.lost = failure
        if ticket.call.applied:
            return [own, *self.close(own.error)]
        return [failure, *self._fail_steps_on(failure)]

    def close(self, error: TinkerError) -> list[Failure]:
        """Refuse everything after an unknown outcome, and fail what waits. What is under way goes on."""
        cause = self.closed_by = self.closed_by or error
        return self._fail_waiting(lambda _: _closed(cause))

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


def _beside_applied(failure: Failure) -> Failure:
    """Make of the failure of a chunk that of a batch of which other chunks were applied."""
    return Failure(failure.ticket, _partial(failure, "other chunks of the same call were applied", "unknown"))


def _gap(failure: Failure) -> TinkerError:
    """Build the error that closes the queue where a number is missing below others that were sent."""
    if failure.ticket.effect is Effect.GRADIENT:
        return _partial(failure, "those behind it had been sent", "unknown")
    return failure.error.again("unknown")


def _behind_a_gap(failure: Failure) -> TinkerError:
    """Build the error of a chunk that was sent with one before it which did not arrive."""
    error = TinkerError(
        f"sent without waiting for chunk {failure.ticket.chunk + 1} of the same call, which failed"
        f" ({type(failure.error).__name__}: {failure.error.message}); its result is not waited for",
        model_id=failure.error.model_id,
        applied="unknown",
    )
    error.__cause__ = failure.error
    return error


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
