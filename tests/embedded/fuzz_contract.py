"""`make fuzz`: the tests of `test_contract_fuzz.py` with many examples, new ones in every run.

Chunks are text alone here. schemathesis cannot always negate a union inside an array, and then ends with an
error of its own; the short run, which repeats itself exactly, has the union.
"""

import pytest

from tests.embedded.contract_cases import each_operation
from tests.embedded.test_contract_fuzz import make, service

__all__ = ["service"]

EXAMPLES = 200
pytestmark = pytest.mark.timeout(1800)
globals().update(each_operation(make, text_only=True, max_examples=EXAMPLES, deterministic=False))
