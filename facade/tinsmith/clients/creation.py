"""The requests that make models and samplers on the server. It knows no client: those call it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import attrs
from tinsmith_api.models import (
    CreateModelRequest,
    CreateModelResponse,
    CreateSamplingSessionRequest,
    CreateSamplingSessionResponse,
    LoadWeightsRequest,
    LoraConfig,
    WeightsInfoResponse,
)
from tinsmith_api.paths import check_tinker_path

from tinsmith.core.addresses import FILE_SCHEME, AdapterFolder, is_loopback
from tinsmith.core.arguments import optimizer_config
from tinsmith.core.codec.answers import to_value
from tinsmith.core.errors import APIResponseValidationError, APIStatusError, InputError, TinkerError
from tinsmith.core.names import OptimizerConfig
from tinsmith.core.polling import PollState
from tinsmith.core.retry import OpClass
from tinsmith.io.http import operations
from tinsmith.io.http.messages import Lane
from tinsmith.io.http.submission import Submission, have_accepted
from tinsmith.io.poller import Promise
from tinsmith.io.queues.jobs import Job
from tinsmith.io.queues.training_requests import load_weights

if TYPE_CHECKING:
    from collections.abc import Callable

    from tinsmith.core.config import ClientConfig
    from tinsmith.io.connection import Connection
    from tinsmith.io.context import ClientContext
    from tinsmith.io.http.sender import Sender
    from tinsmith.io.queues.training_queue import TrainingQueue
    from tinsmith.io.session import Session

T = TypeVar("T")


@attrs.frozen
class NewModel:
    """A model to be made: a fresh LoRA adapter on a base model."""

    base_model: str = attrs.field()
    """Name of the base model, as the server's list has it."""
    lora: LoraConfig
    """Rank, seed and trained parts of the adapter."""
    user_metadata: Mapping[str, str] | None = None
    """Labels that the user attaches to the model, text by name; None for none."""
    optimizer: OptimizerConfig | None = None
    """Its optimizer; None for Adam."""

    @base_model.validator
    def _check(self, _: object, name: object) -> None:
        if not isinstance(name, str) or not name:
            raise InputError("must be the name of a base model", field="base_model")

    @property
    def rank(self) -> int:
        """The rank of its adapter."""
        return self.lora.rank

    async def make(self, context: ClientContext, queue: TrainingQueue) -> tuple[str, int]:
        """Have the server make it, give its id to its queue, and return its base model and rank."""
        queue.model_id = await self.create(context)
        return self.base_model, self.rank

    async def create(self, context: ClientContext, number: int | None = None) -> str:
        """Have the server make it, as model `number` of the session (None: the next), and return its id."""
        session_id = await context.session.open()
        wanted = CreateModelRequest(
            session_id,
            context.session.next_model() if number is None else number,
            self.base_model,
            None if self.user_metadata is None else dict(self.user_metadata),
            self.lora,
            optimizer_config(self.optimizer),
        )
        created = await _promised(context, "create_model", wanted, partial(to_value, CreateModelResponse))
        return created.model_id


@attrs.frozen
class SavedModel:
    """A model to be made: one of the shape of a checkpoint, and with its weights."""

    wanted: LoadWeightsRequest
    """The checkpoint, and what of the new model is another than the checkpoint's."""

    @property
    def base_model(self) -> str | None:
        """Another base model than the checkpoint's; None for that one."""
        return self.wanted.base_model

    @property
    def rank(self) -> None:
        """The rank is the checkpoint's, which the server knows."""

    async def make(self, context: ClientContext, queue: TrainingQueue) -> tuple[str, int]:
        """Have the server make it, give its id to its queue, and return its base model and rank."""
        wanted = self.wanted
        request = operations.request("weights_info", body={"tinker_path": wanted.path})
        info = to_value(WeightsInfoResponse, await operations.perform(context.connection.sender, request))
        if not info.is_lora or info.lora_rank is None:
            raise APIResponseValidationError(message=f"{wanted.path} is no LoRA checkpoint: {info}")
        shape = (wanted.base_model or info.base_model, info.lora_rank)
        number = None
        if await context.settings.fetch() is not None and context.settings.creates_by_load:
            # Servers with client/config know this, and some take a load only as a model's first request.
            number = context.session.next_model()
            loaded = await self._create_by_load(context, number)
            if loaded is not None:
                queue.last_checkpoint = wanted.path
                queue.model_id = loaded
                return shape
        lora = LoraConfig(
            rank=info.lora_rank,
            train_unembed=info.train_unembed is not False,
            train_mlp=info.train_mlp is not False,
            train_attn=info.train_attn is not False,
        )
        model = NewModel(shape[0], lora, wanted.user_metadata, wanted.optimizer_config)
        model_id = await model.create(context, number)
        queue.model_id = model_id
        load = Job(load_weights(wanted.path, wanted.optimizer, wanted.weights_access_token))
        queue.admit(load)
        try:
            await load.future
        except TinkerError:
            await _unload(context.connection.sender, model_id)
            raise
        return shape

    async def _create_by_load(self, context: ClientContext, number: int) -> str | None:
        """Create a model by loading the checkpoint, in one request; None where the server refuses that."""
        session_id = await context.session.open()
        body = attrs.evolve(self.wanted, session_id=session_id, model_seq_id=number)
        try:
            model_id = await _promised(context, "load_weights", body, _named_model)
        except APIStatusError as error:
            # The outcome of a first send may be unknown; at worst it made a model that nobody uses.
            if error.status_code not in (400, 404, 405, 422):
                raise
            context.settings.creates_by_load = False
            return None
        return model_id or f"{session_id}:train:{number}"


def checkpoint_path(config: ClientConfig, path: str, base_model: str | None) -> str:
    """Return the `tinker://` path of a checkpoint; `file:PATH` is an adapter's directory on this machine."""
    if not (isinstance(path, str) and path.startswith(FILE_SCHEME)):
        return check_tinker_path(path)
    if not (config.local or is_loopback(urlsplit(config.base_url).hostname or "")):
        raise InputError(
            "file: names a directory of this machine, which another machine's server does not read;"
            " base_url='local:' and `tinsmith serve` do",
            field="path",
        )
    directory = path.removeprefix(FILE_SCHEME)
    if directory.startswith("//"):
        from urllib.request import url2pathname  # loads much

        directory = url2pathname(urlsplit(path).path)
    if not directory:
        raise InputError("file: names no directory", field="path")
    return AdapterFolder(os.path.abspath(os.path.expanduser(directory)), base_model).tinker_path


async def create_sampler(
    connection: Connection, session: Session, model_path: str | None, base_model: str | None
) -> str:
    """Have the server make a sampler of a checkpoint or of a base model, and return its id."""
    session_id = await session.open()
    wanted = CreateSamplingSessionRequest(session_id, session.next_sampler(), base_model, model_path)
    operation = "create_sampling_session"
    payload = await operations.perform(connection.sender, operations.request(operation, body=wanted))
    if isinstance(payload, dict) and "sampling_session_id" not in payload and payload.get("request_id"):
        state = PollState(may_resubmit=False, trusted=False)  # some servers only promise a sampler
        promise = Promise(str(payload["request_id"]), operation, state=state, read=dict)
        payload = await connection.poller.fetch(promise)
    return to_value(CreateSamplingSessionResponse, payload).sampling_session_id


async def _unload(sender: Sender, model_id: str) -> None:
    """Unload a model that nobody will use, in one request: a server that does not do so loses nothing."""
    request = operations.request("unload_model", body={"model_id": model_id, "type": "unload_model"})
    with suppress(TinkerError):
        await sender.exchange(request, OpClass.BEST_EFFORT)


def _named_model(payload: Any) -> str:
    """Return the id of the model that a creation by load names; nothing where it names none."""
    model_id = payload.get("model_id") if isinstance(payload, dict) else None
    return model_id if isinstance(model_id, str) else ""


async def _promised(context: ClientContext, operation: str, wanted: object, read: Callable[[Any], T]) -> T:
    """Submit a request that is in no queue, and return its result as `read` decodes it."""
    connection = context.connection
    request = operations.request(operation, body=wanted)
    lane, timeout_s = connection.sender.lane_of_changes(Lane.CONTROL), context.settings.hold_of(operation)
    request = attrs.evolve(request, lane=lane, timeout_s=timeout_s)
    submission = Submission(request, promise_owners=context.promise_owners)
    accepted = await have_accepted(connection.sender, submission)
    resubmit = partial(have_accepted, connection.sender, submission, unknown_before=True)
    result: T = await connection.poller.fetch(Promise.of(submission, accepted, read), resubmit)
    return result
