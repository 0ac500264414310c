"""forward, forward_backward and optim_step."""

import asyncio

from tinsmith_local.service import Service
from tinsmith_local.work.operations import Dimuon, Operation

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
    run = lookups.run(service, call.text("model_id"))
    step = requests.step(call.body, run.model_id)
    kind, field = ("dimuon", "optimizer_params") if isinstance(step, Dimuon) else ("adamw", "adam_params")
    if run.optimizer != kind:
        raise Refusal(400, f"the model was made for {run.optimizer}, this step is {kind}'s", field=(field,))
    return await train(service, call, step)


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
