"""ServiceClient: where a program begins. Owns the settings of one connection and makes the other clients."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from os import PathLike
from types import NoneType, TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self, get_args

import attrs
from tinsmith_api.models import (
    CopyWeightsResponse,
    GetServerCapabilitiesResponse,
    LoadWeightsRequest,
    LoraConfig,
)
from tinsmith_api.resource import Ask

from tinsmith.core.arguments import check_optimizer, labels, optimizer_config
from tinsmith.core.codec.answers import to_page
from tinsmith.core.config import (
    ClientConfig,
    EncodingChoice,
    OptimAfter,
    RetryConfig,
    Secret,
    ServerChoice,
    Timeouts,
    telemetry_wanted,
)
from tinsmith.core.errors import InputError
from tinsmith.core.names import OptimizerConfig
from tinsmith.core.optional_deps import Deferred
from tinsmith.core.server_profiles import ServerProfile
from tinsmith.io.connection import Connection
from tinsmith.io.context import ClientContext
from tinsmith.io.events import Event, Progress, log_to_stderr
from tinsmith.io.future import APIFuture, awaited
from tinsmith.io.http import operations
from tinsmith.io.telemetry import Telemetry

if TYPE_CHECKING:
    import httpx

    from tinsmith.clients import raw as raw_operations
    from tinsmith.clients import rest, sampling, training
    from tinsmith.core import tokenization
else:  # what only annotations name is loaded when somebody reads them
    httpx, raw_operations = Deferred("httpx"), Deferred("tinsmith.clients.raw")
    rest, sampling = Deferred("tinsmith.clients.rest"), Deferred("tinsmith.clients.sampling")
    training = Deferred("tinsmith.clients.training")
    tokenization = Deferred("tinsmith.core.tokenization")

FinishStatus = Literal["success", "errored", "interrupted"]
"""How the work of a session went."""


class ServiceClient:
    """A connection to one service, with settings of its own.

    The constructor sends nothing: the session opens with the first model or sampler. Two clients in one
    process share no key, limit or back-off. Use it as a context manager, or call `close`: both wait for what
    is in flight, and end the session. Leaving the process waits for what is in flight, too.

    `base_url` is the address of the server; "local:" starts the embedded service in this process,
    "local:PATH" one that keeps its data in a folder. `user_metadata` are labels of the session, `project_id`
    the project that pays, `display_name` the session's name for people. `timeout` is the limit in seconds of
    each phase of an attempt (or an `httpx.Timeout`), `max_retries` how often a request is sent again at most.
    `server` names the kind of server, which is otherwise recognised by its answers (`docs/servers.md`);
    `server_deduplicates` and `encoding` take precedence over what that kind does. `models` are base models of
    yours for `local:`, path by name (`docs/models.md`). Settings that are not given come from the environment
    (`docs/reference/environment.md` lists the variables), then from the defaults of `ClientConfig`; `config`
    gives all of them at once.

    The constructor raises `InputError` for settings that cannot be right and for a missing key, and
    `MissingExtraError` for `base_url="local:"` without the extra `local`. Methods that ask the server raise
    `AuthenticationError`, `PermissionDeniedError` and other refusals with `applied` "no",
    `InternalServerError`, `APIConnectionError` and `APITimeoutError` with "unknown" ("no" if the server was
    never reached), `SessionLostError` once the server forgot the session, and `ClosedError` after `close`.

    >>> import tinsmith
    >>> with tinsmith.ServiceClient(base_url="local:") as service:
    ...     names = [m.model_name for m in service.get_server_capabilities().supported_models]
    ...     trainer = service.create_lora_training_client("tinsmith/tiny", rank=4, seed=1)
    ...     path = trainer.save_state("start").result().path
    ...     again = service.create_training_client_from_state(path)
    ...     sampler = service.create_sampling_client(base_model="tinsmith/tiny")
    >>> "tinsmith/tiny" in names, again.model_id != trainer.model_id, sampler.get_base_model()
    (True, True, 'tinsmith/tiny')
    """

    def __init__(
        self,
        user_metadata: Mapping[str, str] | None = None,
        project_id: str | None = None,
        *,
        api_key: str | None = None,
        base_url: str | None = None,
        timeout: float | httpx.Timeout | None = None,
        max_retries: int | None = None,
        default_headers: Mapping[str, str] | None = None,
        default_query: Mapping[str, str] | None = None,
        http_client: httpx.AsyncClient | None = None,
        display_name: str | None = None,
        config: ClientConfig | None = None,
        require_key_prefix: bool | None = None,
        optim_after: OptimAfter | None = None,
        server: ServerChoice | None = None,
        server_deduplicates: bool | None = None,
        encoding: EncodingChoice | None = None,
        models: Mapping[str, str | PathLike[str]] | None = None,
        telemetry: bool | None = None,
        observer: Callable[[Event], object] | None = None,
    ) -> None:
        given = locals()
        if not isinstance(user_metadata, (Mapping, NoneType)):
            raise InputError(
                "must be a mapping of text to text; pass an address as base_url=", field="user_metadata"
            )
        config = _configured(config, {name: given[name] for name in SETTINGS if given[name] is not None})
        log_to_stderr(config.log_level)
        observers = [observer] if observer else []
        self._context = ClientContext(Connection(config, http_client=http_client, observers=observers))
        self._connection = self._context.connection
        self._context.register_client(self)

    @property
    def holder(self) -> ClientContext:
        """What the clients of this service share; the name is the official one."""
        return self._context

    def __repr__(self) -> str:
        named = "".join(f" {name}={value!r}" for name, value in self._facts().items() if value is not None)
        return f"<{type(self).__name__}{named}>"

    def _repr_html_(self) -> str:
        """Return the table that a notebook shows: the connection, and how many requests there were."""
        from tinsmith_api.tables import facts_table

        counts = self.progress()
        requests = f"{counts.waiting} waiting, {counts.in_flight} in flight, {counts.done} done"
        failed = f", {counts.failed} failed" if counts.failed else ""
        return facts_table(type(self).__name__, {**self._facts(), "requests": requests + failed})

    def _facts(self) -> dict[str, object]:
        """Return what the repr shows, by name."""
        config = self.config
        return {
            "base_url": config.base_url,
            "session_id": self.session_id,
            "project_id": config.project_id,
            "display_name": config.display_name,
            "server": self.server.name,
            "state": "closed" if self.closed else "open",
        }

    @property
    def config(self) -> ClientConfig:
        """The settings of this client, those of arguments and environment among them."""
        return self._connection.config

    @property
    def session_id(self) -> str | None:
        """The server's id of this session; None until the first model or sampler opens it."""
        return self._context.session.session_id

    @property
    def server(self) -> ServerProfile:
        """The kind of this server, as far as its answers show it; `server.name` is its name."""
        return self._connection.server.profile

    @property
    def closed(self) -> bool:
        """Whether every call raises: `close` has returned, or the server has lost the session."""
        return self._context.connection.closed

    def add_observer(self, observer: Callable[[Event], object]) -> None:
        """Have `observer` called with each `Event`: progress, queue states, long waits. It must not block."""
        self._connection.observers.add(observer)

    def remove_observer(self, observer: Callable[[Event], object]) -> None:
        """Stop calling `observer`."""
        self._connection.observers.remove(observer)

    def progress(self) -> Progress:
        """Count the requests that wait, are in flight and have ended, and the errors of attempts by kind."""
        return self._connection.observers.counts()

    def get_server_capabilities(self) -> GetServerCapabilitiesResponse:
        """Ask which base models the server offers, and wait for the answer.

        `supported_models` of the result has one entry a base model: its `model_name`, and its
        `max_context_length` in tokens (None where the server does not say). Opens no session.
        """
        return self._connection.run(self._ask_capabilities()).result()

    async def get_server_capabilities_async(self) -> GetServerCapabilitiesResponse:
        """As `get_server_capabilities`, awaited."""
        return await self._connection.run(self._ask_capabilities())

    def get_tokenizer(self, base_model: str) -> tokenization.Tokenizer:
        """Return the tokenizer of a base model, and wait for it; nothing is made on the server.

        It comes from the server; where the server has none, the name of the model says where it is. Raises
        `NotFoundError` or `InputError` for an unknown model, `MissingExtraError` where the tokenizer is on
        the hub and the extra `hub` is not installed, and `TinkerError` where it cannot be had.
        """
        return self._connection.run(self._ask_tokenizer(base_model)).result()

    async def get_tokenizer_async(self, base_model: str) -> tokenization.Tokenizer:
        """As `get_tokenizer`, awaited."""
        return await self._connection.run(self._ask_tokenizer(base_model))

    def create_lora_training_client(
        self,
        base_model: str,
        rank: int = 32,
        seed: int | None = None,
        train_mlp: bool = True,
        train_attn: bool = True,
        train_unembed: bool = True,
        user_metadata: Mapping[str, str] | None = None,
        optimizer: OptimizerConfig | None = None,
    ) -> training.TrainingClient:
        """Ask for a model to train, a fresh LoRA adapter on `base_model`, and return its client at once.

        `await` the client, or call its `result()`, to wait until the server has the model. Calls made before
        that are queued behind the creation, and fail with it (`applied` "no").

        `base_model` is one that `get_server_capabilities` names. `rank` is the rank of the adapter, at least
        1; `seed` fixes its initial weights (None: the server draws them). `train_mlp`, `train_attn` and
        `train_unembed` say which layers get an adapter; at least one is true. `user_metadata` are labels that
        lists show. `optimizer` is Adam where it is None. Raises `InputError` before sending; the client
        raises `BadRequestError` or `NotFoundError` (`applied` "no") for a base model or an optimizer that the
        server does not have.
        """
        from tinsmith.clients.creation import NewModel
        from tinsmith.clients.training import TrainingClient

        if optimizer is not None:
            check_optimizer(optimizer)
        lora = LoraConfig(
            rank=rank, seed=seed, train_unembed=train_unembed, train_mlp=train_mlp, train_attn=train_attn
        )
        return TrainingClient._of(self._context, NewModel(base_model, lora, labels(user_metadata), optimizer))

    create_lora_training_client_async = awaited(create_lora_training_client)

    def create_training_client_from_state(
        self,
        path: str,
        user_metadata: Mapping[str, str] | None = None,
        *,
        base_model: str | None = None,
        weights_access_token: str | None = None,
        optimizer: OptimizerConfig | None = None,
    ) -> training.TrainingClient:
        """Ask for a model with the weights of a checkpoint and a fresh optimizer; return its client at once.

        `path` is a `tinker://` path of training weights; the new model has their base model, rank and trained
        parts. On `local:` and `tinsmith serve` of this machine it may be `file:PATH`, the directory of an
        adapter that peft or Tinsmith wrote (`docs/models.md`). `weights_access_token` opens a checkpoint of
        somebody else, `base_model` names another base model than the checkpoint's. Raises `InputError` before
        sending for what is no path; the client raises `NotFoundError` (`applied` "no") for one that is not
        there, and otherwise what `load_state` does.
        """
        return self._from_state(path, user_metadata, base_model, weights_access_token, optimizer=optimizer)

    create_training_client_from_state_async = awaited(create_training_client_from_state)

    def create_training_client_from_state_with_optimizer(
        self,
        path: str,
        user_metadata: Mapping[str, str] | None = None,
        *,
        base_model: str | None = None,
        weights_access_token: str | None = None,
    ) -> training.TrainingClient:
        """Ask for a model with the weights and the optimizer of a checkpoint; return its client at once.

        As `create_training_client_from_state`; a sampler's checkpoint, which has no optimizer, is refused
        with `BadRequestError` (`applied` "no") by the embedded service.
        """
        return self._from_state(path, user_metadata, base_model, weights_access_token, with_optimizer=True)

    create_training_client_from_state_with_optimizer_async = awaited(
        create_training_client_from_state_with_optimizer
    )

    def create_sampling_client(
        self,
        model_path: str | None = None,
        base_model: str | None = None,
        retry_config: RetryConfig | None = None,
        record_stability_info: bool = False,
    ) -> sampling.SamplingClient:
        """Ask for a sampler of a checkpoint or of a base model, and return its client at once.

        Give exactly one of `model_path`, a `tinker://` path, and `base_model`; `InputError` otherwise.
        `retry_config` holds for all samples of the new client (None: the settings of this one). Samples that
        are asked for before the server has the sampler are queued behind it. `record_stability_info` has the
        server record what the loss `stable_reinforce` needs of each sample. The client raises `NotFoundError`
        or `BadRequestError` (`applied` "no") for what the server does not have.
        """
        from tinsmith.clients.sampling import SamplingClient

        return SamplingClient._of(self._context, model_path, base_model, retry_config, record_stability_info)

    create_sampling_client_async = awaited(create_sampling_client)

    def create_rest_client(self) -> rest.RestClient:
        """Make a client for runs, checkpoints and sessions; it opens no session."""
        from tinsmith.clients.rest import RestClient

        return RestClient(self._context)

    def get_telemetry(self) -> Telemetry | None:
        """Return the telemetry of this client; None where it is off, as it is by default."""
        return self._context.telemetry

    @property
    def raw(self) -> raw_operations.RawOperations:
        """Every operation of the contract as a method, for what the other clients do not offer."""
        from tinsmith.clients.raw import RawOperations

        return RawOperations(self._connection, self._context.settings)

    def attach(self, request_id: str, result: type[Any]) -> APIFuture[Any]:
        """Return a future of the promise with this id, which another future or another process made.

        `result` is the class of its result, such as `types.OptimStepResponse`. The call raises `InputError`
        for a class that is no promise's result; see `APIFuture.from_request_id`.
        """
        from tinsmith.clients.attach import attach

        return attach(self._connection, request_id, result)

    def copy_weights(
        self, path: str, *, ttl_seconds: int | None = None, weights_access_token: str | None = None
    ) -> APIFuture[str]:
        """Copy a checkpoint into this session, as if a model of it had saved it; the result is its path.

        `path` is a `tinker://` path. `ttl_seconds` is how many seconds the copy is kept, 3600 or more (None:
        for ever). `weights_access_token` opens somebody else's checkpoint (None: for one's own and public
        ones). The call raises `InputError`; its future `NotFoundError` or `ConflictError` (`applied` "no").
        """
        from tinsmith.clients.rest import copy_of

        return self._connection.run(self._copy(copy_of(path, ttl_seconds, weights_access_token)))

    copy_weights_async = awaited(copy_weights)

    def close(
        self,
        status: FinishStatus | None = None,
        detail: str | None = None,
        *,
        timeout: float | None = None,
    ) -> APIFuture[None]:
        """Wait for training in flight, at most `timeout` seconds (None: `FlowLimits.exit_drain_s`), then end.

        A `status` reports to the server how the session went, and `detail` says it in words; a server without
        such a route is not an error. Leaving a `with` block reports "success", "errored" with the name of the
        exception's class, or "interrupted". Returns when all is closed; the future is for `await`. Raises
        `InputError` for any other `status`.
        """
        _check_status(status)
        ended: APIFuture[None] = APIFuture()
        self._connection.runtime.finish(self._end(status, detail, timeout))
        ended.settle(None)
        return ended

    async def close_async(
        self,
        status: FinishStatus | None = None,
        detail: str | None = None,
        *,
        timeout: float | None = None,
    ) -> None:
        """As `close`, awaited."""
        _check_status(status)
        await asyncio.wrap_future(self._connection.runtime.spawn(self._end(status, detail, timeout)))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.runtime.finish(self._leave(kind))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.wrap_future(self._connection.runtime.spawn(self._leave(kind)))

    def __reduce__(self) -> Any:
        raise TypeError("a ServiceClient does not pickle: its key and its connections stay in this process")

    def _leave(self, kind: type[BaseException] | None) -> Coroutine[Any, Any, None]:
        """End as the block ended: nobody will look at results after an exception."""
        if kind is None:
            return self._end("success")
        if issubclass(kind, (KeyboardInterrupt, asyncio.CancelledError)):
            return self._end("interrupted", timeout=1.0, results=False)
        return self._end("errored", kind.__name__, results=False)

    def _end(
        self,
        status: FinishStatus | None,
        detail: str | None = None,
        timeout: float | None = None,
        *,
        results: bool = True,
    ) -> Coroutine[Any, Any, None]:
        """Take no new calls from now on, and return what ends this client.

        The refusal does not wait for the loop, which threads that submit without a pause may keep busy.
        """
        self._context.begin_to_close()
        return self._drain_and_close(status, detail, timeout, results)

    async def _drain_and_close(
        self, status: FinishStatus | None, detail: str | None, timeout: float | None, results: bool
    ) -> None:
        """Wait for what is in flight, report to the server how the session went, and close."""
        context = self._context
        if status is not None and not context.connection.closed:
            await context.drain(timeout, results=results)
            await context.session.finish(status, detail)
            timeout = 0.0  # drained
        await context.aclose(timeout, results=results)

    def _from_state(
        self,
        path: str,
        user_metadata: Mapping[str, str] | None,
        base_model: str | None,
        weights_access_token: str | None,
        *,
        with_optimizer: bool = False,
        optimizer: OptimizerConfig | None = None,
    ) -> training.TrainingClient:
        from tinsmith.clients.creation import SavedModel, checkpoint_path
        from tinsmith.clients.training import TrainingClient

        if optimizer is not None:
            check_optimizer(optimizer)
        wanted = LoadWeightsRequest(
            checkpoint_path(self.config, path, base_model),
            with_optimizer,
            base_model=base_model,
            user_metadata=labels(user_metadata),
            optimizer_config=optimizer_config(optimizer),
            weights_access_token=weights_access_token,
        )
        return TrainingClient._of(self._context, SavedModel(wanted))

    async def _copy(self, ask: Ask[CopyWeightsResponse]) -> str:
        """Make a copy in the session of this client, and return its path."""
        from tinsmith.clients.rest import copied

        session = self._context.session
        into = {"session_id": await session.open(), "model_seq_id": session.next_model()}
        assert isinstance(ask.body, dict)
        return await copied(self._connection.sender, attrs.evolve(ask, body={**ask.body, **into}))

    async def _ask_tokenizer(self, base_model: str) -> tokenization.Tokenizer:
        from tinsmith.clients.tokenizer import tokenizer_of

        found: tokenization.Tokenizer = await tokenizer_of(self._connection, base_model, None, "tokenizers")
        return found

    async def _ask_capabilities(self) -> GetServerCapabilitiesResponse:
        request = operations.request("get_server_capabilities")
        payload = await operations.perform(self._connection.sender, request)
        page, problem = to_page(GetServerCapabilitiesResponse, payload, "supported_models")
        self._connection.sender.left_out(request.operation, problem)
        return page


_UNDER_THEIR_NAMES = (
    "user_metadata project_id api_key base_url default_headers default_query display_name require_key_prefix"
    " optim_after server server_deduplicates encoding models telemetry"
)
SETTINGS: dict[str, str] = {
    **{name: name for name in _UNDER_THEIR_NAMES.split()},
    "timeout": "timeouts",
    "max_retries": "retry",
}
"""Each argument of ServiceClient that is a setting -> the field of `ClientConfig` that it sets."""


def _check_status(status: object) -> None:
    """Refuse what is no status; None reports nothing to the server."""
    if status is not None and status not in get_args(FinishStatus):
        raise InputError(
            f"must be one of {', '.join(get_args(FinishStatus))}, not {status!r}", field="status"
        )


def _configured(config: ClientConfig | None, given: Mapping[str, Any]) -> ClientConfig:
    """Make the settings of arguments: over those of `config`, or over those of the environment."""
    fields: dict[str, Any] = {SETTINGS[name]: value for name, value in given.items()}
    for name in ("user_metadata", "default_headers", "default_query"):
        if name in fields:
            fields[name] = dict(fields[name])
    if "timeouts" in fields:
        fields["timeouts"] = _timeouts(fields["timeouts"])
    if "retry" in fields:
        retry = RetryConfig() if config is None else config.retry
        fields["retry"] = attrs.evolve(retry, max_retries=fields["retry"])
    if config is None:
        return ClientConfig.from_environment(**fields)
    if "api_key" in fields:
        fields["api_key"] = Secret.of(fields["api_key"])
    if "telemetry" in fields:
        fields["telemetry"] = telemetry_wanted(fields["telemetry"])
    return attrs.evolve(config, **fields)


def _timeouts(timeout: float | httpx.Timeout | None) -> Timeouts | None:
    """Take the official argument: seconds for each phase, or an httpx.Timeout."""
    if timeout is None or isinstance(timeout, (int, float)):
        return Timeouts.of(timeout)
    if not hasattr(timeout, "connect"):
        raise InputError(
            f"must be seconds or an httpx.Timeout, not a {type(timeout).__name__}", field="timeout"
        )
    phases = {f"{phase}_s": getattr(timeout, phase) for phase in ("connect", "read", "write")}
    return attrs.evolve(Timeouts(), **{name: bound for name, bound in phases.items() if bound})
