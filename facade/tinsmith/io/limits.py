"""Bound what one client holds at once: bytes of bodies, samples in flight, samples being submitted.

It must not know what it admits, nor why a server pushed back.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from contextlib import asynccontextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from tinsmith.core.retry import Outcome


class FairSemaphore:
    """A limit on what is held at one time, in any unit; first come, first served.

    What is larger than the whole limit is admitted alone rather than never.
    """

    def __init__(self, limit: float) -> None:
        self.limit = limit
        """The most that may be held; a change holds for what is admitted from then on."""
        self._used = 0
        self._queue: deque[tuple[int, asyncio.Future[None]]] = deque()

    @asynccontextmanager
    async def hold(self, size: int = 1) -> AsyncIterator[None]:
        """Hold `size` while the block runs."""
        await self._enter(size)
        try:
            yield
        finally:
            self._leave(size)

    def is_full_for(self, size: int) -> bool:
        """Say whether `size` would have to wait."""
        return bool(self._queue) or not self._fits(size)

    async def _enter(self, size: int) -> None:
        if not self.is_full_for(size):
            self._used += size
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry = (size, turn)
        self._queue.append(entry)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._leave(size)
            else:
                self._queue.remove(entry)
                self._admit()
            raise

    def _fits(self, size: int) -> bool:
        return self._used == 0 or self._used + size <= self.limit

    def _leave(self, size: int) -> None:
        self._used -= size
        self._admit()

    def _admit(self) -> None:
        while self._queue and self._fits(self._queue[0][0]):
            size, turn = self._queue.popleft()
            if not turn.done():
                self._used += size
                turn.set_result(None)


class Window:
    """How many requests may be in flight: grows by one a window of successes, falls on push-back (AIMD)."""

    FALL = 0.85
    """Factor on push-back: a server that caps at c is then probed between 0.85 c and c."""
    PROBE = 10.0
    """Windows of successes for one more, where the server pushed back before: it mostly would again."""
    PAST = 1.05
    """Factor on where it pushed back, from which it no longer counts."""

    def __init__(self, start: int, largest: int) -> None:
        self._largest = float(largest)
        self._size = float(min(start, largest))
        self._ceiling = math.inf
        self.in_flight = 0
        """Requests that were let through and have not left."""

    def bound_by(self, largest: int) -> None:
        """Let the window grow to `largest`; at once, where nothing was pushed back."""
        unharmed = self._size == self._largest
        self._largest = float(largest)
        self._size = self._largest if unharmed else min(self._size, self._largest)

    @property
    def size(self) -> int:
        """The number of requests that may be in flight now; at least 1."""
        return max(1, int(self._size))

    @property
    def is_open(self) -> bool:
        """Whether one more may go."""
        return self.in_flight < self.size

    def grew(self) -> None:
        """Note a success."""
        slower = self.PROBE if self._size >= self._ceiling - 1.0 else 1.0
        self._size = min(self._largest, self._size + 1.0 / (self._size * slower))
        if self._size > self._ceiling * self.PAST + 1.0:
            self._ceiling = math.inf

    def pushed_back(self, in_flight_before: int) -> None:
        """Note a push-back that met the server with `in_flight_before` requests of ours."""
        self._ceiling = max(1.0, float(in_flight_before))
        self._size = max(1.0, min(self._size, in_flight_before * self.FALL))


class Submissions:
    """How many samples may be on their way to their promises: as many as answers come back in that time.

    More would open connections that are of use once. Where answers take long, more are needed to keep up.
    """

    FEWEST = 16
    """Submissions at once on the quickest connection."""
    PER_S = 500.0
    """Submissions a second that slow answers shall not hold up; quick ones come faster by themselves."""
    MEMORY = 0.9
    """Share of the average that a new roundtrip leaves."""

    def __init__(self, largest: int) -> None:
        self._largest = largest
        self._roundtrip_s: float | None = None
        self.under_way = 0
        """Submissions that were sent off and have no promise."""

    @property
    def limit(self) -> int:
        """Submissions that may be under way."""
        needed = math.ceil(self.PER_S * (self._roundtrip_s or 0.0))
        return min(self._largest, max(self.FEWEST, needed))

    @property
    def is_open(self) -> bool:
        """Whether one more may be sent off."""
        return self.under_way < self.limit

    def answered(self, roundtrip_s: float) -> None:
        """Learn from a promise how long promises take."""
        before_s = roundtrip_s if self._roundtrip_s is None else self._roundtrip_s
        self._roundtrip_s = self.MEMORY * before_s + (1.0 - self.MEMORY) * roundtrip_s


class Gate(Protocol):
    """Watches the attempts of one request, and admits each further one."""

    def notice(self, outcome: Outcome, /) -> None:
        """Note how an attempt ended."""

    async def admit(self) -> None:
        """Wait until a further attempt may be made."""


class SlotPhase(StrEnum):
    """How far a sample has come that was sent off."""

    SUBMITTING = "submitting"
    """On its way to its promise."""
    PUSHED_BACK = "pushed back"
    """The server took nothing of it for now: it waits for room, and is not in flight."""
    PROMISED = "promised"
    """The server has it."""
    LEFT = "left"
    """It has its outcome."""


_IN_FLIGHT = frozenset({SlotPhase.SUBMITTING, SlotPhase.PROMISED})


class Slot:
    """The share of one sample in what is in flight, from the moment when it is sent off."""

    def __init__(self, flow: SampleFlow) -> None:
        self._flow = flow
        self._phase = SlotPhase.LEFT
        self.become(SlotPhase.SUBMITTING)

    def become(self, phase: SlotPhase) -> None:
        """Note how far the sample is, and count it by that."""
        before, self._phase = self._phase, phase
        self._flow.window.in_flight += (phase in _IN_FLIGHT) - (before in _IN_FLIGHT)
        self._flow.submissions.under_way += (phase is SlotPhase.SUBMITTING) - (before is SlotPhase.SUBMITTING)

    def notice(self, outcome: Outcome) -> None:
        """Send less after a push-back: the server has what has its promise, and nothing of this sample."""
        if outcome.status != 429:
            return
        window, submissions = self._flow.window, self._flow.submissions
        window.pushed_back(window.in_flight - submissions.under_way)
        if self._phase is SlotPhase.SUBMITTING:
            self.become(SlotPhase.PUSHED_BACK)

    async def admit(self) -> None:
        """Have a sample that was pushed back wait until there is room, ahead of those not yet sent."""
        if self._phase is SlotPhase.PUSHED_BACK:
            await self._flow.turn_of(self)

    def accepted(self, attempts: int, roundtrip_s: float) -> None:
        """Note that the sample has its promise, and let the next one go."""
        self._flow.accepted += 1
        if attempts == 1:  # after a retry the roundtrip contains pauses
            self._flow.submissions.answered(roundtrip_s)
        self.leave(SlotPhase.PROMISED)

    def leave(self, phase: SlotPhase = SlotPhase.LEFT) -> None:
        """Make room, and let the next one go."""
        self.become(phase)
        self._flow.on_room()


class SampleFlow:
    """How many samples of one client go out, and which of them wait because the server pushed them back."""

    RAMP = 4
    """Accepted samples for each that may be under way: how many a server takes is found out by degrees."""

    def __init__(self, in_flight: int, under_way: int, on_room: Callable[[], None]) -> None:
        self.window = Window(in_flight, in_flight)
        """Bounds the samples in flight."""
        self.submissions = Submissions(under_way)
        """Bounds those of them that have no promise."""
        self.on_room = on_room
        """Called where one more may go."""
        self.accepted = 0
        """Samples that have had their promise."""
        self._pushed_back: deque[tuple[Slot, asyncio.Future[None]]] = deque()

    @property
    def is_open(self) -> bool:
        """Whether one more may be sent off."""
        ramp = max(Submissions.FEWEST, self.accepted // self.RAMP)
        return self.window.is_open and self.submissions.is_open and self.submissions.under_way < ramp

    def readmit(self) -> None:
        """Let those go again that were pushed back, as many as there is room for."""
        while self._pushed_back and self.is_open:
            slot, turn = self._pushed_back.popleft()
            if not turn.done():
                slot.become(SlotPhase.SUBMITTING)
                turn.set_result(None)

    async def turn_of(self, slot: Slot) -> None:
        """Wait until a sample that was pushed back may go again."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._pushed_back.append((slot, turn))
        self.on_room()
        await turn
