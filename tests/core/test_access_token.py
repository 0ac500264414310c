"""When an access token is renewed, and which answers refuse one: tables written by hand."""

from __future__ import annotations

import base64

import orjson
import pytest
from tinsmith.core.access_token import Lifetime, claims_of, is_invalid_token, is_token
from tinsmith.core.config import PollPolicy
from tinsmith.core.polling import billing_pause_s

WALL_S = 5e9


def token(**claims: object) -> str:
    """Make a token with these claims."""
    return f"eyJh.{base64.urlsafe_b64encode(orjson.dumps(claims)).decode().rstrip('=')}.signature"


@pytest.mark.parametrize(("random", "refresh_s"), [(0.0, 10.0 + 450.0), (1.0, 10.0 + 550.0)])
def test_a_token_is_renewed_at_about_half_of_its_life(random: float, refresh_s: float) -> None:
    """Between 45 and 55 % on the way, and at the latest a minute before its end."""
    life = Lifetime.of(token(exp=WALL_S + 1000.0), now_s=10.0, wall_now_s=WALL_S, random=random)
    assert life.refresh_s == pytest.approx(refresh_s)
    assert life.last_s == pytest.approx(10.0 + 940.0)


@pytest.mark.parametrize(
    "made", ["eyJ", "eyJ.x.y", "eyJ.\u00e9.y", token(), token(exp="soon"), token(exp=[1])]
)
def test_a_token_that_does_not_say_when_it_ends(made: str) -> None:
    """It is taken for one of an hour."""
    life = Lifetime.of(made, now_s=10.0, wall_now_s=WALL_S, random=0.5)
    assert (life.refresh_s, life.last_s) == (10.0 + 1800.0, 10.0 + 3540.0)


def test_a_fresh_token_that_seems_to_be_over() -> None:
    """The clocks differ: it is taken for one of an hour, and not renewed for each request."""
    life = Lifetime.of(token(exp=WALL_S - 50.0), now_s=10.0, wall_now_s=WALL_S, random=0.5)
    assert (life.refresh_s, life.last_s) == (10.0 + 1800.0, 10.0 + 3540.0)


def test_a_token_of_seconds_is_used_for_half_of_them() -> None:
    """Less than the margin is left from the start, and still it is not renewed for each request."""
    life = Lifetime.of(token(exp=WALL_S + 40.0), now_s=10.0, wall_now_s=WALL_S, random=0.0)
    assert (life.refresh_s, life.last_s) == pytest.approx((28.0, 28.0))


@pytest.mark.parametrize(
    ("status", "challenge", "expected"),
    [
        (401, 'Bearer error="invalid_token"', True),
        (401, 'Bearer error = "invalid_token", x="y"', True),
        (401, "Bearer error=invalid_token", True),
        (401, "Bearer", False),
        (401, None, False),
        (403, 'Bearer error="invalid_token"', False),
    ],
)
def test_what_refuses_the_token_alone(status: int, challenge: str | None, expected: bool) -> None:
    """Only 401 with that word in WWW-Authenticate."""
    assert is_invalid_token(status, {} if challenge is None else {"www-authenticate": challenge}) is expected


@pytest.mark.parametrize(("key", "expected"), [("eyJhbGciOi", True), ("tml-x", False), ("", False)])
def test_what_a_token_looks_like(key: str, expected: bool) -> None:
    """A JWT begins with the base64 of a brace."""
    assert is_token(key) is expected


@pytest.mark.parametrize(("unpaid_s", "expected"), [(0.0, 5.0), (59.9, 5.0), (60.0, None), (99.0, None)])
def test_how_long_a_bill_is_waited_for(unpaid_s: float, expected: float | None) -> None:
    """5 s at a time, until the limit."""
    assert billing_pause_s(unpaid_s, 60.0, PollPolicy()) == expected


def test_claims_that_are_no_object_are_refused() -> None:
    """A token whose claims are a list is none."""
    with pytest.raises(ValueError, match="the claims of a JWT are an object"):
        claims_of("eyJhbGciOiJub25lIn0.W10.")
