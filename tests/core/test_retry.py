"""The retry policy against a table written by hand, the budget, and the one loop."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tinsmith.core.decision import Fault, OpClass, Outcome
from tinsmith.core.policy import RetryConfig
from tinsmith.core.retry import RetryBudget, Tries, backoff_s, drive, judge
from tinsmith.core.retry_after import retry_after_s

from tests.core import retry_rules as rules

CONFIG = RetryConfig()


@pytest.mark.parametrize("op", list(OpClass))
def test_every_status_and_header_is_judged_as_the_table_says(op: OpClass) -> None:
    """Every status x Retry-After form x x-should-retry of one class: action, delay and applied are equal."""
    rows = 0
    wrong = []
    for status in range(100, 600):
        for form, (headers, _) in rules.RETRY_AFTER.items():
            for told, hint in rules.SHOULD_RETRY.items():
                outcome = Outcome(status, headers={**headers, **hint})
                decision = judge(op, outcome, Tries(wall_now_s=rules.NOW, random=0.5), CONFIG)
                action, delay_s, applied = rules.EXPECTED[op.value](status, form, told)
                rows += 1
                equal = (decision.action, decision.applied) == (action, applied)
                if not equal or decision.delay_s != pytest.approx(delay_s):
                    wrong.append((status, form, told, action, delay_s, applied, decision))
    assert rows == 500 * len(rules.RETRY_AFTER) * 3
    assert not wrong, wrong[:5]


def test_the_table_never_looks_at_the_policy() -> None:
    """The hand-written table imports nothing of the package."""
    assert "tinsmith" not in Path(rules.__file__).read_text()


FAULTS = [
    # fault, action of a submit, applied, action of a poll
    (Fault.REFUSED, "retry", "no", "retry"),
    (Fault.DNS, "retry", "no", "retry"),
    (Fault.CONNECT_TIMEOUT, "retry", "no", "retry"),
    (Fault.TLS, "fail", "no", "fail"),
    (Fault.RESET, "retry", "unknown", "retry"),
    (Fault.TRUNCATED, "retry", "unknown", "retry"),
    (Fault.READ_TIMEOUT, "retry", "unknown", "retry"),
    (Fault.WRITE_TIMEOUT, "retry", "unknown", "retry"),
    (Fault.DEADLINE, "retry", "unknown", "retry"),
    (Fault.BROKEN_BODY, "retry", "unknown", "retry"),
    (Fault.REDIRECT, "fail", "unknown", "fail"),
    (Fault.CLOSED, "fail", "no", "fail"),
]


@pytest.mark.parametrize(("fault", "action", "applied", "poll_action"), FAULTS)
def test_every_fault_is_judged(fault: Fault, action: str, applied: str, poll_action: str) -> None:
    """A fault is retried unless it is final, and says whether the server can have seen the request."""
    submit = judge(OpClass.SUBMIT, Outcome(fault=fault), Tries(), CONFIG)
    poll = judge(OpClass.POLL, Outcome(fault=fault), Tries(), CONFIG)
    assert (submit.action, submit.applied, poll.action) == (action, applied, poll_action)


def test_the_fault_table_is_complete() -> None:
    """No fault is missing from the table."""
    assert {row[0] for row in FAULTS} == set(Fault)


@pytest.mark.parametrize(
    ("outcome", "tries", "action", "applied"),
    [
        # law 7: an unknown outcome is never resent to a server that is not trusted, on any header
        (Outcome(503), Tries(may_resend_unknown=False), "fail", "unknown"),
        (
            Outcome(503, headers={"x-should-retry": "true"}),
            Tries(may_resend_unknown=False),
            "fail",
            "unknown",
        ),
        (Outcome(fault=Fault.RESET), Tries(may_resend_unknown=False), "fail", "unknown"),
        (Outcome(fault=Fault.REFUSED), Tries(may_resend_unknown=False), "retry", "no"),
        (Outcome(429), Tries(may_resend_unknown=False), "retry", "no"),
        (Outcome(429), Tries(may_resend_unknown=False, unknown_before=True), "fail", "unknown"),
        # what proves nothing was accepted proves it for this try alone
        (Outcome(400), Tries(unknown_before=True), "fail", "unknown"),
        (Outcome(400), Tries(), "fail", "no"),
        # bounds: tries, time, start
        (Outcome(503), Tries(attempt=10), "retry", "unknown"),
        (Outcome(503), Tries(attempt=11), "fail", "unknown"),
        (Outcome(503), Tries(attempt=30, charged=10), "retry", "unknown"),
        (Outcome(429), Tries(attempt=11), "retry", "no"),
        (Outcome(503), Tries(attempt=2, elapsed_s=299.6), "fail", "unknown"),
        (Outcome(429), Tries(attempt=2, elapsed_s=299.6), "fail", "no"),
        (Outcome(fault=Fault.REFUSED), Tries(attempt=2, reached=False), "retry", "no"),
        (Outcome(fault=Fault.REFUSED), Tries(attempt=3, reached=False), "fail", "no"),
        (Outcome(fault=Fault.DNS), Tries(attempt=2, elapsed_s=14.8, reached=False), "fail", "no"),
        (Outcome(fault=Fault.REFUSED), Tries(attempt=3, reached=True), "retry", "no"),
        (Outcome(fault=Fault.RESET), Tries(attempt=3, reached=False), "retry", "unknown"),
        # the budget makes waits longer, and ends what it makes too long; 429 is not paid for
        (Outcome(503), Tries(budget_wait_s=400.0), "fail", "unknown"),
        (Outcome(429), Tries(budget_wait_s=400.0), "retry", "no"),
    ],
)
def test_what_is_known_of_earlier_tries_counts(
    outcome: Outcome, tries: Tries, action: str, applied: str
) -> None:
    """Trust, earlier unknown outcomes, attempts, time and the budget bound a submit."""
    decision = judge(OpClass.SUBMIT, outcome, tries, CONFIG)
    assert (decision.action, decision.applied) == (action, applied), decision


def test_a_retry_waits_for_the_budget() -> None:
    """An empty budget delays a retry of a failing server, not one that the server asked for by 429."""
    assert judge(OpClass.READ, Outcome(503), Tries(budget_wait_s=9.0), CONFIG).delay_s == 9.0
    assert judge(OpClass.READ, Outcome(429), Tries(budget_wait_s=9.0), CONFIG).delay_s == 0.25


def test_retries_can_be_turned_off() -> None:
    """Without retry logic the first failure is final."""
    decision = judge(OpClass.READ, Outcome(503), Tries(), RetryConfig(enable_retry_logic=False))
    assert (decision.action, decision.reason) == ("fail", "retries are off")


def test_an_untrusted_server_may_be_read_again() -> None:
    """Reading twice does no harm, whoever the server is."""
    assert judge(OpClass.READ, Outcome(503), Tries(may_resend_unknown=False), CONFIG).action == "retry"


@pytest.mark.parametrize(
    ("retries", "longest"), [(0, 0.5), (1, 1.0), (3, 4.0), (4, 8.0), (5, 8.0), (999, 8.0)]
)
def test_own_delays_double_to_eight_seconds_with_full_jitter(retries: int, longest: float) -> None:
    """The delay is a share of 0.5 s doubled, at most 8 s, down to nothing."""
    assert backoff_s(CONFIG, retries, 0.0) == longest
    assert backoff_s(CONFIG, retries, 0.5) == longest / 2
    assert backoff_s(RetryConfig(jitter_factor=0.25), retries, 1.0) == pytest.approx(longest * 0.75)


def test_a_date_counts_from_the_answers_own_clock() -> None:
    """A wrong wall clock does no harm where the answer carries its own date."""
    headers = {"retry-after": rules.DATE_2S, "date": "Wed, 21 Oct 2026 11:59:59 GMT"}
    assert judge(OpClass.READ, Outcome(503, headers=headers), Tries(wall_now_s=0.0), CONFIG).delay_s == 3.0
    headers["date"] = "nonsense"
    decision = judge(OpClass.READ, Outcome(503, headers=headers), Tries(wall_now_s=rules.NOW), CONFIG)
    assert decision.delay_s == 2.0
    infinite = Outcome(503, headers={"retry-after": "inf", "retry-after-ms": "nan"})
    assert judge(OpClass.READ, infinite, Tries(random=0.0), CONFIG).delay_s == 0.5


@given(st.text() | st.text(alphabet="0123456789 JanMoGTW,:+-", max_size=140))
def test_no_advice_breaks_the_reader(text: str) -> None:
    """Whatever a server writes there, it is seconds above zero or no advice."""
    for name in ("retry-after", "retry-after-ms", "date"):
        found = retry_after_s({"retry-after": rules.DATE_2S, name: text}, rules.NOW)
        assert found is None or 0 < found < float("inf")


def test_the_budget_is_spent_earned_and_refilled() -> None:
    """The bucket starts full, goes into debt, and gains by success and by time up to its capacity."""
    config = RetryConfig(budget_capacity=2.0, budget_per_success=0.5, budget_per_s=0.25)
    budget = RetryBudget(config)
    assert budget.wait_s(0.0) == 0.0
    for _ in range(3):
        budget.spend(0.0)
    assert budget.tokens == -1.0
    assert budget.wait_s(0.0) == 8.0
    budget.succeeded(0.0)
    assert budget.tokens == -0.5
    assert budget.wait_s(2.0) == pytest.approx(4.0)
    assert budget.wait_s(1.0) == pytest.approx(4.0), "a clock that goes back takes nothing"
    budget.succeeded(1000.0)
    assert budget.tokens == 2.0


def test_the_loop_sends_until_nothing_more_is_asked() -> None:
    """The loop numbers its tries, sleeps as told, and returns the last result."""
    slept: list[float] = []
    tries: list[int] = []

    async def send(number: int) -> int:
        tries.append(number)
        return number * 10

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    def pause(number: int, result: int) -> float | None:
        assert result == number * 10
        return None if number == 3 else number / 4

    assert asyncio.run(drive(send, pause, sleep=sleep)) == 30
    assert (tries, slept) == ([1, 2, 3], [0.25, 0.5])


@pytest.mark.parametrize("fails_at", [1, 2])
def test_what_a_send_raises_ends_the_loop(fails_at: int) -> None:
    """An exception is no result: it comes out as it is, at once, whichever try raises it."""
    tries: list[int] = []

    async def send(number: int) -> int:
        tries.append(number)
        if number == fails_at:
            raise KeyError("bug")
        return number

    async def sleep(_seconds: float) -> None:
        assert fails_at == 2

    with pytest.raises(KeyError, match="bug"):
        asyncio.run(drive(send, lambda *_: 0.0, sleep=sleep))
    assert tries == list(range(1, fails_at + 1))


def test_a_first_try_that_suffices_is_the_only_one() -> None:
    """Nothing sleeps and nothing is sent again."""

    async def send(number: int) -> int:
        return number

    async def sleep(_seconds: float) -> None:
        raise AssertionError

    assert asyncio.run(drive(send, lambda *_: None, sleep=sleep)) == 1
