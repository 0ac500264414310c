"""ServiceClient: the way in. Owns the settings of one connection and makes the other clients."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Self

import attrs

from tinsmith.core.codec.structure import to_value
from tinsmith.core.config import ClientConfig
from tinsmith.core.extras import require_extra
from tinsmith.core.paths import check_tinker_path
from tinsmith.core.policy import RetryConfig, Timeouts
from tinsmith.core.values.service import GetServerCapabilitiesResponse
from tinsmith.io import operations
from tinsmith.io.link import Link
from tinsmith.io.log import log_to_stderr

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

    import httpx

    from tinsmith.clients.raw import RawOperations
    from tinsmith.clients.rest import RestClient
    from tinsmith.clients.sampling import SamplingClient
    from tinsmith.clients.training import TrainingClient
    from tinsmith.core.config import OptimAfter
    from tinsmith.io.future import APIFuture
    from tinsmith.io.observe import Event, Progress
    from tinsmith.io.telemetry import Telemetry


class ServiceClient:
    """A connection to one service, with settings of its own.

    Nothing is sent before something is asked for: the session opens with the first model or sampler. Two
    clients in one process share no key, limit or back-off. Use it as a context manager, or call `close`, to
    drain and end it; leaving the process drains what is in flight.

    >>> import tinsmith
    >>> with tinsmith.ServiceClient(base_url="local:") as service:
    ...     names = [m.model_name for m in service.get_server_capabilities().supported_models]
    >>> "tinsmith/tiny" in names
    True
    """

    def __init__(
        self,
        user_metadata: Mapping[str, str] | None = None,
        *,
        api_key: str | None = None,
        base_url: str | None = None,
        timeout: float | httpx.Timeout | None = None,
        max_retries: int | None = None,
        default_headers: Mapping[str, str] | None = None,
        default_query: Mapping[str, str] | None = None,
        http_client: httpx.AsyncClient | None = None,
        project_id: str | None = None,
        config: ClientConfig | None = None,
        require_key_prefix: bool | None = None,
        optim_after: OptimAfter | None = None,
        server_deduplicates: bool | None = None,
        telemetry: bool | None = None,
        observer: Callable[[Event], object] | None = None,
    ) -> None:
        if isinstance(user_metadata, str):
            raise TypeError("the first argument is user_metadata, a mapping; pass the address as base_url=")
        if config is None:
            settings: dict[str, Any] = {
                "user_metadata": dict(user_metadata or {}),
                "timeouts": _timeouts(timeout),
                "retry": RetryConfig() if max_retries is None else RetryConfig(max_retries=max_retries),
                "default_query": dict(default_query or {}),
                "require_key_prefix": require_key_prefix,
                "optim_after": optim_after,
                "server_deduplicates": server_deduplicates,
            }
            config = ClientConfig.from_environment(
                api_key=api_key,
                base_url=base_url,
                project_id=project_id,
                default_headers=default_headers,
                telemetry=telemetry,
                **{name: value for name, value in settings.items() if value is not None},
            )
        elif user_metadata is not None:
            config = attrs.evolve(config, user_metadata=dict(user_metadata))
        if config.local:
            require_extra("base_url='local:'", "local")
        log_to_stderr(config.log_level)
        self._link = Link(config, http_client=http_client, observers=[observer] if observer else [])

    @property
    def holder(self) -> Link:
        """What the clients of this service share; the name is the official one."""
        return self._link

    @property
    def config(self) -> ClientConfig:
        """The settings."""
        return self._link.config

    def add_observer(self, observer: Callable[[Event], object]) -> None:
        """Have progress, queue states and long waits told to `observer`, which must not block."""
        self._link.observers.add(observer)

    def remove_observer(self, observer: Callable[[Event], object]) -> None:
        """Stop telling `observer`."""
        self._link.observers.remove(observer)

    def progress(self) -> Progress:
        """Count what waits, what is in flight, what ended, and the errors met on the way."""
        return self._link.observers.counts()

    def get_server_capabilities(self) -> GetServerCapabilitiesResponse:
        """Ask which base models the server offers."""
        return self._capabilities().result()

    async def get_server_capabilities_async(self) -> GetServerCapabilitiesResponse:
        """Ask which base models the server offers."""
        return await self._capabilities()

    def create_lora_training_client(
        self,
        base_model: str,
        rank: int = 32,
        seed: int | None = None,
        train_mlp: bool = True,
        train_attn: bool = True,
        train_unembed: bool = True,
        user_metadata: Mapping[str, str] | None = None,
    ) -> TrainingClient:
        """Make a model to train: a fresh LoRA adapter on `base_model`. Waits until the server has it."""
        return self._lora(
            base_model, rank, seed, train_mlp, train_attn, train_unembed, user_metadata
        ).result()

    async def create_lora_training_client_async(
        self,
        base_model: str,
        rank: int = 32,
        seed: int | None = None,
        train_mlp: bool = True,
        train_attn: bool = True,
        train_unembed: bool = True,
        user_metadata: Mapping[str, str] | None = None,
    ) -> TrainingClient:
        """Make a model to train: a fresh LoRA adapter on `base_model`."""
        return await self._lora(base_model, rank, seed, train_mlp, train_attn, train_unembed, user_metadata)

    def create_training_client_from_state(
        self,
        path: str,
        user_metadata: Mapping[str, str] | None = None,
        *,
        weights_access_token: str | None = None,
    ) -> TrainingClient:
        """Make a model with the weights of a checkpoint and a fresh optimizer."""
        return self._from_state(path, user_metadata, False, weights_access_token).result()

    async def create_training_client_from_state_async(
        self,
        path: str,
        user_metadata: Mapping[str, str] | None = None,
        *,
        weights_access_token: str | None = None,
    ) -> TrainingClient:
        """Make a model with the weights of a checkpoint and a fresh optimizer."""
        return await self._from_state(path, user_metadata, False, weights_access_token)

    def create_training_client_from_state_with_optimizer(
        self,
        path: str,
        user_metadata: Mapping[str, str] | None = None,
        *,
        weights_access_token: str | None = None,
    ) -> TrainingClient:
        """Make a model with the weights and the optimizer of a checkpoint."""
        return self._from_state(path, user_metadata, True, weights_access_token).result()

    async def create_training_client_from_state_with_optimizer_async(
        self,
        path: str,
        user_metadata: Mapping[str, str] | None = None,
        *,
        weights_access_token: str | None = None,
    ) -> TrainingClient:
        """Make a model with the weights and the optimizer of a checkpoint."""
        return await self._from_state(path, user_metadata, True, weights_access_token)

    def create_sampling_client(
        self,
        model_path: str | None = None,
        base_model: str | None = None,
        retry_config: RetryConfig | None = None,
    ) -> SamplingClient:
        """Make a sampler of a checkpoint or of a base model."""
        return self._sampling(model_path, base_model, retry_config).result()

    async def create_sampling_client_async(
        self,
        model_path: str | None = None,
        base_model: str | None = None,
        retry_config: RetryConfig | None = None,
    ) -> SamplingClient:
        """Make a sampler of a checkpoint or of a base model."""
        return await self._sampling(model_path, base_model, retry_config)

    def create_rest_client(self) -> RestClient:
        """Make a client for runs, checkpoints and sessions; it opens no session."""
        from tinsmith.clients.rest import RestClient

        return RestClient(self._link)

    def get_telemetry(self) -> Telemetry | None:
        """Return the telemetry of this client; None while it is off, as it is by default."""
        return self._link.telemetry

    @property
    def raw(self) -> RawOperations:
        """Every operation of the contract as a call; for what the other clients do not wrap."""
        from tinsmith.clients.raw import RawOperations

        return RawOperations(self._link)

    def attach(self, request_id: str, result: type[Any]) -> APIFuture[Any]:
        """Wait for a promise by its id, decoded as `result`; see `APIFuture.from_request_id`."""
        from tinsmith.clients.attach import attach

        return attach(self._link, request_id, result)

    def close(self, timeout: float | None = None) -> None:
        """Wait for training in flight, at most `timeout` seconds (None: as configured), then end this."""
        self._link.runtime.spawn(self._link.close(timeout)).result()

    async def close_async(self, timeout: float | None = None) -> None:
        """Wait for training in flight, then end this client."""
        await asyncio.wrap_future(self._link.runtime.spawn(self._link.close(timeout)))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        interrupted = kind is not None and issubclass(kind, KeyboardInterrupt)
        closing = self._link.close(1.0 if interrupted else None, results=kind is None)
        self._link.runtime.spawn(closing).result()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close_async()

    def __reduce__(self) -> Any:
        raise TypeError("a ServiceClient does not pickle: its key and its connections stay in this process")

    def _capabilities(self) -> APIFuture[GetServerCapabilitiesResponse]:
        return self._link.run(self._ask_capabilities())

    async def _ask_capabilities(self) -> GetServerCapabilitiesResponse:
        asked = operations.request("get_server_capabilities")
        return to_value(GetServerCapabilitiesResponse, await operations.perform(self._link.caller, asked))

    def _lora(
        self,
        base_model: str,
        rank: int,
        seed: int | None,
        train_mlp: bool,
        train_attn: bool,
        train_unembed: bool,
        user_metadata: Mapping[str, str] | None,
    ) -> APIFuture[TrainingClient]:
        from tinsmith.clients.creation import create_training
        from tinsmith.core.values.params import LoraConfig

        lora = LoraConfig(
            rank=rank, seed=seed, train_unembed=train_unembed, train_mlp=train_mlp, train_attn=train_attn
        )
        return self._link.run(create_training(self._link, base_model, lora, user_metadata))

    def _from_state(
        self,
        path: str,
        user_metadata: Mapping[str, str] | None,
        optimizer: bool,
        weights_access_token: str | None,
    ) -> APIFuture[TrainingClient]:
        from tinsmith.clients.creation import create_training_from_state

        check_tinker_path(path)
        return self._link.run(
            create_training_from_state(self._link, path, user_metadata, optimizer, weights_access_token)
        )

    def _sampling(
        self, model_path: str | None, base_model: str | None, retry_config: RetryConfig | None
    ) -> APIFuture[SamplingClient]:
        from tinsmith.clients.creation import create_sampling
        from tinsmith.clients.sampling import check_one_of

        check_one_of(model_path, base_model)
        return self._link.run(create_sampling(self._link, model_path, base_model, retry_config))


def _timeouts(timeout: float | httpx.Timeout | None) -> Timeouts | None:
    """Take the official argument: seconds for each phase, or an httpx.Timeout."""
    if timeout is None or isinstance(timeout, (int, float)):
        return Timeouts.of(timeout)
    default = Timeouts()
    return attrs.evolve(
        default,
        connect_s=timeout.connect or default.connect_s,
        read_s=timeout.read or default.read_s,
        write_s=timeout.write or default.write_s,
    )
