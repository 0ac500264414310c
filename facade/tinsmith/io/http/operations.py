"""Build the request of an operation of the contract, and read its answer.

It owns the way from an operation id to a request. It must not send: `io.http.sender` does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlencode

import attrs
import orjson
from tinsmith_api.arguments import checked
from tinsmith_api.exchange import as_text
from tinsmith_api.operations import OPERATIONS
from tinsmith_api.types import path_segment

from tinsmith.core.codec.encode import encode_body
from tinsmith.core.errors import InputError
from tinsmith.core.failures import broken_answer
from tinsmith.core.retry import OpClass
from tinsmith.io.http.messages import Body, Lane, Request, secrets_in
from tinsmith.io.http.sender import new_idempotency_key

if TYPE_CHECKING:
    from tinsmith_api.resource import Ask

    from tinsmith.io.http.messages import Answer
    from tinsmith.io.http.sender import Sender

T = TypeVar("T")


def target(operation: str, path: Mapping[str, str] | None = None) -> str:
    """Return the path of an operation relative to the base URL, its parameters filled in and quoted.

    A checkpoint without a kind takes one segment: some servers name them so.
    """
    template = OPERATIONS[operation].path.lstrip("/")
    if not path:
        return template
    for name, value in path.items():
        if not isinstance(value, str):
            raise InputError(f"must be a text, not {value!r}", field=name)
    if "checkpoint_kind" not in path:
        template = template.replace("{checkpoint_kind}/", "")
    return template.format(**{name: path_segment(name, value) for name, value in path.items()})


def request(
    operation: str,
    *,
    path: Mapping[str, str] | None = None,
    query: Mapping[str, object] | None = None,
    body: object = None,
    lane: Lane = Lane.CONTROL,
    headers: Mapping[str, str] | None = None,
    timeout_s: float | None = None,
) -> Request:
    """Build the request of an operation; query values that are None are left out."""
    method = OPERATIONS[operation].method
    where = target(operation, path)
    given = {name: as_text(value) for name, value in (query or {}).items() if value is not None}
    if given:
        where = f"{where}?{urlencode(given)}"
    return Request(
        operation,
        method,
        where,
        lane,
        None if body is None else Body.of((encode_body(body),), secrets=_secrets(body)),
        dict(headers or {}),
        None if method == "GET" else new_idempotency_key(),
        timeout_s,
    )


def fit(ask: Ask[T]) -> Ask[T]:
    """Check the arguments of an operation against the contract; those that were not given are left out."""
    body = ask.body
    if ask.model is not None and not isinstance(body, ask.model):
        known, given = ask.model.__name__, type(body).__name__
        raise InputError(
            f"must be tinsmith_api.models.{known}, not {given}", field=ask.names.get("body", "body")
        )
    if ask.model is not None:
        checked(ask.operation, _fields(body), ask.names)
    return attrs.evolve(
        ask,
        path=checked(ask.operation, ask.path, ask.names),
        query=checked(ask.operation, ask.query, ask.names),
        headers=checked(ask.operation, ask.headers, ask.names),
        body=checked(ask.operation, body, ask.names) if isinstance(body, Mapping) else body,
    )


def request_of(ask: Ask[Any], path: Mapping[str, str] | None = None) -> Request:
    """Build the request of arguments that were checked; `path` replaces theirs."""
    headers = {name: value for name, value in ask.headers.items() if value is not None}
    return request(ask.operation, path=path or ask.path, query=ask.query, headers=headers, body=ask.body)


async def perform(sender: Sender, request: Request, *, op: OpClass = OpClass.READ) -> Any:
    """Send a request that answers at once, and return its decoded body; None when there is none."""
    answer = await sender.call(request, op, valid=is_json)
    return decoded(answer, request.operation)


def decoded(answer: Answer, operation: str) -> Any:
    """Decode an answer of success; None when it has no body."""
    if not answer.body.strip():
        return None
    try:
        return answer.json()
    except orjson.JSONDecodeError as error:
        raise broken_answer(answer.status, answer.body, f"a body that {operation} cannot read") from error


def is_json(answer: Answer) -> bool:
    """Say whether an answer of success can be read."""
    if not answer.body.strip():
        return answer.status == 204
    try:
        answer.json()
    except orjson.JSONDecodeError:
        return False
    return True


def _fields(body: Any) -> dict[str, object]:
    """Return what a model holds, by the names of its fields, without looking inside."""
    return {field.name: getattr(body, field.name) for field in attrs.fields(type(body))}


def _secrets(body: object) -> tuple[str, ...]:
    fields = body if isinstance(body, Mapping) else _fields(body) if attrs.has(type(body)) else {}
    return secrets_in(fields)
