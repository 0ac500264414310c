"""The order of training requests on one model, as a state machine. Pure: no waiting, no clock, no sending.

A request takes its place in line when it is called, draws its number when its turn comes, and leaves the
line when its submission is settled. One request is at the head at any time; only the head may send. Owns
the law of numbers: a number is given back only if the server provably did not take it and it was never
sent with an unknown outcome. Not thread-safe: the caller holds one lock around every method.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Literal

import attrs

from tinsmith.core.errors import ClientPoisonedError, PartialBatchError, TinkerError
from tinsmith.core.policy import OptimAfter
from tinsmith.core.ticket import Fallout, Kind, Phase, QueuedCall, Settlement, Ticket

if TYPE_CHECKING:
    from collections.abc import Callable


@attrs.define
class RequestOrder:
    """The line of one model."""

    optim_after: OptimAfter = "accepted"
    """When a step may go out."""
    next_id: int = 1
    """Number that the next draw takes; the API counts from 1."""
    poison: TinkerError | None = None
    """Why nothing is sent any more."""
    highest_sent: int = 0
    """The highest number under which bytes may have left."""
    _line: deque[Ticket] = attrs.field(factory=deque)
    _batch: set[Ticket] = attrs.field(factory=set)
    """Gradients accepted since the last accepted step whose results are not in."""
    _given_back: bool = False

    def take(self, kind: Kind, chunks: int = 1, *, ahead: bool = False) -> list[Ticket]:
        """Take places for one call, behind everything called before; an error once the line is poisoned.

        With `ahead` they are before everything that waits: for what belongs to the creation of the model,
        while nothing has begun.
        """
        if self.poison is not None:
            raise self.refusal()
        call = QueuedCall(kind)
        call.places.extend(Ticket(call, chunk) for chunk in range(chunks))
        if ahead:
            assert all(place.phase is Phase.WAITING for place in self._line), "something has begun"
            self._line.extendleft(reversed(call.places))
        else:
            self._line.extend(call.places)
        return call.places

    def replanned(self, call: QueuedCall, chunks: int) -> list[Ticket]:
        """Give a call of which nothing has begun another number of places, where it is queued."""
        assert all(place.phase is Phase.WAITING for place in call.places), "nothing of it has begun"
        line = list(self._line)
        at, old = line.index(call.places[0]), len(call.places)
        call.places[:] = [Ticket(call, chunk) for chunk in range(chunks)]
        line[at : at + old] = call.places
        self._line = deque(line)
        return call.places

    def refusal(self) -> ClientPoisonedError:
        """Build the error for whoever comes after the poison."""
        cause = self.poison
        assert cause is not None
        error = ClientPoisonedError(
            f"an earlier request left the model in an unknown state ({type(cause).__name__}:"
            f" {cause.message}); load a checkpoint into a new client",
            model_id=cause.model_id,
            applied="no",
        )
        error.__cause__ = cause
        return error

    @property
    def waiting(self) -> int:
        """Requests in line, the head included."""
        return len(self._line)

    @property
    def head(self) -> Ticket | None:
        """The request whose turn it is; None if there is none, or if a step must wait for results."""
        if not self._line:
            return None
        head = self._line[0]
        held = self.optim_after == "results" and head.kind is Kind.STEP and head.phase is Phase.WAITING
        return None if held and self._batch else head

    def draw(self, place: Ticket) -> int:
        """Give the head its number."""
        assert place is self.head, "only the head draws"
        assert place.phase is Phase.WAITING, "a number is drawn once"
        place.seq_id, place.reused, place.phase = self.next_id, self._given_back, Phase.DRAWN
        self.next_id += 1
        self._given_back = False
        return place.seq_id

    def sent(self, place: Ticket) -> None:
        """Note that bytes are about to leave."""
        assert place.phase in (Phase.DRAWN, Phase.SENT), "only a drawn request is sent"
        place.phase = Phase.SENT
        assert place.seq_id is not None
        self.highest_sent = max(self.highest_sent, place.seq_id)

    def unsure(self, place: Ticket) -> None:
        """Note that a try ended with an unknown outcome; from now on the number is spent."""
        place.unknown = True

    def redraw(self, place: Ticket) -> int | None:
        """Take the next number after a 409 on the first re-use of one given back; None if it is not that.

        The server had counted the request that gave the number back. That is the one 409 to go on after.
        """
        if not place.reused or place.unknown or place.phase is not Phase.SENT:
            return None
        place.seq_id, place.reused, place.phase = self.next_id, False, Phase.DRAWN
        self.next_id += 1
        return place.seq_id

    def accepted(self, place: Ticket) -> Settlement:
        """Let the head go: the server gave a promise."""
        self._leave(place, Phase.ACCEPTED)
        place.call.applied.add(place.chunk)
        if place.kind is Kind.STEP:
            place.gradients, self._batch = self._batch, set()
            for gradient in place.gradients:
                gradient.step = place
        elif place.kind is Kind.GRADIENT:
            self._batch.add(place)
        return self._meet_doom(place) if place.doom is not None else Settlement()

    def _meet_doom(self, place: Ticket) -> Settlement:
        """Judge a request that was under way when one it builds on was lost; a step awaits its own result."""
        assert place.doom is not None
        if place.kind is Kind.STEP:
            return self.poisoned(_stepped(place))
        partial = _partial(*place.doom, "another chunk was applied", "unknown")
        place.phase = Phase.FAILED
        self._batch.discard(place)
        return Settlement(failed=[Fallout(place, partial), *self.poisoned(partial).failed])

    def rejected(self, place: Ticket, error: TinkerError) -> Settlement:
        """Settle a failed submission: free the turn, keep or give back the number, fail what waits behind.

        The error's `applied` decides: "no" gives the number back, unless it was ever sent with an unknown
        outcome; anything else poisons. A call whose other chunks were accepted is a partial batch.
        """
        if place.phase is Phase.FAILED:
            return Settlement()
        provably_not = error.applied == "no" and not place.unknown
        if provably_not:
            self._give_back(place)
        self._leave(place, Phase.FAILED)
        if not provably_not:
            return Settlement(failed=[Fallout(place, error), *self.poisoned(error).failed])
        if place.kind is Kind.GRADIENT and place.call.applied:
            partial = _partial(place, error, "other chunks of the same call were applied", "unknown")
            return Settlement(failed=[Fallout(place, partial), *self.poisoned(partial).failed])
        behind = self._fail_waiting(lambda other: _late(other, place, error))
        return Settlement(failed=[Fallout(place, error), *behind])

    def _give_back(self, place: Ticket) -> None:
        if place.seq_id is None:
            return
        assert place.seq_id == self.next_id - 1, "one number is out at a time"
        self.next_id -= 1
        self._given_back = place.reused or place.phase is Phase.SENT
        place.seq_id = None

    def cancelled(self, call: QueuedCall) -> bool:
        """Take a call out of the line at its owner's wish; False if it is too late for that.

        Before sending nothing is lost: the number goes back. Once a chunk was sent, the call goes on without
        its owner, since half a batch would be worse; the others are not touched.
        """
        if any(place.phase not in (Phase.WAITING, Phase.DRAWN) for place in call.places):
            return False
        for place in call.places:
            self._give_back(place)
            self._leave(place, Phase.FAILED)
        return True

    def finished(self, place: Ticket, error: TinkerError | None = None) -> Settlement:
        """Settle a promise; says which results may be handed out now, and which futures fail.

        A step's result is held back until the gradients before it are settled. When one of them fails, a
        waiting step is not sent; one that was accepted runs on part of its batch: the line is poisoned, and
        the step fails with `applied="yes"` once its own result says that it ran. A call of which other chunks
        were applied poisons too.
        """
        self._batch.discard(place)
        if place.phase is Phase.FAILED:
            return Settlement()
        if error is not None:
            return self._promise_failed(place, error)
        if place.kind is Kind.STEP and place.doom is not None:
            place.phase = Phase.FAILED
            return Settlement(failed=[Fallout(place, _stepped(place))])
        place.phase = Phase.DONE
        step = place.step
        if step is not None:
            step.gradients.discard(place)
            if step.phase is Phase.DONE and not step.gradients:
                return Settlement(ready=[place, step])
        return Settlement(ready=[] if place.gradients else [place])

    def _promise_failed(self, place: Ticket, error: TinkerError) -> Settlement:
        place.phase = Phase.FAILED
        place.call.applied.discard(place.chunk)
        if place.kind is not Kind.GRADIENT:
            return Settlement(failed=[Fallout(place, error)])
        if place.step is not None:
            return self._step_was_wrong(place, place.step, error)
        head = self._line[0] if self._line else None
        if head is not None and head.phase is not Phase.WAITING and _builds_on(head, place):
            head.doom = (place, error)
        if place.call.applied:
            partial = _partial(place, error, "other chunks of the same call were applied", "unknown")
            return Settlement(failed=[Fallout(place, partial), *self.poisoned(partial).failed])
        return Settlement(failed=[Fallout(place, error), *self._fail_steps_on(place, error)])

    def _step_was_wrong(self, place: Ticket, step: Ticket, error: TinkerError) -> Settlement:
        own = error
        if place.call.applied:
            own = _partial(place, error, "other chunks of the same call were applied", "unknown")
        failed = [Fallout(place, own)]
        step.doom = step.doom or (place, error)
        partial = _stepped(step)
        if step.phase is Phase.DONE:
            step.phase = Phase.FAILED
            failed.append(Fallout(step, partial))
        return Settlement(failed=failed + self.poisoned(partial).failed)

    def poisoned(self, error: TinkerError) -> Settlement:
        """Refuse everything from now on, and fail what waits. What is under way goes on."""
        if self.poison is None:
            self.poison = error
        return Settlement(failed=self._fail_waiting(lambda _: self.refusal()))

    def _leave(self, place: Ticket, phase: Phase) -> None:
        if self._line and self._line[0] is place:
            self._line.popleft()
        else:
            self._line.remove(place)
        place.phase = phase

    def _fail_waiting(self, error_for: Callable[[Ticket], TinkerError | None]) -> list[Fallout]:
        """Fail the waiting requests for which there is an error; a head that is past waiting stays."""
        failed: list[Fallout] = []
        stay: deque[Ticket] = deque()
        for place in self._line:
            error = error_for(place) if place.phase is Phase.WAITING else None
            if error is None:
                stay.append(place)
            else:
                place.phase = Phase.FAILED
                failed.append(Fallout(place, error))
        self._line = stay
        return failed

    def _fail_steps_on(self, lost: Ticket, error: TinkerError) -> list[Fallout]:
        """Fail the rest of a lost call, and the first waiting step with all behind it.

        They were called on a gradient that is not there.
        """
        past_step = False

        def error_for(place: Ticket) -> TinkerError | None:
            nonlocal past_step
            past_step = past_step or place.kind is Kind.STEP
            return _late(place, lost, error) if past_step or place.call is lost.call else None

        return self._fail_waiting(error_for)


def _builds_on(later: Ticket, lost: Ticket) -> bool:
    return later.kind is Kind.STEP or later.call is lost.call


def _late(behind: Ticket, failed: Ticket, error: TinkerError) -> TinkerError:
    """Build the error of a request that was not sent because of one before it."""
    if behind.call is failed.call:
        return error
    what = f"not sent, since a request before it failed ({type(error).__name__}: {error.message})"
    late: TinkerError
    if behind.kind is Kind.STEP and failed.kind is Kind.GRADIENT:
        late = PartialBatchError(what, chunks_failed=(failed.chunk,), applied="no")
    else:
        late = TinkerError(what, applied="no")
    late.__cause__ = error
    return late


def _stepped(step: Ticket) -> PartialBatchError:
    """Build the error of a step that was applied without one of its gradients."""
    assert step.doom is not None
    return _partial(*step.doom, "the optim_step behind it was applied", "yes")


def _partial(
    place: Ticket, error: TinkerError, why: str, applied: Literal["yes", "unknown"]
) -> PartialBatchError:
    """Build the error of a batch of which only a part is on the server."""
    done = tuple(sorted(place.call.applied))
    chunks = len(place.call.places)
    partial = PartialBatchError(
        f"chunk {place.chunk + 1} of {chunks} failed, but {why}: {error.message}",
        chunks_applied=done,
        chunks_failed=tuple(i for i in range(chunks) if i not in done),
        model_id=error.model_id,
        request_id=error.request_id,
        applied=applied,
    )
    partial.__cause__ = error
    return partial
