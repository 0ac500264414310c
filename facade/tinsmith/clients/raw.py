"""Every operation of the contract as a call, typed by the generated client, sent by our transport.

For what the other clients do not wrap. A training request sent from here stands in no line: its order, its
number and its promise are the caller's business (`APIFuture.from_request_id` waits for a promise).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar
from urllib.parse import urlencode

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
        build: Callable[P, dict[str, Any]],
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
            asked = _request(self._name, self._build(*args, **kwargs))
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


def _request(name: str, built: dict[str, Any]) -> Request:
    target = built["url"].lstrip("/")
    if built.get("params"):
        target = f"{target}?{urlencode(built['params'])}"
    body = Body.of((orjson.dumps(built["json"]),)) if "json" in built else None
    method = built["method"]
    key = None if method == "GET" else new_idempotency_key()
    headers = {n: v for n, v in built.get("headers", {}).items() if n.lower() != "content-type"}
    return Request(name, method, target, Lane.CONTROL, body, headers, key)


if TYPE_CHECKING:

    def declared(build: Callable[P, dict[str, Any]], parse: Callable[[int, Any], R]) -> RawOperation[P, R]:
        """Give an operation its type."""
        ...


class RawOperations:
    """The operations of one service, by the ids of the contract."""

    if TYPE_CHECKING:
        asample = declared(_asample._get_kwargs, _asample._parse_response)
        auth_token = declared(_auth_token._get_kwargs, _auth_token._parse_response)
        cancel_future = declared(_cancel_future._get_kwargs, _cancel_future._parse_response)
        client_config = declared(_client_config._get_kwargs, _client_config._parse_response)
        client_dynamic_config = declared(
            _client_dynamic_config._get_kwargs, _client_dynamic_config._parse_response
        )
        copy_weights = declared(_copy_weights._get_kwargs, _copy_weights._parse_response)
        create_custom_loss = declared(_create_custom_loss._get_kwargs, _create_custom_loss._parse_response)
        create_model = declared(_create_model._get_kwargs, _create_model._parse_response)
        create_sampling_session = declared(
            _create_sampling_session._get_kwargs, _create_sampling_session._parse_response
        )
        create_session = declared(_create_session._get_kwargs, _create_session._parse_response)
        delete_api_key = declared(_delete_api_key._get_kwargs, _delete_api_key._parse_response)
        delete_checkpoint = declared(_delete_checkpoint._get_kwargs, _delete_checkpoint._parse_response)
        export_session_trace = declared(
            _export_session_trace._get_kwargs, _export_session_trace._parse_response
        )
        finish_session = declared(_finish_session._get_kwargs, _finish_session._parse_response)
        forward = declared(_forward._get_kwargs, _forward._parse_response)
        forward_backward = declared(_forward_backward._get_kwargs, _forward_backward._parse_response)
        get_api_key = declared(_get_api_key._get_kwargs, _get_api_key._parse_response)
        get_checkpoint_archive_url = declared(
            _get_checkpoint_archive_url._get_kwargs, _get_checkpoint_archive_url._parse_response
        )
        get_external_weights_urls = declared(
            _get_external_weights_urls._get_kwargs, _get_external_weights_urls._parse_response
        )
        get_info = declared(_get_info._get_kwargs, _get_info._parse_response)
        get_sampler = declared(_get_sampler._get_kwargs, _get_sampler._parse_response)
        get_server_capabilities = declared(
            _get_server_capabilities._get_kwargs, _get_server_capabilities._parse_response
        )
        get_session = declared(_get_session._get_kwargs, _get_session._parse_response)
        get_tokenizer = declared(_get_tokenizer._get_kwargs, _get_tokenizer._parse_response)
        get_training_run = declared(_get_training_run._get_kwargs, _get_training_run._parse_response)
        healthz = declared(_healthz._get_kwargs, _healthz._parse_response)
        join_sampling_session = declared(
            _join_sampling_session._get_kwargs, _join_sampling_session._parse_response
        )
        list_audit_log = declared(_list_audit_log._get_kwargs, _list_audit_log._parse_response)
        list_billing_usage_events = declared(
            _list_billing_usage_events._get_kwargs, _list_billing_usage_events._parse_response
        )
        list_checkpoint_storage_usage = declared(
            _list_checkpoint_storage_usage._get_kwargs, _list_checkpoint_storage_usage._parse_response
        )
        list_checkpoints = declared(_list_checkpoints._get_kwargs, _list_checkpoints._parse_response)
        list_sessions = declared(_list_sessions._get_kwargs, _list_sessions._parse_response)
        list_training_runs = declared(_list_training_runs._get_kwargs, _list_training_runs._parse_response)
        list_user_checkpoints = declared(
            _list_user_checkpoints._get_kwargs, _list_user_checkpoints._parse_response
        )
        load_weights = declared(_load_weights._get_kwargs, _load_weights._parse_response)
        optim_step = declared(_optim_step._get_kwargs, _optim_step._parse_response)
        publish_checkpoint = declared(_publish_checkpoint._get_kwargs, _publish_checkpoint._parse_response)
        retrieve_future = declared(_retrieve_future._get_kwargs, _retrieve_future._parse_response)
        retrieve_futures = declared(_retrieve_futures._get_kwargs, _retrieve_futures._parse_response)
        save_weights = declared(_save_weights._get_kwargs, _save_weights._parse_response)
        save_weights_external = declared(
            _save_weights_external._get_kwargs, _save_weights_external._parse_response
        )
        save_weights_for_sampler = declared(
            _save_weights_for_sampler._get_kwargs, _save_weights_for_sampler._parse_response
        )
        search_sessions = declared(_search_sessions._get_kwargs, _search_sessions._parse_response)
        session_heartbeat = declared(_session_heartbeat._get_kwargs, _session_heartbeat._parse_response)
        set_checkpoint_ttl = declared(_set_checkpoint_ttl._get_kwargs, _set_checkpoint_ttl._parse_response)
        set_session_project = declared(_set_session_project._get_kwargs, _set_session_project._parse_response)
        telemetry = declared(_telemetry._get_kwargs, _telemetry._parse_response)
        unload_model = declared(_unload_model._get_kwargs, _unload_model._parse_response)
        unpublish_checkpoint = declared(
            _unpublish_checkpoint._get_kwargs, _unpublish_checkpoint._parse_response
        )
        weights_info = declared(_weights_info._get_kwargs, _weights_info._parse_response)

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
            return RawOperation(self._link, name, module._get_kwargs, module._parse_response, self._retry)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *OPERATIONS]
