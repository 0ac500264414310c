"""What can go wrong on a wire, by name, and plans that say when it does."""

from __future__ import annotations

from contextlib import contextmanager
from enum import StrEnum
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tinsmith.io.http.messages import Seen


class FaultKind(StrEnum):
    """A kind of fault; `AFTER` in its name means that the server carried out the request first."""

    REFUSED = "refused"
    """No connection."""
    RESET_BEFORE = "reset before"
    """The connection ends before the server read the request."""
    RESET_AFTER = "reset after"
    """The connection ends after the server acted."""
    TRUNCATED_AFTER = "truncated after"
    """The answer ends in the middle."""
    DRIP_AFTER = "drip after"
    """The answer comes byte by byte and never ends."""
    DUPLICATED = "duplicated"
    """A proxy delivers the request twice and returns the second answer."""
    BROKEN_JSON_AFTER = "broken json after"
    """200 with JSON that is cut."""
    HTML_AFTER = "html after"
    """200 with a page of some proxy."""
    EMPTY_AFTER = "empty after"
    """200 without a body."""
    STATUS_408 = "408"
    """The server gave up waiting for the request, perhaps after it acted."""
    STATUS_429 = "429"
    """Refused for its rate, without Retry-After."""
    STATUS_429_ADVISED = "429 with retry-after"
    """Refused for its rate, with Retry-After."""
    STATUS_500_BEFORE = "500 before"
    """The server failed before it acted."""
    STATUS_502_AFTER = "502 after"
    """A proxy lost the answer."""
    STATUS_503_BEFORE = "503 before"
    """The server is not available, with Retry-After."""
    STATUS_504_AFTER = "504 after"
    """A proxy did not wait for the answer."""
    ANOTHERS_PROMISE_AFTER = "another's promise after"
    """A submission is answered with the promise of an earlier call of the same model or sampler."""
    PAGE_ON_POLL = "403 page on a poll"
    """A gateway's page under an error status."""
    MESSAGE_ON_POLL = "401 message on a poll"
    """A gateway's JSON, which is not from the server."""
    EMPTY_400_ON_POLL = "empty 400 on a poll"
    """A proxy whose connection went stale."""
    STATUS_451_ON_POLL = "451 on a poll"
    """A status that no server has for the state of a promise, with a text."""
    BROKEN_MESSAGE_ON_POLL = "broken protobuf on a poll"
    """200 with bytes that are no message."""
    EMPTY_MESSAGE_ON_POLL = "empty protobuf on a poll"
    """200 with no bytes of a message."""
    GONE_ON_POLL = "promise gone on a poll"
    """The server forgot a promise; each at most once."""


ON_POLLS = frozenset(kind for kind in FaultKind if kind.value.endswith(" on a poll"))
"""Faults that strike polls alone; other requests that should meet them are served."""

ACTS_FIRST = frozenset(kind for kind in FaultKind if kind.value.endswith(" after")) | {FaultKind.DUPLICATED}
"""Faults that hide an answer of a server that acted."""


class FaultPlan:
    """Says which fault the next request meets."""

    def __init__(self) -> None:
        self.met: list[tuple[FaultKind, str]] = []
        """Each fault so far, with the target that it hit."""

    def choose(self, seen: Seen) -> FaultKind | None:
        """Return the fault for this request, or None."""
        raise NotImplementedError

    def next_for(self, seen: Seen) -> FaultKind | None:
        """Choose, and remember what was chosen."""
        kind = self.choose(seen)
        if kind is not None:
            self.met.append((kind, seen.path))
        return kind


class AtPosition(FaultPlan):
    """Faults at given positions of the stream of requests, counted from 0."""

    def __init__(self, at: Mapping[int, FaultKind], *, paths: Iterable[str] | None = None) -> None:
        super().__init__()
        self._at = dict(at)
        self._paths = None if paths is None else frozenset(paths)
        self.position = 0
        """Position of the next request."""

    def choose(self, seen: Seen) -> FaultKind | None:
        """Return the fault at this position."""
        if self._paths is not None and seen.path not in self._paths:
            return None
        position, self.position = self.position, self.position + 1
        return self._at.get(position)


class AtRandom(FaultPlan):
    """Each request meets a fault with probability `p`, the same ones for the same seed."""

    def __init__(self, p: float, seed: int, kinds: Iterable[FaultKind] | None = None) -> None:
        super().__init__()
        self._p = p
        self._random = Random(seed)  # noqa: S311  # reproducible faults, not a secret
        self._kinds = tuple(FaultKind if kinds is None else kinds)

    def choose(self, seen: Seen) -> FaultKind | None:
        """Draw."""
        if self._random.random() >= self._p:
            return None
        return self._random.choice(self._kinds)


_active: list[FaultPlan] = []


@contextmanager
def faults(p: float, seed: int, kinds: Iterable[FaultKind] | None = None) -> Iterator[FaultPlan]:
    """Have every `LedgerService` without a plan of its own meet faults while the block runs."""
    plan = AtRandom(p, seed, kinds)
    _active.append(plan)
    try:
        yield plan
    finally:
        _active.remove(plan)


def active() -> FaultPlan | None:
    """Return the plan of the innermost `faults` block."""
    return _active[-1] if _active else None
