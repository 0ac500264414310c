"""The contract, loaded once, and one served service for the tests of a module."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from contract_document import load

from tests.api.world import served

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tinsmith_api import AuthenticatedClient


@pytest.fixture(scope="session")
def document() -> Any:
    """Read the contract."""
    return load()


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AuthenticatedClient]:
    """Open a client on a service behind a real loopback socket."""
    with served(tmp_path_factory.mktemp("data")) as opened:
        yield opened
