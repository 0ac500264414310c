"""Polls: what became of a promise, said as this service or as another one says it."""

import asyncio
from functools import partial

from tinsmith.core.codec import CONTENT_TYPES

from tinsmith_local.service import Service
from tinsmith_local.work.board import Outcome
from tinsmith_local.work.completions import Completion

from . import lookups, wire
from .answer import Answer, nothing
from .call import THREAD_BYTES, Call, whole
from .refusal import Refusal

#: A session-wide poll is held no longer than this, whatever the client asks for.
MAX_TIMEOUT_S = 40.0


async def retrieve_future(service: Service, call: Call) -> Answer:
    """Wait for one promise."""
    request_id = call.text("request_id")
    outcome = await service.board.outcome(request_id, service.options.poll_hold_s)
    if outcome.state == "done":
        return await _done(service, call, outcome)
    if outcome.state == "pending":
        return _pending(service, request_id, outcome)
    if outcome.state == "unknown":
        raise Refusal(404, f"unknown promise {request_id!r}", field=("request_id",))
    if outcome.state == "failed":
        return _failed(service, request_id, outcome)
    reason = "was cancelled" if outcome.state == "cancelled" else "has expired: its result was dropped"
    raise Refusal(410, f"promise {request_id} {reason}", field=("request_id",), kind=outcome.state)


async def _done(service: Service, call: Call, outcome: Outcome) -> Answer:
    """Hand out a result in the encoding that the client accepts; a big one may be announced first."""
    encoding = wire.result_encoding(call.accept, outcome.op, service.options.wire)
    content = outcome.result
    if encoding == "protobuf":
        work = partial(wire.to_protobuf, outcome.op, content)
        content = await asyncio.to_thread(work) if len(content) > THREAD_BYTES else work()
    if call.body.get("allow_metadata_only") and len(content) > service.options.metadata_bytes:
        return Answer({"status": "complete_metadata", "response_payload_size": len(content)})
    return Answer(content, content_type=CONTENT_TYPES[encoding])


def _pending(service: Service, request_id: str, outcome: Outcome) -> Answer:
    """Say that it is not there yet, and why."""
    waiting = service.worker.waiting if outcome.op != "asample" else service.floor.load
    body = {
        "type": "try_again",
        "request_id": request_id,
        "queue_state": "active",
        "queue_state_reason": f"{outcome.op} is being worked on; {waiting} requests are queued",
    }
    return Answer(body, 200 if service.options.imitate.try_again else 408)


def _failed(service: Service, request_id: str, outcome: Outcome) -> Answer:
    """Say that the work failed."""
    status = service.options.imitate.failure_status
    if status != 200:
        raise Refusal(status, outcome.error, kind="request_failed")
    return Answer({"request_id": request_id, "error": outcome.error, "category": outcome.category})


async def retrieve_futures(service: Service, call: Call) -> Answer:
    """Wait for the next completions of a sampler, and forget those whose results have arrived."""
    target = call.body["target"]
    sampler_id = str(target["sampling_session_id"])
    lookups.sampler(service, sampler_id)
    scope = f"sample:{sampler_id}"
    service.board.acknowledge(scope, call.body.get("retrieved_request_ids") or ())
    after = int(min(call.whole("prev_cursor") or 0, 2**53))
    asked = call.body.get("timeout")
    hold_s = service.options.poll_hold_s if asked is None else min(float(asked), MAX_TIMEOUT_S)
    hold_s = 0.0 if service.options.imitate.unheld_polls else hold_s
    clone = whole(target, "cloned_sampler_id", "target")
    found, cursor = await service.board.completions(scope, after, hold_s, clone)
    return Answer({"completions": [_completion(one) for one in found], "cursor": cursor})


def _completion(found: Completion) -> dict[str, object]:
    """Word one completion."""
    if found.state != "done":
        return {"state": "failed", "request_id": found.request_id}
    return {
        "state": "finished",
        "request_id": found.request_id,
        "response_payload_uncompressed_size": found.size_bytes,
    }


async def cancel_future(service: Service, call: Call) -> Answer:
    """Cancel a sample; training requests keep their place in line."""
    request_id = call.text("request_id")
    outcome = service.board.look(request_id)
    if outcome.state == "unknown":
        raise Refusal(404, f"unknown promise {request_id!r}", field=("request_id",))
    if outcome.state == "pending":
        if outcome.op != "asample":
            raise Refusal(409, f"{outcome.op} was accepted and is applied in its turn", field=("request_id",))
        service.floor.cancel(request_id)
    return nothing()
