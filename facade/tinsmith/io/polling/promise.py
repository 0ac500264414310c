"""An outstanding result, and what is known of its wait. It must not ask for it: `io.polling.poller` does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import attrs
from tinsmith_api.operations import OPERATIONS

from tinsmith.core.config import LONG_WAIT_S
from tinsmith.core.failures import detail_text
from tinsmith.core.polling import Asked, PollState
from tinsmith.core.promises import Claims

LARGE_RESULTS = frozenset(each.request_type for each in OPERATIONS.values() if "result" in each.protobuf)
"""Request types whose results may be large: they may come as protobuf, and be announced by their size."""


@attrs.define(eq=False)
class Promise:
    """An outstanding result."""

    request_id: str
    """The server's name for it."""
    operation: str
    """What it is for."""
    request_type: str
    """The value of `X-Tinker-Request-Type`."""
    model_id: str | None = None
    """The model or sampler that works on it."""
    seq_id: int | None = None
    """Its number there."""
    roundtrip_s: float | None = None
    """Seconds from the start of the submission to the promise."""
    state: PollState = attrs.field(factory=PollState)
    """What is remembered of its polls."""
    started_s: float = 0.0
    """When waiting began, on the loop's clock."""
    moved_s: float = 0.0
    """When it last moved by itself: was made, or changed its queue state."""
    resent: bool = False
    """Whether its request was sent again after an unknown outcome."""
    line: Callable[[], tuple[int, str | None]] | None = None
    """Tells of its model the highest number sent and the last checkpoint; None outside of a model's line."""
    claims: Claims | None = None
    """Whose the promises of its model or sampler are."""
    read: Callable[[Any], Any] = bytes
    """Decodes the payload."""
    queue_state: str | None = None
    """What the server last said that it waits for."""
    queue_reason: str | None = None
    """The same in the server's words."""
    reserve_bytes: int = 0
    """Size of the result, once the server told it; room is made before it is fetched."""
    ended: Callable[[Promise], Awaitable[None]] | None = None
    """Who hears of its end before anybody asks for it; None where each promise is polled by itself."""
    progress_timeout_s: float | None = None
    """Limit of this promise alone; None for the client's."""
    told_s: float = LONG_WAIT_S
    """Length of wait at which observers hear of it next."""

    @property
    def asked(self) -> Asked:
        """What is known of its request now."""
        highest_sent, checkpoint = (0, None) if self.line is None else self.line()
        return Asked(self.operation, self.seq_id, highest_sent, self.resent, checkpoint)

    @property
    def may_be_large(self) -> bool:
        """Whether the result may be large."""
        return self.request_type in LARGE_RESULTS

    @property
    def waits_for(self) -> str:
        """What it waits for, as a clause."""
        words = {
            "paused_capacity": "capacity at the server",
            "paused_rate_limit": "a rate limit of your account (concurrent models)",
            "active": "the server to finish it",
            None: "the server to finish it",
        }
        clause = words.get(self.queue_state, f"the server (queue state {self.queue_state})")
        return f"{clause}: {detail_text(self.queue_reason)}" if self.queue_reason else clause
