"""Owns the scheduler of sampling: which job's work is done next. Computes nothing itself."""

import math
import os
from collections import deque
from concurrent.futures import CancelledError

import numpy as np
import numpy.typing as npt

from tinsmith.local.engine.batch import ImageSpan, check_tokens
from tinsmith.local.engine.choose import score
from tinsmith.local.engine.decode import Decoder
from tinsmith.local.engine.errors import ExampleError
from tinsmith.local.engine.jobs import Sample, SampleHandle, SampleJob, SampleOutput, StopRule
from tinsmith.local.engine.kv import KeyValues
from tinsmith.local.engine.model import BaseModel
from tinsmith.local.engine.prompts import Prompt, Prompts
from tinsmith.local.engine.running import Running
from tinsmith.local.engine.workers import Team, exclusive

__all__ = [
    "ImageSpan",
    "Sample",
    "SampleHandle",
    "SampleJob",
    "SampleOutput",
    "Scheduler",
    "StopRule",
    "sample",
]

Array = npt.NDArray[np.float32]

ADMITTED_TOKENS = 1024
"""Prompt tokens computed in one step, unless one prompt alone is longer: running samples wait for them."""
KV_BYTES = 1024 * 1024 * 1024
"""Keys and values of all running samples together; more wait until some have finished."""


class _Ticket:
    """A job in flight: which of its samples still wait, and those that are done."""

    def __init__(self, handle: SampleHandle, limit: int) -> None:
        self.handle, self.limit = handle, limit
        self.seed = handle.job.seed if handle.job.seed is not None else int.from_bytes(os.urandom(8))
        self.waiting = deque(range(handle.job.num_samples))
        self.samples: dict[int, Sample] = {}
        self.prompt_logprobs: list[float | None] | None = None
        self.topk: list[list[tuple[int, float]] | None] | None = None
        self.looked_at = False


class Scheduler:
    """Continuous batching over the jobs of one base model; adapters may differ within a batch.

    One thread calls `submit`, `cancel` and `step`. What a job returns is the same whatever else is in flight.
    """

    def __init__(self, model: BaseModel, *, max_batch: int = 64) -> None:
        self._model, self._max_batch = model, max_batch
        self._queue: deque[_Ticket] = deque()
        self._running: list[tuple[_Ticket, Running]] = []
        self._prompts = Prompts(model)
        self._decoder: Decoder | None = None

    def submit(self, job: SampleJob) -> SampleHandle:
        """Check a job and queue it; ExampleError names the field that is wrong."""
        limit = _checked_limit(job, self._model)
        handle = SampleHandle(job)
        self._queue.append(_Ticket(handle, limit))
        return handle

    def cancel(self, handle: SampleHandle) -> None:
        """Drop an unfinished job: its `error` becomes CancelledError, and its memory is given back."""
        if not handle.done:
            self._drop(handle, CancelledError("the sampling job was cancelled"))

    def _drop(self, handle: SampleHandle, error: BaseException) -> None:
        self._queue = deque(ticket for ticket in self._queue if ticket.handle is not handle)
        self._running = [pair for pair in self._running if pair[0].handle is not handle]
        handle.error = error

    @property
    def idle(self) -> bool:
        """Whether nothing is queued or running, so that `step` would do nothing."""
        return not self._queue and not self._running

    def step(self) -> tuple[SampleHandle, ...]:
        """Do one unit of work (a prompt, or a token for each running sample); return what finished."""
        with exclusive() as team:
            if self._decoder is None:
                self._decoder = Decoder(self._model, team)
            if self._queue and self._has_room(self._queue[0]):
                return self._admit(self._decoder, team)
            return self._advance(self._decoder)

    def _has_room(self, ticket: _Ticket) -> bool:
        if not self._running:
            return True
        itemsize = self._model.weights.embed.dtype.itemsize
        positions = len(ticket.handle.job.prompt) + ticket.limit
        wanted = KeyValues.bytes_for(self._model.config, positions, itemsize)
        held = sum(running.row.cache.nbytes for _, running in self._running if running.row is not None)
        return len(self._running) < self._max_batch and held + wanted <= KV_BYTES

    def _admit(self, decoder: Decoder, team: Team) -> tuple[SampleHandle, ...]:
        """Compute the prompts at the head of the queue and start as many of their samples as fit."""
        tickets: list[_Ticket] = []
        for ticket in self._queue:
            tokens = sum(len(other.handle.job.prompt) for other in [*tickets, ticket])
            if tickets and (tokens > ADMITTED_TOKENS or len(tickets) >= self._max_batch):
                break
            tickets.append(ticket)
        prompts = self._prompts.get([ticket.handle.job for ticket in tickets], decoder, team)
        failed: list[SampleHandle] = []
        for ticket, prompt in zip(tickets, prompts, strict=True):
            try:
                if isinstance(prompt, Exception):
                    raise prompt
                self._start(ticket, prompt, decoder, team)
            except Exception as error:  # noqa: BLE001  (one job's failure is that job's result)
                self._drop(ticket.handle, error)
                failed.append(ticket.handle)
        self._queue = deque(ticket for ticket in self._queue if ticket.waiting)
        return (*self._settle(tickets), *failed)

    def _start(self, ticket: _Ticket, prompt: Prompt, decoder: Decoder, team: Team) -> None:
        """Answer what was asked about the prompt, once, and start samples while there is room."""
        job = ticket.handle.job
        if not ticket.looked_at:
            ticket.looked_at = True
            if job.prompt_logprobs:
                ticket.prompt_logprobs = self._prompts.logprobs(prompt, decoder, team)
            if job.topk_prompt_logprobs:
                ticket.topk = self._prompts.top(prompt, job.topk_prompt_logprobs, decoder, team)
        eos = self._model.config.eos_token_ids
        while ticket.waiting and self._has_room(ticket):
            index = ticket.waiting.popleft()
            self._place(
                ticket, Running(job, prompt, index=index, seed=ticket.seed, limit=ticket.limit, eos=eos)
            )

    def _place(self, ticket: _Ticket, running: Running) -> None:
        """Put a sample among its adapter's, or among the finished."""
        if running.reason is not None:
            ticket.samples[running.index] = running.finished()
            return
        adapters = [id(other.handle.job.adapter) for other, _ in self._running]
        mine = id(ticket.handle.job.adapter)
        place = len(adapters) - adapters[::-1].index(mine) if mine in adapters else len(adapters)
        self._running.insert(place, (ticket, running))

    def _advance(self, decoder: Decoder) -> tuple[SampleHandle, ...]:
        """Give every running sample its next token."""
        if not self._running:
            return ()
        batch = list(self._running)
        rows = [running.row for _, running in batch if running.row is not None]
        failed: dict[int, Exception] = {}

        def finish(index: int, logits: Array) -> None:
            try:
                batch[index][1].take(score(logits))
            except Exception as error:  # noqa: BLE001  (a stop rule's decoder belongs to one job)
                failed[index] = error

        decoder.step(rows, finish)
        for index, error in failed.items():
            self._drop(batch[index][0].handle, error)
        ended = [ticket for ticket, running in batch if running.reason is not None]
        for ticket, running in batch:
            if running.reason is not None:
                ticket.samples[running.index] = running.finished()
        self._running = [pair for pair in self._running if pair[1].reason is None]
        broken = {id(batch[index][0]): batch[index][0].handle for index in failed}
        return (*self._settle(ended), *broken.values())

    def _settle(self, tickets: list[_Ticket]) -> tuple[SampleHandle, ...]:
        """Give jobs whose samples are all there their result."""
        done = []
        for ticket in dict.fromkeys(tickets):
            handle, job = ticket.handle, ticket.handle.job
            if len(ticket.samples) == job.num_samples and not handle.done:
                samples = tuple(ticket.samples[index] for index in range(job.num_samples))
                handle.output = SampleOutput(
                    samples=samples, prompt_logprobs=ticket.prompt_logprobs, topk_prompt_logprobs=ticket.topk
                )
                done.append(handle)
        return tuple(done)


def _checked_limit(job: SampleJob, model: BaseModel) -> int:
    """Check a job; return how many tokens each sample may have."""
    config = model.config
    check_tokens(job.prompt, job.images, config, field="prompt")
    if job.num_samples < 1:
        raise ExampleError("must be at least 1", field="num_samples")
    if job.max_tokens is not None and job.max_tokens < 0:
        raise ExampleError("must not be negative", field="max_tokens")
    if not (math.isfinite(job.temperature) and job.temperature >= 0.0):
        raise ExampleError("must be a finite number of at least 0", field="temperature")
    if not 0.0 < job.top_p <= 1.0:
        raise ExampleError("must be above 0 and at most 1", field="top_p")
    if job.top_k < -1 or job.top_k == 0:
        raise ExampleError("must be -1 or at least 1", field="top_k")
    if not 0 <= job.topk_prompt_logprobs <= config.vocab_size:
        raise ExampleError("must be between 0 and the size of the vocabulary", field="topk_prompt_logprobs")
    if job.stop is not None and job.stop.strings and (job.stop.decode is None or "" in job.stop.strings):
        raise ExampleError("stop strings must not be empty and need a decoder", field="stop")
    room = config.max_context - len(job.prompt)
    if room < 1 and job.max_tokens != 0:
        raise ExampleError(f"leaves no room in the model's context of {config.max_context}", field="prompt")
    return room if job.max_tokens is None else min(room, job.max_tokens)


def sample(model: BaseModel, job: SampleJob) -> SampleOutput:
    """Run one job to its end by itself."""
    scheduler = Scheduler(model)
    handle = scheduler.submit(job)
    while not handle.done:
        scheduler.step()
    if handle.error is not None:
        raise handle.error
    assert handle.output is not None
    return handle.output
