"""Answers to polls that cannot be read: asked for again, and for how long."""

from __future__ import annotations

import attrs
import pytest
from tinsmith.core import errors
from tinsmith.core.config import PollPolicy
from tinsmith.core.polling import (
    Failed,
    Moment,
    NotYet,
    Poll,
    PollState,
)
from tinsmith.core.retry import Fault

from tests.core.polls import POLICY, decide, decide_fault, polled_to_the_end, result_of

UNREADABLE = [b"", b"<html>tml-abcdef12345</html>", b'{"path":', b"[1]", b"null", b"3"]
"""Answers of success that are no JSON object."""


@pytest.mark.parametrize("body", UNREADABLE)
def test_a_broken_body_is_asked_for_again_and_then_fails(body: bytes) -> None:
    """The pauses double from 0.5 s to 30 s; the same bytes over two minutes are a protocol error."""
    pauses, ended_s, result = polled_to_the_end(200, body)
    assert pauses == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]
    assert 120.0 <= ended_s < 151.0
    assert isinstance(result.error, errors.APIResponseValidationError)
    assert "tml-" not in str(result.error)
    assert (result.error.applied, result.error.attempts) == ("unknown", 10)


def test_an_empty_binary_result_is_a_broken_body() -> None:
    """An empty message is no result of a batch or a sample."""
    pauses, _, result = polled_to_the_end(200, b"", content_type="application/x-protobuf")
    assert pauses[0] == 0.5
    assert result.error.applied == "unknown"


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
        result = decide(200, {}, b"<html>%d</html>" % turn, state, moment=moment)
        assert isinstance(result, NotYet)
        state = result.state
    for _ in range(20):
        result = decide(200, {}, b"<html>", state, moment=Moment(waited_s=900.0))
        assert isinstance(result, NotYet)
        state = result.state
    assert (state.broken, state.broken_since_s) == (20, 900.0)
    calm = result_of(408, b"", state)
    assert isinstance(calm, NotYet)
    assert (calm.state.broken, calm.state.failed) == (0, 0)


def test_patience_with_broken_bodies_is_a_setting() -> None:
    """Twice as many, twice as long."""
    policy = PollPolicy(broken_limit=2, broken_span=1.0)
    first = decide(200, {}, b"", PollState(), policy=policy)
    assert isinstance(first, NotYet)
    assert isinstance(decide(200, {}, b"", first.state, policy=policy, moment=Moment(waited_s=0.9)), NotYet)
    assert isinstance(decide(200, {}, b"", first.state, policy=policy, moment=Moment(waited_s=1.0)), Failed)


def test_the_same_page_for_two_minutes_is_the_end() -> None:
    """A page under an error status ends the wait as one under 200 does; readable noise does not."""
    _, ended_s, result = polled_to_the_end(403, b"<html>login</html>")
    assert 120.0 <= ended_s < 160.0
    assert isinstance(result.error, errors.APIResponseValidationError)
    assert (result.error.applied, result.error.status_code) == ("unknown", 403)
    state = PollState()
    for _ in range(50):
        noise = result_of(451, {"detail": "no"}, state)
        assert isinstance(noise, NotYet)
        state = noise.state
    assert state.broken == 0


@pytest.mark.parametrize("body", [b"Internal Server Error", b""])
def test_a_bare_500_that_stays_is_final_where_results_cannot_be_written(body: bytes) -> None:
    """By its profile: the same answer eight times over two minutes; elsewhere it is waited out."""
    state, waited_s = PollState(), 0.0
    for _ in range(POLICY.broken_limit - 1):
        result = decide(500, {}, body, state, moment=Moment(waited_s=waited_s), bare_500=True)
        assert isinstance(result, NotYet)
        state, waited_s = result.state, waited_s + 20.0
    last = Moment(waited_s=waited_s)
    final = decide(500, {}, body, state, moment=last, bare_500=True, request_id="r1")
    assert isinstance(final, Failed)
    assert isinstance(final.error, errors.APIResponseValidationError)
    assert (final.error.applied, final.error.request_id) == ("unknown", "r1")
    assert "cannot write a result" in str(final.error)
    assert isinstance(decide(500, {}, body, state, moment=last), NotYet)
    assert isinstance(decide(502, {}, body, state, moment=last, bare_500=True), NotYet)


def test_broken_compression_is_forgiven_as_long_as_broken_json() -> None:
    """The same fault over two minutes is the end; another one begins anew."""
    state = PollState()
    for count in range(1, 30):
        result = decide_fault(Fault.BROKEN_BODY, state, reason="bad gzip", moment=Moment(random=0.0))
        assert isinstance(result, NotYet)
        assert (result.state.broken, result.state.failed) == (count, count)
        assert result.pause_s == min(0.5 * 2 ** (count - 1), 30.0)
        state = result.state
    late = Moment(waited_s=120.0)
    other = decide_fault(Fault.BROKEN_BODY, state, reason="bad zstd", moment=late)
    assert other is not None
    assert other.state.broken == 1
    assert isinstance(decide_fault(Fault.BROKEN_BODY, state, reason="bad gzip", moment=late), Failed)
