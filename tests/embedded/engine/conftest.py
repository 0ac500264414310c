"""Each family's golden file in turn, for the tests of this folder."""

import pytest

from tests.embedded.engine.golden import FAMILIES, Golden, load_golden


@pytest.fixture(params=FAMILIES)
def golden(request: pytest.FixtureRequest) -> Golden:
    """Each family's golden file in turn."""
    return load_golden(request.param)
