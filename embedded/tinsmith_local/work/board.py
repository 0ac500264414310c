"""The promises of the service as others see them: accept, finish, fail, wait.

Keeps what is pending in memory beside the store, so that a poll costs no query, and keeps a result that the
disk had no room for until the process ends.
"""

import logging
import threading
import uuid
from collections import OrderedDict
from collections.abc import Callable, Iterable

import attrs

from tinsmith_local.store import PromiseRow, Promises, StorageFullError
from tinsmith_local.store.promises import Also, Applied

from .completions import Completion, Completions
from .signals import Signals

_LOG = logging.getLogger("tinsmith.local")
_LOG.addHandler(logging.NullHandler())

#: Results kept in memory as well, so that the first poll need not read them back.
CACHED_RESULT_BYTES = 64 << 20


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


@attrs.frozen(kw_only=True)
class Acceptance:
    """What is to be promised."""

    scope: str
    """What the number counts in."""
    seq: int | None
    """Number that the client gave."""
    digest: bytes
    """Fingerprint of the content."""
    op: str
    """Operation id."""
    body: bytes = attrs.field(repr=False)
    """Accepted bytes: what a restart computes from."""
    model_id: str | None = None
    """Model in whose line it stands."""
    position: int | None = None
    """Place in that line."""


class Board:
    """All promises of the service."""

    def __init__(self, promises: Promises, clock: Callable[[], float]) -> None:
        self._promises = promises
        self._clock = clock
        self._lock = threading.Lock()
        self._pending: dict[str, str] = {}
        self._cache: OrderedDict[str, bytes] = OrderedDict()
        self._cached_bytes = 0
        self._unsaved: dict[str, Outcome] = {}
        self._completions = Completions(promises)
        self._closing = False
        self.signals = Signals()

    def accept(self, wanted: Acceptance, also: Also | None = None) -> PromiseRow:
        """Journal a request and return its promise."""
        row = PromiseRow(
            request_id=uuid.uuid4().hex,
            scope=wanted.scope,
            seq=wanted.seq,
            digest=wanted.digest,
            op=wanted.op,
            model_id=wanted.model_id,
            position=wanted.position,
            state="accepted",
            error=None,
            category=None,
            created_at=self._clock(),
            finished_at=None,
            body_bytes=len(wanted.body),
        )
        self._promises.accept(row, wanted.body, also)
        self.resume(row)
        return row

    def resume(self, row: PromiseRow) -> None:
        """Know a promise as pending: a new one, or one that an earlier process left."""
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
        """Keep a result and wake who waits for it; StorageFullError leaves the promise pending."""
        self._promises.finish(
            request_id, result, self._clock(), applied=applied, also=also, drop_body=drop_body
        )
        with self._lock:
            self._cache[request_id] = result
            self._cached_bytes += len(result)
            while self._cached_bytes > CACHED_RESULT_BYTES:
                self._cached_bytes -= len(self._cache.popitem(last=False)[1])
        self._close(request_id, "done", size_bytes=len(result))

    def finish_unsaved(self, request_id: str, result: bytes) -> None:
        """Keep a result that changed nothing in memory alone, when the disk has no room for it."""
        _LOG.warning(
            "no space left to keep the result of promise %s; it lives until the process ends", request_id
        )
        self._close(request_id, "done", Outcome(state="done", result=result), size_bytes=len(result))

    def fail(self, request_id: str, error: str, category: str, state: str = "failed") -> None:
        """Keep a failure and wake who waits for it."""
        unsaved = None
        try:
            self._promises.fail(request_id, error, category, self._clock(), state)
        except StorageFullError:
            unsaved = Outcome(state=state, error=error, category=category)
        except Exception:  # noqa: BLE001 - whatever the store has, who waits must hear the end
            _LOG.exception("the failure of promise %s could not be written down", request_id)
            unsaved = Outcome(state=state, error=error, category=category)
        self._close(request_id, state, unsaved)

    def save_unsaved(self) -> None:
        """Write down failures that the disk had no room for."""
        with self._lock:
            failures = {key: value for key, value in self._unsaved.items() if value.state != "done"}
        for request_id, outcome in failures.items():
            try:
                self._promises.fail(request_id, outcome.error, outcome.category, self._clock(), outcome.state)
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
        self.signals.ring(request_id)
        self.signals.ring(scope)

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
        row = self._promises.find(request_id)
        if row is None:
            return Outcome(state="unknown")
        if row.state != "done":
            state = "pending" if row.state == "accepted" else row.state
            return Outcome(state=state, error=row.error or "", category=row.category or "unknown", op=row.op)
        try:
            return Outcome(state="done", result=cached or self._promises.result(request_id), op=row.op)
        except KeyError:
            return Outcome(state="expired", op=row.op)

    def release(self) -> None:
        """Answer all held polls with what is known, and hold no more: the service is about to close."""
        self._closing = True
        self.signals.ring_all()

    async def outcome(self, request_id: str, hold_s: float) -> Outcome:
        """Wait for an outcome, at most so long; then return what is known."""

        def settled() -> Outcome | None:
            if self.is_pending(request_id) and not self._closing:
                return None
            return self.look(request_id)

        return await self.signals.until(request_id, settled, hold_s) or self.look(request_id)

    async def completions(
        self, scope: str, after: int, hold_s: float, clone: int | None = None
    ) -> tuple[list[Completion], int]:
        """Wait for completions of a scope, or of one copy of it, behind a cursor; also the next cursor."""

        def look() -> tuple[list[Completion], int] | None:
            found = self._completions.behind(scope, after, clone)
            return found if found[0] or self._closing else None

        waited = await self.signals.until(scope, look, hold_s)
        return waited or self._completions.behind(scope, after, clone)

    def acknowledge(self, scope: str, request_ids: Iterable[str]) -> None:
        """Let results go that have arrived: they are not named again and leave the memory, not the disk."""
        arrived = self._completions.acknowledge(scope, request_ids) if request_ids else []
        with self._lock:
            for request_id in arrived:
                self._cached_bytes -= len(self._cache.pop(request_id, b""))

    def expire(self, before: float) -> None:
        """Drop results that were ready before a time."""
        if self._promises.expire(before):
            with self._lock:
                self._cache.clear()
                self._cached_bytes = 0
