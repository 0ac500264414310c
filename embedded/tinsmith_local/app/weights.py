"""Saving and loading weights, and what a checkpoint is made of."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import attrs
from tinsmith_api import models

from tinsmith_local.app.adapter_files import AdapterFolders
from tinsmith_local.app.answers import Refusal
from tinsmith_local.app.lookups import Lookups, full_path
from tinsmith_local.app.requests import operation
from tinsmith_local.app.training import ModelQueue, chosen_optimizer, metadata, optimizer_config
from tinsmith_local.store.checkpoint_table import AnswerTable, CheckpointRow, CheckpointTable
from tinsmith_local.store.data_dir import file_name
from tinsmith_local.store.database import insert_row
from tinsmith_local.store.session_table import SamplerTable
from tinsmith_local.work.checkpoint_files import CheckpointFiles
from tinsmith_local.work.operations import Load, Save, SaveEphemeral

if TYPE_CHECKING:
    from tinsmith_local.app.call import Call
    from tinsmith_local.store.promise_table import Also
    from tinsmith_local.store.run_table import RunRow


@attrs.frozen(kw_only=True, eq=False)
class WeightEndpoints:
    """Serves saving, loading and copying."""

    _lookups: Lookups
    _queue: ModelQueue
    _folders: AdapterFolders
    _checkpoints: CheckpointTable
    _checkpoint_files: CheckpointFiles
    _samplers: SamplerTable
    _answers: AnswerTable
    _clock: Callable[[], float]

    async def save_weights(self, call: Call) -> models.UntypedAPIFuture:
        """Save a checkpoint to continue training from."""
        return await self._save(call)

    async def save_weights_external(self, call: Call) -> models.UntypedAPIFuture:
        """Save a checkpoint whose files can be fetched one by one."""
        if call.body.get("age_encryption_recipients"):
            raise Refusal(400, "encryption is not offered here", field=("age_encryption_recipients",))
        return await self._save(call)

    async def save_weights_for_sampler(self, call: Call) -> models.UntypedAPIFuture:
        """Save a checkpoint to sample from, with a name or for one sampler."""
        field = "sampling_session_seq_id"
        if call.whole(field) is None:
            return await self._save(call)
        if call.body.get("path") is not None:
            raise Refusal(400, "give either path or sampling_session_seq_id", field=(field,))
        run = self._lookups.run(call.text("model_id"))
        wanted = operation(call.operation, call.body, run.model_id, None)
        assert isinstance(wanted, SaveEphemeral)
        self._lookups.session(run.session_id)

        def build(_: int | None) -> tuple[SaveEphemeral, None]:
            if self._samplers.find(wanted.sampler_id) is not None:
                raise Refusal(409, f"sampler {wanted.sampler_id} exists", field=(field,))
            return wanted, None

        return await self._queue.put(call, run, build)

    async def _save(self, call: Call) -> models.UntypedAPIFuture:
        """Put a save in its model's queue; its name is taken when the request is accepted."""
        run = self._lookups.run(call.text("model_id"))
        ttl = call.whole("ttl_seconds")

        def build(seq: int | None) -> tuple[Save, Also]:
            wanted = operation(call.operation, call.body, run.model_id, seq)
            assert isinstance(wanted, Save)
            row = self._row(call, run, wanted, ttl)
            return wanted, lambda connection: insert_row(connection, row, replace=True)

        return await self._queue.put(call, run, build)

    def _row(self, call: Call, run: RunRow, wanted: Save, ttl: int | None) -> CheckpointRow:
        """Describe the checkpoint to be made. Refuses a name that is taken."""
        _, kind, name = wanted.tinker_path.removeprefix("tinker://").split("/")
        taken = self._checkpoints.find(wanted.tinker_path)
        if taken is not None and taken.state != "failed" and not call.body.get("overwrite"):
            reason = f"checkpoint {wanted.tinker_path} exists; overwrite replaces it"
            raise Refusal(400, reason, field=("path",), kind="exists")
        now = self._clock()
        return CheckpointRow(
            tinker_path=wanted.tinker_path,
            run_id=run.model_id,
            kind=kind,
            name=name,
            state="making",
            created_at=now,
            expires_at=None if ttl is None else now + ttl,
            user_metadata=metadata(call),
            directory=_directory(run.model_id, kind, name),
            **run.columns(),
        )

    async def load_weights(self, call: Call) -> models.UntypedAPIFuture:
        """Load a checkpoint into a model, or into a new one."""
        found = await self._folders.checkpoint(call.text("path"))
        if call.body["optimizer"] and found.kind == "sampler_weights":
            raise Refusal(400, "a sampler's checkpoint has no optimizer state", field=("path",))
        if call.body.get("model_id") is None:
            return await self._create_by_load(call, found)
        run = self._lookups.run(call.text("model_id"))
        _fit(run, found)
        _fit_optimizer(run.optimizer, found, call)
        wanted = operation(call.operation, call.body, run.model_id, call.whole("seq_id"))
        return await self._queue.train(call, wanted)

    async def _create_by_load(self, call: Call, found: CheckpointRow) -> models.UntypedAPIFuture:
        """Make a model in the shape of a checkpoint and load it."""
        session = self._lookups.session(call.text("session_id"))
        optimizer = chosen_optimizer(call) or found.optimizer
        _fit_optimizer(optimizer, found, call)
        self._queue.leave_room()
        base = call.body.get("base_model")
        if base is not None and self._lookups.base_model(str(base)) != found.base_model:
            raise Refusal(400, f"the checkpoint was made on {found.base_model}", field=("base_model",))
        path, with_state = full_path(call.text("path")), bool(call.body["optimizer"])
        return await self._queue.create(
            call,
            session.session_id,
            lambda model_id: Load(model_id=model_id, tinker_path=path, optimizer=with_state, creates=True),
            attrs.evolve(found, optimizer=optimizer),
            seed=0,
        )

    async def weights_info(self, call: Call) -> models.WeightsInfoResponse:
        """Describe a checkpoint: its base model, its rank, what it trains."""
        found = await self._folders.checkpoint(call.text("tinker_path"), "tinker_path")
        return models.WeightsInfoResponse(
            base_model=found.base_model,
            is_lora=True,
            lora_rank=found.rank,
            train_unembed=found.train_unembed,
            train_mlp=found.train_mlp,
            train_attn=found.train_attn,
            optimizer_config=optimizer_config(found.optimizer),
        )

    async def copy_weights(self, call: Call) -> models.CopyWeightsResponse:
        """Copy a checkpoint into another run."""
        found = await self._lookups.made_checkpoint(call.text("source_path"), "source_path")
        key = str(call.parameters.get("X-Idempotency-Key") or "")
        known = self._answers.find(key, call.digest) if key else None
        if known is not None:
            return models.CopyWeightsResponse(tinker_path=known)
        row = self._copied(call, found)
        exists = Refusal(409, f"{row.tinker_path} exists", field=("source_path",))
        if self._checkpoints.find(row.tinker_path) is not None:
            raise exists
        try:
            await self._checkpoint_files.copy(found, row, key, call.digest)
        except FileExistsError as error:
            if not key or self._answers.find(key, call.digest) is None:
                raise exists from error
        except FileNotFoundError as error:
            gone = f"checkpoint not found: {found.tinker_path}; it was deleted meanwhile"
            raise Refusal(404, gone, field=("source_path",)) from error
        return models.CopyWeightsResponse(tinker_path=row.tinker_path)

    def _copied(self, call: Call, found: CheckpointRow) -> CheckpointRow:
        """Describe the copy of a checkpoint."""
        run_id = self._destination(call, found)
        ttl, now = call.whole("ttl_seconds"), self._clock()
        return attrs.evolve(
            found,
            tinker_path=f"tinker://{run_id}/{found.kind}/{found.name}",
            run_id=run_id,
            directory=_directory(run_id, found.kind, found.name),
            created_at=now,
            public=False,
            expires_at=None if ttl is None else now + ttl,
        )

    def _destination(self, call: Call, found: CheckpointRow) -> str:
        """Return the run that a copy goes to: one of that session, or a run of the project alone."""
        if call.body.get("session_id") is not None:
            session = self._lookups.session(call.text("session_id"))
            return f"{session.session_id}:train:{call.whole('model_seq_id')}"
        project = re.sub(r"[^A-Za-z0-9_-]", "_", call.text("destination_project_id"))[:64]
        return f"project-{project}:copy:{file_name(found.run_id)}"


def _directory(run_id: str, kind: str, name: str) -> str:
    """Return where a checkpoint lies below the data directory."""
    return f"checkpoints/{file_name(run_id)}/{kind}/{name}"


def _fit(run: RunRow, found: CheckpointRow) -> None:
    """Refuse a checkpoint of another shape."""
    for name, ours in run.columns().items():
        theirs = getattr(found, name)
        if name != "optimizer" and ours != theirs:
            raise Refusal(400, f"the checkpoint has {name} {theirs}, the model {ours}", field=("path",))


def _fit_optimizer(optimizer: str, found: CheckpointRow, call: Call) -> None:
    """Refuse the state of another optimizer."""
    if call.body["optimizer"] and optimizer != found.optimizer:
        reason = f"the checkpoint has the state of {found.optimizer}, the model is made for {optimizer}"
        raise Refusal(400, reason, field=("optimizer",))
