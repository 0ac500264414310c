"""Error statuses and faults of polls: the failure of the promise, or of something else."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from tinsmith.core import errors
from tinsmith.core.polling import (
    Failed,
    NotYet,
    PolledRequest,
    PollState,
)
from tinsmith.core.retry import Fault

from tests.core.polls import POLICY, decide, decide_fault, result_of


@pytest.mark.parametrize(
    ("status", "body", "message", "applied"),
    [
        (400, {"detail": "token out of range"}, "token out of range", "no"),
        (400, {"error": "token out of range"}, "token out of range", "no"),
        (422, {"detail": "token out of range", "message": "x"}, "token out of range", "no"),
        # a list refuses the poll, and says nothing of the promise
        (422, {"detail": [{"loc": ["body", "data", 3], "msg": "too long"}]}, "data.3: too long", "unknown"),
        (400, {"detail": [{"loc": ["body", "request_id"], "msg": "bad"}]}, "request_id: bad", "unknown"),
        (409, {"detail": [{"msg": "bad"}]}, "bad", "unknown"),
        (404, {"detail": [{"msg": "bad"}]}, "bad", "unknown"),
        # a 409 without numbers proves nothing by itself
        (409, {"detail": "busy"}, "busy", "unknown"),
    ],
)
def test_a_4xx_is_the_failure_of_the_promise(status: int, body: Any, message: str, applied: str) -> None:
    """Servers that report failures by status are read as those that report them in a body."""
    result = result_of(status, body)
    assert isinstance(result, Failed)
    assert isinstance(result.error, errors.RequestFailedError)
    assert (result.error.message, result.error.category) == (message, "user")
    assert (result.error.status_code, result.error.applied) == (status, applied)


OWN = {400, 401, 403, 404, 409, 410, 422}
"""Statuses under which a text is about the promise or the key."""
OTHER_RULES = {402, 408, 425, 429}
GATEWAY = [b"", b" ", b"<html><h1>gateway</h1></html>", b'{"message": "Forbidden"}', b"[1]", b"busy"]


@pytest.mark.parametrize("status", sorted(set(range(400, 500)) - OTHER_RULES))
def test_an_answer_of_something_on_the_way_is_no_failure_of_the_promise(status: int) -> None:
    """Pages, nothing and a gateway's message are asked again as after a 5xx; so is all of other statuses."""
    bodies = [*GATEWAY, *([] if status in OWN else [b'{"detail": "no"}', b'{"error": "no"}'])]
    for body in bodies:
        result = result_of(status, body, PollState(failed=1))
        assert isinstance(result, NotYet), (status, body, result)
        assert (result.pause_s, result.state.failed) == (1.3, 2)
        assert result.failure is not None
        assert result.failure.startswith(f"status {status}")


NUMBERS = [
    # ours, highest sent, expected by the server: class of the error, applied
    (4, 4, 5, errors.ResultLostError, "yes"),
    (4, 9, 5, errors.ResultLostError, "yes"),
    (4, 9, 10, errors.ResultLostError, "yes"),
    (4, 9, 11, errors.ModelLostError, "unknown"),
    (5, 5, 4, errors.ModelLostError, "unknown"),
    (5, 5, 5, errors.ModelLostError, "unknown"),
]


@pytest.mark.parametrize(("ours", "highest", "expected", "cls", "applied"), NUMBERS)
def test_numbers_in_a_409_say_whether_ours_was_counted(
    ours: int, highest: int, expected: int, cls: type[errors.TinkerError], applied: str
) -> None:
    """Expected is above ours, and no more than one above what was sent: it was applied. Else all is lost."""
    text = f"Failed to retrieve future: Sequence conflict: expected {expected}, got {ours}."
    asked = PolledRequest("optim_step", ours, highest, checkpoint="tinker://r/weights/3")
    result = decide(409, {}, orjson.dumps({"detail": text}), PollState(), request=asked)
    assert isinstance(result, Failed)
    assert type(result.error) is cls
    assert result.error.applied == applied


@pytest.mark.parametrize(
    ("operation", "text", "resent", "applied"),
    [
        ("optim_step", "duplicate", True, "yes"),
        ("optim_step", "duplicate", False, "unknown"),
        ("save_weights", "Checkpoint 'a' already exists for model 'M'", False, "no"),
        ("save_weights", "Checkpoint 'a' already exists for model 'M'", True, "unknown"),
        ("optim_step", "Checkpoint 'a' already exists", False, "unknown"),
    ],
)
def test_a_409_on_a_poll_proves_what_one_on_a_submission_does(
    operation: str, text: str, resent: bool, applied: str
) -> None:
    """It was sent again, it speaks of a name, or it proves nothing."""
    asked = PolledRequest(operation, 4, 4, resent)
    result = decide(409, {}, orjson.dumps({"detail": text}), PollState(), request=asked)
    assert isinstance(result, Failed)
    assert result.error.applied == applied


def test_a_500_is_a_failure_where_the_server_reports_them_so() -> None:
    """By its profile, a 500 with a text is final at once; a page is not."""
    text = orjson.dumps({"detail": "CUDA error"})
    result = decide(500, {}, text, PollState(), failure_500=True)
    assert isinstance(result, Failed)
    assert isinstance(result.error, errors.RequestFailedError)
    assert (result.error.category, result.error.applied) == ("server", "no")
    assert isinstance(decide(500, {}, b"<html>", PollState(), failure_500=True), NotYet)
    assert isinstance(decide(503, {}, text, PollState(), failure_500=True), NotYet)
    assert isinstance(decide(500, {}, text, PollState()), NotYet)


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_ends_the_wait_and_no_more(status: int) -> None:
    """The promise can be asked for again; a page of the same status is not about the key."""
    result = result_of(status, {"detail": "no such key"})
    assert isinstance(result, Failed)
    assert isinstance(result.error, errors.APIStatusError)
    assert (result.error.applied, result.error.request_id) == ("unknown", "r1")
    assert "from_request_id" in result.error.__notes__[0]


@pytest.mark.parametrize("status", [400, 402, 404, 409, 429, 500, 503])
def test_a_poll_that_shall_not_be_repeated_says_nothing_of_the_promise(status: int) -> None:
    """`x-should-retry: false` ends the wait with the error of the status, and `unknown`."""
    result = result_of(status, b"<html>", x_should_retry="false")
    assert isinstance(result, Failed)
    assert isinstance(result.error, errors.APIStatusError)
    assert result.error.applied == "unknown"


@pytest.mark.parametrize(
    ("status", "cls"),
    [
        (401, errors.AuthenticationError),
        (403, errors.PermissionDeniedError),
        (302, errors.APIStatusError),
        (101, errors.APIStatusError),
    ],
)
def test_a_refused_poll_is_no_failure_of_the_promise(status: int, cls: type[errors.APIStatusError]) -> None:
    """A wrong key or a redirect says nothing of the promise."""
    result = result_of(status, b"{}")
    assert isinstance(result, Failed)
    assert type(result.error) is cls
    assert result.error.applied == "unknown"


@pytest.mark.parametrize(
    ("status", "hint", "kind"), [(503, "false", Failed), (400, "true", NotYet), (404, "true", NotYet)]
)
def test_x_should_retry_wins(status: int, hint: str, kind: type) -> None:
    """`x-should-retry` is obeyed on any error status."""
    assert isinstance(result_of(status, {"detail": "x"}, x_should_retry=hint), kind)


def test_a_500_that_keeps_saying_the_same_is_the_result() -> None:
    """Some servers report a failed promise as a 500 with a detail; others just stumble."""
    state = PollState()
    for turn in range(POLICY.detail_500_limit):
        result = result_of(500, {"detail": "CUDA error"}, state)
        if turn < POLICY.detail_500_limit - 1:
            assert isinstance(result, NotYet)
            state = result.state
    assert isinstance(result, Failed)
    assert isinstance(result.error, errors.RequestFailedError)
    assert (result.error.category, result.error.message) == ("server", "CUDA error")
    for turn in range(40):
        stumble = result_of(500, {"detail": f"try {turn}"}, state)
        assert isinstance(stumble, NotYet)
        state = stumble.state
        plain = result_of(500, b"Internal Server Error", state)
        assert isinstance(plain, NotYet)
        assert plain.state.same_500 == 0


@pytest.mark.parametrize("fault", [Fault.TLS, Fault.CLOSED, Fault.REDIRECT])
def test_some_faults_end_the_polling(fault: Fault) -> None:
    """Asking again is useless."""
    assert isinstance(decide_fault(fault, PollState()), Failed)
