"""Whose promises and results are."""

from __future__ import annotations

from typing import Any

import pytest
from tinsmith.core.claims import RECENT, Claims, foreign

KINDS: list[tuple[str, Any, bool]] = [
    ("optim_step", {"metrics": {}}, False),
    ("optim_step", {"metrics": {}, "loss_fn_outputs": None}, False),
    ("optim_step", {"metrics": {}, "loss_fn_outputs": []}, True),
    ("optim_step", {"sequences": []}, True),
    ("optim_step", {"type": "forward_backward"}, True),
    ("forward", {"type": "forward_backward", "loss_fn_outputs": []}, False),
    ("forward_backward", {"type": "forward"}, False),
    ("forward_backward", {"type": "optim_step"}, True),
    ("asample", {"type": "sample", "sequences": []}, False),
    ("asample", {"type": "asample"}, False),
    ("asample", {"type": "create_model"}, True),
    ("load_weights", {"type": "create_model"}, False),
    ("create_model", {"type": "load_weights"}, False),
    ("create_model", {"type": "unload_model"}, True),
    ("save_weights", {"type": None}, False),
    ("save_weights", {"type": "SaveWeights"}, False),
    ("save_weights", {"type": "save_weights_external"}, True),
    ("some_new_operation", {"type": "sample", "sequences": []}, False),
    ("optim_step", b"bytes", False),
]


@pytest.mark.parametrize(("operation", "payload", "is_foreign"), KINDS)
def test_results_of_other_operations(operation: str, payload: Any, is_foreign: bool) -> None:
    """A known type of another operation, or a field that only others have."""
    assert (foreign(operation, payload) is not None) is is_foreign


def test_a_promise_belongs_to_one_call() -> None:
    """While it is outstanding and for a while after; the same call may be given it again."""
    claims = Claims()
    assert not claims.is_of_another("a", 1)
    claims.given("a", 1)
    claims.given("b", 2)
    assert [claims.is_of_another("a", call) for call in (1, 2)] == [False, True]
    claims.ended("a")
    claims.ended("never given")
    assert [claims.is_of_another("a", call) for call in (1, 2)] == [False, True]


def test_a_lost_promise_sets_the_ended_ones_free() -> None:
    """Those outstanding keep their owners."""
    claims = Claims()
    for request_id, call in (("a", 1), ("b", 2), ("c", 3)):
        claims.given(request_id, call)
    claims.ended("a")
    claims.lost("b")
    assert [claims.is_of_another(request_id, 9) for request_id in "abc"] == [False, False, True]


def test_ended_promises_take_bounded_room() -> None:
    """The oldest are forgotten."""
    claims = Claims()
    for number in range(1000):
        claims.given(str(number), number)
        claims.ended(str(number))
    taken = [number for number in range(1000) if claims.is_of_another(str(number), "other")]
    assert taken == list(range(1000 - RECENT, 1000))
