"""One process at a time on a data directory: an advisory lock that the kernel drops when the process ends."""

import errno
import os
import stat
from pathlib import Path

from tinsmith.core.errors import TinkerError


class DirectoryLockedError(TinkerError):
    """Another process holds the data directory."""


class DirectoryLock:
    """Exclusive lock on `<directory>/lock`, held from construction to `release`."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / "lock"
        self._file = os.fdopen(_open_regular(self._path), "r+b")
        try:
            _lock(self._file.fileno())
        except OSError as error:
            self._file.seek(0)
            holder = self._file.read(32).decode("ascii", "replace").strip() or "unknown"
            self._file.close()
            raise DirectoryLockedError(
                f"{directory} is in use by another process (pid {holder}); "
                "end that one, choose another directory, or let both talk to one `tinsmith serve`"
            ) from error
        self._file.seek(0)
        self._file.truncate()
        self._file.write(str(os.getpid()).encode())
        self._file.flush()

    def release(self) -> None:
        """Let the next process in."""
        self._file.close()


def _open_regular(path: Path) -> int:
    """Open a file, made if it is missing; OSError for a link, a pipe or a device in its place."""
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    descriptor = os.open(path, flags, 0o600)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, f"{path.name} is not a regular file")
    return descriptor


def _lock(descriptor: int) -> None:
    """Take the lock without waiting; OSError when it is held."""
    try:
        import fcntl
    except ImportError:  # pragma: no cover - Windows
        import msvcrt

        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        return
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
