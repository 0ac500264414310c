"""How one attempt ended, what the server advises, and what may follow.

`retry` and `pacing` decide by these values. Pure: the wall clock is an argument.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Literal

import attrs

from tinsmith.core.errors import Applied


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


@attrs.frozen
class Outcome:
    """How one attempt ended: a status with headers, or a fault."""

    status: int | None = None
    """HTTP status, if an answer came."""
    fault: Fault | None = None
    """What went wrong, if anything did."""
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
    """What the server asked for, if it did."""
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
"""Characters of a header that are looked at: any number or date of sense is shorter."""


def http_date_s(text: str) -> float | None:
    """Parse an HTTP date into seconds since the epoch; one without a zone is UTC, as all HTTP dates are.

    None for what is no date, and for a date that no clock can hold.
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
    Nothing, zero, the past, garbage and what no clock can hold all mean: no advice.
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
