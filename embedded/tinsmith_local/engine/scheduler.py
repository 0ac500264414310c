"""Owns the scheduler of sampling: which job's work is done next. Computes nothing itself."""

from __future__ import annotations

from concurrent.futures import CancelledError
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tinsmith_local.engine.choose import score
from tinsmith_local.engine.decode import Decoder
from tinsmith_local.engine.fair_queue import FairQueue, Ticket
from tinsmith_local.engine.jobs import SampleHandle, SampleJob, SampleOutput, check_job
from tinsmith_local.engine.prompts import SLICE_TOKENS, Prompt, Prompts, Reading
from tinsmith_local.engine.running_sample import RunningSample
from tinsmith_local.engine.slot_table import Pair, SlotTable
from tinsmith_local.engine.unembed import Unembedding
from tinsmith_local.engine.workers import Team, exclusive

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from tinsmith_local.engine.base_model import BaseModel

Array = npt.NDArray[np.float32]

ADMITTED_TOKENS = SLICE_TOKENS
"""Prompt tokens computed in one step: running samples wait for them."""


class _Long:
    """A job whose prompt is computed, and then scored, a slice at a time."""

    def __init__(self, ticket: Ticket, prompt: Prompt | None, model: BaseModel) -> None:
        self.ticket, self.prompt = ticket, prompt
        self.reading = Reading(model, ticket.job) if prompt is None else None
        rows = ticket.scores.rows
        self.unscored = rows if not ticket.scored else rows[len(rows) :]


class Scheduler:
    """Continuous batching over the jobs of one base model; adapters may differ within a batch.

    One thread calls `submit`, `cancel` and `step`. What a job returns is the same whatever else is in flight.
    Work is done in small units, one kind after another: running samples get a token after each piece of
    prompt work, short prompts go between the slices of a long one, and owners go one after the other.
    """

    def __init__(self, model: BaseModel, *, max_batch: int = 64) -> None:
        self._model, self._max_batch = model, max_batch
        self._short, self._longer = FairQueue(), FairQueue()
        self._long: _Long | None = None
        self._slots = SlotTable(model.config, model.weights.embed.dtype.itemsize, max_batch)
        self._prompts = Prompts(model)
        self._decoder: Decoder | None = None
        self._team: Team | None = None
        self._begun = 0
        self._token_due = self._slice_due = False

    def submit(self, job: SampleJob) -> SampleHandle:
        """Check a job and queue it; ExampleError names the field that is wrong."""
        ticket = Ticket(SampleHandle(job), check_job(job, self._model.config))
        self._queue(ticket).add(ticket)
        return ticket.handle

    def _queue(self, ticket: Ticket) -> FairQueue:
        return self._short if len(ticket.job.prompt) <= SLICE_TOKENS else self._longer

    def cancel(self, handle: SampleHandle) -> None:
        """Drop an unfinished job: its `error` becomes CancelledError, and its memory is given back."""
        if not handle.done:
            self._drop(handle, CancelledError("the sampling job was cancelled"))

    def _drop(self, handle: SampleHandle, error: BaseException) -> None:
        for queue in (self._short, self._longer):
            for ticket in [ticket for ticket in queue if ticket.handle is handle]:
                queue.remove(ticket)
        if self._long is not None and self._long.ticket.handle is handle:
            self._long = None
        self._slots.running = [pair for pair in self._slots.running if pair[0].handle is not handle]
        handle.error = error

    @property
    def idle(self) -> bool:
        """Whether nothing is queued or running, so that `step` would do nothing."""
        return not (self._short or self._longer or self._slots.running)

    def step(self) -> tuple[SampleHandle, ...]:
        """Do one unit of work (prompts, or a token for each running sample); return what finished."""
        with exclusive() as team:
            if self._decoder is None or self._team is not team:  # a fork leaves the old team behind
                self._decoder, self._team = Decoder(self._model, team), team
            if not (self._token_due and self._slots.running):
                done = self._prepare(self._decoder, team)
                if done is not None:
                    self._token_due = True
                    return done
            self._token_due = False
            return self._advance(self._decoder)

    def _prepare(self, decoder: Decoder, team: Team) -> tuple[SampleHandle, ...] | None:
        """Work on prompts, long and short ones alternately; None if there is no work or no memory for it."""
        kinds = [self._admit, self._read]
        for work in reversed(kinds) if self._slice_due else kinds:
            done = work(decoder, team)
            if done is not None:
                self._slice_due = work == self._admit
                return done
        return None

    def _read(self, decoder: Decoder, team: Team) -> tuple[SampleHandle, ...] | None:
        """Do one slice of one long prompt; start its samples when that was the last."""
        if self._long is None:
            ticket = next(iter(self._fitting(self._longer, 1)), None)
            if ticket is None:
                return None
            self._note_known(ticket)
            self._long = _Long(ticket, self._prompts.find(ticket.job), self._model)
            self._longer.served(ticket)
        long = self._long
        try:
            if not self._read_on(long, decoder, team):
                return ()
        except Exception as error:  # noqa: BLE001  (one job's failure is that job's result)
            self._drop(long.ticket.handle, error)
            return (long.ticket.handle,)
        return self._settle([long.ticket])

    def _read_on(self, long: _Long, decoder: Decoder, team: Team) -> bool:
        """Compute or score one slice; return whether that was the last, and samples were started."""
        if long.reading is not None:
            long.prompt = long.reading.step(decoder, team)
            if long.prompt is None:
                return False
            long.reading = None
            self._prompts.keep(long.ticket.job, long.prompt, decoder)
        elif long.prompt is not None and long.unscored:
            self._score(long.ticket, long.prompt, long.unscored[:SLICE_TOKENS], decoder, team)
            long.unscored = long.unscored[SLICE_TOKENS:]
        if long.unscored or long.prompt is None:
            return False
        self._long = None
        self._start(long.ticket, long.prompt, ())
        return True

    def _admit(self, decoder: Decoder, team: Team) -> tuple[SampleHandle, ...] | None:
        """Compute short prompts, one owner after the other, and start as many of their samples as fit."""
        tickets = self._fitting(self._short, self._max_batch)
        if not tickets:
            return None
        for ticket in tickets:
            self._note_known(ticket)
        prompts = self._prompts.get([ticket.job for ticket in tickets], decoder, team)
        failed: list[SampleHandle] = []
        for index, (ticket, prompt) in enumerate(zip(tickets, prompts, strict=True), start=1):
            self._short.served(ticket)
            try:
                if isinstance(prompt, Exception):
                    raise prompt
                if not ticket.scored:
                    self._score(ticket, prompt, ticket.scores.rows, decoder, team)
                self._start(ticket, prompt, tickets[index:])
            except Exception as error:  # noqa: BLE001  (one job's failure is that job's result)
                self._drop(ticket.handle, error)
                failed.append(ticket.handle)
        return (*self._settle(tickets), *failed)

    def _note_known(self, ticket: Ticket) -> None:
        """Remember how much of a prompt was cached when its job began; later the job finds its own work."""
        if ticket.known_tokens is None:
            ticket.known_tokens = self._prompts.known(ticket.job)

    def _fitting(self, queue: FairQueue, most: int) -> list[Ticket]:
        """Choose the next jobs for which a slot is or can be freed; an owner's jobs keep their order."""
        chosen: list[Ticket] = []
        leaving: list[Pair] = []
        refused: set[Hashable] = set()
        for ticket in queue:
            tokens = sum(len(other.job.prompt) for other in [*chosen, ticket])
            if len(chosen) >= most or len(refused) >= queue.owners or (chosen and tokens > ADMITTED_TOKENS):
                break
            if ticket.job.owner in refused:
                continue
            left = self._slots.make_room(ticket, [*self._reserved, *chosen])
            if left is None:
                refused.add(ticket.job.owner)
                continue
            leaving += left
            chosen.append(ticket)
        for ticket, running in leaving:
            ticket.waiting.appendleft(running.index)
            self._queue(ticket).put_back(ticket)
        return chosen

    @property
    def _reserved(self) -> list[Ticket]:
        """The job whose long prompt is being computed: it needs a slot when that is done."""
        return [] if self._long is None else [self._long.ticket]

    def _score(self, ticket: Ticket, prompt: Prompt, rows: range, decoder: Decoder, team: Team) -> None:
        """Compute what the job wants about some of a prompt's rows."""
        head = Unembedding(self._model, decoder.sites(prompt.adapter).unembed, team)
        add = ticket.scores.add
        residual = prompt.residual[rows.start : rows.stop]
        head.each(residual, lambda row, logits: add(rows.start + row, logits))

    def _start(self, ticket: Ticket, prompt: Prompt, claims: Sequence[Ticket]) -> None:
        """Start one sample, for which a slot was freed, and more while slots are left beside the claims."""
        ticket.scored = True
        limit, eos = ticket.limit, self._model.config.eos_token_ids
        begun = self._begun
        while ticket.waiting and (
            self._begun == begun or self._slots.room(ticket, [*self._reserved, *claims])
        ):
            index = ticket.waiting.popleft()
            self._begun += 1
            who = {"index": index, "number": self._begun, "seed": ticket.seed}
            running = RunningSample(ticket.job, prompt, limit=limit, eos=eos, **who)
            if running.reason is None:
                self._slots.put(ticket, running)
            else:
                ticket.samples[index] = running.finished()
        if not ticket.waiting:
            self._queue(ticket).remove(ticket)

    def _advance(self, decoder: Decoder) -> tuple[SampleHandle, ...]:
        """Give every running sample its next token."""
        batch = list(self._slots.running)
        if not batch:
            return ()
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
        self._slots.running = [pair for pair in self._slots.running if pair[1].reason is None]
        broken = {id(batch[index][0]): batch[index][0].handle for index in failed}
        return (*self._settle(ended), *broken.values())

    def _settle(self, tickets: list[Ticket]) -> tuple[SampleHandle, ...]:
        """Set the result of each job whose samples are all finished; return the handles of those jobs."""
        return tuple(ticket.handle for ticket in dict.fromkeys(tickets) if ticket.finish())


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
