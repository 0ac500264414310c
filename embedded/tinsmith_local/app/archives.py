"""Signed URLs: a checkpoint as one tar archive, or one of its files, without a key and for a short time.

The archive is the same bytes every time, so that a broken download goes on where it ended (Range, ETag).
"""

import asyncio
import base64
import binascii
import hashlib
import hmac
import tarfile
from pathlib import Path

from starlette.responses import FileResponse, Response

from tinsmith_local.service import Service
from tinsmith_local.store import CheckpointRow

from .refusal import Refusal


def sign(secret: bytes, tinker_path: str, file: str, expires: float) -> str:
    """Make the last part of a signed URL."""
    message = f"{int(expires)}\n{tinker_path}\n{file}".encode()
    seal = hmac.digest(secret, message, "sha256")[:16]
    return base64.urlsafe_b64encode(seal + message).decode().rstrip("=")


def _open(secret: bytes, signed: str) -> tuple[str, str, float]:
    """Read a signed URL; refuses what this service did not sign."""
    try:
        raw = base64.urlsafe_b64decode(signed + "=" * (-len(signed) % 4))
    except (binascii.Error, ValueError):
        raise Refusal(403, "the signature does not fit") from None
    seal, message = raw[:16], raw[16:]
    if not hmac.compare_digest(seal, hmac.digest(secret, message, "sha256")[:16]):
        raise Refusal(403, "the signature does not fit")
    expires, tinker_path, file = message.decode().split("\n")
    return tinker_path, file, float(expires)


async def download(service: Service, signed: str) -> Response:
    """Serve what a signed URL stands for."""
    tinker_path, name, expires = _open(service.secret, signed)
    if service.clock() >= expires:
        raise Refusal(403, "the URL has expired; ask for a new one")
    row = service.checkpoints.find(tinker_path)
    if row is None or row.state != "ready":
        raise Refusal(404, f"checkpoint not found: {tinker_path}")
    directory = service.files.root / row.directory
    tag = hashlib.sha256(f"{tinker_path}\n{row.created_at!r}\n{row.size_bytes}\n{name}".encode()).hexdigest()[
        :32
    ]
    headers = {"ETag": f'"{tag}"', "Cache-Control": "private, no-store"}
    if name:
        return FileResponse(
            _regular(directory / name), headers=headers, media_type="application/octet-stream"
        )
    archive = service.files.scratch / f"{tag}.tar"
    if not archive.is_file():
        try:
            await asyncio.to_thread(_pack, service, directory, archive, row)
        except FileNotFoundError as error:
            raise Refusal(404, f"checkpoint not found: {tinker_path}; it was deleted meanwhile") from error
    shown = tinker_path.removeprefix("tinker://").replace("/", "_").replace(":", "_")
    return FileResponse(archive, headers=headers, media_type="application/x-tar", filename=f"{shown}.tar")


def _regular(path: Path) -> Path:
    """Return a file of a checkpoint; refuse what has taken its place: a link may lead anywhere."""
    if path.is_symlink() or not path.is_file():
        raise Refusal(409, f"{path}: is damaged: not a regular file")
    return path


def _pack(service: Service, directory: Path, target: Path, row: CheckpointRow) -> None:
    """Write the archive of a checkpoint, the same bytes every time."""
    with (
        service.files.new_file(target) as scratch,
        tarfile.open(scratch, "w", format=tarfile.USTAR_FORMAT) as archive,
    ):
        for path in map(_regular, sorted(directory.iterdir())):
            entry = tarfile.TarInfo(path.name)
            entry.size, entry.mtime, entry.mode = path.stat().st_size, int(row.created_at), 0o644
            with path.open("rb") as content:
                archive.addfile(entry, content)
