"""Samplers made, described and joined; and sample requests."""

import asyncio
from typing import TYPE_CHECKING

from tinsmith_local.service import Service
from tinsmith_local.store import SamplerRow

from . import lookups, requests
from .answer import Answer
from .call import THREAD_BYTES, Call
from .refusal import Refusal
from .standing import promise, stand

if TYPE_CHECKING:
    from tinsmith_local.work.operations import Draw


async def create_sampling_session(service: Service, call: Call) -> Answer:
    """Make a sampler on a base model or a checkpoint."""
    session = lookups.session(service, call.text("session_id"))
    number = call.whole("sampling_session_seq_id")
    sampler_id = f"{session.session_id}:sample:{number}"
    model_path: str | None = None
    if call.body.get("model_path") is not None:
        found = await lookups.made_checkpoint(service, call.text("model_path"), "model_path")
        base_model, model_path = found.base_model, found.tinker_path
    else:
        base_model = lookups.base_model(service, call.text("base_model"))
        lookups.config(service, base_model)
    known = service.sessions.sampler(sampler_id)
    if known is None:
        now = service.clock()
        service.sessions.add_sampler(
            SamplerRow(
                sampler_id=sampler_id,
                session_id=session.session_id,
                seq=number,
                base_model=base_model,
                model_path=model_path,
                ephemeral=False,
                size_bytes=0,
                digest=call.digest,
                created_at=now,
                last_used=now,
                status="ready",
            )
        )
    elif known.digest != call.digest:
        raise Refusal(
            409, f"sampler {sampler_id} was made by another request", field=("sampling_session_seq_id",)
        )
    status = 201 if service.options.imitate.status_codes else 200
    return Answer({"type": "create_sampling_session", "sampling_session_id": sampler_id}, status)


async def join_sampling_session(service: Service, call: Call) -> Answer:
    """Give one more client of a sampler a range of numbers of its own."""
    found = lookups.sampler(service, call.text("sampling_session_id"))
    return Answer({"client_counter": service.sessions.join(found.sampler_id)})


async def get_sampler(service: Service, call: Call) -> Answer:
    """Describe a sampler."""
    found = service.sessions.sampler(str(call.parameters["sampler_id"]))
    if found is None:
        raise Refusal(404, f"unknown sampler {call.parameters['sampler_id']!r}")
    return Answer(
        {"sampler_id": found.sampler_id, "base_model": found.base_model, "model_path": found.model_path}
    )


async def asample(service: Service, call: Call) -> Answer:
    """Sample."""
    if service.floor.load >= service.options.max_queued_samples:
        raise Refusal(429, "too many samples wait", headers={"Retry-After": "1"}, kind="queue_full")
    seq = call.whole("seq_id")
    sampler_id = call.body.get("sampling_session_id")
    if call.body.get("model_path") is not None:
        await lookups.made_checkpoint(service, call.text("model_path"), "model_path")
    if len(call.raw) > THREAD_BYTES:
        draw = await asyncio.to_thread(requests.draw, service, call.body)
    else:
        draw = requests.draw(service, call.body)
    work: Draw = draw
    row = await stand(
        service,
        call,
        f"sample:{sampler_id}" if sampler_id is not None else "",
        seq if sampler_id is not None else None,
        lambda _: (work, None),
        ordered=False,
    )
    if sampler_id is not None:
        service.note_use(str(sampler_id), lambda now: service.sessions.used(str(sampler_id), now))
    names = [f"{row.request_id}:{index}" for index in range(work.job.num_samples)]
    return promise(service, row, sample_sequence_ids=names)
