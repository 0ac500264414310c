"""What an answer of success to a poll means: a result, a failure, not ready yet, or a large result."""

from __future__ import annotations

from typing import Any

import attrs
import pytest
from tinsmith.core import errors
from tinsmith.core.codec.wire import ProtobufPayload
from tinsmith.core.polling import (
    Done,
    Failed,
    NotYet,
    PollState,
)

from tests.core.polls import result_of

RESULT = {"path": "tinker://run/weights/1"}


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_any_2xx_with_an_object_is_the_result(status: int) -> None:
    """Servers differ in their success code; the payload is what counts."""
    assert result_of(status, RESULT) == Done(RESULT)


def test_a_binary_result_is_handed_on() -> None:
    """Bytes of another content type are not parsed here."""
    result = result_of(200, b"\x0a\x01", content_type="application/x-protobuf; v=1")
    assert result == Done(ProtobufPayload(b"\x0a\x01"))


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, {"type": "try_again", "queue_state": "paused_capacity", "queue_state_reason": "full"}),
        # `try_again` is looked at before `error`
        (
            200,
            {
                "type": "try_again",
                "error": None,
                "queue_state": "paused_capacity",
                "queue_state_reason": "full",
            },
        ),
        (408, {"queue_state": "paused_capacity", "queue_state_reason": "full"}),
        (425, {"queue_state": "paused_capacity", "queue_state_reason": "full"}),
    ],
)
def test_not_ready_reports_the_queue(status: int, body: dict[str, Any]) -> None:
    """408, 425 and try_again say the same: ask again, no fault, and here is what you wait for."""
    result = result_of(status, body, PollState(failed=3, broken=1))
    assert isinstance(result, NotYet)
    assert (result.queue_state, result.queue_reason, result.failure) == ("paused_capacity", "full", None)
    assert (result.state.failed, result.state.broken, result.state.iteration) == (0, 0, 1)
    assert result.pause_s == 0.02


@pytest.mark.parametrize("body", [b"", b"<html>", b"[1]", {"detail": "pending"}, {"queue_state": 7}])
def test_a_408_needs_no_body(body: Any) -> None:
    """408 is "not ready", whatever it says."""
    result = result_of(408, body)
    assert isinstance(result, NotYet)
    assert result.queue_state is None


@pytest.mark.parametrize(
    ("category", "expected"),
    [("user", "user"), ("server", "server"), ("User", "unknown"), (None, "unknown"), ("new", "unknown")],
)
def test_a_failed_promise_carries_its_category(category: str | None, expected: str) -> None:
    """`error` in the body ends the promise; categories are matched by case, and new ones are unknown."""
    result = result_of(200, {"error": "bad datum", "category": category})
    assert isinstance(result, Failed)
    assert isinstance(result.error, errors.RequestFailedError)
    assert (result.error.category, result.error.message) == (expected, "bad datum")
    assert (result.error.request_id, result.error.applied) == ("r1", "no")


def test_the_key_error_counts_even_when_null() -> None:
    """The key alone marks a failure."""
    result = result_of(200, {"error": None, "category": "server"})
    assert isinstance(result, Failed)
    assert "category" in result.error.message


def test_a_large_result_is_announced() -> None:
    """`complete_metadata` asks to make room, and then to poll for the whole."""
    result = result_of(200, {"status": "complete_metadata", "response_payload_size": 77})
    assert isinstance(result, NotYet)
    assert (result.reserve_bytes, result.pause_s, result.state.metadata_only) == (77, 0.0, False)
    nameless = result_of(200, {"status": "complete_metadata"})
    assert isinstance(nameless, NotYet)
    assert nameless.reserve_bytes == 0


@pytest.mark.parametrize("size", [-1, -(10**18), None, 1.5, "77"])
def test_a_size_that_is_none_takes_no_room(size: object) -> None:
    """Room is never given back before it was taken: a lie about the size frees nothing for others."""
    result = result_of(200, {"status": "complete_metadata", "response_payload_size": size})
    assert isinstance(result, NotYet)
    assert (result.reserve_bytes, result.state.metadata_only) == (0, False)


def test_an_announcement_in_place_of_the_result_is_waited_for() -> None:
    """A server that goes on announcing what it was asked for is asked less and less often."""
    state, pauses = PollState(), []
    for _ in range(12):
        result = result_of(200, {"status": "complete_metadata", "response_payload_size": 77}, state)
        assert isinstance(result, NotYet)
        assert result.reserve_bytes == 77
        state = result.state
        pauses.append(result.pause_s)
    assert pauses[0] == 0.0
    assert pauses[1:] == sorted(pauses[1:])
    assert pauses[1] > 0.0
    assert pauses[-1] > 5 * pauses[1]


def test_a_null_error_is_none() -> None:
    """Some servers dump an optional `error` beside a result."""
    result = result_of(200, {"error": None, "metrics": {}})
    assert isinstance(result, Done)


def test_each_answer_counts_a_poll() -> None:
    """Each answer counts one iteration, for the header that carries it."""
    result = result_of(408, b"", attrs.evolve(PollState(), iteration=6))
    assert isinstance(result, NotYet)
    assert result.state.iteration == 7
