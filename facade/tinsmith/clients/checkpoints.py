"""Checkpoints by their paths: places in URLs, signed archives, and how one is fetched and unpacked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urljoin

from tinsmith.core.decision import OpClass
from tinsmith.core.errors import APIResponseValidationError, APIStatusError
from tinsmith.core.failures import detail_text
from tinsmith.core.paths import ParsedCheckpointTinkerPath, spellings
from tinsmith.core.values.answers import CheckpointArchiveUrlResponse
from tinsmith.io import operations
from tinsmith.io.download import Download, disk_trouble_is_named
from tinsmith.io.unpack import unpack

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from pathlib import Path

    from tinsmith.io.link import Link

T = TypeVar("T")

REDIRECTS = frozenset({301, 302, 303, 307, 308})
"""Statuses that say where an archive is."""

SIGNED_URL_LIFE = timedelta(minutes=15)
"""How long a signed URL is taken to work when the server does not say."""


async def archive_url(link: Link, place: Mapping[str, str]) -> CheckpointArchiveUrlResponse:
    """Ask for the signed URL of a checkpoint's archive: a redirect that is not followed."""

    async def ask(path: dict[str, str]) -> CheckpointArchiveUrlResponse:
        asked = operations.request(
            "get_checkpoint_archive_url", path=path, headers={"Accept": "application/gzip"}
        )
        exchange = await link.caller.exchange(asked, OpClass.READ)
        answer = exchange.answer
        if answer is None or answer.status not in REDIRECTS:
            if exchange.done:
                raise APIResponseValidationError(message="the server sent no redirect to an archive")
            raise link.caller.error(exchange)
        where = answer.headers.get("location")
        if not where:
            raise APIResponseValidationError(message="the server's redirect to the archive names no place")
        url = urljoin(link.transport.base, where)
        return CheckpointArchiveUrlResponse(url, _expiry(answer.headers.get("expires")))

    return await on_checkpoint(link, place, ask)


async def fetch_checkpoint(
    link: Link,
    place: Mapping[str, str],
    dest: Path,
    overwrite: bool,
    progress: Callable[[int, int | None], object] | None,
) -> Path:
    """Download the archive of a checkpoint beside `dest`, unpack it there, and move it in."""
    await link.runtime.in_thread(make_room, dest, overwrite)
    part = dest.parent / f".{dest.name}.tinsmith-part"

    async def signed_url() -> str:
        return (await archive_url(link, place)).url

    await Download(link, signed_url, part, progress).run()
    try:
        with disk_trouble_is_named(dest):
            await link.runtime.in_thread(lambda: unpack(part, dest, overwrite=overwrite))
    finally:
        part.unlink(missing_ok=True)
    return dest


def make_room(dest: Path, overwrite: bool) -> None:
    """Refuse a target that is there and may not be replaced; make the folder that it goes into."""
    if dest.exists() and not overwrite:
        raise FileExistsError(f"{dest} is there already; pass overwrite=True to replace it")
    with disk_trouble_is_named(dest.parent):
        dest.parent.mkdir(parents=True, exist_ok=True)


def checkpoint_of(tinker_path: str) -> dict[str, str]:
    """Return the path parameters of a checkpoint."""
    parsed = ParsedCheckpointTinkerPath.from_tinker_path(tinker_path)
    return checkpoint(parsed.training_run_id, parsed.checkpoint_id)


def checkpoint(training_run_id: str, checkpoint_id: str) -> dict[str, str]:
    """Check the id of a checkpoint, and return it beside that of its run."""
    spellings(checkpoint_id)
    return {"training_run_id": training_run_id, "checkpoint_id": checkpoint_id}


async def on_checkpoint(
    link: Link, place: Mapping[str, str], ask: Callable[[dict[str, str]], Awaitable[T]]
) -> T:
    """Ask for something of a checkpoint, under the id as the server spells it.

    The id goes out as it was given, and in the other form where the server has no such route, or where it
    refuses a bare name.
    """
    profile = link.terms.profile
    has_kinds = profile.is_final and profile.checkpoint_ids == "kind and name"
    run_id, ways = place["training_run_id"], spellings(place["checkpoint_id"], has_kinds=has_kinds)
    first, *others = [_segments(run_id, written) for written in ways]
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


def _segments(training_run_id: str, written: str) -> dict[str, str]:
    kind, _, name = written.rpartition("/")
    parts = {"training_run_id": training_run_id, "checkpoint_name": name}
    return {**parts, "checkpoint_kind": kind} if kind else parts


def _is_missing_route(error: APIStatusError) -> bool:
    """Say whether a framework answered that it knows no such path."""
    return error.status_code in (404, 405) and detail_text(error.body).lower() in (
        "not found",
        "method not allowed",
    )


def _expiry(text: str | None) -> datetime:
    try:
        expires = parsedate_to_datetime(text or "")
    except (TypeError, ValueError):
        return datetime.now(UTC) + SIGNED_URL_LIFE
    return expires.replace(tzinfo=UTC) if expires.tzinfo is None else expires.astimezone(UTC)
