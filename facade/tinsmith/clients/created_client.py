"""A client that is handed out before the server has made what it works on: it is the future of itself.

It owns how such a client waits. How it comes to be is `clients.creation`'s.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NoReturn, TypeVar

from tinsmith.core.errors import InputError, TinkerError
from tinsmith.io.context import ClientContext
from tinsmith.io.future import APIFuture
from tinsmith.io.queues.pending_jobs import unexpected

T = TypeVar("T")


class CreatedClient(APIFuture[T]):
    """A client, and the future of it.

    Calls can be made at once: they wait their turn behind the creation. `await` the client, or call
    `result()`, to wait for the creation and to have its error raised; both give the client.
    """

    _context: ClientContext
    _what = "what it works on"

    def _wait_until_made(self, asked_for: str) -> None:
        """Wait for the creation, or raise what it failed with; a running event loop is never blocked."""
        if not self.done() and _loop_is_running():
            raise InputError(
                f"await the client first: its {asked_for} is known once the server has made {self._what}",
                field=asked_for,
            )
        self.result()

    def _refusal(self, error: BaseException) -> TinkerError:
        """Build the error of what was called on a client that could not be made, from why it could not."""
        known = error if isinstance(error, TinkerError) else unexpected(error, None)
        own = known.again("no")
        own.message = f"not sent, because {self._what} was not made: {known.message}"
        own.request_id = own.seq_id = own.attempts = own.elapsed_s = None
        own.__cause__ = known
        return own

    @property
    def _told_state(self) -> str:
        """How the client stands, for its repr."""
        if not self.done():
            return "being made"
        if self.cancelled():
            return "cancelled"
        error = self.outcome_error()
        if error is not None:
            return f"not made: {type(error).__name__}: {error}"
        return "closed" if self._context.closed else "ready"

    if not TYPE_CHECKING:  # a type checker would take any attribute for one that is there

        def __getattr__(self, name: str) -> NoReturn:
            problem = f"{type(self).__name__!r} object has no attribute {name!r}"
            raise AttributeError(problem, name=name, obj=self)


def _loop_is_running() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
