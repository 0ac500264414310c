"""One call of a training client as the tests know it, and what its result must be."""

from __future__ import annotations

from typing import Any

import attrs
from tinsmith import APIFuture

GRADIENT = "forward_backward"
STEP = "optim_step"


@attrs.define(eq=False)
class Said:
    """One call, and what became of it."""

    number: int
    """Its place among the calls, from 1; its mark."""
    operation: str
    """What it is."""
    chunks: int
    """How many requests it is made of."""
    future: APIFuture[Any]
    """What the client gave for it."""
    called_at: int
    """When it was called, in events."""
    limit_s: float
    """Virtual time at which it must have ended."""
    ended_at: int | None = None
    """When its future was done, in events."""
    seen_at: int | None = None
    """When its owner looked at its outcome, in events."""
    unsent_at_cancel: bool = False
    """Whether it was cancelled before anything of it was sent."""

    @property
    def error(self) -> BaseException | None:
        """What it failed with; None for a result, and while it is not done."""
        if not self.future.done() or self.future.cancelled():
            return None
        return self.future.outcome_error()

    @property
    def applied(self) -> str | None:
        """What its error says about it."""
        return getattr(self.error, "applied", None)

    @property
    def all_marks(self) -> set[int]:
        """Its chunks."""
        return set(range(self.chunks))


def check_result(said: Said) -> None:
    """I5: the result of a call carries its mark."""
    value = said.future.result(0) if said.seen_at else _peek(said.future)
    number = said.number
    if said.operation in ("forward", GRADIENT):
        marks = [output["logprobs"].tolist() for output in value.loss_fn_outputs]
        assert marks == [[float(100 * number + chunk)] for chunk in range(said.chunks)], (
            f"I5: {number}: {marks}"
        )
        assert value.metrics == {"loss:sum": float(number * said.chunks)}, f"I5: {number}: {value.metrics}"
    elif said.operation == STEP:
        assert value.metrics == {"call": float(number)}, f"I5: {number}: {value.metrics}"
    else:
        assert value.path.rpartition("c")[2] == str(number), f"I5: {number}: {value.path}"


def _peek(future: APIFuture[Any]) -> Any:
    """Take a result without counting as a look at it."""
    before = future.delivered
    value = future.result(0)
    future.delivered = before
    return value
