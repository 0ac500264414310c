"""Accepted bodies as work: the one decoder of requests, used when they arrive and again after a restart."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import attrs
from tinsmith_api import models
from tinsmith_api.conversion import from_json
from tinsmith_api.errors import InvalidBody

from tinsmith_local.app.answers import Refusal
from tinsmith_local.app.call import decode_journalled
from tinsmith_local.app.contract import Contract
from tinsmith_local.app.datums import decode_batch
from tinsmith_local.app.lookups import Lookups, full_path
from tinsmith_local.app.sample_requests import decode_sample_request
from tinsmith_local.work.operations import (
    Batch,
    CreateModel,
    Load,
    SampleRequest,
    Save,
    SaveEphemeral,
    Step,
    TrainingRequest,
    Unload,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tinsmith_local.store.promise_table import PromiseRow

T = TypeVar("T")

_KINDS = {
    "save_weights": "weights",
    "save_weights_for_sampler": "sampler_weights",
    "save_weights_external": "external_weights",
}


@attrs.frozen(kw_only=True, eq=False)
class RequestDecoder:
    """Decodes the requests that name a model or a sampler, and journalled ones of any kind."""

    _contract: Contract
    _lookups: Lookups
    _assets: Path

    def journalled(self, row: PromiseRow, body: bytes) -> TrainingRequest | SampleRequest:
        """Decode a request that was accepted before."""
        checked = decode_journalled(self._contract, row.op, body)
        if row.op == "asample":
            return self.sample(checked)
        return self._training(row, checked)

    def training(self, row: PromiseRow, body: bytes) -> TrainingRequest:
        """Decode a training request that was accepted before."""
        return self._training(row, decode_journalled(self._contract, row.op, body))

    def _training(self, row: PromiseRow, checked: Mapping[str, Any]) -> TrainingRequest:
        assert row.model_id is not None
        if row.op in {"forward", "forward_backward"}:
            return self.batch(row.op, checked)
        return operation(row.op, checked, row.model_id, row.seq)

    def batch(self, op: str, body: Mapping[str, Any]) -> Batch:
        """Decode the input of forward or forward_backward."""
        config = self._lookups.config(self._lookups.run(str(body["model_id"])).base_model)
        return decode_batch(body, f"{op}_input", config, self._assets, backward=op == "forward_backward")

    def sample(self, body: Mapping[str, Any]) -> SampleRequest:
        """Decode a sample request and find what it samples from."""
        directory: str | None = None
        if body.get("sampling_session_id") is not None:
            found = self._lookups.sampler(str(body["sampling_session_id"]))
            base_model, directory = found.base_model, self._lookups.sampler_directory(found)
        elif body.get("model_path") is not None:
            row = self._lookups.checkpoint(str(body["model_path"]), "model_path")
            base_model, directory = row.base_model, row.directory
        else:
            base_model = self._lookups.base_model(str(body["base_model"]))
        return decode_sample_request(body, self._lookups.source(base_model), directory, self._assets)


def operation(op: str, body: Mapping[str, Any], model_id: str, seq: int | None) -> TrainingRequest:
    """Decode what needs nothing but the body."""
    if op == "create_model":
        return CreateModel(model_id=model_id)
    if op == "optim_step":
        return step(body, model_id)
    if op == "unload_model":
        return Unload(model_id=model_id)
    if op == "load_weights":
        path = full_path(str(body["path"]))
        creates = body.get("model_id") is None
        return Load(model_id=model_id, tinker_path=path, optimizer=bool(body["optimizer"]), creates=creates)
    if op == "save_weights_for_sampler" and body.get("sampling_session_seq_id") is not None:
        number = int(body["sampling_session_seq_id"])
        sampler_id = f"{model_id.partition(':train:')[0]}:sample:{number}"
        return SaveEphemeral(model_id=model_id, sampler_id=sampler_id, seq=number)
    name = str(body.get("path") or f"{seq or 0:06d}")
    return Save(model_id=model_id, tinker_path=f"tinker://{model_id}/{_KINDS[op]}/{name}", op=op)


def step(body: Mapping[str, Any], model_id: str) -> Step:
    """Decode an optimizer step. Refuses optimizers that the engine does not have."""
    other = body.get("optimizer_params")
    if other is None:
        adam = _settings(models.AdamParams, body.get("adam_params") or {}, "adam_params")
        return Step(model_id=model_id, params=adam)
    if other["type"] != "dimuon":
        reason = f"optimizer {other['type']!r} is not offered here; dimuon is"
        raise Refusal(400, reason, field=("optimizer_params", "type"))
    return Step(model_id=model_id, params=_settings(models.DimuonParams, other, "optimizer_params"))


def _settings(kind: type[T], given: Mapping[str, Any], where: str) -> T:
    """Read the settings of an optimizer. Refuses what is missing or not finite."""
    try:
        return from_json(kind, given)
    except InvalidBody as error:
        field = (where, error.field) if error.field else (where,)
        raise Refusal(400, error.problem, field=field) from error
