"""Send a request until it has an outcome, by the rules of `core.retry`, and build the error when it has none.

It owns the attempts of each call and their clocks, the retry budget of one client, and the pause while the
account cannot pay. It must not know order or promises: `io.queues` and `io.poller` do.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING

import attrs

from tinsmith.core import errors
from tinsmith.core.config import LONG_WAIT_S, RetryConfig, set_variables
from tinsmith.core.failures import (
    broken_answer,
    detail_text,
    error_from_status,
    error_of_redirect,
    is_missing_route,
    no_such_operation,
    parse_body,
    read_conflict,
    read_error_text,
)
from tinsmith.core.polling import billing_pause_s
from tinsmith.core.retry import (
    NOT_SENT,
    Decision,
    Fault,
    History,
    OpClass,
    Outcome,
    RetryBudget,
    RetryLoop,
    decide,
    should_retry,
)
from tinsmith.io.http.messages import REDIRECTS, Answer, Faulted, Lane, Request
from tinsmith.io.limits import Gate

if TYPE_CHECKING:
    from random import Random

    from tinsmith.core.config import ClientConfig
    from tinsmith.core.negotiation import Limits
    from tinsmith.io.events import Observers
    from tinsmith.io.http.auth import Credentials
    from tinsmith.io.http.server import Server

_log = logging.getLogger("tinsmith")

_TIMEOUTS = frozenset({Fault.CONNECT_TIMEOUT, Fault.READ_TIMEOUT, Fault.WRITE_TIMEOUT, Fault.DEADLINE})


_NOT_YET_SENT, _NO_HISTORY, _UNDECIDED = Outcome(fault=Fault.CLOSED), History(), Decision("fail")


def new_idempotency_key() -> str:
    """Return a fresh key for one logical call."""
    return f"tinsmith-retry-{uuid.uuid4()}"


@attrs.define(eq=False)
class Attempts:
    """The attempts of one logical call: what is sent, what came of it so far, and how it ended."""

    request: Request
    """What is sent."""
    op: OpClass
    """What is at stake when it is sent twice."""
    retry: RetryConfig
    """How often and how long it is sent again."""
    started_s: float
    """When the first attempt began, on the clock of the loop."""
    valid: Callable[[Answer], bool] | None = None
    """Says whether a body of success can be read."""
    gate: Gate | None = None
    """Sees each outcome, and admits each further attempt; that wait counts against no limit."""
    patient: bool = False
    """Whether it waits for a bill to be paid, and is sent again after an empty 400 of a stale proxy."""
    unknown_before: bool = False
    """Whether an attempt before the last ended with an unknown outcome."""
    answer: Answer | None = None
    """The last answer, if one came whole."""
    outcome: Outcome = _NOT_YET_SENT
    """How the last attempt ended."""
    reason: str = ""
    """What the transport said of a fault."""
    history: History = _NO_HISTORY
    """What was known when the last decision was made."""
    decision: Decision = _UNDECIDED
    """What was decided after the last attempt."""
    attempts: int = 0
    """How often it was sent."""
    elapsed_s: float = 0.0
    """Seconds from the first attempt to the last outcome."""
    charged: int = 0
    """Attempts that count against the number of retries."""
    paused_s: float = 0.0
    """Seconds that count against no limit: waiting to be admitted, or for a bill to be paid."""
    unpaid_since_s: float | None = None
    """Since when the server answers 402."""
    bare_400: int = 0
    """Empty 400s so far."""
    report_at_s: float = LONG_WAIT_S
    """When observers are next notified of a long wait, in seconds from the first attempt."""

    @property
    def done(self) -> bool:
        """Whether the answer is one of success."""
        return self.decision.action == "done"


class Sender:
    """The sending side of one client: its transport, its retry budget, what its calls learn of the server."""

    def __init__(
        self,
        config: ClientConfig,
        credentials: Credentials,
        observers: Observers,
        random: Random,
        server: Server,
    ) -> None:
        self._config = config
        self._credentials = credentials
        self._observers = observers
        self._random = random
        self._server = server
        self._billing_patience_s = config.poll.billing_patience_s
        self._budget = RetryBudget(config.retry)
        self._reached = False
        self._loop = RetryLoop(self._send, self._decide, self._note_retry, sleep=asyncio.sleep)
        self._warned: set[str] = set()

    def apply_limits(self, limits: Limits) -> None:
        """Have later pauses last no longer than the server says, while the account cannot pay."""
        self._billing_patience_s = limits.billing_patience_s

    def lane_of_changes(self, otherwise: Lane = Lane.UPLOAD) -> Lane:
        """Return which connections carry what changes a model, at this moment."""
        return otherwise if self._server.may_resend_unknown else Lane.ALONE

    async def call(
        self,
        request: Request,
        op: OpClass,
        *,
        valid: Callable[[Answer], bool] | None = None,
        retry: RetryConfig | None = None,
    ) -> Answer:
        """Send until there is an answer of success, or raise the error of the last attempt."""
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
        gate: Gate | None = None,
        patient: bool = False,
    ) -> Attempts:
        """Send until there is an outcome; byte-identical, under one idempotency key.

        `valid` says whether a body of success can be read; `gate` sees each outcome, and each further attempt
        waits for it. What is `patient` waits for a bill to be paid, as submissions do.
        """
        call = Attempts(
            request,
            op,
            retry or self._config.retry,
            asyncio.get_running_loop().time(),
            valid,
            gate,
            patient or op is OpClass.SUBMIT,
            unknown_before,
        )
        call.decision = await self._loop.run(call)
        if call.decision.action == "fail":
            _log.debug("%s: %s; not sent again: %s", request.title, _ended(call), call.decision.reason)
        return call

    async def _send(self, call: Attempts) -> Outcome:
        """Make one attempt."""
        clock = asyncio.get_running_loop().time
        if call.attempts and call.gate is not None:
            wait_began_s = clock()
            await call.gate.admit()
            call.paused_s += clock() - wait_began_s
        extra = {"x-stainless-retry-count": str(call.attempts)}
        call.attempts += 1
        call.answer, call.reason = None, ""
        try:
            call.answer = answer = await self._credentials.send(call.request, extra)
        except Faulted as faulted:
            call.outcome, call.reason = Outcome(fault=faulted.fault), faulted.reason
        else:
            self._reached = True
            call.outcome = Outcome(answer.status, headers=answer.headers)
            if answer.ok and call.valid is not None and not call.valid(answer):
                call.outcome = Outcome(fault=Fault.BROKEN_BODY)
            self._note_answer(call.request, answer)
        call.elapsed_s = clock() - call.started_s
        if call.gate is not None:
            call.gate.notice(call.outcome)
        return call.outcome

    def _decide(self, call: Attempts, outcome: Outcome) -> Decision:
        """Have `core.retry` decide, unless the answer says nothing of the request."""
        now_s = call.started_s + call.elapsed_s
        pause_s = self._standstill_s(call, now_s)
        if pause_s is not None:
            return Decision("wait", pause_s)
        call.charged += outcome.status != 429
        call.history = History(
            attempt=call.attempts,
            charged=call.charged,
            elapsed_s=call.elapsed_s - call.paused_s,
            wall_now_s=time.time(),  # for the dates that servers name, and for nothing else
            unknown_before=call.unknown_before,
            may_resend_unknown=self._server.may_resend_unknown,  # now: servers are recognised late
            reached=self._reached,
            budget_wait_s=self._budget.wait_s(now_s),
            random=self._random.random(),
        )
        decision = decide(call.op, outcome, call.history, call.retry)
        if decision.action == "done":
            self._budget.succeeded(now_s)
        return decision

    def _standstill_s(self, call: Attempts, now_s: float) -> float | None:
        """Return the pause after an answer that says nothing of the request: a bill, a stale proxy."""
        outcome, policy, limit_s = call.outcome, self._config.poll, self._billing_patience_s
        since_s, operation = call.unpaid_since_s, call.request.operation
        if outcome.status != 402 and since_s is not None:
            call.unpaid_since_s = None
            call.paused_s += now_s - since_s
            self._observers.resumed_after_billing(operation, now_s - since_s)
        if not call.patient or not call.retry.enable_retry_logic:
            return None
        if outcome.status == 402 and should_retry(outcome.headers) is not False:
            since_s = call.unpaid_since_s = now_s if since_s is None else since_s
            pause_s = billing_pause_s(now_s - since_s, limit_s, policy)
            if pause_s is not None:
                self._observers.paused_for_billing(operation, now_s - since_s, limit_s)
            return pause_s
        if outcome.status == 400 and call.answer is not None and not call.answer.body.strip():
            call.bare_400 += 1
            if call.bare_400 < policy.bare_400_limit:
                self._credentials.renew_connections(call.request.lane)
                return policy.floor_s
        return None

    def _note_retry(self, call: Attempts, outcome: Outcome, decision: Decision) -> None:
        """Log and count an attempt that will be followed by another; pay for that one."""
        if decision.action == "wait":
            return
        request, kind = call.request, _kind(outcome)
        self._observers.count_error(kind)
        if outcome.fault in NOT_SENT:
            self.warn_once(
                "unreachable", "cannot reach %s: %s; trying again", self._config.base_url, call.reason or kind
            )
        if call.op is OpClass.SUBMIT and outcome.applied == "unknown" and not self._server.is_vouched_for:
            self.warn_once(
                "unvouched",
                "the outcome of %s is unknown (%s) and it is sent again, since most servers apply a sequence"
                " number once; pass server_deduplicates=False if %s does not, or True if it does",
                request.operation,
                kind,
                self._config.base_url,
            )
        _log.debug("%s: %s; again in %.3f s", request.title, _ended(call), decision.delay_s)
        waited_s = call.history.elapsed_s
        if call.answer is not None and outcome.fault is None and waited_s >= call.report_at_s:
            call.report_at_s = 2.0 * waited_s
            why = f"the server, which answers {outcome.status}: {detail_text(parse_body(call.answer.body))}"
            self._observers.still_waiting(request.operation, why, waited_s)
        if decision.spends:
            self._budget.spend(call.started_s + call.elapsed_s)
        call.unknown_before = call.unknown_before or outcome.applied == "unknown"

    def error(self, exchange: Attempts) -> errors.TinkerError:
        """Build the error for an exchange that did not end in success."""
        facts: errors.ErrorFacts = {
            "attempts": exchange.attempts,
            "elapsed_s": exchange.elapsed_s,
            "applied": _applied(exchange),
        }
        operation, outcome, answer = exchange.request.operation, exchange.outcome, exchange.answer
        if outcome.fault is Fault.BROKEN_BODY and answer is not None:
            return broken_answer(answer.status, answer.body, f"a body that {operation} cannot read", **facts)
        if outcome.fault is None and answer is not None:
            retry_after_s = exchange.decision.retry_after_s
            if answer.status in REDIRECTS and (where := answer.headers.get("location")):
                return error_of_redirect(answer.status, self._config.base_url, where, **facts)
            missing = no_such_operation(operation) if is_missing_route(answer.status, answer.body) else None
            return error_from_status(
                answer.status, answer.body, retry_after_s=retry_after_s, said=missing, **facts
            )
        message = f"{operation}: {outcome.fault}: {exchange.reason} ({self._where(outcome.fault)})"
        if outcome.fault in _TIMEOUTS:
            return errors.APITimeoutError(message=message, **facts)
        return errors.APIConnectionError(message, **facts)

    def _where(self, fault: Fault | None) -> str:
        if fault is Fault.TLS:
            chosen = set_variables("SSL_CERT_FILE", "SSL_CERT_DIR")
            whose = "".join(f", by {name}={value}" for name, value in chosen.items())
            return f"server {self._config.base_url}; its certificate was not accepted{whose}"
        if fault in NOT_SENT:
            return f"server {self._config.base_url}, from base_url= or TINKER_BASE_URL"
        return f"server {self._config.base_url}"

    def _note_answer(self, request: Request, answer: Answer) -> None:
        """Look for marks of the server; log what it says of an operation that will go away."""
        if not self._server.is_recognised:
            self._server.examine(request, answer)
        note = answer.headers.get("x-deprecation-note")
        if note:
            self.warn_once(
                f"deprecated {request.operation}",
                "the server says of %s: %s",
                request.operation,
                "".join(c if c.isprintable() else " " for c in note[:200]),
            )

    def warn_once(self, key: str, message: str, *args: object) -> None:
        """Log a WARNING the first time that `key` comes up on this client."""
        if key not in self._warned:
            self._warned.add(key)
            _log.warning(message, *args)

    def left_out(self, operation: str, problem: str | None) -> None:
        """Say once that a list came with rows that cannot be read, if one did."""
        if problem is not None:
            self.warn_once(
                f"unreadable {operation}",
                "%s: some rows cannot be read and are left out; `extra` of the page has them. %s",
                operation,
                problem,
            )


def _kind(outcome: Outcome) -> str:
    return str(outcome.fault or f"status {outcome.status}")


def _ended(call: Attempts) -> str:
    """Say for the log how the last attempt ended; of what changes something, whether it was applied by it."""
    kind = _kind(call.outcome)
    return f"{kind}, applied={call.outcome.applied}" if call.op is OpClass.SUBMIT else kind


def _applied(exchange: Attempts) -> errors.Applied | None:
    """Say whether a request took effect; None for one that only reads."""
    if exchange.request.method == "GET":
        return None
    if exchange.outcome.status != 409 or exchange.answer is None:
        return exchange.decision.applied
    words, operation = read_error_text(exchange.answer.body), exchange.request.operation
    return read_conflict(words, operation, resent=exchange.unknown_before).applied
