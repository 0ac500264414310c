"""What an answer to `retrieve_future` means, and when to poll again. Pure: no clock, times are arguments.

Understands the dialects of known servers: 408 and `try_again`, failures as `error` with a category or
as a status with `detail`, and results announced by `complete_metadata`. What does not come from the server
itself, such as a proxy's page, says nothing about the promise: it is polled again.

That a promise is not ready is normal; a poll that failed calls for backing off. The pauses of both differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import attrs
import orjson

from tinsmith.core.codec.wire import ProtobufPayload, encoding_of, loads_result
from tinsmith.core.config import PollPolicy, RetryConfig
from tinsmith.core.errors import (
    APIConnectionError,
    Applied,
    ModelLostError,
    RequestErrorCategory,
    RequestFailedError,
    ResultLostError,
    TinkerError,
)
from tinsmith.core.failures import (
    ErrorText,
    TextSource,
    Topic,
    broken_answer,
    detail_text,
    error_from_status,
    names_what_is_missing,
    no_such_operation,
    parse_body,
    read_conflict,
    read_error_text,
    topic_of,
)
from tinsmith.core.retry import FINAL_FAULTS, Decision, Fault, Outcome, retry_after_s, should_retry

_FAILURE = frozenset({"error", "category"})
"""Fields of a failed promise; a result may have a null `error` beside its own."""
_FAILED = frozenset({400, 409, 422})
"""Statuses by which servers report that a promise failed."""
_GONE = frozenset({404, 410})
_KEY = frozenset({401, 403})
_NO_TEXT = frozenset({TextSource.NOTHING, TextSource.UNREADABLE})
_NOT_READY = frozenset({408, 425})
"""Statuses by which servers say that a result is not ready."""
_ASK_AGAIN_NOW = frozenset({Fault.READ_TIMEOUT, Fault.DEADLINE})
"""Faults that mean that the server held the poll longer than the client waits."""


@attrs.frozen
class Moment:
    """Times and a random number that belong to one poll."""

    took_s: float = 0.0
    """Seconds that this poll took."""
    waited_s: float = 0.0
    """Seconds since the promise was made."""
    wall_now_s: float = 0.0
    """Wall clock, for Retry-After dates only."""
    random: float = 0.5
    """A draw from [0, 1)."""


def not_ready_pause_s(quick: int, moment: Moment, policy: PollPolicy) -> float:
    """Return the pause after a "not yet"; `quick` counts those in a row that were answered at once.

    0 after a poll that the server held. Otherwise the pause grows fast at first, and then with the time
    waited, so that a result is at most 5 % late; it is never more than a second.
    """
    if moment.took_s >= policy.held_s:
        return 0.0
    ramp = min(policy.floor_s * policy.growth ** min(max(quick - 1, 0), 60), policy.ramp_s)
    return min(max(ramp, policy.elapsed_share * moment.waited_s), policy.ceiling_s)


def failed_pause_s(failed: int, random: float, policy: PollPolicy, *, unreadable: bool = False) -> float:
    """Return the pause after a poll that failed; `failed` counts those in a row, this one included.

    It doubles from one to the next. After an answer that cannot be read, the first is half as long.
    """
    first_s = policy.storm_base_s / (2.0 if unreadable else 1.0)
    full_s = min(first_s * 2.0 ** min(max(failed - 1, 0), 60), policy.storm_max_s)
    return max(first_s, full_s * (1.0 - policy.storm_jitter * random))


def back_off(
    headers: Mapping[str, str], failed: int, moment: Moment, retry: RetryConfig, policy: PollPolicy
) -> float:
    """Return the pause after an answer that asks for one, up to the cap; after others, longer each time."""
    advised_s = retry_after_s(headers, moment.wall_now_s)
    if advised_s is None:
        return failed_pause_s(failed + 1, moment.random, policy)
    return max(policy.storm_base_s, min(advised_s, retry.retry_after_cap_s))


def billing_pause_s(unpaid_s: float, patience_s: float, policy: PollPolicy) -> float | None:
    """Return the pause after a 402; None if the bill has been unpaid for `patience_s`."""
    return None if unpaid_s >= patience_s else policy.billing_pause_s


def decide_by_status(
    outcome: Outcome, failed: int, moment: Moment, retry: RetryConfig, policy: PollPolicy
) -> Decision:
    """Decide by status or fault alone whether to ask again, and when.

    A delay of 0 means: not ready, no fault. `failed` counts the polls in a row that failed before this one. A
    429 that asks for more than the cap is final.
    """
    if outcome.fault is not None:
        if outcome.fault in FINAL_FAULTS:
            return Decision("fail")
        is_held = outcome.fault in _ASK_AGAIN_NOW
        return Decision("retry", 0.0 if is_held else failed_pause_s(failed + 1, moment.random, policy))
    assert outcome.status is not None
    if 200 <= outcome.status < 300:
        return Decision("done", applied="yes")
    if outcome.status in _NOT_READY:
        return Decision("retry")
    wish = should_retry(outcome.headers) if outcome.status >= 400 else None
    if wish is False or not (wish or outcome.status in (402, 429) or outcome.status >= 500):
        return Decision("fail")
    if outcome.status == 402:
        return Decision("retry", policy.billing_pause_s)
    advised_s = retry_after_s(outcome.headers, moment.wall_now_s)
    if advised_s is not None and advised_s > retry.retry_after_cap_s and outcome.status == 429:
        return Decision("fail", retry_after_s=advised_s)
    pause_s = back_off(outcome.headers, failed, moment, retry, policy)
    return Decision("retry", pause_s, retry_after_s=advised_s)


SAMPLES_WHILE_LOADED = (
    "This server samples the weights for sampling only while the model that saved them is loaded: give the"
    " checkpoint for training (tinker://RUN/weights/NAME), which is loaded again."
)
"""What to do where the model behind a sampler is gone."""


@attrs.frozen
class PolledRequest:
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
    """What is remembered from earlier polls of one promise."""

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
    """Whether the server deduplicates at all; what a lost promise says about `applied` depends on it."""
    renewed: bool = False
    """Whether a second submission brought another promise, about which the server has said nothing yet."""

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
    """What the payload was decoded to; None before that."""


@attrs.frozen
class NotYet:
    """Ask again."""

    state: PollState
    """What to remember."""
    pause_s: float
    """Seconds to wait first."""
    queue_state: str | None = None
    """What the promise waits for: the server's identifier."""
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
"""What can follow from a poll."""


def _counted(state: PollState) -> PollState:
    return attrs.evolve(state, iteration=state.iteration + 1)


@attrs.frozen
class Poll:
    """One poll of a promise that was answered, or had a fault: `decide` says what follows."""

    status: int = 0
    """HTTP status of the answer; 0 where none came."""
    headers: Mapping[str, str] = attrs.field(factory=dict)
    """Its headers; names in lower case."""
    body: bytes = b""
    """Its body."""
    state: PollState = attrs.field(factory=PollState, converter=_counted)
    """What is remembered of the polls before, and that this one was made."""
    moment: Moment = attrs.field(factory=Moment, kw_only=True)
    """When it was answered."""
    policy: PollPolicy = attrs.field(factory=PollPolicy, kw_only=True)
    """How long to wait."""
    retry: RetryConfig = attrs.field(factory=RetryConfig, kw_only=True)
    """The longest wait that a server may ask for."""
    request_id: str | None = attrs.field(default=None, kw_only=True)
    """The server's name of the promise."""
    request: PolledRequest = attrs.field(factory=PolledRequest, kw_only=True)
    """What the promise is for."""
    failure_500: bool = attrs.field(default=False, kw_only=True)
    """Whether the server reports the failure of a promise as a 500 too."""
    bare_500: bool = attrs.field(default=False, kw_only=True)
    """Whether it answers 500 without a text if it cannot write a result."""
    fault: Fault | None = attrs.field(default=None, kw_only=True)
    """Why no answer came."""
    reason: str = attrs.field(default="", kw_only=True)
    """The transport's description of the fault."""

    def decide(self) -> PollResult:
        """Say what follows: by the fault, by the status, or by what the server says."""
        if self.fault is None and 200 <= self.status < 300:
            return self._read_success()
        outcome = Outcome(None if self.fault else self.status, self.fault, self.headers)
        decision = decide_by_status(outcome, self.state.failed, self.moment, self.retry, self.policy)
        if self.fault is not None:
            return self._after_fault(self.fault, decision)
        text = read_error_text(self.body)
        if self.failure_500 and self.status == 500 and text.source is TextSource.TEXT:
            return self._reported_failure(text.text)
        if self.bare_500 and self.status == 500 and text.source in _NO_TEXT:
            return self.unreadable(
                "nothing to read, as where it cannot write a result that holds NaN or infinity"
            )
        if decision.action == "retry":
            return self._again(text, decision.delay_s)
        asked_s, final = decision.retry_after_s, should_retry(self.headers) is False
        if asked_s is not None or final or not 400 <= self.status < 500:
            return Failed(self._error(retry_after_s=asked_s))
        result = self._read_refusal(text)
        return self._foreign_answer(text) if result is None else result

    def _after_fault(self, fault: Fault, decision: Decision) -> PollResult:
        """Ask again after a poll that had no answer, unless that is useless.

        A read timeout is no fault: the server held the poll longer than we do. A body whose compression is
        broken is as unreadable as one that is no JSON; `reason` stands for its bytes.
        """
        if decision.action == "retry" and decision.delay_s == 0:
            return NotYet(attrs.evolve(self.state, quick=0, failed=0), 0.0)
        if decision.action == "retry" and fault is not Fault.BROKEN_BODY:
            return self._failed_poll(self.state, decision.delay_s, fault.value)
        noted = self._note_bytes(self.reason.encode())
        if decision.action == "fail" or self._stays_broken(noted):
            what = f"{self.request.operation}: polling failed: {fault}: {self.reason}"
            return Failed(APIConnectionError(what, applied="unknown"))
        return self._broken_poll(noted, fault.value)

    def _read_success(self) -> PollResult:
        state = self.state
        if encoding_of(self.headers.get("content-type")) == "protobuf":
            return Done(ProtobufPayload(self.body)) if self.body else self.unreadable("an empty body")
        try:
            payload = loads_result(self.body)
        except orjson.JSONDecodeError:
            payload = None
        if not isinstance(payload, dict):
            return self.unreadable("no JSON object")
        if payload.get("type") == "try_again":
            return self._not_ready(payload)
        if "error" in payload and (payload["error"] is not None or payload.keys() <= _FAILURE):
            message = payload["error"]
            category = RequestErrorCategory(str(payload.get("category")))
            text = detail_text(message if isinstance(message, str) and message else payload)
            return Failed(RequestFailedError(text, self.request_id, category, applied="no"))
        if payload.get("status") == "complete_metadata":
            size = payload.get("response_payload_size")
            reserve = max(size, 0) if isinstance(size, int) else 0
            if not state.metadata_only:  # it was asked for the result itself
                return attrs.evolve(self._not_ready({}), reserve_bytes=reserve)
            return NotYet(attrs.evolve(state.calm(), metadata_only=False), 0.0, reserve_bytes=reserve)
        return Done(payload)

    def unreadable(self, what: str) -> PollResult:
        """Ask again after an answer of success that cannot be read, unless its bytes stay the same."""
        noted = self._note_bytes(self.body)
        if self._stays_broken(noted):
            return Failed(self._protocol_error(what))
        return self._broken_poll(noted, "broken body")

    def _note_bytes(self, body: bytes) -> PollState:
        """Count an unreadable answer; other bytes than before begin anew."""
        state, digest = self.state, sha256(body).digest()[:16]
        if state.broken and digest == state.broken_bytes:
            return attrs.evolve(state, broken=state.broken + 1)
        return attrs.evolve(state, broken=1, broken_bytes=digest, broken_since_s=self.moment.waited_s)

    def _stays_broken(self, noted: PollState) -> bool:
        lasted_s = self.moment.waited_s - noted.broken_since_s
        long_s = self.policy.broken_span * self.policy.storm_base_s
        return noted.broken >= self.policy.broken_limit and lasted_s >= long_s

    def _broken_poll(self, noted: PollState, failure: str) -> NotYet:
        pause_s = failed_pause_s(noted.failed + 1, self.moment.random, self.policy, unreadable=True)
        return self._failed_poll(noted, pause_s, failure)

    def _failed_poll(self, state: PollState, pause_s: float, failure: str = "") -> NotYet:
        """Ask again after a poll that failed; by its status and text where `failure` does not say more."""
        failure = failure or f"status {self.status}: {detail_text(parse_body(self.body))}"[:200]
        return NotYet(attrs.evolve(state, failed=state.failed + 1), pause_s, failure=failure)

    def _not_ready(self, payload: Mapping[str, Any]) -> NotYet:
        quick = 0 if self.moment.took_s >= self.policy.held_s else self.state.quick + 1
        queue_state, reason = payload.get("queue_state"), payload.get("queue_state_reason")
        return NotYet(
            attrs.evolve(self.state.calm(), quick=quick, renewed=False),
            not_ready_pause_s(quick, self.moment, self.policy),
            queue_state=queue_state if isinstance(queue_state, str) else None,
            queue_reason=reason if isinstance(reason, str) else None,
        )

    def _again(self, text: ErrorText, delay_s: float) -> PollResult:
        """Ask again after a status that says so."""
        state, waited_s = self.state, self.moment.waited_s
        if delay_s == 0:
            payload = parse_body(self.body)
            return self._not_ready(payload if isinstance(payload, dict) else {})
        since_s = None
        if self.status == 402:
            since_s = waited_s if state.unpaid_since_s is None else state.unpaid_since_s
            if waited_s - since_s >= self.policy.billing_patience_s:
                return Failed(self._error())
        detail = text.text if self.status == 500 else ""
        same = (state.same_500 if detail == state.last_500 else 0) + 1 if detail else 0
        if same >= self.policy.detail_500_limit:
            return self._reported_failure(detail)
        noted = attrs.evolve(state, unpaid_since_s=since_s, same_500=same, last_500=detail)
        return self._failed_poll(noted, delay_s)

    def _read_refusal(self, text: ErrorText) -> PollResult | None:
        """Read what the server says of the promise or the key; None if the answer is not the server's."""
        source = text.source
        if self.status in _KEY:
            own = source in (TextSource.TEXT, TextSource.FIELDS) or self.body.strip() == b"{}"
            refused = self._error()
            refused.add_note("The promise may be asked for again: APIFuture.from_request_id.")
            return Failed(refused) if own else None
        if self.status not in _FAILED and self.status not in _GONE:
            return None
        if source is TextSource.FIELDS:
            return self._request_failed(detail_text(parse_body(self.body)), "unknown")
        if source is not TextSource.TEXT:
            return None
        return self._gone(text) if self.status in _GONE else self._reported_failure(text.text)

    def _foreign_answer(self, text: ErrorText) -> PollResult:
        """Ask again after an answer of something between us and the server, as after a 5xx."""
        state = self.state
        if text.source in _NO_TEXT:
            state = self._note_bytes(self.body)
            if self._stays_broken(state):
                return Failed(self._protocol_error("what is no answer to a poll"))
        pause_s = back_off(self.headers, state.failed, self.moment, self.retry, self.policy)
        return self._failed_poll(state, pause_s)

    def _reported_failure(self, text: str) -> Failed:
        """Turn the failure of a promise, as the server reports it, into an error."""
        request, said = self.request, detail_text(text)
        if topic_of(text) is Topic.MODEL_GONE and request.seq_id is not None:
            return self._model_lost(f"the server no longer has what this request was for ({said}).")
        if self.status != 409:
            return self._request_failed(text, "no")
        found = read_conflict(
            ErrorText(TextSource.TEXT, text),
            request.operation,
            seq_id=request.seq_id,
            highest_sent=request.highest_sent,
            resent=request.resent,
        )
        if found.kind == "counts differently":
            return self._model_lost(f"the server counts this model's requests differently ({said}).")
        if found.applied == "yes":
            lost = f"the server took this request before, and lost the promise of its result ({said})"
            return Failed(ResultLostError(lost, request_id=self.request_id, applied="yes"))
        return self._request_failed(text, found.applied)

    def _gone(self, text: ErrorText) -> PollResult:
        """Read a 404 or 410: the promise may be gone, or what the request needed."""
        state, topic = self.state, text.topic
        if topic is Topic.ROUTE:
            return Failed(self._error(said=no_such_operation("retrieve_future")))
        if topic is Topic.MODEL_GONE and self.request.seq_id is not None:
            return self._reported_failure(text.text)
        if topic is Topic.CHECKPOINT:
            return self._request_failed(text.text, "no")
        if state.may_resubmit and state.trusted:
            return Resubmit(attrs.evolve(state.calm(), may_resubmit=False))
        if state.renewed:
            return self._request_failed(text.text, "no" if names_what_is_missing(text.text) else "unknown")
        lost = f"the server gave a promise and no longer knows it ({self.status}: {detail_text(text.text)})"
        applied: Applied = "yes" if state.trusted else "unknown"
        return Failed(ResultLostError(lost, request_id=self.request_id, applied=applied))

    def _request_failed(self, text: str, applied: Applied) -> Failed:
        """Build the error of a failed promise by its status: 4xx is the user's fault, 5xx the server's."""
        category = RequestErrorCategory.User if self.status < 500 else RequestErrorCategory.Server
        said, status = detail_text(text), self.status
        return Failed(
            RequestFailedError(said, self.request_id, category, status_code=status, applied=applied)
        )

    def _model_lost(self, message: str) -> Failed:
        advice = SAMPLES_WHILE_LOADED if self.request.operation == "asample" else None
        checkpoint = self.request.checkpoint
        return Failed(ModelLostError(message, checkpoint=checkpoint, advice=advice, applied="unknown"))

    def _error(self, *, retry_after_s: float | None = None, said: str | None = None) -> TinkerError:
        return error_from_status(
            self.status,
            self.body,
            retry_after_s=retry_after_s,
            said=said,
            request_id=self.request_id,
            applied="unknown",
        )

    def _protocol_error(self, what: str) -> TinkerError:
        return broken_answer(
            self.status,
            self.body,
            what,
            request_id=self.request_id,
            attempts=self.state.iteration,
            applied="unknown",
        )
