"""The embedded service put together on one directory: store, engine's thread, app; its start and its end.

This is the one place that knows all parts; each of them is given what it uses. One running service for each
data directory of a process is shared by all that take it, and closed when the last releases it.
"""

from __future__ import annotations

import logging
import os
import secrets
import threading
import time
from typing import TYPE_CHECKING

import attrs

from tinsmith_local import imitation
from tinsmith_local.app.account import AboutEndpoints, AccountEndpoints, KeyTokens
from tinsmith_local.app.adapter_files import AdapterFolders
from tinsmith_local.app.admission import Admission
from tinsmith_local.app.archives import Archives
from tinsmith_local.app.build import build_app, by_operation
from tinsmith_local.app.call import BodyRules
from tinsmith_local.app.checkpoints import CheckpointEndpoints
from tinsmith_local.app.contract import Contract
from tinsmith_local.app.futures import FutureEndpoints
from tinsmith_local.app.gate import Gate
from tinsmith_local.app.lookups import Lookups
from tinsmith_local.app.requests import RequestDecoder
from tinsmith_local.app.sampling import SamplingEndpoints
from tinsmith_local.app.sessions import SessionEndpoints
from tinsmith_local.app.training import ModelQueue, TrainingEndpoints
from tinsmith_local.app.weights import WeightEndpoints
from tinsmith_local.models.registry import ModelRegistry
from tinsmith_local.store.checkpoint_table import AnswerTable, CheckpointTable
from tinsmith_local.store.data_dir import DataDir, DirectoryLock, is_open_to_others, trouble_is_named
from tinsmith_local.store.database import Database
from tinsmith_local.store.promise_table import PromiseRow, PromiseTable
from tinsmith_local.store.run_table import RunTable
from tinsmith_local.store.session_table import SamplerTable, SessionTable, TelemetryTable
from tinsmith_local.work.checkpoint_files import CheckpointFiles
from tinsmith_local.work.engine_thread import EngineThread
from tinsmith_local.work.lifetimes import LastUse, Lifetimes
from tinsmith_local.work.live_models import LiveModels
from tinsmith_local.work.notifier import Notifier
from tinsmith_local.work.operations import SampleRequest, TrainingRequest
from tinsmith_local.work.promise_store import PromiseStore
from tinsmith_local.work.sampling_engine import SamplingEngine
from tinsmith_local.work.sequencer import Sequencer
from tinsmith_local.work.trainer import Trainer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from starlette.types import ASGIApp

    from tinsmith_local.options import ServeOptions

_log = logging.getLogger("tinsmith.local")


class Service:
    """One running service on one data directory; its parts can be looked at."""

    app: ASGIApp
    """Its ASGI app."""
    options: ServeOptions
    """How it behaves, with its key."""

    def __init__(
        self,
        options: ServeOptions,
        *,
        clock: Callable[[], float] = time.time,
        base_models: ModelRegistry | None = None,
    ) -> None:
        self._clock = clock
        self.base_models = base_models or ModelRegistry(
            options.models.items(), reads_paths=options.reads_paths
        )
        self.base_models.check()
        with trouble_is_named(options.data_dir):
            options.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            if is_open_to_others(options.data_dir):
                _log.warning("other users of this machine can look into %s", options.data_dir)
            self._lock = DirectoryLock(options.data_dir)
        try:
            with trouble_is_named(options.data_dir):
                self._open(options)
        except BaseException:
            self._lock.release()
            raise
        self.engine_thread.start(
            is_sampling=self.sampling.has_work,
            sample=self.sampling.step,
            keep_house=self.lifetimes.keep_house,
        )

    def _open(self, options: ServeOptions) -> None:
        """Open the store on the locked directory, put the parts together, and resume what it holds."""
        self.files = DataDir(options.data_dir)
        self.database = Database(self.files.database)
        try:
            if options.token is None and options.keep_token:
                drawn = f"tml-{secrets.token_urlsafe(32)}".encode()
                options = attrs.evolve(options, token=self.database.secret("token", drawn).decode())
            self.options = imitation.adjusted(options)
            self._open_tables()
            self._open_lookups()
            self._open_work()
            self._open_lifetimes()
            self._open_app()
            self._resume()
        except BaseException:
            self.database.close()
            raise

    def _open_tables(self) -> None:
        """Open the tables of the store."""
        self.promise_table = PromiseTable(self.database, self.files)
        self.sessions = SessionTable(self.database)
        self.samplers = SamplerTable(self.database)
        self.runs = RunTable(self.database)
        self.checkpoints = CheckpointTable(self.database)
        self.telemetry = TelemetryTable(self.database)
        self._answers = AnswerTable(self.database)

    def _open_lookups(self) -> None:
        """Make what finds and decodes what requests name."""
        self._contract = Contract()
        self._notifier = Notifier()
        self._last_use = LastUse(self._clock)
        self._lookups = Lookups(
            sessions=self.sessions,
            samplers=self.samplers,
            runs=self.runs,
            checkpoints=self.checkpoints,
            base_models=self.base_models,
            files=self.files,
            notifier=self._notifier,
            last_use=self._last_use,
            clock=self._clock,
            making_wait_s=self.options.making_wait_s,
        )
        self._decoder = RequestDecoder(
            contract=self._contract, lookups=self._lookups, assets=self.files.assets
        )

    def _open_work(self) -> None:
        """Make what keeps work, and what does it in the engine's thread."""
        options = self.options
        self.promises = PromiseStore(self.promise_table, self._notifier, self._clock)
        self.engine_thread = EngineThread()
        self.live_models = LiveModels(
            files=self.files,
            runs=self.runs,
            promises=self.promise_table,
            base_models=self.base_models,
            decode=self._decoder.training,
            state_bytes=options.state_bytes,
            snapshot_min_s=options.snapshot_min_s,
            snapshot_cost_ratio=options.snapshot_cost_ratio,
        )
        self.sampling = SamplingEngine(
            promises=self.promises,
            notifier=self._notifier,
            files=self.files,
            base_models=self.base_models,
            wake=self.engine_thread.wake,
        )
        self.checkpoint_files = CheckpointFiles(
            files=self.files,
            database=self.database,
            checkpoints=self.checkpoints,
            clock=self._clock,
            forget_adapter=self.sampling.forget,
        )
        self._trainer = Trainer(
            promises=self.promises,
            notifier=self._notifier,
            live_models=self.live_models,
            engine_thread=self.engine_thread,
            files=self.files,
            checkpoints=self.checkpoints,
            checkpoint_files=self.checkpoint_files,
            keep_adapter=self.sampling.keep,
        )

    def _open_lifetimes(self) -> None:
        """Make what changes whole checkpoints, and what removes files and rows whose time is over."""
        options = self.options
        self.lifetimes = Lifetimes(
            promises=self.promises,
            sessions=self.sessions,
            samplers=self.samplers,
            runs=self.runs,
            checkpoints=self.checkpoints,
            checkpoint_files=self.checkpoint_files,
            files=self.files,
            trainer=self._trainer,
            sampling=self.sampling,
            clock=self._clock,
            result_ttl_s=options.result_ttl_s,
            session_ttl_s=options.session_ttl_s,
            ephemeral_bytes=options.ephemeral_bytes,
        )

    def _open_app(self) -> None:
        """Make the app: its endpoints behind the gate."""
        options = self.options
        secret = self.database.secret("signing", secrets.token_bytes(32))
        tokens = KeyTokens(secret, self._clock)
        archives = Archives(secret=secret, clock=self._clock, checkpoints=self.checkpoints, files=self.files)
        groups = self._endpoint_groups(tokens, archives)
        self.endpoints = imitation.imitating(by_operation(self._contract, groups), options.imitate)
        """The function of each operation."""
        word = imitation.wording(options.imitate)
        allowed = BodyRules(wire=options.wire, max_body_bytes=options.max_body_bytes, body_s=options.body_s)
        self.app = Gate(
            app=build_app(self._contract, self.endpoints, archives, allowed=allowed, word=word),
            tokens=tokens,
            token=options.token,
            allowed_hosts=options.allowed_hosts,
            max_header_bytes=options.max_header_bytes,
            word=word,
        )

    def _endpoint_groups(self, tokens: KeyTokens, archives: Archives) -> list[object]:
        """Make the objects whose methods serve the operations."""
        options = self.options
        imitate = options.imitate
        sequencer = Sequencer(
            self.promise_table,
            self._notifier,
            gap_wait_s=options.gap_wait_s,
            decide=imitation.sequence_rule(imitate),
            names_repeated=imitate.duplicates_409,
        )
        admission = Admission(
            sequencer=sequencer,
            promises=self.promises,
            table=self.promise_table,
            submit=self._submit,
            clock=self._clock,
        )
        queue = ModelQueue(
            lookups=self._lookups,
            admission=admission,
            runs=self.runs,
            trainer=self._trainer,
            last_use=self._last_use,
            clock=self._clock,
            max_queued_bytes=options.max_queued_bytes,
        )
        folders = AdapterFolders(
            lookups=self._lookups,
            base_models=self.base_models,
            checkpoints=self.checkpoints,
            checkpoint_files=self.checkpoint_files,
            clock=self._clock,
            reads_paths=options.reads_paths,
        )
        work = self._work_endpoints(admission, queue, folders)
        return [*work, *self._store_endpoints(tokens, archives)]

    def _store_endpoints(self, tokens: KeyTokens, archives: Archives) -> list[object]:
        """Make the groups that read and change what is stored."""
        options = self.options
        return [
            AboutEndpoints(
                base_models=self.base_models,
                client_flags=options.client_flags,
                max_body_bytes=options.max_body_bytes,
            ),
            AccountEndpoints(tokens=tokens, checkpoints=self.checkpoints),
            SessionEndpoints(
                lookups=self._lookups,
                lifetimes=self.lifetimes,
                sessions=self.sessions,
                samplers=self.samplers,
                runs=self.runs,
                checkpoints=self.checkpoints,
                telemetry=self.telemetry,
                clock=self._clock,
            ),
            CheckpointEndpoints(
                lookups=self._lookups,
                runs=self.runs,
                checkpoints=self.checkpoints,
                checkpoint_files=self.checkpoint_files,
                archives=archives,
                files=self.files,
                clock=self._clock,
                archive_url_ttl_s=options.archive_url_ttl_s,
            ),
        ]

    def _work_endpoints(
        self, admission: Admission, queue: ModelQueue, folders: AdapterFolders
    ) -> list[object]:
        """Make the groups whose work is promised, and polls."""
        options = self.options
        return [
            TrainingEndpoints(lookups=self._lookups, admission=admission, queue=queue, decoder=self._decoder),
            WeightEndpoints(
                lookups=self._lookups,
                queue=queue,
                folders=folders,
                checkpoints=self.checkpoints,
                checkpoint_files=self.checkpoint_files,
                samplers=self.samplers,
                answers=self._answers,
                clock=self._clock,
            ),
            SamplingEndpoints(
                lookups=self._lookups,
                admission=admission,
                decoder=self._decoder,
                samplers=self.samplers,
                sampling=self.sampling,
                last_use=self._last_use,
                clock=self._clock,
                max_queued_samples=options.max_queued_samples,
            ),
            FutureEndpoints(
                promises=self.promises,
                lookups=self._lookups,
                engine_thread=self.engine_thread,
                sampling=self.sampling,
                hold_s=options.hold_s,
                session_hold_s=options.session_hold_s,
                wire=options.wire,
                metadata_bytes=options.metadata_bytes,
                reshape=imitation.reshaping(options.imitate),
            ),
        ]

    def _submit(self, row: PromiseRow, operation: TrainingRequest | SampleRequest) -> None:
        """Hand accepted work to the engine's thread."""
        if isinstance(operation, SampleRequest):
            self.sampling.submit(row, operation)
        else:
            self._trainer.submit(row, operation)

    def _resume(self) -> None:
        """Resume what an earlier process accepted and did not finish, in the order of acceptance."""
        self.files.empty_scratch()
        self.sessions.all_seen(self._clock())
        self._sweep_files()
        table = self.promise_table
        for row in table.pending():
            if self._overtaken(row):
                # Later requests of this model are done: it failed, and a full disk kept that unwritten.
                table.fail(row.request_id, "no space left; not applied", "server", self._clock())
                continue
            self.promises.resume(row)
            try:
                operation = self._decoder.journalled(row, table.body(row.request_id))
            except Exception as error:  # noqa: BLE001 - one request must not keep the service from starting
                _log.warning("promise %s cannot be resumed: %s", row.request_id, error)
                self.promises.fail(row.request_id, f"cannot be resumed: {error}", "server")
                continue
            self._submit(row, operation)

    def _overtaken(self, row: PromiseRow) -> bool:
        """Whether a later request of the same model has an outcome already."""
        if row.model_id is None or row.position is None:
            return False
        return self.promise_table.last_settled(row.model_id) > row.position

    def _sweep_files(self) -> None:
        """Remove files that no row points at: what a killed process had written ahead of its row."""
        known = self.runs.snapshot_files()
        for path in self.files.states.iterdir():
            if path.name not in known:
                self.files.remove(path)
        bodies, results = self.promise_table.files_in_use()
        for folder, used in ((self.files.bodies, bodies), (self.files.results, results)):
            for path in folder.iterdir():
                if path.name not in used:
                    path.unlink(missing_ok=True)

    def release_polls(self) -> None:
        """Answer all held polls with what is known, and end all streams: the service is about to close."""
        self.promises.release()
        self.sampling.release()

    def close(self) -> None:
        """Stop between two pieces of work, save what is not on disk yet, and unlock the directory.

        Says what is left undone: it is done when the directory is opened again.
        """
        self.release_polls()
        self.engine_thread.close()
        row, waiting = self._trainer.given_up, self.engine_thread.waiting
        if row is not None:
            _log.warning(
                "the service of %s closes: %s of model %s (%s) was given up, nothing of it was applied,"
                " and %d more requests wait; they are done when the directory is opened again",
                self.options.data_dir,
                row.op,
                row.model_id,
                row.request_id,
                waiting,
            )
        try:
            self.live_models.save_all()
            self.promises.save_unsaved()
        finally:
            self.database.close()
            self._lock.release()


@attrs.define(eq=False)
class _Shared:
    """A running service and how many hold it."""

    service: Service
    process: int
    holders: int = 1


_lock = threading.Lock()
_shared: dict[Path, _Shared] = {}


def take(options: ServeOptions) -> Service:
    """Take the process's service of a directory, started on first use."""
    directory = options.data_dir.expanduser().resolve()
    with _lock:
        shared = _shared.get(directory)
        if shared is not None and shared.process != os.getpid():
            raise RuntimeError(
                "this process was forked from one that runs the embedded service; start a new one"
            )
        if shared is None:
            service = Service(attrs.evolve(options, data_dir=directory))
            _shared[directory] = _Shared(service, os.getpid())
            return service
        shared.service.base_models.offer(options.models)
        shared.holders += 1
        return shared.service


def give_back(service: Service) -> None:
    """Release a service; the last release closes it."""
    with _lock:
        for directory, shared in list(_shared.items()):
            if shared.service is service:
                shared.holders -= 1
                if shared.holders == 0:
                    del _shared[directory]
                    break
        else:
            return
    if shared.process == os.getpid():
        service.close()
