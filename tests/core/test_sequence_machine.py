"""The request order under any sequence of events, against a server that counts what it accepts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tinsmith.core.errors import APIConnectionError, BadRequestError, ClientPoisonedError, RequestFailedError
from tinsmith.core.sequence import Effect, Failure, Phase, RequestOrder, Ticket

if TYPE_CHECKING:
    from tinsmith.core.config import OptimAfter

REFUSED = BadRequestError("no", status_code=400, applied="no")
LOST = APIConnectionError("reset", applied="unknown")
FAILED = RequestFailedError("bad datum", applied="no")


class _Ledger:
    """A server that counts each number once, and remembers which request it belongs to."""

    def __init__(self) -> None:
        self.counted: list[Ticket] = []

    def count(self, ticket: Ticket) -> None:
        """Take a request; the same one again is the same request."""
        if ticket in self.counted:
            return
        self.counted.append(ticket)
        assert ticket.seq_id == len(self.counted), "a number came twice, or left a gap"


class OrderMachine(RuleBasedStateMachine):
    """Any order of calls, refusals, losses, cancels and results keeps the rules."""

    def __init__(self) -> None:
        super().__init__()
        self.begin("accepted")

    @initialize(optim_after=st.sampled_from(["accepted", "results"]))
    def begin(self, optim_after: OptimAfter) -> None:
        """Start a new model in either mode."""
        self.order = RequestOrder(optim_after=optim_after)
        self.ledger = _Ledger()
        self.calls: list[list[Ticket]] = []
        self.failed: list[Ticket] = []
        self.done: list[Ticket] = []

    @precondition(lambda self: self.order.closed_by is not None and not self.queued() and not self.pending())
    @rule(optim_after=st.sampled_from(["accepted", "results"]))
    def begin_again(self, optim_after: OptimAfter) -> None:
        """A closed queue can do nothing more; its owner makes a new one."""
        with pytest.raises(ClientPoisonedError):
            self.order.take(Effect.OTHER)
        self.begin(optim_after)

    def head_in(self, *phases: Phase) -> bool:
        """Tell whether somebody has the turn, and how far it is."""
        return self.order.head is not None and self.order.head.phase in phases

    def queued(self) -> list[Ticket]:
        """List requests that have not left the queue."""
        phases = (Phase.WAITING, Phase.DRAWN, Phase.SENT)
        return [ticket for tickets in self.calls for ticket in tickets if ticket.phase in phases]

    def pending(self) -> list[Ticket]:
        """List promises that are not settled."""
        return [ticket for ticket in self.ledger.counted if ticket.phase is Phase.ACCEPTED]

    def head(self) -> Ticket:
        """Return who has the turn."""
        assert self.order.head is not None
        return self.order.head

    def settle(self, failures: list[Failure]) -> None:
        """Hand out what the order says."""
        self.failed += [failure.ticket for failure in failures]

    @precondition(lambda self: self.order.closed_by is None)
    @rule(effect=st.sampled_from(list(Effect)), chunks=st.integers(1, 3))
    def call(self, effect: Effect, chunks: int) -> None:
        """A caller takes tickets."""
        ticket = self.order.take(effect)
        self.calls.append([ticket] if effect is Effect.STEP else self.order.split(ticket, chunks))

    @precondition(lambda self: self.head_in(Phase.WAITING))
    @rule()
    def draw(self) -> None:
        """The head draws its number."""
        assert self.order.closed_by is None, "nothing is sent once it is closed"
        self.order.draw(self.head())

    @precondition(lambda self: self.head_in(Phase.DRAWN, Phase.SENT))
    @rule()
    def send(self) -> None:
        """The head's bytes leave, perhaps again."""
        self.order.sent(self.head())

    @precondition(lambda self: self.head_in(Phase.WAITING))
    @rule()
    def submit(self) -> None:
        """The head goes out without a fault."""
        ticket = self.head()
        self.order.draw(ticket)
        self.order.sent(ticket)
        self.ledger.count(ticket)
        self.settle(self.order.accepted(ticket))

    @precondition(lambda self: self.head_in(Phase.SENT))
    @rule(counted=st.booleans())
    def unsure(self, counted: bool) -> None:
        """No answer comes; the server may have counted the request."""
        if counted:
            self.ledger.count(self.head())
        self.order.unsure(self.head())

    @precondition(lambda self: self.head_in(Phase.SENT))
    @rule(fate=st.sampled_from(["accept", "refuse", "refuse", "lose"]))
    def answer(self, fate: str) -> None:
        """The server answers, or does not."""
        head = self.head()
        if fate == "accept":
            self.ledger.count(head)
            self.settle(self.order.accepted(head))
        else:
            self.settle(self.order.rejected(head, REFUSED if fate == "refuse" else LOST))

    @precondition(lambda self: bool(self.calls))
    @rule(pick=st.integers(0, 99))
    def cancel(self, pick: int) -> None:
        """An owner gives up a call."""
        tickets = self.calls[pick % len(self.calls)]
        if self.order.cancelled(tickets[0].call):
            self.failed += tickets

    @precondition(lambda self: bool(self.pending()))
    @rule(pick=st.integers(0, 99), works=st.sampled_from([True, True, False]))
    def result(self, pick: int, works: bool) -> None:
        """A promise ends, in any order; that of a step is told after those of its gradients."""
        used_by = {ticket.step for ticket in self.pending()}
        pending = [ticket for ticket in self.pending() if ticket not in used_by]
        ticket = pending[pick % len(pending)]
        self.settle(self.order.finished(ticket, None if works else FAILED))
        if ticket.phase is Phase.DONE:
            self.done.append(ticket)

    @invariant()
    def calls_arrive_in_order(self) -> None:
        """The server counts requests in the order in which they were called."""
        order = [ticket for tickets in self.calls for ticket in tickets]
        positions = [order.index(ticket) for ticket in self.ledger.counted]
        assert positions == sorted(positions)

    @invariant()
    def the_turn_is_never_stuck(self) -> None:
        """Who has the turn has something to do; an empty head means an empty queue, or a held step."""
        if self.order.head is not None:
            assert self.head_in(Phase.WAITING, Phase.DRAWN, Phase.SENT)
        elif self.queued():
            assert self.order.optim_after == "results"
            assert any(ticket.effect is Effect.GRADIENT for ticket in self.pending()), "nothing would wake it"

    @invariant()
    def every_request_ends_once(self) -> None:
        """No future gets two outcomes."""
        assert len(self.failed) == len(set(self.failed))
        assert len(self.done) == len(set(self.done))
        assert not set(self.failed) & set(self.done)

    @invariant()
    def half_a_call_closes_the_queue(self) -> None:
        """A gradient that is partly on the server, and can no longer be whole, ends the client."""
        for tickets in self.calls:
            lost = [ticket for ticket in tickets if ticket in self.failed]
            if tickets[0].effect is Effect.GRADIENT and lost and tickets[0].call.applied:
                assert self.order.closed_by is not None

    @invariant()
    def steps_stand_on_whole_batches(self) -> None:
        """In results mode an accepted step has no unsettled gradient before it."""
        batch: list[Ticket] = []
        for ticket in self.ledger.counted:
            if ticket.effect is Effect.GRADIENT:
                batch.append(ticket)
            elif ticket.effect is Effect.STEP:
                unsettled = [gradient for gradient in batch if gradient.phase is Phase.ACCEPTED]
                if ticket.phase in (Phase.ACCEPTED, Phase.DONE):
                    assert not (unsettled and self.order.optim_after == "results")
                batch = []


TestOrder = OrderMachine.TestCase
TestOrder.settings = settings(max_examples=200, stateful_step_count=40)
