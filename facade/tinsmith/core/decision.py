"""What one exchange with the server ended in, and what may follow.

Values only; `retry` and `pacing` decide by them.
"""

from __future__ import annotations

from collections.abc import Mapping
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

409 is not among them: `core.conflict` judges it.
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
        """Whether the request took effect, judged from this attempt alone."""
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
    """Whether the request took effect, judged from all attempts."""
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
