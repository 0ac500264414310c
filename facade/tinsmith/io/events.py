"""What a client tells whoever watches it: values handed to the observers of its configuration.

It owns the events and their delivery. It must not wait for an observer, nor let one break a request.
"""

from __future__ import annotations

import logging
from collections import Counter
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar, Literal, Protocol
from weakref import WeakValueDictionary

import attrs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_log = logging.getLogger("tinsmith")


class QueueState(StrEnum):
    """Why a promise waits, in the words of the API."""

    ACTIVE = "active"
    PAUSED_CAPACITY = "paused_capacity"
    PAUSED_RATE_LIMIT = "paused_rate_limit"
    UNKNOWN = "unknown"

    @classmethod
    def _missing_(cls, value: object) -> QueueState:
        return cls.UNKNOWN


class Watching(Protocol):
    """A client that hears of the queue states of its own requests."""

    def on_queue_state_change(self, queue_state: QueueState) -> None:
        """Hear why requests wait."""


@attrs.frozen
class QueueStateChanged:
    """The server told why a promise waits."""

    kind: ClassVar[Literal["queue"]] = "queue"
    """What kind of event this is."""

    request_id: str
    """The promise."""

    operation: str
    """What it is for, such as `forward_backward`."""

    model_id: str | None
    """The model or sampler that waits."""

    state: str
    """`active`, `paused_capacity`, `paused_rate_limit`, or what a newer server says."""

    reason: str | None
    """The server's own words, if it gave any."""


@attrs.frozen
class StillWaiting:
    """A wait lasts; sent when it starts to be long, then again each time its length doubles."""

    kind: ClassVar[Literal["wait"]] = "wait"
    """What kind of event this is."""

    operation: str
    """What waits."""

    waits_for: str
    """What it waits for, as a clause."""

    waited_s: float
    """How long it has, in seconds."""

    request_id: str | None = None
    """The promise, once there is one."""


@attrs.frozen
class Progress:
    """The counts of one client after each change."""

    kind: ClassVar[Literal["progress"]] = "progress"
    """What kind of event this is."""

    waiting: int
    """Requests that wait for their turn."""

    in_flight: int
    """Requests sent whose result is not here."""

    done: int
    """Requests that ended with a result."""

    failed: int
    """Requests that ended with an error."""

    errors: dict[str, int]
    """Errors by class name, with those that a retry overcame."""


Event = QueueStateChanged | StillWaiting | Progress


class Observers:
    """Deliver events of one client, and keep its counts."""

    def __init__(self, observers: Iterable[Callable[[Event], object]] = ()) -> None:
        self._observers = list(observers)
        self._watchers: WeakValueDictionary[str, Watching] = WeakValueDictionary()
        self._waiting = self._in_flight = self._done = self._failed = 0
        self._errors: Counter[str] = Counter()

    def add(self, observer: Callable[[Event], object]) -> None:
        """Send events to `observer` from now on."""
        self._observers = [*self._observers, observer]

    def remove(self, observer: Callable[[Event], object]) -> None:
        """Stop sending events to `observer`."""
        self._observers = [each for each in self._observers if each is not observer]

    def watch(self, owner: str, client: Watching) -> None:
        """Have the queue states of the model or sampler `owner` told to `client`, as long as it lives."""
        self._watchers[owner] = client

    def tell(self, event: Event) -> None:
        """Hand `event` to each observer; one that raises is logged and kept."""
        observers = self._observers
        if isinstance(event, QueueStateChanged) and (client := self._watchers.get(event.model_id or "")):
            observers = [*observers, lambda _: client.on_queue_state_change(QueueState(event.state))]
        for observer in observers:
            try:
                observer(event)
            except Exception:  # noqa: BLE001  # an observer is the user's code; a request must survive it
                _log.warning("an observer of tinsmith raised", exc_info=True)

    def entered(self) -> None:
        """Count a request that takes its place in line."""
        self._waiting += 1
        self._changed()

    def started(self) -> None:
        """Count a request whose turn came."""
        self._waiting -= 1
        self._in_flight += 1
        self._changed()

    def ended(self, error: BaseException | None, *, started: bool) -> None:
        """Count a request that has its outcome."""
        if started:
            self._in_flight -= 1
        else:
            self._waiting -= 1
        if error is None:
            self._done += 1
        else:
            self._failed += 1
            self._errors[type(error).__name__] += 1
        self._changed()

    def stumbled(self, kind: str) -> None:
        """Count an error that a retry may overcome."""
        self._errors[kind] += 1

    def counts(self) -> Progress:
        """Return the counts as they stand."""
        return Progress(self._waiting, self._in_flight, self._done, self._failed, dict(self._errors))

    def _changed(self) -> None:
        if self._observers:
            self.tell(self.counts())
