"""Accepted bodies as work: the one decoder of requests, used when they arrive and again after a restart."""

import math
from collections.abc import Mapping
from typing import Any

from tinsmith_local.service import Service
from tinsmith_local.store import PromiseRow
from tinsmith_local.work.operations import (
    Adam,
    Batch,
    CreateModel,
    Dimuon,
    Draw,
    Load,
    Operation,
    Save,
    SaveEphemeral,
    Unload,
)

from . import lookups
from .call import decode_journalled
from .contract import Contract
from .examples import decode_batch
from .prompts import decode_draw
from .refusal import Refusal

_DIMUON = ("learning_rate", "beta1", "grad_clip_norm")
_KINDS = {
    "save_weights": "weights",
    "save_weights_for_sampler": "sampler_weights",
    "save_weights_external": "external_weights",
}


class BodyReader:
    """Decodes journalled bodies after a restart."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract

    def operation(self, service: Service, row: PromiseRow, body: bytes) -> Operation | Draw:
        """Decode one accepted request."""
        checked = decode_journalled(self._contract, row.op, body)
        if row.op == "asample":
            return draw(service, checked)
        assert row.model_id is not None
        if row.op in {"forward", "forward_backward"}:
            return batch(service, row.op, checked)
        return operation(row.op, checked, row.model_id, row.seq)


def operation(op: str, body: Mapping[str, Any], model_id: str, seq: int | None) -> Operation:
    """Decode what needs nothing but the body."""
    if op == "create_model":
        return CreateModel(model_id=model_id)
    if op == "optim_step":
        return step(body, model_id)
    if op == "unload_model":
        return Unload(model_id=model_id)
    if op == "load_weights":
        path = lookups.full_path(str(body["path"]))
        creates = body.get("model_id") is None
        return Load(model_id=model_id, tinker_path=path, optimizer=bool(body["optimizer"]), creates=creates)
    if op == "save_weights_for_sampler" and body.get("sampling_session_seq_id") is not None:
        number = int(body["sampling_session_seq_id"])
        sampler_id = f"{model_id.partition(':train:')[0]}:sample:{number}"
        return SaveEphemeral(model_id=model_id, sampler_id=sampler_id, seq=number)
    name = str(body.get("path") or f"{seq or 0:06d}")
    return Save(model_id=model_id, tinker_path=f"tinker://{model_id}/{_KINDS[op]}/{name}", op=op)


def step(body: Mapping[str, Any], model_id: str) -> Adam | Dimuon:
    """Decode an optimizer step. Refuses optimizers that the engine does not have."""
    other = body.get("optimizer_params")
    if other is None:
        return Adam(model_id=model_id, **_numbers(body.get("adam_params") or {}, "adam_params"))
    if other["type"] != "dimuon":
        reason = f"optimizer {other['type']!r} is not offered here; dimuon is"
        raise Refusal(400, reason, field=("optimizer_params", "type"))
    given = {name: value for name, value in other.items() if name in _DIMUON}
    if "learning_rate" not in given:
        raise Refusal(400, "is required", field=("optimizer_params", "learning_rate"), kind="missing")
    return Dimuon(model_id=model_id, **_numbers(given, "optimizer_params"))


def _numbers(given: Mapping[str, Any], where: str) -> dict[str, float]:
    """Read settings. Refuses what is not finite."""
    for name, value in given.items():
        if not math.isfinite(value):
            raise Refusal(400, "is not finite", field=(where, name))
    return {name: float(value) for name, value in given.items()}


def batch(service: Service, op: str, body: Mapping[str, Any]) -> Batch:
    """Decode the input of forward or forward_backward."""
    config = lookups.config(service, lookups.run(service, str(body["model_id"])).base_model)
    return decode_batch(body, f"{op}_input", config, service.files.assets, backward=op == "forward_backward")


def draw(service: Service, body: Mapping[str, Any]) -> Draw:
    """Decode a sample request and find what it samples from."""
    directory: str | None = None
    if body.get("sampling_session_id") is not None:
        found = lookups.sampler(service, str(body["sampling_session_id"]))
        base_model, directory = found.base_model, lookups.sampler_directory(service, found)
    elif body.get("model_path") is not None:
        row = lookups.checkpoint(service, str(body["model_path"]), "model_path")
        base_model, directory = row.base_model, row.directory
    else:
        base_model = lookups.base_model(service, str(body["base_model"]))
    return decode_draw(body, lookups.source(service, base_model), directory, service.files.assets)
