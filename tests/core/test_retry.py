"""The retry policy against a table written by hand, the budget, and the one loop."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tinsmith.core.config import PollPolicy, RetryConfig
from tinsmith.core.polling import Moment, decide_by_status
from tinsmith.core.retry import (
    Decision,
    Fault,
    History,
    OpClass,
    Outcome,
    RetryBudget,
    RetryLoop,
    backoff_s,
    decide,
    in_time,
    retry_after_s,
)

from tests.core import retry_rules as rules

CONFIG = RetryConfig()


def decided(kind: str, outcome: Outcome, history: History) -> Decision:
    """Decide about an attempt of a class of requests, or about a poll."""
    if kind != "poll":
        return decide(OpClass(kind), outcome, history, CONFIG)
    return decide_by_status(outcome, 0, Moment(wall_now_s=rules.NOW, random=0.5), CONFIG, PollPolicy())


@pytest.mark.parametrize("kind", [*OpClass, "poll"])
def test_every_status_and_header_is_decided_as_the_table_says(kind: str) -> None:
    """Every status x Retry-After form x x-should-retry of one class: action, delay and applied are equal."""
    rows = 0
    wrong = []
    for status in range(100, 600):
        for form, (headers, _) in rules.RETRY_AFTER.items():
            for wish, hint in rules.SHOULD_RETRY.items():
                outcome = Outcome(status, headers={**headers, **hint})
                decision = decided(kind, outcome, History(wall_now_s=rules.NOW, random=0.5))
                action, delay_s, applied = rules.EXPECTED[kind](status, form, wish)
                rows += 1
                equal = (decision.action, decision.applied) == (action, applied)
                if not equal or decision.delay_s != pytest.approx(delay_s):
                    wrong.append((status, form, wish, action, delay_s, applied, decision))
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
def test_every_fault_is_decided(fault: Fault, action: str, applied: str, poll_action: str) -> None:
    """A fault is retried unless it is final, and says whether the server can have seen the request."""
    submit = decided(OpClass.SUBMIT, Outcome(fault=fault), History())
    poll = decided("poll", Outcome(fault=fault), History())
    assert (submit.action, submit.applied, poll.action) == (action, applied, poll_action)


def test_the_fault_table_is_complete() -> None:
    """No fault is missing from the table."""
    assert {row[0] for row in FAULTS} == set(Fault)


@pytest.mark.parametrize(
    ("outcome", "history", "action", "applied"),
    [
        # rule 7: an unknown outcome is never resent to a server that is not trusted, on any header
        (Outcome(503), History(may_resend_unknown=False), "fail", "unknown"),
        (
            Outcome(503, headers={"x-should-retry": "true"}),
            History(may_resend_unknown=False),
            "fail",
            "unknown",
        ),
        (Outcome(fault=Fault.RESET), History(may_resend_unknown=False), "fail", "unknown"),
        (Outcome(fault=Fault.REFUSED), History(may_resend_unknown=False), "retry", "no"),
        (Outcome(429), History(may_resend_unknown=False), "retry", "no"),
        (Outcome(429), History(may_resend_unknown=False, unknown_before=True), "fail", "unknown"),
        # what proves nothing was accepted proves it for this attempt alone
        (Outcome(400), History(unknown_before=True), "fail", "unknown"),
        (Outcome(400), History(), "fail", "no"),
        # bounds: attempts, time, start
        (Outcome(503), History(attempt=10), "retry", "unknown"),
        (Outcome(503), History(attempt=11), "fail", "unknown"),
        (Outcome(503), History(attempt=30, charged=10), "retry", "unknown"),
        (Outcome(429), History(attempt=11), "retry", "no"),
        (Outcome(503), History(attempt=2, elapsed_s=299.6), "fail", "unknown"),
        (Outcome(429), History(attempt=2, elapsed_s=299.6), "fail", "no"),
        (Outcome(fault=Fault.REFUSED), History(attempt=2, reached=False), "retry", "no"),
        (Outcome(fault=Fault.REFUSED), History(attempt=3, reached=False), "fail", "no"),
        (Outcome(fault=Fault.DNS), History(attempt=2, elapsed_s=14.8, reached=False), "fail", "no"),
        (Outcome(fault=Fault.REFUSED), History(attempt=3, reached=True), "retry", "no"),
        (Outcome(fault=Fault.RESET), History(attempt=3, reached=False), "retry", "unknown"),
        # the budget makes waits longer, and ends what it makes too long; 429 is not paid for
        (Outcome(503), History(budget_wait_s=400.0), "fail", "unknown"),
        (Outcome(429), History(budget_wait_s=400.0), "retry", "no"),
    ],
)
def test_what_is_known_of_earlier_attempts_counts(
    outcome: Outcome, history: History, action: str, applied: str
) -> None:
    """Trust, earlier unknown outcomes, attempts, time and the budget bound a submit."""
    decision = in_time(decide(OpClass.SUBMIT, outcome, history, CONFIG), history)
    assert (decision.action, decision.applied) == (action, applied), decision


def test_a_retry_waits_for_the_budget() -> None:
    """An empty budget delays a retry of a failing server, not one that the server asked for by 429."""
    assert decide(OpClass.READ, Outcome(503), History(budget_wait_s=9.0), CONFIG).delay_s == 9.0
    assert decide(OpClass.READ, Outcome(429), History(budget_wait_s=9.0), CONFIG).delay_s == 0.25


def test_retries_can_be_turned_off() -> None:
    """Without retry logic the first failure is final."""
    decision = decide(OpClass.READ, Outcome(503), History(), RetryConfig(enable_retry_logic=False))
    assert (decision.action, decision.reason) == ("fail", "retries are off")


def test_an_untrusted_server_may_be_read_again() -> None:
    """Reading twice does no harm, whoever the server is."""
    assert decide(OpClass.READ, Outcome(503), History(may_resend_unknown=False), CONFIG).action == "retry"


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
    assert decide(OpClass.READ, Outcome(503, headers=headers), History(wall_now_s=0.0), CONFIG).delay_s == 3.0
    headers["date"] = "nonsense"
    decision = decide(OpClass.READ, Outcome(503, headers=headers), History(wall_now_s=rules.NOW), CONFIG)
    assert decision.delay_s == 2.0
    infinite = Outcome(503, headers={"retry-after": "inf", "retry-after-ms": "nan"})
    assert decide(OpClass.READ, infinite, History(random=0.0), CONFIG).delay_s == 0.5


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


class Call:
    """A record of one call, and how its attempts end."""

    def __init__(self, *ends: Outcome | Exception, elapsed_s: float = 0.0) -> None:
        self.ends = list(ends)
        self.history = History(elapsed_s=elapsed_s)
        self.attempts = 0
        self.decisions = 0
        self.paid: list[float] = []
        self.slept: list[float] = []

    async def send(self) -> Outcome:
        """Make one attempt."""
        self.attempts += 1
        end = self.ends.pop(0)
        if isinstance(end, Exception):
            raise end
        return end

    def decide(self, outcome: Outcome) -> Decision:
        """Go on until 200, a quarter of a second longer each time, within a minute."""
        self.decisions += 1
        if outcome.status == 200:
            return Decision("done")
        return Decision("retry", self.attempts / 4, limit_s=60.0)

    def before_retry(self, _outcome: Outcome, decision: Decision) -> None:
        """Note what is paid for."""
        self.paid.append(decision.delay_s)

    def run(self) -> Decision:
        """Run it through a loop of its own."""

        async def sleep(seconds: float) -> None:
            self.slept.append(seconds)

        loop = RetryLoop(Call.send, Call.decide, Call.before_retry, sleep=sleep)
        return asyncio.run(loop.run(self))


def test_the_loop_sends_until_nothing_more_is_asked() -> None:
    """Each attempt is decided about once, each retry paid before its pause; the last decision comes out."""
    call = Call(Outcome(503), Outcome(429), Outcome(200))
    assert call.run() == Decision("done")
    assert (call.attempts, call.decisions) == (3, 3)
    assert call.paid == call.slept == [0.25, 0.5]


@pytest.mark.parametrize("fails_at", [1, 2])
def test_what_a_send_raises_ends_the_loop(fails_at: int) -> None:
    """An exception is no result: it comes out as it is, at once, whichever attempt raises it."""
    call = Call(*[Outcome(503)] * (fails_at - 1), KeyError("bug"), Outcome(200))
    with pytest.raises(KeyError, match="bug"):
        call.run()
    assert call.attempts == fails_at
    assert len(call.slept) == fails_at - 1


def test_a_first_attempt_that_suffices_is_the_only_one() -> None:
    """Nothing sleeps and nothing is sent again."""
    call = Call(Outcome(200))
    assert call.run() == Decision("done")
    assert (call.attempts, call.paid, call.slept) == (1, [], [])


def test_a_retry_without_time_left_is_neither_paid_nor_made() -> None:
    """The time gone and the coming pause together bound a call, and the decision says so."""
    call = Call(Outcome(503), Outcome(503), elapsed_s=59.6)
    decision = call.run()
    assert (decision.action, decision.reason) == ("fail", "no time left of 60 s")
    assert (call.attempts, call.paid) == (2, [0.25])


def test_calls_under_way_at_once_do_not_mix() -> None:
    """One loop serves all calls of a sender: each keeps its own attempts and decision."""
    calls = [Call(*[Outcome(503)] * retries, Outcome(200)) for retries in range(4)]

    async def sleep(_seconds: float) -> None:
        await asyncio.sleep(0)

    async def run_all() -> list[Decision]:
        loop = RetryLoop(Call.send, Call.decide, Call.before_retry, sleep=sleep)
        return await asyncio.gather(*map(loop.run, calls))

    assert asyncio.run(run_all()) == [Decision("done")] * 4
    assert [call.attempts for call in calls] == [1, 2, 3, 4]
    assert [len(call.paid) for call in calls] == [0, 1, 2, 3]
