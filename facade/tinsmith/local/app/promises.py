"""Polls: what became of a promise, said as this service or as another one says it."""

from tinsmith.local.service import Service
from tinsmith.local.work.board import Outcome

from . import lookups
from .answer import Answer, nothing
from .call import Call
from .refusal import Refusal

#: A session-wide poll is held no longer than this, whatever the client asks for.
MAX_TIMEOUT_S = 40.0


async def retrieve_future(service: Service, call: Call) -> Answer:
    """Wait for one promise."""
    request_id = call.text("request_id")
    outcome = await service.board.outcome(request_id, service.options.poll_hold_s)
    if outcome.state == "done":
        return Answer(outcome.result)
    if outcome.state == "pending":
        return _pending(service, request_id, outcome)
    if outcome.state == "unknown":
        raise Refusal(404, f"unknown promise {request_id!r}", field=("request_id",))
    if outcome.state == "failed":
        return _failed(service, request_id, outcome)
    reason = "was cancelled" if outcome.state == "cancelled" else "has expired: its result was dropped"
    raise Refusal(410, f"promise {request_id} {reason}", field=("request_id",), kind=outcome.state)


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
    """Wait for the next completions of a sampler."""
    sampler_id = str(call.body["target"]["sampling_session_id"])
    lookups.sampler(service, sampler_id)
    after = int(min(call.whole("prev_cursor") or 0, 2**53))
    asked = call.body.get("timeout")
    hold_s = service.options.poll_hold_s if asked is None else min(float(asked), MAX_TIMEOUT_S)
    hold_s = 0.0 if service.options.imitate.unheld_polls else hold_s
    completions = await service.board.completions(f"sample:{sampler_id}", after, hold_s)
    return Answer(
        {
            "completions": [
                {"state": "finished" if state == "done" else "failed", "request_id": request_id}
                for request_id, state in completions
            ],
            "cursor": after + len(completions),
        }
    )


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
