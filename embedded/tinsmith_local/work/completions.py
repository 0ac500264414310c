"""What ended in each sampler, oldest first: what a session-wide poll is answered from.

A cursor counts completions from the first on. Those whose results have arrived are not named again.
"""

import threading
from collections.abc import Iterable
from itertools import islice

import attrs

from tinsmith_local.store import PromiseRow, Promises

#: One poll is answered with at most so many completions.
MAX_COMPLETIONS = 1000
#: A copy of a sampler numbers its samples from its counter times this.
CLONE_RANGE = 1_000_000_000


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
    """The completions of all samplers; those of one are read from the store when first asked for."""

    def __init__(self, promises: Promises) -> None:
        self._promises = promises
        self._lock = threading.Lock()
        self._open: dict[str, tuple[str, int | None]] = {}
        self._ended: dict[str, dict[str, Completion]] = {}

    def began(self, row: PromiseRow) -> None:
        """Know a promise that will end."""
        if row.op == "asample" and row.scope:
            with self._lock:
                self._open[row.request_id] = (row.scope, row.seq)

    def ended(self, request_id: str, state: str, size_bytes: int) -> str:
        """Note an end; the scope whose watchers are to be woken, empty for none."""
        with self._lock:
            scope, seq = self._open.pop(request_id, ("", None))
            if scope in self._ended:
                found = Completion(request_id, state, size_bytes, seq)
                self._ended[scope].setdefault(request_id, found)
            return scope

    def acknowledge(self, scope: str, request_ids: Iterable[str]) -> list[str]:
        """Note whose results have arrived; those of them that are of this scope."""
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
            if cursor > len(known):  # of another process: better named twice than never
                cursor = 0
            ended = list(islice(known.values(), cursor, cursor + MAX_COMPLETIONS))
        wanted = [one for one in ended if not one.retrieved and _is_of(one, clone)]
        return wanted, cursor + len(ended)

    def _of_scope(self, scope: str) -> dict[str, Completion]:
        """Return all completions of a scope, oldest first."""
        with self._lock:
            known = self._ended.get(scope)
        if known is None:
            rows = self._promises.completions(scope)
            with self._lock:
                known = self._ended.setdefault(scope, {})
                for request_id, state, size_bytes, seq in rows:
                    known.setdefault(request_id, Completion(request_id, state, size_bytes, seq))
        return known


def _is_of(completion: Completion, clone: int | None) -> bool:
    """Whether a completion is of one copy of a sampler; without a copy, all are."""
    return clone is None or completion.seq is None or completion.seq // CLONE_RANGE == clone
