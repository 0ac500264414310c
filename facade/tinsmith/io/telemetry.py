"""Telemetry of one client: off unless the user turns it on, and then without any text of the user's.

It owns the queue of events and its sending. Event data are counts, names of classes and ids of this package;
no header, path, prompt, message or traceback gets in.
"""

from __future__ import annotations

import asyncio
import platform
import threading
import uuid
from collections import deque
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from tinsmith_api.models import (
    GenericEvent,
    SessionEndEvent,
    SessionStartEvent,
    TelemetrySendRequest,
    UnhandledExceptionEvent,
)

from tinsmith.core import __version__
from tinsmith.core.codec.encode import to_wire
from tinsmith.core.errors import InputError
from tinsmith.core.names import Severity
from tinsmith.core.retry import OpClass
from tinsmith.io.http import operations

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tinsmith.io.http.sender import Sender
    from tinsmith.io.runtime import Runtime

BATCH_EVENTS = 100
"""Events sent at once."""

FLUSH_S = 10.0
"""Seconds between two sends."""

QUEUE_EVENTS = 10_000
"""Events kept; what comes when the queue is full is dropped."""

_PLAIN = (bool, int, float)


class Telemetry:
    """The events of one session."""

    def __init__(self, runtime: Runtime, sender: Sender, timeout_s: float) -> None:
        self._runtime = runtime
        self._sender = sender
        self._timeout_s = timeout_s
        self._session_id = ""
        self._queue: deque[Any] = deque()
        self._guard = threading.Lock()
        self._count = 0
        self._started_s = runtime.loop.time()
        self._task: asyncio.Task[None] | None = None

    def log(
        self,
        event_name: str,
        event_data: Mapping[str, object] | None = None,
        severity: Severity = Severity.INFO,
    ) -> bool:
        """Queue a generic event; numbers stay, of anything else its type alone. False when it is full."""
        data = {str(key): _harmless(value) for key, value in (event_data or {}).items()}
        name = event_name.encode("utf-8", "replace").decode()
        return self._add(GenericEvent, severity, event_name=name, event_data=data)

    def log_exception(self, error: BaseException, severity: Severity = Severity.ERROR) -> bool:
        """Queue the class of an exception that reached the user."""
        name = type(error).__name__
        return self._add(UnhandledExceptionEvent, severity, error_type=name, error_message=name)

    def begin(self, session_id: str) -> None:
        """Queue the start of the session, and send every few seconds from now on; on the loop."""
        self._session_id = session_id
        self._add(SessionStartEvent, Severity.INFO)
        self._task = self._runtime.task(self._send_often())

    async def end(self) -> None:
        """Queue the end of the session and send what is left, once."""
        if self._task is None:
            return
        self._task.cancel()
        self._task = None
        lasted = timedelta(seconds=self._runtime.loop.time() - self._started_s)
        self._add(SessionEndEvent, Severity.INFO, duration=str(lasted))
        await self._flush()

    def _add(self, kind: type[Any], severity: Severity, **fields: object) -> bool:
        with self._guard:
            if len(self._queue) >= QUEUE_EVENTS:
                return False
            event = kind(
                event_id=str(uuid.uuid4()),
                event_session_index=self._count,
                severity=severity,
                timestamp=datetime.now(UTC).isoformat().replace("+00:00", "Z"),
                **fields,
            )
            self._count += 1
            self._queue.append(event)
            return True

    async def _send_often(self) -> None:
        while True:
            await asyncio.sleep(FLUSH_S)
            await self._flush()

    async def _flush(self) -> None:
        """Send what is queued; a batch that cannot be sent is dropped."""
        while self._queue:
            with self._guard:
                batch = [self._queue.popleft() for _ in range(min(BATCH_EVENTS, len(self._queue)))]
            body = TelemetrySendRequest(
                events=[to_wire(event) for event in batch],
                platform=platform.system(),
                sdk_version=__version__,
                session_id=self._session_id,
            )
            try:
                request = operations.request("telemetry", body=body, timeout_s=self._timeout_s)
            except InputError:
                continue  # something in it has no form in JSON
            await self._sender.exchange(request, OpClass.BEST_EFFORT)


def _harmless(value: object) -> object:
    if isinstance(value, int) and abs(value) >= 1 << 63:
        return "large int"
    return value if isinstance(value, _PLAIN) or value is None else type(value).__name__
