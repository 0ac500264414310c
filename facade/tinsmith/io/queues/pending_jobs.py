"""The calls that stand in one model's line, and how they end: outcomes in, futures out.

It owns the lock of the line and the map from places to calls. It must not send, poll or wait.
"""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

from tinsmith.core.errors import ModelLostError, TinkerError
from tinsmith.core.sequence import RequestOrder
from tinsmith.core.ticket import Kind, Phase

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tinsmith.core.config import OptimAfter
    from tinsmith.core.errors import Applied
    from tinsmith.core.ticket import Fallout, Ticket
    from tinsmith.io.queues.jobs import Chunk, Job


class PendingJobs:
    """The calls of one line."""

    def __init__(self, optim_after: OptimAfter) -> None:
        self.guard = threading.Lock()
        """Held around each use of the line."""
        self.line = RequestOrder(optim_after)
        """Who decides."""
        self.in_flight: set[Job[Any]] = set()
        """Calls of which a part was accepted, until they have their outcome."""
        self.failed: list[Job[Any]] = []
        """Gradient calls that failed since the last optim_step."""
        self.changed = asyncio.Event()
        """Set when the head of the line may be another."""
        self._calls: dict[int, tuple[Job[Any], Chunk]] = {}

    def take(self, call: Job[Any], *, ahead: bool = False) -> None:
        """Give each part of a call its place; under the lock."""
        places = self.line.take(call.kind, len(call.parts), ahead=ahead)
        for part, place in zip(call.parts, places, strict=True):
            part.place = place
            self._calls[id(place)] = (call, part)

    def retake(self, call: Job[Any], parts: Sequence[Chunk]) -> None:
        """Cut a call of which nothing has begun into other parts, where it is queued."""
        with self.guard:
            place = call.parts[0].place
            assert place is not None
            for part in call.parts:
                self._calls.pop(id(part.place), None)
            call.parts = parts
            for part, new in zip(parts, self.line.replanned(place.call, len(parts)), strict=True):
                part.place = new
                self._calls[id(new)] = (call, part)

    def head(self) -> tuple[Job[Any], Chunk, Ticket] | None:
        """Return whose turn it is."""
        with self.guard:
            place = self.line.head
            return None if place is None else (*self._calls[id(place)], place)

    def all(self) -> list[tuple[Job[Any], Chunk]]:
        """Return every part without an outcome."""
        with self.guard:
            return list(self._calls.values())

    def settle(
        self, call: Job[Any], part: Chunk, value: Any = None, error: TinkerError | None = None
    ) -> None:
        """Note the outcome of a part; the last one concludes its call."""
        with self.guard:
            self._calls.pop(id(part.place), None)
        if call.settle(part, value, error):
            self._conclude(call)

    def _conclude(self, call: Job[Any]) -> None:
        """Tell the line what became of the call, then tell its owner."""
        self.in_flight.discard(call)
        fallout = self._report(call)
        for each in fallout:
            if each.place is call.parts[0].place and call.parts[0].counts_as_applied:
                call.parts[0].error = each.error
        failure = call.failure()
        self.apply(fallout)
        if failure is not None:
            missing = failure.applied != "yes" or self.line.optim_after == "results"
            if call.kind is Kind.GRADIENT and missing and not call.future.cancelled():
                with self.guard:
                    self.failed.append(call)
            told = call.told()
            call.future.fail(failure if told is None else told)
        else:
            try:
                call.future.settle(call.merge([part.value for part in call.parts]))
            except Exception as error:  # noqa: BLE001  # a merge that fails must end the future, not hang it
                call.future.fail(unexpected(error, call.parts[0].place))
        call.release()
        self.changed.set()

    def _report(self, call: Job[Any]) -> list[Fallout]:
        """Report each accepted part, the lost ones last and together: only then is it known what stands."""
        accepted = [
            (p, p.place) for p in call.parts if p.place is not None and p.place.phase is Phase.ACCEPTED
        ]
        lost = [(part, place) for part, place in accepted if not part.counts_as_applied]
        fallout: list[Fallout] = []
        with self.guard:
            for part, place in accepted:
                if part.counts_as_applied:
                    fallout += self.line.finished(place).failed
                else:
                    place.call.applied.discard(place.chunk)
            for part, place in lost:
                assert part.error is not None
                fallout += self.line.finished(place, part.error).failed
                unsure = part.error.applied == "unknown" and call.changes_the_model
                if unsure or isinstance(part.error, ModelLostError):  # the model is gone for every call
                    fallout += self.line.poisoned(part.error).failed
        return fallout

    def apply(self, fallout: list[Fallout]) -> None:
        """Fail the requests that end because of what happened to another."""
        for each in fallout:
            with self.guard:
                standing = self._calls.get(id(each.place))
            if standing is None:
                continue
            self.settle(*standing, error=each.error)
        self.changed.set()


def unexpected(error: BaseException, place: Ticket | None) -> TinkerError:
    """Wrap what no code here raises on purpose, with what is known of the request."""
    wrapped = TinkerError(f"{type(error).__name__}: {error}", applied=_may_have_left(place))
    wrapped.__cause__ = error
    return wrapped


def ending(error: TinkerError, place: Ticket | None) -> TinkerError:
    """Copy the error that ended the client, with what is known of one request that it ended."""
    return error.again(_may_have_left(place))


def _may_have_left(place: Ticket | None) -> Applied:
    return "no" if place is None or place.phase in (Phase.WAITING, Phase.DRAWN) else "unknown"
