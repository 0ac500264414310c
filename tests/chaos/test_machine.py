"""The state machine against the client as it is."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from tests.chaos.choices import QUIET
from tests.chaos.machine import ChaosMachine


def test_machine() -> None:
    """Whatever a program and the world do, client and server agree (a small run, the same each time)."""
    small = settings(
        max_examples=25, stateful_step_count=30, deadline=None, derandomize=True, suppress_health_check=QUIET
    )
    run_state_machine_as_test(ChaosMachine, settings=small)


@pytest.mark.long
def test_machine_at_length() -> None:
    """300 runs of 50 rules, other ones each time."""
    large = settings(
        max_examples=300, stateful_step_count=50, deadline=None, database=None, suppress_health_check=QUIET
    )
    run_state_machine_as_test(ChaosMachine, settings=large)
