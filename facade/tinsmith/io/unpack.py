"""Unpack an archive that may be hostile: checked member by member, beside its target, moved in at the end.

It owns what an archive may hold. It must not fetch one.
"""

from __future__ import annotations

import os
import shutil
import tarfile
import tempfile
import unicodedata
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from tinsmith.core.addresses import is_device
from tinsmith.core.errors import UnsafeArchiveError

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_MEMBERS = 10_000
"""Files and folders in one archive; a checkpoint has about ten."""

MAX_BYTES = 2 * 1024**4
"""Bytes that an archive may unpack to: above any checkpoint, below what fills a cluster."""

MAX_RATIO = 100
"""Most bytes unpacked for each byte of the archive; weights hardly compress, zeros do."""

FREE_BYTES = 16 * 1024**2
"""Bytes that are unpacked whatever the ratio, since small files of text compress well."""

MAX_NAME_BYTES = 1024
"""Longest path of a member."""

MAX_PART_BYTES = 255
"""Longest name of one file or folder on common file systems."""

END_OF_ARCHIVE = bytes(2 * tarfile.BLOCKSIZE)
"""How a tar ends (POSIX 1003.1, ustar): two blocks of zeros."""

_COPY_BYTES = 1024 * 1024


def unpack(archive: Path, target: Path, *, overwrite: bool = False) -> None:
    """Unpack `archive` into the folder `target`, which is there in full at the end or not at all."""
    if target.exists() and not overwrite:
        raise FileExistsError(f"{target} is there already; pass overwrite=True to replace it")
    beside = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".unpacking", dir=target.parent))
    try:
        _unpack_into(archive, beside)
        move_in(beside, target)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def move_in(made: Path, target: Path) -> None:
    """Put the folder `made` where `target` is; what was there before is gone only when the new one stands."""
    if not target.exists():
        made.rename(target)
        return
    before = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".old", dir=target.parent))
    target.rename(before / target.name)
    try:
        made.rename(target)
    except OSError:
        (before / target.name).rename(target)
        raise
    finally:
        shutil.rmtree(before, ignore_errors=True)


def _unpack_into(archive: Path, folder: Path) -> None:
    limit = min(MAX_BYTES, max(FREE_BYTES, MAX_RATIO * archive.stat().st_size))
    seen: set[str] = set()
    used = 0
    try:
        with tarfile.open(archive, "r") as tar:
            for count, member in enumerate(_members(tar)):
                if count >= MAX_MEMBERS:
                    raise UnsafeArchiveError(f"the archive has more than {MAX_MEMBERS} members")
                path = checked(member, folder, seen)
                used += max(member.size, 0)
                if used > limit:
                    raise UnsafeArchiveError(f"the archive unpacks to more than {limit} bytes")
                _write(tar, member, path)
            _check_end(tar)
    except (tarfile.TarError, EOFError, OSError, ValueError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise UnsafeArchiveError(f"the archive cannot be read: {type(error).__name__}") from error


def _check_end(tar: tarfile.TarFile) -> None:
    """Refuse an archive that stops without its end: what came may be less than what was sent.

    The library takes the end of the file, and anything that is no header, for the end of the archive.
    """
    source = tar.fileobj
    assert source is not None
    source.seek(tar.offset)
    if source.read(len(END_OF_ARCHIVE)) != END_OF_ARCHIVE:
        raise UnsafeArchiveError(
            "the archive stops without its end-of-archive marker: the download is truncated; fetch it again"
        )
    source.read(_COPY_BYTES)  # to the end of what is packed, where its checksum is compared


def _members(tar: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    while (member := tar.next()) is not None:
        yield member


def checked_file(name: str, folder: Path, seen: set[str]) -> Path:
    """Return where a file of this name goes in a folder, by the rules for members of archives."""
    return checked(tarfile.TarInfo(name), folder, seen)


def checked(member: tarfile.TarInfo, folder: Path, seen: set[str]) -> Path:
    """Return where a member goes, or refuse the archive."""
    name = member.name
    shown = repr(name[:80])
    if not (member.isreg() or member.isdir()):
        raise UnsafeArchiveError(f"the member {shown} is neither a file nor a folder")
    if member.issparse() or member.size < 0:
        raise UnsafeArchiveError(f"the member {shown} has an odd size")
    if member.mode & 0o7000:
        raise UnsafeArchiveError(f"the member {shown} asks for setuid, setgid or sticky")
    if name in ("", ".") and member.isdir():
        return folder  # its root: some servers pack it without a name
    if not name or len(name.encode("utf-8", "surrogateescape")) > MAX_NAME_BYTES:
        raise UnsafeArchiveError(f"the member {shown} has no name, or a very long one")
    if any(ord(c) < 32 or ord(c) == 127 or 0xD800 <= ord(c) <= 0xDFFF for c in name):
        raise UnsafeArchiveError(f"the member {shown} has control characters in its name")
    if "\\" in name or ":" in name or name.startswith("/"):
        raise UnsafeArchiveError(f"the member {shown} is an absolute path, or one of another system")
    parts = PurePosixPath(name).parts
    _check_parts(parts, shown)
    _note(member, parts, seen)
    if hasattr(tarfile, "data_filter"):
        try:
            tarfile.data_filter(member, os.fspath(folder))
        except tarfile.FilterError as error:
            raise UnsafeArchiveError(f"the member {shown} is refused: {type(error).__name__}") from error
    return folder.joinpath(*parts)


def _check_parts(parts: tuple[str, ...], shown: str) -> None:
    """Refuse names of files and folders that lead out, or that some system takes for something else."""
    if ".." in parts or any(part.rstrip(" .") != part for part in parts if part != "."):
        raise UnsafeArchiveError(f"the member {shown} would leave its folder")
    if any(is_device(part) for part in parts):
        raise UnsafeArchiveError(f"the member {shown} has the name of a device of another system")
    if any(len(os.fsencode(part)) > MAX_PART_BYTES for part in parts):
        raise UnsafeArchiveError(f"the member {shown} has a name that file systems do not take")


def _note(member: tarfile.TarInfo, parts: tuple[str, ...], seen: set[str]) -> None:
    """Refuse two members of one name, also where only a file system that ignores case would call them one."""
    folded = unicodedata.normalize("NFC", "/".join(parts)).casefold()
    if folded in seen and not member.isdir():
        raise UnsafeArchiveError(f"the member {member.name[:80]!r} is there twice")
    if any(f"file:{'/'.join(folded.split('/')[:n])}" in seen for n in range(1, len(parts) + 1)):
        raise UnsafeArchiveError(f"the member {member.name[:80]!r} lies in a file")
    seen.add(folded)
    if not member.isdir():
        seen.add(f"file:{folded}")


def _write(tar: tarfile.TarFile, member: tarfile.TarInfo, path: Path) -> None:
    if member.isdir():
        path.mkdir(parents=True, exist_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    source = tar.extractfile(member)
    if source is None:
        raise UnsafeArchiveError(f"the member {member.name[:80]!r} has no content")
    with source, path.open("xb") as sink:
        shutil.copyfileobj(source, sink, _COPY_BYTES)
        if sink.tell() != member.size:
            raise UnsafeArchiveError(f"the member {member.name[:80]!r} is cut short")
