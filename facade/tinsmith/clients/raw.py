"""Every operation of the contract as a call, typed by the generated client, sent by our transport.

For what the other clients do not wrap. A training request sent from here stands in no line: its order, its
number and its promise are the caller's business (`APIFuture.from_request_id` waits for a promise).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar

import orjson
from tinsmith_api.operations import OPERATIONS
from tinsmith_api.types import InvalidBody

from tinsmith.core.errors import APIResponseValidationError, InputError
from tinsmith.core.verdict import OpClass
from tinsmith.io import operations
from tinsmith.io.calls import new_idempotency_key
from tinsmith.io.wire import Body, Lane, Request

if TYPE_CHECKING:
    from collections.abc import Callable

    from tinsmith_api.api.audit import list_audit_log as _list_audit_log
    from tinsmith_api.api.auth import auth_token as _auth_token
    from tinsmith_api.api.auth import delete_api_key as _delete_api_key
    from tinsmith_api.api.auth import get_api_key as _get_api_key
    from tinsmith_api.api.billing import list_billing_usage_events as _list_billing_usage_events
    from tinsmith_api.api.billing import list_checkpoint_storage_usage as _list_checkpoint_storage_usage
    from tinsmith_api.api.checkpoints import delete_checkpoint as _delete_checkpoint
    from tinsmith_api.api.checkpoints import get_checkpoint_archive_url as _get_checkpoint_archive_url
    from tinsmith_api.api.checkpoints import get_external_weights_urls as _get_external_weights_urls
    from tinsmith_api.api.checkpoints import list_checkpoints as _list_checkpoints
    from tinsmith_api.api.checkpoints import list_user_checkpoints as _list_user_checkpoints
    from tinsmith_api.api.checkpoints import publish_checkpoint as _publish_checkpoint
    from tinsmith_api.api.checkpoints import set_checkpoint_ttl as _set_checkpoint_ttl
    from tinsmith_api.api.checkpoints import unpublish_checkpoint as _unpublish_checkpoint
    from tinsmith_api.api.futures import cancel_future as _cancel_future
    from tinsmith_api.api.futures import retrieve_future as _retrieve_future
    from tinsmith_api.api.futures import retrieve_futures as _retrieve_futures
    from tinsmith_api.api.models import create_model as _create_model
    from tinsmith_api.api.models import get_info as _get_info
    from tinsmith_api.api.models import get_tokenizer as _get_tokenizer
    from tinsmith_api.api.models import unload_model as _unload_model
    from tinsmith_api.api.sampling import asample as _asample
    from tinsmith_api.api.sampling import create_sampling_session as _create_sampling_session
    from tinsmith_api.api.sampling import get_sampler as _get_sampler
    from tinsmith_api.api.sampling import join_sampling_session as _join_sampling_session
    from tinsmith_api.api.service import client_config as _client_config
    from tinsmith_api.api.service import client_dynamic_config as _client_dynamic_config
    from tinsmith_api.api.service import get_server_capabilities as _get_server_capabilities
    from tinsmith_api.api.service import healthz as _healthz
    from tinsmith_api.api.sessions import create_session as _create_session
    from tinsmith_api.api.sessions import export_session_trace as _export_session_trace
    from tinsmith_api.api.sessions import finish_session as _finish_session
    from tinsmith_api.api.sessions import get_session as _get_session
    from tinsmith_api.api.sessions import list_sessions as _list_sessions
    from tinsmith_api.api.sessions import search_sessions as _search_sessions
    from tinsmith_api.api.sessions import session_heartbeat as _session_heartbeat
    from tinsmith_api.api.sessions import set_session_project as _set_session_project
    from tinsmith_api.api.telemetry import telemetry as _telemetry
    from tinsmith_api.api.training import create_custom_loss as _create_custom_loss
    from tinsmith_api.api.training import forward as _forward
    from tinsmith_api.api.training import forward_backward as _forward_backward
    from tinsmith_api.api.training import optim_step as _optim_step
    from tinsmith_api.api.training_runs import get_training_run as _get_training_run
    from tinsmith_api.api.training_runs import list_training_runs as _list_training_runs
    from tinsmith_api.api.weights import copy_weights as _copy_weights
    from tinsmith_api.api.weights import load_weights as _load_weights
    from tinsmith_api.api.weights import save_weights as _save_weights
    from tinsmith_api.api.weights import save_weights_external as _save_weights_external
    from tinsmith_api.api.weights import save_weights_for_sampler as _save_weights_for_sampler
    from tinsmith_api.api.weights import weights_info as _weights_info
    from tinsmith_api.endpoint import Request as BuiltRequest

    from tinsmith.core.policy import RetryConfig
    from tinsmith.io.future import APIFuture
    from tinsmith.io.link import Link

P = ParamSpec("P")
R = TypeVar("R")


class RawOperation(Generic[P, R]):
    """One operation: call it with the parameters of the generated client, and get a future of its model."""

    def __init__(
        self,
        link: Link,
        name: str,
        build: Callable[P, BuiltRequest],
        parse: Callable[[int, Any], R],
        retry: RetryConfig | None,
    ) -> None:
        self._link = link
        self._name = name
        self._build = build
        self._parse = parse
        self._retry = retry

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> APIFuture[R]:
        """Send the request; wrong parameters raise before anything is sent."""
        wanted = getattr(self._build, "__annotations__", {}).get("body")
        given = kwargs.get("body")
        if isinstance(wanted, type) and "body" in kwargs and not isinstance(given, wanted):
            problem = f"must be tinsmith_api.models.{wanted.__name__}, not {type(given).__name__}"
            raise InputError(problem, field="body")
        try:
            asked = _request(self._build(*args, **kwargs))
        except ValueError as cause:
            raise InputError(str(cause), field=self._name) from cause
        except TypeError as cause:  # which names the generated function
            raise TypeError(str(cause).replace(self._build.__name__, self._name)) from None
        return self._link.run(self._send(asked))

    async def _send(self, asked: Request) -> R:
        op = OpClass.SUBMIT if OPERATIONS[self._name].result else OpClass.READ
        caller = self._link.caller
        exchange = await caller.exchange(asked, op, valid=operations.is_json, retry=self._retry)
        answer = exchange.answer
        redirected = answer is not None and 300 <= answer.status < 400
        if answer is None or not (exchange.done or redirected):
            raise caller.error(exchange)
        try:
            body = orjson.loads(answer.body) if answer.body.strip() and not redirected else None
            return self._parse(answer.status, body)
        except InvalidBody as cause:
            raise APIResponseValidationError(message=str(cause), status_code=answer.status) from cause


def _request(built: BuiltRequest) -> Request:
    body = None if built.body is None else Body.of((orjson.dumps(built.json()),))
    key = None if built.method == "GET" else new_idempotency_key()
    target = built.target.lstrip("/")
    return Request(built.operation, built.method, target, Lane.CONTROL, body, dict(built.headers), key)


if TYPE_CHECKING:

    def declared(build: Callable[P, BuiltRequest], parse: Callable[[int, Any], R]) -> RawOperation[P, R]:
        """Give an operation its type."""
        ...


class RawOperations:
    """The operations of one service, by the ids of the contract."""

    if TYPE_CHECKING:
        asample = declared(_asample.request, _asample.parse)
        auth_token = declared(_auth_token.request, _auth_token.parse)
        cancel_future = declared(_cancel_future.request, _cancel_future.parse)
        client_config = declared(_client_config.request, _client_config.parse)
        client_dynamic_config = declared(_client_dynamic_config.request, _client_dynamic_config.parse)
        copy_weights = declared(_copy_weights.request, _copy_weights.parse)
        create_custom_loss = declared(_create_custom_loss.request, _create_custom_loss.parse)
        create_model = declared(_create_model.request, _create_model.parse)
        create_sampling_session = declared(_create_sampling_session.request, _create_sampling_session.parse)
        create_session = declared(_create_session.request, _create_session.parse)
        delete_api_key = declared(_delete_api_key.request, _delete_api_key.parse)
        delete_checkpoint = declared(_delete_checkpoint.request, _delete_checkpoint.parse)
        export_session_trace = declared(_export_session_trace.request, _export_session_trace.parse)
        finish_session = declared(_finish_session.request, _finish_session.parse)
        forward = declared(_forward.request, _forward.parse)
        forward_backward = declared(_forward_backward.request, _forward_backward.parse)
        get_api_key = declared(_get_api_key.request, _get_api_key.parse)
        get_checkpoint_archive_url = declared(
            _get_checkpoint_archive_url.request, _get_checkpoint_archive_url.parse
        )
        get_external_weights_urls = declared(
            _get_external_weights_urls.request, _get_external_weights_urls.parse
        )
        get_info = declared(_get_info.request, _get_info.parse)
        get_sampler = declared(_get_sampler.request, _get_sampler.parse)
        get_server_capabilities = declared(_get_server_capabilities.request, _get_server_capabilities.parse)
        get_session = declared(_get_session.request, _get_session.parse)
        get_tokenizer = declared(_get_tokenizer.request, _get_tokenizer.parse)
        get_training_run = declared(_get_training_run.request, _get_training_run.parse)
        healthz = declared(_healthz.request, _healthz.parse)
        join_sampling_session = declared(_join_sampling_session.request, _join_sampling_session.parse)
        list_audit_log = declared(_list_audit_log.request, _list_audit_log.parse)
        list_billing_usage_events = declared(
            _list_billing_usage_events.request, _list_billing_usage_events.parse
        )
        list_checkpoint_storage_usage = declared(
            _list_checkpoint_storage_usage.request, _list_checkpoint_storage_usage.parse
        )
        list_checkpoints = declared(_list_checkpoints.request, _list_checkpoints.parse)
        list_sessions = declared(_list_sessions.request, _list_sessions.parse)
        list_training_runs = declared(_list_training_runs.request, _list_training_runs.parse)
        list_user_checkpoints = declared(_list_user_checkpoints.request, _list_user_checkpoints.parse)
        load_weights = declared(_load_weights.request, _load_weights.parse)
        optim_step = declared(_optim_step.request, _optim_step.parse)
        publish_checkpoint = declared(_publish_checkpoint.request, _publish_checkpoint.parse)
        retrieve_future = declared(_retrieve_future.request, _retrieve_future.parse)
        retrieve_futures = declared(_retrieve_futures.request, _retrieve_futures.parse)
        save_weights = declared(_save_weights.request, _save_weights.parse)
        save_weights_external = declared(_save_weights_external.request, _save_weights_external.parse)
        save_weights_for_sampler = declared(
            _save_weights_for_sampler.request, _save_weights_for_sampler.parse
        )
        search_sessions = declared(_search_sessions.request, _search_sessions.parse)
        session_heartbeat = declared(_session_heartbeat.request, _session_heartbeat.parse)
        set_checkpoint_ttl = declared(_set_checkpoint_ttl.request, _set_checkpoint_ttl.parse)
        set_session_project = declared(_set_session_project.request, _set_session_project.parse)
        telemetry = declared(_telemetry.request, _telemetry.parse)
        unload_model = declared(_unload_model.request, _unload_model.parse)
        unpublish_checkpoint = declared(_unpublish_checkpoint.request, _unpublish_checkpoint.parse)
        weights_info = declared(_weights_info.request, _weights_info.parse)

    def __init__(self, link: Link, retry: RetryConfig | None = None) -> None:
        self._link = link
        self._retry = retry

    def retrying(self, retry: RetryConfig) -> RawOperations:
        """Return the same operations under other rules of retrying."""
        return RawOperations(self._link, retry)

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> RawOperation[..., Any]:
            if name not in OPERATIONS:
                raise AttributeError(f"the contract has no operation {name!r}")
            module = import_module(f"tinsmith_api.api.{OPERATIONS[name].tag}.{name}")
            return RawOperation(self._link, name, module.request, module.parse, self._retry)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *OPERATIONS]
