"""Checkpoints by their paths: places in URLs, signed archives, and how one is fetched and unpacked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from tinsmith.core.errors import APIResponseValidationError
from tinsmith.core.origin import check_segment
from tinsmith.core.paths import ParsedCheckpointTinkerPath
from tinsmith.core.values.rest import CheckpointArchiveUrlResponse
from tinsmith.core.verdict import OpClass
from tinsmith.io import operations
from tinsmith.io.download import Download, disk_trouble_is_named
from tinsmith.io.unpack import unpack

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tinsmith.io.link import Link

SIGNED_URL_LIFE = timedelta(minutes=15)
"""How long a signed URL is taken to work when the server does not say."""


async def archive_url(link: Link, path: dict[str, str]) -> CheckpointArchiveUrlResponse:
    """Ask for the signed URL of a checkpoint's archive: a redirect that is not followed."""
    asked = operations.request(
        "get_checkpoint_archive_url", path=path, headers={"Accept": "application/gzip"}
    )
    exchange = await link.caller.exchange(asked, OpClass.READ)
    answer = exchange.answer
    if answer is None or answer.status != 302:
        if exchange.done:
            raise APIResponseValidationError(message="the server sent no redirect to an archive")
        raise link.caller.error(exchange)
    where = answer.headers.get("location")
    if not where:
        raise APIResponseValidationError(message="the server's redirect to the archive names no place")
    url = urljoin(link.transport.base, where)
    return CheckpointArchiveUrlResponse(url, _expiry(answer.headers.get("expires")))


async def fetch_checkpoint(
    link: Link,
    path: dict[str, str],
    dest: Path,
    overwrite: bool,
    progress: Callable[[int, int | None], object] | None,
) -> Path:
    """Download the archive of a checkpoint beside `dest`, unpack it there, and move it in."""
    await link.runtime.in_thread(make_room, dest, overwrite)
    part = dest.parent / f".{dest.name}.tinsmith-part"

    async def signed_url() -> str:
        return (await archive_url(link, path)).url

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
    """Split a checkpoint id into the two segments of its path; a bare name is sampler weights."""
    check_segment(checkpoint_id, "checkpoint_id")
    kind, slash, name = checkpoint_id.partition("/")
    if not slash:
        kind, name = "sampler_weights", kind
    return {"training_run_id": training_run_id, "checkpoint_kind": kind, "checkpoint_name": name}


def _expiry(text: str | None) -> datetime:
    try:
        expires = parsedate_to_datetime(text or "")
    except (TypeError, ValueError):
        return datetime.now(UTC) + SIGNED_URL_LIFE
    return expires.replace(tzinfo=UTC) if expires.tzinfo is None else expires.astimezone(UTC)
