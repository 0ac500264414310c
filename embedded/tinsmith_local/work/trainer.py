"""Training requests in the engine's thread: applied, written down with their results, or failed.

Each request ends in exactly one outcome of its promise. A request that fails leaves the model as it was.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import suppress

import attrs
from tinsmith.core.errors import TinkerError
from tinsmith_api import models

from tinsmith_local.engine.batch import ExampleError
from tinsmith_local.engine.lora import Adapter
from tinsmith_local.engine.workers import StoppedError
from tinsmith_local.models.adapters import load_adapter
from tinsmith_local.models.source import ModelFileError
from tinsmith_local.store.checkpoint_table import CheckpointRow, CheckpointTable
from tinsmith_local.store.data_dir import DataDir
from tinsmith_local.store.database import StorageFullError, insert_row, update_row
from tinsmith_local.store.promise_table import Also, Applied, PromiseRow
from tinsmith_local.store.run_table import RunRow
from tinsmith_local.store.session_table import SamplerRow
from tinsmith_local.work import apply, results
from tinsmith_local.work.checkpoint_files import CheckpointFiles
from tinsmith_local.work.engine_thread import EngineThread
from tinsmith_local.work.live_models import LiveModels
from tinsmith_local.work.notifier import Notifier
from tinsmith_local.work.operations import (
    Batch,
    CreateModel,
    Load,
    Save,
    SaveEphemeral,
    Step,
    TrainingRequest,
    Unload,
)
from tinsmith_local.work.promise_store import PromiseStore

_log = logging.getLogger("tinsmith.local")


@attrs.define(kw_only=True, eq=False)
class Trainer:
    """Runs the queues of all models, one request after the other."""

    _promises: PromiseStore
    _notifier: Notifier
    _live_models: LiveModels
    _engine_thread: EngineThread
    _files: DataDir
    _checkpoints: CheckpointTable
    _checkpoint_files: CheckpointFiles
    _keep_adapter: Callable[[str, Adapter], None]
    waiting_bytes: int = attrs.field(default=0, init=False)
    """Bytes of the requests that wait."""
    given_up: PromiseRow | None = attrs.field(default=None, init=False)
    """The request that was being applied when the service closed; its promise stays pending."""

    def submit(self, row: PromiseRow, operation: TrainingRequest) -> None:
        """Queue an accepted request."""
        self.waiting_bytes += row.body_bytes
        self._engine_thread.put(lambda: self._run(row, operation), _owner(operation.model_id))

    def unload(self, model_id: str) -> None:
        """Unload a model after the requests that it still has."""
        self._engine_thread.put(lambda: self._live_models.discard(model_id), _owner(model_id))

    def _run(self, row: PromiseRow, operation: TrainingRequest) -> None:
        """Apply one request and finish or fail its promise."""
        self.waiting_bytes -= row.body_bytes
        try:
            self._apply(row, operation)
        except StoppedError:
            self.given_up = row
        except results.NotFiniteError as error:
            self._fail(row, operation, str(error), "user")
        except (ExampleError, ModelFileError, TinkerError, ValueError) as error:
            self._fail(row, operation, str(error), "user")
        except StorageFullError as error:
            self._fail(row, operation, f"{error}; nothing was applied", "server")
        except Exception as error:  # noqa: BLE001 - a defect must fail this request only
            _log.exception("request %s (%s) failed", row.request_id, row.op)
            self._fail(row, operation, f"internal error: {type(error).__name__}", "server")

    def _fail(self, row: PromiseRow, operation: TrainingRequest, message: str, category: str) -> None:
        """Fail a promise; what was half done is dropped with the model's memory."""
        if not isinstance(operation, Save | SaveEphemeral | Unload):
            self._live_models.forget(operation.model_id)
        if isinstance(operation, Save):
            with suppress(StorageFullError):
                self._checkpoints.update(operation.tinker_path, state="failed")
            self._notifier.notify(f"checkpoint:{operation.tinker_path}")
        self._promises.fail(row.request_id, message, category)

    def _apply(self, row: PromiseRow, operation: TrainingRequest) -> None:
        """Choose what to do."""
        if isinstance(operation, Batch | Step):
            self._change(row, operation)
        elif isinstance(operation, CreateModel):
            self._live_models.get(operation.model_id)
            self._finish(row, results.encode(models.CreateModelResponse(model_id=operation.model_id)))
        elif isinstance(operation, Save):
            self._save(row, operation)
        elif isinstance(operation, SaveEphemeral):
            self._save_ephemeral(row, operation)
        elif isinstance(operation, Load):
            self._load(row, operation)
        else:
            self._unload(row, operation)

    def _change(self, row: PromiseRow, operation: Batch | Step) -> None:
        """Compute, and count what was computed towards the next snapshot."""
        live = self._live_models.get(operation.model_id)
        begun = time.monotonic()
        result = apply.change(operation, live.base, live.adapter)
        if isinstance(operation, Batch) and not operation.backward:
            self._finish_reading(row, result)
            return
        self._finish(row, result)
        self._live_models.note(live, row, time.monotonic() - begun)

    def _finish_reading(self, row: PromiseRow, result: bytes) -> None:
        """Finish a request that changed nothing; on a full disk its result is kept in memory alone."""
        try:
            self._finish(row, result, drop_body=True)
        except StorageFullError:
            self._promises.finish_unsaved(row.request_id, result)

    def _finish(
        self, row: PromiseRow, result: bytes, also: Also | None = None, *, drop_body: bool = False
    ) -> None:
        """Finish the promise of a request that was applied."""
        applied = None
        if row.scope.startswith("train:") and row.model_id is not None:
            applied = Applied(model_id=row.model_id, seq=row.seq, op=row.op, request_id=row.request_id)
        self._promises.finish(row.request_id, result, applied=applied, also=also, drop_body=drop_body)

    def _save(self, row: PromiseRow, operation: Save) -> None:
        """Write a checkpoint; it becomes visible together with the result."""
        live = self._live_models.get(operation.model_id)
        found = self._checkpoints.find(operation.tinker_path)
        if found is None:
            raise ValueError(f"{operation.tinker_path} was deleted before it was written")
        optimizer = found.kind == "weights"
        size = self._checkpoint_files.write(
            found.directory, live.adapter, live.run.base_model, optimizer=optimizer
        )
        self._finish(
            row,
            results.saved(operation, size),
            lambda connection: update_row(
                connection, CheckpointRow, operation.tinker_path, state="ready", size_bytes=size
            ),
        )
        if not optimizer:
            self._keep_adapter(found.directory, live.adapter.snapshot())
        self._notifier.notify(f"checkpoint:{operation.tinker_path}")

    def _save_ephemeral(self, row: PromiseRow, operation: SaveEphemeral) -> None:
        """Save the present weights for one sampler."""
        live = self._live_models.get(operation.model_id)
        directory = self._files.sampler_directory(operation.sampler_id)
        size = self._checkpoint_files.write(directory, live.adapter, live.run.base_model)
        now = row.created_at
        sampler = SamplerRow(
            sampler_id=operation.sampler_id,
            session_id=live.run.session_id,
            seq=operation.seq,
            base_model=live.run.base_model,
            model_path=None,
            ephemeral=True,
            size_bytes=size,
            digest=row.digest,
            created_at=now,
            last_used=now,
            status="ready",
        )
        made = models.SaveWeightsForSamplerResponse(sampling_session_id=operation.sampler_id)
        self._finish(
            row, results.encode(made), lambda connection: insert_row(connection, sampler, replace=True)
        )
        self._keep_adapter(directory, live.adapter.snapshot())

    def _load(self, row: PromiseRow, operation: Load) -> None:
        """Take over a checkpoint; the snapshot that contains it is written with the result."""
        found = self._checkpoints.find(operation.tinker_path)
        if found is None or found.state != "ready":
            raise ValueError(f"{operation.tinker_path}: there is no such checkpoint")
        live = self._live_models.get(operation.model_id)
        directory = self._files.root / found.directory
        saved = load_adapter(directory, live.base.config, optimizer=operation.optimizer)
        apply.load(live.adapter, saved, optimizer=operation.optimizer)
        assert row.position is not None
        live.position = row.position
        name = self._live_models.write(live)
        self._finish(
            row,
            results.loaded(operation),
            lambda connection: update_row(
                connection,
                RunRow,
                operation.model_id,
                snapshot_position=live.position,
                snapshot_file=name,
            ),
        )
        self._live_models.written(live, name)

    def _unload(self, row: PromiseRow, operation: Unload) -> None:
        """Unload a model."""
        self._live_models.discard(operation.model_id)
        self._finish(row, results.encode(models.UnloadModelResponse(model_id=operation.model_id)))


def _owner(model_id: str) -> str:
    """Return the queue of a model's requests: that of its session."""
    return model_id.partition(":train:")[0]
