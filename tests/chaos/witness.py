"""Compare what the client says with what the server did: invariants I1 to I5, call by call.

It owns the calls of one training client, each with a mark of its own. It must not make anything fail.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tinsmith import (
    AdamParams,
    APIConnectionError,
    APIStatusError,
    ClientPoisonedError,
    Datum,
    ModelInput,
    ModelLostError,
    PartialBatchError,
    RequestFailedError,
    TinkerError,
)

from tests.chaos.said import GRADIENT, STEP, Said, check_result
from tests.chaos.server import LEARNING_RATE_UNIT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tinsmith import APIFuture, TrainingClient

    from tests.chaos.server import ChaosService, Mark
    from tests.chaos.simulation import Simulation

CHANGES_THE_MODEL = frozenset({GRADIENT, STEP, "load_weights"})
"""Operations after whose unknown outcome nobody knows what the model is."""
REFUSALS = (APIStatusError, APIConnectionError, ModelLostError)
"""What the failure of a submission is told as."""


class Witness:
    """The calls of one training client, from the first to the last."""

    def __init__(
        self,
        simulation: Simulation,
        service: ChaosService,
        trainer: TrainingClient,
        *,
        patience_s: float,
        first_mark: int = 1,
    ) -> None:
        self.simulation = simulation
        """Where it all runs."""
        self.service = service
        """What the server did."""
        self.trainer = trainer
        """Who calls."""
        self.calls: list[Said] = []
        """Every call, in order."""
        self.first_mark = first_mark
        """Mark of the first call; those of earlier clients of the same server are below."""
        self._patience_s = patience_s
        self._events = 0

    # Calls

    @property
    def next_mark(self) -> int:
        """Mark of the next call."""
        return self.first_mark + len(self.calls)

    def forward_backward(self, chunks: int = 1) -> Said:
        """Call it with one datum a chunk."""
        return self._call(
            GRADIENT, lambda mark: self._pass(self.trainer.forward_backward, mark, chunks), chunks
        )

    def forward(self, chunks: int = 1) -> Said:
        """Call it with one datum a chunk."""
        return self._call("forward", lambda mark: self._pass(self.trainer.forward, mark, chunks), chunks)

    def optim_step(self) -> Said:
        """Call it."""
        return self._call(
            STEP, lambda mark: self.trainer.optim_step(AdamParams(learning_rate=mark * LEARNING_RATE_UNIT))
        )

    def save(self) -> Said:
        """Call save_state."""
        return self._call("save_weights", lambda mark: self.trainer.save_state(f"c{mark}"))

    def load(self) -> Said:
        """Call load_state."""
        return self._call(
            "load_weights", lambda mark: self.trainer.load_state(f"tinker://r:train:0/weights/c{mark}")
        )

    def save_for_sampler(self) -> Said:
        """Call save_weights_for_sampler."""
        return self._call(
            "save_weights_for_sampler", lambda mark: self.trainer.save_weights_for_sampler(f"c{mark}")
        )

    @staticmethod
    def _pass(call: Callable[[list[Datum], Any], APIFuture[Any]], mark: int, chunks: int) -> APIFuture[Any]:
        return call([_datum(100 * mark + chunk) for chunk in range(chunks)], "cross_entropy")

    def _call(self, operation: str, act: Callable[[int], APIFuture[Any]], chunks: int = 1) -> Said:
        number = self.next_mark
        waiting = sum(said.chunks for said in self.calls if not said.future.done()) + chunks
        limit_s = self.simulation.now_s + self._patience_s * (1 + waiting)
        self._events += 1
        said = Said(number, operation, chunks, act(number), self._events, limit_s)
        self.calls.append(said)
        said.future.add_done_callback(lambda _: self._ended(said))
        return said

    def _ended(self, said: Said) -> None:
        self._events += 1
        said.ended_at = self._events

    def look(self, said: Said) -> None:
        """Look at the outcome of a call that is done."""
        if said.future.cancelled() or not said.future.done():
            return
        said.future.exception(0)
        self._events += 1
        said.seen_at = said.seen_at or self._events

    def cancel(self, said: Said) -> None:
        """Withdraw a call."""
        unsent = not any(call == said.number for call, _ in self.service.tried)
        if said.future.cancel() and said.future.cancelled():
            said.unsent_at_cancel = said.unsent_at_cancel or unsent

    @property
    def outstanding(self) -> list[Said]:
        """Calls whose future is not done."""
        return [said for said in self.calls if not said.future.done()]

    @property
    def is_dead(self) -> bool:
        """Whether the client refuses everything, as far as its errors say."""
        return any(
            self._must_poison(said) or isinstance(said.error, ClientPoisonedError) for said in self.calls
        )

    # Invariants

    def check(self) -> None:
        """Fail on the first breach of an invariant."""
        assert not self.service.breaches, self.service.breaches
        numbers = range(self.first_mark, self.next_mark)
        applied = [mark for mark in self.service.applied if mark[0] in numbers]
        assert len(set(applied)) == len(applied), f"I1: applied twice: {_doubles(applied)}"
        assert applied == sorted(applied), f"I3: applied out of order: {applied}"
        for said in self.calls:
            mine = {chunk for call, chunk in applied if call == said.number}
            self._check_outcome(said, mine)
            late = not said.future.done() and self.simulation.now_s > said.limit_s
            assert not late, f"I4: {said.operation} {said.number} has not ended"
        self._check_order_after_failures(applied)
        self._check_steps(applied)

    def check_all_ended(self) -> None:
        """Fail if a future is left without an outcome, and check everything else."""
        assert not self.outstanding, f"I4: left without an outcome: {self.outstanding}"
        self.check()

    def _check_outcome(self, said: Said, mine: set[int]) -> None:
        what = f"{said.operation} {said.number}"
        if not said.future.done():
            return
        if said.future.cancelled():
            assert not (said.unsent_at_cancel and mine), f"{what}: cancelled before it was sent, yet applied"
            return
        error = said.error
        if error is None:
            assert mine == said.all_marks, f"I2: {what} reports success, applied are {mine}"
            check_result(said)
            return
        assert isinstance(error, TinkerError), f"{what}: untyped error {error!r}"
        assert error.applied in ("no", "yes", "unknown"), f"I2: {what} does not say whether: {error!r}"
        assert error.applied != "no" or not mine, f"I2: {what} says not applied, but {mine} are: {error!r}"
        believed = mine | self._lost_failures(said)
        assert error.applied != "yes" or believed == said.all_marks, f"I2: {what} says applied: {error!r}"
        if isinstance(error, PartialBatchError) and said.operation == GRADIENT:
            listed = set(error.chunks_applied)
            assert listed <= believed, f"I2: {what} lists {error.chunks_applied} of {mine}"
            assert listed.isdisjoint(error.chunks_failed), what
            if _is_refusal(error.__cause__) and not self.service.at_once:
                behind = {chunk for chunk in mine if chunk > min(error.chunks_failed)}
                assert not behind, f"{what}: {behind} were sent behind a chunk that was refused"

    def _lost_failures(self, said: Said) -> set[int]:
        """Return the chunks that failed on the server, which then forgot that they did.

        Of a promise that is gone after its resubmission the fault matrix says applied="yes": the server took
        the request, and nobody can be asked any more whether it failed.
        """
        marks = self.service.forgotten & self.service.failing.keys()
        return {chunk for call, chunk in marks if call == said.number} & said.all_marks

    def _must_poison(self, said: Said) -> bool:
        return said.operation in CHANGES_THE_MODEL and said.applied == "unknown"

    def _check_order_after_failures(self, applied: list[Mark]) -> None:
        """Nothing that was called before a refusal is sent behind it; nothing at all follows a poison."""
        for said in self.calls:
            if said.ended_at is None:
                continue
            refused = _is_refusal(said.error)
            for later in self._behind(said):
                happened = any(call == later.number for call, _ in applied)
                if refused and later.called_at < said.ended_at:
                    assert not happened, f"{later.number} was applied behind {said.number}, which was refused"
                if self._must_poison(said) and later.called_at > said.ended_at:
                    assert not happened, f"{later.number} was applied after {said.number} poisoned the client"
                    assert later.error is None or later.applied == "no", f"{later.number}: {later.error!r}"

    def _behind(self, said: Said) -> Iterator[Said]:
        return (later for later in self.calls if later.number > said.number)

    def _check_steps(self, applied: list[Mark]) -> None:
        """A step stands on whole batches, or on a gradient's failure that its caller knew of."""
        batch: list[Said] = []
        refused: list[Said] = []
        for said in self.calls:
            if said.operation == GRADIENT:
                batch.append(said)
            if said.operation != STEP:
                continue
            if any(call == said.number for call, _ in applied):
                self._check_step(said, batch, refused, applied)
                batch = []
            elif isinstance(said.error, RequestFailedError):
                batch = []  # the server took the step, and failed it on its gradients
            elif said.applied == "no":
                refused.append(said)

    def _check_step(self, step: Said, batch: list[Said], refused: list[Said], applied: list[Mark]) -> None:
        for gradient in batch:
            mine = {chunk for call, chunk in applied if call == gradient.number}
            withdrawn = gradient.future.cancelled() and not mine
            if withdrawn or mine | self._lost_failures(gradient) == gradient.all_marks:
                continue
            told_by = [
                gradient.seen_at,
                *(each.ended_at for each in refused if each.number > gradient.number),
            ]
            if any(at is not None and at < step.called_at for at in told_by):
                continue
            results = self.trainer.holder.connection.config.optim_after == "results"
            assert not results, f"step {step.number} ran on {mine} of gradient {gradient.number}"
            told = step.applied == "unknown" or (
                isinstance(step.error, PartialBatchError) and step.error.applied == "yes"
            )
            assert told or not step.future.done() or step.future.cancelled(), (
                f"step {step.number} ran on {mine} of gradient {gradient.number} and says {step.error!r}"
            )


def _is_refusal(error: BaseException | None) -> bool:
    """Say whether an error is that of a submission which the server provably did not take."""
    return isinstance(error, REFUSALS) and error.applied == "no"


def _datum(mark: int) -> Datum:
    return Datum(
        model_input=ModelInput.from_ints([mark]), loss_fn_inputs={"target_tokens": [mark], "weights": [1.0]}
    )


def _doubles(applied: list[Mark]) -> list[Mark]:
    return sorted({mark for mark in applied if applied.count(mark) > 1})
