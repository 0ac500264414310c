"""The law of order under any sequence of events, against a server that counts what it accepts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from tinsmith.core.errors import APIConnectionError, BadRequestError, ClientPoisonedError, RequestFailedError
from tinsmith.core.place import Kind, Phase, Place, Settlement
from tinsmith.core.sequence import SequenceLine

if TYPE_CHECKING:
    from tinsmith.core.policy import OptimAfter

REFUSED = BadRequestError("no", status_code=400, applied="no")
LOST = APIConnectionError("reset", applied="unknown")
FAILED = RequestFailedError("bad datum", applied="no")


class _Ledger:
    """A server that applies what it accepts, and remembers in which order."""

    def __init__(self) -> None:
        self.accepted: list[Place] = []
        self.numbers: list[int] = []

    def accept(self, place: Place) -> None:
        assert place.seq_id is not None
        self.accepted.append(place)
        self.numbers.append(place.seq_id)


class LineMachine(RuleBasedStateMachine):
    """Any order of calls, refusals, losses, cancels and results keeps the law."""

    def __init__(self) -> None:
        super().__init__()
        self.line = SequenceLine()
        self.ledger = _Ledger()
        self.calls: list[list[Place]] = []
        self.failed: list[Place] = []
        self.ready: list[Place] = []

    @initialize(optim_after=st.sampled_from(["accepted", "results"]))
    def choose(self, optim_after: OptimAfter) -> None:
        """Start in either mode."""
        self.line = SequenceLine(optim_after=optim_after)

    def settle(self, settlement: Settlement) -> None:
        """Hand out what the line says; every request ends at most once."""
        self.failed += [fallout.place for fallout in settlement.failed]
        self.ready += settlement.ready

    @rule(kind=st.sampled_from(list(Kind)), chunks=st.integers(1, 3))
    def call(self, kind: Kind, chunks: int) -> None:
        """A caller takes places; after poison this fails fast."""
        if self.line.poison is not None:
            with pytest.raises(ClientPoisonedError):
                self.line.take(kind)
            return
        self.calls.append(list(self.line.take(kind, 1 if kind is Kind.STEP else chunks)))

    @rule()
    def draw(self) -> None:
        """The head draws its number."""
        head = self.line.head
        if head is not None and head.phase is Phase.WAITING:
            assert self.line.poison is None, "nothing is sent behind poison"
            assert self.line.draw(head) == len(self.ledger.numbers) + 1

    @rule()
    def send(self) -> None:
        """The head's bytes leave."""
        head = self.line.head
        if head is not None and head.phase is Phase.DRAWN:
            self.line.sent(head)

    @rule(fate=st.sampled_from(["accept", "refuse", "lose", "unsure"]))
    def answer(self, fate: str) -> None:
        """The server answers, or does not."""
        head = self.line.head
        if head is None or head.phase is not Phase.SENT:
            return
        if fate == "accept":
            self.ledger.accept(head)
            self.settle(self.line.accepted(head))
        elif fate == "unsure":
            self.line.unsure(head)
        else:
            self.settle(self.line.rejected(head, REFUSED if fate == "refuse" else LOST))

    @rule(pick=st.integers(0, 99))
    def cancel(self, pick: int) -> None:
        """An owner gives up a call."""
        if self.calls:
            places = self.calls[pick % len(self.calls)]
            if self.line.cancelled(places[0].call):
                self.failed += places

    @rule(pick=st.integers(0, 99), works=st.booleans())
    def result(self, pick: int, works: bool) -> None:
        """A promise ends, in any order."""
        pending = [place for place in self.ledger.accepted if place.phase is Phase.ACCEPTED]
        if pending:
            self.settle(self.line.finished(pending[pick % len(pending)], None if works else FAILED))

    @invariant()
    def the_server_sees_no_gap(self) -> None:
        """Numbers arrive as 1, 2, 3, and calls in the order in which they were made."""
        assert self.ledger.numbers == list(range(1, len(self.ledger.numbers) + 1))
        order = [place for places in self.calls for place in places]
        positions = [order.index(place) for place in self.ledger.accepted]
        assert positions == sorted(positions)

    @invariant()
    def every_request_ends_once(self) -> None:
        """No future gets two outcomes."""
        assert len(self.failed) == len(set(self.failed))
        assert not set(self.failed) & set(self.ready)

    @invariant()
    def no_step_is_sent_on_half_a_batch(self) -> None:
        """In results mode an accepted step stands behind settled, unfailed gradients only."""
        if self.line.optim_after == "accepted":
            return
        batch: list[Place] = []
        for place in self.ledger.accepted:
            if place.kind is Kind.GRADIENT:
                batch.append(place)
            elif place.kind is Kind.STEP:
                assert all(gradient.phase is not Phase.ACCEPTED for gradient in batch)
                for gradient in batch:
                    if gradient.phase is Phase.FAILED:
                        assert not gradient.call.applied
                batch = []

    @invariant()
    def a_steps_result_follows_its_gradients(self) -> None:
        """What was handed out is done, and so is all it built on."""
        for place in self.ready:
            assert place.phase is Phase.DONE
            assert not place.gradients


TestLine = LineMachine.TestCase
TestLine.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
