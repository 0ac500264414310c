"""Fixtures of the wire: a frozen clock under every test, and a service in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tinsmith import testing

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def clock() -> Iterator[testing.FrozenClock]:
    """Run the clients of a test on a clock that jumps."""
    with testing.frozen_clock() as frozen:
        yield frozen


@pytest.fixture
def service(clock: testing.FrozenClock) -> testing.LedgerService:
    """Make a service in memory."""
    return testing.LedgerService()
