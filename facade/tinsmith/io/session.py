"""The session of one client: opened once, when first needed, and kept alive; its loss is reported.

It must not know what is done in a session.
"""

from __future__ import annotations

import asyncio
import logging
from itertools import count
from typing import TYPE_CHECKING, Any

from tinsmith_api.models import CreateSessionResponse

from tinsmith.core import __version__
from tinsmith.core.codec.answers import to_value
from tinsmith.core.errors import SessionLostError
from tinsmith.core.failures import TextSource, Topic, detail_text, read_error_text
from tinsmith.core.retry import OpClass
from tinsmith.io.http import operations
from tinsmith.io.http.messages import Lane
from tinsmith.io.runtime import SharedTask

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from tinsmith.core.config import ClientConfig
    from tinsmith.core.errors import TinkerError
    from tinsmith.io.http.sender import Attempts, Sender
    from tinsmith.io.runtime import Runtime
    from tinsmith.io.settings import ServerSettings
    from tinsmith.io.telemetry import Telemetry

_log = logging.getLogger("tinsmith")

_GONE = frozenset({404, 410})


def _says_that_it_is_gone(exchange: Attempts) -> bool:
    """Say whether the server itself answers that it has no such session; a proxy's page is not its word."""
    if exchange.outcome.status not in _GONE or exchange.answer is None:
        return False
    words = read_error_text(exchange.answer.body)
    return words.source is TextSource.TEXT and words.topic is not Topic.ROUTE


class Session:
    """One session, with the numbers that are counted per session."""

    def __init__(
        self,
        config: ClientConfig,
        runtime: Runtime,
        sender: Sender,
        settings: ServerSettings,
        telemetry: Telemetry | None,
        *,
        on_opening: Callable[[], Coroutine[Any, Any, None]],
        on_lost: Callable[[TinkerError], None],
    ) -> None:
        self._config, self._runtime, self._sender = config, runtime, sender
        self._settings = settings
        self._telemetry = telemetry
        self._on_opening, self._on_lost = on_opening, on_lost
        self._preparing: asyncio.Task[None] | None = None
        self._opening = SharedTask(self._create)
        self._beating: asyncio.Task[None] | None = None
        self._models, self._samplers = count(), count()
        self.session_id: str | None = None
        """The server's name for it; None until it is open."""

    def next_model(self) -> int:
        """Draw the number of a new model, from 0."""
        return next(self._models)

    def next_sampler(self) -> int:
        """Draw the number of a new sampler, from 0; samplers of all kinds share the count."""
        return next(self._samplers)

    async def open(self) -> str:
        """Return the session's id, opening it if it is not open; calls made meanwhile get the same one."""
        return self.session_id or await self._opening.result()

    async def close(self) -> None:
        """Stop the heartbeat."""
        self._opening.cancel()
        for task in (self._preparing, self._beating):
            if task is not None:
                task.cancel()

    async def finish(self, status: str, detail: str | None) -> None:
        """Report once to the server how the session went; a server without such a route is no error."""
        if self.session_id is None:
            return
        request = operations.request(
            "finish_session",
            path={"session_id": self.session_id},
            body={"reason": {"type": status}, **({} if detail is None else {"detail": detail})},
            lane=Lane.HEARTBEAT,
            timeout_s=self._config.timeouts.heartbeat_s,
        )
        await self._sender.exchange(request, OpClass.BEST_EFFORT)

    async def _create(self) -> str:
        from tinsmith_api.models import CreateSessionRequest  # not needed for reads

        self._preparing = self._runtime.task(self._on_opening())  # while the answers are on their way
        await self._settings.fetch()
        config = self._config
        body = CreateSessionRequest(
            list(config.tags),
            dict(config.user_metadata),
            __version__,
            config.project_id,
            config.display_name,
        )
        request = operations.request("create_session", body=body)
        payload = await operations.perform(self._sender, request)
        created = to_value(CreateSessionResponse, payload)
        for level, message in (
            (logging.INFO, created.info_message),
            (logging.WARNING, created.warning_message),
            (logging.ERROR, created.error_message),
        ):
            if message:
                _log.log(level, "the server says: %s", detail_text(message))
        self.session_id = created.session_id
        if self._telemetry is not None:
            self._telemetry.begin(created.session_id)
        self._beating = self._runtime.task(self._beat(created.session_id))
        return created.session_id

    async def _beat(self, session_id: str) -> None:
        """Send heartbeats at a fixed interval, whatever each of them takes."""
        config, loop = self._config, self._runtime.loop
        last_s = next_s = loop.time()
        failed_before = False
        while True:
            next_s = max(next_s + config.heartbeat_interval_s, loop.time())
            await asyncio.sleep(next_s - loop.time())
            request = operations.request(
                "session_heartbeat",
                body={"session_id": session_id, "type": "session_heartbeat"},
                lane=Lane.HEARTBEAT,
                timeout_s=config.timeouts.heartbeat_s,
            )
            try:
                exchange = await self._sender.exchange(request, OpClass.BEST_EFFORT)
            except Exception as error:  # noqa: BLE001  # no answer may end the heartbeat
                reason: str | None = f"{type(error).__name__}: {error}"
            else:
                if _says_that_it_is_gone(exchange):
                    self._lose(session_id, exchange.outcome.status)
                    return
                reason = None if exchange.done else str(self._sender.error(exchange))
            now_s = loop.time()
            if reason is None:
                last_s, failed_before = now_s, False
            elif not failed_before or now_s - last_s >= config.session_warn_after_s:
                failed_before = True
                _log.warning(
                    "a heartbeat of session %s failed (%s); the last one that worked was %.0f s ago",
                    session_id,
                    reason,
                    now_s - last_s,
                )

    def _lose(self, session_id: str, status: int | None) -> None:
        _log.warning("the server no longer knows session %s (status %s)", session_id, status)
        self._on_lost(
            SessionLostError(
                f"the server no longer knows session {session_id} (status {status}); make a new ServiceClient"
                " and load from a checkpoint",
                applied="unknown",
            )
        )
