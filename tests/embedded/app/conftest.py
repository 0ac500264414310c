"""A running service for each test, on a directory of its own."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.embedded.app.caller import Caller


@pytest.fixture
def open_caller(tmp_path: Path) -> Iterator[Callable[..., Caller]]:
    """Start services with options of the test's choice; they end with the test."""
    opened: list[Caller] = []

    def start(name: str = "data", **options: Any) -> Caller:
        opened.append(Caller.on(tmp_path / name, **options))
        return opened[-1]

    yield start
    for caller in opened:
        caller.close()


@pytest.fixture
def caller(open_caller: Callable[..., Caller]) -> Caller:
    """Start a service with its defaults."""
    return open_caller()
