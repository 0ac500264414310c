"""Files that are read and written as a whole, and what a person does where that fails.

Owns the advice on failures of the disk. Knows no format.
"""

from __future__ import annotations

import errno
import os
import secrets
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from tinsmith.core.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

OTHER_PLACE = "name another place"

ADVICE = {
    errno.ENOENT: "check its name, and the folder that it is in",
    errno.ENOTDIR: "a part of its path is a file; correct the path",
    errno.EISDIR: "name a file",
    errno.EEXIST: OTHER_PLACE,
    errno.EACCES: f"give yourself the permission, or {OTHER_PLACE}",
    errno.EPERM: f"give yourself the permission, or {OTHER_PLACE}",
    errno.EROFS: OTHER_PLACE,
    errno.ENOSPC: f"make room there, or {OTHER_PLACE}",
    errno.EDQUOT: f"make room there, or {OTHER_PLACE}",
    errno.ENAMETOOLONG: "take a shorter name",
}
"""Kind of a failure -> what to do."""


def explained(cause: OSError) -> str:
    """Return what went wrong with a file, and what to do, as far as that is known."""
    reason = cause.strerror or str(cause)
    advice = ADVICE.get(cause.errno or 0)
    return f"{reason}; {advice}" if advice else reason


def unreadable(path: str | os.PathLike[str], cause: OSError, field: str | None = None) -> InputError:
    """Return the error of a file of the user that cannot be read; `field` is the argument that named it."""
    return InputError(f"{path} cannot be read: {explained(cause)}", field=field)


def check_ordinary(path: str | os.PathLike[str]) -> None:
    """Refuse what is no ordinary file, such as a pipe: it would be read twice, or never end; InputError."""
    if Path(path).exists() and not (Path(path).is_file() or Path(path).is_dir()):
        raise InputError(f"{path} is no ordinary file; write what it holds to one, and name that")


@contextmanager
def whole_file(path: Path, *, mode: int = 0o666, synced: bool = False) -> Iterator[BinaryIO]:
    """Give an open file that becomes `path` when the block ends without an error; else nothing is left of it.

    Links are followed; a pipe or a device, which cannot be replaced, is written to as it is. `mode` are the
    permissions of the file, before those that the user's mask takes away. With `synced` it is on the disk
    before it replaces the old one. OSError names `path`: a full disk alone names no file.
    """
    path = Path(os.path.realpath(path))
    if path.exists() and not path.is_file():
        with path.open("wb") as file:
            yield file
        return
    half_written = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        with os.fdopen(os.open(half_written, flags, mode), "wb") as file:
            yield file
            if synced:
                file.flush()
                os.fsync(file.fileno())
        half_written.replace(path)
    except BaseException as cause:
        with suppress(OSError):
            half_written.unlink()
        if isinstance(cause, OSError) and cause.errno and cause.filename in (None, str(half_written)):
            raise OSError(cause.errno, cause.strerror, str(path)) from cause
        raise
