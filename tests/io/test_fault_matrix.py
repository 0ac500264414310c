"""One fault at every position of the wire, with the client on its own threads as programs run it.

Each run ends in exactly-once, or in an error that is true. `tests/chaos` plays the same in a simulation,
further.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import pytest
from tinsmith import APIFuture, ServiceClient, TinkerError, testing
from tinsmith.core.config import ClientConfig, PollPolicy
from tinsmith.testing.faults import AtPosition, FaultKind
from tinsmith.testing.service import ServerDialect

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
        trainer = client.create_lora_training_client("tinsmith/tiny")
    except TinkerError as error:
        return error
    futures = [call(trainer) for _, call in SCRIPT]
    errors = [future.exception(WAIT_S) for future in futures]
    took_s = clock.now() - began
    assert all(error is None or isinstance(error, TinkerError) for error in errors)
    client.close(timeout=0.0)
    return Outcome(errors, trainer.model_id, took_s)  # type: ignore[arg-type]


def check(service: testing.LedgerService, outcome: Outcome) -> None:
    """Compare what each future says with what the ledger has."""
    assert service.ledger.doubles() == []
    applied = service.ledger.of(outcome.model_id)
    assert [entry.seq_id for entry in applied] == sorted(entry.seq_id for entry in applied)
    names = [entry.operation for entry in applied]
    for (operation, _), error in zip(SCRIPT, outcome.errors, strict=True):
        said = "yes" if error is None else error.applied
        there = bool(names) and names[0] == operation
        if there and said in ("yes", "unknown"):
            names.pop(0)
        assert said in ("no", "yes", "unknown")
        assert not (said == "yes" and not there), f"{operation} says applied, and is not"
    assert names == [], f"applied without a future that says so: {names}"


def positions() -> int:
    """Count the requests of a run without faults."""
    with testing.frozen_clock() as clock:
        service = testing.LedgerService()
        outcome = play(service, clock)
        assert isinstance(outcome, Outcome)
        assert outcome.errors == [None] * len(SCRIPT)
        return len(service.seen)


@pytest.mark.parametrize("mode", ["accepted", "results"])
@pytest.mark.parametrize("kind", FaultKind)
def test_one_fault_at_each_position(kind: FaultKind, mode: str) -> None:
    """Against a server that deduplicates, every single fault at every position is survived."""
    for position in range(positions()):
        with testing.frozen_clock() as clock:
            service = testing.LedgerService(plan=AtPosition({position: kind}))
            outcome = play(service, clock, optim_after=mode)
            assert isinstance(outcome, Outcome), f"position {position}: {outcome}"
            assert outcome.errors == [None] * len(SCRIPT), f"position {position}"
            assert outcome.took_s < DEADLINE_S
            service.ledger.assert_exactly_once(outcome.model_id, len(SCRIPT))


@pytest.mark.long
@pytest.mark.parametrize("mode", ["accepted", "results"])
@pytest.mark.parametrize("kind", FaultKind)
def test_one_fault_without_deduplication(kind: FaultKind, mode: str) -> None:
    """On a server that applies every duplicate, nothing is applied twice, and every error tells the truth."""
    if kind is FaultKind.DUPLICATED:
        return  # a network that delivers twice to a server that applies twice is beyond any client
    for position in range(positions()):
        with testing.frozen_clock() as clock:
            dialect = ServerDialect(duplicates="apply")
            service = testing.LedgerService(dialect, AtPosition({position: kind}))
            outcome = play(service, clock, optim_after=mode, server_deduplicates=False)
            if isinstance(outcome, Outcome):
                check(service, outcome)
                assert outcome.took_s < DEADLINE_S


@pytest.mark.long
@pytest.mark.parametrize("kind", FaultKind)
def test_one_fault_against_conflicts(kind: FaultKind) -> None:
    """On a server that answers 409 to duplicates, nothing is applied twice, and every error is true."""
    for position in range(positions()):
        with testing.frozen_clock() as clock:
            service = testing.LedgerService(
                ServerDialect(duplicates="conflict"), AtPosition({position: kind})
            )
            outcome = play(service, clock)
            assert isinstance(outcome, Outcome)
            check(service, outcome)
            assert outcome.took_s < DEADLINE_S


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
