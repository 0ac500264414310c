"""Send a request until it has an outcome, by the rules of `core.retry`, and build the error when it has none.

It owns the retry budget and the back-off of one client. It must not know order or promises:
`io.queues` and `io.polling` do.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from typing import TYPE_CHECKING

from tinsmith.core import errors
from tinsmith.core.config import set_variables
from tinsmith.core.conflict import judge_conflict
from tinsmith.core.decision import NOT_SENT, Decision, Fault, OpClass, Outcome
from tinsmith.core.failures import (
    broken_answer,
    detail_text,
    error_from_status,
    error_of_redirect,
    no_such_operation,
    parse_body,
)
from tinsmith.core.retry import drive
from tinsmith.core.wording import is_missing_route, read_words
from tinsmith.io.events import StillWaiting
from tinsmith.io.http.attempts import Attempts, Exchange, SenderState
from tinsmith.io.http.messages import REDIRECTS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from random import Random

    from tinsmith.core.config import ClientConfig, RetryConfig
    from tinsmith.core.negotiation import Limits
    from tinsmith.io.billing import Billing
    from tinsmith.io.events import Observers
    from tinsmith.io.http.auth import Credentials
    from tinsmith.io.http.messages import Answer, Request
    from tinsmith.io.http.server import Server

_log = logging.getLogger("tinsmith")

_TIMEOUTS = frozenset({Fault.CONNECT_TIMEOUT, Fault.READ_TIMEOUT, Fault.WRITE_TIMEOUT, Fault.DEADLINE})


def new_idempotency_key() -> str:
    """Return a fresh key for one logical call."""
    return f"tinsmith-retry-{uuid.uuid4()}"


class Sender:
    """The sending side of one client: its transport, its budget, its memory of having reached the server."""

    def __init__(
        self,
        config: ClientConfig,
        credentials: Credentials,
        observers: Observers,
        billing: Billing,
        random: Random,
        server: Server,
    ) -> None:
        self._config = config
        self._shared = SenderState(config, credentials, billing, random, server)
        self._observers = observers
        self._server = server
        self._warned: set[str] = set()

    def apply_limits(self, limits: Limits) -> None:
        """Have later pauses last no longer than the server says, while the account cannot pay."""
        self._shared.billing_patience_s = limits.billing_patience_s

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
        admit: Callable[[], Awaitable[None]] | None = None,
        patient: bool = False,
    ) -> Exchange:
        """Send until there is an outcome; byte-identical, under one idempotency key.

        `valid` says whether a body of success can be read; `notice` sees the outcome of each try, and each
        further one waits for `admit`. What is `patient` waits for a bill to be paid, as submissions do.
        """
        run = Attempts(
            self._shared, self, request, op, valid, retry or self._config.retry, unknown_before, notice
        )
        run.admit = admit
        run.patient = patient or op is OpClass.SUBMIT
        await drive(run.send, run.pause_after, sleep=asyncio.sleep)
        return run.exchange()

    def error(self, exchange: Exchange) -> errors.TinkerError:
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

    def heed(self, request: Request, answer: Answer) -> None:
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

    def held_up(self, request: Request, answer: Answer, waited_s: float) -> None:
        """Say why a call that the server refuses again and again takes so long."""
        why = f"the server, which answers {answer.status}: {detail_text(parse_body(answer.body))}"
        self._observers.tell(StillWaiting(request.operation, why, waited_s, None))
        _log.warning("%s has waited %.0f s for %s", request.operation, waited_s, why)

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
        if op is OpClass.SUBMIT and outcome.applied == "unknown" and not self._server.is_vouched_for:
            self.warn_once(
                "unvouched",
                "the outcome of %s is unknown (%s) and it is sent again, since most servers apply a sequence"
                " number once; pass server_deduplicates=False if %s does not, or True if it does",
                request.operation,
                kind,
                self._config.base_url,
            )
        _log.debug("%s: %s; again in %.3f s", request.operation, kind, decision.delay_s)


def _applied(exchange: Exchange) -> errors.Applied | None:
    """Say whether a request took effect; None for one that only reads."""
    if exchange.request.method == "GET":
        return None
    if exchange.outcome.status != 409 or exchange.answer is None:
        return exchange.decision.applied
    words, operation = read_words(exchange.answer.body), exchange.request.operation
    return judge_conflict(words, operation, resent=exchange.unknown_before).applied
