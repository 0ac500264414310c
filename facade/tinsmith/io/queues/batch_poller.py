"""One poll for all samples of a sampler: which promises have ended since a cursor.

It owns the cursor, what is waited for, and what the server may forget. Results are still fetched one by one,
by `io.poller`; where the server does not answer, everything is left to single polls.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import orjson

from tinsmith.core.config import LONG_WAIT_S
from tinsmith.core.polling import Moment, not_ready_pause_s
from tinsmith.core.retry import Fault
from tinsmith.io.http.messages import Faulted, Lane, Request, json_body

if TYPE_CHECKING:
    from tinsmith.io.connection import Connection
    from tinsmith.io.poller import Promise

TARGET = "api/v1/retrieve_futures"
"""Path of the poll."""

HOLD_S = 40.0
"""Seconds that the server may hold a poll: below the read timeout of polls."""

ACK_TIMEOUT_S = 5.0
"""Seconds for a poll that only says what has arrived."""

AGAIN_AFTER_S = 60.0
"""Seconds for which single polls do after this one failed."""

MOST_KEPT = 10_000
"""Promises whose end is remembered before they are waited for, and results not yet acknowledged."""

_NO_SUCH_ROUTE = frozenset({400, 404, 405, 415, 422, 501})


class BatchPoller:
    """Polls for the ends of all promises of one sampler."""

    def __init__(self, connection: Connection, sampling_session_id: str, copy: int) -> None:
        self._connection = connection
        self._target = {
            "type": "sampling_session",
            "sampling_session_id": sampling_session_id,
            "cloned_sampler_id": copy,
        }
        self._waiting: dict[str, asyncio.Future[None]] = {}
        self._early: dict[str, None] = {}
        self._arrived: list[str] = []
        self._cursor = 0
        self._quick = 0
        self._off_until_s = float("-inf")
        self._watching: asyncio.Task[None] | None = None

    async def ended(self, promise: Promise) -> None:
        """Return once the promise has ended, or where single polls have to find out.

        That is where the server does not offer this, and after a minute: they say what a long wait is for.
        """
        request_id, loop = promise.request_id, self._connection.runtime.loop
        if request_id in self._early:
            del self._early[request_id]
            return
        if loop.time() < self._off_until_s:
            return
        ended = self._waiting[request_id] = loop.create_future()
        if self._watching is None or self._watching.done():
            self._watching = self._connection.runtime.task(self._watch())
        try:
            await asyncio.wait({ended}, timeout=LONG_WAIT_S)
        finally:
            self._waiting.pop(request_id, None)

    def arrived(self, request_id: str) -> None:
        """Note that a result was read, so that the server may forget it."""
        if self._off_until_s == float("inf") or len(self._arrived) >= MOST_KEPT:
            return
        self._arrived.append(request_id)
        if not self._waiting and not self._connection.closed:
            self._connection.runtime.task(self._acknowledge())

    async def _watch(self) -> None:
        """Poll while a promise is waited for; each poll goes on from the cursor of the one before."""
        try:
            while self._waiting:
                pause_s = await self._next()
                if pause_s is None:
                    return
                await asyncio.sleep(pause_s)
        finally:  # single polls do the rest
            for ended in self._waiting.values():
                if not ended.done():
                    ended.set_result(None)

    async def _next(self) -> float | None:
        """Poll once; return the pause before the next, or None where single polls have to do."""
        loop = self._connection.runtime.loop
        arrived, began_s = self._arrived, loop.time()
        self._arrived = []
        body = await self._poll(arrived, HOLD_S, self._connection.config.poll.read_timeout_s)
        if body is None:
            self._arrived = arrived + self._arrived
            return None
        completions = body.get("completions")
        news = sum([self._note_end(one) for one in completions]) if isinstance(completions, list) else 0
        cursor = body.get("cursor")
        self._cursor = cursor if isinstance(cursor, int) and not isinstance(cursor, bool) else self._cursor
        moment = Moment(took_s=loop.time() - began_s)
        policy = self._connection.config.poll
        self._quick = 0 if news or moment.took_s >= policy.held_s else self._quick + 1
        return 0.0 if news else not_ready_pause_s(self._quick, moment, policy)

    def _note_end(self, completion: object) -> bool:
        """End the wait for a promise that has ended; say whether there was one."""
        request_id = completion.get("request_id") if isinstance(completion, dict) else None
        if not isinstance(request_id, str):
            return False
        waits = self._waiting.get(request_id)
        if waits is None:
            self._early[request_id] = None
            if len(self._early) > MOST_KEPT:  # the server names others' promises, or old ones again
                del self._early[next(iter(self._early))]
            return False
        if not waits.done():
            waits.set_result(None)
            return True
        return False

    async def _acknowledge(self) -> None:
        """Say what has arrived, after the others that arrive now; best effort."""
        loop = self._connection.runtime.loop
        await asyncio.sleep(max(self._connection.config.poll.ceiling_s, self._off_until_s - loop.time()))
        if not self._arrived or self._waiting or self._connection.closed:
            return  # the next poll says it, or no later one
        arrived, self._arrived = self._arrived, []
        await self._poll(arrived, 0.0, ACK_TIMEOUT_S)

    async def _poll(self, arrived: list[str], hold_s: float, timeout_s: float) -> dict[str, Any] | None:
        """Send one poll. None: single polls have to do, for a while or for good."""
        query = {"target": self._target, "prev_cursor": self._cursor, "timeout": hold_s}
        body = json_body({**query, "retrieved_request_ids": arrived})
        request = Request("retrieve_futures", "POST", TARGET, Lane.POLL, body, timeout_s=timeout_s)
        try:
            answer = await self._connection.credentials.send(request)
            if answer.status == 408:
                return {}
            found = answer.json() if answer.ok else None
        except Faulted as faulted:
            if faulted.fault in (Fault.READ_TIMEOUT, Fault.DEADLINE):
                return {}
            found = None
        except orjson.JSONDecodeError:
            found = None
        else:
            if answer.status in _NO_SUCH_ROUTE:
                self._off_until_s = float("inf")
        if isinstance(found, dict):
            return found
        self._off_until_s = max(self._off_until_s, self._connection.runtime.loop.time() + AGAIN_AFTER_S)
        return None
