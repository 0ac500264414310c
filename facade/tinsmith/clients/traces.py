"""Traces of sessions: the server is asked again until it has written one, which is then fetched as a file."""

from __future__ import annotations

import asyncio
import hashlib
from typing import TYPE_CHECKING
from urllib.parse import urljoin

import attrs

from tinsmith.clients.checkpoints import make_room
from tinsmith.core.codec.structure import to_value
from tinsmith.core.errors import APIResponseValidationError, ProgressTimeoutError, RequestFailedError
from tinsmith.core.retry import drive
from tinsmith.io import operations
from tinsmith.io.download import Download
from tinsmith.io.events import StillWaiting
from tinsmith.io.polling.promise import LONG_WAIT_S

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tinsmith.io.link import Link

ASK_EVERY_S = 5.0
"""Pause between two questions whether a trace is written, in seconds, as the API wants it."""


@attrs.frozen
class _Export:
    status: str
    url: str | None = None
    error: str | None = None


async def trace_url(link: Link, session_id: str) -> str:
    """Return the signed URL of a session's trace, once it is written."""
    loop, limit_s = link.runtime.loop, link.config.progress_timeout_s
    began_s, told_s = loop.time(), LONG_WAIT_S

    async def ask(_attempt: int) -> _Export:
        nonlocal told_s
        waited_s = loop.time() - began_s
        if limit_s is not None and waited_s >= limit_s:
            raise ProgressTimeoutError(
                f"export_session_trace: the server did not write the trace of session {session_id} for"
                f" {limit_s:g} s; ask again, it may go on",
                request_id=session_id,
                elapsed_s=waited_s,
            )
        if waited_s >= told_s:
            told_s = 2.0 * waited_s
            what = "the server to write the trace"
            link.observers.tell(StillWaiting("export_session_trace", what, waited_s, session_id))
        asked = operations.request("export_session_trace", path={"session_id": session_id})
        return to_value(_Export, await operations.perform(link.caller, asked))

    def pause(_attempt: int, found: _Export) -> float | None:
        return ASK_EVERY_S if found.status == "pending" else None

    found = await drive(ask, pause, sleep=asyncio.sleep)
    if found.status == "failed":
        raise RequestFailedError(found.error or "the server cannot export the trace", request_id=session_id)
    if found.url is None:
        raise APIResponseValidationError(message=f"the trace is {found.status!r}, but has no URL")
    return urljoin(link.transport.base, found.url)


async def fetch_trace(
    link: Link,
    session_id: str,
    dest: Path,
    overwrite: bool,
    progress: Callable[[int, int | None], object] | None,
) -> Path:
    """Download the trace of a session beside `dest`, and move it in."""
    await link.runtime.in_thread(make_room, dest, overwrite)
    key = hashlib.sha256(session_id.encode()).hexdigest()[:12]  # what is left of it is of no other session
    part = dest.parent / f".{dest.name}.{key}.tinsmith-part"

    async def signed_url() -> str:
        return await trace_url(link, session_id)

    await Download(link, signed_url, part, progress).run()
    part.replace(dest)
    return dest
