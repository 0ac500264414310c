"""The contract, read once, and a service to check."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from contract_document import load
from tinsmith_local.service import Service

from tests.contract.checked import served


@pytest.fixture(scope="session")
def loaded() -> dict[str, Any]:
    """Return the contract as it is. Nobody changes it."""
    return load()


@pytest.fixture
def document(loaded: dict[str, Any]) -> dict[str, Any]:
    """Return a copy of the contract, to be spoiled."""
    return copy.deepcopy(loaded)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Run one service for the checks of a module; each makes a session of its own."""
    found = served(tmp_path_factory.mktemp("checked") / "data")
    yield found
    found.close()
