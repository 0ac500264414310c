"""The promises of the service: accepted, finished, failed, waited for.

Keeps what is pending in memory beside the store, so that a poll costs no query, and keeps a result that the
disk had no room for until the process ends.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from itertools import islice
from typing import TYPE_CHECKING

import attrs

from tinsmith_local.store.database import StorageFullError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tinsmith_local.store.promise_table import Also, Applied, PromiseRow, PromiseTable
    from tinsmith_local.work.notifier import Notifier

_log = logging.getLogger("tinsmith.local")

CACHED_RESULT_BYTES = 64 << 20
"""Results kept in memory as well, so that the first poll need not read them back."""
MAX_COMPLETIONS = 1000
"""One poll is answered with at most so many completions."""
CLONE_RANGE = 1_000_000_000
"""A copy of a sampler numbers its samples from its counter times this."""


@attrs.frozen(kw_only=True)
class Outcome:
    """What a poll finds."""

    state: str
    """`pending`, `done`, `failed`, `cancelled`, `expired` or `unknown`."""
    result: bytes = attrs.field(default=b"", repr=False)
    """JSON of a done promise."""
    error: str = ""
    """Why it failed."""
    category: str = "unknown"
    """`user`, `server` or `unknown`."""
    op: str = ""
    """Operation id."""


@attrs.define
class Completion:
    """One promise that ended."""

    request_id: str
    """The promise."""
    state: str
    """`done`, `failed` or `cancelled`."""
    size_bytes: int
    """Size of its result."""
    seq: int | None
    """Number that the client gave."""
    retrieved: bool = False
    """Whether the client has said that it has the result."""


class Completions:
    """What ended in each sampler, oldest first; read from the store when a sampler is first polled.

    A cursor counts completions from the first on. Those whose results have arrived are not named again.
    """

    def __init__(self, table: PromiseTable) -> None:
        self._table = table
        self._lock = threading.Lock()
        self._open: dict[str, tuple[str, int | None]] = {}
        self._ended: dict[str, dict[str, Completion]] = {}

    def began(self, row: PromiseRow) -> None:
        """Register a promise that will end."""
        if row.op == "asample" and row.scope:
            with self._lock:
                self._open[row.request_id] = (row.scope, row.seq)

    def ended(self, request_id: str, state: str, size_bytes: int) -> str:
        """Register an end; return the scope whose waiters are to be notified, empty for none."""
        with self._lock:
            scope, seq = self._open.pop(request_id, ("", None))
            if scope in self._ended:
                found = Completion(request_id, state, size_bytes, seq)
                self._ended[scope].setdefault(request_id, found)
            return scope

    def acknowledge(self, scope: str, request_ids: Iterable[str]) -> list[str]:
        """Register whose results have arrived; return those of them that are of this scope."""
        known = self._of_scope(scope)
        with self._lock:
            arrived = [known[request_id] for request_id in request_ids if request_id in known]
            for completion in arrived:
                completion.retrieved = True
        return [completion.request_id for completion in arrived]

    def behind(self, scope: str, cursor: int, clone: int | None) -> tuple[list[Completion], int]:
        """Return what ended behind a cursor and has not arrived, and the cursor behind that."""
        known = self._of_scope(scope)
        with self._lock:
            if cursor > len(known):  # a cursor of another process: better named twice than never
                cursor = 0
            ended = list(islice(known.values(), cursor, cursor + MAX_COMPLETIONS))
        wanted = [one for one in ended if not one.retrieved and _is_of(one, clone)]
        return wanted, cursor + len(ended)

    def _of_scope(self, scope: str) -> dict[str, Completion]:
        """Return all completions of a scope, oldest first."""
        with self._lock:
            known = self._ended.get(scope)
        if known is None:
            rows = self._table.completions(scope)
            with self._lock:
                known = self._ended.setdefault(scope, {})
                for request_id, state, size_bytes, seq in rows:
                    known.setdefault(request_id, Completion(request_id, state, size_bytes, seq))
        return known


def _is_of(completion: Completion, clone: int | None) -> bool:
    """Whether a completion is of one copy of a sampler; without a copy, all are."""
    return clone is None or completion.seq is None or completion.seq // CLONE_RANGE == clone


class PromiseStore:
    """All promises of the service."""

    def __init__(self, table: PromiseTable, notifier: Notifier, clock: Callable[[], float]) -> None:
        self._table = table
        self._notifier = notifier
        self._clock = clock
        self._lock = threading.Lock()
        self._pending: dict[str, str] = {}
        self._cache: OrderedDict[str, bytes] = OrderedDict()
        self._cached_bytes = 0
        self._unsaved: dict[str, Outcome] = {}
        self._completions = Completions(table)
        self._closing = False

    def accept(self, row: PromiseRow, body: bytes, also: Also | None = None) -> None:
        """Journal a request; from now on its promise is pending."""
        self._table.accept(row, body, also)
        self.resume(row)

    def resume(self, row: PromiseRow) -> None:
        """Register a promise as pending: a new one, or one that an earlier process left."""
        with self._lock:
            self._pending[row.request_id] = row.op
        self._completions.began(row)

    def finish(
        self,
        request_id: str,
        result: bytes,
        *,
        applied: Applied | None = None,
        also: Also | None = None,
        drop_body: bool = False,
    ) -> None:
        """Keep a result and notify who waits for it; StorageFullError leaves the promise pending."""
        self._table.finish(request_id, result, self._clock(), applied=applied, also=also, drop_body=drop_body)
        with self._lock:
            self._cache[request_id] = result
            self._cached_bytes += len(result)
            while self._cached_bytes > CACHED_RESULT_BYTES:
                self._cached_bytes -= len(self._cache.popitem(last=False)[1])
        self._close(request_id, "done", size_bytes=len(result))

    def finish_unsaved(self, request_id: str, result: bytes) -> None:
        """Keep a result that changed nothing in memory alone, when the disk has no room for it."""
        _log.warning(
            "no space left to keep the result of promise %s; it lives until the process ends", request_id
        )
        self._close(request_id, "done", Outcome(state="done", result=result), size_bytes=len(result))

    def fail(self, request_id: str, error: str, category: str, state: str = "failed") -> None:
        """Keep a failure and notify who waits for it."""
        unsaved = None
        try:
            self._table.fail(request_id, error, category, self._clock(), state)
        except StorageFullError:
            unsaved = Outcome(state=state, error=error, category=category)
        except Exception:  # noqa: BLE001 - who waits must be notified whatever the store has
            _log.exception("the failure of promise %s could not be written down", request_id)
            unsaved = Outcome(state=state, error=error, category=category)
        self._close(request_id, state, unsaved)

    def save_unsaved(self) -> None:
        """Write down failures that the disk had no room for."""
        with self._lock:
            failures = {key: value for key, value in self._unsaved.items() if value.state != "done"}
        for request_id, outcome in failures.items():
            try:
                self._table.fail(request_id, outcome.error, outcome.category, self._clock(), outcome.state)
            except StorageFullError:
                return
            with self._lock:
                del self._unsaved[request_id]

    def _close(
        self, request_id: str, state: str, unsaved: Outcome | None = None, *, size_bytes: int = 0
    ) -> None:
        """Take a promise off the pending ones."""
        scope = self._completions.ended(request_id, state, size_bytes)
        with self._lock:
            op = self._pending.pop(request_id, "")
            if unsaved is not None:
                self._unsaved[request_id] = attrs.evolve(unsaved, op=op)
        self._notifier.notify(request_id)
        self._notifier.notify(scope)

    def is_pending(self, request_id: str) -> bool:
        """Whether there is no outcome yet."""
        with self._lock:
            return request_id in self._pending

    def look(self, request_id: str) -> Outcome:
        """Return what is known now."""
        with self._lock:
            if request_id in self._pending:
                return Outcome(state="pending", op=self._pending[request_id])
            if request_id in self._unsaved:
                return self._unsaved[request_id]
            cached = self._cache.get(request_id)
        row = self._table.find(request_id)
        if row is None:
            return Outcome(state="unknown")
        if row.state != "done":
            state = "pending" if row.state == "accepted" else row.state
            return Outcome(state=state, error=row.error or "", category=row.category or "unknown", op=row.op)
        try:
            return Outcome(state="done", result=cached or self._table.result(request_id), op=row.op)
        except KeyError:
            return Outcome(state="expired", op=row.op)

    def release(self) -> None:
        """Answer all held polls with what is known, and hold no more: the service is about to close."""
        self._closing = True
        self._notifier.notify_all()

    async def outcome(self, request_id: str, hold_s: float) -> Outcome:
        """Wait for an outcome, at most so long; then return what is known."""

        def settled() -> Outcome | None:
            if self.is_pending(request_id) and not self._closing:
                return None
            return self.look(request_id)

        return await self._notifier.wait_for(request_id, settled, hold_s) or self.look(request_id)

    async def completions(
        self, scope: str, after: int, hold_s: float, clone: int | None = None
    ) -> tuple[list[Completion], int]:
        """Wait for completions of a scope, or of one copy of it, behind a cursor; also the next cursor."""

        def look() -> tuple[list[Completion], int] | None:
            found = self._completions.behind(scope, after, clone)
            return found if found[0] or self._closing else None

        waited = await self._notifier.wait_for(scope, look, hold_s)
        return waited or self._completions.behind(scope, after, clone)

    def acknowledge(self, scope: str, request_ids: Iterable[str]) -> None:
        """Register results that have arrived: they are not named again, and stay on disk alone."""
        arrived = self._completions.acknowledge(scope, request_ids) if request_ids else []
        with self._lock:
            for request_id in arrived:
                self._cached_bytes -= len(self._cache.pop(request_id, b""))

    def expire(self, before: float) -> None:
        """Drop results that were ready before a time."""
        if self._table.expire(before):
            with self._lock:
                self._cache.clear()
                self._cached_bytes = 0
