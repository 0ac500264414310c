"""The contract, read once."""

import copy
from typing import Any

import pytest
from contract_document import load


@pytest.fixture(scope="session")
def loaded() -> dict[str, Any]:
    """Return the contract as it is. Nobody changes it."""
    return load()


@pytest.fixture
def document(loaded: dict[str, Any]) -> dict[str, Any]:
    """Return a copy of the contract, to be spoiled."""
    return copy.deepcopy(loaded)
