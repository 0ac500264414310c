"""How long to wait before a promise is asked for again. Pure: clocks and random draws are arguments.

Two cases: the promise is not ready, which is normal; and the poll failed, which calls for backing off.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from tinsmith.core.retry import FINAL_FAULTS, Decision, Fault, Outcome, retry_after_s, should_retry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tinsmith.core.config import PollPolicy, RetryConfig

_NOT_READY = frozenset({408, 425})
_ASK_AGAIN_NOW = frozenset({Fault.READ_TIMEOUT, Fault.DEADLINE})


@attrs.frozen
class Moment:
    """What the clocks and the dice say when a poll was answered."""

    took_s: float = 0.0
    """Seconds that this poll took."""
    waited_s: float = 0.0
    """Seconds since the promise was made."""
    wall_now_s: float = 0.0
    """Wall clock, for Retry-After dates only."""
    random: float = 0.5
    """A draw from [0, 1)."""


def not_ready_pause_s(quick: int, moment: Moment, policy: PollPolicy) -> float:
    """Return the pause after a "not yet"; `quick` counts those in a row that were answered at once.

    None after a poll that the server held. Else the pause grows fast to where a result is hardly late,
    and then with the time waited, up to a second.
    """
    if moment.took_s >= policy.held_s:
        return 0.0
    ramp = min(policy.floor_s * policy.growth ** min(max(quick - 1, 0), 60), policy.ramp_s)
    return min(max(ramp, policy.elapsed_share * moment.waited_s), policy.ceiling_s)


def storm_pause_s(failed: int, random: float, policy: PollPolicy) -> float:
    """Return the pause after a poll that failed; `failed` counts those in a row, this one included."""
    full = min(policy.storm_base_s * 2.0 ** min(max(failed - 1, 0), 60), policy.storm_max_s)
    return max(policy.storm_base_s, full * (1.0 - policy.storm_jitter * random))


def unreadable_pause_s(failed: int, random: float, policy: PollPolicy) -> float:
    """Return the pause after an answer of success that cannot be read: from half of a storm's first pause."""
    first = policy.storm_base_s / 2.0
    full = min(first * 2.0 ** min(max(failed - 1, 0), 60), policy.storm_max_s)
    return max(first, full * (1.0 - policy.storm_jitter * random))


def back_off(
    headers: Mapping[str, str], failed: int, moment: Moment, retry: RetryConfig, policy: PollPolicy
) -> float:
    """Return the pause after noise of the way: as the answer asks, up to the cap, else longer each time."""
    asked = retry_after_s(headers, moment.wall_now_s)
    if asked is None:
        return storm_pause_s(failed + 1, moment.random, policy)
    return max(policy.storm_base_s, min(asked, retry.retry_after_cap_s))


def billing_pause_s(unpaid_s: float, patience_s: float, policy: PollPolicy) -> float | None:
    """Return the pause after a 402; None when the bill was not paid for as long as we wait."""
    return None if unpaid_s >= patience_s else policy.billing_pause_s


def decide_by_status(
    outcome: Outcome, failed: int, moment: Moment, retry: RetryConfig, policy: PollPolicy
) -> Decision:
    """Decide by status or fault alone whether to ask again, and when.

    A delay of 0 means: not ready, no fault. `failed` counts the polls in a row that failed before this one.
    """
    if outcome.fault is not None:
        if outcome.fault in FINAL_FAULTS:
            return Decision("fail", reason=outcome.fault.value)
        if outcome.fault in _ASK_AGAIN_NOW:
            return Decision("retry", reason="held")
        return Decision("retry", storm_pause_s(failed + 1, moment.random, policy), reason=outcome.fault.value)
    assert outcome.status is not None
    if 200 <= outcome.status < 300:
        return Decision("done", applied="yes")
    if outcome.status in _NOT_READY:
        return Decision("retry", reason="not ready")
    told = should_retry(outcome.headers) if outcome.status >= 400 else None
    if told is False or not (told or outcome.status in (402, 429) or outcome.status >= 500):
        return Decision("fail", reason=f"status {outcome.status}")
    if outcome.status == 402:
        return Decision("retry", policy.billing_pause_s, reason="billing")
    return _back_off(outcome, failed, moment, retry, policy)


def _back_off(
    outcome: Outcome, failed: int, moment: Moment, retry: RetryConfig, policy: PollPolicy
) -> Decision:
    """Wait as the server asks, else longer each time; a 429 that asks for more than the cap is final."""
    asked = retry_after_s(outcome.headers, moment.wall_now_s)
    if asked is not None and asked > retry.retry_after_cap_s and outcome.status == 429:
        return Decision("fail", reason=f"the server asks to wait {asked:g} s", retry_after_s=asked)
    pause = back_off(outcome.headers, failed, moment, retry, policy)
    return Decision("retry", pause, reason=f"status {outcome.status}", retry_after_s=asked)
