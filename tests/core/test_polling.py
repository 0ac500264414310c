"""What every answer to a poll means: the dialects of known servers, the fault matrix, and the pace."""

from __future__ import annotations

from typing import Any

import attrs
import orjson
import pytest
from tinsmith.core import errors
from tinsmith.core.codec.wire import ProtobufPayload
from tinsmith.core.pacing import Moment, not_ready_pause_s, storm_pause_s
from tinsmith.core.policy import PollPolicy
from tinsmith.core.polling import (
    Done,
    Failed,
    NotYet,
    PollState,
    Resubmit,
    Verdict,
    decide,
    decide_fault,
)
from tinsmith.core.verdict import Fault

POLICY = PollPolicy()
RESULT = {"path": "tinker://run/weights/1"}


def judge(status: int, body: Any = b"", state: PollState | None = None, **headers: str) -> Verdict:
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


@pytest.mark.parametrize("body", [b"", b"<html>tml-abcdef12345</html>", b'{"path":', b"[1]", b"null", b"3"])
def test_a_broken_body_is_asked_for_again_and_then_fails(body: bytes) -> None:
    """Three broken answers are forgiven; the fourth is a protocol error with a redacted excerpt."""
    state = PollState()
    for _ in range(POLICY.broken_limit - 1):
        verdict = judge(200, body, state)
        assert isinstance(verdict, NotYet)
        assert verdict.pause_s > 0
        state = verdict.state
    verdict = judge(200, body, state)
    assert isinstance(verdict, Failed)
    assert isinstance(verdict.error, errors.APIResponseValidationError)
    assert "tml-" not in str(verdict.error)
    assert verdict.error.applied == "unknown"


@pytest.mark.parametrize("status", [404, 410])
def test_a_lost_promise_is_submitted_once_more(status: int) -> None:
    """Gone once: the same bytes again. Gone twice: applied, but the result is lost."""
    first = judge(status, {"detail": "who?"}, PollState(failed=2))
    assert isinstance(first, Resubmit)
    second = judge(status, {"detail": "who?"}, first.state)
    assert isinstance(second, Failed)
    assert isinstance(second.error, errors.ResultLostError)
    assert second.error.applied == "yes"
    assert "who?" in str(second.error)


def test_nothing_is_resubmitted_to_a_server_that_does_not_deduplicate() -> None:
    """Law 7 holds after a 404 on a poll as well."""
    verdict = judge(410, b"", PollState(trusted=False))
    assert isinstance(verdict, Failed)
    assert verdict.error.applied == "unknown"


@pytest.mark.parametrize(
    ("status", "body", "message", "category"),
    [
        (400, {"detail": "token out of range"}, "token out of range", "user"),
        (422, {"detail": [{"loc": ["body", "data", 3], "msg": "too long"}]}, "data.3: too long", "user"),
        (409, b"plain", "plain", "user"),
        (451, b"", "status 451 with an empty body", "user"),
    ],
)
def test_a_4xx_is_the_failure_of_the_promise(status: int, body: Any, message: str, category: str) -> None:
    """Servers that report failures by status are read as those that report them in a body."""
    verdict = judge(status, body)
    assert isinstance(verdict, Failed)
    assert isinstance(verdict.error, errors.RequestFailedError)
    assert (verdict.error.message, verdict.error.category) == (message, category)
    assert verdict.error.status_code == status


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


def test_an_empty_400_is_a_quirk_of_proxies() -> None:
    """Three empty 400s are forgiven; the fourth is the answer."""
    state = PollState()
    for _ in range(3):
        verdict = judge(400, b" ", state)
        assert isinstance(verdict, NotYet)
        assert verdict.failure == "empty 400"
        state = verdict.state
    assert isinstance(judge(400, b" ", state), Failed)


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
    assert storm_pause_s(1, 0.999, POLICY) == 1.0
    assert storm_pause_s(2, 0.999, POLICY) == 1.0
    assert 8.0 <= storm_pause_s(99, 0.999, POLICY) < 10.0
    assert storm_pause_s(10_000, 0.0, POLICY) == 30.0


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
    assert verdict is not None
    assert (verdict.pause_s, verdict.state.failed, verdict.failure) == (4.0, 3, "connection refused")


@pytest.mark.parametrize("fault", [Fault.TLS, Fault.CLOSED, Fault.REDIRECT])
def test_some_faults_end_the_polling(fault: Fault) -> None:
    """Asking again is useless."""
    assert decide_fault(fault, PollState()) is None


def test_broken_compression_is_forgiven_as_often_as_broken_json() -> None:
    """Three are asked for again, also when others came between; the fourth is the end."""
    state = PollState()
    for count in range(1, POLICY.broken_limit):
        verdict = decide_fault(Fault.BROKEN_BODY, state)
        assert verdict is not None
        assert (verdict.state.broken, verdict.state.failed) == (count, count)
        state = verdict.state
    assert decide_fault(Fault.BROKEN_BODY, state) is None


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
