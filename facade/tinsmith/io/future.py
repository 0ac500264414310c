"""Futures made of others, and the `_async` forms of methods that return one.

The future itself is `tinsmith_api.future.APIFuture`. It must not know how a result comes about: `io.queues`
sets it once.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import Callable, Coroutine
from functools import partial, wraps
from inspect import signature
from typing import Any, Concatenate, ParamSpec, TypeVar

from tinsmith_api.future import APIFuture as APIFuture
from tinsmith_api.future import Attaching as Attaching
from tinsmith_api.future import handed_out as handed_out

P = ParamSpec("P")
S = TypeVar("S")
T = TypeVar("T")
U = TypeVar("U")


def then(source: APIFuture[T], change: Callable[[T], U]) -> APIFuture[U]:
    """Return a future of `change(result)` that shares the fate and the ids of `source`."""
    changed: APIFuture[U] = APIFuture()
    changed.request_ids = source.request_ids
    changed.operation, changed.origin = source.operation, source

    def follow(done: concurrent.futures.Future[T]) -> None:
        if done.cancelled():
            changed.cancel()
            return
        error = done.exception(0)
        if error is not None:
            changed.fail(error)
            return
        try:
            changed.settle(change(done.result(0)))
        except Exception as wrong:  # noqa: BLE001  # whatever `change` raises is the outcome
            changed.fail(wrong)

    def withdraw() -> None:
        source.cancel()

    changed.on_cancel(withdraw)
    source.add_done_callback(follow)
    return changed


def awaited(
    method: Callable[Concatenate[S, P], APIFuture[T]], *, blocks: Callable[[S], bool] | None = None
) -> Callable[Concatenate[S, P], Coroutine[Any, Any, T]]:
    """Make the `_async` form of a method that returns a future: the same call, and its result awaited.

    Where `blocks` says that the call itself may block, it is made in a thread.
    """

    async def form(self: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        call = partial(getattr(self, method.__name__), *args, **kwargs)
        future: APIFuture[T] = await asyncio.to_thread(call) if blocks and blocks(self) else call()
        return await future

    result = method.__annotations__["return"]
    return _async_form(form, method, "awaited", result.removeprefix("APIFuture[").removesuffix("]"))


def twice_awaited(
    method: Callable[Concatenate[S, P], APIFuture[T]],
) -> Callable[Concatenate[S, P], Coroutine[Any, Any, APIFuture[T]]]:
    """Make the `_async` form of a method whose order counts: awaited once it is queued, twice it is done."""

    async def form(self: S, /, *args: P.args, **kwargs: P.kwargs) -> APIFuture[T]:
        return await handed_out(getattr(self, method.__name__)(*args, **kwargs))

    return _async_form(form, method, "and await the future that it returns", method.__annotations__["return"])


def _async_form(form: Callable[P, U], method: Callable[..., Any], how: str, result: str) -> Callable[P, U]:
    """Name, document and sign the `_async` form of a method; what it calls is looked up in its class."""
    made: Any = wraps(method)(form)
    made.__name__, made.__qualname__ = f"{method.__name__}_async", f"{method.__qualname__}_async"
    made.__doc__ = f"As `{method.__name__}`, {how}."
    made.__annotations__ = {**method.__annotations__, "return": result}
    made.__signature__ = signature(method).replace(return_annotation=result)
    return form
