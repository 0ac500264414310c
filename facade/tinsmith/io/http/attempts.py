"""The tries of one logical call, judged one by one.

It owns the count of attempts and their clocks, the pause while the account cannot pay, and what the attempts
of all calls of a client share. It must not loop: `core.retry.drive` does, and `io.http.sender` logs and
builds the error.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Protocol

import attrs

from tinsmith.core.decision import Decision, Fault, OpClass, Outcome
from tinsmith.core.pacing import billing_pause_s
from tinsmith.core.retry import RetryBudget, Tries, judge
from tinsmith.core.retry_after import should_retry
from tinsmith.io.http.messages import Answer, Faulted, Request
from tinsmith.io.polling.promise import LONG_WAIT_S

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from random import Random

    from tinsmith.core.config import ClientConfig, RetryConfig
    from tinsmith.io.billing import Billing
    from tinsmith.io.http.auth import Credentials
    from tinsmith.io.http.server import Server


@attrs.frozen
class Exchange:
    """What a logical call ended in, after all its tries."""

    request: Request
    """What was sent."""
    answer: Answer | None
    """The last answer, if one came whole."""
    outcome: Outcome
    """How the last try ended."""
    decision: Decision
    """What `core.retry` made of all tries."""
    reason: str
    """What the transport said of a fault."""
    attempts: int
    """How often it was sent."""
    elapsed_s: float
    """Seconds from the first try to the outcome."""
    unknown_before: bool
    """Whether a try before the last ended with an unknown outcome."""

    @property
    def done(self) -> bool:
        """Whether the answer is the one that was asked for."""
        return self.decision.action == "done"


class SenderState:
    """What all calls of one client send with, and what they remember of each other."""

    def __init__(
        self,
        config: ClientConfig,
        credentials: Credentials,
        billing: Billing,
        random: Random,
        server: Server,
    ) -> None:
        self.config = config
        """The client's settings."""
        self.server = server
        """What is known of the server; asked at each attempt, since servers are recognised late."""
        self.credentials = credentials
        """Sends one attempt."""
        self.billing = billing
        """Who tells of pauses."""
        self.billing_patience_s = config.poll.billing_patience_s
        """Seconds of 402 before a submission fails; the server may dictate others."""
        self.random = random
        """Where jitter comes from."""
        self.budget = RetryBudget(config.retry)
        """How many retries are left."""
        self.reached = False
        """Whether the server ever answered."""


class Watch(Protocol):
    """Who is told of each try."""

    def heed(self, request: Request, answer: Answer, /) -> None:
        """Take note of an answer."""
        ...

    def held_up(self, request: Request, answer: Answer, waited_s: float, /) -> None:
        """Take note of a call that the server refuses for long, and why."""
        ...

    def stumbled(
        self, request: Request, op: OpClass, outcome: Outcome, decision: Decision, reason: str, /
    ) -> None:
        """Take note of a try that will be followed by another."""
        ...


class Attempts:
    """The tries of one logical call."""

    def __init__(
        self,
        shared: SenderState,
        watch: Watch,
        request: Request,
        op: OpClass,
        valid: Callable[[Answer], bool] | None,
        config: RetryConfig,
        unknown_before: bool,
        notice: Callable[[Outcome], None] | None,
    ) -> None:
        self._shared = shared
        self._watch = watch
        self._notice = notice
        self.admit: Callable[[], Awaitable[None]] | None = None
        """What each further try waits for; the wait counts against no limit."""
        self.patient = False
        """Whether it waits for a bill to be paid, and asks a proxy again that answers for nobody."""
        self._request = request
        self._op = op
        self._valid = valid
        self._config = config
        self._unknown_before = unknown_before
        self._charged = 0
        self._told_s = LONG_WAIT_S
        self._attempts = 0
        self._bare_400 = 0
        self._unpaid_since_s: float | None = None
        self._paused_s = 0.0
        self._loop = asyncio.get_running_loop()
        self._started_s = self._loop.time()
        self._last: tuple[Answer | None, Outcome, str] = (None, Outcome(fault=Fault.CLOSED), "")
        self._decision = Decision("fail")

    async def send(self, attempt: int) -> Outcome:
        """Make one try."""
        if attempt > 1 and self.admit is not None:
            asked_s = self._loop.time()
            await self.admit()
            self._paused_s += self._loop.time() - asked_s
        self._attempts = attempt
        extra = {"x-stainless-retry-count": str(attempt - 1)}
        answer: Answer | None = None
        reason = ""
        try:
            answer = await self._shared.credentials.send(self._request, extra)
        except Faulted as faulted:
            outcome, reason = Outcome(fault=faulted.fault), faulted.reason
        else:
            self._shared.reached = True
            outcome = Outcome(answer.status, headers=answer.headers)
            if answer.ok and self._valid is not None and not self._valid(answer):
                outcome = Outcome(fault=Fault.BROKEN_BODY)
            self._watch.heed(self._request, answer)
        self._last = (answer, outcome, reason)
        if self._notice is not None:
            self._notice(outcome)
        return outcome

    def pause_after(self, attempt: int, outcome: Outcome) -> float | None:
        """Have the try judged; return the pause before the next one, or None."""
        shared, now_s = self._shared, self._loop.time()
        pause_s = self._standstill_s(outcome, now_s)
        if pause_s is not None:
            return pause_s
        self._charged += outcome.status != 429
        tries = Tries(
            attempt=attempt,
            charged=self._charged,
            elapsed_s=now_s - self._started_s - self._paused_s,
            wall_now_s=time.time(),  # for the dates that servers name, and for nothing else
            unknown_before=self._unknown_before,
            may_resend_unknown=shared.server.may_resend_unknown,
            reached=shared.reached,
            budget_wait_s=shared.budget.wait_s(now_s),
            random=shared.random.random(),
        )
        self._decision = decision = judge(self._op, outcome, tries, self._config)
        if decision.action == "done":
            shared.budget.succeeded(now_s)
        if decision.action != "retry":
            return None
        self._watch.stumbled(self._request, self._op, outcome, decision, self._last[2])
        answer = self._last[0]
        if answer is not None and outcome.fault is None and tries.elapsed_s >= self._told_s:
            self._told_s = 2.0 * tries.elapsed_s
            self._watch.held_up(self._request, answer, tries.elapsed_s)
        if decision.spends:
            shared.budget.spend(now_s)
        self._unknown_before = self._unknown_before or outcome.applied == "unknown"
        return decision.delay_s

    def _standstill_s(self, outcome: Outcome, now_s: float) -> float | None:
        """Return the pause after an answer that says nothing of the request: a bill, a stale proxy."""
        shared, since_s = self._shared, self._unpaid_since_s
        limit_s, policy = shared.billing_patience_s, shared.config.poll
        if outcome.status != 402 and since_s is not None:
            self._unpaid_since_s = None
            self._paused_s += now_s - since_s
            shared.billing.resumed(self._request.operation, now_s - since_s)
        if not self.patient or not self._config.enable_retry_logic:
            return None
        if outcome.status == 402 and should_retry(outcome.headers) is not False:
            since_s = self._unpaid_since_s = now_s if since_s is None else since_s
            pause_s = billing_pause_s(now_s - since_s, limit_s, policy)
            if pause_s is not None:
                shared.billing.paused(self._request.operation, now_s - since_s, limit_s)
            return pause_s
        answer = self._last[0]
        if outcome.status == 400 and answer is not None and not answer.body.strip():
            self._bare_400 += 1
            if self._bare_400 < policy.bare_400_limit:
                shared.credentials.renew_connections(self._request.lane)
                return policy.floor_s
        return None

    def exchange(self) -> Exchange:
        """Return what the tries ended in."""
        answer, outcome, reason = self._last
        return Exchange(
            self._request,
            answer,
            outcome,
            self._decision,
            reason,
            self._attempts,
            self._loop.time() - self._started_s,
            self._unknown_before,
        )
