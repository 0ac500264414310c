"""Owns the slots of running samples: which may start, and which is preempted. Computes nothing itself."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from tinsmith_local.engine.fair_queue import Ticket
from tinsmith_local.engine.kv import KeyValues
from tinsmith_local.engine.running_sample import RunningSample

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from tinsmith_local.engine.config import ModelConfig

KV_BYTES = 1024 * 1024 * 1024
"""Keys and values of all running samples together; more wait until some have finished."""
SURE_SLOTS = 8
"""So many samples of an owner may preempt those of an owner that has more of them running."""

Pair = tuple[Ticket, RunningSample]


class SlotTable:
    """The samples that run at once."""

    def __init__(self, config: ModelConfig, itemsize: int, most: int) -> None:
        self._config, self._itemsize, self._most = config, itemsize, most
        self.running: list[Pair] = []
        """Every running sample with its job, those with the same adapter side by side."""

    def room(self, ticket: Ticket, claims: Sequence[Ticket] = (), without: Sequence[Pair] = ()) -> bool:
        """Whether one more sample of this job fits beside those that run and one of each job in `claims`."""
        if not ticket.limit:
            return True  # it ends as it starts
        claims = [other for other in claims if other.limit]
        staying = [pair for pair in self.running if pair not in without]
        if not staying and not claims:
            return True
        held = sum(running.row.cache.nbytes for _, running in staying if running.row is not None)
        wanted = sum(self._bytes(other) for other in (ticket, *claims))
        return len(staying) + len(claims) < self._most and held + wanted <= KV_BYTES

    def _bytes(self, ticket: Ticket) -> int:
        """Memory that a sample may come to need; one that is larger than half of all may start at a half."""
        positions = len(ticket.job.prompt) + ticket.limit
        return min(KeyValues.bytes_for(self._config, positions, self._itemsize), KV_BYTES // 2)

    def make_room(self, ticket: Ticket, claims: Sequence[Ticket] = ()) -> list[Pair] | None:
        """Take out and return the samples that are preempted for one of this job; None if it must wait.

        A sample is preempted when its owner has at least two more running than this job's owner, the newest
        first; it starts anew later and comes out the same.
        """
        leaving: list[Pair] = []
        counts: Counter[Hashable] = Counter(other.job.owner for other, _ in self.running)
        mine = counts[ticket.job.owner] + sum(other.job.owner == ticket.job.owner for other in claims)
        while not self.room(ticket, claims, leaving):
            owner, count = counts.most_common(1)[0] if counts else (None, 0)
            if mine >= SURE_SLOTS or count < mine + 2:
                return None
            leaving.append(self._newest(owner, leaving))
            counts[owner] -= 1
        self.running = [pair for pair in self.running if pair not in leaving]
        return leaving

    def _newest(self, owner: Hashable, leaving: Sequence[Pair]) -> Pair:
        theirs = [pair for pair in self.running if pair[0].job.owner == owner and pair not in leaving]
        return max(theirs, key=lambda pair: pair[1].number)

    def put(self, ticket: Ticket, running: RunningSample) -> None:
        """Put a sample beside those with its adapter."""
        adapters = [id(other.job.adapter) for other, _ in self.running]
        mine = id(ticket.job.adapter)
        slot = len(adapters) - adapters[::-1].index(mine) if mine in adapters else len(adapters)
        self.running.insert(slot, (ticket, running))
