"""Bring checkpoints and traces to this machine: signed URLs, and files that gather beside their target.

It owns the folder in which files gather, so that a target is there in full or not at all. `io.download`
fetches and verifies one file; `clients.rest` asks the server about checkpoints.
"""

from __future__ import annotations

import asyncio
import hashlib
import shutil
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from tinsmith_api.models import SessionTraceExport

from tinsmith.core.codec.answers import to_value
from tinsmith.core.config import LONG_WAIT_S
from tinsmith.core.errors import APIResponseValidationError, ProgressTimeoutError, RequestFailedError
from tinsmith.io.download import Download, disk_trouble_is_named
from tinsmith.io.events import StillWaiting
from tinsmith.io.http import operations
from tinsmith.io.unpack import checked_file, move_in, unpack

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from tinsmith_api.models import ExternalWeightsUrlsResponse

    from tinsmith.io.connection import Connection

RENEW_BEFORE = timedelta(minutes=5)
"""A signed URL that ends sooner than this is not used for another file: a new one is asked for."""

ASK_EVERY_S = 5.0
"""Seconds between two requests that ask whether a trace is written, as the API wants it."""


async def fetch_archive(
    connection: Connection,
    signed_url: Callable[[], Awaitable[str]],
    dest: Path,
    overwrite: bool,
    progress: Callable[[int, int | None], object] | None,
) -> Path:
    """Download the archive of a checkpoint beside `dest`, unpack it there, and move it in."""
    await connection.runtime.in_thread(_prepare, dest, overwrite)
    part = dest.parent / f".{dest.name}.tinsmith-part"
    await _download(connection, signed_url, part, progress)
    try:
        with disk_trouble_is_named(dest):
            await connection.runtime.in_thread(lambda: unpack(part, dest, overwrite=overwrite))
    finally:
        part.unlink(missing_ok=True)
    return dest


async def fetch_external(
    connection: Connection,
    tinker_path: str,
    urls: Callable[[], Awaitable[ExternalWeightsUrlsResponse]],
    dest: Path,
    overwrite: bool,
    progress: Callable[[str, int, int | None], object] | None,
) -> Path:
    """Gather the files of an external checkpoint beside `dest`, and move them in."""
    await connection.runtime.in_thread(_prepare, dest, overwrite)
    signed = _SignedUrls(connection.transport.base, urls)
    names = await signed.names()
    gathering = dest.parent / f".{dest.name}.{_key(tinker_path)}.tinsmith-parts"
    seen: set[str] = set()
    targets = {name: checked_file(name, gathering, seen) for name in names}
    for name, target in targets.items():
        if not target.exists():
            part = target.with_name(target.name + ".part")
            part.parent.mkdir(parents=True, exist_ok=True)
            of_file = None if progress is None else partial(progress, name)
            await _download(connection, partial(signed.url, name), part, of_file)
            part.rename(target)
    await connection.runtime.in_thread(_move_in, gathering, set(targets.values()), dest)
    return dest


async def fetch_trace(
    connection: Connection,
    session_id: str,
    dest: Path,
    overwrite: bool,
    progress: Callable[[int, int | None], object] | None,
) -> Path:
    """Download the trace of a session beside `dest`, and move it in."""
    await connection.runtime.in_thread(_prepare, dest, overwrite)
    part = dest.parent / f".{dest.name}.{_key(session_id)}.tinsmith-part"
    await _download(connection, partial(trace_url, connection, session_id), part, progress)
    part.replace(dest)
    return dest


async def _download(
    connection: Connection,
    signed_url: Callable[[], Awaitable[str]],
    part: Path,
    progress: Callable[[int, int | None], object] | None,
) -> None:
    retry = connection.config.retry
    await Download(connection.transport, connection.runtime, retry, signed_url, part, progress).run()


async def trace_url(connection: Connection, session_id: str) -> str:
    """Return the signed URL of a session's trace, once it is written."""
    loop, limit_s = connection.runtime.loop, connection.config.progress_timeout_s
    began_s, report_at_s = loop.time(), LONG_WAIT_S
    while True:
        asked = operations.request("export_session_trace", path={"session_id": session_id})
        found = to_value(SessionTraceExport, await operations.perform(connection.sender, asked))
        if found.status != "pending":
            break
        await asyncio.sleep(ASK_EVERY_S)
        waited_s = loop.time() - began_s
        if limit_s is not None and waited_s >= limit_s:
            raise ProgressTimeoutError(
                f"export_session_trace: the server did not write the trace of session {session_id} for"
                f" {limit_s:g} s; ask again, it may go on",
                request_id=session_id,
                elapsed_s=waited_s,
            )
        if waited_s >= report_at_s:
            report_at_s = 2.0 * waited_s
            what = "the server to write the trace"
            connection.observers.notify(StillWaiting("export_session_trace", what, waited_s, session_id))
    if found.status == "failed":
        raise RequestFailedError(found.error or "the server cannot export the trace", request_id=session_id)
    if found.url is None:
        raise APIResponseValidationError(message=f"the trace is {found.status!r}, but has no URL")
    return urljoin(connection.transport.base, found.url)


class _SignedUrls:
    """The signed URLs of the files of one external checkpoint, asked for again before they expire."""

    def __init__(self, base: str, ask: Callable[[], Awaitable[ExternalWeightsUrlsResponse]]) -> None:
        self._base = base
        self._ask_server = ask
        self._known: ExternalWeightsUrlsResponse | None = None
        self._used: set[str] = set()

    async def names(self) -> list[str]:
        """Return the names of the files."""
        return sorted((await self._ask()).urls)

    async def url(self, name: str) -> str:
        """Return a URL of a file; a new one when it was asked for before, for then the old one failed."""
        known = self._known
        if known is None or name in self._used or known.expires < datetime.now(UTC) + RENEW_BEFORE:
            known = await self._ask()
        self._used.add(name)
        if name not in known.urls:
            raise APIResponseValidationError(message=f"the server has no URL of {name!r} any more")
        return urljoin(self._base, known.urls[name])

    async def _ask(self) -> ExternalWeightsUrlsResponse:
        self._known = await self._ask_server()
        self._used.clear()
        return self._known


def _prepare(dest: Path, overwrite: bool) -> None:
    """Refuse a target that exists and may not be replaced; make the folder that it goes into."""
    if dest.exists() and not overwrite:
        raise FileExistsError(f"{dest} is there already; pass overwrite=True to replace it")
    with disk_trouble_is_named(dest.parent):
        dest.parent.mkdir(parents=True, exist_ok=True)


def _key(name: str) -> str:
    """Shorten a name for a partial file, so that what is left of one download is not taken for another's."""
    return hashlib.sha256(name.encode()).hexdigest()[:12]


def _move_in(gathering: Path, wanted: set[Path], dest: Path) -> None:
    """Drop the files of an earlier attempt that are not wanted any more, and put the others in place."""
    gathering.mkdir(parents=True, exist_ok=True)
    for path in list(gathering.rglob("*")):
        if path.is_file() and path not in wanted:
            path.unlink()
    move_in(gathering, dest)
    shutil.rmtree(gathering, ignore_errors=True)
