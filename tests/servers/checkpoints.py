"""Steps: saving, loading, listing, downloading and changing checkpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safetensors.numpy import load_file
from tinsmith import AdamParams
from tinsmith.core.errors import ConflictError

from tests.servers.drive import WAIT_S, Drive, holds, same, step
from tests.servers.environments import RANK

if TYPE_CHECKING:
    from pathlib import Path

FAR = AdamParams(learning_rate=0.1)
"""A step that nobody overlooks."""
NEAR = 1e-3
"""Largest difference of a mean loss that is the same: the servers reckon in float32."""


@step("save_state")
def save(drive: Drive) -> object:
    """Weights and optimizer are saved, and the path says where."""
    return drive.state


@step("save_state under the same name, and another after it")
def save_twice(drive: Drive) -> object:
    """The name is taken: a second copy, or a refusal that takes neither a number nor the client with it."""
    trainer = drive.create(rank=4)
    drive.saved(trainer, "same")
    try:
        note = f"taken, as {drive.saved(trainer, 'same')}"
    except ConflictError as refused:
        holds(refused.applied == "no", str(refused))
        note = str(refused)
    drive.saved(trainer, "other")
    drive.learn(trainer)
    return note


@step("save_state with a time to live and labels")
def save_labelled(drive: Drive) -> object:
    """What beside the name a save may carry."""
    trainer = drive.create(rank=4)
    saving = trainer.save_state("labelled", ttl_seconds=3600, user_metadata={"colour": "blue"})
    return drive.done(trainer, saving, "save_weights").path


@step("load_state")
def load(drive: Drive) -> object:
    """The weights are those of the checkpoint again."""
    return _loaded(drive, optimizer=False)


@step("load_state_with_optimizer")
def load_with_optimizer(drive: Drive) -> object:
    """The same with the optimizer."""
    return _loaded(drive, optimizer=True)


def _loaded(drive: Drive, *, optimizer: bool) -> object:
    trainer = drive.create(rank=4)
    path = drive.saved(trainer, "start")
    before = drive.look(trainer)
    for _ in range(2):
        drive.done(trainer, trainer.forward_backward(drive.data, "cross_entropy"), "forward_backward")
        drive.done(trainer, trainer.optim_step(FAR), "optim_step")
    between = drive.look(trainer)
    ask = trainer.load_state_with_optimizer if optimizer else trainer.load_state
    drive.done(trainer, ask(path), "load_weights")
    after = drive.look(trainer)
    found = f"{before:.3f}, after steps {between:.3f}, loaded {after:.3f}"
    holds(abs(after - before) < NEAR < abs(between - before), f"the loss is {found}")
    return found


@step("create_training_client_from_state")
def from_state(drive: Drive) -> object:
    """A new model has the weights of the checkpoint."""
    return _another(drive, optimizer=False)


@step("create_training_client_from_state_with_optimizer")
def from_state_with_optimizer(drive: Drive) -> object:
    """The same with the optimizer."""
    return _another(drive, optimizer=True)


def _another(drive: Drive, *, optimizer: bool) -> object:
    first = drive.create(rank=4)
    drive.learn(first)
    path = drive.saved(first, "start")
    made = drive.remade(path, optimizer=optimizer)
    found, expected = drive.look(made), drive.look(first)
    holds(abs(found - expected) < NEAR, f"the loss is {found}, of the first model {expected}")
    return round(found, 3)


@step("save_weights_for_sampler")
def save_for_sampler(drive: Drive) -> object:
    """Weights without the optimizer are saved."""
    return drive.sampled


@step("save_weights_for_sampler under the same name, and another after it")
def save_for_sampler_twice(drive: Drive) -> object:
    """As with `save_state`."""
    trainer = drive.create(rank=4)

    def saved(name: str) -> str:
        made = trainer.save_weights_for_sampler(name)
        return str(drive.done(trainer, made, "save_weights_for_sampler").path)

    saved("same")
    try:
        note = f"taken, as {saved('same')}"
    except ConflictError as refused:
        holds(refused.applied == "no", str(refused))
        note = str(refused)
    saved("other")
    drive.learn(trainer)
    return note


@step("rest: list_training_runs")
def runs(drive: Drive) -> object:
    """The model is among the runs."""
    listed = drive.rest.list_training_runs(limit=50).result(WAIT_S)
    ids = [run.training_run_id for run in listed.training_runs]
    holds(drive.trainer.model_id in ids, f"the runs are {ids}")
    return len(ids)


@step("rest: iter_training_runs")
def all_runs(drive: Drive) -> object:
    """Every run comes once."""
    ids = [run.training_run_id for run in drive.rest.iter_training_runs()]
    same(len(set(ids)), len(ids), "different runs")
    holds(drive.trainer.model_id in ids, f"the runs are {ids}")
    return len(ids)


@step("rest: get_training_run")
def run(drive: Drive) -> object:
    """A run by its id, and by the path of a checkpoint."""
    found = drive.rest.get_training_run(drive.trainer.model_id).result(WAIT_S)
    same(found.training_run_id, drive.trainer.model_id, "the run")
    by_path = drive.rest.get_training_run_by_tinker_path(drive.state).result(WAIT_S)
    same(by_path.training_run_id, drive.trainer.model_id, "the run of the path")
    return found.base_model


@step("rest: get_weights_info_by_tinker_path")
def weights_info(drive: Drive) -> object:
    """What must be known to load a checkpoint."""
    found = drive.rest.get_weights_info_by_tinker_path(drive.state).result(WAIT_S)
    same((found.base_model, found.lora_rank), (drive.base_model, RANK), "base model and rank")
    return found.is_lora


@step("rest: list_checkpoints")
def checkpoints(drive: Drive) -> object:
    """Both kinds of checkpoint are listed, and their paths are those that saving gave."""
    made = {drive.state, drive.sampled}
    found = drive.rest.list_checkpoints(drive.trainer.model_id).result(WAIT_S).checkpoints
    paths = {checkpoint.tinker_path for checkpoint in found}
    holds(made <= paths, f"{sorted(made - paths)} are not among {sorted(paths)}")
    return sorted(checkpoint.checkpoint_id for checkpoint in found)


@step("rest: list_user_checkpoints")
def user_checkpoints(drive: Drive) -> object:
    """The checkpoints of all runs."""
    listed = drive.rest.list_user_checkpoints().result(WAIT_S).checkpoints
    paths = [checkpoint.tinker_path for checkpoint in listed]
    holds(drive.state in paths, f"the checkpoints are {paths}")
    same(len(list(drive.rest.iter_user_checkpoints())), len(paths), "checkpoints one by one")
    return len(paths)


@step("rest: archive of a sampler's checkpoint, downloaded and read")
def download(drive: Drive) -> object:
    """The adapter comes whole: for each layer both factors, of the rank that was asked for."""
    return _read(drive, drive.sampled, "sampler")


@step("rest: archive of a training checkpoint, downloaded and read")
def download_state(drive: Drive) -> object:
    """The same of saved weights."""
    return _read(drive, drive.state, "state")


def _read(drive: Drive, path: str, folder: str) -> object:
    place = drive.folder / folder
    drive.rest.download_checkpoint(path, place).result(WAIT_S)
    files = sorted(file.relative_to(place).as_posix() for file in place.rglob("*") if file.is_file())
    adapters = [file for file in files if file.endswith("adapter_model.safetensors")]
    same(len(adapters), 1, f"adapters among {files}")
    return f"{len(files)} files, {_shapes(place / adapters[0])}"


def _shapes(adapter: Path) -> str:
    """Check the factors of an adapter: down to the rank and up again."""
    tensors = load_file(adapter)
    down = {name: tensor for name, tensor in tensors.items() if "lora_A" in name}
    up = {name: tensor for name, tensor in tensors.items() if "lora_B" in name}
    holds(bool(down), f"the tensors are {sorted(tensors)}")
    same(sorted(name.replace("lora_B", "lora_A") for name in up), sorted(down), "names of the factors")
    for name, tensor in down.items():
        other = up[name.replace("lora_A", "lora_B")]
        same((tensor.shape[0], other.shape[1]), (RANK, RANK), f"rank of {name}")
    return f"{len(down)} pairs of rank {RANK}"


@step("rest: get_external_weights_urls")
def external(drive: Drive) -> object:
    """Weights as single files."""
    return drive.rest.get_external_weights_urls(drive.sampled).result(WAIT_S)


@step("rest: publish")
def publish(drive: Drive) -> object:
    """A checkpoint is everybody's."""
    return drive.rest.publish_checkpoint_from_tinker_path(drive.state).result(WAIT_S)


@step("rest: unpublish")
def unpublish(drive: Drive) -> object:
    """And its owner's again."""
    return drive.rest.unpublish_checkpoint_from_tinker_path(drive.state).result(WAIT_S)


@step("rest: set TTL")
def time_to_live(drive: Drive) -> object:
    """A checkpoint expires."""
    return drive.rest.set_checkpoint_ttl_from_tinker_path(drive.state, 3600).result(WAIT_S)


@step("rest: delete a checkpoint")
def delete(drive: Drive) -> object:
    """It is gone from the list."""
    saved = drive.trainer.save_weights_for_sampler("to-delete")
    path = str(drive.done(drive.trainer, saved, "save_weights_for_sampler").path)
    drive.rest.delete_checkpoint_from_tinker_path(path).result(WAIT_S)
    left = drive.rest.list_checkpoints(drive.trainer.model_id).result(WAIT_S).checkpoints
    paths = [checkpoint.tinker_path for checkpoint in left]
    holds(not any(listed.endswith("/to-delete") for listed in paths), f"{path} is still among {paths}")
    return path
