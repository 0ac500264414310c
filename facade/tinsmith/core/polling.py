"""What an answer to `retrieve_future` means. Pure: bytes and a state in, a verdict out; no clock, no waiting.

Understands the dialects of known servers: 408 and `try_again`, failures as `error` with a category or
as a status with `detail`, and results announced by `complete_metadata`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
import orjson

from tinsmith.core.codec.large import loads_result
from tinsmith.core.codec.wire import ProtobufPayload, encoding_of
from tinsmith.core.errors import RequestErrorCategory, RequestFailedError, ResultLostError, TinkerError
from tinsmith.core.failures import broken_answer, detail_text, error_from_status, parse_body
from tinsmith.core.pacing import Moment, judge_poll, not_ready_pause_s
from tinsmith.core.policy import PollPolicy, RetryConfig
from tinsmith.core.verdict import Fault, Outcome

_FAILURE = frozenset({"error", "category"})
"""Fields of a failed promise; a result may have a null `error` beside its own."""
_GONE = frozenset({404, 410})


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
    """Unreadable answers in a row."""
    bare_400: int = 0
    """Empty 400s in a row."""
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

    def calm(self) -> PollState:
        """Forget the faults: the server answered sensibly."""
        return attrs.evolve(
            self, failed=0, broken=0, bare_400=0, same_500=0, last_500="", unpaid_since_s=None
        )


@attrs.frozen
class Done:
    """The result is here."""

    payload: Mapping[str, Any] | ProtobufPayload
    """The decoded JSON object, or the bytes of a binary result; the answer's content type decides."""


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


Verdict = Done | NotYet | Resubmit | Failed
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
) -> Verdict:
    """Judge an answer. Header names are in lower case."""
    moment, policy, retry = moment or Moment(), policy or PollPolicy(), retry or RetryConfig()
    state = attrs.evolve(state, iteration=state.iteration + 1)
    if 200 <= status < 300:
        return _judge_2xx(status, headers, body, state, moment, policy, request_id)
    decision = judge_poll(Outcome(status, headers=headers), state.failed, moment, retry, policy)
    if decision.action == "retry":
        return _again(status, body, state, moment, policy, decision.delay_s, request_id)
    if status in _GONE:
        return _gone(status, body, state, request_id)
    if status == 400 and not body.strip() and state.bare_400 + 1 < policy.bare_400_limit:
        state = attrs.evolve(state, bare_400=state.bare_400 + 1)
        return NotYet(state, policy.floor_s, failure="empty 400")
    if status in (401, 403, 429) or not 400 <= status < 600:
        error: TinkerError = error_from_status(
            status, body, retry_after_s=decision.retry_after_s, request_id=request_id, applied="unknown"
        )
        return Failed(error)
    return Failed(_failed_by_status(status, body, request_id))


def decide_fault(
    fault: Fault,
    state: PollState,
    *,
    moment: Moment | None = None,
    policy: PollPolicy | None = None,
    retry: RetryConfig | None = None,
) -> NotYet | None:
    """Judge a poll that had no answer: when to ask again, or None where asking again is useless.

    A read timeout is no fault: the server held the poll longer than we do. A body whose compression is
    broken is forgiven as often as one that is no JSON.
    """
    moment, policy, retry = moment or Moment(), policy or PollPolicy(), retry or RetryConfig()
    decision = judge_poll(Outcome(fault=fault), state.failed, moment, retry, policy)
    broken = state.broken + (fault is Fault.BROKEN_BODY)
    if decision.action == "fail" or broken >= policy.broken_limit:
        return None
    state = attrs.evolve(state, iteration=state.iteration + 1)
    if decision.delay_s == 0:
        return NotYet(attrs.evolve(state, quick=0, failed=0), 0.0)
    state = attrs.evolve(state, failed=state.failed + 1, broken=broken)
    return NotYet(state, decision.delay_s, failure=decision.reason)


def _judge_2xx(
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    state: PollState,
    moment: Moment,
    policy: PollPolicy,
    request_id: str | None,
) -> Verdict:
    if encoding_of(headers.get("content-type")) == "protobuf":
        return Done(ProtobufPayload(body))
    try:
        payload = loads_result(body)
    except orjson.JSONDecodeError:
        payload = None
    if not isinstance(payload, dict):
        return _broken(status, body, state, moment, policy, request_id)
    if payload.get("type") == "try_again":
        return _not_ready(payload, state, moment, policy)
    if "error" in payload and (payload["error"] is not None or payload.keys() <= _FAILURE):
        message = payload["error"]
        category = RequestErrorCategory(str(payload.get("category")))
        text = detail_text(message if isinstance(message, str) and message else payload)
        return Failed(RequestFailedError(text, request_id, category, applied="no"))
    if payload.get("status") == "complete_metadata":
        size = payload.get("response_payload_size")
        reserve = max(size, 0) if isinstance(size, int) else 0
        if not state.metadata_only:  # it was asked for the result itself
            return attrs.evolve(_not_ready({}, state, moment, policy), reserve_bytes=reserve)
        return NotYet(attrs.evolve(state.calm(), metadata_only=False), 0.0, reserve_bytes=reserve)
    return Done(payload)


def _broken(
    status: int, body: bytes, state: PollState, moment: Moment, policy: PollPolicy, request_id: str | None
) -> Verdict:
    if state.broken + 1 >= policy.broken_limit:
        error = broken_answer(
            status, body, "no JSON object", request_id=request_id, attempts=state.iteration, applied="unknown"
        )
        return Failed(error)
    pause = not_ready_pause_s(state.broken + 2, attrs.evolve(moment, took_s=0.0), policy)
    return NotYet(attrs.evolve(state, broken=state.broken + 1), pause, failure="broken body")


def _not_ready(payload: Mapping[str, Any], state: PollState, moment: Moment, policy: PollPolicy) -> NotYet:
    quick = 0 if moment.took_s >= policy.held_s else state.quick + 1
    queue_state, reason = payload.get("queue_state"), payload.get("queue_state_reason")
    return NotYet(
        attrs.evolve(state.calm(), quick=quick),
        not_ready_pause_s(quick, moment, policy),
        queue_state=queue_state if isinstance(queue_state, str) else None,
        queue_reason=reason if isinstance(reason, str) else None,
    )


def _again(
    status: int,
    body: bytes,
    state: PollState,
    moment: Moment,
    policy: PollPolicy,
    delay_s: float,
    request_id: str | None,
) -> Verdict:
    payload = parse_body(body)
    fields = payload if isinstance(payload, dict) else {}
    if delay_s == 0:
        return _not_ready(fields, state, moment, policy)
    since = None
    if status == 402:
        since = moment.waited_s if state.unpaid_since_s is None else state.unpaid_since_s
        if moment.waited_s - since >= policy.billing_patience_s:
            return Failed(error_from_status(status, body, request_id=request_id, applied="unknown"))
    detail = detail_text(fields["detail"]) if status == 500 and fields.get("detail") else ""
    same = (state.same_500 if detail == state.last_500 else 0) + 1 if detail else 0
    if same >= policy.detail_500_limit:
        return Failed(_failed_by_status(status, body, request_id))
    state = attrs.evolve(state, failed=state.failed + 1, unpaid_since_s=since, same_500=same, last_500=detail)
    return NotYet(state, delay_s, failure=f"status {status}: {detail_text(payload)}"[:200])


def _gone(status: int, body: bytes, state: PollState, request_id: str | None) -> Verdict:
    if state.may_resubmit and state.trusted:
        return Resubmit(attrs.evolve(state.calm(), may_resubmit=False))
    text = detail_text(parse_body(body)) or "no such promise"
    return Failed(
        ResultLostError(
            f"the server gave a promise and no longer knows it ({status}: {text})",
            request_id=request_id,
            applied="yes" if state.trusted else "unknown",
        )
    )


def _failed_by_status(status: int, body: bytes, request_id: str | None) -> RequestFailedError:
    """Turn a status into the failure that it stands for: 4xx is the user's, 5xx the server's."""
    category = RequestErrorCategory.User if status < 500 else RequestErrorCategory.Server
    text = detail_text(parse_body(body)) or f"status {status} with an empty body"
    return RequestFailedError(text, request_id, category, status_code=status, applied="no")
