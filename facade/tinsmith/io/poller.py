"""Get the results of promises: poll for each that is outstanding, at the pace that `core.polling` sets.

It owns polls, their load on the server, the progress timeout, reports of long waits, and what is done about a
promise that the server lost: one resubmission, for training, samples and creations alike. It must not know
queues or order: its caller says how a result is decoded, and how its request is submitted again.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import attrs
from tinsmith_api.operations import OPERATIONS

from tinsmith.core.codec.wire import ACCEPT_BOTH, ProtobufPayload
from tinsmith.core.config import LONG_WAIT_S
from tinsmith.core.errors import (
    APIResponseValidationError,
    ProgressTimeoutError,
    ResultLostError,
    TinkerError,
)
from tinsmith.core.failures import detail_text
from tinsmith.core.polling import Done, Failed, Moment, NotYet, Poll, PolledRequest, PollState, Resubmit
from tinsmith.core.promises import EndedPromises, PromiseOwners, foreign_result
from tinsmith.core.retry import NOT_SENT, Fault
from tinsmith.io.events import QueueStateChanged
from tinsmith.io.http.messages import Answer, Faulted, Lane, Request, json_body
from tinsmith.io.limits import FairSemaphore

if TYPE_CHECKING:
    from random import Random

    from tinsmith.core.config import ClientConfig
    from tinsmith.core.negotiation import Limits
    from tinsmith.core.polling import PollResult
    from tinsmith.io.events import Observers
    from tinsmith.io.http.auth import Credentials
    from tinsmith.io.http.server import Server
    from tinsmith.io.http.submission import Accepted, Submission
    from tinsmith.io.runtime import Runtime

_log = logging.getLogger("tinsmith")

TARGET = "api/v1/retrieve_future"
"""Path of a poll."""

LARGE_ANSWER_BYTES = 256 * 1024
"""Answers above this size are read in a worker thread, so that the loop keeps its timers."""

_WAITS_FOR = {
    "paused_capacity": "capacity at the server",
    "paused_rate_limit": "a rate limit of your account (concurrent models)",
    "active": "the server to finish it",
    None: "the server to finish it",
}


@attrs.define(eq=False)
class Promise:
    """An outstanding result."""

    request_id: str
    """The server's name for it."""
    operation: str
    """What it is for."""
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
    progress_of_model: Callable[[], tuple[int, str | None]] | None = None
    """Returns the highest number sent to its model, and the last checkpoint; None where it is in no queue."""
    promise_owners: PromiseOwners | None = None
    """Whose the promises of its model or sampler are."""
    read: Callable[[Any], Any] = bytes
    """Decodes the payload."""
    queue_state: str | None = None
    """What the server last said that it waits for."""
    queue_reason: str | None = None
    """The same in the server's words."""
    reserve_bytes: int = 0
    """Size of the result, once the server announced it; room is made before it is fetched."""
    wait_for_end: Callable[[Promise], Awaitable[None]] | None = None
    """Waits before the first poll, where one poll says which of many promises ended; None for no wait."""
    progress_timeout_s: float | None = None
    """Limit of this promise alone; None for the client's."""
    report_at_s: float = LONG_WAIT_S
    """Length of wait at which observers are notified next."""

    @classmethod
    def of(cls, submission: Submission, accepted: Accepted, read: Callable[[Any], Any]) -> Promise:
        """Make the promise that the server gave for what was submitted."""
        return cls(
            accepted.request_id,
            submission.request.operation,
            submission.model_id,
            submission.seq_id,
            accepted.roundtrip_s,
            resent=accepted.resent,
            promise_owners=submission.promise_owners,
            read=read,
        )

    @property
    def request(self) -> PolledRequest:
        """What is known now of the request that it is for."""
        highest_sent, checkpoint = (0, None) if self.progress_of_model is None else self.progress_of_model()
        return PolledRequest(self.operation, self.seq_id, highest_sent, self.resent, checkpoint)

    @property
    def may_be_large(self) -> bool:
        """Whether the result may be large: it may come as protobuf, and be announced by its size."""
        return "result" in OPERATIONS[self.operation].protobuf


class Poller:
    """Polls for the results of one client."""

    def __init__(
        self,
        config: ClientConfig,
        runtime: Runtime,
        credentials: Credentials,
        observers: Observers,
        random: Random,
        server: Server,
    ) -> None:
        self._config = config
        self._server = server
        self._policy = config.poll
        self._accept = None if config.encoding == "json" else ACCEPT_BOTH
        self._runtime = runtime
        self._credentials = credentials
        self._observers = observers
        self._random = random
        self._owners: dict[str, _Owner] = {}
        self._warned_s = float("-inf")
        self._next_slot_s = float("-inf")
        self._waits: dict[asyncio.Task[object], None] = {}
        self._interrupted: set[asyncio.Task[object]] = set()
        self._lost: TinkerError | None = None
        self._unreached: tuple[float, str] | None = None
        self._room = FairSemaphore(config.flow.response_bytes)

    async def fetch(
        self,
        promise: Promise,
        resubmit: Callable[[], Awaitable[Accepted]] | None = None,
    ) -> Any:
        """Return the decoded result of a promise, or raise what it failed with.

        Where the promise is gone and `core.polling` says so, `resubmit` sends the same bytes under the same
        number once more; None where nobody has them. Each error carries the ids of the promise.
        """
        try:
            while not isinstance(found := await self._wait(promise), Done):
                if promise.promise_owners is not None:
                    promise.promise_owners.lost(promise.request_id)
                if resubmit is None:
                    raise ResultLostError(f"{promise.operation}: the server lost the promise")
                accepted = await resubmit()
                renewed = accepted.request_id != promise.request_id
                promise.state = promise.state.submitted_again(renewed=renewed)
                promise.request_id, promise.resent = accepted.request_id, True
            return found.value
        except TinkerError as error:
            error.adding(request_id=promise.request_id, model_id=promise.model_id, seq_id=promise.seq_id)
            raise
        finally:
            if promise.promise_owners is not None:
                promise.promise_owners.ended(promise.request_id)

    async def _wait(self, promise: Promise) -> Done | Resubmit:
        """Poll until there is a result, or the promise is gone; raise what it failed with."""
        if self._lost is not None:
            raise self._lost.again("unknown")
        promise.moved_s = self._runtime.loop.time()
        promise.started_s = promise.started_s or promise.moved_s
        task = asyncio.current_task()
        assert task is not None
        self._waits[task] = None
        owner = self._owners.setdefault(promise.model_id or promise.request_id, _Owner())
        owner.waits += 1
        try:
            if promise.wait_for_end is not None:
                await promise.wait_for_end(promise)
            result = await self._settled(promise)
        except asyncio.CancelledError:
            if self._lost is None or task not in self._interrupted:
                raise
            self._interrupted.discard(task)
            task.uncancel()
            raise self._lost.again("unknown") from None
        finally:
            del self._waits[task]
            owner.waits -= 1
            if not owner.waits:
                self._owners.pop(promise.model_id or promise.request_id, None)
        if promise.seq_id is not None and not isinstance(result, Resubmit):
            owner.ended.add(promise.seq_id, self._runtime.loop.time())
        if isinstance(result, Failed):
            raise result.error
        if isinstance(result, Done):
            self._report_billing(promise, None)
        else:
            promise.state = result.state
        return result

    def end(self, error: TinkerError) -> None:
        """Fail every wait, now and later, with `error`."""
        self._lost = error
        for task in list(self._waits):
            self._interrupted.add(task)
            task.cancel()

    def apply_limits(self, limits: Limits) -> None:
        """Apply the limits that the server dictates."""
        self._policy = attrs.evolve(self._policy, billing_patience_s=limits.billing_patience_s)
        self._room.limit = limits.response_bytes

    async def _settled(self, promise: Promise) -> Done | Resubmit | Failed:
        """Poll until the outcome is known. This is no retrying: a promise that is not ready is no fault."""
        result = await self._poll(promise)
        while isinstance(result, NotYet):
            await asyncio.sleep(result.pause_s)
            result = await self._poll(promise)
        return result

    async def _poll(self, promise: Promise) -> PollResult:
        """Poll once and read the answer; a large result waits for room first."""
        size_bytes = promise.reserve_bytes
        if not size_bytes:
            return await self._poll_now(promise)
        if self._room.is_full_for(size_bytes):
            room = f"room for its result of {size_bytes} bytes"
            waited_s = self._runtime.loop.time() - promise.started_s
            self._observers.still_waiting(promise.operation, room, waited_s, promise.request_id, warn=False)
        async with self._room.hold(size_bytes):
            return await self._poll_now(promise)

    async def _poll_now(self, promise: Promise) -> PollResult:
        self._check_progress(promise)
        began_s = self._runtime.loop.time()
        try:
            answer = await self._credentials.send(self._request(promise))
        except Faulted as faulted:
            if faulted.fault not in NOT_SENT:
                self._unreached = None
            elif self._unreached is None:
                self._unreached = (began_s, faulted.reason)
            result = self._as_poll(promise, began_s, faulted).decide()
            if isinstance(result, NotYet):
                self._observers.count_error(f"poll: {faulted.fault}")
        else:
            self._unreached = None
            result = await self._read(self._as_poll(promise, began_s, answer), promise)
        return self._paced(promise, result) if isinstance(result, NotYet) else result

    def _as_poll(self, promise: Promise, began_s: float, ended: Answer | Faulted) -> Poll:
        """Put together what is known of a poll that ended."""
        answer = Answer(0, {}, b"") if isinstance(ended, Faulted) else ended
        fault, reason = (ended.fault, ended.reason) if isinstance(ended, Faulted) else (None, "")
        now_s, profile = self._runtime.loop.time(), self._server.profile
        trusted = promise.state.trusted and self._server.may_resend_unknown
        return Poll(
            answer.status,
            answer.headers,
            answer.body,
            attrs.evolve(promise.state, trusted=trusted),
            moment=Moment(now_s - began_s, now_s - promise.started_s, time.time(), self._random.random()),
            policy=self._policy,
            retry=self._config.retry,
            request_id=promise.request_id,
            request=promise.request,
            failure_500=profile.failure_status_500,
            bare_500=profile.bare_500_is_final,
            fault=fault,
            reason=reason,
        )

    async def _read(self, poll: Poll, promise: Promise) -> PollResult:
        """Decide what an answer means, in a worker thread where it is large."""
        try:
            if len(poll.body) > LARGE_ANSWER_BYTES:
                return await self._runtime.in_worker(lambda: _decoded(poll, promise))
            return _decoded(poll, promise)
        except TinkerError:
            raise
        except Exception:
            _log.exception("the answer to a poll of %s could not be read", promise.request_id)
            again = attrs.evolve(poll, state=promise.state, fault=Fault.BROKEN_BODY).decide()
            if isinstance(again, Failed):
                raise
            return again

    def _request(self, promise: Promise) -> Request:
        body: dict[str, object] = {"request_id": promise.request_id}
        if promise.may_be_large and promise.state.metadata_only:
            body["allow_metadata_only"] = True
        headers = {} if self._accept is None or not promise.may_be_large else {"Accept": self._accept}
        headers |= {
            "X-Tinker-Request-Iteration": str(promise.state.iteration),
            "X-Tinker-Request-Type": OPERATIONS[promise.operation].request_type or promise.operation,
        }
        if promise.state.iteration == 0 and promise.roundtrip_s is not None:
            headers["X-Tinker-Create-Promise-Roundtrip-Time"] = f"{promise.roundtrip_s:.6f}"
        return Request(
            "retrieve_future",
            "POST",
            TARGET,
            Lane.POLL,
            json_body(body),
            headers,
            timeout_s=self._policy.read_timeout_s,
            about=f"promise={promise.request_id}",
        )

    def _paced(self, promise: Promise, result: NotYet) -> NotYet:
        """Note what the server said, and keep failing polls of the whole client below their rate."""
        self._report_billing(promise, result.state)
        promise.state = result.state
        promise.reserve_bytes = result.reserve_bytes or promise.reserve_bytes
        now_s = self._runtime.loop.time()
        state = result.queue_state
        if state is not None and state != promise.queue_state:
            promise.queue_state, promise.queue_reason = state, result.queue_reason
            promise.moved_s = now_s
            self._observers.notify(
                QueueStateChanged(
                    promise.request_id, promise.operation, promise.model_id, state, result.queue_reason
                )
            )
        self._report_long_wait(promise, now_s)
        if result.failure is None:
            return result
        slot_s = max(now_s + result.pause_s, self._next_slot_s)
        self._next_slot_s = slot_s + 1.0 / self._policy.storm_polls_per_s
        return attrs.evolve(result, pause_s=slot_s - now_s)

    def _report_billing(self, promise: Promise, state: PollState | None) -> None:
        """Report a pause for billing, and its end."""
        before = promise.state.unpaid_since_s
        since_s = None if state is None else state.unpaid_since_s
        waited_s = self._runtime.loop.time() - promise.started_s
        limit_s, request_id = self._policy.billing_patience_s, promise.request_id
        if since_s is not None:
            promise.moved_s = self._runtime.loop.time()
            self._observers.paused_for_billing(
                promise.operation, waited_s - since_s, limit_s, request_id=request_id
            )
        elif before is not None:
            self._observers.resumed_after_billing(promise.operation, waited_s - before)

    def _report_long_wait(self, promise: Promise, now_s: float) -> None:
        waited_s = now_s - promise.started_s
        if waited_s < promise.report_at_s:
            return
        first, promise.report_at_s = promise.report_at_s == LONG_WAIT_S, 2.0 * waited_s
        warn = first and now_s - self._warned_s >= LONG_WAIT_S
        self._warned_s = now_s if warn else self._warned_s
        clause = self._waits_for(promise, now_s)
        self._observers.still_waiting(promise.operation, clause, waited_s, promise.request_id, warn=warn)

    def _waits_for(self, promise: Promise, now_s: float) -> str:
        """Say what a promise waits for, as a clause; for a connection, where the server cannot be reached."""
        if self._unreached is not None:
            since_s, reason = self._unreached
            return f"a connection: the server cannot be reached since {now_s - since_s:.0f} s ({reason})"
        state, words = promise.queue_state, promise.queue_reason
        clause = _WAITS_FOR.get(state, f"the server (queue state {state})")
        return f"{clause}: {detail_text(words)}" if words else clause

    def _check_progress(self, promise: Promise) -> None:
        limit_s = promise.progress_timeout_s or self._config.progress_timeout_s
        now_s = self._runtime.loop.time()
        if limit_s is None or now_s - promise.moved_s < limit_s:
            return
        owner = self._owners.get(promise.model_id or promise.request_id)
        if owner is not None and promise.seq_id is not None:
            promise.moved_s = max(promise.moved_s, owner.ended.last_before(promise.seq_id))
        if now_s - promise.moved_s < limit_s:
            return
        raise ProgressTimeoutError(
            f"{promise.operation}: this request did not move for {limit_s:g} s while waiting for"
            f" {self._waits_for(promise, now_s)}; attach again with APIFuture.from_request_id",
            elapsed_s=now_s - promise.started_s,
            applied="unknown",
        )


@attrs.define
class _Owner:
    """A model or sampler whose promises are polled for."""

    ended: EndedPromises = attrs.field(factory=EndedPromises)
    waits: int = 0


def _decoded(poll: Poll, promise: Promise) -> PollResult:
    """Decode what the server gave: whether that can be read or not, the request was applied.

    Unless it is the result of another call: then the outcome of this one is unknown. Bytes that are no
    message are polled for again, as JSON that is none.
    """
    result = poll.decide()
    if not isinstance(result, Done):
        return result
    payload, operation = result.payload, promise.operation
    is_binary = isinstance(payload, ProtobufPayload)
    if is_binary and not promise.may_be_large:
        return poll.unreadable("bytes where its results are JSON")
    problem = foreign_result(operation, payload)
    if problem is not None:
        message = f"{operation}: the server gave the result of another call ({problem})"
        return Failed(APIResponseValidationError(message=message, applied="unknown"))
    try:
        return attrs.evolve(result, value=promise.read(payload))
    except TinkerError as error:
        if is_binary and (broken := _no_message(error)) is not None:
            return poll.unreadable(f"bytes that are no message ({broken})")
        return Failed(error.adding(applied="yes"))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        if is_binary:
            raise
        message = f"{operation}: the result is not what the contract says: {error}"
        failure = APIResponseValidationError(message=message, applied="yes")
        failure.__cause__ = error
        return Failed(failure)


def _no_message(error: TinkerError) -> BaseException | None:
    """Return why bytes are no message; None where they are one, of another type."""
    from tinsmith.core.codec.protobuf import WireError  # loaded by now

    return error.__cause__ if isinstance(error.__cause__, WireError) else None
