"""A run from its settings: reads the data, makes the model or loads it, trains, saves what is sampled.

The same function begins a run and goes on with one; the checkpoints in its folder say which.
"""

from __future__ import annotations

import hashlib
import random
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from tinsmith.clients.training import TrainingClient
from tinsmith.core.errors import InputError, NotFoundError
from tinsmith.core.values import Datum
from tinsmith.data import Batch, Batches, DatumBuilder, read_records
from tinsmith.train.loop import supervised
from tinsmith.train.run_folder import RunFolder
from tinsmith.train.schedule import Schedule

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tinsmith.clients.service import ServiceClient
    from tinsmith.train.loop import Logger, SavedStep
    from tinsmith.train.run_config import RunConfig

BATCH_ITEMS = 8
"""Datums in a batch, if nothing is said: small, because adapters learn less from large batches."""


@attrs.frozen
class RunResult:
    """What a run came to, or how far it came."""

    step: int
    """Steps that the last checkpoint has seen; 0 without one."""
    steps: int
    """Steps of the whole run."""
    checkpoint: str | None
    """Path of the last checkpoint, with its optimizer."""
    sampler_weights: str | None
    """Path of the weights to sample from; None before the end of the run."""

    @property
    def finished(self) -> bool:
        """Whether all steps were made."""
        return self.step == self.steps


@attrs.frozen
class PreparedRun:
    """A run that is ready: its data are read, its model is there, its folder is written."""

    folder: RunFolder
    """Where it writes."""
    trainer: TrainingClient
    """The model, as of step `start`."""
    batches: list[Batch] = attrs.field(repr=False)
    """One for each step of the whole run."""
    held_out: list[Datum] = attrs.field(repr=False)
    """What is not trained on."""
    schedule: Schedule
    """The learning rate of each step."""
    start: int
    """Steps that were made before."""

    def train(self, loggers: Sequence[Logger] = (), stop: Callable[[], bool] = lambda: False) -> RunResult:
        """Make the steps that are left, or those until `stop` says yes; see `supervised`.

        At the end the weights are saved for sampling too.
        """
        config, total = self.folder.config, len(self.batches)
        if self.start < total:
            supervised(
                self.trainer,
                self.batches,
                self.schedule,
                start=self.start,
                held_out=self.held_out,
                evaluate_every=config.evaluate_every,
                checkpoint_every=config.checkpoint_every,
                ttl_seconds=config.ttl_seconds,
                loggers=[self.folder.log, *loggers],
                on_checkpoint=self.folder.note_checkpoint,
                stop=stop,
            )
        saved = self.folder.last_checkpoint()
        if saved is None or saved.step < total:
            return RunResult(saved.step if saved else 0, total, saved.path if saved else None, None)
        weights = self.trainer.save_weights_for_sampler("final").result().path or saved.path
        self.folder.note_sampler_weights(total, weights)
        return RunResult(total, total, saved.path, weights)


def prepare(service: ServiceClient, folder: RunFolder) -> PreparedRun:
    """Read the data of a run and make its model, or load its last checkpoint.

    Raises InputError for data that cannot be trained on or are not what they were when the run began, for a
    run that is finished, and for settings that do not fit the data; nothing is written then.
    """
    config, saved = folder.config, folder.last_checkpoint()
    if folder.sampler_weights() is not None:
        raise InputError(
            f"the run in {folder.path} is finished: all {config.steps} steps are made; begin a new run with"
            f" another folder, from its weights if you like"
        )
    digest = _digest(config.data)
    if folder.begun and digest != config.data_sha256:
        raise InputError(
            f"{config.data} has changed since the run in {folder.path} began; restore it, or begin a new run"
            " with another folder"
        )
    records = list(read_records(config.data, config.input_format))
    trainer = _trainer(service, config, saved)
    if config.max_tokens is None:
        config = attrs.evolve(config, max_tokens=_context(service, trainer))
    builder = DatumBuilder(
        tokenizer=trainer.get_tokenizer(),
        train_on=config.train_on,
        max_tokens=config.max_tokens,
        truncation=config.truncation,
    )
    trained, held_out = split([builder.datums(record) for record in records], config.held_out, config.seed)
    batches = _batches(config, trained)
    config = _completed(attrs.evolve(config, data_sha256=digest), len(batches))
    schedule = Schedule(
        peak=config.learning_rate,
        steps=len(batches),
        shape=config.schedule,
        warmup_steps=config.warmup_steps or 0,
    )
    if not folder.begun:
        folder = folder.write(config)
    start = saved.step if saved else 0
    folder.rewind(start)
    return PreparedRun(folder, trainer, batches, held_out, schedule, start)


def split(groups: Sequence[Sequence[Datum]], share: float, seed: int) -> tuple[list[Datum], list[Datum]]:
    """Return the datums to train on, and those of `share` of the groups, which are held out.

    A group holds the datums of one record. Which are held out depends on the seed and on what they say, not
    on their order; equal records stay on one side.

    >>> from tinsmith import Datum, ModelInput
    >>> from tinsmith.train.run import split
    >>> groups = [[Datum(model_input=ModelInput.from_ints([n // 2]), loss_fn_inputs={})] for n in range(20)]
    >>> trained, held_out = split(groups, 0.1, seed=0)
    >>> len(trained), len(held_out), held_out[0] == held_out[1]
    (18, 2, True)
    """
    by_content: dict[tuple[tuple[int, ...], ...], list[Datum]] = {}
    for group in filter(None, groups):
        key = tuple(tuple(datum.model_input.to_ints()) for datum in group)
        by_content.setdefault(key, []).extend(group)
    ordered = sorted(by_content, key=lambda key: random.Random(f"{seed}/{key}").random())  # noqa: S311
    wanted = min(max(round(share * len(ordered)), 1), len(ordered) - 1) if share else 0
    held_out = set(ordered[:wanted])
    sides: tuple[list[Datum], list[Datum]] = ([], [])
    for key, datums in by_content.items():
        sides[key in held_out].extend(datums)
    return sides


def _trainer(service: ServiceClient, config: RunConfig, saved: SavedStep | None) -> TrainingClient:
    """Make the model of a run, or load it, and wait until it is there."""
    if saved is not None:
        trainer = service.create_training_client_from_state_with_optimizer(saved.path)
    elif config.start_from is not None:
        trainer = service.create_training_client_from_state(config.start_from)
    else:
        assert config.model is not None
        trainer = service.create_lora_training_client(config.model, rank=config.rank, seed=config.seed)
    try:
        return trainer.result()
    except NotFoundError as cause:
        if saved is None:
            raise
        raise InputError(
            f"the server has no {saved.path}, from which the run would go on: it has expired, or this is"
            " another server; begin a new run"
        ) from cause


def _context(service: ServiceClient, trainer: TrainingClient) -> int | None:
    """Return the context of the model in tokens; None where the server does not tell it."""
    info = trainer.get_info()
    offered = service.get_server_capabilities().supported_models
    limits = {model.model_name: model.max_context_length for model in offered}
    return limits.get(info.model_name or info.model_data.model_name or "")


def _batches(config: RunConfig, trained: Sequence[Datum]) -> list[Batch]:
    """Return the batch of each step."""
    if not trained:
        raise InputError(f"{config.data} makes no datum to train on; `tinsmith data check` says why")
    items = config.batch_items if config.batch_items or config.batch_tokens else BATCH_ITEMS
    batches = Batches(data=trained, items=items, tokens=config.batch_tokens, seed=config.seed)
    return list(islice(batches.walk(config.steps or config.epochs), config.steps))


def _completed(config: RunConfig, steps: int) -> RunConfig:
    """Choose what was left open, now that the number of steps is known."""
    return attrs.evolve(
        config,
        steps=steps,
        warmup_steps=steps // 20 if config.warmup_steps is None else config.warmup_steps,
        evaluate_every=config.evaluate_every or max(steps // 10, 1),
        checkpoint_every=config.checkpoint_every or max(steps // 5, 1),
    )


def _digest(path: str) -> str:
    try:
        with Path(path).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as cause:
        raise InputError(f"{path} cannot be read: {cause.strerror}") from cause
