"""Arguments of calls that are no values of their own: names, pages, times to live, settings of a loss.

Owns their ranges. Each check returns the argument as it will be sent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tinsmith_api.numbers import finite_number, whole_number

from tinsmith.core.errors import InputError

TTL_S = (3600, 315_360_000)
"""Shortest and longest time to live of a checkpoint, in seconds: an hour and ten years, as the API says."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}")


def count(value: Any, field: str, least: int = 0) -> int:
    """Return a whole number that is at least `least`."""
    try:
        number = whole_number(value, field)
    except InputError:
        number = least - 1
    if number < least:
        raise InputError(f"must be a whole number >= {least}, not {value!r}", field=field)
    return number


def page(limit: int, offset: int) -> dict[str, object]:
    """Return the query of a page."""
    return {"limit": count(limit, "limit", 1), "offset": count(offset, "offset")}


def ttl(ttl_seconds: Any, field: str = "ttl_seconds") -> int | None:
    """Return a time to live; None is for ever."""
    if ttl_seconds is None:
        return None
    try:
        seconds = whole_number(ttl_seconds, field)
    except InputError:
        seconds = -1
    if not TTL_S[0] <= seconds <= TTL_S[1]:
        raise InputError(
            f"must be a whole number of seconds from {TTL_S[0]} to {TTL_S[1]}, not {ttl_seconds!r}",
            field=field,
        )
    return seconds


def checkpoint_name(name: Any) -> str:
    """Return the name of a new checkpoint."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise InputError(
            f"{name!r} is no checkpoint name: letters, digits, '.', '_' and '-', at most 255", field="name"
        )
    return name


def loss_settings(settings: Mapping[str, Any] | None) -> dict[str, float | str] | None:
    """Return the settings of a loss: numbers and texts by name."""
    if settings is None:
        return None
    if not isinstance(settings, Mapping):
        kind = type(settings).__name__
        raise InputError(
            f"must be a mapping of names to numbers or texts, not a {kind}", field="loss_fn_config"
        )
    for name in settings:
        if not isinstance(name, str):
            raise InputError(
                f"the name {name!r} is a {type(name).__name__}, not a text", field="loss_fn_config"
            )
    return {
        name: value if isinstance(value, str) else _setting(f"loss_fn_config.{name}", value)
        for name, value in settings.items()
    }


def _setting(field: str, value: Any) -> float:
    try:
        return finite_number(value, field)
    except InputError:
        raise InputError(f"must be a finite number or text, not {value!r:.100}", field=field) from None


def labels(user_metadata: Mapping[str, str] | None) -> dict[str, str] | None:
    """Return what a user attaches to a thing on the server."""
    if user_metadata is None:
        return None
    try:
        return dict(user_metadata)
    except (TypeError, ValueError):
        kind = type(user_metadata).__name__
        raise InputError(f"must be a mapping of names to texts, not {kind}", field="user_metadata") from None
