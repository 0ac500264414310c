"""Have one request accepted: send its bytes until the server gives a promise, or say why it does not.

It owns what the answers to a submission mean. It must not know order: `io.queues` does.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import attrs
import orjson

from tinsmith.core.config import RetryConfig
from tinsmith.core.errors import (
    APIResponseValidationError,
    ModelLostError,
    ResultLostError,
    TinkerError,
)
from tinsmith.core.failures import ErrorText, TextSource, Topic, read_conflict, read_error_text
from tinsmith.core.promises import PromiseOwners
from tinsmith.core.retry import Fault, OpClass
from tinsmith.io.http.messages import Answer, Body, Request
from tinsmith.io.limits import Gate

if TYPE_CHECKING:
    from collections.abc import Hashable

    from tinsmith.core.failures import Conflict
    from tinsmith.io.http.sender import Attempts, Sender

_log = logging.getLogger("tinsmith")


@attrs.frozen
class Submission:
    """What is to be accepted."""

    request: Request
    """What is sent, the same bytes under the same key each time."""
    retry: RetryConfig | None = None
    """Retry rules of this call; None for the client's."""
    model_id: str | None = None
    """For errors."""
    seq_id: int | None = None
    """For errors."""
    promise_owners: PromiseOwners | None = None
    """Whose the promises of its model or sampler are; None where that is not checked."""
    gate: Gate | None = None
    """Admits each further attempt: the share of a sample in what is in flight, or the chunks of a batch; None
    for what never waits for others."""

    @property
    def body(self) -> Body:
        """The bytes of the request."""
        assert self.request.body is not None, "what is accepted has a body"
        return self.request.body

    @property
    def call(self) -> Hashable:
        """What the promise is given to: the same for each send."""
        return self.request.idempotency_key if self.seq_id is None else self.seq_id


@attrs.frozen
class Accepted:
    """The server took it."""

    request_id: str
    """The promise."""
    attempts: int
    """How often it was sent."""
    roundtrip_s: float
    """Seconds from the first send to the promise."""
    sample_sequence_ids: tuple[str, ...] = ()
    """Names of the sequences to come, where the server gives them."""
    resent: bool = False
    """Whether it was sent again after an unknown outcome."""


async def submit(
    sender: Sender,
    submission: Submission,
    *,
    unknown_before: bool = False,
) -> Accepted | Attempts:
    """Send until accepted, and return the promise, or the attempts where there is none."""
    exchange = await sender.exchange(
        submission.request,
        OpClass.SUBMIT,
        valid=lambda answer: _promise_for(submission, answer) is not None,
        retry=submission.retry,
        unknown_before=unknown_before,
        gate=submission.gate,
    )
    request_id, answer = None, exchange.answer
    if answer is not None and (exchange.done or exchange.outcome.status == 409):  # which names a promise, too
        request_id = _promise_for(submission, answer)
    if answer is None or request_id is None:
        return exchange
    _log.debug("%s: accepted, promise=%s", submission.request.title, request_id)
    if submission.promise_owners is not None:
        submission.promise_owners.assign(request_id, submission.call)
    names = _promised(answer).get("sample_sequence_ids")
    kept = tuple(names) if isinstance(names, list) and all(isinstance(name, str) for name in names) else ()
    return Accepted(request_id, exchange.attempts, exchange.elapsed_s, kept, exchange.unknown_before)


async def have_accepted(
    sender: Sender,
    submission: Submission,
    *,
    unknown_before: bool = False,
) -> Accepted:
    """Send until accepted, and return the promise; raise what any other end means."""
    answered = await submit(sender, submission, unknown_before=unknown_before)
    if isinstance(answered, Accepted):
        return answered
    raise refusal(sender, submission, answered, conflict(submission, answered))


def refusal(
    sender: Sender,
    submission: Submission,
    exchange: Attempts,
    found: Conflict | None,
    *,
    checkpoint: str | None = None,
) -> TinkerError:
    """Build the error of a submission that got no promise; `found` is what a 409 means."""
    error, operation = sender.error(exchange), submission.request.operation
    facts: dict[str, Any] = {
        "attempts": exchange.attempts,
        "elapsed_s": exchange.elapsed_s,
        "applied": error.applied,
    }
    words = words_of(exchange)
    if exchange.outcome.fault is Fault.BROKEN_BODY and exchange.answer is not None:
        request_id = _request_id(exchange.answer)
        if request_id is not None:
            error = APIResponseValidationError(
                message=f"{operation}: the server answered with promise {request_id}, which it"
                " gave to another call before",
                status_code=exchange.answer.status,
                **facts,
            )
    if found is not None:
        error.applied = facts["applied"] = found.applied
    if found is not None and found.applied == "yes":
        error = ResultLostError(
            f"{operation}: the server answers 409: it took this request before, and the answer"
            f" that named its result was lost ({words.text or 'it says no more'})",
            **facts,
        )
    elif found is not None and found.kind == "counts differently":
        error = ModelLostError(
            f"the server counts the requests of model {submission.model_id} differently ({words.text}).",
            checkpoint=checkpoint,
            **facts,
        )
    elif _loses_the_model(submission, exchange, words):
        error = ModelLostError(
            f"the server does not know the model {submission.model_id} ({error.message}).",
            checkpoint=checkpoint,
            **facts,
        )
    if exchange.outcome.status == 415:
        error.add_note(
            f"It was sent as {submission.body.content_type}, which holds for the life of a client: a new"
            " ServiceClient finds out anew what the server reads, and `encoding=` decides it."
        )
    return error.adding(model_id=submission.model_id, seq_id=submission.seq_id)


def leaves_doubt(exchange: Attempts) -> bool:
    """Say whether the number was sent with an unknown outcome; a 409 on its own says what it says."""
    is_conflict = exchange.outcome.status == 409
    return exchange.unknown_before or (exchange.outcome.applied == "unknown" and not is_conflict)


def words_of(exchange: Attempts) -> ErrorText:
    """Return what the last answer says, if one came."""
    answer = exchange.answer
    return ErrorText(TextSource.NOTHING) if answer is None else read_error_text(answer.body)


def conflict(
    submission: Submission, exchange: Attempts, *, reused: bool = False, highest_sent: int = 0
) -> Conflict | None:
    """Say what a 409 means; None for another status.

    Under a `reused` number it may speak of the request that gave the number back.
    """
    if exchange.outcome.status != 409:
        return None
    return read_conflict(
        words_of(exchange),
        submission.request.operation,
        seq_id=submission.seq_id,
        highest_sent=highest_sent,
        resent=exchange.unknown_before,
        reused=reused,
    )


def _loses_the_model(submission: Submission, exchange: Attempts, words: ErrorText) -> bool:
    """Say whether a refusal means that the server no longer has the model of a training request."""
    status, topic = exchange.outcome.status, words.topic
    if submission.model_id is None or submission.request.operation == "asample":
        return False
    if words.source is not TextSource.TEXT:
        return False
    if status == 404 and topic is Topic.OTHER:
        return submission.request.operation not in _OWN_404
    return status in (400, 404, 410) and topic is Topic.MODEL_GONE


_OWN_404 = frozenset({"load_weights"})
"""Submissions whose 404 speaks of what they name, unless it says that the model is gone."""


def _promise_for(submission: Submission, answer: Answer) -> str | None:
    """Return the promise that an answer gives to a call; one that is another call's is none."""
    request_id, owners = _request_id(answer), submission.promise_owners
    if request_id is None or owners is None:
        return request_id
    return None if owners.is_of_another(request_id, submission.call) else request_id


def _request_id(answer: Answer) -> str | None:
    found = _promised(answer).get("request_id")
    return found if isinstance(found, str) and found else None


def _promised(answer: Answer) -> dict[str, Any]:
    """Return the fields of a promise, or none where the answer is no object."""
    try:
        value = answer.json()
    except orjson.JSONDecodeError:
        return {}
    if not isinstance(value, dict):
        return {}
    detail = value.get("detail")
    return {**detail, **value} if isinstance(detail, dict) else value
