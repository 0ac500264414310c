"""A pause while the account cannot pay: told and logged often enough to be seen, and once when it is over.

It must not wait or send: `io.http.sender` and `io.polling.poller` do.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from tinsmith.io.events import StillWaiting

if TYPE_CHECKING:
    from tinsmith.io.events import Observers

_log = logging.getLogger("tinsmith")

TELL_EVERY_S = 60.0
"""Seconds between two warnings of one client, however many of its requests stand still."""


class Billing:
    """The pauses of one client."""

    def __init__(self, observers: Observers) -> None:
        self._observers = observers
        self._told_s = float("-inf")

    def paused(
        self, operation: str, paused_s: float, limit_s: float, *, request_id: str | None = None
    ) -> None:
        """Tell that a request was answered 402 and will be tried again."""
        now_s = asyncio.get_running_loop().time()
        if now_s - self._told_s < TELL_EVERY_S:
            return
        self._told_s = now_s
        clause = f"the account to be able to pay (402), at most {limit_s:.0f} s"
        self._observers.tell(StillWaiting(operation, clause, paused_s, request_id))
        _log.warning("%s has waited %.0f s for %s", operation, paused_s, clause)

    def resumed(self, operation: str, paused_s: float) -> None:
        """Tell that the request goes on."""
        if self._told_s > float("-inf"):
            self._told_s = float("-inf")
            _log.warning("%s goes on after a pause of %.0f s for billing", operation, paused_s)
