"""forward, forward_backward and optim_step."""

import asyncio
import math

from tinsmith.local.service import Service
from tinsmith.local.work.operations import Operation

from . import lookups, requests
from .answer import Answer
from .call import THREAD_BYTES, Call
from .refusal import Refusal
from .standing import promise, stand


async def forward(service: Service, call: Call) -> Answer:
    """Compute a loss."""
    return await _batch(service, call)


async def forward_backward(service: Service, call: Call) -> Answer:
    """Compute a loss and add its gradients."""
    return await _batch(service, call)


async def optim_step(service: Service, call: Call) -> Answer:
    """Take one optimizer step."""
    given = call.body.get("adam_params") or {}
    for name, value in given.items():
        if not math.isfinite(value):
            raise Refusal(400, "is not finite", field=("adam_params", name))
    return await train(service, call, requests.adam(call.body, call.text("model_id")))


async def _batch(service: Service, call: Call) -> Answer:
    """Decode the examples, off the loop when there are many."""
    if len(call.raw) > THREAD_BYTES:
        operation = await asyncio.to_thread(requests.batch, service, call.operation, call.body)
    else:
        operation = requests.batch(service, call.operation, call.body)
    return await train(service, call, operation)


async def train(service: Service, call: Call, operation: Operation) -> Answer:
    """Put a training request in its model's line."""
    run = lookups.run(service, operation.model_id)
    leave_room(service)
    row = await stand(
        service,
        call,
        f"train:{run.model_id}",
        call.whole("seq_id"),
        lambda _: (operation, None),
        model_id=run.model_id,
    )
    service.note_use(run.model_id, lambda now: service.runs.touched(run.model_id, now))
    return promise(service, row)


def leave_room(service: Service) -> None:
    """Refuse with 429 while too much waits to be applied."""
    if service.trainer.waiting_bytes > service.options.max_queued_bytes:
        raise Refusal(429, "too much waits to be applied", headers={"Retry-After": "1"}, kind="queue_full")
