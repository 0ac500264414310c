"""When an access token is renewed, and whether a server refused one. Pure; checks no signature."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any

import attrs
import orjson

if TYPE_CHECKING:
    from collections.abc import Mapping

REFRESH_SHARE = 0.45
"""Share of a token's lifetime after which it is renewed, plus a random part, so that clients do not all renew
at the same moment."""

REFRESH_SPREAD = 0.10
"""Most that is added to `REFRESH_SHARE`."""

MARGIN_S = 60.0
"""Seconds before a token expires: from then on it is renewed before the next request is sent."""

AFTER_FAILURE_S = 60.0
"""Seconds until the next attempt to renew, after one that failed."""

UNKNOWN_LIFE_S = 3600.0
"""Lifetime in seconds of a token that does not say when it expires."""


@attrs.frozen
class Lifetime:
    """When a token is renewed, in seconds of one clock."""

    refresh_s: float
    """When it is renewed in the background."""
    last_s: float
    """When it must be renewed before anything is sent."""

    @classmethod
    def of(cls, token: str, *, now_s: float, wall_now_s: float, random: float) -> Lifetime:
        """Compute it from the claim `exp` of a token that was just issued.

        If it seems to have expired, the clocks differ, and its lifetime counts as unknown. A token that lives
        for less than two minutes is used for about half of that, instead of being renewed for each request.
        """
        left_s = _expiry_s(token, wall_now_s) - wall_now_s
        left_s = left_s if left_s > 0 else UNKNOWN_LIFE_S
        return cls(
            now_s + left_s * (REFRESH_SHARE + REFRESH_SPREAD * random),
            now_s + max(left_s - MARGIN_S, left_s * REFRESH_SHARE),
        )


def is_token(key: str) -> bool:
    """Say whether a key is an access token already."""
    return key.startswith("eyJ")


def is_invalid_token(status: int, headers: Mapping[str, str]) -> bool:
    """Say whether a server refused a request only because its token is invalid or expired."""
    challenge = headers.get("www-authenticate", "").replace(" ", "").lower()
    return status == 401 and ('error="invalid_token"' in challenge or "error=invalid_token" in challenge)


def claims_of(token: str) -> Mapping[str, Any]:
    """Read the claims of a JWT without checking its signature; `ValueError` if it is not a JWT."""
    try:
        payload = token.split(".")[1]
        claims = orjson.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, binascii.Error) as cause:
        raise ValueError("not a JWT") from cause
    if not isinstance(claims, dict):
        raise ValueError("the claims of a JWT are an object")
    return claims


def _expiry_s(token: str, wall_now_s: float) -> float:
    try:
        return float(claims_of(token)["exp"])
    except (KeyError, TypeError, ValueError):
        return wall_now_s + UNKNOWN_LIFE_S
