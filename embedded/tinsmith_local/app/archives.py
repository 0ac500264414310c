"""Signed URLs: a checkpoint as one tar archive, or one of its files, without a key and for a short time.

The archive is the same bytes every time, so that a broken download goes on where it ended (Range, ETag).
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import hmac
import tarfile
from collections.abc import Callable
from typing import TYPE_CHECKING

import attrs
from starlette.responses import FileResponse, Response

from tinsmith_local.app.answers import Refusal
from tinsmith_local.store.checkpoint_table import CheckpointRow, CheckpointTable
from tinsmith_local.store.data_dir import DataDir

if TYPE_CHECKING:
    from pathlib import Path

ARCHIVES_PATH = "/api/v1/x-tinsmith/archives/"
"""Path of signed URLs, without the signed part."""


@attrs.frozen(kw_only=True, eq=False)
class Archives:
    """Signs URLs of checkpoints, and serves them."""

    _secret: bytes
    _clock: Callable[[], float]
    _checkpoints: CheckpointTable
    _files: DataDir

    def url(self, base_url: str, tinker_path: str, file: str, expires: float) -> str:
        """Sign the URL of a file of a checkpoint, or of the archive of all its files."""
        message = f"{int(expires)}\n{tinker_path}\n{file}".encode()
        signed = base64.urlsafe_b64encode(self._seal(message) + message).decode().rstrip("=")
        return f"{base_url.rstrip('/')}{ARCHIVES_PATH}{signed}"

    def _seal(self, message: bytes) -> bytes:
        """Return the signature of a message."""
        return hmac.digest(self._secret, message, "sha256")[:16]

    def _open(self, signed: str) -> tuple[str, str, float]:
        """Read a signed URL; refuses what this service did not sign."""
        try:
            raw = base64.urlsafe_b64decode(signed + "=" * (-len(signed) % 4))
        except (binascii.Error, ValueError):
            raise Refusal(403, "the signature does not fit") from None
        seal, message = raw[:16], raw[16:]
        if not hmac.compare_digest(seal, self._seal(message)):
            raise Refusal(403, "the signature does not fit")
        expires, tinker_path, file = message.decode().split("\n")
        return tinker_path, file, float(expires)

    async def download(self, signed: str) -> Response:
        """Serve what a signed URL names."""
        tinker_path, name, expires = self._open(signed)
        if self._clock() >= expires:
            raise Refusal(403, "the URL has expired; ask for a new one")
        row = self._checkpoints.find(tinker_path)
        if row is None or row.state != "ready":
            raise Refusal(404, f"checkpoint not found: {tinker_path}")
        directory = self._files.root / row.directory
        content = f"{tinker_path}\n{row.created_at!r}\n{row.size_bytes}\n{name}".encode()
        tag = hashlib.sha256(content).hexdigest()[:32]
        headers = {"ETag": f'"{tag}"', "Cache-Control": "private, no-store"}
        if name:
            path = _regular(directory / name)
            return FileResponse(path, headers=headers, media_type="application/octet-stream")
        archive = self._files.scratch / f"{tag}.tar"
        if not archive.is_file():
            try:
                await asyncio.to_thread(self._pack, directory, archive, row)
            except FileNotFoundError as error:
                gone = f"checkpoint not found: {tinker_path}; it was deleted meanwhile"
                raise Refusal(404, gone) from error
        shown = tinker_path.removeprefix("tinker://").replace("/", "_").replace(":", "_")
        return FileResponse(archive, headers=headers, media_type="application/x-tar", filename=f"{shown}.tar")

    def _pack(self, directory: Path, target: Path, row: CheckpointRow) -> None:
        """Write the archive of a checkpoint, the same bytes every time."""
        with (
            self._files.new_file(target) as scratch,
            tarfile.open(scratch, "w", format=tarfile.USTAR_FORMAT) as archive,
        ):
            for path in map(_regular, sorted(directory.iterdir())):
                entry = tarfile.TarInfo(path.name)
                entry.size, entry.mtime, entry.mode = path.stat().st_size, int(row.created_at), 0o644
                with path.open("rb") as content:
                    archive.addfile(entry, content)


def _regular(path: Path) -> Path:
    """Return a file of a checkpoint; refuse anything else under its name: a link may lead anywhere."""
    if path.is_symlink() or not path.is_file():
        raise Refusal(409, f"{path}: is damaged: not a regular file")
    return path
