"""Training state of models: in memory while used; on disk the last snapshot and what was applied since.

The engine is deterministic to the last bit, so a model's state after request n is its last snapshot with the
requests behind it applied again, in the order of their positions. That is what a restart does, and what
happens after a failed request, whose half-done work is simply dropped. Only the engine thread comes here.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

import attrs

from tinsmith_local.engine.base_model import BaseModel
from tinsmith_local.engine.lora import Adapter, Array, LoraSpec
from tinsmith_local.models.registry import ModelRegistry
from tinsmith_local.models.tensor_file import TensorFile, tensor_bytes
from tinsmith_local.store.data_dir import DataDir, file_name
from tinsmith_local.store.database import StorageFullError
from tinsmith_local.store.promise_table import PromiseRow, PromiseTable
from tinsmith_local.store.run_table import RunRow, RunTable
from tinsmith_local.work.apply import change
from tinsmith_local.work.operations import CHANGING, Batch, Step, TrainingRequest

_log = logging.getLogger("tinsmith.local")

JOURNAL_BYTES = 256 << 20
"""Journalled bodies of one model beyond this make a snapshot due whatever it costs."""


@attrs.define(eq=False)
class LiveModel:
    """One model in memory, changed in place by the engine thread alone."""

    run: RunRow
    """Its row, as of loading."""
    base: BaseModel
    """Its base model."""
    adapter: Adapter
    """Its adapter, gradients and optimizer included."""
    position: int
    """Last position of the queue that is applied."""
    saved_position: int
    """Position of the queue that the snapshot on disk contains."""
    snapshot_file: str | None
    """Name of that snapshot."""
    spent_s: float = 0.0
    """Engine time since that snapshot."""
    journal_bytes: int = 0
    """Body bytes since that snapshot."""
    write_s: float = 0.0
    """How long the last snapshot took."""

    @property
    def size_bytes(self) -> int:
        """Memory of its arrays."""
        return sum(array.nbytes for array in _arrays(self.adapter).values())


@attrs.frozen(kw_only=True, eq=False)
class LiveModels:
    """The models in memory."""

    _files: DataDir
    _runs: RunTable
    _promises: PromiseTable
    _base_models: ModelRegistry
    _decode: Callable[[PromiseRow, bytes], TrainingRequest]
    _state_bytes: int
    _snapshot_min_s: float
    _snapshot_cost_ratio: float
    _live: dict[str, LiveModel] = attrs.field(factory=dict, init=False)

    def get(self, model_id: str) -> LiveModel:
        """Return a model's state as of its last applied request."""
        live = self._live.pop(model_id, None)
        if live is None:
            live = self._recover(model_id)
            self._make_room(live.size_bytes)
        self._live[model_id] = live  # youngest last
        return live

    def forget(self, model_id: str) -> None:
        """Drop a model from memory; its next use recovers it."""
        self._live.pop(model_id, None)

    def discard(self, model_id: str) -> None:
        """Delete the state of an unloaded model: its snapshot and the bodies after it."""
        self.forget(model_id)
        run = self._runs.find(model_id)
        self._runs.update(model_id, status="unloaded", snapshot_file=None)
        if run is not None and run.snapshot_file:
            self._files.remove(self._files.states / run.snapshot_file)
        self._promises.drop_replayed(model_id, self._promises.last_position(model_id))

    def note(self, live: LiveModel, row: PromiseRow, spent_s: float) -> None:
        """Count an applied request, and write a snapshot when it is due."""
        assert row.position is not None
        live.position = row.position
        live.spent_s += spent_s
        live.journal_bytes += row.body_bytes
        due_s = max(self._snapshot_min_s, self._snapshot_cost_ratio * live.write_s)
        if live.spent_s >= due_s or live.journal_bytes >= JOURNAL_BYTES:
            self.save(live)

    def save(self, live: LiveModel) -> None:
        """Write a snapshot and drop the journal before it; a full disk leaves the old one in charge."""
        if live.position == live.saved_position:
            return
        begun = time.monotonic()
        try:
            name = self.write(live)
            self._runs.update(live.run.model_id, snapshot_position=live.position, snapshot_file=name)
            self.written(live, name)
        except StorageFullError:
            _log.warning("no space left for a snapshot of %s; its journal is kept instead", live.run.model_id)
            live.spent_s, live.journal_bytes = 0.0, 0
            return
        live.write_s = time.monotonic() - begun

    def write(self, live: LiveModel) -> str:
        """Write the file of a snapshot; it counts only once the run's row points at it."""
        name = f"{file_name(live.run.model_id)}-{live.position}.safetensors"
        notes = {"step": str(live.adapter.step), "alpha": repr(live.adapter.spec.alpha)}
        self._files.write_file(self._files.states / name, tensor_bytes(_arrays(live.adapter), notes))
        return name

    def written(self, live: LiveModel, name: str) -> None:
        """Clean up after the run's row points at the snapshot of the present position."""
        if live.snapshot_file and live.snapshot_file != name:
            self._files.remove(self._files.states / live.snapshot_file)
        live.snapshot_file = name
        live.saved_position = live.position
        live.spent_s, live.journal_bytes = 0.0, 0
        self._promises.drop_replayed(live.run.model_id, live.position)

    def save_all(self) -> None:
        """Write what is not written, before the service closes."""
        for live in self._live.values():
            self.save(live)

    def _make_room(self, wanted: int) -> None:
        """Write out and drop the models unused for longest until the new one fits."""
        total = wanted + sum(live.size_bytes for live in self._live.values())
        for model_id, live in list(self._live.items()):
            if total <= self._state_bytes:
                return
            total -= live.size_bytes
            self.save(live)
            del self._live[model_id]

    def _recover(self, model_id: str) -> LiveModel:
        """Read the last snapshot and apply again what came behind it."""
        run = self._runs.find(model_id)
        if run is None or run.status != "active":
            raise ValueError(f"model {model_id} was unloaded")
        base = self._base_models.get(run.base_model)
        live = LiveModel(
            run=run,
            base=base,
            adapter=self._read(run, base),
            position=run.snapshot_position,
            saved_position=run.snapshot_position,
            snapshot_file=run.snapshot_file,
        )
        for row in self._promises.replayable(model_id, run.snapshot_position, CHANGING):
            operation = self._decode(row, self._promises.body(row.request_id))
            assert isinstance(operation, Batch | Step)
            begun = time.monotonic()
            change(operation, live.base, live.adapter)
            live.position = row.position or live.position
            live.spent_s += time.monotonic() - begun
            live.journal_bytes += row.body_bytes
        return live

    def _read(self, run: RunRow, base: BaseModel) -> Adapter:
        """Read a snapshot, or make the fresh adapter of a run that has none."""
        adapter = Adapter.create(base.config, spec_of(run))
        if run.snapshot_file is None:
            return adapter
        file = TensorFile(self._files.states / run.snapshot_file)
        notes = file.metadata
        kept = {name: file.get(name).copy() for name in file.names()}
        adapter.spec = spec_of(run, float(notes["alpha"]))
        adapter.step = int(notes["step"])
        adapter.flat[...] = kept.pop("flat")
        for name, array in kept.items():
            setattr(adapter, name, array)
        return adapter


def _arrays(adapter: Adapter) -> dict[str, Array]:
    """Return what makes up the training state of an adapter, under the names of its fields."""
    names = ("flat", "flat_grads", "flat_mean", "flat_square")
    return {name: array for name in names if (array := getattr(adapter, name)) is not None}


def spec_of(run: RunRow, alpha: float = 32.0) -> LoraSpec:
    """Return what the adapter of a run changes."""
    return LoraSpec(
        rank=run.rank,
        alpha=alpha,
        seed=run.seed,
        train_attn=run.train_attn,
        train_mlp=run.train_mlp,
        train_unembed=run.train_unembed,
    )
