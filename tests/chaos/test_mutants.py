"""The state machine finds each mistake that is planted in the client, and none where none is planted.

It owns the hunt. The mistakes are in `mutants`, and what gives them away is the witness.
"""

from __future__ import annotations

import pytest
from hypothesis import Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.chaos.choices import QUIET
from tests.chaos.machine import ChaosMachine
from tests.chaos.mutants import MUTANTS

SEEDS = (1, 2, 3)
"""Each mutant must be found with each of them."""

EXAMPLES = 600
"""Runs of 50 rules within which a mutant must be found; most need a few dozen."""


def hunt(number: int, examples: int = EXAMPLES) -> None:
    """Run the machine until something is wrong; the runs are the same each time for the same seed."""
    machine = seed(number)(type(f"Hunt{number}", (ChaosMachine,), {}))
    bounded = settings(
        max_examples=examples,
        stateful_step_count=50,
        database=None,
        phases=[Phase.generate],
        report_multiple_bugs=False,
        suppress_health_check=QUIET,
    )
    run_state_machine_as_test(machine, settings=bounded)


def find(name: str, number: int) -> None:
    """Plant a mutant and fail if the machine does not find it."""
    with MUTANTS[name](), pytest.raises(AssertionError) as found:
        hunt(number)
    assert "tests/chaos/" in str(found.traceback[-1].path), "found by the client itself, not by its witness"


def test_there_are_twelve() -> None:
    """As many as were promised, at least."""
    assert len(MUTANTS) >= 12


@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_is_found(name: str) -> None:
    """One seed finds it."""
    find(name, SEEDS[0])


@pytest.mark.long
@pytest.mark.parametrize("number", SEEDS[1:])
@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_is_found_again(name: str, number: int) -> None:
    """So do two others."""
    find(name, number)


@pytest.mark.long
@pytest.mark.parametrize("number", SEEDS)
def test_client_as_it_is_passes(number: int) -> None:
    """The same runs find nothing in the client without a mutant."""
    hunt(number)
