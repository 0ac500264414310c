"""The embedded service put together: store, engine thread, promises and lines, on one directory.

Owns composition, restart and housekeeping. HTTP is `app`'s business, which is given one of these.
"""

import asyncio
import logging
import secrets
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import attrs

from .engine.lora import Adapter
from .models.adapters import save_adapter
from .models.registry import ModelRegistry
from .options import ServeOptions
from .store import (
    Answers,
    CheckpointRow,
    Checkpoints,
    Database,
    DataDir,
    DirectoryLock,
    PromiseRow,
    Promises,
    Runs,
    Sessions,
    StorageFullError,
    Telemetry,
)
from .store.answers import insert_answer
from .store.checkpoints import insert_checkpoint
from .store.files import file_name, is_open_to_others, trouble_is_named
from .work.board import Board
from .work.floor import Floor
from .work.lines import Lines
from .work.operations import Draw, Operation
from .work.states import States
from .work.trainer import Trainer
from .work.worker import Worker

_LOG = logging.getLogger("tinsmith.local")
_LOG.addHandler(logging.NullHandler())


#: Times of last use are written at most this often: nobody needs them to the second.
NOTED_EVERY_S = 5.0


class Reader(Protocol):
    """Turns journalled bodies back into work after a restart; `app.requests` provides it."""

    def operation(self, service: "Service", row: PromiseRow, body: bytes) -> Operation | Draw:
        """Decode one accepted request."""


class Service:
    """One running service on one data directory."""

    def __init__(
        self,
        options: ServeOptions,
        reader: Reader,
        *,
        clock: Callable[[], float] = time.time,
        base_models: ModelRegistry | None = None,
    ) -> None:
        self._noted: dict[str, float] = {}
        self.clock = clock
        self._reader = reader
        self._copying = threading.Lock()
        self.base_models = base_models or ModelRegistry(
            options.models.items(), reads_paths=options.reads_paths
        )
        self.base_models.check()
        with trouble_is_named(options.data_dir):
            options.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            if is_open_to_others(options.data_dir):
                _LOG.warning("other users of this machine can look into %s", options.data_dir)
            self._lock = DirectoryLock(options.data_dir)
        try:
            with trouble_is_named(options.data_dir):
                self._open(options)
        except BaseException:
            self._lock.release()
            raise
        self.worker.start()

    def _open(self, options: ServeOptions) -> None:
        """Open the store on the locked directory, and take up what it holds."""
        self.files = DataDir(options.data_dir)
        self.database = Database(self.files.database)
        try:
            if options.token is None and options.keep_token:
                drawn = f"tml-{secrets.token_urlsafe(32)}".encode()
                options = attrs.evolve(options, token=self.database.secret("token", drawn).decode())
            self.options = options
            self.promises = Promises(self.database, self.files)
            self.sessions = Sessions(self.database)
            self.runs = Runs(self.database)
            self.checkpoints = Checkpoints(self.database)
            self.telemetry = Telemetry(self.database)
            self.answers = Answers(self.database)
            self.secret = self.database.secret("signing", secrets.token_bytes(32))
            self.board = Board(self.promises, self.clock)
            self.lines = Lines(self.promises, self.board.signals, options.imitate, options.gap_wait_s)
            self._assemble()
            self._resume()
        except BaseException:
            self.database.close()
            raise

    def _assemble(self) -> None:
        """Build what works in the engine's thread."""
        self.states = States(
            files=self.files,
            runs=self.runs,
            promises=self.promises,
            base_models=self.base_models,
            options=self.options,
            decode=self._training_operation,
        )
        self.floor = Floor(
            board=self.board,
            files=self.files,
            base_models=self.base_models,
            options=self.options,
            wake=lambda: self.worker.wake(),
        )
        self.worker = Worker(self.floor, self.keep_house)
        self.trainer = Trainer(
            board=self.board,
            states=self.states,
            worker=self.worker,
            files=self.files,
            runs=self.runs,
            checkpoints=self.checkpoints,
            base_models=self.base_models,
            options=self.options,
            shelve=self.floor.keep,
        )

    def _training_operation(self, row: PromiseRow, body: bytes) -> Operation:
        """Decode a training request that is to be applied again."""
        operation = self._reader.operation(self, row, body)
        assert not isinstance(operation, Draw)
        return operation

    def _resume(self) -> None:
        """Take up what an earlier process accepted and did not finish, in the order of acceptance."""
        self.files.empty_scratch()
        self.sessions.all_seen(self.clock())
        self._sweep_files()
        for row in self.promises.pending():
            if self._overtaken(row):
                # Later requests of this model are done, so this one had failed, with no room to say so.
                self.promises.fail(row.request_id, "no space left; not applied", "server", self.clock())
                continue
            self.board.resume(row)
            try:
                operation = self._reader.operation(self, row, self.promises.body(row.request_id))
            except Exception as error:  # noqa: BLE001 - one request must not keep the service from starting
                _LOG.warning("promise %s cannot be resumed: %s", row.request_id, error)
                self.board.fail(row.request_id, f"cannot be resumed: {error}", "server")
                continue
            self.submit(row, operation)

    def _overtaken(self, row: PromiseRow) -> bool:
        """Whether a later request of the same model has an outcome already."""
        if row.model_id is None or row.position is None:
            return False
        return self.promises.last_settled(row.model_id) > row.position

    def _sweep_files(self) -> None:
        """Remove files that no row points at: what a killed process had written ahead of its row."""
        known = self.runs.snapshot_files()
        for path in self.files.states.iterdir():
            if path.name not in known:
                self.files.remove(path)
        bodies, results = self.promises.files_in_use()
        for folder, used in ((self.files.bodies, bodies), (self.files.results, results)):
            for path in folder.iterdir():
                if path.name not in used:
                    path.unlink(missing_ok=True)

    def note_use(self, key: str, write: Callable[[float], None]) -> None:
        """Write down that something was used just now, unless that was written a moment ago."""
        now = self.clock()
        if now - self._noted.get(key, 0.0) >= NOTED_EVERY_S:
            self._noted[key] = now
            try:
                write(now)
            except StorageFullError as error:  # the request that was to be noted has succeeded
                _LOG.warning("a time of use was not noted: %s", error)

    def submit(self, row: PromiseRow, operation: Operation | Draw) -> None:
        """Hand accepted work to the engine's thread."""
        if isinstance(operation, Draw):
            self.floor.submit(row, operation)
        else:
            self.trainer.submit(row, operation)

    def keep_house(self) -> None:
        """Let expire what is due; called by the engine's thread every few seconds."""
        now = self.clock()
        try:
            self.board.save_unsaved()
            self.board.expire(now - self.options.result_ttl_s)
            for checkpoint in self.checkpoints.expired(now):
                self.delete_checkpoint(checkpoint.tinker_path)
            for session_id in self.sessions.silent_since(now - self.options.session_ttl_s):
                self.finish_session(session_id, "expired", None)
            self._bound_ephemeral()
        except StorageFullError as error:
            _LOG.warning("housekeeping put off: %s", error)

    def _bound_ephemeral(self) -> None:
        """Drop the ephemeral samplers unused for longest beyond their budget."""
        samplers = self.sessions.ephemeral()
        total = sum(sampler.size_bytes for sampler in samplers)
        for sampler in samplers[:-1]:
            if total <= self.options.ephemeral_bytes:
                return
            total -= sampler.size_bytes
            self.drop_sampler(sampler.sampler_id)

    def drop_sampler(self, sampler_id: str) -> None:
        """Forget an ephemeral sampler and its weights."""
        self.sessions.drop_sampler(sampler_id)
        directory = self.files.samplers / file_name(sampler_id)
        self.floor.forget(str(directory.relative_to(self.files.root)))
        self.files.remove(directory)

    def finish_session(self, session_id: str, status: str, finish: str | None) -> None:
        """Close a session; its models and its ephemeral samplers go with it, checkpoints stay."""
        self.sessions.finish(session_id, status, finish)
        for model_id in self.runs.of_session(session_id):
            self.trainer.unload(model_id)
        for sampler in self.sessions.samplers(session_id):
            if sampler.ephemeral and sampler.status == "ready":
                self.drop_sampler(sampler.sampler_id)

    def delete_checkpoint(self, tinker_path: str) -> None:
        """Forget a checkpoint and its files."""
        found = self.checkpoints.find(tinker_path)
        if found is not None:
            self.checkpoints.delete(tinker_path)
            self.floor.forget(found.directory)
            self.files.remove(self.files.root / found.directory)

    async def copy_checkpoint(
        self, source: CheckpointRow, copy: CheckpointRow, key: str, digest: bytes
    ) -> None:
        """Copy a checkpoint's files, then make the copy and the answer under its key true together.

        FileExistsError says that the place is taken, FileNotFoundError that the source is gone.
        """
        await asyncio.to_thread(self._copy_checkpoint, source, copy, key, digest)

    def _copy_checkpoint(self, source: CheckpointRow, copy: CheckpointRow, key: str, digest: bytes) -> None:
        """Copy in a worker thread, one copy at a time: two may want the same place."""

        def fill(target: Path) -> None:
            for path in (self.files.root / source.directory).iterdir():
                shutil.copyfile(path, target / path.name)

        with self._copying:
            if self.checkpoints.find(copy.tinker_path) is not None:
                raise FileExistsError(copy.tinker_path)
            self.files.write_directory(self.files.root / copy.directory, fill)
            with self.database.transaction() as connection:
                insert_checkpoint(connection, copy)
                if key:
                    insert_answer(connection, key, digest, copy.tinker_path, self.clock())

    def keep_adapter(self, row: CheckpointRow, adapter: Adapter, *, optimizer: bool) -> None:
        """Keep an adapter as a checkpoint, in place of an earlier one of that path."""
        with self._copying:
            size = self.files.write_directory(
                self.files.root / row.directory,
                lambda path: save_adapter(path, adapter, base_model=row.base_model, optimizer=optimizer),
            )
            self.floor.forget(row.directory)
            with self.database.transaction() as connection:
                insert_checkpoint(connection, attrs.evolve(row, size_bytes=size))

    def close(self) -> None:
        """Stop between two pieces of work, write down what is not, and let go of the directory.

        Says what is left undone: it is done when the directory is opened again.
        """
        self.board.release()
        self.worker.close()
        row, waiting = self.trainer.given_up, self.worker.waiting
        if row is not None:
            _LOG.warning(
                "the service of %s closes: %s of model %s (%s) was given up, nothing of it was applied,"
                " and %d more requests wait; they are done when the directory is opened again",
                self.options.data_dir,
                row.op,
                row.model_id,
                row.request_id,
                waiting,
            )
        try:
            self.states.save_all()
            self.board.save_unsaved()
        finally:
            self.database.close()
            self._lock.release()
