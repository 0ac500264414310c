"""What a sampling client takes along into another process: its settings, and not its key."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING

from tinsmith.clients.sampling import Shared
from tinsmith.core.config import ClientConfig, Secret

if TYPE_CHECKING:
    import pytest


def test_a_server_of_ones_own_is_reached_from_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other keys and http to another machine, once allowed, are allowed there; the key is the process's."""
    here = ClientConfig(
        base_url="http://gpu.internal", api_key=Secret("sk-here"), insecure=True, require_key_prefix=False
    )
    packed = pickle.dumps(Shared.of(here))
    assert b"sk-here" not in packed
    monkeypatch.setenv("TINKER_API_KEY", "sk-there")
    there = pickle.loads(packed).context().connection.config
    assert (there.base_url, there.insecure, there.require_key_prefix) == (here.base_url, True, False)
    assert there.api_key == Secret("sk-there")
