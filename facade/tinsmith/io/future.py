"""When a result may be waited for, and futures made of others.

The future itself is `tinsmith_api.future.APIFuture`. It must not know how a result comes about: `io.queues`
sets it once.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import os
from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from functools import partial, wraps
from inspect import signature
from typing import Any, Concatenate, ParamSpec, TypeVar

from tinsmith_api.future import APIFuture as APIFuture
from tinsmith_api.future import Attaching as Attaching
from tinsmith_api.future import Wait, may_wait
from tinsmith_api.future import handed_out as handed_out

from tinsmith.core.errors import ClosedError, InputError
from tinsmith.io import runtime as _runtime

P = ParamSpec("P")
S = TypeVar("S")
T = TypeVar("T")
U = TypeVar("U")


class HeldLine:
    """The queue whose turn a custom loss holds."""

    __slots__ = ("line",)

    def __init__(self, line: object) -> None:
        self.line: object = line
        """The queue; None once the loss has returned, since its context lives on in what it began."""


HELD_LINE: ContextVar[HeldLine | None] = ContextVar("held_line", default=None)
"""What the custom loss holds that runs in this context; None outside of one."""


def _refuse(future: APIFuture[Any], how: Wait) -> None:
    """Refuse a wait that cannot end."""
    if how == "watch":
        _refuse_own_line(future)
        return
    if future.pid != os.getpid():
        raise ClosedError(
            "this future belongs to the parent process; after a fork nobody sets it here",
            applied="unknown",
        )
    _refuse_own_line(future)
    if how == "block" and _runtime.in_loop_thread():
        raise RuntimeError(
            "result() was called on tinsmith's own loop thread, where it would wait for ever; "
            "in a callback, use result_async() from a loop of yours, or hand the work to a thread"
        )


def _refuse_own_line(future: APIFuture[Any]) -> None:
    """Refuse to wait, inside a custom loss, for what cannot begin before the loss has returned."""
    held = HELD_LINE.get()
    if held is None or held.line is None or _runtime.in_loop_thread():  # what the loss began may wait
        return
    waits_for: APIFuture[Any] | None = future
    while waits_for is not None:
        if waits_for.line is held.line and waits_for.seq_id is None and not waits_for.done():
            raise InputError(
                f"waits for {waits_for.operation}, a later call of its own training client, which cannot"
                " begin before the loss has returned; wait for it after forward_backward_custom",
                field="loss_fn",
                applied="no",
            )
        waits_for = waits_for.origin


may_wait.append(_refuse)


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


def completed(value: T) -> APIFuture[T]:
    """Return a future that already has its result."""
    future: APIFuture[T] = APIFuture()
    future.set_result(value)
    return future


def failed(error: BaseException) -> APIFuture[Any]:
    """Return a future that already has its error."""
    future: APIFuture[Any] = APIFuture()
    future.set_exception(error)
    return future


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
