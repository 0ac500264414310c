"""The data directory: where each file lies, writes that are there whole or not at all, and its lock."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from tinsmith.core.errors import TinkerError

from tinsmith_local.store.database import StorageFullError, UnusableDataError, full_disk, is_full

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

INLINE_BYTES = 32 << 10
"""Bodies and results up to this size live in the row; bigger ones in a file, so that the log stays small."""


class DataDir:
    """The data directory and the names in it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.database = root / "tinsmith.sqlite3"
        """The SQLite file."""
        self.bodies = root / "bodies"
        """Accepted request bodies that may have to be computed again."""
        self.results = root / "results"
        """Big results of promises."""
        self.states = root / "states"
        """Snapshots of the training state of models."""
        self.checkpoints = root / "checkpoints"
        """Checkpoints that clients saved, in PEFT layout."""
        self.samplers = root / "samplers"
        """Adapters of ephemeral samplers, in PEFT layout."""
        self.assets = root / "assets"
        """Images that an asset pointer may name."""
        self.scratch = root / "scratch"
        """Half-written things; emptied at start."""
        for path in vars(self).values():
            if path != self.database:
                path.mkdir(parents=True, exist_ok=True)

    def sampler_directory(self, sampler_id: str) -> str:
        """Return where the adapter of an ephemeral sampler lies below the data directory."""
        return f"{self.samplers.name}/{file_name(sampler_id)}"

    def empty_scratch(self) -> None:
        """Remove what a killed process left half-written."""
        shutil.rmtree(self.scratch, ignore_errors=True)
        self.scratch.mkdir(exist_ok=True)

    def write_file(self, target: Path, content: bytes) -> None:
        """Write a file, there whole or not at all."""
        with self.new_file(target) as path:
            path.write_bytes(content)

    @contextmanager
    def new_file(self, target: Path) -> Iterator[Path]:
        """Yield a scratch path to write; it becomes `target` when the block ends well."""
        with self._full_disk_is_named(target):
            descriptor, name = tempfile.mkstemp(dir=self.scratch)
            os.close(descriptor)
            scratch = Path(name)
            try:
                yield scratch
                target.parent.mkdir(parents=True, exist_ok=True)
                scratch.replace(target)
            except BaseException:
                scratch.unlink(missing_ok=True)
                raise

    def write_directory(self, target: Path, fill: Callable[[Path], None]) -> int:
        """Make a directory whole, replacing one of that name; the size of its files in bytes."""
        with self._full_disk_is_named(target):
            scratch = Path(tempfile.mkdtemp(dir=self.scratch))
            try:
                fill(scratch)
                size = sum(path.stat().st_size for path in scratch.rglob("*") if path.is_file())
                target.parent.mkdir(parents=True, exist_ok=True)
                self.remove(target)
                scratch.replace(target)
            except BaseException:
                shutil.rmtree(scratch, ignore_errors=True)
                raise
        return size

    @contextmanager
    def _full_disk_is_named(self, target: Path) -> Iterator[None]:
        """Raise StorageFullError in place of `no space left`."""
        try:
            yield
        except OSError as error:
            if is_full(error):
                raise full_disk(self.root, target.name, error) from error
            raise

    def remove(self, target: Path) -> None:
        """Remove a file or directory; one that is not there is no error."""
        if target.is_dir():
            try:
                doomed = Path(tempfile.mkdtemp(dir=self.scratch))
            except OSError:  # on a full disk, deleting must still work
                shutil.rmtree(target, ignore_errors=True)
                return
            with suppress(FileNotFoundError):  # somebody else took it away meanwhile
                target.replace(doomed / "doomed")
            shutil.rmtree(doomed, ignore_errors=True)
        else:
            target.unlink(missing_ok=True)


@contextmanager
def trouble_is_named(directory: Path) -> Iterator[None]:
    """Raise UnusableDataError, which names the directory, for what keeps it from being opened."""
    try:
        yield
    except StorageFullError as error:
        raise UnusableDataError(f"{error}; the service cannot start") from error
    except OSError as error:
        raise UnusableDataError(f"{directory}: cannot hold a service's data: {error.strerror}") from error


def is_open_to_others(directory: Path) -> bool:
    """Whether other users of this machine may look into a directory."""
    return directory.is_dir() and bool(directory.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO))


def file_name(identifier: str) -> str:
    """Write an identifier as one path component: colons are not allowed everywhere."""
    return identifier.replace(":", "_").replace("/", "_")


class DirectoryLockedError(TinkerError):
    """Another process holds the data directory."""


class DirectoryLock:
    """Exclusive lock on `<directory>/lock`, held from construction to `release`.

    It is advisory, and the kernel drops it when the process ends.
    """

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
        """Unlock the directory."""
        self._file.close()


def _open_regular(path: Path) -> int:
    """Open a file, made if it is missing; OSError if it is a link, a pipe or a device."""
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
