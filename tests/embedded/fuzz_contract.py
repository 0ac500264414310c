"""`make fuzz`: as `test_contract_fuzz.py`, with many examples, new ones in every run.

Chunks are text alone here. schemathesis cannot always negate a union inside an array, and then ends with an
error of its own; the short run, which repeats itself exactly, has the union.
"""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from tests.embedded.contract_cases import APP, each_operation, hold_to_the_contract

if TYPE_CHECKING:
    from tests.embedded.contract_cases import Case

EXAMPLES = 200
pytestmark = pytest.mark.timeout(1800)


@pytest.fixture(scope="module", autouse=True)
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """One service for all operations."""
    APP.start(tmp_path_factory.mktemp("fuzz"))
    yield
    APP.caller.close()


def make() -> Callable[..., None]:
    """Make a test of one operation."""

    def test(case: "Case") -> None:
        """Valid data is served or refused for a reason, invalid data is refused, answers fit their schema."""
        hold_to_the_contract(case)

    return test


globals().update(each_operation(make, text_only=True, max_examples=EXAMPLES, deterministic=False))
