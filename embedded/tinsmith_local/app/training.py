"""Models in training: created, trained, described, unloaded; and the tokenizers of their base models."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from typing import Any, NoReturn

import attrs
import orjson
from tinsmith_api import models

from tinsmith_local.app.admission import Admission, Build, too_much
from tinsmith_local.app.answers import Refusal
from tinsmith_local.app.call import THREAD_BYTES, Call, whole
from tinsmith_local.app.lookups import Lookups
from tinsmith_local.app.requests import RequestDecoder, step
from tinsmith_local.store.database import insert_row
from tinsmith_local.store.run_table import AdapterShape, RunRow, RunTable
from tinsmith_local.work.lifetimes import LastUse
from tinsmith_local.work.operations import CreateModel, TrainingRequest, Unload
from tinsmith_local.work.trainer import Trainer

MAX_RANK = 1024
"""Larger ranks are refused: they would cost more memory than the base model."""
DEFAULT_RANK = 32


@attrs.frozen(kw_only=True, eq=False)
class ModelQueue:
    """Admits the requests of models, and new models."""

    _lookups: Lookups
    _admission: Admission
    _runs: RunTable
    _trainer: Trainer
    _last_use: LastUse
    _clock: Callable[[], float]
    _max_queued_bytes: int

    async def train(self, call: Call, operation: TrainingRequest) -> models.UntypedAPIFuture:
        """Put a training request in its model's queue."""
        run = self._lookups.run(operation.model_id)
        self.leave_room()
        return await self.put(call, run, lambda _: (operation, None))

    async def put(self, call: Call, run: RunRow, build: Build) -> models.UntypedAPIFuture:
        """Put what `build` returns in the queue of a model, once all earlier numbers have arrived."""
        promise = await self._admission.admit(
            call, f"train:{run.model_id}", call.whole("seq_id"), build, model_id=run.model_id
        )
        self._last_use.note(run.model_id, lambda now: self._runs.update(run.model_id, last_request_at=now))
        return promise

    def leave_room(self) -> None:
        """Refuse with 429 while the queued requests are larger than the limit."""
        if self._trainer.waiting_bytes > self._max_queued_bytes:
            raise too_much("too much waits to be applied")

    async def create(
        self,
        call: Call,
        session_id: str,
        build: Callable[[str], TrainingRequest],
        shape: AdapterShape,
        *,
        seed: int,
    ) -> models.UntypedAPIFuture:
        """Make a model of a session by the request that `build` returns for its name."""
        number, now = call.whole("model_seq_id"), self._clock()
        model_id = self._new_id(session_id, number)
        run = RunRow(
            model_id=model_id,
            session_id=session_id,
            seed=seed,
            user_metadata=metadata(call),
            created_at=now,
            last_request_at=now,
            status="active",
            **shape.columns(),
        )
        return await self._admission.admit(
            call,
            f"model:{session_id}",
            number,
            lambda _: (build(model_id), lambda connection: insert_row(connection, run)),
            model_id=model_id,
            ordered=False,
        )

    def _new_id(self, session_id: str, number: int | None) -> str:
        """Name a model of a session; where a number is used again, each makes a model of its own."""
        model_id = f"{session_id}:train:{number}"
        return model_id if self._runs.find(model_id) is None else f"{model_id}-{secrets.token_hex(4)}"


@attrs.frozen(kw_only=True, eq=False)
class TrainingEndpoints:
    """Serves models in training."""

    _lookups: Lookups
    _admission: Admission
    _queue: ModelQueue
    _decoder: RequestDecoder

    async def create_model(self, call: Call) -> models.UntypedAPIFuture:
        """Make a fresh adapter on a base model."""
        session = self._lookups.session(call.text("session_id"))
        base_model = self._lookups.base_model(call.text("base_model"))
        self._lookups.config(base_model)
        lora = call.body.get("lora_config") or {}
        seed = whole(lora, "seed", "lora_config")
        shape = AdapterShape(
            base_model=base_model,
            rank=_rank(lora),
            train_attn=lora.get("train_attn", True),
            train_mlp=lora.get("train_mlp", True),
            train_unembed=lora.get("train_unembed", True),
            optimizer=chosen_optimizer(call) or "adamw",
        )
        return await self._queue.create(
            call,
            session.session_id,
            lambda model_id: CreateModel(model_id=model_id),
            shape,
            seed=secrets.randbits(62) if seed is None else seed & (2**63 - 1),
        )

    async def get_info(self, call: Call) -> models.GetInfoResponse:
        """Describe a model."""
        run = self._lookups.run(call.text("model_id"))
        config = self._lookups.config(run.base_model)
        more = {
            "max_context_length": config.max_context,
            "lora_seed": run.seed,
            "train_attn": run.train_attn,
            "train_mlp": run.train_mlp,
            "train_unembed": run.train_unembed,
        }
        return models.GetInfoResponse(
            model_id=run.model_id,
            is_lora=True,
            lora_rank=run.rank,
            model_name=run.base_model,
            optimizer_config=optimizer_config(run.optimizer),
            model_data=models.ModelData(
                arch=config.family, model_name=run.base_model, tokenizer_id=config.name, extra=more
            ),
        )

    async def unload_model(self, call: Call) -> models.UntypedAPIFuture:
        """Unload a model; its checkpoints stay."""
        run = self._lookups.run(call.text("model_id"))
        return await self._admission.admit(
            call,
            f"unload:{run.model_id}",
            None,
            lambda _: (Unload(model_id=run.model_id), None),
            model_id=run.model_id,
            ordered=False,
        )

    async def get_tokenizer(self, call: Call) -> models.GetTokenizerResponse:
        """Hand out the tokenizer of a base model."""
        name = self._lookups.base_model(str(call.parameters["base_model"]))
        source = self._lookups.source(name)
        if source.tokenizer_json is None:
            raise Refusal(404, f"{name} has no tokenizer here", field=("base_model",))
        config = {"model_max_length": source.config.max_context, **source.tokenizer_config}
        config.pop("chat_template", None)
        return models.GetTokenizerResponse(
            base_model=name,
            tokenizer_json=source.tokenizer_json.decode(),
            chat_template=source.chat_template,
            tokenizer_config=config,
            bos_token=_content(config.get("bos_token")),
            eos_token=_content(config.get("eos_token")),
            pad_token=_content(config.get("pad_token")),
            unk_token=_content(config.get("unk_token")),
        )

    async def forward(self, call: Call) -> models.UntypedAPIFuture:
        """Compute a loss."""
        return await self._batch(call)

    async def forward_backward(self, call: Call) -> models.UntypedAPIFuture:
        """Compute a loss and add its gradients."""
        return await self._batch(call)

    async def _batch(self, call: Call) -> models.UntypedAPIFuture:
        """Decode the examples, off the loop when there are many."""
        if len(call.raw) > THREAD_BYTES:
            operation = await asyncio.to_thread(self._decoder.batch, call.operation, call.body)
        else:
            operation = self._decoder.batch(call.operation, call.body)
        return await self._queue.train(call, operation)

    async def optim_step(self, call: Call) -> models.UntypedAPIFuture:
        """Take one optimizer step."""
        run = self._lookups.run(call.text("model_id"))
        wanted = step(call.body, run.model_id)
        is_adam = isinstance(wanted.params, models.AdamParams)
        kind, field = ("adamw", "adam_params") if is_adam else ("dimuon", "optimizer_params")
        if run.optimizer != kind:
            reason = f"the model was made for {run.optimizer}, this step is {kind}'s"
            raise Refusal(400, reason, field=(field,))
        return await self._queue.train(call, wanted)

    async def create_custom_loss(self, call: Call) -> NoReturn:
        """Refuse: custom losses run at the client here."""
        raise Refusal(400, "losses are not compiled here; use forward_backward_custom", field=("graph",))


def chosen_optimizer(call: Call) -> str | None:
    """Return the optimizer that a request chooses, or None. Refuses what the engine does not have."""
    config = call.body.get("optimizer_config")
    if config is None:
        return None
    kind, version = config["type"], config.get("version")
    if kind == "dimuon" and version not in (None, 1):
        reason = f"version {version} of dimuon is not offered here; 1 is"
        raise Refusal(400, reason, field=("optimizer_config", "version"))
    if kind not in {"adam", "adamw", "dimuon"}:
        reason = f"optimizer {kind!r} is not offered here; adamw and dimuon are"
        raise Refusal(400, reason, field=("optimizer_config", "type"))
    return "dimuon" if kind == "dimuon" else "adamw"


def optimizer_config(optimizer: str) -> models.OptimizerConfig:
    """Return an optimizer as answers have it."""
    return models.DimuonOptimizerConfig(version=1) if optimizer == "dimuon" else models.AdamOptimizerConfig()


def metadata(call: Call) -> str | None:
    """Return the user's metadata as JSON."""
    found = call.body.get("user_metadata")
    return None if found is None else orjson.dumps(found).decode()


def _rank(lora: dict[str, Any]) -> int:
    """Read the rank."""
    rank = lora.get("rank", DEFAULT_RANK)
    if rank > MAX_RANK:
        raise Refusal(400, f"{rank} is more than {MAX_RANK}", field=("lora_config", "rank"))
    return int(rank)


def _content(token: object) -> str | None:
    """Return a special token's text: some files wrap it in an object."""
    if isinstance(token, dict):
        token = token.get("content")
    return token if isinstance(token, str) else None
