"""Bring checkpoints and traces to this machine: signed URLs, and files that gather beside their target.

It owns under which id a server is asked for a checkpoint, and the folder in which files gather, so that a
target is there in full or not at all. `io.download` fetches and verifies one file.
"""

from __future__ import annotations

import asyncio
import hashlib
import shutil
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urljoin

from tinsmith_api.models import SessionTraceExport

from tinsmith.core.addresses import checkpoint_id_spellings
from tinsmith.core.codec.answers import to_value
from tinsmith.core.config import LONG_WAIT_S
from tinsmith.core.errors import (
    APIResponseValidationError,
    APIStatusError,
    ProgressTimeoutError,
    RequestFailedError,
)
from tinsmith.core.failures import detail_text
from tinsmith.core.retry import OpClass
from tinsmith.core.values.results import CheckpointArchiveUrlResponse
from tinsmith.io.download import Download, disk_trouble_is_named
from tinsmith.io.events import StillWaiting
from tinsmith.io.http import operations
from tinsmith.io.unpack import checked_file, move_in, unpack

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from pathlib import Path

    from tinsmith_api.models import ExternalWeightsUrlsResponse

    from tinsmith.io.connection import Connection

T = TypeVar("T")

REDIRECTS = frozenset({301, 302, 303, 307, 308})
"""Statuses whose `Location` is the URL of an archive."""

SIGNED_URL_LIFE = timedelta(minutes=15)
"""How long a signed URL is taken to work when the server does not say."""

RENEW_BEFORE = timedelta(minutes=5)
"""A signed URL that ends sooner than this is not used for another file: a new one is asked for."""

ASK_EVERY_S = 5.0
"""Seconds between two requests that ask whether a trace is written, as the API wants it."""


async def on_checkpoint(
    connection: Connection, checkpoint: Mapping[str, str], ask: Callable[[dict[str, str]], Awaitable[T]]
) -> T:
    """Ask for something of a checkpoint, under the id as the server spells it.

    The id is sent as it was given, and then in the other form where the server has no such route or
    refuses a bare name.
    """
    profile = connection.server.profile
    has_kinds = profile.is_final and profile.checkpoint_ids == "kind and name"
    ways = checkpoint_id_spellings(checkpoint["checkpoint_id"], has_kinds=has_kinds)
    first, *others = [_segments(checkpoint["training_run_id"], written) for written in ways]
    try:
        return await ask(first)
    except APIStatusError as error:
        is_bare = error.status_code in (400, 404, 422) and "checkpoint_kind" not in first
        if not others or not (is_bare or _is_missing_route(error)):
            raise
        refused = error
    try:
        return await ask(others[0])
    except APIStatusError as error:
        if _is_missing_route(error) and not _is_missing_route(refused):
            raise refused from error
        raise


async def archive_url(connection: Connection, checkpoint: Mapping[str, str]) -> CheckpointArchiveUrlResponse:
    """Ask for the signed URL of a checkpoint's archive: a redirect that is not followed."""

    async def ask(path: dict[str, str]) -> CheckpointArchiveUrlResponse:
        request = operations.request(
            "get_checkpoint_archive_url", path=path, headers={"Accept": "application/gzip"}
        )
        exchange = await connection.sender.exchange(request, OpClass.READ)
        answer = exchange.answer
        if answer is None or answer.status not in REDIRECTS:
            if exchange.done:
                raise APIResponseValidationError(message="the server sent no redirect to an archive")
            raise connection.sender.error(exchange)
        where = answer.headers.get("location")
        if not where:
            raise APIResponseValidationError(message="the server's redirect to the archive has no URL")
        url = urljoin(connection.transport.base, where)
        return CheckpointArchiveUrlResponse(url, _expiry(answer.headers.get("expires")))

    return await on_checkpoint(connection, checkpoint, ask)


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
        request = operations.request("export_session_trace", path={"session_id": session_id})
        found = to_value(SessionTraceExport, await operations.perform(connection.sender, request))
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


def _segments(training_run_id: str, written: str) -> dict[str, str]:
    kind, _, name = written.rpartition("/")
    parts = {"training_run_id": training_run_id, "checkpoint_name": name}
    return {**parts, "checkpoint_kind": kind} if kind else parts


def _is_missing_route(error: APIStatusError) -> bool:
    """Say whether the server answered that it has no such route."""
    words = detail_text(error.body).lower()
    return error.status_code in (404, 405) and words in ("not found", "method not allowed")


def _expiry(text: str | None) -> datetime:
    try:
        expires = parsedate_to_datetime(text or "")
    except (TypeError, ValueError):
        return datetime.now(UTC) + SIGNED_URL_LIFE
    return expires.replace(tzinfo=UTC) if expires.tzinfo is None else expires.astimezone(UTC)
