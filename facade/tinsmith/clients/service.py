"""ServiceClient: the way in. Owns the settings of one connection and makes the other clients."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from os import PathLike
from types import NoneType, TracebackType
from typing import TYPE_CHECKING, Any, Self

import attrs
from tinsmith_api.models import CopyWeightsResponse, GetServerCapabilitiesResponse
from tinsmith_api.resource import Ask

from tinsmith.clients.ending import FinishStatus, check_status, end
from tinsmith.clients.service_creation import CreationCalls
from tinsmith.core.codec.structure import to_page
from tinsmith.core.config import (
    ClientConfig,
    EncodingChoice,
    OptimAfter,
    Secret,
    ServerChoice,
    telemetry_wanted,
)
from tinsmith.core.deferred import Deferred
from tinsmith.core.errors import InputError
from tinsmith.core.policy import RetryConfig, Timeouts
from tinsmith.core.server_profiles import ServerProfile
from tinsmith.io import operations
from tinsmith.io.context import ClientContext
from tinsmith.io.events import Event, Progress
from tinsmith.io.future import APIFuture
from tinsmith.io.log import log_to_stderr
from tinsmith.io.telemetry import Telemetry

if TYPE_CHECKING:
    import httpx

    from tinsmith.clients import raw as raw_operations
    from tinsmith.clients import rest
else:  # what only annotations name is loaded when somebody reads them
    httpx, rest = Deferred("httpx"), Deferred("tinsmith.clients.rest")
    raw_operations = Deferred("tinsmith.clients.raw")


class ServiceClient(CreationCalls):
    """A connection to one service, with settings of its own.

    Nothing is sent before something is asked for: the session opens with the first model or sampler. Two
    clients in one process share no key, limit or back-off. Use it as a context manager, or call `close`, to
    drain and end it; leaving the process drains what is in flight.

    `user_metadata` are labels of the session, `project_id` the project that pays, `display_name` the
    session's name for people. `timeout` is seconds for each phase of a try (or an `httpx.Timeout`),
    `max_retries` how often a request is sent again. `server` names the kind of server, which is otherwise
    recognised by its answers (`docs/servers.md`); `server_deduplicates` and `encoding` beat it. `models` are
    base models of yours for `local:`, name and path (`docs/models.md`). Settings not
    given come from the environment (`docs/client.md` lists it), then from `ClientConfig`; `config` gives all
    of them at once.

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
        asked = locals()
        if not isinstance(user_metadata, (Mapping, NoneType)):
            raise InputError(
                "must be a mapping of text to text; pass an address as base_url=", field="user_metadata"
            )
        config = _configured(config, {name: asked[name] for name in SETTINGS if asked[name] is not None})
        log_to_stderr(config.log_level)
        self._context = ClientContext(
            config, http_client=http_client, observers=[observer] if observer else []
        )
        self._context.register_client(self)

    @property
    def holder(self) -> ClientContext:
        """What the clients of this service share; the name is the official one."""
        return self._context

    def __repr__(self) -> str:
        config, closed = self.config, self._context.closed
        facts = {
            "base_url": config.base_url,
            "session_id": self.session_id,
            "project_id": config.project_id,
            "display_name": config.display_name,
            "server": self.server.name,
        }
        named = "".join(f" {name}={value!r}" for name, value in facts.items() if value is not None)
        return f"<{type(self).__name__}{named} state={'closed' if closed else 'open'!r}>"

    @property
    def config(self) -> ClientConfig:
        """The settings."""
        return self._context.connection.config

    @property
    def session_id(self) -> str | None:
        """The server's name of this session; None until the first model or sampler opens it."""
        return self._context.session.session_id

    @property
    def server(self) -> ServerProfile:
        """What kind of server this is, as far as its answers have shown; `server.name` is its name."""
        return self._context.connection.server.profile

    def add_observer(self, observer: Callable[[Event], object]) -> None:
        """Have progress, queue states and long waits told to `observer`, which must not block."""
        self._context.connection.observers.add(observer)

    def remove_observer(self, observer: Callable[[Event], object]) -> None:
        """Stop telling `observer`."""
        self._context.connection.observers.remove(observer)

    def progress(self) -> Progress:
        """Count what waits, what is in flight, what ended, and the errors met on the way."""
        return self._context.connection.observers.counts()

    def get_server_capabilities(self) -> GetServerCapabilitiesResponse:
        """Ask which base models the server offers, and wait for the answer.

        Where the server says, `max_context_length` of a model is in tokens. Opens no session.
        """
        return self._capabilities().result()

    async def get_server_capabilities_async(self) -> GetServerCapabilitiesResponse:
        """As `get_server_capabilities`, awaited."""
        return await self._capabilities()

    def create_rest_client(self) -> rest.RestClient:
        """Make a client for runs, checkpoints and sessions; it opens no session."""
        from tinsmith.clients.rest import RestClient

        return RestClient(self._context)

    def get_telemetry(self) -> Telemetry | None:
        """Return the telemetry of this client; None while it is off, as it is by default."""
        return self._context.telemetry

    @property
    def raw(self) -> raw_operations.RawOperations:
        """Every operation of the contract as a call; for what the other clients do not wrap."""
        from tinsmith.clients.raw import RawOperations

        return RawOperations(self._context)

    def attach(self, request_id: str, result: type[Any]) -> APIFuture[Any]:
        """Wait for a promise by its id, decoded as `result`; see `APIFuture.from_request_id`."""
        from tinsmith.clients.attach import attach

        return attach(self._context, request_id, result)

    def copy_weights(
        self, path: str, *, ttl_seconds: int | None = None, weights_access_token: str | None = None
    ) -> APIFuture[str]:
        """Copy a checkpoint into this session, as if a model of it had saved it; the result is its path.

        `path` is a `tinker://` path, `ttl_seconds` 3600 or more (None: kept for ever), and
        `weights_access_token` opens a checkpoint of somebody else. The call raises `InputError`; its future
        `NotFoundError` or `ConflictError` (`applied` "no").
        """
        from tinsmith.clients.rest import copy_of

        return self._context.run(self._copy(copy_of(path, ttl_seconds, weights_access_token)))

    async def copy_weights_async(
        self, path: str, *, ttl_seconds: int | None = None, weights_access_token: str | None = None
    ) -> str:
        """As `copy_weights`, awaited."""
        return await self.copy_weights(
            path, ttl_seconds=ttl_seconds, weights_access_token=weights_access_token
        )

    def close(
        self,
        status: FinishStatus | None = None,
        detail: str | None = None,
        *,
        timeout: float | None = None,
    ) -> APIFuture[None]:
        """Wait for training in flight, at most `timeout` seconds (None: as configured), then end this.

        With a `status` the server is told how the session went, and `detail` in words; a server that does
        not know of it loses nothing. Leaving a `with` block tells "success", "errored" with the name of the
        exception's class, or "interrupted". Returns when all is closed; the future is for `await`.
        """
        check_status(status)
        ended: APIFuture[None] = APIFuture()
        self._context.connection.runtime.finish(end(self._context, status, detail, timeout))
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
        check_status(status)
        await asyncio.wrap_future(
            self._context.connection.runtime.spawn(end(self._context, status, detail, timeout))
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._context.connection.runtime.finish(self._leave(kind))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.wrap_future(self._context.connection.runtime.spawn(self._leave(kind)))

    def _leave(self, kind: type[BaseException] | None) -> Coroutine[Any, Any, None]:
        """End as the block ended: nobody will look at results after an exception."""
        if kind is None:
            return end(self._context, "success", None, None)
        if issubclass(kind, (KeyboardInterrupt, asyncio.CancelledError)):
            return end(self._context, "interrupted", None, 1.0, results=False)
        return end(self._context, "errored", kind.__name__, None, results=False)

    def __reduce__(self) -> Any:
        raise TypeError("a ServiceClient does not pickle: its key and its connections stay in this process")

    async def _copy(self, ask: Ask[CopyWeightsResponse]) -> str:
        """Make a copy in the session of this client, and return its path."""
        from tinsmith.clients.rest import copied

        session = self._context.session
        into = {"session_id": await session.open(), "model_seq_id": session.next_model()}
        assert isinstance(ask.body, dict)
        return await copied(self._context.connection.sender, attrs.evolve(ask, body={**ask.body, **into}))

    def _capabilities(self) -> APIFuture[GetServerCapabilitiesResponse]:
        return self._context.run(self._ask_capabilities())

    async def _ask_capabilities(self) -> GetServerCapabilitiesResponse:
        asked = operations.request("get_server_capabilities")
        payload = await operations.perform(self._context.connection.sender, asked)
        page, problem = to_page(GetServerCapabilitiesResponse, payload, "supported_models")
        self._context.connection.sender.left_out(asked.operation, problem)
        return page


SETTINGS: dict[str, str] = {
    "user_metadata": "user_metadata",
    "project_id": "project_id",
    "api_key": "api_key",
    "base_url": "base_url",
    "timeout": "timeouts",
    "max_retries": "retry",
    "default_headers": "default_headers",
    "default_query": "default_query",
    "display_name": "display_name",
    "require_key_prefix": "require_key_prefix",
    "optim_after": "optim_after",
    "server": "server",
    "server_deduplicates": "server_deduplicates",
    "encoding": "encoding",
    "models": "models",
    "telemetry": "telemetry",
}
"""Each argument of ServiceClient that is a setting -> the field of `ClientConfig` that it sets."""


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
    default = Timeouts()
    return attrs.evolve(
        default,
        connect_s=timeout.connect or default.connect_s,
        read_s=timeout.read or default.read_s,
        write_s=timeout.write or default.write_s,
    )
