"""What every answer to a poll means: the dialects of known servers, the fault matrix, and the pace."""

from __future__ import annotations

from typing import Any

import attrs
import orjson
import pytest
from tinsmith.core import errors
from tinsmith.core.codec.wire import ProtobufPayload
from tinsmith.core.config import PollPolicy
from tinsmith.core.polling import (
    Done,
    Failed,
    Moment,
    NotYet,
    Poll,
    PolledRequest,
    PollResult,
    PollState,
    Resubmit,
    failed_pause_s,
    not_ready_pause_s,
)
from tinsmith.core.retry import Fault

POLICY = PollPolicy()
RESULT = {"path": "tinker://run/weights/1"}


def decide(status: int, headers: Any, body: bytes, state: PollState, **known: Any) -> PollResult:
    """Say what follows an answer."""
    return Poll(status, headers, body, state, **known).decide()


def decide_fault(fault: Fault, state: PollState, **known: Any) -> Any:
    """Say what follows a poll without an answer."""
    return Poll(state=state, fault=fault, **known).decide()


def judge(status: int, body: Any = b"", state: PollState | None = None, **headers: str) -> PollResult:
    """Judge one answer with the defaults; header names with underscores."""
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return decide(status, names, raw, state or PollState(), request_id="r1")


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_any_2xx_with_an_object_is_the_result(status: int) -> None:
    """Servers differ in their success code; the payload is what counts."""
    assert judge(status, RESULT) == Done(RESULT)


def test_a_binary_result_is_handed_on() -> None:
    """Bytes of another content type are not parsed here."""
    judged = judge(200, b"\x0a\x01", content_type="application/x-protobuf; v=1")
    assert judged == Done(ProtobufPayload(b"\x0a\x01"))


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
    verdict = judge(status, body, PollState(failed=3, broken=1))
    assert isinstance(verdict, NotYet)
    assert (verdict.queue_state, verdict.queue_reason, verdict.failure) == ("paused_capacity", "full", None)
    assert (verdict.state.failed, verdict.state.broken, verdict.state.iteration) == (0, 0, 1)
    assert verdict.pause_s == 0.02


@pytest.mark.parametrize("body", [b"", b"<html>", b"[1]", {"detail": "pending"}, {"queue_state": 7}])
def test_a_408_needs_no_body(body: Any) -> None:
    """408 is "not ready", whatever it says."""
    verdict = judge(408, body)
    assert isinstance(verdict, NotYet)
    assert verdict.queue_state is None


@pytest.mark.parametrize(
    ("category", "expected"),
    [("user", "user"), ("server", "server"), ("User", "unknown"), (None, "unknown"), ("new", "unknown")],
)
def test_a_failed_promise_carries_its_category(category: str | None, expected: str) -> None:
    """`error` in the body ends the promise; categories are matched by case, and new ones are unknown."""
    verdict = judge(200, {"error": "bad datum", "category": category})
    assert isinstance(verdict, Failed)
    assert isinstance(verdict.error, errors.RequestFailedError)
    assert (verdict.error.category, verdict.error.message) == (expected, "bad datum")
    assert (verdict.error.request_id, verdict.error.applied) == ("r1", "no")


def test_the_key_error_counts_even_when_null() -> None:
    """The key alone marks a failure."""
    verdict = judge(200, {"error": None, "category": "server"})
    assert isinstance(verdict, Failed)
    assert "category" in verdict.error.message


def test_a_large_result_is_announced() -> None:
    """`complete_metadata` asks to make room, and then to poll for the whole."""
    verdict = judge(200, {"status": "complete_metadata", "response_payload_size": 77})
    assert isinstance(verdict, NotYet)
    assert (verdict.reserve_bytes, verdict.pause_s, verdict.state.metadata_only) == (77, 0.0, False)
    nameless = judge(200, {"status": "complete_metadata"})
    assert isinstance(nameless, NotYet)
    assert nameless.reserve_bytes == 0


@pytest.mark.parametrize("size", [-1, -(10**18), None, 1.5, "77"])
def test_a_size_that_is_none_takes_no_room(size: object) -> None:
    """Room is never given back before it was taken: a lie about the size frees nothing for others."""
    verdict = judge(200, {"status": "complete_metadata", "response_payload_size": size})
    assert isinstance(verdict, NotYet)
    assert (verdict.reserve_bytes, verdict.state.metadata_only) == (0, False)


def test_an_announcement_in_place_of_the_result_is_waited_for() -> None:
    """A server that goes on announcing what it was asked for is asked less and less often."""
    state, pauses = PollState(), []
    for _ in range(12):
        verdict = judge(200, {"status": "complete_metadata", "response_payload_size": 77}, state)
        assert isinstance(verdict, NotYet)
        assert verdict.reserve_bytes == 77
        state = verdict.state
        pauses.append(verdict.pause_s)
    assert pauses[0] == 0.0
    assert pauses[1:] == sorted(pauses[1:])
    assert pauses[1] > 0.0
    assert pauses[-1] > 5 * pauses[1]


def test_a_null_error_is_none() -> None:
    """Some servers dump an optional `error` beside a result."""
    verdict = judge(200, {"error": None, "metrics": {}})
    assert isinstance(verdict, Done)


UNREADABLE = [b"", b"<html>tml-abcdef12345</html>", b'{"path":', b"[1]", b"null", b"3"]
"""Answers of success that are no JSON object."""


def asked_until_the_end(status: int, body: bytes, **headers: str) -> tuple[list[float], float, Failed]:
    """Ask again as told, with the longest pauses, until the wait ends; return pauses, time and end."""
    state, now_s = PollState(), 0.0
    pauses: list[float] = []
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    while True:
        moment = Moment(waited_s=now_s, random=0.0)
        verdict = decide(status, names, body, state, moment=moment, request_id="r1")
        if isinstance(verdict, Failed):
            return pauses, now_s, verdict
        assert isinstance(verdict, NotYet)
        assert len(pauses) < 100
        pauses.append(verdict.pause_s)
        state, now_s = verdict.state, now_s + verdict.pause_s


@pytest.mark.parametrize("body", UNREADABLE)
def test_a_broken_body_is_asked_for_again_and_then_fails(body: bytes) -> None:
    """The pauses double from 0.5 s to 30 s; the same bytes over two minutes are a protocol error."""
    pauses, ended_s, verdict = asked_until_the_end(200, body)
    assert pauses == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]
    assert 120.0 <= ended_s < 151.0
    assert isinstance(verdict.error, errors.APIResponseValidationError)
    assert "tml-" not in str(verdict.error)
    assert (verdict.error.applied, verdict.error.attempts) == ("unknown", 10)


def test_an_empty_binary_result_is_a_broken_body() -> None:
    """An empty message is no result of a batch or a sample."""
    pauses, _, verdict = asked_until_the_end(200, b"", content_type="application/x-protobuf")
    assert pauses[0] == 0.5
    assert verdict.error.applied == "unknown"


def test_a_binary_result_that_cannot_be_decoded_is_a_broken_body() -> None:
    """Whoever decodes it has it asked for again, and in the end fails."""
    state = PollState(iteration=3)
    first = Poll(200, {}, b"junk", state, moment=Moment(), policy=POLICY, request_id="r1").unreadable("bytes")
    assert isinstance(first, NotYet)
    assert (first.state.iteration, first.state.broken, first.failure) == (4, 1, "broken body")
    old = attrs.evolve(first.state, broken=7)
    late = Moment(waited_s=120.0)
    last = Poll(200, {}, b"junk", old, moment=late, policy=POLICY, request_id="r1").unreadable("bytes")
    assert isinstance(last, Failed)
    assert (last.error.request_id, last.error.applied) == ("r1", "unknown")


def test_other_bytes_begin_the_two_minutes_anew() -> None:
    """A page that changes is a proxy at work; eight equal ones in a moment are one outage."""
    state = PollState()
    for turn in range(30):
        moment = Moment(waited_s=30.0 * turn)
        verdict = decide(200, {}, b"<html>%d</html>" % turn, state, moment=moment)
        assert isinstance(verdict, NotYet)
        state = verdict.state
    for _ in range(20):
        verdict = decide(200, {}, b"<html>", state, moment=Moment(waited_s=900.0))
        assert isinstance(verdict, NotYet)
        state = verdict.state
    assert (state.broken, state.broken_since_s) == (20, 900.0)
    calm = judge(408, b"", state)
    assert isinstance(calm, NotYet)
    assert (calm.state.broken, calm.state.failed) == (0, 0)


def test_patience_with_broken_bodies_is_a_setting() -> None:
    """Twice as many, twice as long."""
    policy = PollPolicy(broken_limit=2, broken_span=1.0)
    first = decide(200, {}, b"", PollState(), policy=policy)
    assert isinstance(first, NotYet)
    assert isinstance(decide(200, {}, b"", first.state, policy=policy, moment=Moment(waited_s=0.9)), NotYet)
    assert isinstance(decide(200, {}, b"", first.state, policy=policy, moment=Moment(waited_s=1.0)), Failed)


LOST = [
    "who?",
    "Future not found",
    "unknown promise 'r1'",
    "request_id: unknown promise 'r1'",
    "Failed to retrieve future",
]
"""Texts about a promise, or that nobody knows."""


@pytest.mark.parametrize("status", [404, 410])
@pytest.mark.parametrize("text", LOST)
def test_a_lost_promise_is_submitted_once_more(status: int, text: str) -> None:
    """Gone once: the same bytes again. Gone again under the same id: applied, but the result is lost."""
    first = judge(status, {"detail": text}, PollState(failed=2))
    assert isinstance(first, Resubmit)
    again = first.state.submitted_again(renewed=False)
    second = judge(status, {"detail": text}, again)
    assert isinstance(second, Failed)
    assert isinstance(second.error, errors.ResultLostError)
    assert second.error.applied == "yes"
    assert text in str(second.error)


@pytest.mark.parametrize(
    ("text", "applied"),
    [
        ("who?", "unknown"),
        ("Future not found", "unknown"),
        ("the model is too large", "no"),
    ],
)
def test_gone_at_once_under_another_id_is_a_failure(text: str, applied: str) -> None:
    """The server tells a failed promise so: `no` if it names what was missing, else nobody knows."""
    state = PollState().submitted_again(renewed=True)
    verdict = judge(404, {"detail": text}, state)
    assert isinstance(verdict, Failed)
    assert isinstance(verdict.error, errors.RequestFailedError)
    assert (verdict.error.applied, verdict.error.message, verdict.error.status_code) == (applied, text, 404)


def test_gone_later_under_another_id_is_a_lost_result() -> None:
    """Once the new promise was not ready, it was a promise; what is gone then is its result."""
    pending = judge(408, b"", PollState().submitted_again(renewed=True))
    assert isinstance(pending, NotYet)
    verdict = judge(404, {"detail": "who?"}, pending.state)
    assert isinstance(verdict, Failed)
    assert isinstance(verdict.error, errors.ResultLostError)


@pytest.mark.parametrize("status", [404, 410])
@pytest.mark.parametrize("renewed", [None, False, True])
@pytest.mark.parametrize(
    "text",
    [
        "Failed to retrieve future: Failed to read metadata for checkpoint nope.",
        "checkpoint not found: tinker://run/weights/x",
        "Checkpoint 'a' not found for model 'M'",
        "No such file or directory",
    ],
)
def test_a_missing_checkpoint_is_a_failure_at_the_first_time(
    status: int, renewed: bool | None, text: str
) -> None:
    """Nothing is submitted again for it."""
    state = PollState() if renewed is None else PollState().submitted_again(renewed=renewed)
    verdict = judge(status, {"detail": text}, state)
    assert isinstance(verdict, Failed)
    assert isinstance(verdict.error, errors.RequestFailedError)
    assert (verdict.error.applied, verdict.error.message) == ("no", text)


MODEL_GONE = [
    (404, "Failed to retrieve future: Unknown model"),
    (404, "model_id: unknown model 's:train:0'; create it, or restore it from a checkpoint"),
    (400, "Model abc not loaded (likely stale request from previous server)"),
    (410, "Session is terminated"),
    (410, "model_id: model s:train:0 is unloaded"),
    (404, "Model 'M' not found"),
    (422, "the session has expired"),
]


@pytest.mark.parametrize(("status", "text"), MODEL_GONE)
def test_a_model_that_is_gone_names_the_checkpoint(status: int, text: str) -> None:
    """Whatever the status: where to restore from, and nothing submitted again."""
    asked = PolledRequest("optim_step", 7, 9, checkpoint="tinker://r/weights/3")
    verdict = decide(status, {}, orjson.dumps({"detail": text}), PollState(), request_id="r1", request=asked)
    assert isinstance(verdict, Failed)
    assert isinstance(verdict.error, errors.ModelLostError)
    assert (verdict.error.checkpoint, verdict.error.applied) == ("tinker://r/weights/3", "unknown")
    assert text in str(verdict.error)


def test_a_creation_loses_no_model() -> None:
    """What has no number on a model speaks of a base model: an ordinary failure."""
    verdict = judge(400, {"detail": "Unknown model 'x'"})
    assert isinstance(verdict, Failed)
    assert isinstance(verdict.error, errors.RequestFailedError)


@pytest.mark.parametrize(
    "body", [{"detail": "Not Found"}, {"status": 404, "error": "Not Found", "path": "/"}]
)
def test_a_missing_route_is_called_that(body: dict[str, Any]) -> None:
    """A framework's bare words are about the operation, never about a promise or a model."""
    asked = PolledRequest("optim_step", 7, 9)
    verdict = decide(404, {}, orjson.dumps(body), PollState(), request_id="r1", request=asked)
    assert isinstance(verdict, Failed)
    assert isinstance(verdict.error, errors.NotFoundError)
    assert "this server has no such operation" in str(verdict.error)
    assert (verdict.error.applied, verdict.error.request_id) == ("unknown", "r1")


def test_nothing_is_resubmitted_to_a_server_that_does_not_deduplicate() -> None:
    """Law 7 holds after a 404 on a poll as well."""
    verdict = judge(410, {"detail": "gone"}, PollState(trusted=False))
    assert isinstance(verdict, Failed)
    assert isinstance(verdict.error, errors.ResultLostError)
    assert verdict.error.applied == "unknown"


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
    verdict = judge(status, body)
    assert isinstance(verdict, Failed)
    assert isinstance(verdict.error, errors.RequestFailedError)
    assert (verdict.error.message, verdict.error.category) == (message, "user")
    assert (verdict.error.status_code, verdict.error.applied) == (status, applied)


OWN = {400, 401, 403, 404, 409, 410, 422}
"""Statuses under which a text is the server's word on the promise or the key."""
OTHER_RULES = {402, 408, 425, 429}
GATEWAY = [b"", b" ", b"<html><h1>gateway</h1></html>", b'{"message": "Forbidden"}', b"[1]", b"busy"]


@pytest.mark.parametrize("status", sorted(set(range(400, 500)) - OTHER_RULES))
def test_what_something_on_the_way_says_is_no_word_on_the_promise(status: int) -> None:
    """Pages, nothing and a gateway's message are asked again as after a 5xx; so is all of other statuses."""
    bodies = [*GATEWAY, *([] if status in OWN else [b'{"detail": "no"}', b'{"error": "no"}'])]
    for body in bodies:
        verdict = judge(status, body, PollState(failed=1))
        assert isinstance(verdict, NotYet), (status, body, verdict)
        assert (verdict.pause_s, verdict.state.failed) == (1.3, 2)
        assert verdict.failure is not None
        assert verdict.failure.startswith(f"status {status}")


def test_noise_waits_as_it_asks() -> None:
    """Retry-After of a gateway is obeyed, up to the cap."""
    for told, pause_s in (("7", 7.0), ("900", 120.0)):
        verdict = judge(403, b"<html>", retry_after=told)
        assert isinstance(verdict, NotYet)
        assert verdict.pause_s == pause_s


def test_the_same_page_for_two_minutes_is_the_end() -> None:
    """A page under an error status ends the wait as one under 200 does; readable noise does not."""
    _, ended_s, verdict = asked_until_the_end(403, b"<html>login</html>")
    assert 120.0 <= ended_s < 160.0
    assert isinstance(verdict.error, errors.APIResponseValidationError)
    assert (verdict.error.applied, verdict.error.status_code) == ("unknown", 403)
    state = PollState()
    for _ in range(50):
        noise = judge(451, {"detail": "no"}, state)
        assert isinstance(noise, NotYet)
        state = noise.state
    assert state.broken == 0


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
    verdict = decide(409, {}, orjson.dumps({"detail": text}), PollState(), request=asked)
    assert isinstance(verdict, Failed)
    assert type(verdict.error) is cls
    assert verdict.error.applied == applied


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
    verdict = decide(409, {}, orjson.dumps({"detail": text}), PollState(), request=asked)
    assert isinstance(verdict, Failed)
    assert verdict.error.applied == applied


def test_a_500_is_a_failure_where_the_server_tells_them_so() -> None:
    """By its profile, a 500 with a text is final at once; a page is not."""
    text = orjson.dumps({"detail": "CUDA error"})
    verdict = decide(500, {}, text, PollState(), failure_500=True)
    assert isinstance(verdict, Failed)
    assert isinstance(verdict.error, errors.RequestFailedError)
    assert (verdict.error.category, verdict.error.applied) == ("server", "no")
    assert isinstance(decide(500, {}, b"<html>", PollState(), failure_500=True), NotYet)
    assert isinstance(decide(503, {}, text, PollState(), failure_500=True), NotYet)
    assert isinstance(decide(500, {}, text, PollState()), NotYet)


@pytest.mark.parametrize("body", [b"Internal Server Error", b""])
def test_a_bare_500_that_stays_is_final_where_results_cannot_be_written(body: bytes) -> None:
    """By its profile: the same answer eight times over two minutes; elsewhere it is waited out."""
    state, waited_s = PollState(), 0.0
    for _ in range(POLICY.broken_limit - 1):
        verdict = decide(500, {}, body, state, moment=Moment(waited_s=waited_s), bare_500=True)
        assert isinstance(verdict, NotYet)
        state, waited_s = verdict.state, waited_s + 20.0
    last = Moment(waited_s=waited_s)
    final = decide(500, {}, body, state, moment=last, bare_500=True, request_id="r1")
    assert isinstance(final, Failed)
    assert isinstance(final.error, errors.APIResponseValidationError)
    assert (final.error.applied, final.error.request_id) == ("unknown", "r1")
    assert "cannot write a result" in str(final.error)
    assert isinstance(decide(500, {}, body, state, moment=last), NotYet)
    assert isinstance(decide(502, {}, body, state, moment=last, bare_500=True), NotYet)


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_ends_the_wait_and_no_more(status: int) -> None:
    """The promise can be asked for again; a page of the same status is not about the key."""
    verdict = judge(status, {"detail": "no such key"})
    assert isinstance(verdict, Failed)
    assert isinstance(verdict.error, errors.APIStatusError)
    assert (verdict.error.applied, verdict.error.request_id) == ("unknown", "r1")
    assert "from_request_id" in verdict.error.__notes__[0]


@pytest.mark.parametrize("status", [400, 402, 404, 409, 429, 500, 503])
def test_a_poll_that_shall_not_be_repeated_says_nothing_of_the_promise(status: int) -> None:
    """`x-should-retry: false` ends the wait with the error of the status, and `unknown`."""
    verdict = judge(status, b"<html>", x_should_retry="false")
    assert isinstance(verdict, Failed)
    assert isinstance(verdict.error, errors.APIStatusError)
    assert verdict.error.applied == "unknown"


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
    verdict = judge(status, b"{}")
    assert isinstance(verdict, Failed)
    assert type(verdict.error) is cls
    assert verdict.error.applied == "unknown"


def test_a_storm_backs_off_to_thirty_seconds() -> None:
    """5xx and 429 double the pause from 1 s; an answer calms it."""
    state, pauses = PollState(), []
    for status in (503, 429, 500, 502, 504, 503, 503):
        verdict = decide(status, {}, b"", state, moment=Moment(random=0.0))
        assert isinstance(verdict, NotYet)
        assert verdict.failure is not None
        state = verdict.state
        pauses.append(verdict.pause_s)
    assert pauses == [1, 2, 4, 8, 16, 30, 30]
    calm = judge(408, b"", state)
    assert isinstance(calm, NotYet)
    assert calm.state.failed == 0


def test_jitter_never_makes_more_than_one_poll_a_second() -> None:
    """The longest pauses lie between 9 and 30 s, and none is below one."""
    assert failed_pause_s(1, 0.999, POLICY) == 1.0
    assert failed_pause_s(2, 0.999, POLICY) == 1.0
    assert 8.0 <= failed_pause_s(99, 0.999, POLICY) < 10.0
    assert failed_pause_s(10_000, 0.0, POLICY) == 30.0


def test_retry_after_is_honoured_on_polls() -> None:
    """Up to 120 s; above it a 429 is raised with the value, and a 5xx waits for the cap."""
    verdict = judge(503, b"", retry_after="33")
    assert isinstance(verdict, NotYet)
    assert verdict.pause_s == 33.0
    long = judge(503, b"", retry_after="500")
    assert isinstance(long, NotYet)
    assert long.pause_s == 120.0
    final = judge(429, b"", retry_after="500")
    assert isinstance(final, Failed)
    assert isinstance(final.error, errors.RateLimitError)
    assert final.error.retry_after_s == 500.0
    assert "500 s" in str(final.error)


@pytest.mark.parametrize(
    ("status", "told", "kind"), [(503, "false", Failed), (400, "true", NotYet), (404, "true", NotYet)]
)
def test_the_servers_own_word_on_retrying_wins(status: int, told: str, kind: type) -> None:
    """`x-should-retry` is obeyed on any error status."""
    assert isinstance(judge(status, {"detail": "x"}, x_should_retry=told), kind)


def test_a_500_that_keeps_saying_the_same_is_the_result() -> None:
    """Some servers report a failed promise as a 500 with a detail; others just stumble."""
    state = PollState()
    for turn in range(POLICY.detail_500_limit):
        verdict = judge(500, {"detail": "CUDA error"}, state)
        if turn < POLICY.detail_500_limit - 1:
            assert isinstance(verdict, NotYet)
            state = verdict.state
    assert isinstance(verdict, Failed)
    assert isinstance(verdict.error, errors.RequestFailedError)
    assert (verdict.error.category, verdict.error.message) == ("server", "CUDA error")
    for turn in range(40):
        stumble = judge(500, {"detail": f"try {turn}"}, state)
        assert isinstance(stumble, NotYet)
        state = stumble.state
        plain = judge(500, b"Internal Server Error", state)
        assert isinstance(plain, NotYet)
        assert plain.state.same_500 == 0


def test_an_unpaid_bill_is_waited_for_an_hour() -> None:
    """402 pauses 5 s at a time, and fails when nobody pays."""
    verdict = decide(402, {}, b"", PollState(), moment=Moment(waited_s=10.0))
    assert isinstance(verdict, NotYet)
    assert (verdict.pause_s, verdict.state.unpaid_since_s) == (5.0, 10.0)
    later = decide(402, {}, b"", verdict.state, moment=Moment(waited_s=3609.0))
    assert isinstance(later, NotYet)
    last = decide(402, {}, b"", later.state, moment=Moment(waited_s=3610.0))
    assert isinstance(last, Failed)
    assert isinstance(last.error, errors.BillingError)


@pytest.mark.parametrize("fault", [Fault.READ_TIMEOUT, Fault.DEADLINE])
def test_a_read_timeout_is_no_fault(fault: Fault) -> None:
    """The server held the poll longer than we do: ask again now."""
    verdict = decide_fault(fault, PollState(quick=4, failed=2))
    assert verdict == NotYet(PollState(iteration=1), 0.0)


def test_a_lost_connection_backs_off() -> None:
    """A connection error pauses as a 5xx does, and counts."""
    verdict = decide_fault(Fault.REFUSED, PollState(failed=2), moment=Moment(random=0.0))
    assert isinstance(verdict, NotYet)
    assert (verdict.pause_s, verdict.state.failed, verdict.failure) == (4.0, 3, "connection refused")


@pytest.mark.parametrize("fault", [Fault.TLS, Fault.CLOSED, Fault.REDIRECT])
def test_some_faults_end_the_polling(fault: Fault) -> None:
    """Asking again is useless."""
    assert isinstance(decide_fault(fault, PollState()), Failed)


def test_broken_compression_is_forgiven_as_long_as_broken_json() -> None:
    """The same fault over two minutes is the end; another one begins anew."""
    state = PollState()
    for count in range(1, 30):
        verdict = decide_fault(Fault.BROKEN_BODY, state, reason="bad gzip", moment=Moment(random=0.0))
        assert isinstance(verdict, NotYet)
        assert (verdict.state.broken, verdict.state.failed) == (count, count)
        assert verdict.pause_s == min(0.5 * 2 ** (count - 1), 30.0)
        state = verdict.state
    late = Moment(waited_s=120.0)
    other = decide_fault(Fault.BROKEN_BODY, state, reason="bad zstd", moment=late)
    assert other is not None
    assert other.state.broken == 1
    assert isinstance(decide_fault(Fault.BROKEN_BODY, state, reason="bad gzip", moment=late), Failed)


def _polls(ready_at_s: float, poll_took_s: float = 0.002) -> tuple[int, float]:
    """Play a server that does not hold polls; return how many it got, and how late the result was."""
    now, count, state = 0.0, 0, PollState()
    while True:
        count += 1
        now += poll_took_s
        if now >= ready_at_s:
            return count, now - ready_at_s
        verdict = decide(408, {}, b"{}", state, moment=Moment(took_s=poll_took_s, waited_s=now))
        assert isinstance(verdict, NotYet)
        state = verdict.state
        now += verdict.pause_s


def test_a_server_that_does_not_hold_polls_is_asked_seldom() -> None:
    """Ready after 2 s: at most 20 polls. Whenever it is ready, the result is hardly late."""
    assert _polls(2.0)[0] <= 20
    for tenths in range(1, 300, 7):
        ready = tenths / 10
        assert _polls(ready)[1] <= max(0.125, 0.06 * ready)
    assert _polls(3600.0)[0] < 4000


def test_a_held_poll_is_followed_at_once() -> None:
    """A server that holds polls is asked again without a pause, and the pace starts anew."""
    assert not_ready_pause_s(5, Moment(took_s=0.3, waited_s=100.0), POLICY) == 0.0
    held = decide(408, {}, b"", PollState(quick=5), moment=Moment(took_s=30.0, waited_s=60.0))
    assert isinstance(held, NotYet)
    assert (held.pause_s, held.state.quick) == (0.0, 0)


def test_the_pause_grows_from_20_ms_to_a_second() -> None:
    """The floor, the ramp, the share of the time waited, and the ceiling."""
    pauses = [not_ready_pause_s(quick, Moment(waited_s=0.0), POLICY) for quick in (0, 1, 2, 3, 99)]
    assert pauses == pytest.approx([0.02, 0.02, 0.06, 0.12, 0.12])
    assert not_ready_pause_s(9, Moment(waited_s=10.0), POLICY) == 0.5
    assert not_ready_pause_s(9, Moment(waited_s=999.0), POLICY) == 1.0


def test_a_verdict_remembers_every_poll() -> None:
    """Each answer counts one iteration, for the header that carries it."""
    verdict = judge(408, b"", attrs.evolve(PollState(), iteration=6))
    assert isinstance(verdict, NotYet)
    assert verdict.state.iteration == 7
