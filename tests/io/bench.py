"""What the tests of the wire share: a client over a ledger service on a frozen clock, and small data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tinsmith import AdamParams, Datum, ModelInput, ServiceClient
from tinsmith.testing.ledger_service import reply

from tests import guard

if TYPE_CHECKING:
    from collections.abc import Callable

    from tinsmith import APIFuture, TrainingClient
    from tinsmith.io.http.messages import Answer, Seen
    from tinsmith.testing import FrozenClock, LedgerService

WAIT_S = guard.WAIT_S
"""Real seconds after which a test that hangs fails."""

ADAM = AdamParams()


def datum(*tokens: int) -> Datum:
    """Make a datum for cross_entropy."""
    tokens = tokens or (1, 2, 3)
    return Datum(
        model_input=ModelInput.from_ints(list(tokens)),
        loss_fn_inputs={"target_tokens": list(tokens), "weights": [1.0] * len(tokens)},
    )


def trainer_on(service: LedgerService, **settings: Any) -> TrainingClient:
    """Make a training client of a service of its own."""
    client = ServiceClient(**service.settings(**settings))
    return client.create_lora_training_client("tinsmith/tiny").result(WAIT_S)


def timed(
    clock: FrozenClock, *calls: Callable[[], APIFuture[Any]]
) -> tuple[list[BaseException | None], float]:
    """Make calls while time stands still, wait for them, and return their errors and the client's time."""
    ended: list[float] = []
    with clock.held():
        began = clock.now()
        futures = [call() for call in calls]
        for future in futures:
            future.add_done_callback(lambda _: ended.append(clock.now()))
    errors = [future.exception(WAIT_S) for future in futures]
    clock.settle()
    return errors, max(ended) - began


def once(operation: str, *answers: Answer) -> Callable[[str, Seen, dict[str, Any]], Answer | None]:
    """Make a rule that answers the first requests of an operation with `answers`, one after the other."""
    left = list(answers)

    def rule(asked: str, _seen: Seen, _body: dict[str, Any]) -> Answer | None:
        return left.pop(0) if asked == operation and left else None

    return rule


def refuse(status: int, **fields: Any) -> Answer:
    """Make an error answer."""
    return reply({"detail": f"status {status}", **fields}, status)
