"""Request order: numbers in sequence in each scope, repetitions recognised, gaps waited for.

`decide` decides without side effects; `Sequencer.admit` waits and accepts. Nothing here knows what the
requests do.
"""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Literal, Protocol

import attrs

from tinsmith_local.store.promise_table import PromiseRow, PromiseTable
from tinsmith_local.work.notifier import Notifier

if TYPE_CHECKING:
    from collections.abc import Callable


Decision = Literal["accept", "same", "wait", "conflict", "refused", "not-next"]
"""What becomes of a number: accepted, a repetition, too early, taken by other content; only servers that are
imitated say `refused` and `not-next`."""
Turn = PromiseRow | Exception | int | Literal["later"] | None
"""The number (None for none) of a request that may be accepted, an earlier promise, an error, or `later`."""

THREAD_BYTES = 256 << 10
"""Bodies beyond this are written in a worker thread, so that the loop goes on."""


class Decide(Protocol):
    """A rule for numbers."""

    def __call__(self, *, seq: int, last: int, same: bool | None, ordered: bool) -> Decision:
        """Decide about a number: `same` is None for an unused one, else whether the content is equal."""


class SequenceConflictError(Exception):
    """The number is taken by other content, or may not be used now; answered 409."""

    def __init__(self, message: str, known: str | None = None) -> None:
        super().__init__(message)
        self.known = known
        """Promise of the same request, where a server that refuses repetitions names it."""


class GapTimeoutError(Exception):
    """The numbers before this one did not arrive in time; answered 408, nothing was accepted."""


@attrs.define
class _Scope:
    """What came last in a scope, and whether a request is being accepted right now."""

    last: int
    busy: bool = False


def decide(*, seq: int, last: int, same: bool | None, ordered: bool) -> Decision:
    """Decide about a number: `same` is None for an unused one, else whether the content is equal."""
    if same is not None:
        return "same" if same else "conflict"
    if not ordered or seq == last + 1:
        return "accept"
    return "conflict" if seq <= last else "wait"


@attrs.frozen(eq=False)
class Sequencer:
    """The order of requests in all scopes of the service."""

    _promises: PromiseTable
    _notifier: Notifier
    _gap_wait_s: float = attrs.field(kw_only=True)
    _decide: Decide = attrs.field(default=decide, kw_only=True)
    _names_repeated: bool = attrs.field(default=False, kw_only=True)
    _lock: threading.Lock = attrs.field(factory=threading.Lock, init=False)
    _scopes: dict[str, _Scope] = attrs.field(factory=dict, init=False)

    async def admit(
        self,
        scope: str,
        seq: int | None,
        digest: bytes,
        accept: Callable[[int | None], PromiseRow],
        *,
        size: int = 0,
        ordered: bool = True,
    ) -> PromiseRow:
        """Wait for all earlier numbers, then call `accept(seq)`. A repetition gets its promise."""
        turn: list[Turn] = []

        def look() -> bool | None:
            turn[:] = [self._enter(scope, seq, digest, ordered=ordered)]
            return True if turn[0] != "later" else None

        if not await self._notifier.wait_for(f"sequence:{scope}", look, self._gap_wait_s):
            raise GapTimeoutError(
                f"seq_id {seq} waited {self._gap_wait_s:g} s for seq_id {self._scopes[scope].last + 1},"
                " which did not arrive"
            )
        found = turn[0]
        assert found != "later"
        if isinstance(found, Exception):
            raise found
        if isinstance(found, PromiseRow):
            return found
        if size > THREAD_BYTES:
            # Shielded: a caller cancelled before a thread is free would leave the scope busy for good.
            return await asyncio.shield(asyncio.to_thread(self._accept, scope, found, accept))
        return self._accept(scope, found, accept)

    def _scope(self, scope: str) -> _Scope:
        """Return the state of a scope, with what the store knows of it."""
        if scope not in self._scopes:
            self._scopes[scope] = _Scope(self._promises.last_seq(scope))
        return self._scopes[scope]

    def _enter(self, name: str, seq: int | None, digest: bytes, *, ordered: bool) -> Turn:
        """Return the number (or None) of a request that may be accepted now, else its answer or `later`."""
        with self._lock:
            scope = self._scope(name)
            if scope.busy:
                return "later"
            if seq is None and not ordered:
                scope.busy = True
                return None
            number = scope.last + 1 if seq is None else seq
            kept = self._promises.latest(name, number)
            same = None if kept is None else kept.digest == digest
            decision = self._decide(seq=number, last=scope.last, same=same, ordered=ordered)
            if decision == "accept":
                scope.busy = True
                return number
            if decision == "same":
                assert kept is not None
                return kept
            if decision == "wait":
                return "later"
            known = kept.request_id if kept is not None and same and self._names_repeated else None
            return SequenceConflictError(_reason(decision, number, scope.last), known)

    def _accept(
        self, name: str, number: int | None, accept: Callable[[int | None], PromiseRow]
    ) -> PromiseRow:
        """Journal a request, and admit the next one whatever happens."""
        done = False
        try:
            row = accept(number)
            done = True
            return row
        finally:
            with self._lock:
                scope = self._scopes[name]
                scope.busy = False
                if done and number is not None:
                    scope.last = max(scope.last, number)
            self._notifier.notify(f"sequence:{name}")


def _reason(decision: Decision, seq: int, last: int) -> str:
    """Say why a number was refused."""
    if decision == "conflict":
        return f"seq_id {seq} was used for a request with other content"
    if decision == "refused":
        return f"seq_id {seq} was used already"
    return f"seq_id {seq} is not the next number, {last + 1}"
