"""RawOperations: every operation of the contract as a method, sent as the other clients send.

For what the other clients do not offer. A training request that is sent from here is in no queue: its order
and its number are the caller's business.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import attrs
import orjson
from tinsmith_api.exchange import Response
from tinsmith_api.operations import OPERATIONS
from tinsmith_api.resource import Ask, RawFuture, RawPromise
from tinsmith_api.resources.raw import RawOperations as Operations

from tinsmith.clients.attach import result_of
from tinsmith.core.codec.answers import to_value
from tinsmith.core.codec.encode import encode_plain_batch
from tinsmith.core.codec.wire import CONTENT_TYPES
from tinsmith.core.retry import OpClass
from tinsmith.io.http import operations
from tinsmith.io.http.messages import Body

if TYPE_CHECKING:
    from tinsmith.core.codec.wire import Encoding
    from tinsmith.core.config import RetryConfig
    from tinsmith.io.connection import Connection
    from tinsmith.io.http.messages import Request
    from tinsmith.io.settings import ServerSettings

T = TypeVar("T")
R = TypeVar("R")
F = TypeVar("F", bound=RawFuture[Any])


class RawOperations(Operations):
    """The operations of one service, by their ids in the contract.

    A method takes the fields of the request's body by name, or a body of `tinsmith_api.models` as `body`. It
    returns a future at once: `result()` is the parsed answer, `response()` has its status and headers too. An
    operation that answers with a promise has `resolved()`, a future of the promise's result. A method raises
    `InputError` for what the contract does not allow, and its future what the other clients' futures raise.

    >>> import tinsmith
    >>> with tinsmith.ServiceClient(base_url="local:") as service:
    ...     answer = service.raw.healthz().response()
    >>> answer.status_code, answer.parsed.status
    (200, 'ok')
    """

    def __init__(
        self,
        connection: Connection,
        settings: ServerSettings,
        retry: RetryConfig | None = None,
        encoding: Encoding | None = None,
    ) -> None:
        self._connection = connection
        self._settings = settings
        self._retry = retry
        self._encoding = encoding

    def retrying(self, retry: RetryConfig) -> RawOperations:
        """Return the same operations with other rules of when a request is sent again."""
        return RawOperations(self._connection, self._settings, retry, self._encoding)

    def encoded(self, encoding: Encoding) -> RawOperations:
        """Return the same operations with bodies in JSON or protobuf, whichever the server asks for.

        Only `forward_backward` has a binary form, whose `seq_id` must be given.
        """
        return RawOperations(self._connection, self._settings, self._retry, encoding)

    if not TYPE_CHECKING:  # a type checker would take any attribute for one that is there

        def __getattr__(self, name: str) -> Any:
            raise AttributeError(f"the contract has no operation {name!r}")

    def _ask(self, ask: Ask[T]) -> RawFuture[T]:
        return self._sent(ask, RawFuture())

    def _promise(self, ask: Ask[T], result: type[R]) -> RawPromise[T, R]:
        future: RawPromise[T, R] = self._sent(ask, RawPromise())

        async def resolved() -> R:
            made: Any = await future
            return await result_of(self._connection, made.request_id, result)

        future.follow(lambda: self._connection.run(resolved()))
        return future

    def _sent(self, ask: Ask[T], future: F) -> F:
        """Send a request, and return the future that was made for its answer."""
        self._connection.run(self._answered(ask, self._request(ask), future), future)
        return future

    def _request(self, ask: Ask[Any]) -> Request:
        request = operations.request_of(operations.fit(ask))
        encoding = self._encoding or self._settings.encoding or self._connection.config.encoding
        if encoding != "protobuf" or "request" not in OPERATIONS[ask.operation].protobuf:
            return request
        body = Body.of(encode_plain_batch(ask.body), CONTENT_TYPES["protobuf"])
        return attrs.evolve(request, body=body)

    async def _answered(self, ask: Ask[T], request: Request, future: RawFuture[T]) -> T:
        op = OpClass.SUBMIT if OPERATIONS[ask.operation].result else OpClass.READ
        sender = self._connection.sender
        exchange = await sender.exchange(request, op, valid=operations.is_json, retry=self._retry)
        answer = exchange.answer
        redirected = answer is not None and 300 <= answer.status < 400
        if answer is None or not (exchange.done or redirected):
            raise sender.error(exchange)
        body = None if redirected or not answer.body.strip() else orjson.loads(answer.body)
        parsed = to_value(ask.result, body)
        future.answer(Response(answer.status, answer.body, answer.headers, parsed))
        return parsed
