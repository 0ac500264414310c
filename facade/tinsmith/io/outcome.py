"""From a promise to a decoded result, with the one resubmission that a lost promise is worth.

It must not know turns or order: a resubmission carries its old number, which the server has counted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tinsmith.core.errors import APIResponseValidationError, ResultLostError, TinkerError
from tinsmith.core.polling import Done, PollState
from tinsmith.io.call import checksum
from tinsmith.io.promise import Promise
from tinsmith.io.submission import Accepted, refusal, submit

if TYPE_CHECKING:
    from tinsmith.io.call import Call, Part
    from tinsmith.io.pipeline import Pipeline

WORKER_ABOVE_BYTES = 64 * 1024
"""Results of requests above this size are decoded in a worker thread."""


async def await_result(pipeline: Pipeline, call: Call[Any], part: Part, roundtrip_s: float) -> Any:
    """Return the decoded result of an accepted part, or raise what it failed with."""
    link = pipeline.link
    assert part.request_id is not None
    promise = Promise(
        part.request_id,
        call.operation,
        call.request_type,
        pipeline.model_id,
        part.seq_id,
        roundtrip_s,
        PollState(trusted=link.config.may_resend_unknown),
    )
    verdict = await link.hub.wait(promise)
    if not isinstance(verdict, Done):
        promise.request_id = part.request_id = await _resubmit(pipeline, call, part)
        verdict = await link.hub.wait(promise)
    assert isinstance(verdict, Done)
    try:
        if part.estimate_bytes > WORKER_ABOVE_BYTES:
            return await link.runtime.in_worker(part.read, verdict.payload)
        return part.read(verdict.payload)
    except TinkerError as error:
        error.adding(
            request_id=part.request_id, model_id=pipeline.model_id, seq_id=part.seq_id, applied="yes"
        )
        raise
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise APIResponseValidationError(
            message=f"{call.operation}: the result is not what the contract says: {error}",
            request_id=part.request_id,
            model_id=pipeline.model_id,
            seq_id=part.seq_id,
            applied="yes",
        ) from error


async def _resubmit(pipeline: Pipeline, call: Call[Any], part: Part) -> str:
    """Send the same bytes under the same number again, and return the new promise."""
    assert part.seq_id is not None
    body = await pipeline.link.runtime.in_worker(part.build, part.seq_id)
    if checksum(body) != part.checksum:
        raise ResultLostError(
            f"{call.operation}: the server lost the promise, and the data was changed since it was sent, so"
            " that the same bytes cannot be sent again",
            request_id=part.request_id,
            model_id=pipeline.model_id,
            seq_id=part.seq_id,
            applied="yes",
        )
    submission = pipeline.submission(call, part, body)
    answered = await submit(pipeline.link.caller, submission, unknown_before=True)
    if isinstance(answered, Accepted):
        return answered.request_id
    raise refusal(pipeline.link.caller, submission, answered, checkpoint=pipeline.last_checkpoint).adding(
        request_id=part.request_id
    )
