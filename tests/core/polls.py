"""Polls for tests: what follows an answer, with the defaults."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from tinsmith.core.config import PollPolicy
from tinsmith.core.polling import (
    Failed,
    Moment,
    NotYet,
    Poll,
    PollResult,
    PollState,
)

if TYPE_CHECKING:
    from tinsmith.core.retry import Fault

POLICY = PollPolicy()


def decide(status: int, headers: Any, body: bytes, state: PollState, **known: Any) -> PollResult:
    """Say what follows an answer."""
    return Poll(status, headers, body, state, **known).decide()


def decide_fault(fault: Fault, state: PollState, **known: Any) -> Any:
    """Say what follows a poll without an answer."""
    return Poll(state=state, fault=fault, **known).decide()


def result_of(status: int, body: Any = b"", state: PollState | None = None, **headers: str) -> PollResult:
    """Say what follows one answer, with the defaults; header names with underscores."""
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return decide(status, names, raw, state or PollState(), request_id="r1")


def polled_to_the_end(status: int, body: bytes, **headers: str) -> tuple[list[float], float, Failed]:
    """Poll again with the longest pauses until the wait ends; return the pauses, the time and the end."""
    state, now_s = PollState(), 0.0
    pauses: list[float] = []
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    while True:
        moment = Moment(waited_s=now_s, random=0.0)
        result = decide(status, names, body, state, moment=moment, request_id="r1")
        if isinstance(result, Failed):
            return pauses, now_s, result
        assert isinstance(result, NotYet)
        assert len(pauses) < 100
        pauses.append(result.pause_s)
        state, now_s = result.state, now_s + result.pause_s
