"""schemathesis: every operation of the contract, all checks, against the app; no failure and no 500.

Few examples, the same in every run. `make fuzz` has many: see `fuzz_contract.py`.
"""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
from tinsmith_local.app.contract import Contract

from tests.embedded.contract_cases import APP, REFUSED, each_operation, hold_to_the_contract

if TYPE_CHECKING:
    from tests.embedded.contract_cases import Case


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


globals().update(each_operation(make))


def test_no_operation_is_left_out() -> None:
    """There is one test for each operation id."""
    assert {f"test_{operation_id}" for operation_id in Contract().ids()} <= globals().keys()


def test_each_operation_was_served() -> None:
    """Every operation that ran here was answered with success at least once, but for what is refused."""
    unserved = {op for op, found in APP.statuses.items() if not any(status < 400 for status in found)}
    assert unserved == REFUSED.keys() & APP.statuses.keys()
