"""One sampling session as a client of it sees it: the numbers of its samples, and which copy it is.

It must not send samples: `io.queues.sample_dispatcher` does.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from tinsmith.core.errors import TinkerError
from tinsmith.core.promises import Claims
from tinsmith.io.http import operations
from tinsmith.io.runtime import SharedTask

if TYPE_CHECKING:
    from tinsmith.io.http.sender import Sender
    from tinsmith.io.queues.batch_poller import BatchPoller
    from tinsmith.io.settings import ServerSettings

NUMBERS_A_COPY = 1_000_000_000
"""Samples that one copy can make before it would meet the next one's numbers."""

MOST_COPIES = 2**63 // NUMBERS_A_COPY
"""Copies whose numbers an integer of the wire holds."""


class SamplingSession:
    """One sampling session."""

    def __init__(
        self, sampling_session_id: str | None = None, first_seq_id: int = 0, *, unnumbered: bool = False
    ) -> None:
        self.sampling_session_id = sampling_session_id
        """The server's name for it; None until the server made it."""
        self.refusal: TinkerError | None = None
        """Why it was not made, for samples that it was asked for."""
        self.completions: BatchPoller | None = None
        """Who hears which of its promises have ended, once somebody asked."""
        self.claims = Claims()
        """Whose its promises are."""
        self._next = first_seq_id
        self._unnumbered = unnumbered
        self._guard = threading.Lock()
        self._join: SharedTask[None] | None = None

    @property
    def bound_id(self) -> str:
        """The server's name, for the bytes of a sample that is sent."""
        assert self.sampling_session_id is not None, "nothing is sent before the sampler is there"
        return self.sampling_session_id

    def named(self, sampling_session_id: str, first_seq_id: int = 0) -> None:
        """Note the sampler that the server made."""
        self.sampling_session_id, self._next = sampling_session_id, first_seq_id

    @property
    def copy(self) -> int:
        """Number of this copy; 0 is the original."""
        return self._next // NUMBERS_A_COPY

    def draw(self) -> int:
        """Draw the number of one sample; it keeps it through all its sends."""
        with self._guard:
            number, self._next = self._next, self._next + 1
            return number

    async def join(self, settings: ServerSettings, sender: Sender) -> None:
        """Have the server number this copy, where it does that; else the number that was drawn here holds."""
        flags = await settings.learn()
        if not self._unnumbered or flags is None or not flags.sample_join_sampling_session:
            return
        if self._join is None:
            self._join = SharedTask(lambda: self._joined(sender))
        await self._join.result()

    async def _joined(self, sender: Sender) -> None:
        number = await copy_number(sender, self.bound_id)
        if number is not None:
            with self._guard:
                self._next = number * NUMBERS_A_COPY
        self._unnumbered = False


async def copy_number(sender: Sender, sampling_session_id: str) -> int | None:
    """Ask the server which copy of a sampler this is; None, with a warning, where it does not say.

    0 is the original: a copy of that number would be given the original's samples for its own.
    """
    asked = operations.request(
        "join_sampling_session",
        body={"sampling_session_id": sampling_session_id, "type": "join_sampling_session"},
    )
    try:
        payload = await operations.perform(sender, asked)
    except TinkerError:
        payload = None
    number = payload.get("client_counter") if isinstance(payload, dict) else None
    if isinstance(number, int) and not isinstance(number, bool) and 0 < number < MOST_COPIES:
        return number
    sender.warn_once("join", "the server did not number this copy of a sampler; it drew its own")
    return None
