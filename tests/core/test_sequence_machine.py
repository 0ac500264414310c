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
    """A server that applies numbers in order, each once, and keeps what comes early until its turn."""

    def __init__(self) -> None:
        self.arrived: dict[int, Ticket] = {}
        self.counted: list[Ticket] = []

    def count(self, ticket: Ticket) -> None:
        """Take a request; the same one again is the same request."""
        number = ticket.seq_id
        assert number is not None
        assert self.arrived.setdefault(number, ticket) is ticket, "a number came twice"
        while (following := self.arrived.get(len(self.counted) + 1)) is not None:
            self.counted.append(following)

    def early(self) -> list[tuple[int, Ticket]]:
        """List what waits for a number before its own."""
        return [item for item in self.arrived.items() if item[1] not in self.counted]


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

    def waits(self) -> bool:
        """Tell whether somebody has the turn and did nothing yet."""
        return self.order.head is not None and self.order.head.phase is Phase.WAITING

    def under_way(self, *phases: Phase) -> list[Ticket]:
        """List who has a number and is not accepted."""
        return [ticket for ticket in self.queued() if ticket.phase in (phases or (Phase.DRAWN, Phase.SENT))]

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
    @rule(
        effect=st.sampled_from(list(Effect)),
        chunks=st.integers(1, 4),
        one_by_one=st.sampled_from([None, 0, 0, 1]),
    )
    def call(self, effect: Effect, chunks: int, one_by_one: int | None) -> None:
        """A caller takes tickets."""
        ticket = self.order.take(effect)
        is_step = effect is Effect.STEP
        self.calls.append([ticket] if is_step else self.order.split(ticket, chunks, one_by_one=one_by_one))

    @precondition(waits)
    @rule()
    def draw(self) -> None:
        """The head draws its number."""
        assert self.order.closed_by is None, "nothing is sent once it is closed"
        self.order.draw(self.head())

    @precondition(lambda self: self.under_way())
    @rule(pick=st.integers(0, 99))
    def send(self, pick: int) -> None:
        """The bytes of one that has a number leave, perhaps again."""
        under_way = self.under_way()
        self.order.sent(under_way[pick % len(under_way)])

    @precondition(waits)
    @rule(is_accepted=st.booleans())
    def submit(self, is_accepted: bool) -> None:
        """The head goes out without a fault; its promise may take its time."""
        ticket = self.head()
        self.order.draw(ticket)
        self.order.sent(ticket)
        self.ledger.count(ticket)
        if is_accepted:
            self.settle(self.order.accepted(ticket))

    @precondition(lambda self: self.under_way(Phase.SENT))
    @rule(pick=st.integers(0, 99), counted=st.booleans())
    def unsure(self, pick: int, counted: bool) -> None:
        """No answer comes; the server may have counted the request."""
        sent = self.under_way(Phase.SENT)
        ticket = sent[pick % len(sent)]
        if counted:
            self.ledger.count(ticket)
        self.order.unsure(ticket)

    @precondition(lambda self: self.under_way(Phase.SENT))
    @rule(pick=st.integers(0, 99), fate=st.sampled_from(["accept", "accept", "refuse", "refuse", "lose"]))
    def answer(self, pick: int, fate: str) -> None:
        """The server answers one of those under way, or does not."""
        sent = self.under_way(Phase.SENT)
        ticket = sent[pick % len(sent)]
        if fate == "refuse" and ticket in self.ledger.arrived.values() and not ticket.unknown:
            fate = "accept"
        if fate == "accept":
            self.ledger.count(ticket)
            self.settle(self.order.accepted(ticket))
        else:
            self.settle(self.order.rejected(ticket, REFUSED if fate == "refuse" else LOST))

    @precondition(lambda self: self.under_way(Phase.DRAWN))
    @rule()
    def cannot_be_built(self) -> None:
        """The bytes of the one that drew cannot be made."""
        self.settle(self.order.rejected(self.under_way(Phase.DRAWN)[0], REFUSED))

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
        """Where nobody has the turn, the queue is empty, or something is awaited that will end."""
        if self.order.head is None and self.queued() and not self.under_way():
            assert self.order.optim_after == "results"
            assert any(ticket.effect is Effect.GRADIENT for ticket in self.pending()), "nothing would wake it"

    @invariant()
    def one_number_at_most_is_unsent(self) -> None:
        """Sends begin in the order of numbers."""
        assert len(self.under_way(Phase.DRAWN)) <= 1

    @invariant()
    def no_call_overtakes_another(self) -> None:
        """What is under way is of one call: a step never goes while a gradient before it is not accepted."""
        assert len({ticket.call for ticket in self.under_way()}) <= 1

    @invariant()
    def a_missing_number_closes_the_queue(self) -> None:
        """What waits at the server waits for a request that is under way, or nobody waits for it."""
        for number, ticket in self.ledger.early():
            awaited = [other for other in self.under_way(Phase.SENT) if (other.seq_id or 0) < number]
            assert awaited or self.order.closed_by is not None
            assert awaited or ticket.phase is Phase.FAILED

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
