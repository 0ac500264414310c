"""Wait for a promise by its id alone, for instance one that was noted before a crash."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, cast

from tinsmith_api.operations import OPERATIONS

from tinsmith.core.codec.answers import to_value
from tinsmith.core.codec.decode import decode_forward_backward, decode_sample, loads
from tinsmith.core.codec.encode import encode_body
from tinsmith.core.errors import InputError
from tinsmith.core.polling import PollState
from tinsmith.io.future import APIFuture
from tinsmith.io.poller import Promise

if TYPE_CHECKING:
    from collections.abc import Callable

    from tinsmith_api.operations import Operation

    from tinsmith.io.connection import Connection

T = TypeVar("T")

_ENDS_IN = {each.result: each for each in OPERATIONS.values() if each.result}
"""Name of a result -> an operation whose promise ends in it."""

_DECODERS: dict[str, Callable[[Any], Any]] = {
    "ForwardBackwardOutput": decode_forward_backward,
    "SampleResponse": decode_sample,
}
"""Name of a result that has a class of our own -> how its payload is decoded."""


def attach(connection: Connection, request_id: str, result: type[Any]) -> APIFuture[Any]:
    """Return a future of a promise that another future, or another process, made."""
    _operation_of(result)
    if not isinstance(request_id, str) or not request_id:
        raise InputError("must be the id of a promise", field="request_id")
    future: APIFuture[Any] = APIFuture()
    future.request_ids.append(request_id)
    return connection.run(result_of(connection, request_id, result), future)


async def result_of(connection: Connection, request_id: str, result: type[T]) -> T:
    """Wait for a promise, and read its result as `result`."""
    operation = _operation_of(result)
    state = PollState(may_resubmit=False, trusted=False)
    promise = Promise(request_id, operation.id, state=state, read=_reader(result))
    return cast("T", await connection.poller.fetch(promise))


def _operation_of(result: type[Any]) -> Operation:
    """Return an operation whose promise ends in this result."""
    name = getattr(result, "__name__", None)
    if name not in _ENDS_IN:
        raise InputError(
            f"{result!r} is no result of a promise; known are {', '.join(sorted(_ENDS_IN))}", field="result"
        )
    return _ENDS_IN[name]


def _reader(result: type[Any]) -> Callable[[Any], Any]:
    """Choose how a payload is read; a value that we decode goes through JSON to a class of the contract."""
    decode = _DECODERS.get(result.__name__)
    if decode is None:
        return partial(to_value, result)
    if not result.__module__.startswith("tinsmith_api."):
        return decode
    return lambda payload: to_value(result, loads(encode_body(decode(payload))))
