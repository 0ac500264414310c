"""Models in training: made, described, forgotten; and the tokenizers of their base models."""

import secrets

import orjson

from tinsmith_local.service import Service
from tinsmith_local.store import RunRow
from tinsmith_local.store.runs import insert_run
from tinsmith_local.work.operations import CreateModel, Unload

from . import lookups
from .answer import Answer
from .call import Call, whole
from .refusal import Refusal
from .standing import promise, stand

#: Larger ranks are refused: they would cost more memory than the base model.
MAX_RANK = 1024
DEFAULT_RANK = 32


async def create_model(service: Service, call: Call) -> Answer:
    """Make a fresh adapter on a base model."""
    session = lookups.session(service, call.text("session_id"))
    number = call.whole("model_seq_id")
    base_model = lookups.base_model(service, call.text("base_model"))
    lookups.config(service, base_model)
    optimizer = chosen_optimizer(call) or "adamw"
    model_id = new_model_id(service, session.session_id, number)
    lora = call.body.get("lora_config") or {}
    seed = whole(lora, "seed", "lora_config")
    run = RunRow(
        model_id=model_id,
        session_id=session.session_id,
        base_model=base_model,
        rank=_rank(lora),
        seed=secrets.randbits(62) if seed is None else seed & (2**63 - 1),
        train_attn=lora.get("train_attn", True),
        train_mlp=lora.get("train_mlp", True),
        train_unembed=lora.get("train_unembed", True),
        user_metadata=metadata(call),
        created_at=service.clock(),
        last_request_at=service.clock(),
        status="active",
        optimizer=optimizer,
    )
    row = await stand(
        service,
        call,
        f"model:{session.session_id}",
        number,
        lambda _: (CreateModel(model_id=model_id), lambda connection: insert_run(connection, run)),
        model_id=model_id,
        ordered=False,
    )
    return promise(service, row)


def new_model_id(service: Service, session_id: str, number: int | None) -> str:
    """Name a model of a session; where repetitions are not recognised, each makes a model of its own."""
    model_id = f"{session_id}:train:{number}"
    if service.options.imitate.no_deduplication and service.runs.find(model_id) is not None:
        return f"{model_id}-{secrets.token_hex(4)}"
    return model_id


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


def optimizer_config(optimizer: str) -> dict[str, object]:
    """Word an optimizer as the wire does."""
    return {"type": "dimuon", "version": 1} if optimizer == "dimuon" else {"type": optimizer}


def metadata(call: Call) -> str | None:
    """Return the user's metadata as JSON."""
    found = call.body.get("user_metadata")
    return None if found is None else orjson.dumps(found).decode()


def _rank(lora: dict[str, object]) -> int:
    """Read the rank."""
    rank = lora.get("rank", DEFAULT_RANK)
    assert isinstance(rank, int | float)
    if rank > MAX_RANK:
        raise Refusal(400, f"{rank} is more than {MAX_RANK}", field=("lora_config", "rank"))
    return int(rank)


async def get_info(service: Service, call: Call) -> Answer:
    """Describe a model."""
    run = lookups.run(service, call.text("model_id"))
    config = lookups.config(service, run.base_model)
    return Answer(
        {
            "type": "get_info",
            "model_id": run.model_id,
            "is_lora": True,
            "lora_rank": run.rank,
            "model_name": run.base_model,
            "optimizer_config": optimizer_config(run.optimizer),
            "model_data": {
                "arch": config.family,
                "model_name": run.base_model,
                "tokenizer_id": config.name,
                "max_context_length": config.max_context,
                "lora_seed": run.seed,
                "train_attn": run.train_attn,
                "train_mlp": run.train_mlp,
                "train_unembed": run.train_unembed,
            },
        }
    )


async def unload_model(service: Service, call: Call) -> Answer:
    """Forget a model; its checkpoints stay."""
    run = lookups.run(service, call.text("model_id"))
    row = await stand(
        service,
        call,
        f"unload:{run.model_id}",
        None,
        lambda _: (Unload(model_id=run.model_id), None),
        model_id=run.model_id,
        ordered=False,
    )
    return promise(service, row)


async def get_tokenizer(service: Service, call: Call) -> Answer:
    """Hand out the tokenizer of a base model."""
    name = lookups.base_model(service, str(call.parameters["base_model"]))
    source = lookups.source(service, name)
    if source.tokenizer_json is None:
        raise Refusal(404, f"{name} has no tokenizer here", field=("base_model",))
    words = ("bos_token", "eos_token", "pad_token", "unk_token")
    config = {"model_max_length": source.config.max_context, **source.tokenizer_config}
    config.pop("chat_template", None)
    return Answer(
        {
            "base_model": name,
            "tokenizer_json": source.tokenizer_json.decode(),
            "chat_template": source.chat_template,
            "tokenizer_config": config,
            **{word: _content(source.tokenizer_config.get(word)) for word in words},
        }
    )


def _content(token: object) -> str | None:
    """Return a special token's text: some files wrap it in an object."""
    if isinstance(token, dict):
        token = token.get("content")
    return token if isinstance(token, str) else None
