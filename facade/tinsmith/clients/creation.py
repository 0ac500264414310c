"""How training and sampling clients come to be. Owns the requests that make them."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import attrs
from tinsmith_api.models import (
    CreateModelRequest,
    CreateModelResponse,
    CreateSamplingSessionRequest,
    CreateSamplingSessionResponse,
    LoraConfig,
    WeightsInfoResponse,
)

from tinsmith.clients.sampling import SamplingClient
from tinsmith.clients.sharing import random_copy
from tinsmith.clients.training import TrainingClient
from tinsmith.clients.training_calls import load_state
from tinsmith.core.arguments import as_config
from tinsmith.core.codec.encode import encode_body
from tinsmith.core.codec.structure import to_value
from tinsmith.core.decision import OpClass
from tinsmith.core.errors import APIResponseValidationError, APIStatusError, InputError, TinkerError
from tinsmith.core.polling import PollState
from tinsmith.core.values.names import OptimizerConfig
from tinsmith.io import operations
from tinsmith.io.http.messages import Body, Lane
from tinsmith.io.http.redaction import secrets_in
from tinsmith.io.http.sender import new_idempotency_key
from tinsmith.io.http.submission import Accepted, Submission, refusal, submit
from tinsmith.io.polling.promise import Promise
from tinsmith.io.queues.results import fetch
from tinsmith.io.queues.sampling_session import NUMBERS_A_COPY, SamplingSession, copy_number

if TYPE_CHECKING:
    from collections.abc import Callable

    from tinsmith_api.models import SaveWeightsForSamplerResponse

    from tinsmith.core.policy import RetryConfig
    from tinsmith.io.context import ClientContext
    from tinsmith.io.future import APIFuture

T = TypeVar("T")


def create_training(
    context: ClientContext,
    base_model: str,
    lora: LoraConfig,
    user_metadata: Mapping[str, str] | None,
    optimizer: OptimizerConfig | None = None,
) -> TrainingClient:
    """Ask for a model, and return its client at once."""
    if not isinstance(base_model, str) or not base_model:
        raise InputError("must be the name of a base model", field="base_model")
    context.connection.check()
    client = TrainingClient(context, base_model=base_model, rank=lora.rank)

    async def make() -> None:
        client._line.named(await _create_model(context, base_model, lora, user_metadata, optimizer))

    context.create(client._open(make), client, client._refuse)
    return client


async def _create_model(
    context: ClientContext,
    base_model: str,
    lora: LoraConfig,
    user_metadata: Mapping[str, str] | None,
    optimizer: OptimizerConfig | None = None,
    *,
    number: int | None = None,
) -> str:
    """Make a model on the server, and return its name."""
    session_id = await context.session.open()
    wanted = CreateModelRequest(
        session_id,
        context.session.next_model() if number is None else number,
        base_model,
        None if user_metadata is None else dict(user_metadata),
        lora,
        as_config(optimizer),
    )
    created = await promised(context, "create_model", wanted, partial(to_value, CreateModelResponse))
    return created.model_id


@attrs.frozen
class Restoring:
    """A checkpoint, and the model that is to be made of it."""

    path: str
    """The checkpoint."""
    optimizer: bool
    """Whether the optimizer is restored too."""
    user_metadata: Mapping[str, str] | None = None
    """Labels of the model."""
    weights_access_token: str | None = attrs.field(default=None, repr=False)
    """Opens a checkpoint of somebody else."""
    base_model: str | None = None
    """Another base model than the checkpoint's."""
    optimizer_config: OptimizerConfig | None = None
    """The optimizer of the model."""


def create_training_from_state(context: ClientContext, wanted: Restoring) -> TrainingClient:
    """Ask for a model of the shape of a checkpoint and with its weights, and return its client at once."""
    context.connection.check()
    client = TrainingClient(context, base_model=wanted.base_model)
    context.create(client._open(partial(_restore, context, client, wanted)), client, client._refuse)
    return client


async def _restore(context: ClientContext, client: TrainingClient, wanted: Restoring) -> None:
    """Make a model of the shape of a checkpoint, and load the checkpoint into it."""
    line = client._line
    asked = operations.request("weights_info", body={"tinker_path": wanted.path})
    info = to_value(WeightsInfoResponse, await operations.perform(context.connection.sender, asked))
    if not info.is_lora or info.lora_rank is None:
        raise APIResponseValidationError(message=f"{wanted.path} is no LoRA checkpoint: {info}")
    base_model = wanted.base_model or info.base_model
    client._base_model, client._rank = base_model, info.lora_rank
    number = None
    if await context.settings.learn() is not None and context.settings.creates_by_load:
        # Servers of the time of client/config know this, and some take a load only as a model's first act.
        number = context.session.next_model()
        loaded = await _created_by_load(context, wanted, number)
        if loaded is not None:
            line.last_checkpoint = wanted.path
            line.named(loaded)
            return
    lora = LoraConfig(
        rank=info.lora_rank,
        train_unembed=info.train_unembed is not False,
        train_mlp=info.train_mlp is not False,
        train_attn=info.train_attn is not False,
    )
    model_id = await _create_model(
        context, base_model, lora, wanted.user_metadata, wanted.optimizer_config, number=number
    )
    line.named(model_id)
    load = load_state(line, wanted.path, wanted.optimizer, wanted.weights_access_token)
    line.admit(load)
    try:
        await load.future
    except TinkerError:
        await _unload(context, model_id)
        raise


async def _unload(context: ClientContext, model_id: str) -> None:
    """Let a model go that nobody will hold, asked once: a server that does not do so loses nothing."""
    asked = operations.request("unload_model", body={"model_id": model_id, "type": "unload_model"})
    with suppress(TinkerError):
        await context.connection.sender.exchange(asked, OpClass.BEST_EFFORT)


async def _created_by_load(context: ClientContext, wanted: Restoring, number: int) -> str | None:
    """Create a model by loading a checkpoint, in one request; None where the server refuses that."""
    session_id = await context.session.open()
    fields = {
        "base_model": wanted.base_model,
        "user_metadata": None if wanted.user_metadata is None else dict(wanted.user_metadata),
        "optimizer_config": as_config(wanted.optimizer_config),
        "weights_access_token": wanted.weights_access_token,
    }
    body = {
        "session_id": session_id,
        "model_seq_id": number,
        "path": wanted.path,
        "optimizer": wanted.optimizer,
        **{name: value for name, value in fields.items() if value is not None},
        "type": "load_weights",
    }
    try:
        model_id = await promised(context, "load_weights", body, _named_model)
    except APIStatusError as error:
        # of one that was sent twice nobody knows the first end; at worst it made a model that nobody uses
        if error.status_code not in (400, 404, 405, 422):
            raise
        context.settings.creates_by_load = False
        return None
    return model_id or f"{session_id}:train:{number}"


def _named_model(payload: Any) -> str:
    """Return the model that a creation by load names; nothing where it names none."""
    model_id = payload.get("model_id") if isinstance(payload, dict) else None
    return model_id if isinstance(model_id, str) else ""


def create_sampling(
    context: ClientContext, model_path: str | None, base_model: str | None, retry_config: RetryConfig | None
) -> SamplingClient:
    """Ask for a sampler, and return its client at once."""
    context.connection.check()
    client = SamplingClient(
        context, SamplingSession(), model_path=model_path, base_model=base_model, retry_config=retry_config
    )

    async def make() -> None:
        client._sampler.named(await _create_sampler(context, model_path, base_model))

    context.create(client._open(make), client, client._refuse)
    return client


async def _create_sampler(context: ClientContext, model_path: str | None, base_model: str | None) -> str:
    """Make a sampler on the server, and return its name."""
    session_id = await context.session.open()
    wanted = CreateSamplingSessionRequest(session_id, context.session.next_sampler(), base_model, model_path)
    asked = operations.request("create_sampling_session", body=wanted)
    payload = await operations.perform(context.connection.sender, asked)
    if isinstance(payload, dict) and "sampling_session_id" not in payload and payload.get("request_id"):
        payload = await _promised_sampler(context, str(payload["request_id"]))
    return to_value(CreateSamplingSessionResponse, payload).sampling_session_id


async def _promised_sampler(context: ClientContext, request_id: str) -> Any:
    """Wait for a sampler that some servers promise only."""
    operation = "create_sampling_session"
    state = PollState(may_resubmit=False, trusted=False)
    promise = Promise(request_id, operation, operations.request_type(operation), state=state, read=dict)
    return await fetch(context.connection, promise, None)


def sample_saved(
    trainer: TrainingClient,
    saving: APIFuture[SaveWeightsForSamplerResponse],
    retry_config: RetryConfig | None,
) -> SamplingClient:
    """Return the client of the sampler that weights are being saved for."""
    context = trainer._context
    client = SamplingClient(
        context, SamplingSession(), base_model=trainer._base_model, retry_config=retry_config
    )
    client.origin = saving

    async def make() -> None:
        saved = await saving
        client._base_model = trainer._base_model
        client._sampler.named(
            saved.sampling_session_id or await _create_sampler(context, saved.path, None),
        )

    context.create(client._open(make), client, client._refuse)
    return client


def join_sampling(
    context: ClientContext,
    sampling_session_id: str,
    model_path: str | None,
    base_model: str | None,
    retry_config: RetryConfig | None,
) -> SamplingClient:
    """Return a client of a sampler that exists, with numbers that its other clients do not use."""
    context.connection.check()
    client = SamplingClient(
        context, SamplingSession(), model_path=model_path, base_model=base_model, retry_config=retry_config
    )

    async def make() -> None:
        number = await copy_number(context.connection.sender, sampling_session_id) or random_copy()
        client._sampler.named(sampling_session_id, number * NUMBERS_A_COPY)

    context.create(client._open(make), client, client._refuse)
    return client


async def promised(context: ClientContext, operation: str, wanted: object, read: Callable[[Any], T]) -> T:
    """Submit a request that belongs to no line, and return its result as `read` decodes it."""
    submission = Submission(
        operation,
        operations.target(operation),
        Body.of((encode_body(wanted),), secrets=secrets_in(wanted) if isinstance(wanted, dict) else ()),
        new_idempotency_key(),
        context.connection.server.lane_of_changes(Lane.CONTROL),
        claims=context.claims,
        timeout_s=context.settings.hold_of(operation),
    )
    accepted = await _accepted(context, submission)
    promise = Promise(
        accepted.request_id,
        operation,
        operations.request_type(operation),
        roundtrip_s=accepted.roundtrip_s,
        resent=accepted.resent,
        claims=context.claims,
        read=read,
    )
    result: T = await fetch(
        context.connection, promise, partial(_accepted, context, submission, unknown_before=True)
    )
    return result


async def _accepted(
    context: ClientContext, submission: Submission, *, unknown_before: bool = False
) -> Accepted:
    answered = await submit(context.connection.sender, submission, unknown_before=unknown_before)
    if isinstance(answered, Accepted):
        return answered
    raise refusal(context.connection.sender, submission, answered)
