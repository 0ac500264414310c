"""Who gets what a sample request comes to: a promise, at its end, or a stream, token by token.

The engine's thread calls them; it must not know which it has.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import attrs
from tinsmith.core.errors import TinkerError

from tinsmith_local.engine.batch import ExampleError
from tinsmith_local.engine.jobs import DrawnToken
from tinsmith_local.store.database import StorageFullError
from tinsmith_local.store.promise_table import PromiseRow
from tinsmith_local.work import results
from tinsmith_local.work.promise_store import PromiseStore

if TYPE_CHECKING:
    from tinsmith_local.engine.jobs import SampleHandle
    from tinsmith_local.work.notifier import Notifier
    from tinsmith_local.work.operations import SampleRequest


class SampleReceiver(Protocol):
    """Who gets the outcome of one sample request."""

    @property
    def request_id(self) -> str:
        """The id of the request."""
        ...

    @property
    def scope(self) -> str:
        """The sampler that it is made with; empty for none."""
        ...

    def settle(self, request: SampleRequest, handle: SampleHandle) -> None:
        """Take the outcome of a finished job."""
        ...

    def fail(self, error: str, category: str, state: str = "failed") -> None:
        """Take a failure: `state` is `failed` or `cancelled`."""
        ...


@attrs.frozen
class PromisedSample:
    """A sample whose result is kept until it is polled for."""

    _row: PromiseRow
    _promises: PromiseStore

    @property
    def request_id(self) -> str:
        """The promise."""
        return self._row.request_id

    @property
    def scope(self) -> str:
        """The sampler that it is made with; empty for none."""
        return self._row.scope

    def settle(self, request: SampleRequest, handle: SampleHandle) -> None:
        """Keep the result of a finished job."""
        if handle.output is None:
            self.fail(*failure(handle.error))
            return
        try:
            content = results.sample(handle.output, request.targets)
        except results.NotFiniteError as error:
            self.fail(str(error), "user")
            return
        try:
            self._promises.finish(self.request_id, content, drop_body=True)
        except StorageFullError:
            self._promises.finish_unsaved(self.request_id, content)

    def fail(self, error: str, category: str, state: str = "failed") -> None:
        """Keep a failure."""
        self._promises.fail(self.request_id, error, category, state)


@attrs.frozen
class StreamEnd:
    """How a streamed sample ended."""

    stop_reason: str | None = None
    """`length` or `stop`; None where it failed."""
    error: str = ""
    """Why it failed."""
    category: str = ""
    """`user` or `server`."""


@attrs.frozen
class StreamNews:
    """What came of a streamed sample since its reader last looked."""

    drawn: Sequence[DrawnToken] = attrs.field(repr=False)
    """The tokens, in order."""
    end: StreamEnd | None
    """How it ended behind them; None while it goes on."""


class SampleStream:
    """A sample that is handed on while it grows. The engine's threads write, one event loop reads."""

    def __init__(self, request_id: str, scope: str, notifier: Notifier) -> None:
        self.request_id = request_id
        """The id of the request."""
        self.scope = scope
        """The sampler that it is made with; empty for none."""
        self._notifier = notifier
        self._drawn: deque[DrawnToken] = deque()
        self._count = self._announced = 0
        self._end: StreamEnd | None = None

    def follow(self, drawn: DrawnToken) -> None:
        """Take the next token; what a sample that began anew draws again is known."""
        if drawn.position == self._count:
            self._drawn.append(drawn)
            self._count += 1

    def announce(self) -> None:
        """Notify the reader if there are new tokens."""
        if self._count != self._announced:
            self._announced = self._count
            self._notifier.notify(self.request_id)

    def settle(self, request: SampleRequest, handle: SampleHandle) -> None:
        """End as the job has ended."""
        if handle.output is None:
            self.fail(*failure(handle.error))
        else:
            self._ends(StreamEnd(handle.output.samples[0].stop_reason))

    def fail(self, error: str, category: str, state: str = "failed") -> None:
        """End with a failure, behind the tokens that have come."""
        self._ends(StreamEnd(None, error, category))

    def _ends(self, end: StreamEnd) -> None:
        self._end = self._end or end
        self._notifier.notify(self.request_id)

    async def news(self, hold_s: float) -> StreamNews | None:
        """Wait for something new, at most so long; the reader stops behind the end."""
        return await self._notifier.wait_for(self.request_id, self._take, hold_s)

    def _take(self) -> StreamNews | None:
        end = self._end  # looked at first: no token comes behind it
        drawn = [self._drawn.popleft() for _ in range(len(self._drawn))]
        return StreamNews(drawn, end) if drawn or end is not None else None


def failure(error: BaseException | None) -> tuple[str, str]:
    """Return the words and the category of a failed job's error."""
    return str(error), "user" if isinstance(error, ExampleError | TinkerError) else "server"
