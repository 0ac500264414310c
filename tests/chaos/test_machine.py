"""The state machine against the client as it is."""

from __future__ import annotations

import secrets

import pytest
from hypothesis import seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.chaos.choices import QUIET
from tests.chaos.machine import ChaosMachine


def test_machine() -> None:
    """Whatever a program and the world do, client and server agree (a small run, the same each time)."""
    small = settings(max_examples=25, stateful_step_count=30, derandomize=True, suppress_health_check=QUIET)
    run_state_machine_as_test(ChaosMachine, settings=small)


@pytest.mark.long
def test_machine_at_length(request: pytest.FixtureRequest) -> None:
    """300 runs of 50 rules, other ones each time; `--hypothesis-seed` plays those of a seed again."""
    given = request.config.getoption("--hypothesis-seed")
    number = secrets.randbelow(2**32) if given is None else int(given)
    large = settings(
        max_examples=300,
        stateful_step_count=50,
        database=None,
        report_multiple_bugs=False,
        suppress_health_check=QUIET,
    )
    try:
        run_state_machine_as_test(seed(number)(type("LongMachine", (ChaosMachine,), {})), settings=large)
    except Exception as error:
        error.add_note(f"these runs are played again by --hypothesis-seed={number}")
        raise
