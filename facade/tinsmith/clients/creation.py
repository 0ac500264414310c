"""How training and sampling clients come to be. Owns the requests that make them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from tinsmith.clients.sampling import SamplingClient
from tinsmith.clients.sharing import random_copy
from tinsmith.clients.training import TrainingClient
from tinsmith.core.codec.encode import encode_body
from tinsmith.core.codec.structure import to_value
from tinsmith.core.errors import APIResponseValidationError, APIStatusError, InputError
from tinsmith.core.values.params import LoraConfig
from tinsmith.core.values.requests import CreateModelRequest, CreateSamplingSessionRequest
from tinsmith.core.values.rest import WeightsInfoResponse
from tinsmith.core.values.service import CreateModelResponse, CreateSamplingSessionResponse
from tinsmith.io import operations
from tinsmith.io.calls import new_idempotency_key
from tinsmith.io.outcome import fetch
from tinsmith.io.promise import Promise
from tinsmith.io.sampler import NUMBERS_A_COPY, Sampler, copy_number
from tinsmith.io.secrets import secrets_in
from tinsmith.io.submission import Accepted, Submission, refusal, submit
from tinsmith.io.wire import Body, Lane

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tinsmith.core.policy import RetryConfig
    from tinsmith.core.values.optimizers import OptimizerConfig
    from tinsmith.io.link import Link

T = TypeVar("T")


async def create_training(
    link: Link,
    base_model: str,
    lora: LoraConfig,
    user_metadata: Mapping[str, str] | None,
    optimizer: OptimizerConfig | None = None,
    *,
    number: int | None = None,
) -> TrainingClient:
    """Make a model on the server and a client for it."""
    if not isinstance(base_model, str) or not base_model:
        raise InputError("must be the name of a base model", field="base_model")
    session_id = await link.session.open()
    wanted = CreateModelRequest(
        session_id,
        link.session.next_model() if number is None else number,
        base_model,
        None if user_metadata is None else dict(user_metadata),
        lora,
        optimizer,
    )
    created = await promised(link, "create_model", wanted, partial(to_value, CreateModelResponse))
    return TrainingClient(link, created.model_id, base_model=base_model)


async def create_training_from_state(
    link: Link,
    path: str,
    user_metadata: Mapping[str, str] | None,
    optimizer: bool,
    weights_access_token: str | None,
    *,
    base_model: str | None = None,
    optimizer_config: OptimizerConfig | None = None,
) -> TrainingClient:
    """Make a model of the shape of a checkpoint, and load the checkpoint into it."""
    asked = operations.request("weights_info", body={"tinker_path": path})
    info = to_value(WeightsInfoResponse, await operations.perform(link.caller, asked))
    if not info.is_lora or info.lora_rank is None:
        raise APIResponseValidationError(message=f"{path} is no LoRA checkpoint: {info}")
    number = None
    if await link.terms.learn() is not None and link.terms.creates_by_load:
        # Servers of the time of client/config know this, and some take a load only as a model's first act.
        number = link.session.next_model()
        fields = {
            "base_model": base_model,
            "user_metadata": None if user_metadata is None else dict(user_metadata),
            "optimizer_config": optimizer_config,
            "weights_access_token": weights_access_token,
        }
        model_id = await _created_by_load(link, path, optimizer, number, fields)
        if model_id is not None:
            return TrainingClient(link, model_id, base_model=base_model or info.base_model)
    lora = LoraConfig(
        rank=info.lora_rank,
        train_unembed=info.train_unembed is not False,
        train_mlp=info.train_mlp is not False,
        train_attn=info.train_attn is not False,
    )
    client = await create_training(
        link, base_model or info.base_model, lora, user_metadata, optimizer_config, number=number
    )
    load = client.load_state_with_optimizer if optimizer else client.load_state
    await load(path, weights_access_token=weights_access_token)
    return client


async def _created_by_load(
    link: Link, path: str, optimizer: bool, number: int, fields: Mapping[str, object]
) -> str | None:
    """Create a model by loading a checkpoint, in one request; None where the server refuses that."""
    session_id = await link.session.open()
    wanted = {
        "session_id": session_id,
        "model_seq_id": number,
        "path": path,
        "optimizer": optimizer,
        **{name: value for name, value in fields.items() if value is not None},
        "type": "load_weights",
    }
    try:
        model_id = await promised(link, "load_weights", wanted, _named_model)
    except APIStatusError as error:
        if error.applied != "no" or error.status_code not in (400, 404, 405, 422):
            raise
        link.terms.creates_by_load = False
        return None
    return model_id or f"{session_id}:train:{number}"


def _named_model(payload: Any) -> str:
    """Return the model that a creation by load names; nothing where it names none."""
    model_id = payload.get("model_id") if isinstance(payload, dict) else None
    return model_id if isinstance(model_id, str) else ""


async def create_sampling(
    link: Link, model_path: str | None, base_model: str | None, retry_config: RetryConfig | None
) -> SamplingClient:
    """Make a sampler on the server and a client for it."""
    session_id = await link.session.open()
    wanted = CreateSamplingSessionRequest(session_id, link.session.next_sampler(), base_model, model_path)
    payload = await operations.perform(
        link.caller, operations.request("create_sampling_session", body=wanted)
    )
    created = to_value(CreateSamplingSessionResponse, payload)
    return SamplingClient(
        link,
        Sampler(created.sampling_session_id),
        model_path=model_path,
        base_model=base_model,
        retry_config=retry_config,
    )


async def join_sampling(
    link: Link,
    sampling_session_id: str,
    model_path: str | None,
    base_model: str | None,
    retry_config: RetryConfig | None,
) -> SamplingClient:
    """Make a client of a sampler that exists, with numbers that its other clients do not use."""
    number = await copy_number(link, sampling_session_id) or random_copy()
    return SamplingClient(
        link,
        Sampler(sampling_session_id, number * NUMBERS_A_COPY),
        model_path=model_path,
        base_model=base_model,
        retry_config=retry_config,
    )


async def promised(link: Link, operation: str, wanted: object, read: Callable[[Any], T]) -> T:
    """Submit a request that belongs to no line, and return its result as `read` decodes it."""
    submission = Submission(
        operation,
        operations.target(operation),
        Body.of((encode_body(wanted),), secrets=secrets_in(wanted) if isinstance(wanted, dict) else ()),
        new_idempotency_key(),
        link.terms.lane_of_changes(Lane.CONTROL),
        claims=link.claims,
    )
    accepted = await _accepted(link, submission)
    promise = Promise(
        accepted.request_id,
        operation,
        operations.request_type(operation),
        roundtrip_s=accepted.roundtrip_s,
        resent=accepted.resent,
        claims=link.claims,
        read=read,
    )
    result: T = await fetch(link, promise, partial(_accepted, link, submission, unknown_before=True))
    return result


async def _accepted(link: Link, submission: Submission, *, unknown_before: bool = False) -> Accepted:
    answered = await submit(link.caller, submission, unknown_before=unknown_before)
    if isinstance(answered, Accepted):
        return answered
    raise refusal(link.caller, submission, answered)
