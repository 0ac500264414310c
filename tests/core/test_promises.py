"""Whose promises and results are."""

from __future__ import annotations

from typing import Any

import pytest
from tinsmith.core.promises import RECENT, PromiseOwners, foreign_result

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
    assert (foreign_result(operation, payload) is not None) is is_foreign


def test_a_promise_belongs_to_one_call() -> None:
    """While it is outstanding and for a while after; the same call may be given it again."""
    promise_owners = PromiseOwners()
    assert not promise_owners.is_of_another("a", 1)
    promise_owners.assign("a", 1)
    promise_owners.assign("b", 2)
    assert [promise_owners.is_of_another("a", call) for call in (1, 2)] == [False, True]
    promise_owners.ended("a")
    promise_owners.ended("never given")
    assert [promise_owners.is_of_another("a", call) for call in (1, 2)] == [False, True]


def test_ended_promises_count_again_once_ids_go_on() -> None:
    """A new id after a loss shows that the server did not start its ids again."""
    promise_owners = PromiseOwners()
    for request_id in ("a", "b"):
        promise_owners.assign(request_id, request_id)
    promise_owners.ended("a")
    promise_owners.lost("b")
    promise_owners.assign("c", 3)
    assert promise_owners.is_of_another("a", 4)


def test_ended_promises_are_forgotten_once_ids_start_again() -> None:
    """An id of the past after a loss is a new promise, and so are all others of that time."""
    promise_owners = PromiseOwners()
    for request_id in ("a", "b", "c"):
        promise_owners.assign(request_id, request_id)
        promise_owners.ended(request_id)
    promise_owners.lost("c")
    promise_owners.assign("a", 4)
    assert [promise_owners.is_of_another(request_id, 5) for request_id in "abc"] == [True, False, False]


def test_a_lost_promise_sets_the_ended_ones_free() -> None:
    """Those outstanding keep their owners."""
    promise_owners = PromiseOwners()
    for request_id, call in (("a", 1), ("b", 2), ("c", 3)):
        promise_owners.assign(request_id, call)
    promise_owners.ended("a")
    promise_owners.lost("b")
    assert [promise_owners.is_of_another(request_id, 9) for request_id in "abc"] == [False, False, True]


def test_ended_promises_take_bounded_room() -> None:
    """The oldest are forgotten."""
    promise_owners = PromiseOwners()
    for number in range(1000):
        promise_owners.assign(str(number), number)
        promise_owners.ended(str(number))
    assert list(promise_owners._ended) == [str(number) for number in range(1000 - RECENT, 1000)]
    assert promise_owners._outstanding == {}


def test_a_server_that_counts_anew_is_believed_at_the_second_id_of_the_past() -> None:
    """One stale id is refused, however often; another one right after it means that all count again."""
    promise_owners = PromiseOwners()
    for number in range(5):
        promise_owners.assign(str(number), number)
        promise_owners.ended(str(number))
    assert [promise_owners.is_of_another("1", call) for call in (7, 7, 8)] == [True, True, True]
    assert not promise_owners.is_of_another("2", 8)
    promise_owners.assign("2", 8)
    assert not promise_owners.is_of_another("3", 9)
    assert promise_owners.is_of_another("2", 9), "that is outstanding"


def test_two_stale_answers_apart_are_two_stale_answers() -> None:
    """A fresh promise between them says that the server counts on."""
    promise_owners = PromiseOwners()
    for number in range(5):
        promise_owners.assign(str(number), number)
        promise_owners.ended(str(number))
    assert promise_owners.is_of_another("1", 7)
    promise_owners.assign("6", 7)
    assert promise_owners.is_of_another("2", 8)


def test_claims_without_a_past() -> None:
    """Only what is outstanding counts where nothing that ended is kept."""
    promise_owners = PromiseOwners(recent=0)
    promise_owners.assign("a", 1)
    assert promise_owners.is_of_another("a", 2)
    promise_owners.ended("a")
    assert not promise_owners.is_of_another("a", 2)
