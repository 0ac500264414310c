"""What an answer to `retrieve_future` means. Pure: bytes and a state in, a verdict out; no clock, no waiting.

Understands the dialects of known servers: 408 and `try_again`, failures as `error` with a category or
as a status with `detail`, and results announced by `complete_metadata`. What is not the server's own word,
such as a proxy's page, says nothing of the promise: it is asked for again.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import attrs
import orjson

from tinsmith.core.codec.wire import ProtobufPayload, encoding_of, loads_result
from tinsmith.core.config import PollPolicy, RetryConfig
from tinsmith.core.decision import Fault, Outcome, should_retry
from tinsmith.core.errors import (
    Applied,
    ModelLostError,
    RequestErrorCategory,
    RequestFailedError,
    ResultLostError,
    TinkerError,
)
from tinsmith.core.failures import (
    Source,
    Topic,
    Words,
    broken_answer,
    detail_text,
    error_from_status,
    judge_conflict,
    names_what_is_missing,
    no_such_operation,
    parse_body,
    read_words,
    topic_of,
)
from tinsmith.core.pacing import Moment, back_off, decide_poll, not_ready_pause_s, unreadable_pause_s

_FAILURE = frozenset({"error", "category"})
"""Fields of a failed promise; a result may have a null `error` beside its own."""
_OWN = frozenset({400, 409, 422})
"""Statuses by which servers tell that a promise failed."""
_GONE = frozenset({404, 410})
_KEY = frozenset({401, 403})


@attrs.frozen
class Asked:
    """What is known of the request whose promise is polled."""

    operation: str = ""
    """Operation id."""
    seq_id: int | None = None
    """Its number on its model; None where it has none."""
    highest_sent: int = 0
    """The highest number that was sent to the model."""
    resent: bool = False
    """Whether it was sent again after an unknown outcome."""
    checkpoint: str | None = None
    """The last checkpoint that was saved or loaded, for the error that asks for one."""


@attrs.frozen
class PollState:
    """What is remembered of earlier polls of one promise."""

    iteration: int = 0
    """Polls made."""
    quick: int = 0
    """"Not yet" in a row that were answered at once."""
    failed: int = 0
    """Failed polls in a row."""
    broken: int = 0
    """Unreadable answers with the same bytes in a row."""
    broken_bytes: bytes = b""
    """Digest of those bytes."""
    broken_since_s: float = 0.0
    """When they came first, in seconds waited."""
    same_500: int = 0
    """Equal 500s with a `detail` in a row."""
    last_500: str = ""
    """That detail."""
    unpaid_since_s: float | None = None
    """When the 402s began, in seconds waited."""
    metadata_only: bool = True
    """Whether the next poll may be answered with the size instead of the result."""
    may_resubmit: bool = True
    """Whether a lost promise may be submitted again: once, and only where the server deduplicates."""
    trusted: bool = True
    """Whether the server deduplicates at all; decides what a lost promise says about `applied`."""
    renewed: bool = False
    """Whether a second submission brought another promise, of which nothing was heard yet."""

    def calm(self) -> PollState:
        """Forget the faults: the server answered sensibly."""
        return attrs.evolve(
            self, failed=0, broken=0, broken_bytes=b"", same_500=0, last_500="", unpaid_since_s=None
        )

    def submitted_again(self, *, renewed: bool) -> PollState:
        """Go on after the one second submission; `renewed` says that it brought another promise."""
        return attrs.evolve(self.calm(), may_resubmit=False, renewed=renewed, metadata_only=True)


@attrs.frozen
class Done:
    """The result is here."""

    payload: Mapping[str, Any] | ProtobufPayload
    """The decoded JSON object, or the bytes of a binary result; the answer's content type decides."""
    value: Any = None
    """What a binary result was decoded to; None where nobody did yet."""


@attrs.frozen
class NotYet:
    """Ask again."""

    state: PollState
    """What to remember."""
    pause_s: float
    """Seconds to wait first."""
    queue_state: str | None = None
    """What the promise waits for, in the server's word."""
    queue_reason: str | None = None
    """The same for people."""
    reserve_bytes: int | None = None
    """Size of a large result that is ready; make room, then ask again."""
    failure: str | None = None
    """Why the poll failed; None if all is well and the promise is just not ready."""


@attrs.frozen
class Resubmit:
    """The promise is gone: send the same bytes under the same number once more, then go on polling."""

    state: PollState
    """What to remember."""


@attrs.frozen
class Failed:
    """The promise will never give a result."""

    error: TinkerError
    """What to raise."""


PollResult = Done | NotYet | Resubmit | Failed
"""The four ways on."""


def decide(
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    state: PollState,
    *,
    moment: Moment | None = None,
    policy: PollPolicy | None = None,
    retry: RetryConfig | None = None,
    request_id: str | None = None,
    asked: Asked | None = None,
    failure_500: bool = False,
    bare_500: bool = False,
) -> PollResult:
    """Judge an answer. Header names are in lower case.

    `failure_500` says that the server tells the failure of a promise as a 500 too, `bare_500` that it answers
    so, and without a word, where it cannot write a result.
    """
    moment, policy, retry = moment or Moment(), policy or PollPolicy(), retry or RetryConfig()
    poll = _Poll(status, body, attrs.evolve(state, iteration=state.iteration + 1), moment, policy, request_id)
    if 200 <= status < 300:
        return _judge_2xx(poll, headers)
    asked, words = asked or Asked(), read_words(body)
    if failure_500 and status == 500 and words.source is Source.TEXT:
        return Failed(_own_failure(poll, words.text, asked))
    if bare_500 and status == 500 and words.source in (Source.NOTHING, Source.UNREADABLE):
        return _broken(poll, "nothing to read, as where it cannot write a result that holds NaN or infinity")
    decision = decide_poll(Outcome(status, headers=headers), state.failed, moment, retry, policy)
    if decision.action == "retry":
        return _again(poll, words, asked, decision.delay_s)
    if decision.retry_after_s is not None or should_retry(headers) is False or not 400 <= status < 500:
        error: TinkerError = error_from_status(
            status, body, retry_after_s=decision.retry_after_s, request_id=request_id, applied="unknown"
        )
        return Failed(error)
    verdict = _judge_4xx(poll, words, asked)
    return _noise(poll, words, retry, headers) if verdict is None else verdict


def decide_fault(
    fault: Fault,
    state: PollState,
    *,
    reason: str = "",
    moment: Moment | None = None,
    policy: PollPolicy | None = None,
    retry: RetryConfig | None = None,
) -> NotYet | None:
    """Judge a poll that had no answer: when to ask again, or None where asking again is useless.

    A read timeout is no fault: the server held the poll longer than we do. A body whose compression is
    broken is as unreadable as one that is no JSON; `reason` stands for its bytes.
    """
    moment, policy, retry = moment or Moment(), policy or PollPolicy(), retry or RetryConfig()
    decision = decide_poll(Outcome(fault=fault), state.failed, moment, retry, policy)
    if decision.action == "fail":
        return None
    state = attrs.evolve(state, iteration=state.iteration + 1)
    if decision.delay_s == 0:
        return NotYet(attrs.evolve(state, quick=0, failed=0), 0.0)
    if fault is not Fault.BROKEN_BODY:
        state = attrs.evolve(state, failed=state.failed + 1)
        return NotYet(state, decision.delay_s, failure=decision.reason)
    noted = _note_bytes(state, reason.encode(), moment)
    if _stays_broken(noted, moment, policy):
        return None
    return _unreadable(noted, moment, policy, decision.reason)


def decide_unreadable(
    data: bytes, state: PollState, what: str, *, moment: Moment, policy: PollPolicy, request_id: str | None
) -> PollResult:
    """Judge a binary result that could not be decoded; `state` is that before the poll."""
    state = attrs.evolve(state, iteration=state.iteration + 1)
    return _broken(_Poll(200, data, state, moment, policy, request_id), what)


@attrs.frozen
class _Poll:
    """One answer, and what is needed to judge it."""

    status: int
    body: bytes
    state: PollState
    moment: Moment
    policy: PollPolicy
    request_id: str | None


def _judge_2xx(poll: _Poll, headers: Mapping[str, str]) -> PollResult:
    state, moment, policy = poll.state, poll.moment, poll.policy
    if encoding_of(headers.get("content-type")) == "protobuf":
        return Done(ProtobufPayload(poll.body)) if poll.body else _broken(poll, "an empty body")
    try:
        payload = loads_result(poll.body)
    except orjson.JSONDecodeError:
        payload = None
    if not isinstance(payload, dict):
        return _broken(poll, "no JSON object")
    if payload.get("type") == "try_again":
        return _not_ready(payload, state, moment, policy)
    if "error" in payload and (payload["error"] is not None or payload.keys() <= _FAILURE):
        message = payload["error"]
        category = RequestErrorCategory(str(payload.get("category")))
        text = detail_text(message if isinstance(message, str) and message else payload)
        return Failed(RequestFailedError(text, poll.request_id, category, applied="no"))
    if payload.get("status") == "complete_metadata":
        size = payload.get("response_payload_size")
        reserve = max(size, 0) if isinstance(size, int) else 0
        if not state.metadata_only:  # it was asked for the result itself
            return attrs.evolve(_not_ready({}, state, moment, policy), reserve_bytes=reserve)
        return NotYet(attrs.evolve(state.calm(), metadata_only=False), 0.0, reserve_bytes=reserve)
    return Done(payload)


def _broken(poll: _Poll, what: str) -> PollResult:
    """Ask again after an answer of success that cannot be read, unless its bytes stay the same."""
    state = _note_bytes(poll.state, poll.body, poll.moment)
    if _stays_broken(state, poll.moment, poll.policy):
        return Failed(_protocol_error(poll, what))
    return _unreadable(state, poll.moment, poll.policy, "broken body")


def _protocol_error(poll: _Poll, what: str) -> TinkerError:
    return broken_answer(
        poll.status,
        poll.body,
        what,
        request_id=poll.request_id,
        attempts=poll.state.iteration,
        applied="unknown",
    )


def _note_bytes(state: PollState, body: bytes, moment: Moment) -> PollState:
    """Count an unreadable answer; other bytes than before begin anew."""
    digest = sha256(body).digest()[:16]
    if state.broken and digest == state.broken_bytes:
        return attrs.evolve(state, broken=state.broken + 1)
    return attrs.evolve(state, broken=1, broken_bytes=digest, broken_since_s=moment.waited_s)


def _stays_broken(state: PollState, moment: Moment, policy: PollPolicy) -> bool:
    lasted_s = moment.waited_s - state.broken_since_s
    return state.broken >= policy.broken_limit and lasted_s >= policy.broken_span * policy.storm_base_s


def _unreadable(state: PollState, moment: Moment, policy: PollPolicy, failure: str) -> NotYet:
    pause_s = unreadable_pause_s(state.failed + 1, moment.random, policy)
    return NotYet(attrs.evolve(state, failed=state.failed + 1), pause_s, failure=failure)


def _not_ready(payload: Mapping[str, Any], state: PollState, moment: Moment, policy: PollPolicy) -> NotYet:
    quick = 0 if moment.took_s >= policy.held_s else state.quick + 1
    queue_state, reason = payload.get("queue_state"), payload.get("queue_state_reason")
    return NotYet(
        attrs.evolve(state.calm(), quick=quick, renewed=False),
        not_ready_pause_s(quick, moment, policy),
        queue_state=queue_state if isinstance(queue_state, str) else None,
        queue_reason=reason if isinstance(reason, str) else None,
    )


def _again(poll: _Poll, words: Words, asked: Asked, delay_s: float) -> PollResult:
    """Ask again after a status that says so."""
    status, state, moment, policy = poll.status, poll.state, poll.moment, poll.policy
    payload = parse_body(poll.body)
    if delay_s == 0:
        return _not_ready(payload if isinstance(payload, dict) else {}, state, moment, policy)
    since = None
    if status == 402:
        since = moment.waited_s if state.unpaid_since_s is None else state.unpaid_since_s
        if moment.waited_s - since >= policy.billing_patience_s:
            unpaid = error_from_status(status, poll.body, request_id=poll.request_id, applied="unknown")
            return Failed(unpaid)
    detail = words.text if status == 500 else ""
    same = (state.same_500 if detail == state.last_500 else 0) + 1 if detail else 0
    if same >= policy.detail_500_limit:
        return Failed(_own_failure(poll, detail, asked))
    state = attrs.evolve(state, failed=state.failed + 1, unpaid_since_s=since, same_500=same, last_500=detail)
    return NotYet(state, delay_s, failure=f"status {status}: {detail_text(payload)}"[:200])


def _judge_4xx(poll: _Poll, words: Words, asked: Asked) -> PollResult | None:
    """Judge a status as the server's word on the promise or the key; None where it is noise of the way."""
    status, source = poll.status, words.source
    if status in _KEY:
        own = source in (Source.TEXT, Source.FIELDS) or poll.body.strip() == b"{}"
        refused = error_from_status(status, poll.body, request_id=poll.request_id, applied="unknown")
        refused.add_note("The promise may be asked for again: APIFuture.from_request_id.")
        return Failed(refused) if own else None
    if status not in _OWN and status not in _GONE:
        return None
    if source is Source.FIELDS:
        return Failed(_failed(poll, detail_text(parse_body(poll.body)), "unknown"))
    if source is not Source.TEXT:
        return None
    if status in _GONE:
        return _gone(poll, words, asked)
    return Failed(_own_failure(poll, words.text, asked))


def _noise(poll: _Poll, words: Words, retry: RetryConfig, headers: Mapping[str, str]) -> PollResult:
    """Ask again after an answer of something on the way, as after a 5xx."""
    state, moment = poll.state, poll.moment
    if words.source in (Source.NOTHING, Source.UNREADABLE):
        state = _note_bytes(state, poll.body, moment)
        if _stays_broken(state, moment, poll.policy):
            return Failed(_protocol_error(poll, "what is no answer to a poll"))
    pause_s = back_off(headers, poll.state.failed, moment, retry, poll.policy)
    failure = f"status {poll.status}: {detail_text(parse_body(poll.body))}"[:200]
    return NotYet(attrs.evolve(state, failed=state.failed + 1), pause_s, failure=failure)


def _own_failure(poll: _Poll, text: str, asked: Asked) -> TinkerError:
    """Turn the server's word on a promise into the error that it stands for."""
    topic = topic_of(text)
    if topic is Topic.MODEL_GONE and asked.seq_id is not None:
        return _model_lost(
            f"the server no longer has what this request was for ({detail_text(text)}).", asked
        )
    if poll.status != 409:
        return _failed(poll, text, "no")
    found = judge_conflict(
        Words(Source.TEXT, text),
        asked.operation,
        seq_id=asked.seq_id,
        highest_sent=asked.highest_sent,
        resent=asked.resent,
    )
    if found.kind == "counts differently":
        return _model_lost(
            f"the server counts this model's requests differently ({detail_text(text)}).", asked
        )
    if found.applied == "yes":
        told = (
            f"the server took this request before, and lost the promise of its result ({detail_text(text)})"
        )
        return ResultLostError(told, request_id=poll.request_id, applied="yes")
    return _failed(poll, text, found.applied)


def _gone(poll: _Poll, words: Words, asked: Asked) -> PollResult:
    """Judge a 404 or 410: the promise may be gone, or what the request needed."""
    state, text, topic = poll.state, words.text, words.topic
    if topic is Topic.ROUTE:
        missing = error_from_status(
            poll.status,
            poll.body,
            said=no_such_operation("retrieve_future"),
            request_id=poll.request_id,
            applied="unknown",
        )
        return Failed(missing)
    if topic is Topic.MODEL_GONE and asked.seq_id is not None:
        return Failed(_own_failure(poll, text, asked))
    if topic is Topic.CHECKPOINT:
        return Failed(_failed(poll, text, "no"))
    if state.may_resubmit and state.trusted:
        return Resubmit(attrs.evolve(state.calm(), may_resubmit=False))
    if state.renewed:
        return Failed(_failed(poll, text, "no" if names_what_is_missing(text) else "unknown"))
    return Failed(
        ResultLostError(
            f"the server gave a promise and no longer knows it ({poll.status}: {detail_text(text)})",
            request_id=poll.request_id,
            applied="yes" if state.trusted else "unknown",
        )
    )


def _failed(poll: _Poll, text: str, applied: Applied) -> RequestFailedError:
    """Build the failure of a promise that was told by a status: 4xx is the user's, 5xx the server's."""
    category = RequestErrorCategory.User if poll.status < 500 else RequestErrorCategory.Server
    said = detail_text(text)
    return RequestFailedError(said, poll.request_id, category, status_code=poll.status, applied=applied)


def _model_lost(message: str, asked: Asked) -> ModelLostError:
    return ModelLostError(message, checkpoint=asked.checkpoint, applied="unknown")
