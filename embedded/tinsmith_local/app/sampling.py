"""Samplers made, described and joined; and sample requests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import TYPE_CHECKING

import attrs
from tinsmith_api import models

from tinsmith_local.app.admission import Admission, too_much
from tinsmith_local.app.answers import Events, Refusal
from tinsmith_local.app.call import THREAD_BYTES, Call
from tinsmith_local.app.lookups import Lookups
from tinsmith_local.app.requests import RequestDecoder
from tinsmith_local.store.session_table import SamplerRow, SamplerTable
from tinsmith_local.work import results
from tinsmith_local.work.lifetimes import LastUse
from tinsmith_local.work.sampling_engine import SamplingEngine

if TYPE_CHECKING:
    from tinsmith_local.work.operations import SampleRequest
    from tinsmith_local.work.sample_receivers import StreamNews

KEEP_ALIVE_S = 10.0
"""A stream without news for so long gets a line that says nothing, so that no proxy takes it for dead."""


@attrs.frozen(kw_only=True, eq=False)
class SamplingEndpoints:
    """Serves samplers and samples."""

    _lookups: Lookups
    _admission: Admission
    _decoder: RequestDecoder
    _samplers: SamplerTable
    _sampling: SamplingEngine
    _last_use: LastUse
    _clock: Callable[[], float]
    _max_queued_samples: int

    async def create_sampling_session(self, call: Call) -> models.CreateSamplingSessionResponse:
        """Make a sampler on a base model or a checkpoint."""
        session = self._lookups.session(call.text("session_id"))
        number = call.whole("sampling_session_seq_id")
        sampler_id = f"{session.session_id}:sample:{number}"
        model_path: str | None = None
        if call.body.get("model_path") is not None:
            found = await self._lookups.made_checkpoint(call.text("model_path"), "model_path")
            base_model, model_path = found.base_model, found.tinker_path
        else:
            base_model = self._lookups.base_model(call.text("base_model"))
            self._lookups.config(base_model)
        known = self._samplers.find(sampler_id)
        if known is None:
            now = self._clock()
            self._samplers.add(
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
            reason = f"sampler {sampler_id} was made by another request"
            raise Refusal(409, reason, field=("sampling_session_seq_id",))
        return models.CreateSamplingSessionResponse(sampling_session_id=sampler_id)

    async def join_sampling_session(self, call: Call) -> models.JoinSamplingSessionResponse:
        """Give one more client of a sampler a range of numbers of its own."""
        found = self._lookups.sampler(call.text("sampling_session_id"))
        return models.JoinSamplingSessionResponse(client_counter=self._samplers.join(found.sampler_id))

    async def get_sampler(self, call: Call) -> models.GetSamplerResponse:
        """Describe a sampler."""
        found = self._samplers.find(str(call.parameters["sampler_id"]))
        if found is None:
            raise Refusal(404, f"unknown sampler {call.parameters['sampler_id']!r}")
        return models.GetSamplerResponse(
            sampler_id=found.sampler_id, base_model=found.base_model, model_path=found.model_path
        )

    async def asample(self, call: Call) -> models.UntypedAPIFuture:
        """Sample."""
        request = await self._request(call)
        seq = call.whole("seq_id")
        sampler_id = call.body.get("sampling_session_id")
        promise = await self._admission.admit(
            call,
            f"sample:{sampler_id}" if sampler_id is not None else "",
            seq if sampler_id is not None else None,
            lambda _: (request, None),
            ordered=False,
        )
        self._note_use(sampler_id)
        names = [f"{promise.request_id}:{index}" for index in range(request.job.num_samples)]
        return attrs.evolve(promise, sample_sequence_ids=names)

    async def stream_sample(self, call: Call) -> Events:
        """Sample once, and hand on the tokens as they are drawn."""
        request = await self._request(call)
        sampler_id = call.body.get("sampling_session_id")
        self._note_use(sampler_id)
        return Events(self._events(request, "" if sampler_id is None else f"sample:{sampler_id}"))

    async def _events(self, request: SampleRequest, scope: str) -> AsyncGenerator[bytes]:
        """Write a stream's events; its place in the engine is freed when the client is gone."""
        stream = self._sampling.stream(request, scope)
        try:
            news = None
            while news is None or news.end is None:
                news = await stream.news(KEEP_ALIVE_S)
                yield b": still at work\n\n" if news is None else _written(news)
        except results.NotFiniteError as error:
            yield _event(results.failed(str(error), "user"), "error")
        finally:
            self._sampling.left(stream)

    async def _request(self, call: Call) -> SampleRequest:
        """Decode a sample request, if there is room for it."""
        if self._sampling.load >= self._max_queued_samples:
            raise too_much("too many samples wait")
        if call.body.get("model_path") is not None:
            await self._lookups.made_checkpoint(call.text("model_path"), "model_path")
        if len(call.raw) > THREAD_BYTES:
            return await asyncio.to_thread(self._decoder.sample, call.body)
        return self._decoder.sample(call.body)

    def _note_use(self, sampler_id: str | None) -> None:
        if sampler_id is not None:
            self._last_use.note(sampler_id, lambda now: self._samplers.update(sampler_id, last_used=now))


def _written(news: StreamNews) -> bytes:
    """Write what came of a sample: a piece, and an error where it ended with one."""
    end = news.end
    failed = (
        b"" if end is None or end.stop_reason else _event(results.failed(end.error, end.category), "error")
    )
    if not news.drawn and failed:
        return failed
    return _event(results.piece(news.drawn, None if end is None else end.stop_reason)) + failed


def _event(data: bytes, name: str = "") -> bytes:
    """Write one server-sent event; JSON has no line breaks."""
    return (f"event: {name}\n".encode() if name else b"") + b"data: " + data + b"\n\n"
