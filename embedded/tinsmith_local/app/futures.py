"""Polls for the results of promises, and cancellation."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

import attrs
from tinsmith.core.codec.wire import CONTENT_TYPES
from tinsmith_api import models

from tinsmith_local.app import wire
from tinsmith_local.app.answers import Answer, Refusal, Reply
from tinsmith_local.app.call import THREAD_BYTES, Call, whole
from tinsmith_local.app.lookups import Lookups
from tinsmith_local.options import Wire
from tinsmith_local.work.engine_thread import EngineThread
from tinsmith_local.work.promise_store import Completion, Outcome, PromiseStore
from tinsmith_local.work.sampling_engine import SamplingEngine


@attrs.frozen(kw_only=True, eq=False)
class FutureEndpoints:
    """Serves polls."""

    _promises: PromiseStore
    _lookups: Lookups
    _engine_thread: EngineThread
    _sampling: SamplingEngine
    _hold_s: float
    _session_hold_s: float
    _wire: Wire
    _metadata_bytes: int
    _reshape: Callable[[bytes], bytes]

    async def retrieve_future(self, call: Call) -> Reply:
        """Wait for one promise."""
        request_id = call.text("request_id")
        outcome = await self._promises.outcome(request_id, self._hold_s)
        if outcome.state == "done":
            return await self._done(call, outcome)
        if outcome.state == "pending":
            return self._pending(request_id, outcome)
        if outcome.state == "unknown":
            raise _unknown(request_id)
        if outcome.state == "failed":
            extra = {"request_id": request_id}
            return models.RequestFailedResponse(error=outcome.error, category=outcome.category, extra=extra)
        reason = "was cancelled" if outcome.state == "cancelled" else "has expired: its result was dropped"
        raise Refusal(410, f"promise {request_id} {reason}", field=("request_id",), kind=outcome.state)

    async def _done(self, call: Call, outcome: Outcome) -> Reply:
        """Return a result in the encoding that the client accepts; a big one may be announced first."""
        encoding = wire.result_encoding(call.accept, outcome.op, self._wire)
        content = self._reshape(outcome.result)
        if encoding == "protobuf":
            work = partial(wire.to_protobuf, outcome.op, content)
            content = await asyncio.to_thread(work) if len(content) > THREAD_BYTES else work()
        if call.body.get("allow_metadata_only") and len(content) > self._metadata_bytes:
            return models.CompleteMetadataResponse(
                status="complete_metadata", response_payload_size=len(content)
            )
        return Answer(content, content_type=CONTENT_TYPES[encoding])

    def _pending(self, request_id: str, outcome: Outcome) -> Answer:
        """Answer that the result is not there yet, and why."""
        waiting = self._engine_thread.waiting if outcome.op != "asample" else self._sampling.load
        queued = f"{waiting} request{' is' if waiting == 1 else 's are'} queued"
        reason = f"{outcome.op} is being worked on; {queued}"
        body = models.TryAgainResponse(request_id=request_id, queue_state="active", queue_state_reason=reason)
        return Answer(body, 408)

    async def retrieve_futures(self, call: Call) -> models.FuturesRetrieveResponse:
        """Wait for the next completions of a sampler, and forget those whose results have arrived."""
        target = call.body["target"]
        sampler_id = str(target["sampling_session_id"])
        self._lookups.sampler(sampler_id)
        scope = f"sample:{sampler_id}"
        self._promises.acknowledge(scope, call.body.get("retrieved_request_ids") or ())
        after = int(min(call.whole("prev_cursor") or 0, 2**53))
        timeout_s = call.body.get("timeout")
        hold_s = self._hold_s if timeout_s is None else min(float(timeout_s), self._session_hold_s)
        clone = whole(target, "cloned_sampler_id", "target")
        found, cursor = await self._promises.completions(scope, after, hold_s, clone)
        return models.FuturesRetrieveResponse(completions=[_completion(one) for one in found], cursor=cursor)

    async def cancel_future(self, call: Call) -> None:
        """Cancel a sample; training requests cannot be cancelled."""
        request_id = call.text("request_id")
        outcome = self._promises.look(request_id)
        if outcome.state == "unknown":
            raise _unknown(request_id)
        if outcome.state == "pending":
            if outcome.op != "asample":
                reason = f"{outcome.op} cannot be cancelled: it was accepted and will be applied"
                raise Refusal(409, reason, field=("request_id",))
            self._sampling.cancel(request_id)


def _unknown(request_id: str) -> Refusal:
    """Return the refusal for a promise that does not exist."""
    return Refusal(404, f"unknown promise {request_id!r}", field=("request_id",))


def _completion(found: Completion) -> models.FutureCompletion:
    """Return one completion as the answer has it."""
    if found.state != "done":
        return models.FutureCompletion(state="failed", request_id=found.request_id)
    return models.FutureCompletion(
        state="finished",
        request_id=found.request_id,
        response_payload_uncompressed_size=found.size_bytes,
    )
