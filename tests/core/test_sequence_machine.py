"""The law of order under any sequence of events, against a server that counts what it accepts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tinsmith.core.errors import APIConnectionError, BadRequestError, ClientPoisonedError, RequestFailedError
from tinsmith.core.sequence import RequestOrder
from tinsmith.core.ticket import Kind, Phase, Settlement, Ticket

if TYPE_CHECKING:
    from tinsmith.core.policy import OptimAfter

REFUSED = BadRequestError("no", status_code=400, applied="no")
LOST = APIConnectionError("reset", applied="unknown")
FAILED = RequestFailedError("bad datum", applied="no")


class _Ledger:
    """A server that counts each number once, and remembers which request it belongs to."""

    def __init__(self) -> None:
        self.counted: list[Ticket] = []

    def count(self, place: Ticket) -> None:
        """Take a request; the same one again is the same request."""
        if place in self.counted:
            return
        self.counted.append(place)
        assert place.seq_id == len(self.counted), "a number came twice, or left a gap"


class LineMachine(RuleBasedStateMachine):
    """Any order of calls, refusals, losses, cancels and results keeps the law."""

    def __init__(self) -> None:
        super().__init__()
        self.begin("accepted")

    @initialize(optim_after=st.sampled_from(["accepted", "results"]))
    def begin(self, optim_after: OptimAfter) -> None:
        """Start a new model in either mode."""
        self.line = RequestOrder(optim_after=optim_after)
        self.ledger = _Ledger()
        self.calls: list[list[Ticket]] = []
        self.failed: list[Ticket] = []
        self.ready: list[Ticket] = []

    @precondition(lambda self: self.line.poison is not None and not self.line.waiting and not self.pending())
    @rule(optim_after=st.sampled_from(["accepted", "results"]))
    def begin_again(self, optim_after: OptimAfter) -> None:
        """A poisoned line can do nothing more; its owner makes a new one."""
        with pytest.raises(ClientPoisonedError):
            self.line.take(Kind.OTHER)
        self.begin(optim_after)

    def head_in(self, *phases: Phase) -> bool:
        """Tell whether somebody has the turn, and how far it is."""
        return self.line.head is not None and self.line.head.phase in phases

    def pending(self) -> list[Ticket]:
        """List promises that are not settled."""
        return [place for place in self.ledger.counted if place.phase is Phase.ACCEPTED]

    def head(self) -> Ticket:
        """Return who has the turn."""
        assert self.line.head is not None
        return self.line.head

    def settle(self, settlement: Settlement) -> None:
        """Hand out what the line says."""
        self.failed += [fallout.place for fallout in settlement.failed]
        self.ready += settlement.ready

    @precondition(lambda self: self.line.poison is None)
    @rule(kind=st.sampled_from(list(Kind)), chunks=st.integers(1, 3))
    def call(self, kind: Kind, chunks: int) -> None:
        """A caller takes places."""
        self.calls.append(list(self.line.take(kind, 1 if kind is Kind.STEP else chunks)))

    @precondition(lambda self: self.head_in(Phase.WAITING))
    @rule()
    def draw(self) -> None:
        """The head draws its number."""
        assert self.line.poison is None, "nothing is sent behind poison"
        self.line.draw(self.head())

    @precondition(lambda self: self.head_in(Phase.DRAWN, Phase.SENT))
    @rule()
    def send(self) -> None:
        """The head's bytes leave, perhaps again."""
        self.line.sent(self.head())

    @precondition(lambda self: self.head_in(Phase.WAITING))
    @rule()
    def submit(self) -> None:
        """The head goes out without a fault."""
        place = self.head()
        self.line.draw(place)
        self.line.sent(place)
        self.ledger.count(place)
        self.settle(self.line.accepted(place))

    @precondition(lambda self: self.head_in(Phase.SENT))
    @rule(counted=st.booleans())
    def unsure(self, counted: bool) -> None:
        """No answer comes; the server may have counted the request."""
        if counted:
            self.ledger.count(self.head())
        self.line.unsure(self.head())

    @precondition(lambda self: self.head_in(Phase.SENT))
    @rule(fate=st.sampled_from(["accept", "refuse", "refuse", "lose"]))
    def answer(self, fate: str) -> None:
        """The server answers, or does not."""
        head = self.head()
        if fate == "accept":
            self.ledger.count(head)
            self.settle(self.line.accepted(head))
        else:
            self.settle(self.line.rejected(head, REFUSED if fate == "refuse" else LOST))

    @precondition(lambda self: bool(self.calls))
    @rule(pick=st.integers(0, 99))
    def cancel(self, pick: int) -> None:
        """An owner gives up a call."""
        places = self.calls[pick % len(self.calls)]
        if self.line.cancelled(places[0].call):
            self.failed += places

    @precondition(lambda self: bool(self.pending()))
    @rule(pick=st.integers(0, 99), works=st.sampled_from([True, True, False]))
    def result(self, pick: int, works: bool) -> None:
        """A promise ends, in any order."""
        pending = self.pending()
        self.settle(self.line.finished(pending[pick % len(pending)], None if works else FAILED))

    @invariant()
    def calls_arrive_in_order(self) -> None:
        """The server counts requests in the order in which they were called."""
        order = [place for places in self.calls for place in places]
        positions = [order.index(place) for place in self.ledger.counted]
        assert positions == sorted(positions)

    @invariant()
    def the_turn_is_never_stuck(self) -> None:
        """Who has the turn has something to do; an empty head means an empty line, or a held step."""
        if self.line.head is not None:
            assert self.head_in(Phase.WAITING, Phase.DRAWN, Phase.SENT)
        elif self.line.waiting:
            assert self.line.optim_after == "results"
            assert any(place.kind is Kind.GRADIENT for place in self.pending()), "nothing would wake it"

    @invariant()
    def every_request_ends_once(self) -> None:
        """No future gets two outcomes."""
        assert len(self.failed) == len(set(self.failed))
        assert len(self.ready) == len(set(self.ready))
        assert not set(self.failed) & set(self.ready)

    @invariant()
    def half_a_call_is_poison(self) -> None:
        """A gradient that is partly on the server, and can no longer be whole, ends the client."""
        for places in self.calls:
            lost = [place for place in places if place in self.failed]
            if places[0].kind is Kind.GRADIENT and lost and places[0].call.applied:
                assert self.line.poison is not None

    @invariant()
    def steps_stand_on_whole_batches(self) -> None:
        """In results mode an accepted step has no unsettled gradient before it; else its result waits."""
        batch: list[Ticket] = []
        for place in self.ledger.counted:
            if place.kind is Kind.GRADIENT:
                batch.append(place)
            elif place.kind is Kind.STEP:
                unsettled = [gradient for gradient in batch if gradient.phase is Phase.ACCEPTED]
                if place.phase in (Phase.ACCEPTED, Phase.DONE):
                    assert not (unsettled and (self.line.optim_after == "results" or place in self.ready))
                batch = []


TestLine = LineMachine.TestCase
TestLine.settings = settings(max_examples=200, stateful_step_count=40)
