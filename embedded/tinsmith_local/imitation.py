"""What the service does otherwise when it imitates another server: the quirks of `serve --imitate`.

The service's own rules know nothing of it. `Imitation` (in `options`) says which quirks are wanted; here are
other waits, another rule for numbers, another wording of errors, and wrappers around the operations that
answer otherwise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import orjson
from tinsmith_api import models

from tinsmith_local.app.answers import Answer, Refusal, Reply
from tinsmith_local.options import Imitation, ServeOptions
from tinsmith_local.work.sequencer import Decide, Decision, decide

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tinsmith_local.app.build import Endpoint
    from tinsmith_local.app.call import Call


def adjusted(options: ServeOptions) -> ServeOptions:
    """Return options with the waits of the server that is imitated."""
    if options.imitate.unheld_polls:
        options = attrs.evolve(options, hold_s=0.0, session_hold_s=0.0)
    if options.imitate.making_425:
        options = attrs.evolve(options, making_wait_s=0.0)
    return options


def sequence_rule(imitate: Imitation) -> Decide:
    """Return the rule for numbers."""

    def decide_otherwise(*, seq: int, last: int, same: bool | None, ordered: bool) -> Decision:
        if imitate.no_deduplication:
            same = None
        elif same is not None and (imitate.duplicates_409 or imitate.exact_next):
            return "refused"
        own = decide(seq=seq, last=last, same=same, ordered=ordered)
        if same is not None or own == "accept":
            return own
        if imitate.arrival_order:
            return "accept"
        if imitate.exact_next:
            return "not-next"
        # Below the last number: where repetitions are not recognised, it is applied again.
        return "accept" if own == "conflict" and imitate.no_deduplication else own

    return decide_otherwise


def wording(imitate: Imitation) -> Callable[[Refusal], Answer]:
    """Return what makes answers of errors."""
    return {"native": Refusal.answer, "text": _as_text, "list": _as_list}[imitate.detail]


def _as_text(refusal: Refusal) -> Answer:
    """Answer an error as one text."""
    return Answer(orjson.dumps({"detail": refusal.text, **refusal.more}), refusal.status, refusal.headers)


def _as_list(refusal: Refusal) -> Answer:
    """Answer an error as FastAPI does."""
    found = {"type": refusal.kind, "loc": ["body", *refusal.field], "msg": refusal.short_message}
    return Answer(orjson.dumps({"detail": [found]}), refusal.status, refusal.headers)


def imitating(endpoints: Mapping[str, Endpoint], imitate: Imitation) -> Mapping[str, Endpoint]:
    """Return endpoints that answer as the server that is imitated."""
    if imitate == Imitation():
        return endpoints
    return {name: _wrapped(name, endpoint, imitate) for name, endpoint in endpoints.items()}


def _wrapped(name: str, endpoint: Endpoint, imitate: Imitation) -> Endpoint:
    async def serve(call: Call) -> Reply:
        if name == "load_weights" and imitate.load_first_only:
            _refuse_late_load(call)
        reply = await endpoint(call)
        if name == "retrieve_future":
            reply = _polled(reply, imitate)
        return _with_status(reply) if imitate.status_codes else reply

    return serve


def _refuse_late_load(call: Call) -> None:
    """Refuse a load that is not the first request of its model."""
    seq = call.whole("seq_id")
    if call.body.get("model_id") is not None and seq is not None and seq > 1:
        raise Refusal(400, f"LoadWeights is not permitted with seq_id {seq}", field=("seq_id",))


def _with_status(reply: Reply) -> Reply:
    """Give an answer the status of its kind."""
    if isinstance(reply, models.CreateSessionResponse | models.CreateSamplingSessionResponse):
        return Answer(reply, 201)
    if isinstance(reply, models.UntypedAPIFuture):
        return Answer(reply, 202)
    return None if isinstance(reply, models.SessionHeartbeatResponse) else reply


def _polled(reply: Reply, imitate: Imitation) -> Reply:
    """Answer a poll otherwise."""
    if isinstance(reply, models.RequestFailedResponse) and imitate.failure_status != 200:
        raise Refusal(imitate.failure_status, str(reply.error), kind="request_failed")
    if isinstance(reply, Answer) and reply.status == 408 and imitate.try_again:
        return attrs.evolve(reply, status=200)
    return reply


def reshaping(imitate: Imitation) -> Callable[[bytes], bytes]:
    """Return how kept results, which are JSON, are changed before they are sent."""
    if not (imitate.short_prompt_logprobs or imitate.two_segment_paths):
        return lambda result: result

    def reshape(result: bytes) -> bytes:
        fields = orjson.loads(result)
        prompt = fields.get("prompt_logprobs")
        if prompt and imitate.short_prompt_logprobs:
            fields["prompt_logprobs"] = prompt[1:]
        is_save = fields.get("type") == "save_weights_for_sampler" and fields.get("path")
        if is_save and imitate.two_segment_paths:
            fields["path"] = fields["path"].replace("/sampler_weights/", "/")
        return orjson.dumps(fields)

    return reshape
