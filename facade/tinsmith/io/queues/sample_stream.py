"""A sample that is read while it is drawn: the object that the user holds, and how its events are read.

It owns the pieces between the loop and their reader. It must not know how a sample is queued or sent:
`io.queues.sample_dispatcher` does.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING, Self
from weakref import finalize

from tinsmith.core.codec.decode import decode_piece, loads
from tinsmith.core.errors import (
    APIConnectionError,
    APIResponseValidationError,
    APITimeoutError,
    ProgressTimeoutError,
    RequestErrorCategory,
    RequestFailedError,
    TinkerError,
)
from tinsmith.core.failures import detail_text
from tinsmith.core.retry import Fault
from tinsmith.core.values.results import SamplePiece, SampleResponse
from tinsmith.io.future import APIFuture
from tinsmith.io.http.messages import Faulted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tinsmith.core.event_stream import ServerEvent
    from tinsmith.io.http.streaming import LiveEvents


class PieceQueue:
    """The pieces of one sample, from the loop to whoever reads them."""

    def __init__(self, outcome: APIFuture[None]) -> None:
        self._outcome = outcome
        self._guard = threading.RLock()  # a stream may be dropped, and end, wherever the collector runs
        self._pieces: deque[SamplePiece] = deque()
        self._awaited: APIFuture[SamplePiece | None] | None = None
        outcome.add_done_callback(lambda _: self._deliver())

    def put(self, piece: SamplePiece) -> None:
        """Hand on a piece; on the loop."""
        self._pieces.append(piece)
        self._deliver()

    def next(self) -> APIFuture[SamplePiece | None]:
        """Return a future of the next piece, of None behind the last; the same until the piece is taken."""
        with self._guard:
            waited = self._awaited
            if waited is None:
                waited = self._awaited = APIFuture()
                waited.operation, waited.origin = "stream", self._outcome
        self._deliver()
        return waited

    def taken(self) -> None:
        """Note that the reader has the piece that `next` gave."""
        with self._guard:
            self._awaited = None

    def _deliver(self) -> None:
        """Settle the future that is waited for, if there is something for it."""
        with self._guard:
            waited, outcome = self._awaited, self._outcome
            if waited is None or waited.done():
                return
            if self._pieces:
                waited.settle(self._pieces.popleft())
            elif outcome.cancelled():
                waited.settle(None)
            elif outcome.done():
                error = outcome.outcome_error()
                waited.settle(None) if error is None else waited.fail(error)


class SampleStream:
    """One continuation, read while it is drawn: an iterator of `SamplePiece`, plain and async.

    The last piece has the `stop_reason`. Iterating raises what the future of `SamplingClient.sample` raises,
    behind the pieces that came before. `close`, or the end of a `with` or `async with` block, stops the
    sample at the server; so does dropping the stream. One thread or task reads it.
    """

    def __init__(self, outcome: APIFuture[None]) -> None:
        self._outcome = outcome
        self.pieces = PieceQueue(outcome)
        finalize(self, _drop, outcome).atexit = False

    def close(self) -> None:
        """Stop the sample, unless it has ended; what came and was not read is dropped."""
        self._outcome.cancel()

    async def aclose(self) -> None:
        """As `close`, for `contextlib.aclosing`."""
        self.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[SamplePiece]:
        return self

    def __next__(self) -> SamplePiece:
        piece = self.pieces.next().result()
        return self._taken(piece, StopIteration)

    def __aiter__(self) -> AsyncIterator[SamplePiece]:
        return self

    async def __anext__(self) -> SamplePiece:
        piece = await self.pieces.next()
        return self._taken(piece, StopAsyncIteration)

    def _taken(self, piece: SamplePiece | None, end: type[Exception]) -> SamplePiece:
        if piece is None or self._outcome.cancelled():
            raise end
        self.pieces.taken()
        return piece


def _drop(outcome: APIFuture[None]) -> None:
    """Stop the sample of a stream that nobody has any more."""
    with suppress(TinkerError):  # in the child of a fork there is nothing to stop
        outcome.cancel()


def as_piece(response: SampleResponse) -> SamplePiece:
    """Return a sample that came whole as the one piece of a stream."""
    [sequence, *_] = response.sequences
    return SamplePiece(
        tokens=sequence.tokens,
        logprobs=sequence.logprobs,
        topk_sampled_logprobs=sequence.topk_sampled_logprobs,
        stop_reason=sequence.stop_reason,
    )


async def read_pieces(stream: LiveEvents, pieces: PieceQueue, limit_s: float | None) -> None:
    """Hand on the pieces of a stream until the last; raise what ends it otherwise.

    `limit_s` is how long it may bring nothing but signs of life.
    """
    loop = asyncio.get_running_loop()
    began_s, count, ended = loop.time(), 0, Faulted(Fault.TRUNCATED, "it ended before the sample")
    try:
        async with aclosing(stream.events()) as events, asyncio.timeout(limit_s) as patience:
            async for event in events:
                piece = _read(event)
                if piece is None:
                    continue
                pieces.put(piece)
                count += len(piece.tokens)
                if piece.stop_reason is not None:
                    return
                if limit_s is not None:
                    patience.reschedule(loop.time() + limit_s)
    except TimeoutError:
        ended = Faulted(Fault.DEADLINE, f"no token for {limit_s:g} s")
    except APIResponseValidationError as error:
        raise error.adding(applied="unknown") from None
    except Faulted as faulted:
        ended = faulted
    kind = _ERRORS.get(ended.fault, APIConnectionError)
    raise kind(
        message=f"stream_sample: {ended.fault} after {count} tokens: {ended.reason}; sample again",
        elapsed_s=loop.time() - began_s,
        applied="unknown",
    )


_ERRORS: dict[Fault, type[APIConnectionError]] = {
    Fault.DEADLINE: ProgressTimeoutError,
    Fault.READ_TIMEOUT: APITimeoutError,
}
"""The error of a stream that ended by a fault."""


def _read(event: ServerEvent) -> SamplePiece | None:
    """Return the piece that an event brings; None for an event that newer servers may send beside."""
    if event.name == "message":
        return decode_piece(event.data)
    if event.name == "error":
        raise _failure(event.data)
    return None


def _failure(data: str) -> TinkerError:
    """Build the error of an event that says that the work failed."""
    found = loads(data.encode())
    fields = found if isinstance(found, dict) else {}
    error = fields.get("error")
    text = detail_text(error if isinstance(error, str) and error else found)
    return RequestFailedError(text, None, RequestErrorCategory(str(fields.get("category"))), applied="no")
