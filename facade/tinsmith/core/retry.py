"""How one attempt ended, and whether the same bytes are sent again.

Owns the retry policy, the shared budget, and the only loop around a send. The policy is a pure function
of what is known; the clock and the sleep come from the caller. Polls are not retries: `core.polling` says
when to poll again, from the same outcomes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Generic, Literal, Protocol, TypeVar

import attrs
import tenacity

from tinsmith.core.config import RetryConfig
from tinsmith.core.errors import Applied

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


class OpClass(StrEnum):
    """What is at stake when a request is sent twice."""

    SUBMIT = "submit"
    """Changes state; safe to repeat only byte for byte, where the server deduplicates."""
    READ = "idempotent read"
    """May be repeated at will."""
    BEST_EFFORT = "best effort"
    """Heartbeats, telemetry, cancels: the next one replaces a lost one."""


class Fault(StrEnum):
    """How an exchange ended without a usable answer."""

    REFUSED = "connection refused"
    DNS = "host name not found"
    CONNECT_TIMEOUT = "connecting took too long"
    TLS = "TLS failed"
    RESET = "connection reset"
    TRUNCATED = "answer cut short"
    READ_TIMEOUT = "no answer in time"
    WRITE_TIMEOUT = "upload stalled"
    DEADLINE = "total time of an attempt is over"
    BROKEN_BODY = "answer cannot be read"
    REDIRECT = "redirect refused"
    CLOSED = "client is closed"


NOT_SENT = frozenset({Fault.REFUSED, Fault.DNS, Fault.CONNECT_TIMEOUT, Fault.TLS, Fault.CLOSED})
"""Faults that prove that the server saw nothing."""

PROVABLY_NOT_ACCEPTED = frozenset(
    {301, 302, 307, 308} | {400, 401, 402, 403, 404, 405, 406, 411, 413, 414, 415, 422, 429, 431, 501, 505}
)
"""Statuses that prove that the server did not take the request; a redirect (but 303) sends it elsewhere.

409 is not among them: `core.failures` reads it.
"""

NEVER_REPEATED = frozenset({501, 505})
"""Statuses that say that the server will never take the request, whatever `x-should-retry` says."""

FINAL_FAULTS = frozenset({Fault.TLS, Fault.REDIRECT, Fault.CLOSED})
"""Faults that the next attempt would meet too."""

_TRANSIENT = frozenset({408, 425, 429})


@attrs.frozen
class Outcome:
    """How one attempt ended: a status with headers, or a fault."""

    status: int | None = None
    """HTTP status; None if no answer came."""
    fault: Fault | None = None
    """What went wrong; None if an answer came."""
    headers: Mapping[str, str] = attrs.field(factory=dict)
    """Headers of the answer; names in lower case."""

    @property
    def applied(self) -> Applied:
        """Whether the request took effect, by this attempt alone."""
        if self.fault is not None:
            return "no" if self.fault in NOT_SENT else "unknown"
        assert self.status is not None
        if 200 <= self.status < 300:
            return "yes"
        return "no" if self.status in PROVABLY_NOT_ACCEPTED else "unknown"


@attrs.frozen
class Decision:
    """What to do after an attempt."""

    action: Literal["done", "retry", "wait", "fail"]
    """Take the answer, send the same bytes again after `delay_s`, or raise.

    `wait` sends again as `retry` does, after an answer that says nothing of the request: a bill to be paid.
    """
    delay_s: float = 0.0
    """Seconds to wait before a retry."""
    applied: Applied = "unknown"
    """Whether the request took effect, by all attempts."""
    reason: str = ""
    """Why, for the error and the log."""
    retry_after_s: float | None = None
    """Seconds that the server asked to wait; None if it did not."""
    spends: bool = False
    """Whether the retry is paid from the client's budget."""
    limit_s: float = float("inf")
    """Seconds from the first attempt after which no retry starts."""

    @property
    def goes_on(self) -> bool:
        """Whether the same bytes are sent again."""
        return self.action in ("retry", "wait")


_NUMBER = re.compile(r"\s*[+-]?(?:\d+\.?\d*|\.\d+)\s*", re.ASCII)
"""A number of seconds; what Python alone reads as one (`1_0`, `1e308`, `inf`) is none."""

LONGEST_TEXT = 128
"""Characters of a header that are read: every useful number or date is shorter."""


def http_date_s(text: str) -> float | None:
    """Parse an HTTP date into seconds since the epoch; one without a zone is UTC, as all HTTP dates are.

    None for what is no date, and for a date that is too large for a clock.
    """
    if len(text) > LONGEST_TEXT:
        return None
    try:
        moment = parsedate_to_datetime(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return moment.timestamp()
    except (ValueError, IndexError, TypeError, OverflowError):
        return None


def _seconds(text: str, scale: float = 1.0) -> float | None:
    if len(text) > LONGEST_TEXT or not _NUMBER.fullmatch(text):
        return None
    return float(text) * scale


def retry_after_s(headers: Mapping[str, str], wall_now_s: float) -> float | None:
    """Return the seconds that the server asks to wait; None if it asks for nothing sensible.

    `retry-after-ms` comes first, then `retry-after` as a number, then as a date. A date counts from the
    answer's own `date` header where there is one, so that a wrong clock on either side does no harm.
    Zero, the past, and what cannot be read or is too large for a clock count as nothing.
    """
    value = _seconds(headers.get("retry-after-ms", ""), 1e-3)
    text = headers.get("retry-after", "")
    if value is None:
        value = _seconds(text)
    if value is None:
        moment = http_date_s(text)
        if moment is not None:
            sent = http_date_s(headers.get("date", ""))
            value = moment - (wall_now_s if sent is None else sent)
    return value if value is not None and value > 0 else None


def should_retry(headers: Mapping[str, str]) -> bool | None:
    """Read `x-should-retry`; None where the server does not say."""
    return {"true": True, "false": False}.get(headers.get("x-should-retry", "").strip().lower())


@attrs.frozen
class History:
    """What is known about the attempts so far, for the decision about a further one."""

    attempt: int = 1
    """Attempts made, the last one included."""
    charged: int | None = None
    """Those that count against `max_retries`; None means all. A 429 does not count."""
    elapsed_s: float = 0.0
    """Seconds since the first attempt began, monotonic."""
    wall_now_s: float = 0.0
    """Wall clock, for Retry-After dates only."""
    unknown_before: bool = False
    """Whether an earlier attempt ended with an unknown outcome."""
    may_resend_unknown: bool = True
    """Whether the server is trusted to apply the same request once."""
    reached: bool = True
    """Whether this client ever had an answer from the server."""
    budget_wait_s: float = 0.0
    """Seconds until the shared budget can pay for a retry."""
    random: float = 0.5
    """A draw from [0, 1), for the jitter."""


def backoff_s(config: RetryConfig, retries: int, random: float) -> float:
    """Return the pause before the next retry: doubling, capped, with jitter."""
    full = min(config.retry_delay_base * 2.0 ** min(retries, 60), config.retry_delay_max)
    return full * (1.0 - config.jitter_factor * random)


def decide(op: OpClass, outcome: Outcome, history: History, config: RetryConfig) -> Decision:
    """Decide what follows an attempt; whether there is time for it, `in_time` says."""
    applied: Applied = outcome.applied
    if applied == "yes" and outcome.fault is None:
        return Decision("done", applied="yes")
    if applied == "no" and history.unknown_before:
        applied = "unknown"
    advised_s = retry_after_s(outcome.headers, history.wall_now_s)
    reason = _refusal(op, outcome, history, config, advised_s)
    if reason:
        return Decision("fail", applied=applied, reason=reason, retry_after_s=advised_s)
    spends = outcome.status != 429
    delay = advised_s if advised_s is not None else backoff_s(config, history.attempt - 1, history.random)
    if spends:
        delay = max(delay, history.budget_wait_s)
    limit_s = config.start_deadline_s if _starting(outcome, history) else config.deadline_s
    return Decision("retry", delay, applied, "transient", advised_s, spends, limit_s)


def in_time(decision: Decision, history: History) -> Decision:
    """Turn a retry into a failure where the time gone and the coming pause together exceed its limit."""
    if decision.action != "retry" or history.elapsed_s + decision.delay_s <= decision.limit_s:
        return decision
    return attrs.evolve(
        decision, action="fail", delay_s=0.0, reason=f"no time left of {decision.limit_s:g} s", spends=False
    )


def _starting(outcome: Outcome, history: History) -> bool:
    return not history.reached and outcome.fault in (Fault.REFUSED, Fault.DNS, Fault.CONNECT_TIMEOUT)


def _refusal(
    op: OpClass, outcome: Outcome, history: History, config: RetryConfig, asked_s: float | None
) -> str:
    """Say why an attempt must not be followed by another; empty if it may."""
    if op is OpClass.BEST_EFFORT:
        return "sent once"
    if not config.enable_retry_logic:
        return "retries are off"
    if not _worth_it(outcome):
        return "the same request would fail again"
    unsure = outcome.applied == "unknown" or history.unknown_before
    if op is OpClass.SUBMIT and unsure and not history.may_resend_unknown:
        return "the server may have applied it, and must not get it twice (server_deduplicates, on_unknown)"
    if asked_s is not None and asked_s > config.retry_after_cap_s:
        return f"the server asks to wait {asked_s:g} s, more than {config.retry_after_cap_s:g} s"
    retries = config.start_retries if _starting(outcome, history) else config.max_retries
    charged = history.attempt if history.charged is None else history.charged
    if outcome.status != 429 and charged > retries:
        return f"{charged} attempts failed"
    return ""


def _worth_it(outcome: Outcome) -> bool:
    """Say whether another attempt could end differently; `x-should-retry` decides, if the server sends it."""
    if outcome.fault is not None:
        return outcome.fault not in FINAL_FAULTS
    assert outcome.status is not None
    if outcome.status in NEVER_REPEATED:
        return False
    wish = should_retry(outcome.headers) if outcome.status >= 400 else None
    if wish is not None:
        return wish
    return outcome.status in _TRANSIENT or outcome.status >= 500


@attrs.define
class RetryBudget:
    """A token bucket of retries, shared by all requests of one client."""

    config: RetryConfig
    """Capacity and income."""
    tokens: float = attrs.field(
        default=attrs.Factory(lambda self: self.config.budget_capacity, takes_self=True)
    )
    """Retries that can be paid now; below zero while retries wait for their turn."""
    _at_s: float | None = None

    def _refill(self, now_s: float) -> None:
        if self._at_s is not None:
            self._earn(max(0.0, now_s - self._at_s) * self.config.budget_per_s)
        self._at_s = now_s

    def _earn(self, tokens: float) -> None:
        self.tokens = min(self.config.budget_capacity, self.tokens + tokens)

    def succeeded(self, now_s: float) -> None:
        """Earn for a success."""
        self._refill(now_s)
        self._earn(self.config.budget_per_success)

    def wait_s(self, now_s: float) -> float:
        """Return the seconds until one more retry can be paid."""
        self._refill(now_s)
        return max(0.0, (1.0 - self.tokens) / self.config.budget_per_s)

    def spend(self, now_s: float) -> None:
        """Pay for one retry, ahead of time if need be."""
        self._refill(now_s)
        self.tokens -= 1.0


class Repeatable(Protocol):
    """The record of one logical call, as the loop needs it."""

    history: History
    """What was known at the last decision."""


C = TypeVar("C", bound=Repeatable)


@attrs.define
class _Run(Generic[C]):
    """One call in the loop; tenacity's state of the call holds it as its argument."""

    call: C
    outcome: Outcome
    decision: Decision
    due: bool = False
    """Whether tenacity's next attempt sends; not so at its first, which was made before the loop."""


class RetryLoop(Generic[C]):
    """Send a call again until it is settled: the only loop around a send, one for each sender.

    `send` makes one attempt, `decide` says once what follows it, `before_retry` is called before the
    pause of each retry. tenacity drives, and calls back: `retry` is the decision, `wait` its pause, `stop`
    the time gone and that pause against its limit. All calls of a sender share the one AsyncRetrying, which
    keeps the steps of one decision on itself: none of these functions may be a coroutine.
    """

    def __init__(
        self,
        send: Callable[[C], Awaitable[Outcome]],
        decide: Callable[[C, Outcome], Decision],
        before_retry: Callable[[C, Outcome, Decision], None] = lambda call, outcome, decision: None,
        *,
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._send = send
        self._decide = decide
        self._before_retry = before_retry
        self._retrying = tenacity.AsyncRetrying(
            sleep=sleep,
            retry=self._goes_on,
            wait=lambda state: _run(state).decision.delay_s,
            stop=_is_too_late,
            before_sleep=self._retries,
            retry_error_callback=lambda state: _run(state).outcome,
        )

    async def run(self, call: C) -> Decision:
        """Send until nothing more is to be done; return the last decision. What a send raises ends it.

        The first attempt, which mostly is the last, is made before tenacity's loop: that costs some 40 us a
        call, a tenth of all that the client does for a small one.
        """
        outcome = await self._send(call)
        run = _Run(call, outcome, self._decide(call, outcome))
        if run.decision.goes_on:
            await self._retrying(self._attempt, run)
        return run.decision

    async def _attempt(self, run: _Run[C]) -> Outcome:
        if run.due:
            run.outcome = await self._send(run.call)
        return run.outcome

    def _goes_on(self, state: tenacity.RetryCallState) -> bool:
        if state.outcome is None or state.outcome.failed:
            return False
        run: _Run[C] = _run(state)
        if run.due:
            run.decision = self._decide(run.call, run.outcome)
        run.due = True
        return run.decision.goes_on

    def _retries(self, state: tenacity.RetryCallState) -> None:
        run: _Run[C] = _run(state)
        self._before_retry(run.call, run.outcome, run.decision)


def _run(state: tenacity.RetryCallState) -> _Run[C]:
    run: _Run[C] = state.args[0]
    return run


def _is_too_late(state: tenacity.RetryCallState) -> bool:
    run: _Run[Repeatable] = _run(state)
    run.decision = in_time(run.decision, run.call.history)
    return not run.decision.goes_on
