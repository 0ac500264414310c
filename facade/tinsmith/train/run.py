"""A run from its settings: reads the data, makes the model or loads it, trains, saves what is sampled.

The same function begins a run and goes on with one; the checkpoints in its folder say which.
"""

from __future__ import annotations

import hashlib
import random
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from tinsmith.clients.training import TrainingClient
from tinsmith.core.errors import APIStatusError, InputError, NotFoundError, TinkerError
from tinsmith.core.negotiation import context_tokens
from tinsmith.core.values import Datum
from tinsmith.core.whole_files import check_ordinary, unreadable
from tinsmith.data import Batch, Batches, DatumBuilder, read_records
from tinsmith.train.loop import SavedStep, supervised
from tinsmith.train.prices import TokenUse
from tinsmith.train.run_config import MOST_STEPS, RunConfig
from tinsmith.train.run_folder import RunFolder
from tinsmith.train.schedule import Schedule

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from tinsmith_api.models import Checkpoint

    from tinsmith.clients.service import ServiceClient
    from tinsmith.core.tokenization import Tokenizer
    from tinsmith.data import ChatTokenizer, Record
    from tinsmith.train.loop import Logger
    from tinsmith.train.prices import TokenPrices

BATCH_ITEMS = 8
"""Datums in a batch, if nothing is said: small, because adapters learn less from large batches."""


EVALUATE_EVERY = 5
"""Steps between two evaluations at least, if nothing is said: each takes as long as a step, or longer."""


@attrs.frozen
class RunResult:
    """The result of a run, or of the part of it that was done."""

    step: int
    """Steps that the last checkpoint has seen; 0 without one."""
    steps: int
    """Steps of the whole run."""
    checkpoint: str | None
    """Path of the last checkpoint, with its optimizer."""
    sampler_weights: str | None
    """Path of the weights to sample from; None before the end of the run."""
    expires: bool = False
    """Whether the last checkpoint is deleted some day, as far as the server let that be asked for."""

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
    base_model: str
    """Name of the base model."""
    saved: SavedStep | None
    """Checkpoint that the run goes on from; None at its beginning."""
    found_on_server: bool
    """Whether that was on the server, and not in the list of the folder."""

    @property
    def start(self) -> int:
        """Steps that were made before."""
        return self.saved.step if self.saved else 0

    def train(
        self,
        loggers: Sequence[Logger] = (),
        stop: Callable[[], bool] = lambda: False,
        prices: TokenPrices | None = None,
    ) -> RunResult:
        """Make the steps that are left, or those until `stop` says yes; see `supervised`.

        At the end the weights are saved for sampling too. With `prices`, the metrics have `cost_usd`, the
        cost of the run up to each step in US dollars. Raises InputError where another process trains the
        run, or has trained it since it was prepared.
        """
        with self.folder.locked():
            if self.folder.last_checkpoint() != self.saved:
                raise InputError(
                    f"the run in {self.folder.path} was gone on with since it was prepared; prepare it anew"
                )
            every = [self.folder.log, *loggers]
            return self._trained([_costed(self, prices, every)] if prices else every, stop)

    def _trained(self, loggers: Sequence[Logger], stop: Callable[[], bool]) -> RunResult:
        config, total = self.folder.config, len(self.batches)
        expires = config.ttl_seconds is not None
        if self.start < total:
            done = supervised(
                self.trainer,
                self.batches,
                self.schedule,
                start=self.start,
                held_out=self.held_out,
                evaluate_every=config.evaluate_every,
                checkpoint_every=config.checkpoint_every,
                ttl_seconds=config.ttl_seconds,
                loggers=loggers,
                on_checkpoint=self.folder.note_checkpoint,
                stop=stop,
            )
            expires = done.expires if done is not None else expires
        saved = self.folder.last_checkpoint()
        if saved is None or saved.step < total:
            return RunResult(saved.step if saved else 0, total, saved.path if saved else None, None, expires)
        weights = self.trainer.save_weights_for_sampler("final").result().path or saved.path
        self.folder.note_sampler_weights(total, weights)
        return RunResult(total, total, saved.path, weights)


def _costed(run: PreparedRun, prices: TokenPrices, loggers: Sequence[Logger]) -> Logger:
    """Return a logger that tells the others the cost too; what is trained again is not counted twice."""
    used = TokenUse.by_step(run.batches, run.held_out, run.folder.config.evaluate_every)

    def log(step: int, metrics: Mapping[str, float]) -> None:
        total = prices.costs(used[step])["total"]
        cost = {} if total is None else {"cost_usd": float(total)}
        for logger in loggers:
            logger(step, {**metrics, **cost})

    return log


def plan(service: ServiceClient, config: RunConfig) -> RunPlan:
    """Read the data of a run and say what it will do; nothing is made or written.

    Raises InputError for data that cannot be trained on, and for settings that do not fit them.
    """
    return _planned(service, config, list(read_records(config.data, config.input_format)), None)[0]


def prepare(service: ServiceClient, folder: RunFolder) -> PreparedRun:
    """Read the data of a run and make its model, or load its last checkpoint.

    The data are read before anything is made on the server. The last checkpoint is that of the folder's list,
    or a newer one that the server has: a process may be killed after a save and before it is listed.

    Raises InputError for data that cannot be trained on or are not what they were when the run began, for a
    run that is finished or that another process trains, and for settings that do not fit the data; nothing is
    written then.
    """
    with folder.locked():
        return _prepared(service, folder)


def _prepared(service: ServiceClient, folder: RunFolder) -> PreparedRun:
    config, listed = folder.config, folder.last_checkpoint()
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
    saved = _newest(service, folder.last_model(), listed)
    planned, tokenizer = _planned(service, config, records, saved)
    with _expiry_is_named(saved):
        trainer = _trainer(service, config, saved)
    name = planned.base_model
    if trainer.get_info().model_data.tokenizer_id not in (None, name, tokenizer.name_or_path):
        planned = RunPlan.of(planned.config, records, trainer.get_tokenizer(), name)
    if not folder.begun:
        folder = folder.write(attrs.evolve(planned.config, data_sha256=digest))
    run = PreparedRun(
        folder, trainer, planned.batches, planned.held_out, planned.schedule, name, saved, saved != listed
    )
    folder.rewind(run.start)
    if saved is not None and run.found_on_server:
        folder.note_checkpoint(saved)
    folder.note_model(run.start, trainer.model_id)
    return run


@attrs.frozen
class RunPlan:
    """What a run will do, as far as its data tell."""

    config: RunConfig
    """Its settings, with those that were left open."""
    batches: list[Batch]
    """One for each step."""
    held_out: list[Datum]
    """What is not trained on."""
    schedule: Schedule
    """The learning rate of each step."""
    base_model: str
    """Name of the base model."""

    @classmethod
    def of(
        cls, config: RunConfig, records: Sequence[Record], tokenizer: ChatTokenizer, base_model: str
    ) -> RunPlan:
        """Make datums of the records and put them in order; InputError where that cannot be."""
        builder = builder_of(config, tokenizer)
        groups = [builder.datums(record) for record in records]
        trained, held_out = split(groups, config.held_out, config.seed)
        batches = _batches(config, trained)
        config = _completed(config, len(batches))
        schedule = Schedule(
            peak=config.learning_rate,
            steps=len(batches),
            shape=config.schedule,
            warmup_steps=config.warmup_steps or 0,
        )
        return cls(config, batches, held_out, schedule, base_model)

    @property
    def use(self) -> TokenUse:
        """The tokens of the whole run."""
        return TokenUse.by_step(self.batches, self.held_out, self.config.evaluate_every)[-1]


def _planned(
    service: ServiceClient, config: RunConfig, records: Sequence[Record], saved: SavedStep | None
) -> tuple[RunPlan, Tokenizer]:
    """Return what a run will do, and the tokenizer by which that is known."""
    models = service.get_server_capabilities().supported_models
    with _expiry_is_named(saved):
        name = _base_model(service, config, saved)
    tokenizer = _tokenizer(service, name, {model.model_name for model in models if model.model_name})
    if config.max_tokens is None:
        config = attrs.evolve(config, max_tokens=context_tokens(models, name, tokenizer.name_or_path))
    return RunPlan.of(config, records, tokenizer, name), tokenizer


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


def held_out_records(config: RunConfig, tokenizer: ChatTokenizer) -> list[Record]:
    """Return the records that a run does not train on, whose loss it reports as held-out.

    Raises InputError for a run without any, and where its data are not there or have changed since it began.
    """
    if _digest(config.data) != config.data_sha256:
        raise InputError(f"{config.data} has changed since the run began; restore it, or name another file")
    records = list(read_records(config.data, config.input_format))
    groups = [builder_of(config, tokenizer).datums(record) for record in records]
    chosen = {id(datum) for datum in split(groups, config.held_out, config.seed)[1]}
    held_out = [record for record, group in zip(records, groups, strict=True) if chosen & {*map(id, group)}]
    if not held_out:
        raise InputError("the run holds no records out; name a file to evaluate on")
    return held_out


def builder_of(config: RunConfig, tokenizer: ChatTokenizer) -> DatumBuilder:
    """Return what makes the datums of a run."""
    return DatumBuilder(
        tokenizer=tokenizer,
        train_on=config.train_on,
        max_tokens=config.max_tokens,
        truncation=config.truncation,
    )


def _newest(service: ServiceClient, model_id: str | None, listed: SavedStep | None) -> SavedStep | None:
    """Return the newest checkpoint of the model that was trained last, or `listed` where none is newer.

    `listed` is that of the folder's list.
    """
    if model_id is None:
        return listed
    try:
        there = service.create_rest_client().list_checkpoints(model_id).result().checkpoints
    except APIStatusError:  # no such list, or nothing in it
        return listed
    saved = [
        SavedStep(step, each.tinker_path)
        for each in there
        if each.checkpoint_type == "training" and (step := _step(each)) is not None
    ]
    return max([*filter(None, [listed]), *saved], key=lambda each: each.step, default=None)


def _step(checkpoint: Checkpoint) -> int | None:
    """Return the steps that a checkpoint of a run has seen, by its label; by its name where it has none."""
    labels = checkpoint.user_metadata or {}
    told = labels.get("step") or checkpoint.tinker_path.rpartition("/step-")[2]
    return int(told) if told.isdecimal() else None


def _base_model(service: ServiceClient, config: RunConfig, saved: SavedStep | None) -> str:
    """Return the name of the base model, which the server knows of a checkpoint."""
    path = saved.path if saved else config.start_from
    if path is None:
        assert config.model is not None
        return config.model
    return service.raw.weights_info(tinker_path=path).result().base_model


def _tokenizer(service: ServiceClient, name: str, offered: Collection[str]) -> Tokenizer:
    """Return the tokenizer of a base model, or say what the server offers."""
    try:
        return service.get_tokenizer(name)
    except NotFoundError:
        raise  # the server has tokenizers, and says so itself
    except TinkerError as cause:
        if not offered or name in offered:
            raise
        raise InputError(
            f"the server does not offer {name!r}, but {', '.join(sorted(offered))}", field="base_model"
        ) from cause


def _trainer(service: ServiceClient, config: RunConfig, saved: SavedStep | None) -> TrainingClient:
    """Make the model of a run, or load it, and wait until it is there."""
    if saved is not None:
        return service.create_training_client_from_state_with_optimizer(saved.path).result()
    if config.start_from is not None:
        return service.create_training_client_from_state(config.start_from).result()
    assert config.model is not None
    return service.create_lora_training_client(config.model, rank=config.rank, seed=config.seed).result()


@contextmanager
def _expiry_is_named(saved: SavedStep | None) -> Iterator[None]:
    """Say why the server may not have the checkpoint from which a run goes on."""
    try:
        yield
    except NotFoundError as cause:
        if saved is None:
            raise
        raise InputError(
            f"the server has no {saved.path}, from which the run would go on: it has expired, or this is"
            " another server; begin a new run"
        ) from cause


def _batches(config: RunConfig, trained: Sequence[Datum]) -> list[Batch]:
    """Return the batch of each step."""
    if not trained:
        raise InputError(f"{config.data} makes no datum to train on; `tinsmith data check` says why")
    items = config.batch_items if config.batch_items or config.batch_tokens else BATCH_ITEMS
    batches = Batches(data=trained, items=items, tokens=config.batch_tokens, seed=config.seed)
    found = list(islice(batches.walk(config.steps or config.epochs), config.steps or MOST_STEPS + 1))
    if len(found) > MOST_STEPS:
        raise InputError(
            f"{config.epochs} passes over the data are more than {MOST_STEPS} steps; take fewer",
            field="epochs",
        )
    return found


def _completed(config: RunConfig, steps: int) -> RunConfig:
    """Choose what was left open, now that the number of steps is known."""
    return attrs.evolve(
        config,
        steps=steps,
        warmup_steps=steps // 20 if config.warmup_steps is None else config.warmup_steps,
        evaluate_every=config.evaluate_every or max(steps // 10, EVALUATE_EVERY),
        checkpoint_every=config.checkpoint_every or max(steps // 5, 1),
    )


def _digest(path: str) -> str:
    check_ordinary(path)
    try:
        with Path(path).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as cause:
        raise unreadable(path, cause) from cause
