"""A question that is sent once, however many ask it, and again by the next one after it was lost.

It must not know what is asked.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Generic, TypeVar

from tinsmith.core.errors import TinkerError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

T = TypeVar("T")


class SharedTask(Generic[T]):
    """One question and the answer that it got."""

    def __init__(self, ask: Callable[[], Coroutine[None, None, T]]) -> None:
        self._ask = ask
        self._task: asyncio.Task[T] | None = None

    async def answer(self) -> T:
        """Wait for the answer; one who is cancelled meanwhile leaves the others waiting."""
        if self._task is None or (self._task.done() and _failed(self._task)):
            self._task = asyncio.get_running_loop().create_task(self._ask())
            self._task.add_done_callback(_failed)
        try:
            return await asyncio.shield(self._task)
        except TinkerError as error:
            own = error.again(error.applied)  # each who waited adds ids of its own
            raise own from error.__cause__

    def withdraw(self) -> None:
        """Stop asking."""
        if self._task is not None:
            self._task.cancel()


def _failed(task: asyncio.Task[T]) -> bool:
    return task.cancelled() or task.exception() is not None
