"""Chunk k of n fails, on its submission or in its promise: nothing hangs, and no step hides half a batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tinsmith import ClientPoisonedError, PartialBatchError, RequestFailedError, TinkerError
from tinsmith.testing import FaultKind, ServerDialect
from tinsmith.testing.ledger_service import reply

from tests.chaos.bench import PATIENCE_S, world
from tests.chaos.server import Mishap, submission

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.chaos.bench import World
    from tests.chaos.said import Said
    from tests.chaos.server import Mark
    from tests.chaos.witness import Witness

Place = tuple[int, int]
"""(chunks of the call, chunk that fails)."""

ALL_PLACES = [(n, k) for n in range(1, 9) for k in range(n)]
SOME_PLACES = [(1, 0), (2, 0), (2, 1), (8, 0), (8, 4), (8, 7)]

REFUSALS = (400, 401, 402, 403, 404, 413, 415, 422)
"""Statuses that prove that the server took nothing."""

DOUBTS = {
    "409 for other content": Mishap(answer=reply({"detail": "other content"}, 409)),
    "500, not to be retried": Mishap(answer=reply({"detail": "no"}, 500, {"x-should-retry": "false"})),
    "502 for ever": Mishap(FaultKind.STATUS_502_AFTER),
    "reset for ever": Mishap(FaultKind.RESET_BEFORE),
}
"""Ends of a submission after which nobody knows whether it was applied."""

FAILURES: dict[str, dict[str, Any]] = {
    "user": {"error": "bad datum", "category": "user"},
    "server": {"error": "out of memory", "category": "server"},
    "unnamed": {"error": None},
}
"""Results of a promise that failed."""

LOSSES = {
    "410 for good": Mishap(answer=reply({"detail": "gone"}, 410)),
    "404 for good": Mishap(answer=reply({"detail": "gone"}, 404)),
    "401": Mishap(answer=reply({"detail": "who are you"}, 401)),
    "no JSON for ever": Mishap(FaultKind.HTML_AFTER),
    "503 for ever": Mishap(FaultKind.STATUS_503_BEFORE),
    "reset for ever": Mishap(FaultKind.RESET_AFTER),
}
"""Ends of polling after which there is no result."""


class Batch:
    """A batch of n chunks, a step on it, and a batch behind the step."""

    def __init__(self, struck: World, chunks: int) -> None:
        self.struck = struck
        self.witness: Witness = struck.trainer()
        self.chunks = chunks
        self.gradient: Said
        self.step: Said
        self.behind: Said
        self.first: tuple[Said, Said]

    def run(self) -> None:
        """Call all three at once, as a pipelined loop does, and wait for the last."""
        self.gradient = self.witness.forward_backward(self.chunks)
        self.step = self.witness.optim_step()
        self.behind = self.witness.forward_backward()
        self.first = (self.gradient, self.step)
        self._end()

    def _end(self) -> None:
        witness = self.witness
        witness.simulation.advance_until(lambda: not witness.outstanding, 3 * PATIENCE_S)
        witness.simulation.advance(30.0)
        witness.check_all_ended()

    @property
    def applied(self) -> list[Mark]:
        """What the server applied."""
        return self.struck.service.applied

    @property
    def stepped(self) -> bool:
        """Whether the step was applied."""
        return (self.first[1].number, 0) in self.applied

    def goes_on(self) -> None:
        """Look at the failures, then train on as if nothing had been."""
        for said in (self.gradient, self.step, self.behind):
            self.witness.look(said)
        self.gradient, self.step = self.witness.forward_backward(), self.witness.optim_step()
        self._end()
        assert self.gradient.error is None
        assert self.step.error is None

    def is_poisoned(self) -> None:
        """Expect that the client refuses everything from now on."""
        refused = self.witness.optim_step()
        self._end()
        assert isinstance(refused.error, ClientPoisonedError), refused.error


def on_submission(place: Place, mishap: Mishap, mode: str, times: int = 1) -> Batch:
    """Let the submission of a chunk fail."""
    with world(optim_after=mode) as struck:
        batch = Batch(struck, place[0])
        struck.service.script.add(submission("forward_backward", (1, place[1])), mishap, times)
        batch.run()
        _judge_submission(batch, place, mishap)
    return batch


def _judge_submission(batch: Batch, place: Place, mishap: Mishap) -> None:
    chunks, bad = place
    status = mishap.answer.status if mishap.answer is not None else None
    if batch.gradient.error is None:
        assert batch.applied == [*[(1, chunk) for chunk in range(chunks)], (2, 0), (3, 0)]
        return
    assert (3, 0) not in batch.struck.service.tried
    assert (2, 0) not in batch.struck.service.tried
    assert batch.applied[:bad] == [(1, chunk) for chunk in range(bad)]
    if bad:
        error = batch.gradient.error
        assert isinstance(error, PartialBatchError)
        assert error.chunks_applied == tuple(range(bad))
        assert error.chunks_failed == tuple(range(bad, chunks))
    if status in REFUSALS and not bad:
        assert batch.gradient.applied == "no"
        batch.goes_on()
    else:
        batch.is_poisoned()


def in_promise(place: Place, mode: str, ready_after: int, strike: Callable[[World, Mark], None]) -> Batch:
    """Let the promise of a chunk fail."""
    with world(ServerDialect(ready_after_polls=ready_after), optim_after=mode) as struck:
        batch = Batch(struck, place[0])
        strike(struck, (1, place[1]))
        batch.run()
        if mode == "results" and batch.gradient.applied not in (None, "yes"):
            assert not batch.stepped
        if batch.gradient.applied == "unknown" or batch.step.applied == "yes":
            batch.is_poisoned()
        elif batch.gradient.error is not None:
            batch.goes_on()
    return batch


def _check_failed_promise(batch: Batch, place: Place, mode: str) -> None:
    chunks, bad = place
    batch.gradient, batch.step = batch.first
    error = batch.gradient.error
    if chunks > 1:
        assert isinstance(error, PartialBatchError)
        assert error.chunks_failed == (bad,)
        assert isinstance(error.__cause__, RequestFailedError)
    else:
        assert isinstance(error, (RequestFailedError, PartialBatchError))
    if batch.stepped:
        assert mode == "accepted"
        assert isinstance(batch.step.error, PartialBatchError)
        assert batch.step.applied == "yes"
    else:
        assert batch.step.applied == "no"


@pytest.mark.parametrize("status", REFUSALS)
def test_refused_chunk(status: int) -> None:
    """Nothing is sent behind a refused chunk; the error lists what was applied; a refused call is free."""
    for place in SOME_PLACES:
        on_submission(place, Mishap(answer=reply({"detail": "no"}, status)), "accepted")


@pytest.mark.parametrize("doubt", DOUBTS)
def test_chunk_of_unknown_outcome(doubt: str) -> None:
    """A chunk whose submission ends in doubt poisons the client, and nothing behind it is sent."""
    for place in SOME_PLACES:
        assert on_submission(place, DOUBTS[doubt], "accepted", 50).gradient.applied == "unknown"


@pytest.mark.parametrize("mode", ["accepted", "results"])
@pytest.mark.parametrize("failure", FAILURES)
def test_failed_promise_of_a_chunk(failure: str, mode: str) -> None:
    """With "results" no step runs on part of a batch; with "accepted" it says that it did, and poisons."""
    for place in SOME_PLACES:
        for ready_after in (0, 3):
            _fail_promise(place, failure, mode, ready_after)


def _fail_promise(place: Place, failure: str, mode: str, ready_after: int) -> None:
    def strike(struck: World, mark: Mark) -> None:
        struck.service.failing[mark] = FAILURES[failure]

    batch = in_promise(place, mode, ready_after, strike)
    _check_failed_promise(batch, place, mode)


@pytest.mark.parametrize("mode", ["accepted", "results"])
@pytest.mark.parametrize("loss", LOSSES)
def test_lost_promise_of_a_chunk(loss: str, mode: str) -> None:
    """A result that cannot be had says what is known of the chunk, and leaves nobody waiting."""
    for place in SOME_PLACES:
        _lose_promise(place, loss, mode)


def _lose_promise(place: Place, loss: str, mode: str) -> None:
    def strike(struck: World, mark: Mark) -> None:
        struck.service.script.add(struck.service.poll_of(mark), LOSSES[loss], 500)

    batch = in_promise(place, mode, 0, strike)
    gradient = batch.first[0]
    assert isinstance(gradient.error, TinkerError)
    assert gradient.applied == ("yes" if "for good" in loss else "unknown")


def _one_bad_poll(kind: FaultKind) -> Callable[[World, Mark], None]:
    def strike(struck: World, mark: Mark) -> None:
        struck.service.script.add(struck.service.poll_of(mark), Mishap(kind))

    return strike


@pytest.mark.long
@pytest.mark.parametrize("mode", ["accepted", "results"])
@pytest.mark.parametrize("place", ALL_PLACES)
def test_every_chunk_every_end(place: Place, mode: str) -> None:
    """Each place of up to 8 chunks, each kind of end, on submission and in the promise."""
    for kind in FaultKind:
        assert on_submission(place, Mishap(kind), mode).gradient.error is None, kind
        poll = in_promise(place, mode, 1, _one_bad_poll(kind))
        assert poll.first[0].error is None, kind
    for status in REFUSALS:
        on_submission(place, Mishap(answer=reply({"detail": "no"}, status)), mode)
    for doubt in DOUBTS.values():
        on_submission(place, doubt, mode, 50)
    for failure in FAILURES:
        for ready_after in (0, 3):
            _fail_promise(place, failure, mode, ready_after)
    for loss in LOSSES:
        _lose_promise(place, loss, mode)


@pytest.mark.parametrize("mode", ["accepted", "results"])
def test_step_on_a_gradient_whose_result_is_lost(mode: str) -> None:
    """With "accepted" a step needs the gradient, not its result; with "results" it is kept back."""
    with world(ServerDialect(duplicates="refuse"), optim_after=mode) as struck:
        batch = Batch(struck, 2)
        struck.service.script.add(submission("forward_backward", (1, 0)), Mishap(FaultKind.RESET_AFTER))
        batch.run()
        assert batch.gradient.applied == "yes"
        assert batch.stepped == (mode == "accepted")
        assert (batch.step.error is None) == batch.stepped
