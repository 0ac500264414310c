"""The folder of a run: settings, metrics, checkpoints, curve. The only place that writes them.

A file is replaced as a whole or grows by a line at a time, so that a process may be killed at any moment.
"""

from __future__ import annotations

import errno
import os
import shutil
import time
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from tinsmith.core.errors import InputError, MissingExtraError
from tinsmith.core.whole_files import unreadable, whole_file
from tinsmith.train.loop import SavedStep
from tinsmith.train.run_config import IN_FOLDER, RunConfig

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CONFIG, METRICS, CHECKPOINTS, CURVE = "config.json", "metrics.jsonl", "checkpoints.jsonl", "loss.png"
SERVICE = "service"
"""Folder in the run's own that holds the state of its embedded service."""
LOCK = "lock"
"""File whose lock says that a process trains the run; the process id stands in it."""

LOCK_TRIES, LOCK_PAUSE_S = 3, 0.05
"""Attempts at the lock, and seconds between them: who looks whether it is held has it for less."""


class RunLock:
    """The lock of a run's folder; in one process it may be taken again while it is held.

    The system drops it when the process ends.
    """

    def __init__(self) -> None:
        self._file: int | None = None
        self._holders = 0

    @property
    def is_nested(self) -> bool:
        """Whether it was taken more than once."""
        return self._holders > 1

    @contextmanager
    def held(self, path: Path) -> Iterator[None]:
        """Hold the lock file; InputError, which names the process, where another one holds it."""
        if not self._holders:
            self._file = _opened(path)
        self._holders += 1
        try:
            yield
        finally:
            self._holders -= 1
            if not self._holders and self._file is not None:
                os.close(self._file)
                self._file = None


def _opened(path: Path) -> int:
    """Open a file and lock it, and write into it who did."""
    file = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
    try:
        _lock_soon(file)
    except OSError as cause:
        holder = ""
        with suppress(OSError):  # Windows lets nobody read it
            holder = os.read(file, 20).decode("ascii", "replace").strip()
        os.close(file)
        raise InputError(
            f"the run in {path.parent} is being trained by another process (pid {holder or 'unknown'});"
            " let it end, or stop it there with Ctrl-C, and go on then"
        ) from cause
    os.ftruncate(file, 0)
    os.write(file, str(os.getpid()).encode())
    return file


def _lock_soon(file: int) -> None:
    """Take the lock, which somebody who only looks may hold for a moment; OSError where it stays held."""
    for _ in range(LOCK_TRIES - 1):
        with suppress(OSError):
            return _lock(file)
        time.sleep(LOCK_PAUSE_S)
    return _lock(file)


def _lock(file: int) -> None:
    """Take the lock without waiting; OSError where it is held."""
    try:
        import fcntl
    except ImportError:  # pragma: no cover - Windows
        import msvcrt

        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        return
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _is_held(path: Path) -> bool:
    """Say whether a process holds a lock file, by taking the lock for a moment."""
    try:
        file = os.open(path, os.O_RDWR)
    except OSError:
        return False
    try:
        _lock(file)
    except OSError:
        return True
    finally:
        os.close(file)
    return False


@attrs.frozen
class RunWeights:
    """What a run has trained, as far as it came."""

    path: str
    """Path of the weights: those to sample of a finished run, else its last checkpoint."""
    training: str | None
    """Path of the last checkpoint, which has the same weights; some servers give only that to download."""
    unfinished_step: int | None = None
    """Step of the checkpoint of a run that is not finished; None for one that is."""


@attrs.frozen
class RunFolder:
    """A run on disk. It exists once its settings are written.

    >>> import pathlib, tempfile
    >>> from tinsmith.train import RunConfig, RunFolder
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     config = RunConfig(data="chats.jsonl", model="tinsmith/tiny")
    ...     run = RunFolder.new(pathlib.Path(folder, "tone"), config).write(config)
    ...     run.log(1, {"loss": 2.5})
    ...     RunFolder.open(run.path).metrics()
    [{'step': 1, 'loss': 2.5}]
    """

    path: Path
    """The folder."""
    config: RunConfig
    """Settings of the run."""
    _lock: RunLock = attrs.field(factory=RunLock, kw_only=True, repr=False, eq=False)

    @classmethod
    def new(cls, path: Path, config: RunConfig) -> RunFolder:
        """Choose the folder of a new run; nothing is written. InputError where something is already there."""
        if (path / CONFIG).exists():
            raise InputError(
                f"{path} holds a run already; go on with it (tinsmith train --resume {path}), or choose"
                " another folder"
            )
        if path.exists() and not _is_free(path):
            raise InputError(f"{path} is there and is no empty folder; choose another one")
        return cls(path, config)

    @classmethod
    def open(cls, path: Path) -> RunFolder:
        """Open the folder of a run that was begun; InputError where there is none."""
        import orjson

        try:
            fields = orjson.loads((path / CONFIG).read_bytes())
        except (FileNotFoundError, NotADirectoryError) as cause:
            raise InputError(
                f"{path} holds no run: there is no {CONFIG}; name a folder that --out of an earlier run named"
            ) from cause
        except OSError as cause:
            raise unreadable(path / CONFIG, cause) from cause
        except ValueError as cause:
            raise InputError(
                f"{path / CONFIG} cannot be read: it is no JSON ({cause}); restore it, or begin a new run"
            ) from cause
        if not isinstance(fields, dict):
            raise InputError(f"{path / CONFIG} holds no settings of a run")
        return cls(path, RunConfig.of(fields))

    @property
    def base_url(self) -> str:
        """The server of the run."""
        return f"local:{self.path / SERVICE}" if self.config.base_url == IN_FOLDER else self.config.base_url

    @property
    def begun(self) -> bool:
        """Whether the run is on disk."""
        return (self.path / CONFIG).exists()

    @property
    def is_being_trained(self) -> bool:
        """Whether a process trains the run now."""
        return _is_held(self.path / LOCK)

    @property
    def advice(self) -> str:
        """What to do with a run that is not finished: follow it while it is trained, else go on with it."""
        if self.is_being_trained:
            return f"a process is training it; follow it (tinsmith run watch {self.path})"
        return f"go on with it (tinsmith train --resume {self.path})"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes from training the run while the block runs; blocks may be nested.

        The folder of a new run is made. If the run does not begin in the block, the folder is removed again,
        with what the embedded service wrote into it. InputError where another process trains the run, and
        where the folder cannot be written.
        """
        made = [path for path in (self.path, *self.path.parents) if not path.exists()]
        with ExitStack() as stack:
            try:
                self.path.mkdir(parents=True, exist_ok=True)
                stack.enter_context(self._lock.held(self.path / LOCK))
            except OSError as cause:
                _remove(made)
                raise InputError(
                    f"{self.path} cannot be written: {cause.strerror}; choose another folder"
                ) from cause
            try:
                yield
            finally:
                if not self.begun and not self._lock.is_nested:
                    shutil.rmtree(self.path / SERVICE, ignore_errors=True)
                    (self.path / LOCK).unlink(missing_ok=True)
                    _remove(made)

    def write(self, config: RunConfig) -> RunFolder:
        """Write the settings, by which the run begins, and return the folder with them."""
        import orjson

        self.path.mkdir(parents=True, exist_ok=True)
        self._replace(CONFIG, orjson.dumps(attrs.asdict(config), option=orjson.OPT_INDENT_2) + b"\n")
        return attrs.evolve(self, config=config)

    def log(self, step: int, metrics: Mapping[str, float]) -> None:
        """Add a line to the metrics; a logger of `supervised`."""
        self._append(METRICS, {"step": step, **metrics})

    def note_model(self, step: int, model_id: str) -> None:
        """Add a line to the checkpoints for the model of the server that is trained from a step on."""
        self._append(CHECKPOINTS, {"kind": "model", "step": step, "model_id": model_id})

    def note_checkpoint(self, saved: SavedStep) -> None:
        """Add a line to the checkpoints."""
        self._append(CHECKPOINTS, {"kind": "training", "step": saved.step, "path": saved.path})

    def note_sampler_weights(self, step: int, path: str) -> None:
        """Add the weights to sample from to the checkpoints, by which the run is finished."""
        self._append(CHECKPOINTS, {"kind": "sampler", "step": step, "path": path})

    def metrics(self) -> list[dict[str, Any]]:
        """Return the metrics, a mapping for each step."""
        return list(self._lines(METRICS))

    def last_model(self) -> str | None:
        """Return the id of the model that was trained last; None before the first."""
        models = [line["model_id"] for line in self._lines(CHECKPOINTS) if line["kind"] == "model"]
        return models[-1] if models else None

    def last_checkpoint(self) -> SavedStep | None:
        """Return the newest checkpoint that the folder knows; None if there is none."""
        saved = [line for line in self._lines(CHECKPOINTS) if line["kind"] == "training"]
        return SavedStep(saved[-1]["step"], saved[-1]["path"]) if saved else None

    def sampler_weights(self) -> str | None:
        """Return the path of the weights to sample from; None while the run is not finished."""
        paths = [line["path"] for line in self._lines(CHECKPOINTS) if line["kind"] == "sampler"]
        return paths[-1] if paths else None

    def weights(self) -> RunWeights:
        """Return what the run has trained; InputError, which says what to do, before its first checkpoint."""
        final, saved = self.sampler_weights(), self.last_checkpoint()
        if final is not None:
            return RunWeights(final, saved.path if saved else None)
        if saved is not None:
            return RunWeights(saved.path, saved.path, saved.step)
        raise InputError(f"the run in {self.path} has no checkpoint yet; {self.advice}")

    def rewind(self, step: int) -> None:
        """Drop the metrics after a step, which will be trained again, and lines that were cut off.

        With step 0, nothing is left.
        """
        import orjson

        kept = {
            METRICS: [line for line in self._lines(METRICS) if step and line["step"] <= step],
            CHECKPOINTS: list(self._lines(CHECKPOINTS)),
        }
        for name, lines in kept.items():
            self._replace(name, b"".join(orjson.dumps(line) + b"\n" for line in lines))

    def draw_curve(self) -> Path:
        """Draw the losses by step as a PNG, and return its path; MissingExtraError without matplotlib."""
        try:
            from matplotlib.figure import Figure
        except ImportError as cause:
            raise MissingExtraError("the picture of the loss", "plot") from cause
        figure = Figure(figsize=(8, 4.5), layout="constrained")
        axes = figure.add_subplot(xlabel="step", ylabel="loss (nats a token)", title=self.path.name)
        lines = self.metrics()
        for name, style in (("loss", "-"), ("held_out_loss", "o-")):
            points = [(line["step"], line[name]) for line in lines if name in line]
            if points:
                axes.plot(*zip(*points, strict=True), style, label=name.replace("_", " "), markersize=4)
        axes.legend()
        path = self.path / CURVE
        with whole_file(path) as file:
            figure.savefig(file, format="png", dpi=120)
        return path

    def _append(self, name: str, line: Mapping[str, Any]) -> None:
        """Add a line in one write, so that a file ends with a whole line or with one that is not counted."""
        import orjson

        written, path = orjson.dumps(line, option=orjson.OPT_SERIALIZE_NUMPY) + b"\n", self.path / name
        try:
            with path.open("ab", buffering=0) as file:
                if file.write(written) != len(written):  # the disk took a part
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                os.fsync(file.fileno())
        except OSError as cause:  # a full disk names no file
            raise OSError(cause.errno, cause.strerror, str(path)) from cause

    def _replace(self, name: str, content: bytes) -> None:
        with whole_file(self.path / name, synced=True) as file:
            file.write(content)

    def _lines(self, name: str) -> Iterator[dict[str, Any]]:
        """Yield what the lines of a file hold; a last line without an end was cut off, and is dropped."""
        import orjson

        try:
            content = (self.path / name).read_bytes()
        except FileNotFoundError:
            return
        for number, line in enumerate(content.split(b"\n")[:-1], start=1):
            try:
                yield orjson.loads(line)
            except ValueError as cause:
                raise InputError(f"{self.path / name}:{number} is no JSON; remove the line") from cause


def _is_free(path: Path) -> bool:
    """Whether a new run may have a folder: it is empty, or holds what one left that was killed early."""
    if not path.is_dir():
        return False
    names = {each.name for each in path.iterdir() if not each.name.startswith(f".{CONFIG}.")}
    return not names or LOCK in names <= {LOCK, SERVICE}


def _remove(folders: list[Path]) -> None:
    """Remove folders that were made, the innermost first."""
    for path in folders:
        with suppress(OSError):  # never made, or somebody else's files are in it
            path.rmdir()
