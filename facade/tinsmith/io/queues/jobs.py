"""A call in its model's line: its parts, and what became of them.

It must not send or decide: `core.sequence` keeps the order, and `io.queues.training_queue` walks a call
through its turn.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Generic, TypeVar

import attrs

from tinsmith.core.errors import PartialBatchError, TinkerError
from tinsmith.core.policy import RetryConfig
from tinsmith.core.ticket import Kind, Ticket
from tinsmith.io.future import APIFuture
from tinsmith.io.http.messages import Body

T = TypeVar("T")


class UserCodeError(TinkerError):
    """Carries an exception of the user's own code through the line; the user gets the original."""

    def __init__(self, original: BaseException) -> None:
        super().__init__(f"{type(original).__name__}: {original}", applied="no")
        self.original = original


@attrs.define(eq=False, repr=False)
class Chunk:
    """One request of a call: a chunk of data, or the whole of a small call."""

    build: Callable[[int], Body]
    """Build the bytes for a seq_id; the same number gives the same bytes."""

    read: Callable[[Any], Any]
    """Decode the payload of the result."""

    estimate_bytes: int = 1024
    """About how large the bytes will be; large ones are built and read in a worker thread."""

    place: Ticket | None = None
    """Its place in the queue."""

    seq_id: int | None = None
    """The number under which it was sent."""

    request_id: str | None = None
    """The promise."""

    checksum: int = 0
    """Of the bytes that were accepted: a rebuild for a second submission must give the same."""

    idempotency_key: str = ""
    """One for all sends of this part."""

    attempts: int = 0
    """How often it was sent."""

    settled: bool = False
    """Whether it has an outcome."""

    value: Any = None
    """The decoded result."""

    error: TinkerError | None = None
    """Why there is no result."""

    @property
    def counts_as_applied(self) -> bool:
        """Whether the server applied it, with or without a result for us."""
        if not self.settled:
            return False
        return self.error is None or self.error.applied == "yes"


@attrs.define(eq=False, repr=False)
class Job(Generic[T]):
    """One call of the user with its place in line."""

    operation: str
    """Operation id, such as `forward_backward`."""

    request_type: str
    """The type that polls name in `X-Tinker-Request-Type`."""

    target: str
    """Path of the submission."""

    parts: Sequence[Chunk]
    """Its requests in order; at least one."""

    merge: Callable[[list[Any]], T]
    """Make the result of the parts' results."""

    kind: Kind = Kind.OTHER
    """What it does to the gradient."""

    protobuf_target: str | None = None
    """Path where its bodies go as protobuf; None for a call that is always JSON."""

    prepare: Callable[[], Awaitable[None]] | None = None
    """Make what the parts are built of, while the call holds its turn and before it draws a number."""

    replan: Callable[[], Sequence[Chunk] | None] | None = None
    """Cut the call anew where the server's limits are others than when it was made; None if they are not."""

    retry: RetryConfig | None = None
    """Retry rules of this call; None for the client's."""

    future: APIFuture[T] = attrs.field(factory=APIFuture)
    """What the user holds."""

    before: list[Job[Any]] = attrs.field(factory=list)
    """For an optim_step: the gradient calls that it steps on."""

    known: list[Job[Any]] = attrs.field(factory=list)
    """For an optim_step: the failed gradient calls whose error its caller had seen when it was called."""

    finished: asyncio.Event = attrs.field(factory=asyncio.Event)
    """Set when each part has an outcome."""

    def settle(self, part: Chunk, value: Any = None, error: TinkerError | None = None) -> bool:
        """Note the outcome of a part, once; return whether it was the last."""
        if part.settled:
            return False
        part.settled, part.value, part.error = True, value, error
        if all(each.settled for each in self.parts):
            self.finished.set()
            return True
        return False

    def target_of(self, body: Body) -> str:
        """Return the path that takes a body of this kind."""
        if self.protobuf_target is None or body.content_type == "application/json":
            return self.target
        return self.protobuf_target

    @property
    def changes_the_model(self) -> bool:
        """Whether nobody knows what the model is while the outcome is unknown."""
        return self.kind is not Kind.OTHER or self.operation == "load_weights"

    def release(self) -> None:
        """Let go of data and results: the user may keep the future, and with it this call, for long."""
        self.future.on_cancel(None)
        self.before, self.known = [], []
        self.prepare = self.replan = None
        for part in self.parts:
            part.value, part.build, part.read = None, _released, _released

    @property
    def has_failed_part(self) -> bool:
        """Whether a part is known to have failed without being applied."""
        return any(part.error is not None and part.error.applied != "yes" for part in self.parts)

    def told(self) -> BaseException | None:
        """Return what the user gets: the failure, or the user's own exception that it carries."""
        failure = self.failure()
        return failure.original if isinstance(failure, UserCodeError) else failure

    def failure(self) -> TinkerError | None:
        """Return the error that the user should see, or None when each part has a result."""
        errors = [part.error for part in self.parts if part.error is not None]
        if not errors or len(self.parts) == 1:
            return errors[0] if errors else None
        first = errors[0]
        applied = tuple(i for i, part in enumerate(self.parts) if part.counts_as_applied)
        if len(applied) == len(self.parts) or not (applied or any(each.applied != "no" for each in errors)):
            return first
        if self.kind is not Kind.GRADIENT:
            return first.again("unknown")
        error = PartialBatchError(
            f"{self.operation}: {len(applied)} of {len(self.parts)} chunks were applied; {first.message}",
            chunks_applied=applied,
            chunks_failed=tuple(i for i in range(len(self.parts)) if i not in applied),
            request_id=first.request_id,
            model_id=first.model_id,
            seq_id=first.seq_id,
            attempts=first.attempts,
            elapsed_s=first.elapsed_s,
            applied="unknown",
        )
        error.__cause__ = first
        return error


def _released(_: Any) -> Any:
    raise AssertionError("a call that has its outcome is not built or read again")


def checksum(body: Body) -> int:
    """Return a checksum of the bytes; enough to notice that an array was changed between two builds."""
    value = 0
    for piece in body.pieces:
        value = zlib.crc32(piece, value)
    return value
