"""What the rules of the state machine choose among.

It must not decide when anything happens: `machine` does.
"""

from __future__ import annotations

from typing import Any, Literal

from hypothesis import HealthCheck
from hypothesis import strategies as st
from tinsmith.testing.ledger_service import TRAINING

from tests.chaos.server import POLL

Duplicates = Literal["promise", "apply", "conflict", "refuse"]

QUIET = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
"""What hypothesis shall not complain of: a run of many rules takes its time."""

PICK = st.integers(0, 99)

DUPLICATES: list[Duplicates] = ["promise", "apply", "conflict", "refuse"]
"""What servers do with duplicates."""

ORDERS_BY_NUMBER = frozenset({"wait", "hold", "promise"})
"""Orders of servers that take the chunks of a call in any order, and apply them in that of their numbers."""

ADVICE: dict[str, dict[str, str]] = {
    "none": {},
    "retry": {"x-should-retry": "true"},
    "stop": {"x-should-retry": "false"},
    "soon": {"retry-after": "3"},
    "late": {"retry-after": "900"},
    "date": {"retry-after": "Fri, 01 Jan 2100 00:00:00 GMT"},
}
"""Headers of a refusal."""


def any_training(operation: str, _body: dict[str, Any]) -> bool:
    """Fit whatever stands in a model's line."""
    return operation in TRAINING


def any_poll(operation: str, _body: dict[str, Any]) -> bool:
    """Fit any poll."""
    return operation == POLL


def any_beat(operation: str, _body: dict[str, Any]) -> bool:
    """Fit any heartbeat."""
    return operation == "session_heartbeat"


ANYWHERE = st.sampled_from([any_training, any_poll, any_beat])

DISASTERS = ["close", "session", "models", "outage", "promises", "all promises"]
"""What ends a client, or the server."""
