"""Names of the official SDK's lower modules that this package has nothing of its own for.

Each does its work with the public clients: the raw operations of `ServiceClient.raw`, futures from request
ids, the settings of `ClientConfig`. It owns no transport and no retry.
"""

from __future__ import annotations

from enum import Enum
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import attrs
import orjson
from tinsmith_api.operations import OPERATIONS

from tinsmith.core.config import ClientConfig
from tinsmith.core.errors import APIStatusError, InputError, TinkerError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from typing import Self

    from tinsmith.clients.service import ServiceClient

F = TypeVar("F")


class ClientConnectionPoolType(Enum):
    """The connections of a client by their use. Here they are chosen by each request."""

    SESSION = "session"
    SAMPLE = "sample"
    TRAIN = "train"
    REST_SUPPORT_REDIRECT = "rest_support_redirect"
    RETRIEVE_PROMISE = "retrieve_promise"
    RETRIEVE_FUTURES = "retrieve_futures"
    TELEMETRY = "telemetry"


class NotGiven:
    """The type of `NOT_GIVEN`: an argument that was left out, where None has a meaning."""

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "NOT_GIVEN"


NOT_GIVEN = NotGiven()
"""Stands for an argument that was left out."""


class ExperimentalWarning(FutureWarning):
    """The official SDK warns of unfinished features with it; nothing here raises it."""


class QueueStateObserver:
    """Base of objects that are told why a request waits. Here any callable is; see `add_observer`."""

    def on_queue_state_change(self, queue_state: object, queue_state_reason: str | None = None) -> None:
        """Take note of a state of the server's queue."""
        raise NotImplementedError


class Resource:
    """Some operations of a raw client under their official names: method -> operation id."""

    def __init__(self, service: ServiceClient) -> None:
        self._service = service
        self._methods: dict[str, str] = {}

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        if name.startswith("_") or name not in self._methods:
            raise AttributeError(
                f"the raw client has no {name!r} here, but {', '.join(sorted(self._methods))};"
                " ServiceClient.raw has every operation of the contract"
            )
        return partial(self._send, self._methods[name])

    def __dir__(self) -> list[str]:
        return sorted(self._methods)

    async def _send(self, operation: str, *, request: object = None) -> Any:
        import tinsmith_api.models as contract
        from tinsmith_api.conversion import from_json, to_json

        from tinsmith import types
        from tinsmith.core.codec.answers import to_value
        from tinsmith.core.codec.encode import encode_body

        known = OPERATIONS[operation]
        call = getattr(self._service.raw, operation)
        if known.request is None:
            found = await call()
        else:
            wanted = getattr(contract, known.request)
            if not isinstance(request, wanted):
                given = orjson.loads(encode_body(request)) if request is not None else {}
                needed = (field.name for field in attrs.fields(wanted) if field.default is attrs.NOTHING)
                request = from_json(wanted, {**dict.fromkeys(needed), **given})
            found = await call(body=request)
        fields = to_json(found)
        name = known.response or ""
        if operation == "retrieve_future":  # the answer names its class in `type`
            name = f"{str(fields.get('type', '')).title().replace('_', '')}Response"
        value: Any = getattr(types, name, None)
        known_here = isinstance(value, type) and not isinstance(found, value)
        return to_value(value, fields) if known_here else found


class AsyncTinker:
    """The raw client: each operation of the API as one awaited call.

    A training request sent from here is in no queue: the caller sees to its number and its promise.
    Requests are retried as everywhere else in this package.
    """

    def __init__(
        self,
        *,
        api_key: str | None = None,
        base_url: str | None = None,
        timeout: Any = NOT_GIVEN,
        max_retries: int | None = None,
        default_headers: Mapping[str, str] | None = None,
        default_query: Mapping[str, str] | None = None,
        http_client: Any = None,
    ) -> None:
        from tinsmith.clients.service import ServiceClient

        self._service = ServiceClient(
            api_key=api_key,
            base_url=None if base_url is None else str(base_url),
            timeout=None if isinstance(timeout, NotGiven) else timeout,
            max_retries=max_retries,
            default_headers=default_headers,
            default_query=default_query,
            http_client=http_client,
        )
        for operation in OPERATIONS.values():
            if operation.official is not None:
                resource, method = operation.official.split(".")
                vars(self).setdefault(resource, Resource(self._service))._methods[method] = operation.id

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Resource: ...

    async def close(self) -> None:
        """Close the connections."""
        await self._service.close_async()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


def _resource(name: str) -> Callable[[AsyncTinker], Resource]:
    """Return what makes a resource of a raw client, as the official class of that name does."""
    return lambda client: getattr(client, name)


AsyncFuturesResource = _resource("futures")
AsyncModelsResource = _resource("models")
AsyncSamplingResource = _resource("sampling")
AsyncServiceResource = _resource("service")
AsyncTelemetryResource = _resource("telemetry")
AsyncTrainingResource = _resource("training")
AsyncWeightsResource = _resource("weights")


def _APIFuture(model_cls: type[Any], holder: Any, untyped_future: Any, **_: object) -> Any:  # noqa: N802
    """Return a future of a promise that the raw client got; `holder` is a client's `holder`."""
    from tinsmith.clients.attach import attach

    return attach(holder.connection, untyped_future.request_id, model_cls)


def model_dump(value: Any, **settings: Any) -> dict[str, Any]:
    """Return the fields of a value by name, as its `model_dump` does."""
    fields: dict[str, Any] = value.model_dump(**settings)
    return fields


def model_json(value: Any, *, indent: int | None = None) -> str:
    """Return a value as the text of its JSON."""
    text: str = value.model_dump_json(indent=indent)
    return text


def model_copy(value: F, *, deep: bool = False) -> F:
    """Return the value: values cannot be changed, so that a copy has no use."""
    return value


def _environment() -> ClientConfig | None:
    try:
        return ClientConfig.from_environment()
    except TinkerError:
        return None


def get_tinker_token() -> str | None:
    """Return the key that a client would take from the environment, or None. Runs no command."""
    config = _environment()
    return config.api_key.reveal() if config and config.api_key else None


def tinker_has_credentials() -> bool:
    """Tell whether a client would find a key, or a command that prints one."""
    config = _environment()
    return config is not None and (config.api_key is not None or bool(config.credential_command))


def raise_if_tinker_not_accessible() -> None:
    """Ask the server what it offers, once; if it cannot be reached or refuses, a `TinkerError` is raised."""
    from tinsmith.clients.service import ServiceClient

    with ServiceClient(max_retries=0) as service:
        service.get_server_capabilities()


def resolve_base_url(base_url: object = None) -> str:
    """Return the address that a client would use: the argument, `TINKER_BASE_URL`, the hosted server."""
    return ClientConfig.from_environment(
        base_url=None if base_url is None else str(base_url), api_key="tml-unused"
    ).base_url.rstrip("/")


def is_user_error(error: BaseException) -> bool:
    """Tell whether what was sent is at fault, and not the server or the network."""
    if isinstance(error, APIStatusError):
        return 400 <= error.status_code < 500 and error.status_code not in (408, 429)
    return isinstance(error, InputError)


def capture_exceptions(func: Any = None, *, fatal: bool = False, severity: str = "ERROR") -> Any:
    """Return the function as it is: telemetry is off here unless asked for, and sees the clients alone."""
    return (lambda inner: inner) if func is None else func
