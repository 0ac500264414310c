"""Samples: there is no order among them, a bounded number is in flight, and the server may push back.

The way of a sample: `enter`, in the thread of the user, queues its job. On the loop, when there is room, it
draws a number of its session, is encoded and submitted; its result is polled for, decoded and handed out.

It owns the queue of samples and the numbers of a sampling session; `io.limits` decides how many go out. It
must not know training, nor how a result is polled.
"""

from __future__ import annotations

import asyncio
import math
import threading
from collections import deque
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import attrs
from tinsmith_api.operations import OPERATIONS

from tinsmith.core.codec.decode import aligned_prompt, decode_sample
from tinsmith.core.codec.encode import encode_sample, encode_sample_stream
from tinsmith.core.config import RetryConfig
from tinsmith.core.errors import ClosedError, InputError, TinkerError
from tinsmith.core.failures import is_missing_route
from tinsmith.core.promises import PromiseOwners
from tinsmith.core.retry import OpClass
from tinsmith.core.values.model_input import ModelInput
from tinsmith.core.values.requests import SamplingParams
from tinsmith.io.future import APIFuture
from tinsmith.io.http import operations, streaming
from tinsmith.io.http.messages import Body, Lane, Request
from tinsmith.io.http.sender import new_idempotency_key
from tinsmith.io.http.streaming import StreamedAnswer
from tinsmith.io.http.submission import Accepted, Submission, have_accepted
from tinsmith.io.limits import SampleFlow, Slot
from tinsmith.io.poller import Promise
from tinsmith.io.queues.jobs import ending, unexpected
from tinsmith.io.queues.sample_stream import PieceQueue, as_piece, read_pieces
from tinsmith.io.runtime import SharedTask

if TYPE_CHECKING:
    from collections.abc import Callable

    from tinsmith.core.codec.wire import Payload
    from tinsmith.core.negotiation import Limits
    from tinsmith.core.values.results import SampleResponse
    from tinsmith.io.connection import Connection
    from tinsmith.io.http.sender import Sender
    from tinsmith.io.http.streaming import LiveEvents
    from tinsmith.io.limits import FairSemaphore
    from tinsmith.io.queues.batch_poller import BatchPoller
    from tinsmith.io.settings import ServerSettings

NO_LIMIT = 1_000_000
"""Samples in flight where the user set no limit: more than any process can hold."""

NUMBERS_A_COPY = 1_000_000_000
"""Samples that one copy of a session can make before it would meet the next one's numbers."""

MOST_COPIES = 2**63 // NUMBERS_A_COPY
"""Copies whose numbers an integer of the wire holds."""

STREAM = OPERATIONS["stream_sample"]
"""The operation that streams; servers without it give a sample as one piece."""

_OPERATION = OPERATIONS["asample"]
_TARGET = _OPERATION.path.lstrip("/")
_HEADERS = {"X-Tinker-Sampling-Backpressure": "1"}


class SamplingSession:
    """One sampling session as a client of it sees it: the numbers of its samples, and which copy it is."""

    def __init__(
        self, sampling_session_id: str | None = None, first_seq_id: int = 0, *, unnumbered: bool = False
    ) -> None:
        self.sampling_session_id = sampling_session_id
        """The server's name for it; None until the server made it."""
        self.refusal: TinkerError | None = None
        """Why it could not be made: the error of its samples; None where it was made, and before."""
        self.promise_owners = PromiseOwners()
        """Whose its promises are."""
        self._next = first_seq_id
        self._unnumbered = unnumbered
        self._guard = threading.Lock()
        self._join: SharedTask[None] | None = None
        self._batch_poller: BatchPoller | None = None

    @property
    def bound_id(self) -> str:
        """The server's name, for the bytes of a sample that is sent."""
        assert self.sampling_session_id is not None, "nothing is sent before the sampler is there"
        return self.sampling_session_id

    def named(self, sampling_session_id: str, first_seq_id: int = 0) -> None:
        """Note the sampler that the server made."""
        self.sampling_session_id, self._next = sampling_session_id, first_seq_id

    def draw(self) -> int:
        """Draw the number of one sample; it keeps it through all its sends."""
        with self._guard:
            number, self._next = self._next, self._next + 1
            return number

    async def join(self, settings: ServerSettings, sender: Sender) -> None:
        """Have the server number this copy, where it does that; else the number that was drawn here holds."""
        flags = await settings.fetch()
        if not self._unnumbered or flags is None or not flags.sample_join_sampling_session:
            return
        if self._join is None:
            self._join = SharedTask(partial(self._number_copy, sender))
        await self._join.result()

    async def _number_copy(self, sender: Sender) -> None:
        number = await copy_number(sender, self.bound_id)
        if number is not None:
            with self._guard:
                self._next = number * NUMBERS_A_COPY
        self._unnumbered = False

    def batch_poller(self, connection: Connection) -> BatchPoller:
        """Return what asks for all promises of this session at once."""
        if self._batch_poller is None:
            from tinsmith.io.queues.batch_poller import BatchPoller  # few servers offer it

            self._batch_poller = BatchPoller(connection, self.bound_id, self._next // NUMBERS_A_COPY)
        return self._batch_poller


@attrs.frozen
class Sample:
    """The request of a sample: how its bytes are made and how its result is read."""

    prompt: ModelInput
    """What is continued."""
    num_samples: int
    """How many continuations."""
    params: SamplingParams
    """How tokens are drawn."""
    prompt_logprobs: bool = False
    """Whether the prompt's own log-probabilities are wanted."""
    topk_prompt_logprobs: int = 0
    """How many of the likeliest tokens are wanted at each prompt position."""
    further: Mapping[str, object] = attrs.field(factory=dict)
    """Further fields of the request, by the names of the wire."""

    def encode(self, sampling_session_id: str, seq_id: int) -> Body:
        """Build the bytes; the same arguments give the same bytes."""
        encoded = encode_sample(
            self.prompt,
            self.params,
            sampling_session_id=sampling_session_id,
            seq_id=seq_id,
            num_samples=self.num_samples,
            prompt_logprobs=self.prompt_logprobs,
            topk_prompt_logprobs=self.topk_prompt_logprobs,
            further=self.further,
        )
        return Body.of((encoded,))

    def encode_stream(self, sampling_session_id: str) -> Body:
        """Build the bytes of the request for a stream."""
        encoded = encode_sample_stream(
            self.prompt, self.params, sampling_session_id=sampling_session_id, further=self.further
        )
        return Body.of((encoded,))

    def decode(self, payload: Payload) -> SampleResponse:
        """Read the result, and align log-probabilities of the prompt with its positions, if it is known."""
        result = decode_sample(payload, self.num_samples)
        wishes = {
            "prompt_logprobs": self.prompt_logprobs,
            "topk_prompt_logprobs": self.topk_prompt_logprobs > 0,
        }
        fields = [name for name, wanted in wishes.items() if wanted]
        if not fields:
            return result
        try:
            positions = self.prompt.length
        except InputError:
            return result
        last_n: Any = self.further.get("prompt_logprobs_last_n")
        return aligned_prompt(result, fields, positions, last_n)


@attrs.define(eq=False, repr=False)
class SampleJob:
    """One sample that waits or is in flight; small, since thousands may wait."""

    session: SamplingSession
    """Where it goes."""
    request: Sample
    """What is sent, and how its result is read."""
    retry: RetryConfig | None = None
    """Retry rules; None for the client's."""
    future: APIFuture[Any] = attrs.field(factory=APIFuture)
    """What the user holds, of a `SampleResponse`; of a stream, which gets nothing, the end."""
    pieces: PieceQueue | None = None
    """Where the pieces of a stream go; None for a sample that is wanted whole."""
    is_sent: bool = False
    """Whether the server may have it."""
    is_bounded: bool = False
    """Whether it takes one of the places that `max_queued` grants, until it is sent off."""


class SampleDispatcher:
    """The samples of one client, or of a sampler that has limits of its own."""

    def __init__(
        self,
        connection: Connection,
        settings: ServerSettings,
        budget: FairSemaphore,
        retry: RetryConfig | None = None,
        *,
        cancel: Callable[[str], None],
    ) -> None:
        self._connection, self._runtime, self._sender = connection, connection.runtime, connection.sender
        self._observers = connection.observers
        self._settings = settings
        self._budget = budget
        self._cancel = cancel
        self._retry = retry
        limits = connection.config.flow
        self._flow = SampleFlow(self._largest(settings.limits), limits.sample_dispatch, self._dispatch)
        self._waiting: deque[SampleJob] = deque()
        self._held: dict[SamplingSession, deque[SampleJob]] = {}  # of samplers that are being made
        self._tasks: dict[SampleJob, asyncio.Task[None]] = {}
        self._bound = None if limits.max_queued is None else threading.BoundedSemaphore(limits.max_queued)
        self._ended: TinkerError | None = None

    @property
    def waiting(self) -> int:
        """Samples that were not sent yet."""
        return len(self._waiting) + sum(len(jobs) for jobs in self._held.values())

    @property
    def unfinished(self) -> int:
        """Samples that wait or are in flight."""
        return self.waiting + len(self._tasks)

    def apply_limits(self, limits: Limits) -> None:
        """Apply the limits that the server dictates."""
        self._flow.window.bound_by(self._largest(limits))

    def _largest(self, limits: Limits) -> int:
        own = limits.samples_in_flight if self._retry is None else self._retry.max_connections
        return own or NO_LIMIT

    def enter(self, job: SampleJob) -> None:
        """Queue a sample, from any thread; blocks while `max_queued` are waiting."""
        if self._bound is not None:
            # A callback runs on the loop's thread: blocked there, it would hold up what makes room.
            job.is_bounded = self._bound.acquire(blocking=not self._runtime.in_loop_thread())
        try:
            self._connection.check()
            job.future.on_cancel(partial(self._runtime.call_soon, self._withdraw, job))
            self._runtime.call_soon(self._entered, job)
        except TinkerError as error:
            self._release(job)
            job.future.fail(error)

    def end(self, error: TinkerError) -> None:
        """Fail what waits, of which nothing was sent, and what is in flight."""
        self._ended = self._ended or error
        for jobs in (self._waiting, *self._held.values()):
            self._give_up(jobs, error)
        self._held.clear()
        for task in self._tasks.values():
            task.cancel()

    def opened(self, session: SamplingSession) -> None:
        """Send the samples that were queued while their sampler was being made."""
        self._waiting.extend(self._held.pop(session, ()))
        self._dispatch()

    def refused(self, session: SamplingSession, error: TinkerError) -> None:
        """Fail the samples of a sampler that could not be made, now and later."""
        session.refusal = error
        self._give_up(self._held.pop(session, deque()), error)

    def _give_up(self, jobs: deque[SampleJob], error: TinkerError) -> None:
        while jobs:
            job = jobs.popleft()
            self._release(job)
            self._fail(job, ending(error, None))
            self._left(job, started=False)

    def _entered(self, job: SampleJob) -> None:
        self._observers.entered()
        if (refusal := job.session.refusal) is not None:
            self._give_up(deque([job]), refusal)
        elif job.session.sampling_session_id is None:
            self._held.setdefault(job.session, deque()).append(job)
        else:
            self._waiting.append(job)
            self._dispatch()

    def _left(self, job: SampleJob, *, started: bool) -> None:
        """Count the outcome of a sample; its future, which may be kept for long, drops its callback."""
        future = job.future
        error = asyncio.CancelledError() if future.cancelled() else future.outcome_error()
        self._observers.ended(error, started=started)
        future.on_cancel(None)

    def _withdraw(self, job: SampleJob) -> None:
        task = self._tasks.get(job)
        if task is not None:
            task.cancel()
            return
        for jobs in (self._waiting, self._held.get(job.session, deque())):
            if job in jobs:
                jobs.remove(job)
                self._release(job)
                self._left(job, started=False)

    def _release(self, job: SampleJob) -> None:
        if self._bound is not None and job.is_bounded:
            self._bound.release()

    def _dispatch(self) -> None:
        """Send as many as there is room for, those first that the server pushed back."""
        self._flow.readmit()
        while self._waiting and self._flow.is_open:
            job = self._waiting.popleft()
            self._release(job)
            if job.future.cancelled():
                self._left(job, started=False)
                continue
            slot = Slot(self._flow)
            self._observers.started()
            task = self._runtime.loop.create_task(self._carry(job, slot))
            self._tasks[job] = task
            task.add_done_callback(partial(self._carried, job, slot))

    async def _carry(self, job: SampleJob, slot: Slot) -> None:
        """Take one sample from its bytes to its result."""
        try:
            if job.pieces is None:
                job.future.settle(await self._sample(job, slot))
            else:
                await self._stream(job, job.pieces, slot)
                job.future.settle(None)
        except asyncio.CancelledError:
            ended = self._ended or ClosedError("the client was closed")
            self._fail(job, ended.again("unknown" if job.is_sent else "no"))
        except TinkerError as error:
            self._fail(job, error)
        except Exception as error:  # noqa: BLE001  # the slot is released and the future set whatever happened
            self._fail(job, unexpected(error, None).again("unknown"))

    def _fail(self, job: SampleJob, error: TinkerError) -> None:
        future, owner = job.future, job.session.sampling_session_id
        future.fail(error.adding(request_id=future.request_id, model_id=owner, seq_id=future.seq_id))

    def _carried(self, job: SampleJob, slot: Slot, task: asyncio.Task[None]) -> None:
        del self._tasks[job]
        slot.leave()
        if task.cancelled():  # before its first step
            self._fail(job, ending(self._ended or ClosedError("the client was closed"), None))
        self._left(job, started=True)

    async def _sample(self, job: SampleJob, slot: Slot) -> SampleResponse:
        session = job.session
        await session.join(self._settings, self._sender)
        seq_id = job.future.seq_id = session.draw()
        job.is_sent = True
        request = Request(
            _OPERATION.id,
            "POST",
            _TARGET,
            Lane.UPLOAD,
            job.request.encode(session.bound_id, seq_id),
            _HEADERS,
            new_idempotency_key(),
            about=f"seq_id={seq_id}",
        )
        submission = Submission(
            request,
            job.retry or self._dictated_retry(),
            session.sampling_session_id,
            seq_id,
            session.promise_owners,
            slot,
        )
        accepted = await self._submit(submission)
        slot.accepted(accepted.attempts, accepted.roundtrip_s)
        job.future.request_ids.append(accepted.request_id)
        promise = Promise.of(submission, accepted, job.request.decode)
        promise.progress_timeout_s = self._progress_timeout_s()
        flags, in_batches = self._settings.flags, None
        if flags is not None and flags.sample_use_retrieve_futures:  # one poll for all samples of a session
            in_batches = session.batch_poller(self._connection)
            promise.wait_for_end = in_batches.ended
        resubmit = partial(self._submit, submission, unknown_before=True)
        try:
            drawn: SampleResponse = await self._connection.poller.fetch(promise, resubmit)
        except asyncio.CancelledError:
            self._cancel(promise.request_id)
            raise
        self._flow.window.grew()
        if in_batches is not None:
            in_batches.arrived(promise.request_id)
        return drawn.named(accepted.sample_sequence_ids)

    async def _stream(self, job: SampleJob, pieces: PieceQueue, slot: Slot) -> None:
        """Take one sample from its bytes to its last piece: the only one where a server does not stream."""
        server = self._connection.server
        if server.has(STREAM.id):
            stream = await self._open_stream(job, slot)
            if stream is not None:
                try:
                    await read_pieces(stream, pieces, self._patience_s())
                finally:
                    await stream.aclose()
                self._flow.window.grew()
                return
        pieces.put(as_piece(await self._sample(job, slot)))

    async def _open_stream(self, job: SampleJob, slot: Slot) -> LiveEvents | None:
        """Send the request of a stream until it begins; None where the server has no such route."""
        request = Request(
            STREAM.id,
            "POST",
            STREAM.path.lstrip("/"),
            Lane.POLL,
            job.request.encode_stream(job.session.bound_id),
            {**_HEADERS, **streaming.HEADERS},
            new_idempotency_key(),
            streams=True,
        )
        assert request.body is not None
        job.is_sent = True
        async with self._budget.hold(request.body.size_bytes):
            exchange = await self._sender.exchange(
                request,
                OpClass.READ,  # the server keeps nothing of it, so that it may be sent twice
                valid=lambda answer: isinstance(answer, StreamedAnswer),
                retry=job.retry or self._dictated_retry(),
                gate=slot,
                patient=True,
            )
        answer = exchange.answer
        if exchange.done and isinstance(answer, StreamedAnswer):
            slot.accepted(exchange.attempts, exchange.elapsed_s)
            return answer.stream
        if answer is not None and (answer.status == 501 or is_missing_route(answer.status, answer.body)):
            self._connection.server.misses(STREAM.id)
            return None
        raise self._sender.error(exchange)

    async def _submit(self, submission: Submission, *, unknown_before: bool = False) -> Accepted:
        """Have a sample accepted, within the byte budget."""
        async with self._budget.hold(submission.body.size_bytes):
            return await have_accepted(self._sender, submission, unknown_before=unknown_before)

    def _dictated_retry(self) -> RetryConfig | None:
        """Return how samples are retried where the server says so; pushed back, they wait all the same."""
        if self._settings.limits.samples_are_retried:
            return None
        return attrs.evolve(self._connection.config.retry, max_retries=0, start_retries=0)

    def _patience_s(self) -> float | None:
        """Return how long a stream may bring no token; None for no limit."""
        limit_s = self._progress_timeout_s() or self._connection.config.progress_timeout_s
        return None if limit_s == math.inf else limit_s

    def _progress_timeout_s(self) -> float | None:
        if self._retry is not None:
            return self._retry.progress_timeout
        return None if self._settings.limits.samples_time_out else math.inf


async def copy_number(sender: Sender, sampling_session_id: str) -> int | None:
    """Have the server number this copy of a sampler; None, with a warning, where it does not.

    0 is the original: a copy of that number would be given the original's samples for its own.
    """
    request = operations.request(
        "join_sampling_session",
        body={"sampling_session_id": sampling_session_id, "type": "join_sampling_session"},
    )
    try:
        payload = await operations.perform(sender, request)
    except TinkerError:
        payload = None
    number = payload.get("client_counter") if isinstance(payload, dict) else None
    if isinstance(number, int) and not isinstance(number, bool) and 0 < number < MOST_COPIES:
        return number
    sender.warn_once("join", "the server did not number this copy of a sampler; it drew its own")
    return None
