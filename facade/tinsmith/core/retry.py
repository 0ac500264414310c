"""When the same bytes are sent again.

Owns the retry policy, the shared budget, and the only loop around a send. The policy is a pure function
of what is known; the clock and the sleep come from the caller.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import attrs
import tenacity

from tinsmith.core.decision import NEVER_REPEATED, Decision, Fault, OpClass, Outcome
from tinsmith.core.pacing import Moment, judge_poll
from tinsmith.core.policy import PollPolicy, RetryConfig
from tinsmith.core.retry_after import retry_after_s, should_retry

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tinsmith.core.errors import Applied

R = TypeVar("R")

_TRANSIENT = frozenset({408, 425, 429})
_FINAL_FAULTS = frozenset({Fault.TLS, Fault.REDIRECT, Fault.CLOSED})


@attrs.frozen
class Tries:
    """What is known about the tries so far, when a further one is judged."""

    attempt: int = 1
    """Tries made, the judged one included."""
    charged: int | None = None
    """Those that count against `max_retries`; None means all. A 429 does not count."""
    elapsed_s: float = 0.0
    """Seconds since the first try began, monotonic."""
    wall_now_s: float = 0.0
    """Wall clock, for Retry-After dates only."""
    unknown_before: bool = False
    """Whether an earlier try ended with an unknown outcome."""
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


def judge(
    op: OpClass, outcome: Outcome, tries: Tries, config: RetryConfig, poll: PollPolicy | None = None
) -> Decision:
    """Decide what follows a try."""
    if op is OpClass.POLL:
        moment = Moment(wall_now_s=tries.wall_now_s, random=tries.random)
        return judge_poll(outcome, tries.attempt - 1, moment, config, poll or PollPolicy())
    applied: Applied = outcome.applied
    if applied == "yes" and outcome.fault is None:
        return Decision("done", applied="yes")
    if applied == "no" and tries.unknown_before:
        applied = "unknown"
    asked = retry_after_s(outcome.headers, tries.wall_now_s)
    reason = _refusal(op, outcome, tries, config, asked)
    if reason:
        return Decision("fail", applied=applied, reason=reason, retry_after_s=asked)
    spends = outcome.status != 429
    delay = asked if asked is not None else backoff_s(config, tries.attempt - 1, tries.random)
    if spends:
        delay = max(delay, tries.budget_wait_s)
    limit = config.start_deadline_s if _starting(outcome, tries) else config.deadline_s
    if tries.elapsed_s + delay > limit:
        return Decision("fail", applied=applied, reason=f"no time left of {limit:g} s", retry_after_s=asked)
    return Decision("retry", delay, applied, "transient", asked, spends)


def _starting(outcome: Outcome, tries: Tries) -> bool:
    return not tries.reached and outcome.fault in (Fault.REFUSED, Fault.DNS, Fault.CONNECT_TIMEOUT)


def _refusal(op: OpClass, outcome: Outcome, tries: Tries, config: RetryConfig, asked_s: float | None) -> str:
    """Say why a try must not be followed by another; empty if it may."""
    if op is OpClass.BEST_EFFORT:
        return "sent once"
    if not config.enable_retry_logic:
        return "retries are off"
    if not _worth_it(outcome):
        return "the same request would fail again"
    unsure = outcome.applied == "unknown" or tries.unknown_before
    if op is OpClass.SUBMIT and unsure and not tries.may_resend_unknown:
        return "the server may have applied it, and is not trusted to apply it only once"
    if asked_s is not None and asked_s > config.retry_after_cap_s:
        return f"the server asks to wait {asked_s:g} s, more than {config.retry_after_cap_s:g} s"
    retries = config.start_retries if _starting(outcome, tries) else config.max_retries
    charged = tries.attempt if tries.charged is None else tries.charged
    if outcome.status != 429 and charged > retries:
        return f"{charged} tries failed"
    return ""


def _worth_it(outcome: Outcome) -> bool:
    """Tell whether another try could end differently; `x-should-retry` is the server's own word on it."""
    if outcome.fault is not None:
        return outcome.fault not in _FINAL_FAULTS
    assert outcome.status is not None
    if outcome.status in NEVER_REPEATED:
        return False
    told = should_retry(outcome.headers) if outcome.status >= 400 else None
    if told is not None:
        return told
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


async def drive(
    send: Callable[[int], Awaitable[R]],
    pause_after: Callable[[int, R], float | None],
    *,
    sleep: Callable[[float], Awaitable[None]],
) -> R:
    """Send until `pause_after` returns None for a result, sleeping as it says between tries.

    `send` gets the number of the try, from 1, and turns its faults into results; what it raises ends the
    loop.
    This is the only loop around a send in the package: retries and polls both go through it. The first try,
    which mostly is the last, is made before the loop is built, since building it costs as much as a request.
    """
    first = await send(1)
    first_pause = pause_after(1, first)
    if first_pause is None:
        return first
    pauses = {1: first_pause}

    def again(state: tenacity.RetryCallState) -> bool:
        assert state.outcome is not None
        if state.attempt_number == 1:
            return True
        if state.outcome.failed:
            return False
        pause = pause_after(state.attempt_number, state.outcome.result())
        if pause is None:
            return False
        pauses[state.attempt_number] = pause
        return True

    loop = tenacity.AsyncRetrying(
        sleep=sleep,
        stop=tenacity.stop_never,
        wait=lambda state: pauses.pop(state.attempt_number),
        retry=again,
        reraise=True,
    )
    numbers = iter(range(1, 2**62))

    async def once() -> R:
        number = next(numbers)
        return first if number == 1 else await send(number)

    return await loop(once)


__all__ = [
    "Decision",
    "OpClass",
    "Outcome",
    "RetryBudget",
    "RetryConfig",
    "Tries",
    "backoff_s",
    "drive",
    "judge",
]
