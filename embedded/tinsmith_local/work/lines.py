"""The lines in which requests stand: one a scope, numbers in order, repetitions recognised, gaps waited for.

`judge` decides without side effects; `Lines.join` waits and accepts. Nothing here knows what the requests do.
"""

import asyncio
import threading
from collections.abc import Callable
from typing import Literal

import attrs

from tinsmith_local.options import Imitation
from tinsmith_local.store import PromiseRow, Promises

from .signals import Signals

Verdict = Literal["accept", "same", "wait", "conflict", "refused", "not-next"]
#: A turn: the number (None for none), an earlier promise, an error, or not yet.
Turn = PromiseRow | Exception | int | Literal["later"] | None

#: Bodies beyond this are written in a worker thread, so that the loop goes on.
THREAD_BYTES = 256 << 10


class SequenceConflictError(Exception):
    """The number is taken by other content, or may not be used now; answered 409."""

    def __init__(self, message: str, known: str | None = None) -> None:
        super().__init__(message)
        self.known = known
        """Promise of the same request, where a server that refuses repetitions names it."""


class GapTimeoutError(Exception):
    """The numbers before this one did not arrive in time; answered 408, nothing was accepted."""


@attrs.define
class _Line:
    """One scope: what came last, and whether somebody is accepting right now."""

    last: int
    busy: bool = False


def judge(*, seq: int, last: int, same: bool | None, ordered: bool, imitate: Imitation) -> Verdict:
    """Decide about a number: `same` is None for an unused one, else whether the content is equal."""
    if same is not None and not imitate.no_deduplication:
        if imitate.duplicates_409 or imitate.exact_next:
            return "refused"
        return "same" if same else "conflict"
    if not ordered or imitate.arrival_order or seq == last + 1:
        return "accept"
    if imitate.exact_next:
        return "not-next"
    if seq <= last:
        # Below the line and not kept: with deduplication off it is applied again, else the number is spent.
        return "accept" if imitate.no_deduplication else "conflict"
    return "wait"


class Lines:
    """All lines of the service."""

    def __init__(self, promises: Promises, signals: Signals, imitate: Imitation, gap_wait_s: float) -> None:
        self._promises = promises
        self._signals = signals
        self._imitate = imitate
        self._gap_wait_s = gap_wait_s
        self._lock = threading.Lock()
        self._lines: dict[str, _Line] = {}

    async def join(
        self,
        scope: str,
        seq: int | None,
        digest: bytes,
        accept: Callable[[int | None], PromiseRow],
        *,
        size: int = 0,
        ordered: bool = True,
    ) -> PromiseRow:
        """Stand in line until it is the request's turn, then `accept(seq)`. Repetitions get their promise."""
        verdict: list[Turn] = []

        def look() -> bool | None:
            verdict[:] = [self._enter(scope, seq, digest, ordered=ordered)]
            return True if verdict[0] != "later" else None

        if not await self._signals.until(f"line:{scope}", look, self._gap_wait_s):
            raise GapTimeoutError(
                f"seq_id {seq} waited {self._gap_wait_s:g} s for {self._missing(scope)}, which did not arrive"
            )
        found = verdict[0]
        assert found != "later"
        if isinstance(found, Exception):
            raise found
        if isinstance(found, PromiseRow):
            return found
        if size > THREAD_BYTES:
            # Shielded: a caller that left before a thread is free would else leave the line closed for good.
            return await asyncio.shield(asyncio.to_thread(self._accept, scope, found, accept))
        return self._accept(scope, found, accept)

    def _missing(self, scope: str) -> str:
        """Name the number that a line waits for."""
        with self._lock:
            return f"seq_id {self._line(scope).last + 1}"

    def _line(self, scope: str) -> _Line:
        """Return the line of a scope, with what the store knows of it."""
        if scope not in self._lines:
            self._lines[scope] = _Line(self._promises.last_seq(scope))
        return self._lines[scope]

    def _enter(self, scope: str, seq: int | None, digest: bytes, *, ordered: bool) -> Turn:
        """Try to take the turn: a number (or None) when it is taken, else the answer or `later`."""
        with self._lock:
            line = self._line(scope)
            if line.busy:
                return "later"
            if seq is None and not ordered:
                line.busy = True
                return None
            number = line.last + 1 if seq is None else seq
            kept = self._promises.latest(scope, number)
            same = None if kept is None else kept.digest == digest
            verdict = judge(seq=number, last=line.last, same=same, ordered=ordered, imitate=self._imitate)
            if verdict == "accept":
                line.busy = True
                return number
            if verdict == "same":
                assert kept is not None
                return kept
            if verdict == "wait":
                return "later"
            named = same and self._imitate.duplicates_409 and kept is not None
            return SequenceConflictError(
                _reason(verdict, number, line.last), kept.request_id if named and kept else None
            )

    def _accept(
        self, scope: str, number: int | None, accept: Callable[[int | None], PromiseRow]
    ) -> PromiseRow:
        """Journal, and let the next one in whatever happens."""
        done = False
        try:
            row = accept(number)
            done = True
            return row
        finally:
            with self._lock:
                line = self._lines[scope]
                line.busy = False
                if done and number is not None:
                    line.last = max(line.last, number)
            self._signals.ring(f"line:{scope}")


def _reason(verdict: Verdict, seq: int, last: int) -> str:
    """Say why a number was refused."""
    if verdict == "conflict":
        return f"seq_id {seq} was used for a request with other content"
    if verdict == "refused":
        return f"seq_id {seq} was used already"
    return f"seq_id {seq} is not the next number, {last + 1}"
