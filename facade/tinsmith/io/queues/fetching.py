"""From a promise to a decoded result, with the one resubmission that a lost promise is worth.

What is done about a lost promise stands here alone, for training, samples and creations. It must not know
turns or order: a resubmission carries its old number, which the server has counted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import attrs

from tinsmith.core.errors import APIResponseValidationError, ResultLostError, TinkerError
from tinsmith.core.polling import Done
from tinsmith.core.promises import foreign_result
from tinsmith.io.http.submission import Accepted, Submission
from tinsmith.io.poller import Promise

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tinsmith.io.connection import Connection

P = TypeVar("P", bound=Promise)


@attrs.define(eq=False)
class SubmittedPromise(Promise):
    """A promise whose bytes are kept, so that they can be submitted once more."""

    submission: Submission = attrs.field(kw_only=True)
    """What was submitted."""


async def gone(promise: Promise) -> Accepted:
    """Refuse to submit a promise again whose bytes nobody has."""
    raise ResultLostError(f"{promise.operation}: the server lost the promise")


async def fetch(
    connection: Connection,
    promise: P,
    resubmit: Callable[[P], Awaitable[Accepted]] = gone,
    *,
    in_worker: bool = False,
) -> Any:
    """Return the decoded result of a promise, or raise what it failed with.

    Where the promise is gone and `core.polling` says so, `resubmit` sends the same bytes under the same
    number once more. Each error carries the ids of the promise.
    """
    try:
        found = await connection.poller.wait(promise)
        while not isinstance(found, Done):
            if promise.promise_owners is not None:
                promise.promise_owners.lost(promise.request_id)
            accepted = await resubmit(promise)
            promise.state = promise.state.submitted_again(renewed=accepted.request_id != promise.request_id)
            promise.request_id, promise.resent = accepted.request_id, True
            found = await connection.poller.wait(promise)
        if found.value is not None:
            return found.value
        return await _decoded(connection, promise, found, in_worker)
    except TinkerError as error:
        error.adding(request_id=promise.request_id, model_id=promise.model_id, seq_id=promise.seq_id)
        raise
    finally:
        if promise.promise_owners is not None:
            promise.promise_owners.ended(promise.request_id)


async def _decoded(connection: Connection, promise: Promise, found: Done, in_worker: bool) -> Any:
    """Decode what the server gave: whether that can be read or not, the request was applied.

    Unless it is the result of another call: then nobody knows what became of this one.
    """
    payload, read = found.payload, promise.read
    problem = foreign_result(promise.operation, payload)
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
