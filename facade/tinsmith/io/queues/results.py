"""From a promise to a decoded result, with the one resubmission that a lost promise is worth.

The law of the lost promise stands here alone, for training, samples and creations. It must not know turns or
order: a resubmission carries its old number, which the server has counted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tinsmith.core.claims import foreign
from tinsmith.core.errors import APIResponseValidationError, ResultLostError, TinkerError
from tinsmith.core.polling import Done
from tinsmith.io.http.submission import Accepted, refusal, submit
from tinsmith.io.polling.promise import Promise
from tinsmith.io.queues.jobs import checksum

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tinsmith.io.connection import Connection
    from tinsmith.io.queues.jobs import Chunk, Job
    from tinsmith.io.queues.training_queue import TrainingQueue

WORKER_ABOVE_BYTES = 64 * 1024
"""Results of requests above this size are decoded in a worker thread."""


async def fetch(
    connection: Connection,
    promise: Promise,
    resubmit: Callable[[], Awaitable[Accepted]] | None,
    *,
    in_worker: bool = False,
) -> Any:
    """Return the decoded result of a promise, or raise what it failed with.

    Where the promise is gone and `core.polling` says so, `resubmit` sends the same bytes under the same
    number once more; None where nobody has them any more. Each error carries the ids of the promise.
    """
    try:
        verdict = await connection.poller.wait(promise)
        if not isinstance(verdict, Done):
            if promise.claims is not None:
                promise.claims.lost(promise.request_id)
            assert resubmit is not None, "a promise whose bytes are gone is not resubmitted"
            accepted = await resubmit()
            promise.state = promise.state.submitted_again(renewed=accepted.request_id != promise.request_id)
            promise.request_id, promise.resent = accepted.request_id, True
            verdict = await connection.poller.wait(promise)
        assert isinstance(verdict, Done)
        if verdict.value is not None:
            return verdict.value
        assert promise.read is not None
        return await _decoded(connection, promise, verdict.payload, in_worker)
    except TinkerError as error:
        error.adding(request_id=promise.request_id, model_id=promise.model_id, seq_id=promise.seq_id)
        raise
    finally:
        if promise.claims is not None:
            promise.claims.ended(promise.request_id)


async def _decoded(connection: Connection, promise: Promise, payload: Any, in_worker: bool) -> Any:
    """Decode what the server gave: whether that can be read or not, the request was applied.

    Unless it is the result of another call: then nobody knows what became of this one.
    """
    read = promise.read
    assert read is not None
    problem = foreign(promise.operation, payload)
    if problem is not None:
        raise APIResponseValidationError(
            message=f"{promise.operation}: the server gave the result of another call ({problem})",
            applied="unknown",
        )
    try:
        return await connection.runtime.in_worker(read, payload) if in_worker else read(payload)
    except TinkerError as error:
        error.adding(applied="yes")
        raise
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise APIResponseValidationError(
            message=f"{promise.operation}: the result is not what the contract says: {error}", applied="yes"
        ) from error


async def await_result(pipeline: TrainingQueue, call: Job[Any], part: Chunk, accepted: Accepted) -> Any:
    """Return the decoded result of an accepted part, or raise what it failed with."""
    promise = Promise(
        accepted.request_id,
        call.operation,
        call.request_type,
        pipeline.model_id,
        part.seq_id,
        accepted.roundtrip_s,
        resent=accepted.resent,
        line=pipeline.standing,
        claims=pipeline.claims,
        read=part.read,
    )

    async def resubmit() -> Accepted:
        again = await _resubmit(pipeline, call, part)
        part.request_id = again.request_id
        return again

    in_worker = part.estimate_bytes > WORKER_ABOVE_BYTES
    return await fetch(pipeline.connection, promise, resubmit, in_worker=in_worker)


async def _resubmit(pipeline: TrainingQueue, call: Job[Any], part: Chunk) -> Accepted:
    """Send the same bytes under the same number again, and return the new promise."""
    assert part.seq_id is not None
    body = await pipeline.connection.runtime.in_worker(part.build, part.seq_id)
    if checksum(body) != part.checksum:
        raise ResultLostError(
            f"{call.operation}: the server lost the promise, and the data was changed since it was sent, so"
            " that the same bytes cannot be sent again",
            applied="yes",
        )
    submission = pipeline.submission(call, part, body)
    answered = await submit(pipeline.connection.sender, submission, unknown_before=True)
    if isinstance(answered, Accepted):
        return answered
    highest_sent, checkpoint = pipeline.standing()
    raise refusal(
        pipeline.connection.sender, submission, answered, checkpoint=checkpoint, highest_sent=highest_sent
    )
