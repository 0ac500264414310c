"""Owns the queued jobs and their order. Must not know what a job costs or whether it fits."""

from __future__ import annotations

import os
from collections import OrderedDict, deque
from functools import cached_property
from itertools import zip_longest
from typing import TYPE_CHECKING

from tinsmith_local.engine.jobs import Sample, SampleHandle, SampleOutput
from tinsmith_local.engine.prompt_scores import PromptScores

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator


class Ticket:
    """A job in flight: its samples that are queued, and those that are finished."""

    def __init__(self, handle: SampleHandle, limit: int) -> None:
        self.handle, self.job, self.limit = handle, handle.job, limit
        self.seed = self.job.seed if self.job.seed is not None else int.from_bytes(os.urandom(8))
        self.waiting = deque(range(self.job.num_samples))
        self.samples: dict[int, Sample] = {}
        self.scored = False
        """Whether all that the job wants about its prompt is computed."""
        self.known_tokens: int | None = None
        """How much of the prompt an earlier job left; None until its work begins."""

    @cached_property
    def scores(self) -> PromptScores:
        """What the job wants about its prompt; takes memory from its first use on."""
        return PromptScores(self.job, self.seed)

    def finish(self) -> bool:
        """Give the job its result if all samples are there; return whether it has just got it."""
        if len(self.samples) < self.job.num_samples or self.handle.done:
            return False
        self.handle.output = SampleOutput(
            samples=tuple(self.samples[index] for index in range(self.job.num_samples)),
            prompt_logprobs=self.scores.logprobs,
            topk_prompt_logprobs=self.scores.topk,
            target_prompt_logprobs=self.scores.targets,
            prompt_alt_tokens=self.scores.alternatives,
            known_tokens=self.known_tokens or 0,
        )
        return True


class FairQueue:
    """A queue for each owner; the owners are served in rotation."""

    def __init__(self) -> None:
        self._queues: OrderedDict[Hashable, deque[Ticket]] = OrderedDict()

    def __bool__(self) -> bool:
        return bool(self._queues)

    @property
    def owners(self) -> int:
        """How many owners wait."""
        return len(self._queues)

    def __iter__(self) -> Iterator[Ticket]:
        """Yield the first job of each owner, from the one that is next, then the second of each."""
        for rank in zip_longest(*self._queues.values()):
            yield from (ticket for ticket in rank if ticket is not None)

    def add(self, ticket: Ticket) -> None:
        """Put a job at the end of its owner's queue."""
        self._queues.setdefault(ticket.job.owner, deque()).append(ticket)

    def put_back(self, ticket: Ticket) -> None:
        """Put a job at the head of its owner's queue, unless it is in the queue."""
        queue = self._queues.setdefault(ticket.job.owner, deque())
        if ticket not in queue:
            queue.appendleft(ticket)

    def remove(self, ticket: Ticket) -> None:
        """Take a job out, if it is there."""
        queue = self._queues.get(ticket.job.owner, deque())
        if ticket in queue:
            queue.remove(ticket)
        if not queue:
            self._queues.pop(ticket.job.owner, None)

    def served(self, ticket: Ticket) -> None:
        """Move this job's owner behind the others."""
        if ticket.job.owner in self._queues:
            self._queues.move_to_end(ticket.job.owner)
