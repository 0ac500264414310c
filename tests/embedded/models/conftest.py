"""Where the golden files are, and SmolLM2 where the cache has it."""

from pathlib import Path

import pytest
from tinsmith_local.models.fetch import SMOLLM2, find_cached

GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture(scope="session")
def smollm2_file() -> Path:
    """Return the SmolLM2 file, which `make setup` fetches."""
    path = find_cached(SMOLLM2)
    if path is None:
        pytest.skip("SmolLM2 is not in the cache: run `tinsmith model fetch smollm2`")
    return path
