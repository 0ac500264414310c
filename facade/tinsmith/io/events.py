"""What a client reports: events for the observers of its configuration, and warnings in the log.

The log is silent unless the program, or TINKER_LOG, turns it on. Nothing is configured at import, and no
header or body is ever logged. An observer is never waited for, and cannot break a request.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import warnings
from collections import Counter
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar, Literal, Protocol
from weakref import WeakValueDictionary

import attrs

from tinsmith.core.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}

_log = logging.getLogger("tinsmith")
_log.addHandler(logging.NullHandler())

BILLING_WARNING_S = 60.0
"""Seconds between two warnings that the account cannot pay, however many requests of a client wait."""


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
    """A client that is notified of the queue states of its own requests."""

    def on_queue_state_change(self, queue_state: QueueState) -> None:
        """Take note of why requests wait."""


@attrs.frozen
class QueueStateChanged:
    """The server said why a promise waits."""

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
    """A request waits long: comes after `core.config.LONG_WAIT_S`, then each time the wait has doubled."""

    kind: ClassVar[Literal["wait"]] = "wait"
    """What kind of event this is."""

    operation: str
    """What waits."""

    waits_for: str
    """What it waits for, in words, such as `capacity at the server`."""

    waited_s: float
    """How long it has waited, in seconds."""

    request_id: str | None = None
    """The promise, once there is one."""


@attrs.frozen
class Progress:
    """How many requests of one client are waiting, in flight and done, after each change."""

    kind: ClassVar[Literal["progress"]] = "progress"
    """What kind of event this is."""

    waiting: int
    """Requests that wait for their turn."""

    in_flight: int
    """Requests that were sent and have no result yet."""

    done: int
    """Requests that ended with a result."""

    failed: int
    """Requests that ended with an error."""

    errors: dict[str, int]
    """Number of errors by class name, including those after which a retry succeeded."""


Event = QueueStateChanged | StillWaiting | Progress


class Observers:
    """Deliver events of one client, and keep its counts."""

    def __init__(self, observers: Iterable[Callable[[Event], object]] = ()) -> None:
        self._observers = list(observers)
        self._watchers: WeakValueDictionary[str, Watching] = WeakValueDictionary()
        self._waiting = self._in_flight = self._done = self._failed = 0
        self._errors: Counter[str] = Counter()
        self._billing_warned_s = float("-inf")

    def add(self, observer: Callable[[Event], object]) -> None:
        """Send events to `observer` from now on."""
        self._observers = [*self._observers, observer]

    def remove(self, observer: Callable[[Event], object]) -> None:
        """Stop sending events to `observer`."""
        self._observers = [each for each in self._observers if each is not observer]

    def watch(self, owner: str, client: Watching) -> None:
        """Report the queue states of the model or sampler `owner` to `client`, as long as it lives."""
        self._watchers[owner] = client

    def notify(self, event: Event) -> None:
        """Hand `event` to each observer; one that raises is logged and kept."""
        observers = self._observers
        if isinstance(event, QueueStateChanged) and (client := self._watchers.get(event.model_id or "")):
            observers = [*observers, lambda _: client.on_queue_state_change(QueueState(event.state))]
        for observer in observers:
            try:
                observer(event)
            except Exception:  # noqa: BLE001  # an observer is the user's code; a request must survive it
                _log.warning("an observer of tinsmith raised", exc_info=True)

    def still_waiting(
        self, operation: str, why: str, waited_s: float, request_id: str | None = None, *, warn: bool = True
    ) -> None:
        """Report a long wait: to the observers, and with `warn` in the log."""
        self.notify(StillWaiting(operation, why, waited_s, request_id))
        if warn:
            what = operation if request_id is None else f"{operation} (request {request_id})"
            _log.warning("%s has waited %.0f s for %s", what, waited_s, why)

    def entered(self) -> None:
        """Count a request that is queued."""
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

    def count_error(self, kind: str) -> None:
        """Count an error that a retry may overcome."""
        self._errors[kind] += 1

    def counts(self) -> Progress:
        """Return the counts of now."""
        return Progress(self._waiting, self._in_flight, self._done, self._failed, dict(self._errors))

    def _changed(self) -> None:
        if self._observers:
            self.notify(self.counts())

    def paused_for_billing(
        self, operation: str, paused_s: float, limit_s: float, *, request_id: str | None = None
    ) -> None:
        """Report now and then that a request was answered 402 and will be sent again."""
        now_s = asyncio.get_running_loop().time()
        if now_s - self._billing_warned_s < BILLING_WARNING_S:
            return
        self._billing_warned_s = now_s
        clause = f"the account to be able to pay (402), at most {limit_s:.0f} s"
        self.still_waiting(operation, clause, paused_s, request_id)

    def resumed_after_billing(self, operation: str, paused_s: float) -> None:
        """Report that the request goes on."""
        if self._billing_warned_s > float("-inf"):
            self._billing_warned_s = float("-inf")
            _log.warning("%s goes on after a pause of %.0f s for billing", operation, paused_s)


def log_to_stderr(level: str | None) -> None:
    """Show records of this package from `level` on; None leaves logging to the program."""
    if level is None:
        return
    if level.lower() not in _LEVELS:
        raise InputError(f"is none of {', '.join(_LEVELS)}", field="log_level")
    _log.setLevel(_LEVELS[level.lower()])
    if not any(type(handler) is logging.StreamHandler for handler in _log.handlers):
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        _log.addHandler(handler)


def warn_visibly(text: str, category: type[Warning] | None = None) -> None:
    """Warn of what must not be missed: as a Python warning if it has a category, else in the log.

    Where warnings are errors the log has it, and where the program has configured no logging, stderr.
    """
    if category is not None:
        try:
            warnings.warn(category(text), stacklevel=2)
        except category:
            pass
        else:
            return
    _log.warning("%s", text)
    handlers = (*_log.handlers, *logging.getLogger().handlers)
    if all(isinstance(handler, logging.NullHandler) for handler in handlers):
        sys.stderr.write(f"tinsmith: {text}\n")
