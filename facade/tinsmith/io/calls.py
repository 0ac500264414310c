"""Send a request until it has an outcome, by the rules of `core.retry`, and build the error when it has none.

It owns the retry budget and the back-off of one client. It must not know order or promises: `io.pipeline` and
`io.hub` do.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from typing import TYPE_CHECKING

import attrs

from tinsmith.core import errors
from tinsmith.core.failures import broken_answer, error_from_status
from tinsmith.core.origin import DEFAULT_BASE_URL
from tinsmith.core.retry import RetryBudget, Tries, drive, judge
from tinsmith.core.verdict import NOT_SENT, Decision, Fault, OpClass, Outcome
from tinsmith.io.wire import Answer, Faulted, Request

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from tinsmith.core.config import ClientConfig, RetryConfig
    from tinsmith.io.observe import Observers
    from tinsmith.io.transport import Transport

_log = logging.getLogger("tinsmith")

_TIMEOUTS = frozenset({Fault.CONNECT_TIMEOUT, Fault.READ_TIMEOUT, Fault.WRITE_TIMEOUT, Fault.DEADLINE})


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


def new_idempotency_key() -> str:
    """Return a fresh key for one logical call."""
    return f"tinsmith-retry-{uuid.uuid4()}"


class Caller:
    """The sending side of one client: its transport, its budget, its memory of having reached the server."""

    def __init__(
        self, config: ClientConfig, transport: Transport, observers: Observers, random: Random
    ) -> None:
        self._config = config
        self._transport = transport
        self._observers = observers
        self._random = random
        self._budget = RetryBudget(config.retry)
        self._reached = False
        self._vouched = (
            config.server_deduplicates is not None or config.local or config.base_url == DEFAULT_BASE_URL
        )
        self._warned: set[str] = set()

    async def call(
        self,
        request: Request,
        op: OpClass,
        *,
        valid: Callable[[Answer], bool] | None = None,
        retry: RetryConfig | None = None,
    ) -> Answer:
        """Send until there is an answer of success, or raise the error of the last try."""
        exchange = await self.exchange(request, op, valid=valid, retry=retry)
        if exchange.done and exchange.answer is not None:
            return exchange.answer
        raise self.error(exchange)

    async def exchange(
        self,
        request: Request,
        op: OpClass,
        *,
        valid: Callable[[Answer], bool] | None = None,
        retry: RetryConfig | None = None,
        unknown_before: bool = False,
        notice: Callable[[Outcome], None] | None = None,
    ) -> Exchange:
        """Send until there is an outcome; byte-identical, under one idempotency key.

        `valid` says whether a body of success can be read; `notice` sees the outcome of each try.
        """
        run = _Run(self, request, op, valid, retry or self._config.retry, unknown_before, notice)
        await drive(run.send, run.pause_after, sleep=asyncio.sleep)
        return run.exchange()

    def error(self, exchange: Exchange) -> errors.TinkerError:
        """Build the error for an exchange that did not end in success."""
        applied = exchange.decision.applied if exchange.request.body is not None else None
        facts: errors.ErrorFacts = {
            "attempts": exchange.attempts,
            "elapsed_s": exchange.elapsed_s,
            "applied": applied,
        }
        operation, outcome, answer = exchange.request.operation, exchange.outcome, exchange.answer
        if outcome.fault is Fault.BROKEN_BODY and answer is not None:
            body = self._without_key(answer.body)
            return broken_answer(answer.status, body, f"a body that {operation} cannot read", **facts)
        if outcome.fault is None and answer is not None:
            retry_after_s = exchange.decision.retry_after_s
            body = self._without_key(answer.body)
            return error_from_status(answer.status, body, retry_after_s=retry_after_s, **facts)
        message = f"{operation}: {outcome.fault}: {exchange.reason} ({self._where(outcome.fault)})"
        if outcome.fault in _TIMEOUTS:
            return errors.APITimeoutError(message=message, **facts)
        return errors.APIConnectionError(message, **facts)

    def _without_key(self, body: bytes) -> bytes:
        """Strike the key out of an answer that echoes it."""
        key = self._config.api_key
        return body if key is None else body.replace(key.reveal().encode(), b"***")

    def _where(self, fault: Fault | None) -> str:
        if fault is Fault.TLS:
            return f"server {self._config.base_url}; its certificate was not accepted"
        if fault in NOT_SENT:
            return f"server {self._config.base_url}, from base_url= or TINKER_BASE_URL"
        return f"server {self._config.base_url}"

    def heed(self, request: Request, answer: Answer) -> None:
        """Log what the server says of an operation that will go away."""
        note = answer.headers.get("x-deprecation-note")
        if note:
            self.warn_once(
                f"deprecated {request.operation}", "the server says of %s: %s", request.operation, note[:200]
            )

    def warn_once(self, key: str, message: str, *args: object) -> None:
        """Log a WARNING the first time that `key` comes up on this client."""
        if key not in self._warned:
            self._warned.add(key)
            _log.warning(message, *args)

    def stumbled(
        self, request: Request, op: OpClass, outcome: Outcome, decision: Decision, reason: str
    ) -> None:
        """Note a try that will be followed by another."""
        kind = str(outcome.fault or f"status {outcome.status}")
        self._observers.stumbled(kind)
        if outcome.fault in NOT_SENT:
            self.warn_once(
                "unreachable", "cannot reach %s: %s; trying again", self._config.base_url, reason or kind
            )
        if op is OpClass.SUBMIT and outcome.applied == "unknown" and not self._vouched:
            self.warn_once(
                "unvouched",
                "the outcome of %s is unknown (%s) and it is sent again, since most servers apply a sequence"
                " number once; pass server_deduplicates=False if %s does not, or True if it does",
                request.operation,
                kind,
                self._config.base_url,
            )
        _log.debug("%s: %s; again in %.3f s", request.operation, kind, decision.delay_s)


class _Run:
    """The tries of one logical call."""

    def __init__(
        self,
        caller: Caller,
        request: Request,
        op: OpClass,
        valid: Callable[[Answer], bool] | None,
        config: RetryConfig,
        unknown_before: bool,
        notice: Callable[[Outcome], None] | None,
    ) -> None:
        self._caller = caller
        self._notice = notice
        self._request = request
        self._op = op
        self._valid = valid
        self._config = config
        self._unknown_before = unknown_before
        self._charged = 0
        self._attempts = 0
        self._loop = asyncio.get_running_loop()
        self._started_s = self._loop.time()
        self._last: tuple[Answer | None, Outcome, str] = (None, Outcome(fault=Fault.CLOSED), "")
        self._decision = Decision("fail")

    async def send(self, attempt: int) -> Outcome:
        """Make one try."""
        self._attempts = attempt
        extra = {"x-stainless-retry-count": str(attempt - 1)}
        answer: Answer | None = None
        reason = ""
        try:
            answer = await self._caller._transport.send(self._request, extra)
        except Faulted as faulted:
            outcome, reason = Outcome(fault=faulted.fault), faulted.reason
        else:
            self._caller._reached = True
            outcome = Outcome(answer.status, headers=answer.headers)
            if answer.ok and self._valid is not None and not self._valid(answer):
                outcome = Outcome(fault=Fault.BROKEN_BODY)
            self._caller.heed(self._request, answer)
        self._last = (answer, outcome, reason)
        if self._notice is not None:
            self._notice(outcome)
        return outcome

    def pause_after(self, attempt: int, outcome: Outcome) -> float | None:
        """Have the try judged; return the pause before the next one, or None."""
        caller, now_s = self._caller, self._loop.time()
        self._charged += outcome.status != 429
        tries = Tries(
            attempt=attempt,
            charged=self._charged,
            elapsed_s=now_s - self._started_s,
            wall_now_s=time.time(),
            unknown_before=self._unknown_before,
            may_resend_unknown=caller._config.may_resend_unknown,
            reached=caller._reached,
            budget_wait_s=caller._budget.wait_s(now_s),
            random=caller._random.random(),
        )
        self._decision = decision = judge(self._op, outcome, tries, self._config)
        if decision.action == "done":
            caller._budget.succeeded(now_s)
        if decision.action != "retry":
            return None
        caller.stumbled(self._request, self._op, outcome, decision, self._last[2])
        if decision.spends:
            caller._budget.spend(now_s)
        self._unknown_before = self._unknown_before or outcome.applied == "unknown"
        return decision.delay_s

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
