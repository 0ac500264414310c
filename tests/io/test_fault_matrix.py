"""One fault at every position of the wire, with the client on its own threads as programs run it.

Against a server that deduplicates each run ends in exactly-once. `tests/chaos/test_positions.py` plays the
other servers and both rules of when a step goes out, in a simulation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import pytest
from tinsmith import APIFuture, ServiceClient, TinkerError, testing
from tinsmith.core.config import ClientConfig, PollPolicy
from tinsmith.testing.fault_plans import AtPosition, FaultKind
from tinsmith.testing.ledger_service import ServerDialect

from tests.io.bench import ADAM, WAIT_S, datum

if TYPE_CHECKING:
    from collections.abc import Callable

    from tinsmith import TrainingClient

DEADLINE_S = 600.0
"""Most time of the client's clock that a run with one fault may take."""

SCRIPT: list[tuple[str, Callable[[TrainingClient], APIFuture[Any]]]] = [
    ("forward_backward", lambda trainer: trainer.forward_backward([datum()], "cross_entropy")),
    ("optim_step", lambda trainer: trainer.optim_step(ADAM)),
    ("forward", lambda trainer: trainer.forward([datum()], "cross_entropy")),
    ("forward_backward", lambda trainer: trainer.forward_backward([datum(4)], "cross_entropy")),
    ("optim_step", lambda trainer: trainer.optim_step(ADAM)),
    ("save_weights", lambda trainer: trainer.save_state("end")),
]
"""Six requests, all in flight at once."""


@attrs.frozen
class Outcome:
    """What became of a run."""

    errors: list[TinkerError | None]
    """One entry a request of the script; None where it has its result."""
    model_id: str
    """The model."""
    took_s: float
    """On the client's clock."""


def play(
    service: testing.LedgerService, clock: testing.FrozenClock, **settings: Any
) -> Outcome | TinkerError:
    """Run the script to its end; a client that cannot be made gives its error instead."""
    began = clock.now()
    client = ServiceClient(**service.settings(**settings))
    try:
        trainer = client.create_lora_training_client("tinsmith/tiny").result()
    except TinkerError as error:
        return error
    futures = [call(trainer) for _, call in SCRIPT]
    errors = [future.exception(WAIT_S) for future in futures]
    took_s = clock.now() - began
    assert all(error is None or isinstance(error, TinkerError) for error in errors)
    client.close(timeout=0.0)
    return Outcome(errors, trainer.model_id, took_s)  # type: ignore[arg-type]


def positions() -> int:
    """Count the requests of a run without faults."""
    with testing.frozen_clock() as clock:
        service = testing.LedgerService()
        outcome = play(service, clock)
        assert isinstance(outcome, Outcome)
        assert outcome.errors == [None] * len(SCRIPT)
        return len(service.seen)


@pytest.mark.parametrize("kind", FaultKind)
def test_one_fault_at_each_position(kind: FaultKind) -> None:
    """Against a server that deduplicates, every single fault at every position is survived."""
    for position in range(positions()):
        with testing.frozen_clock() as clock:
            service = testing.LedgerService(plan=AtPosition({position: kind}))
            outcome = play(service, clock)
            assert isinstance(outcome, Outcome), f"position {position}: {outcome}"
            assert outcome.errors == [None] * len(SCRIPT), f"position {position}"
            assert outcome.took_s < DEADLINE_S
            service.ledger.assert_exactly_once(outcome.model_id, len(SCRIPT))


@pytest.mark.parametrize("kind", FaultKind)
@pytest.mark.parametrize("not_yet", ["408", "try_again"])
def test_faults_while_results_are_not_ready(kind: FaultKind, not_yet: Any) -> None:
    """Faults among polls that are told "not yet" in either dialect change nothing.

    Every fourth request is struck, and promises are asked for in turn: all unreadable answers may fall to one
    of them, so the client is told to bear that many.
    """
    struck = range(2, 41, 4)
    with testing.frozen_clock() as clock:
        dialect = ServerDialect(ready_after_polls=3, not_yet=not_yet)
        service = testing.LedgerService(dialect, AtPosition(dict.fromkeys(struck, kind)))
        patient = ClientConfig.from_environment(
            base_url="http://127.0.0.1:1/",
            api_key="tml-test",
            server_deduplicates=True,
            poll=PollPolicy(broken_limit=len(struck) + 1),
        )
        outcome = play(service, clock, config=patient)
        assert isinstance(outcome, Outcome)
        assert outcome.errors == [None] * len(SCRIPT)
        service.ledger.assert_exactly_once(outcome.model_id, len(SCRIPT))
