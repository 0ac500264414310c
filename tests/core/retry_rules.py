"""The retry table as data, written by hand from the fault matrix. Never imports the policy that it tests.

Every number here is spelled out again on purpose: a wrong constant in the package must not fix the test.
"""

from __future__ import annotations

NOW = 1_792_584_000.0  # 2026-10-21 12:00:00 UTC
DATE_2S = "Wed, 21 Oct 2026 12:00:02 GMT"
DATE_PAST = "Wed, 21 Oct 2026 11:59:00 GMT"
DATE_NO_ZONE = "Wed, 21 Oct 2026 12:00:02"

# form -> (headers, seconds that it asks for; None is "asks for nothing sensible")
RETRY_AFTER: dict[str, tuple[dict[str, str], float | None]] = {
    "none": ({}, None),
    "ms": ({"retry-after-ms": "1500"}, 1.5),
    "integer": ({"retry-after": "7"}, 7.0),
    "float": ({"retry-after": "2.5"}, 2.5),
    "0": ({"retry-after": "0"}, None),
    "negative": ({"retry-after": "-5"}, None),
    "future date": ({"retry-after": DATE_2S}, 2.0),
    "past date": ({"retry-after": DATE_PAST}, None),
    "date without zone": ({"retry-after": DATE_NO_ZONE}, 2.0),
    "above the cap": ({"retry-after": "121"}, 121.0),
    "garbage": ({"retry-after": "soon"}, None),
    "day that overflows": ({"retry-after": "Mon, 01 Jan 99999999999999999999 00:00:00 GMT"}, None),
    "zone that overflows": ({"retry-after": "Mon, 01 Jan 2026 00:00:00 +99999999999999"}, None),
    "number that overflows": ({"retry-after": "9" * 400}, None),
    "exponent": ({"retry-after": "1e308"}, None),
    "no ASCII digit": ({"retry-after": "\u0663"}, None),
}
SHOULD_RETRY: dict[str, dict[str, str]] = {
    "absent": {},
    "true": {"x-should-retry": "true"},
    "false": {"x-should-retry": "false"},
}

# The attempt is the first one and the draw of the jitter is 0.5, so: 0.5 s doubled 0 times, full jitter.
OWN_DELAY = 0.25
# A poll backs off from 1 s, and never below 1 s.
OWN_POLL_DELAY = 1.0
POLL_BILLING_DELAY = 5.0
CAP = 120.0


def _status_ranges() -> dict[int, str]:
    """Name what each status means for a request that changes state; ranges first, exceptions after."""
    names = dict.fromkeys(range(100, 200), "final")
    names.update(dict.fromkeys(range(200, 300), "done"))
    names.update(dict.fromkeys(range(300, 500), "final"))
    names.update(dict.fromkeys((408, 425), "again"))
    names[429] = "busy"
    names.update(dict.fromkeys(range(500, 600), "again"))
    names.update(dict.fromkeys((501, 505), "never"))
    return names


MEANING = _status_ranges()
PROVES_NOT_ACCEPTED = {301, 302, 307, 308, 400, 401, 402, 403, 404, 405, 406, 411, 413, 414, 415, 422, 429}
PROVES_NOT_ACCEPTED |= {431, 501, 505}
POLL_NOT_READY = {408, 425}

Expected = tuple[str, float, str]  # action, delay in seconds, applied


def _applied(status: int) -> str:
    if MEANING[status] == "done":
        return "yes"
    return "no" if status in PROVES_NOT_ACCEPTED else "unknown"


def expected_send(status: int, form: str, hint: str) -> Expected:
    """Say what follows for a submit and for an idempotent read: both are repeated on the same statuses."""
    meaning, asked, applied = MEANING[status], RETRY_AFTER[form][1], _applied(status)
    if meaning == "done":
        return ("done", 0.0, applied)
    is_error = status >= 400
    again = meaning in ("again", "busy")
    if is_error and hint == "true":
        again = meaning != "never"
    if is_error and hint == "false":
        again = False
    if not again or (asked is not None and asked > CAP):
        return ("fail", 0.0, applied)
    return ("retry", OWN_DELAY if asked is None else asked, applied)


def expected_best_effort(status: int, form: str, hint: str) -> Expected:
    """Say what follows for heartbeats and their like: the next one replaces a lost one."""
    return ("done", 0.0, "yes") if MEANING[status] == "done" else ("fail", 0.0, _applied(status))


def expected_poll(status: int, form: str, hint: str) -> Expected:
    """Say what follows for a poll. Its promise was accepted, so a poll never proves that nothing happened."""
    meaning, asked = MEANING[status], RETRY_AFTER[form][1]
    if meaning == "done":
        return ("done", 0.0, "yes")
    if status in POLL_NOT_READY:
        return ("retry", 0.0, "unknown")
    is_error = status >= 400
    again = meaning in ("again", "busy", "never") or status == 402  # 501 on a poll is noise of the way
    if is_error and hint == "true":
        again = True
    if is_error and hint == "false":
        again = False
    if not again:
        return ("fail", 0.0, "unknown")
    if status == 402:
        return ("retry", POLL_BILLING_DELAY, "unknown")
    if asked is None:
        return ("retry", OWN_POLL_DELAY, "unknown")
    if status == 429 and asked > CAP:
        return ("fail", 0.0, "unknown")
    return ("retry", max(1.0, min(asked, CAP)), "unknown")


EXPECTED = {
    "submit": expected_send,
    "poll": expected_poll,
    "idempotent read": expected_send,
    "best effort": expected_best_effort,
}
