"""External checkpoints file by file: signed URLs that are renewed, and a folder that is there in full or not.

It owns the folder beside the target in which files gather. `io.download` fetches and verifies each.
"""

from __future__ import annotations

import hashlib
import shutil
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from tinsmith_api.models import ExternalWeightsUrlsResponse

from tinsmith.clients.checkpoints import checkpoint_of, make_room, on_checkpoint
from tinsmith.core.codec.structure import to_value
from tinsmith.core.errors import APIResponseValidationError
from tinsmith.io import operations
from tinsmith.io.download import Download
from tinsmith.io.unpack import checked_file, move_in

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from tinsmith.io.link import Link

RENEW_BEFORE = timedelta(minutes=5)
"""How long before its end a signed URL is not begun with any more."""


class _SignedUrls:
    """The signed URLs of one checkpoint's files."""

    def __init__(self, link: Link, tinker_path: str) -> None:
        self._link = link
        self._path = checkpoint_of(tinker_path)
        self._known: ExternalWeightsUrlsResponse | None = None
        self._used: set[str] = set()

    async def names(self) -> list[str]:
        """Return the names of the files."""
        return sorted((await self._ask()).urls)

    async def url(self, name: str) -> str:
        """Return a URL of a file: a fresh one when it was asked for before, for then it did not work."""
        known = self._known
        if known is None or name in self._used or known.expires < datetime.now(UTC) + RENEW_BEFORE:
            known = await self._ask()
        self._used.add(name)
        if name not in known.urls:
            raise APIResponseValidationError(message=f"the server has no URL of {name!r} any more")
        return urljoin(self._link.transport.base, known.urls[name])

    async def _ask(self) -> ExternalWeightsUrlsResponse:
        self._known = await external_urls(self._link, self._path)
        self._used.clear()
        return self._known


async def external_urls(link: Link, place: Mapping[str, str]) -> ExternalWeightsUrlsResponse:
    """Ask for the URL of each file of an external checkpoint."""

    async def ask(path: dict[str, str]) -> ExternalWeightsUrlsResponse:
        asked = operations.request("get_external_weights_urls", path=path)
        return to_value(ExternalWeightsUrlsResponse, await operations.perform(link.caller, asked))

    return await on_checkpoint(link, place, ask)


async def fetch_external(
    link: Link,
    tinker_path: str,
    dest: Path,
    overwrite: bool,
    progress: Callable[[str, int, int | None], object] | None,
) -> Path:
    """Gather the files of an external checkpoint beside `dest`, and move them in."""
    await link.runtime.in_thread(make_room, dest, overwrite)
    urls = _SignedUrls(link, tinker_path)
    names = await urls.names()
    key = hashlib.sha256(tinker_path.encode()).hexdigest()[:12]
    gathering = dest.parent / f".{dest.name}.{key}.tinsmith-parts"
    seen: set[str] = set()
    places = {name: checked_file(name, gathering, seen) for name in names}
    for name, place in places.items():
        if not place.exists():
            heard = None if progress is None else partial(progress, name)
            part = place.with_name(place.name + ".part")
            part.parent.mkdir(parents=True, exist_ok=True)
            await Download(link, partial(urls.url, name), part, heard).run()
            part.rename(place)
    await link.runtime.in_thread(_move_in, gathering, set(places.values()), dest)
    return dest


def _move_in(gathering: Path, wanted: set[Path], dest: Path) -> None:
    """Drop what an earlier try left of files that are gone, and put the rest in place."""
    gathering.mkdir(parents=True, exist_ok=True)
    for path in list(gathering.rglob("*")):
        if path.is_file() and path not in wanted:
            path.unlink()
    move_in(gathering, dest)
    shutil.rmtree(gathering, ignore_errors=True)
