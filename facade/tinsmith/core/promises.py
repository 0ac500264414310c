"""Which call each promise belongs to, and when promises ended.

Pure. The result of another call of the same kind looks like the right one. Only a promise that is given twice
shows that something is wrong.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Hashable, Mapping

import attrs

RECENT = 128
"""Ended promises that are remembered of a model or sampler. Few: ids may start again after a restart."""

_TYPES: dict[str, frozenset[str]] = {
    "forward": frozenset({"forward", "forward_backward"}),
    "forward_backward": frozenset({"forward", "forward_backward"}),
    "optim_step": frozenset({"optim_step"}),
    "save_weights": frozenset({"save_weights"}),
    "save_weights_for_sampler": frozenset({"save_weights_for_sampler"}),
    "save_weights_external": frozenset({"save_weights_external"}),
    "load_weights": frozenset({"load_weights", "create_model"}),  # a model may be created by a load
    "create_model": frozenset({"load_weights", "create_model"}),
    "unload_model": frozenset({"unload_model"}),
    "asample": frozenset({"asample", "sample"}),
}
"""Which `type` a result of each operation may name."""

_KNOWN = frozenset[str]().union(*_TYPES.values())

_FIELDS = {
    "loss_fn_outputs": frozenset({"forward", "forward_backward"}),
    "sequences": frozenset({"asample"}),
}
"""Fields that results of these operations alone have."""


def foreign_result(operation: str, payload: object) -> str | None:
    """Say why a result belongs to another operation; None if it may be the right one."""
    if not isinstance(payload, Mapping) or operation not in _TYPES:
        return None
    named = payload.get("type")
    if isinstance(named, str) and named in _KNOWN and named not in _TYPES[operation]:
        return f"its type is {named!r}"
    for field, owners in _FIELDS.items():
        if payload.get(field) is not None and operation not in owners:
            return f"it has {field!r}"
    return None


@attrs.define
class PromiseOwners:
    """Which call each promise of a model or sampler was given to: those outstanding, and some that ended."""

    recent: int = RECENT
    """Ended promises that are remembered."""
    _outstanding: dict[str, Hashable] = attrs.field(factory=dict)
    _ended: dict[str, Hashable] = attrs.field(factory=dict)
    _aside: dict[str, Hashable] = attrs.field(factory=dict)
    _refused: str | None = None

    def is_of_another(self, request_id: str, call: Hashable) -> bool:
        """Say whether a promise was given to another call.

        A stale answer repeats one promise that ended. A server that restarted its ids repeats one after the
        other: at the second one, the promises that ended are forgotten.
        """
        if request_id in self._outstanding:
            return self._outstanding[request_id] != call
        if self._ended.get(request_id, call) == call:
            return False
        if self._refused not in (None, request_id):
            self._ended.clear()
            return False
        self._refused = request_id
        return True

    def assign(self, request_id: str, call: Hashable) -> None:
        """Record which call a promise was given to."""
        self._outstanding[request_id] = call
        self._refused = None
        if request_id not in self._aside:  # the server did not start its ids again
            self._ended = self._aside | self._ended
        self._aside = {}

    def ended(self, request_id: str) -> None:
        """Record that nobody waits for a promise any more."""
        if request_id not in self._outstanding:
            return
        self._ended[request_id] = self._outstanding.pop(request_id)
        while len(self._ended) > self.recent:
            del self._ended[next(iter(self._ended))]

    def lost(self, request_id: str) -> None:
        """Record that the server lost a promise.

        Its ids may start again. The next promise shows whether they do: until then the ended ones do not
        count.
        """
        self._outstanding.pop(request_id, None)
        self._aside |= self._ended
        self._ended = {}


MOST_KEPT = 256
"""Ended promises that are remembered for one owner."""


@attrs.define
class EndedPromises:
    """When the promises of one owner ended. Numbers and times rise: an end removes higher numbers."""

    _numbers: list[int] = attrs.field(factory=list)
    _times_s: list[float] = attrs.field(factory=list)

    def add(self, seq_id: int, at_s: float) -> None:
        """Record that the promise of a number ended."""
        while self._numbers and self._numbers[-1] >= seq_id:
            self._numbers.pop()
            self._times_s.pop()
        self._numbers.append(seq_id)
        self._times_s.append(at_s)
        if len(self._numbers) > MOST_KEPT:  # of each two the lower number and the later time
            self._numbers = self._numbers[::2]
            self._times_s = self._times_s[1::2] + ([at_s] if len(self._times_s) % 2 else [])

    def last_before(self, seq_id: int) -> float:
        """Return when a promise with a lower number ended last; minus infinity if none did."""
        at = bisect_left(self._numbers, seq_id)
        return self._times_s[at - 1] if at else float("-inf")
