"""A state machine over everything that a training program and the world around it may do to a client.

It owns the rules. What must hold is the witness's; how it fails is the server's.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tinsmith.testing import FaultKind, ServerDialect
from tinsmith.testing.ledger_service import reply

from tests.chaos.bench import PATIENCE_S, World, world
from tests.chaos.choices import (
    ADVICE,
    ANYWHERE,
    DISASTERS,
    DUPLICATES,
    ORDERS_BY_NUMBER,
    PICK,
    any_beat,
    any_poll,
    any_training,
)
from tests.chaos.server import Mishap, submission

if TYPE_CHECKING:
    from tests.chaos.witness import Witness


class ChaosMachine(RuleBasedStateMachine):
    """A client, a server, and a wire between them on which anything may happen."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.world: World
        self.witness: Witness
        self.past: list[Witness] = []
        self.is_struck = False

    @initialize(
        duplicates=PICK,
        order=st.sampled_from(["wait", "hold", "promise", "hold", "promise", "strict", "arrival"]),
        at_once=st.sampled_from([True, True, False]),
        polls=st.sampled_from([0, 0, 1, 4]),
        not_yet=st.sampled_from(["408", "try_again"]),
        mode=st.sampled_from(["accepted", "results"]),
        latency_s=st.sampled_from([0.0, 0.1, 2.0]),
    )
    def begin(
        self,
        duplicates: int,
        order: Any,
        at_once: bool,
        polls: int,
        not_yet: Any,
        mode: str,
        latency_s: float,
    ) -> None:
        """Make a server of some dialect, and a client that knows it."""
        dialect = ServerDialect(DUPLICATES[duplicates % len(DUPLICATES)], order, polls, not_yet)
        at_once = at_once and order in ORDERS_BY_NUMBER and dialect.duplicates != "apply"
        self.world = self.stack.enter_context(world(dialect, optim_after=mode, chunks_at_once=at_once))
        self.world.service.latency_s = latency_s
        self.witness = self.world.trainer()

    # What the program does

    @rule(chunks=st.integers(1, 4), wait_s=st.sampled_from([0.0, 0.0, 20.0]))
    def forward_backward(self, chunks: int, wait_s: float) -> None:
        """Call it, and perhaps do something else meanwhile."""
        self.witness.forward_backward(chunks)
        self.world.simulation.advance(wait_s)

    @rule()
    def optim_step(self) -> None:
        """Call it."""
        self.witness.optim_step()

    @rule(chunks=st.integers(1, 3), steps=st.integers(1, 2))
    def train(self, chunks: int, steps: int) -> None:
        """Call both, as a loop does that does not wait."""
        for _ in range(steps):
            self.witness.forward_backward(chunks)
            self.witness.optim_step()

    @rule(chunks=st.integers(1, 2))
    def train_and_wait(self, chunks: int) -> None:
        """Call both and look at the results, as a simple loop does."""
        self.witness.forward_backward(chunks)
        self.witness.optim_step()
        self.world.simulation.advance(20.0)
        self.look()

    @rule(chunks=st.integers(1, 3))
    def forward(self, chunks: int) -> None:
        """Call it."""
        self.witness.forward(chunks)

    @rule(what=st.sampled_from(["save", "load", "save_for_sampler"]))
    def save_or_load(self, what: str) -> None:
        """Call one of the others."""
        getattr(self.witness, what)()

    @precondition(lambda self: self.witness.outstanding)
    @rule(pick=PICK)
    def cancel(self, pick: int) -> None:
        """Withdraw a call."""
        outstanding = self.witness.outstanding
        self.witness.cancel(outstanding[pick % len(outstanding)])

    @precondition(lambda self: self.witness.outstanding)
    @rule(pick=PICK)
    def time_out(self, pick: int) -> None:
        """Wait for a result and lose patience."""
        outstanding = self.witness.outstanding
        try:
            outstanding[pick % len(outstanding)].future.result(0)
        except TimeoutError:
            return
        raise AssertionError("a result out of nowhere")

    @precondition(lambda self: self.witness.calls)
    @rule()
    def look(self) -> None:
        """Look at everything that is done."""
        for said in self.witness.calls:
            self.witness.look(said)

    @precondition(lambda self: self.is_over and len(self.past) < 6)
    @rule()
    def start_over(self) -> None:
        """Make a new client, as one must after an unknown outcome."""
        self.past.append(self.witness)
        self.is_struck = False
        self.witness = self.world.renew()

    # What happens to it

    @rule(seconds=st.sampled_from([0.0, 0.1, 1.0, 7.0, 40.0]))
    def time_passes(self, seconds: float) -> None:
        """Let the client and the server work."""
        self.world.simulation.advance(seconds)

    @precondition(lambda self: self.is_quiet)
    @rule(kind=st.sampled_from(FaultKind), times=st.sampled_from([1, 1, 1, 2, 9]))
    def spoil_submissions(self, kind: FaultKind, times: int) -> None:
        """Drop, duplicate, cut or spoil the next submissions."""
        if kind is FaultKind.DUPLICATED and self.world.service.dialect.duplicates == "apply":
            return  # nobody can help it when a wire doubles what goes to a server that applies whatever comes
        self._meet(any_training, Mishap(kind), times)

    @precondition(lambda self: self.is_quiet)
    @rule(where=st.sampled_from([any_poll, any_poll, any_beat]), kind=st.sampled_from(FaultKind))
    def spoil_polls(self, where: Any, kind: FaultKind) -> None:
        """Drop, duplicate, cut or spoil a poll or a heartbeat."""
        self._meet(where, Mishap(kind))

    @precondition(lambda self: self.is_quiet)
    @rule(
        status=st.sampled_from([400, 409, 409, 409, 422, 401, 402, 403, 404, 413, 415, 429, 500]),
        advice=st.sampled_from(sorted(ADVICE)),
        counts=st.booleans(),
        after=st.sampled_from([None, None, FaultKind.RESET_AFTER, FaultKind.RESET_BEFORE]),
    )
    def reject(self, status: int, advice: str, counts: bool, after: FaultKind | None) -> None:
        """Refuse the next submission, perhaps on its second send; a strange server counts it all the same."""
        if status == 409 and advice == "retry":
            return  # the server's own word that a 409 may be sent again
        if after is not None:
            self._meet(any_training, Mishap(after))
        answer = reply({"detail": "no"}, status, ADVICE[advice])
        counted = status == 409 or (counts and status == 400 and advice == "none")
        self._meet(any_training, Mishap(answer=answer, counts=counted))

    @precondition(lambda self: self.is_quiet)
    @rule(chunk=st.integers(0, 3), status=st.sampled_from([400, 422, 404]))
    def reject_chunk(self, chunk: int, status: int) -> None:
        """Refuse a chunk of the next batch."""
        mark = (self.witness.next_mark, chunk)
        self._meet(submission("forward_backward", mark), Mishap(answer=reply({"detail": "no"}, status)))
        self.witness.forward_backward(4)

    @precondition(lambda self: self.is_quiet)
    @rule(chunk=st.integers(0, 2), status=st.sampled_from([400, 422]))
    def go_on_behind_a_rejected_chunk(self, chunk: int, status: int) -> None:
        """Refuse a chunk of a loss that is known, look at the failure, and train on."""
        self.witness.forward_backward()
        self.world.simulation.advance(20.0)
        mark = (self.witness.next_mark, chunk)
        self._meet(submission("forward_backward", mark), Mishap(answer=reply({"detail": "no"}, status)))
        self.witness.forward_backward(4)
        self.world.simulation.advance(20.0)
        self.look()
        self.train_and_wait(2)

    @precondition(lambda self: self.is_quiet)
    @rule(acts_after_s=st.sampled_from([1.0, 15.0, 25.0, 100.0]))
    def arrive_late(self, acts_after_s: float) -> None:
        """Let the next submission lie somewhere before the server reads it."""
        self._meet(any_training, Mishap(late_s=acts_after_s))

    @precondition(lambda self: self.is_quiet)
    @rule(where=ANYWHERE, delay_s=st.sampled_from([0.5, 5.0, 30.0]))
    def delay(self, where: Any, delay_s: float) -> None:
        """Hold a request up."""
        self._meet(where, Mishap(delay_s=delay_s))

    @precondition(lambda self: self.is_quiet)
    @rule(status=st.sampled_from([410, 410, 404, 404, 401, 402, 425, 429]), times=st.sampled_from([1, 1, 2]))
    def refuse_polls(self, status: int, times: int) -> None:
        """Answer the next polls with an error."""
        self._meet(any_poll, Mishap(answer=reply({"detail": "no"}, status)), times)

    @precondition(lambda self: self.is_quiet)
    @rule(polls=st.sampled_from([1, 5, 60]), state=st.sampled_from(["active", "paused_capacity"]))
    def keep_waiting(self, polls: int, state: str) -> None:
        """Let promises take their time."""
        not_yet = {"type": "try_again", "request_id": "r", "queue_state": state}
        self._meet(any_poll, Mishap(answer=reply(not_yet, 408)), polls)

    @rule(ahead=st.integers(0, 2), chunk=st.integers(0, 1), category=st.sampled_from(["user", "server"]))
    def fail_in_promise(self, ahead: int, chunk: int, category: str) -> None:
        """Let a request that is called soon be accepted and then fail."""
        mark = (self.witness.next_mark + ahead, chunk)
        self.world.service.failing[mark] = {"error": "failed", "category": category}

    @rule(chunks=st.integers(1, 3), bad=PICK, wait_s=st.sampled_from([0.0, 0.5, 20.0]))
    def step_on_failed_chunk(self, chunks: int, bad: int, wait_s: float) -> None:
        """Let a chunk fail after it was accepted, and step without a look at it."""
        self.world.service.failing[self.witness.next_mark, bad % chunks] = {"error": "failed"}
        self.witness.forward_backward(chunks)
        self.world.simulation.advance(wait_s)
        self.witness.optim_step()

    @rule(hours=st.sampled_from([-3.0, 3.0, 24.0 * 365]))
    def jump_clock(self, hours: float) -> None:
        """Set the wall clock."""
        self.world.simulation.wall_offset_s += 3600.0 * hours

    @precondition(lambda self: not self.is_struck and len(self.witness.calls) > 4)
    @rule(what=st.sampled_from(DISASTERS), size=PICK)
    def disaster(self, what: str, size: int) -> None:
        """Close the client while it works, restart the server in one of three ways, or lose the session."""
        self.is_struck = what in ("close", "session", "models")
        service, running = self.world.service, self.world.simulation
        if what == "close":
            running.runtime.spawn(self.world.client.holder.aclose([0.0, 1.0, 30.0][size % 3]))
        elif what == "session":
            service.lose_session()
        elif what == "models":
            service.forgets = True
            service.lose_promises()
        elif what == "outage":
            service.dead_until_s = running.now_s + [2.0, 20.0, 900.0][size % 3]
        else:
            service.for_good = what == "all promises"
            service.lose_promises()

    @property
    def is_over(self) -> bool:
        """Whether this client trains no more."""
        return self.is_struck or self.witness.is_dead

    @property
    def is_quiet(self) -> bool:
        """Whether the mishaps so far have happened."""
        return len(self.world.service.script.waiting) < 3

    # What holds

    @invariant()
    def client_and_server_agree(self) -> None:
        """I1 to I5."""
        for witness in (*self.past, self.witness):
            witness.check()

    def teardown(self) -> None:
        """Let the world be well again, and expect every future to end."""
        try:
            if hasattr(self, "witness"):
                self._end()
        finally:
            self.stack.close()

    def _end(self) -> None:
        everyone = [*self.past, self.witness]
        self.world.service.script.waiting.clear()
        left = sum(said.chunks for witness in everyone for said in witness.outstanding)
        self.world.simulation.advance_until(
            lambda: not any(witness.outstanding for witness in everyone), PATIENCE_S * (1 + left)
        )
        self.world.simulation.advance(100.0)
        for witness in everyone:
            witness.check_all_ended()

    def _meet(self, where: Any, mishap: Mishap, times: int = 1) -> None:
        self.world.service.script.add(where, mishap, times)
