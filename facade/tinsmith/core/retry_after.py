"""Reads the server's advice on waiting from headers. Pure: the wall clock is an argument."""

from __future__ import annotations

import re
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


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
