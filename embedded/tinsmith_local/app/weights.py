"""Saving and loading weights, and what a checkpoint is made of."""

import re

import attrs

from tinsmith_local.service import Service
from tinsmith_local.store import CheckpointRow, RunRow
from tinsmith_local.store.checkpoints import insert_checkpoint
from tinsmith_local.store.files import file_name
from tinsmith_local.store.runs import insert_run
from tinsmith_local.work.operations import Load, Save, SaveEphemeral

from . import lookups, models, requests
from .adapter_files import restorable
from .answer import Answer
from .call import Call
from .refusal import Refusal
from .standing import promise, stand
from .training import leave_room, train


async def save_weights(service: Service, call: Call) -> Answer:
    """Save a checkpoint to continue training from."""
    return await _save(service, call)


async def save_weights_external(service: Service, call: Call) -> Answer:
    """Save a checkpoint whose files can be fetched one by one."""
    if call.body.get("age_encryption_recipients"):
        raise Refusal(400, "encryption is not offered here", field=("age_encryption_recipients",))
    return await _save(service, call)


async def save_weights_for_sampler(service: Service, call: Call) -> Answer:
    """Save a checkpoint to sample from, with a name or for one sampler."""
    body = call.body
    if body.get("path") is None and body.get("sampling_session_seq_id") is not None:
        run = lookups.run(service, call.text("model_id"))
        call.whole("sampling_session_seq_id")
        operation = requests.operation(call.operation, body, run.model_id, None)
        assert isinstance(operation, SaveEphemeral)
        lookups.session(service, run.session_id)
        row = await stand(
            service,
            call,
            f"train:{run.model_id}",
            call.whole("seq_id"),
            lambda _: (_free_sampler(service, operation), None),
            model_id=run.model_id,
        )
        return promise(service, row)
    if body.get("sampling_session_seq_id") is not None:
        raise Refusal(400, "give either path or sampling_session_seq_id", field=("sampling_session_seq_id",))
    return await _save(service, call)


def _free_sampler(service: Service, operation: SaveEphemeral) -> SaveEphemeral:
    """Refuse a sampler's number that is taken."""
    if service.sessions.sampler(operation.sampler_id) is not None:
        raise Refusal(409, f"sampler {operation.sampler_id} exists", field=("sampling_session_seq_id",))
    return operation


async def _save(service: Service, call: Call) -> Answer:
    """Put a save in its model's line; its name is taken when its turn comes."""
    run = lookups.run(service, call.text("model_id"))
    ttl = call.whole("ttl_seconds")

    def build(seq: int | None) -> "tuple[Save, object]":
        operation = requests.operation(call.operation, call.body, run.model_id, seq)
        assert isinstance(operation, Save)
        row = _row(service, call, run, operation, ttl)
        return operation, lambda connection: insert_checkpoint(connection, row)

    row = await stand(
        service,
        call,
        f"train:{run.model_id}",
        call.whole("seq_id"),
        build,  # type: ignore[arg-type]
        model_id=run.model_id,
    )
    service.note_use(run.model_id, lambda now: service.runs.touched(run.model_id, now))
    return promise(service, row)


def _row(service: Service, call: Call, run: RunRow, operation: Save, ttl: int | None) -> CheckpointRow:
    """Describe the checkpoint to be made. Refuses a name that is taken."""
    _, kind, name = operation.tinker_path.removeprefix("tinker://").split("/")
    taken = service.checkpoints.find(operation.tinker_path)
    if taken is not None and taken.state != "failed" and not call.body.get("overwrite"):
        raise Refusal(
            400,
            f"checkpoint {operation.tinker_path} exists; overwrite replaces it",
            field=("path",),
            kind="exists",
        )
    now = service.clock()
    return CheckpointRow(
        tinker_path=operation.tinker_path,
        run_id=run.model_id,
        kind=kind,
        name=name,
        state="making",
        created_at=now,
        size_bytes=0,
        public=False,
        expires_at=None if ttl is None else now + ttl,
        base_model=run.base_model,
        rank=run.rank,
        train_attn=run.train_attn,
        train_mlp=run.train_mlp,
        train_unembed=run.train_unembed,
        user_metadata=models.metadata(call),
        optimizer=run.optimizer,
        directory=f"checkpoints/{file_name(run.model_id)}/{kind}/{name}",
    )


async def load_weights(service: Service, call: Call) -> Answer:
    """Load a checkpoint into a model, or into a new one."""
    found = await restorable(service, call.text("path"))
    if call.body["optimizer"] and found.kind == "sampler_weights":
        raise Refusal(400, "a sampler's checkpoint has no optimizer state", field=("path",))
    if call.body.get("model_id") is None:
        return await _create_by_load(service, call, found)
    run = lookups.run(service, call.text("model_id"))
    seq = call.whole("seq_id")
    if service.options.imitate.load_first_only and seq is not None and seq > 1:
        raise Refusal(400, f"LoadWeights is not permitted with seq_id {seq}", field=("seq_id",))
    _fit(run, found)
    _fit_optimizer(run.optimizer, found, call)
    operation = requests.operation(call.operation, call.body, run.model_id, seq)
    return await train(service, call, operation)


def _fit(run: RunRow, found: CheckpointRow) -> None:
    """Refuse a checkpoint of another shape."""
    for name in ("base_model", "rank", "train_attn", "train_mlp", "train_unembed"):
        ours, theirs = getattr(run, name), getattr(found, name)
        if ours != theirs:
            raise Refusal(400, f"the checkpoint has {name} {theirs}, the model {ours}", field=("path",))


def _fit_optimizer(optimizer: str, found: CheckpointRow, call: Call) -> None:
    """Refuse the state of another optimizer."""
    if call.body["optimizer"] and optimizer != found.optimizer:
        reason = f"the checkpoint has the state of {found.optimizer}, the model is made for {optimizer}"
        raise Refusal(400, reason, field=("optimizer",))


async def _create_by_load(service: Service, call: Call, found: CheckpointRow) -> Answer:
    """Make a model in the shape of a checkpoint and load it."""
    session = lookups.session(service, call.text("session_id"))
    optimizer = models.chosen_optimizer(call) or found.optimizer
    _fit_optimizer(optimizer, found, call)
    leave_room(service)
    base = call.body.get("base_model")
    if base is not None and lookups.base_model(service, str(base)) != found.base_model:
        raise Refusal(400, f"the checkpoint was made on {found.base_model}", field=("base_model",))
    number = call.whole("model_seq_id")
    model_id = models.new_model_id(service, session.session_id, number)
    now = service.clock()
    run = RunRow(
        model_id=model_id,
        session_id=session.session_id,
        base_model=found.base_model,
        rank=found.rank,
        seed=0,
        train_attn=found.train_attn,
        train_mlp=found.train_mlp,
        train_unembed=found.train_unembed,
        user_metadata=models.metadata(call),
        created_at=now,
        last_request_at=now,
        status="active",
        optimizer=optimizer,
    )
    operation = requests.operation(call.operation, call.body, model_id, None)
    assert isinstance(operation, Load)
    row = await stand(
        service,
        call,
        f"model:{session.session_id}",
        number,
        lambda _: (operation, lambda connection: insert_run(connection, run)),
        model_id=model_id,
        ordered=False,
    )
    return promise(service, row)


async def weights_info(service: Service, call: Call) -> Answer:
    """Say what a checkpoint is made of."""
    found = await restorable(service, call.text("tinker_path"), "tinker_path")
    return Answer(
        {
            "base_model": found.base_model,
            "is_lora": True,
            "lora_rank": found.rank,
            "train_unembed": found.train_unembed,
            "train_mlp": found.train_mlp,
            "train_attn": found.train_attn,
            "optimizer_config": models.optimizer_config(found.optimizer),
        }
    )


async def copy_weights(service: Service, call: Call) -> Answer:
    """Copy a checkpoint into another run."""
    found = await lookups.made_checkpoint(service, call.text("source_path"), "source_path")
    key = str(call.parameters.get("X-Idempotency-Key") or "")
    known = service.answers.find(key, call.digest) if key else None
    if known is not None:
        return Answer({"tinker_path": known})
    run_id = _destination(service, call, found)
    ttl = call.whole("ttl_seconds")
    now = service.clock()
    path = f"tinker://{run_id}/{found.kind}/{found.name}"
    if service.checkpoints.find(path) is not None:
        raise Refusal(409, f"{path} exists", field=("source_path",))
    directory = f"checkpoints/{file_name(run_id)}/{found.kind}/{found.name}"
    row = attrs.evolve(
        found,
        tinker_path=path,
        run_id=run_id,
        directory=directory,
        created_at=now,
        public=False,
        expires_at=None if ttl is None else now + ttl,
    )
    try:
        await service.copy_checkpoint(found, row, key, call.digest)
    except FileExistsError as error:
        if not key or service.answers.find(key, call.digest) is None:
            raise Refusal(409, f"{path} exists", field=("source_path",)) from error
    except FileNotFoundError as error:
        gone = f"checkpoint not found: {found.tinker_path}; it was deleted meanwhile"
        raise Refusal(404, gone, field=("source_path",)) from error
    return Answer({"tinker_path": path})


def _destination(service: Service, call: Call, found: CheckpointRow) -> str:
    """Return the run that a copy goes to: one of that session, or a run of the project alone."""
    if call.body.get("session_id") is not None:
        session = lookups.session(service, call.text("session_id"))
        return f"{session.session_id}:train:{call.whole('model_seq_id')}"
    project = re.sub(r"[^A-Za-z0-9_-]", "_", call.text("destination_project_id"))[:64]
    return f"project-{project}:copy:{file_name(found.run_id)}"
