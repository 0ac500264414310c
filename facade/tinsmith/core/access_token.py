"""How long a token lives, and what a server says of one that it does not take. Pure; knows no signature."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any

import attrs
import orjson

if TYPE_CHECKING:
    from collections.abc import Mapping

REFRESH_SHARE = 0.45
"""Share of a token's life after which it is renewed, and `REFRESH_SPREAD` beyond: so that a herd spreads."""

REFRESH_SPREAD = 0.10
"""Random part of that share."""

MARGIN_S = 60.0
"""Seconds before its end from which a token is not used without asking for another."""

AFTER_FAILURE_S = 60.0
"""Seconds until the next attempt to renew, after one that failed."""

UNKNOWN_LIFE_S = 3600.0
"""Seconds for which a token is used that does not say when it ends."""


@attrs.frozen
class Lifetime:
    """When a token is renewed, in seconds of one clock."""

    refresh_s: float
    """From when it is renewed on the way."""
    last_s: float
    """From when nothing is sent before it is renewed."""

    @classmethod
    def of(cls, token: str, *, now_s: float, wall_now_s: float, random: float) -> Lifetime:
        """Compute it from the claim `exp`; the wall clock is read once, at the start.

        A fresh token that seems to be over tells of two clocks that differ, and nothing of its life. One that
        lives for less than two minutes is used for about half of that, not renewed for each request.
        """
        left_s = _ends(token, wall_now_s) - wall_now_s
        left_s = left_s if left_s > 0 else UNKNOWN_LIFE_S
        return cls(
            now_s + left_s * (REFRESH_SHARE + REFRESH_SPREAD * random),
            now_s + max(left_s - MARGIN_S, left_s * REFRESH_SHARE),
        )


def is_token(key: str) -> bool:
    """Say whether a key is a token already."""
    return key.startswith("eyJ")


def is_invalid_token(status: int, headers: Mapping[str, str]) -> bool:
    """Say whether a server refused a request because of its token alone."""
    told = headers.get("www-authenticate", "").replace(" ", "").lower()
    return status == 401 and ('error="invalid_token"' in told or "error=invalid_token" in told)


def claims_of(token: str) -> Mapping[str, Any]:
    """Read the claims of a JWT, whose signature is the server's business; `ValueError` for what is none."""
    try:
        payload = token.split(".")[1]
        claims = orjson.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, binascii.Error) as cause:
        raise ValueError("not a JWT") from cause
    if not isinstance(claims, dict):
        raise ValueError("the claims of a JWT are an object")
    return claims


def _ends(token: str, wall_now_s: float) -> float:
    try:
        return float(claims_of(token)["exp"])
    except (KeyError, TypeError, ValueError):
        return wall_now_s + UNKNOWN_LIFE_S
