"""How long to wait between polls, for results that are not ready and after polls that failed."""

from __future__ import annotations

import pytest
from tinsmith.core import errors
from tinsmith.core.polling import (
    Failed,
    Moment,
    NotYet,
    PollState,
    failed_pause_s,
    not_ready_pause_s,
)
from tinsmith.core.retry import Fault

from tests.core.polls import POLICY, decide, decide_fault, result_of


def test_retry_after_of_a_gateway_is_obeyed() -> None:
    """Retry-After of a gateway is obeyed, up to the cap."""
    for asked, pause_s in (("7", 7.0), ("900", 120.0)):
        result = result_of(403, b"<html>", retry_after=asked)
        assert isinstance(result, NotYet)
        assert result.pause_s == pause_s


def test_failed_polls_back_off_to_thirty_seconds() -> None:
    """5xx and 429 double the pause from 1 s; an answer calms it."""
    state, pauses = PollState(), []
    for status in (503, 429, 500, 502, 504, 503, 503):
        result = decide(status, {}, b"", state, moment=Moment(random=0.0))
        assert isinstance(result, NotYet)
        assert result.failure is not None
        state = result.state
        pauses.append(result.pause_s)
    assert pauses == [1, 2, 4, 8, 16, 30, 30]
    calm = result_of(408, b"", state)
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
    result = result_of(503, b"", retry_after="33")
    assert isinstance(result, NotYet)
    assert result.pause_s == 33.0
    long = result_of(503, b"", retry_after="500")
    assert isinstance(long, NotYet)
    assert long.pause_s == 120.0
    final = result_of(429, b"", retry_after="500")
    assert isinstance(final, Failed)
    assert isinstance(final.error, errors.RateLimitError)
    assert final.error.retry_after_s == 500.0
    assert "500 s" in str(final.error)


def test_an_unpaid_bill_is_waited_for_an_hour() -> None:
    """402 pauses 5 s at a time, and fails when nobody pays."""
    result = decide(402, {}, b"", PollState(), moment=Moment(waited_s=10.0))
    assert isinstance(result, NotYet)
    assert (result.pause_s, result.state.unpaid_since_s) == (5.0, 10.0)
    later = decide(402, {}, b"", result.state, moment=Moment(waited_s=3609.0))
    assert isinstance(later, NotYet)
    last = decide(402, {}, b"", later.state, moment=Moment(waited_s=3610.0))
    assert isinstance(last, Failed)
    assert isinstance(last.error, errors.BillingError)


@pytest.mark.parametrize("fault", [Fault.READ_TIMEOUT, Fault.DEADLINE])
def test_a_read_timeout_is_no_fault(fault: Fault) -> None:
    """The server held the poll longer than we do: ask again now."""
    result = decide_fault(fault, PollState(quick=4, failed=2))
    assert result == NotYet(PollState(iteration=1), 0.0)


def test_a_lost_connection_backs_off() -> None:
    """A connection error pauses as a 5xx does, and counts."""
    result = decide_fault(Fault.REFUSED, PollState(failed=2), moment=Moment(random=0.0))
    assert isinstance(result, NotYet)
    assert (result.pause_s, result.state.failed, result.failure) == (4.0, 3, "connection refused")


def _polls(ready_at_s: float, poll_took_s: float = 0.002) -> tuple[int, float]:
    """Play a server that does not hold polls; return how many it got, and how late the result was."""
    now, count, state = 0.0, 0, PollState()
    while True:
        count += 1
        now += poll_took_s
        if now >= ready_at_s:
            return count, now - ready_at_s
        result = decide(408, {}, b"{}", state, moment=Moment(took_s=poll_took_s, waited_s=now))
        assert isinstance(result, NotYet)
        state = result.state
        now += result.pause_s


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
