"""Words for sizes, times and counts in tables. Pure functions; the moment of now is an argument."""

from __future__ import annotations

from datetime import UTC, datetime

_UNITS = ("B", "KB", "MB", "GB", "TB", "PB", "EB")
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def size(count: int | None) -> str:
    """Return a number of bytes for a person, in powers of 1024: `1.5 KB`; `N/A` when it is unknown."""
    if count is None or count < 0:
        return "N/A"
    number = float(count)
    for unit in _UNITS[:-1]:
        if number < 1024:
            return f"{count} B" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1024
    return f"{number:.1f} {_UNITS[-1]}"


def moment(value: datetime | None, now: datetime) -> str:
    """Return a time as seen from `now`, to the nearest unit: `3 hours ago`, `in 2 days`; far ones as a date.

    A checkpoint that expires in 3599 seconds does so `in 1 hour`, not `in 59 minutes`.
    """
    if value is None:
        return "N/A"
    seconds = (now - aware(value)).total_seconds()
    distance = abs(seconds)
    if distance > 30 * _DAY:
        return aware(value).astimezone(UTC).strftime("%Y-%m-%d")
    for unit, length, next_length in (
        ("minute", _MINUTE, _HOUR),
        ("hour", _HOUR, _DAY),
        ("day", _DAY, 7 * _DAY),
        ("week", 7 * _DAY, 31 * _DAY),
    ):
        number = int(distance / length + 0.5)
        if not number:
            return "just now"
        if number * length < next_length:
            words = count(number, unit)
            break
    return f"{words} ago" if seconds > 0 else f"in {words}"


def aware(value: datetime) -> datetime:
    """Return a time with its zone; servers that send none mean UTC."""
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def yes(value: bool) -> str:
    """Return `Yes` or `No`."""
    return "Yes" if value else "No"


def count(number: int, noun: str) -> str:
    """Return `1 run`, `2 runs`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def title(shown: int, total: int | None, noun: str, where: str = "") -> str:
    """Return the heading of a list: how many there are, and how many more are not shown."""
    if not shown:
        return f"No {noun}s found{where}"
    rest = (total or 0) - shown
    return (
        count(shown, noun)
        + where
        + (f" ({rest} more not shown, use --limit to see more)" if rest > 0 else "")
    )
