"""What expires: results, checkpoints, sessions, ephemeral samplers; and when things were last used."""

from __future__ import annotations

import logging
from collections.abc import Callable

import attrs

from tinsmith_local.store.checkpoint_table import CheckpointTable
from tinsmith_local.store.data_dir import DataDir
from tinsmith_local.store.database import StorageFullError
from tinsmith_local.store.run_table import RunTable
from tinsmith_local.store.session_table import SamplerTable, SessionTable
from tinsmith_local.work.checkpoint_files import CheckpointFiles
from tinsmith_local.work.promise_store import PromiseStore
from tinsmith_local.work.sampling_engine import SamplingEngine
from tinsmith_local.work.trainer import Trainer

_log = logging.getLogger("tinsmith.local")

NOTED_EVERY_S = 5.0
"""Times of last use are written at most this often: nobody needs them to the second."""


class LastUse:
    """When things were last used."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._noted: dict[str, float] = {}

    def note(self, key: str, write: Callable[[float], None]) -> None:
        """Write down that something was used just now, at most once in NOTED_EVERY_S."""
        now = self._clock()
        if now - self._noted.get(key, 0.0) >= NOTED_EVERY_S:
            self._noted[key] = now
            try:
                write(now)
            except StorageFullError as error:  # the request that was to be noted has succeeded
                _log.warning("a time of use was not noted: %s", error)


@attrs.frozen(kw_only=True, eq=False)
class Lifetimes:
    """Drops what has expired."""

    _promises: PromiseStore
    _sessions: SessionTable
    _samplers: SamplerTable
    _runs: RunTable
    _checkpoints: CheckpointTable
    _checkpoint_files: CheckpointFiles
    _files: DataDir
    _trainer: Trainer
    _sampling: SamplingEngine
    _clock: Callable[[], float]
    _result_ttl_s: float
    _session_ttl_s: float
    _ephemeral_bytes: int

    def keep_house(self) -> None:
        """Drop what has expired; called by the engine's thread every few seconds."""
        now = self._clock()
        try:
            self._promises.save_unsaved()
            self._promises.expire(now - self._result_ttl_s)
            for checkpoint in self._checkpoints.expired(now):
                self._checkpoint_files.delete(checkpoint.tinker_path)
            for session_id in self._sessions.silent_since(now - self._session_ttl_s):
                self.finish_session(session_id, "expired", None)
            self._bound_ephemeral()
        except StorageFullError as error:
            _log.warning("housekeeping put off: %s", error)

    def _bound_ephemeral(self) -> None:
        """Drop the ephemeral samplers unused for longest beyond their budget."""
        samplers = self._samplers.ephemeral()
        total = sum(sampler.size_bytes for sampler in samplers)
        for sampler in samplers[:-1]:
            if total <= self._ephemeral_bytes:
                return
            total -= sampler.size_bytes
            self._drop_sampler(sampler.sampler_id)

    def _drop_sampler(self, sampler_id: str) -> None:
        """Forget an ephemeral sampler and its weights."""
        self._samplers.update(sampler_id, status="dropped")
        directory = self._files.sampler_directory(sampler_id)
        self._sampling.forget(directory)
        self._files.remove(self._files.root / directory)

    def finish_session(self, session_id: str, status: str, finish: str | None) -> None:
        """Close a session; its models and its ephemeral samplers go with it, checkpoints stay."""
        self._sessions.update(session_id, status=status, finish=finish)
        for model_id in self._runs.of_session(session_id):
            self._trainer.unload(model_id)
        for sampler in self._samplers.of_session(session_id):
            if sampler.ephemeral and sampler.status == "ready":
                self._drop_sampler(sampler.sampler_id)
