"""Finds what a request names, and refuses what is not there or not there any more."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import attrs
from tinsmith.core.errors import InputError, MissingModelError, TinkerError

from tinsmith_local.app.answers import Refusal
from tinsmith_local.models.registry import ModelRegistry
from tinsmith_local.store.checkpoint_table import CheckpointRow, CheckpointTable
from tinsmith_local.store.data_dir import DataDir
from tinsmith_local.store.run_table import RunRow, RunTable
from tinsmith_local.store.session_table import SamplerRow, SamplerTable, SessionRow, SessionTable
from tinsmith_local.work.lifetimes import LastUse
from tinsmith_local.work.notifier import Notifier

if TYPE_CHECKING:
    from tinsmith_local.engine.config import ModelConfig
    from tinsmith_local.models.source import ModelSource


@attrs.frozen(kw_only=True, eq=False)
class Lookups:
    """Finds sessions, models, samplers and checkpoints."""

    _sessions: SessionTable
    _samplers: SamplerTable
    _runs: RunTable
    _checkpoints: CheckpointTable
    _base_models: ModelRegistry
    _files: DataDir
    _notifier: Notifier
    _last_use: LastUse
    _clock: Callable[[], float]
    _making_wait_s: float

    def session(self, session_id: str, *, ended: int = 404) -> SessionRow:
        """Find an active session and mark it as alive; `ended` is the status for one that is over."""
        found = self.any_session(session_id)
        if found.status != "active":
            raise Refusal(ended, f"session {session_id} is {found.status}", field=("session_id",))
        self._last_use.note(session_id, lambda now: self._sessions.update(session_id, last_seen=now))
        return found

    def any_session(self, session_id: str) -> SessionRow:
        """Find a session, finished ones too."""
        found = self._sessions.find(session_id)
        if found is None:
            raise Refusal(404, f"unknown session {session_id!r}", field=("session_id",))
        return found

    def run(self, model_id: str) -> RunRow:
        """Find a model that can be used."""
        found = self._runs.find(model_id)
        if found is None:
            raise Refusal(
                404,
                f"unknown model {model_id!r}; create it, or restore it from a checkpoint",
                field=("model_id",),
            )
        if found.status != "active":
            raise Refusal(410, f"model {model_id} is {found.status}", field=("model_id",))
        return found

    def base_model(self, name: str, field: str = "base_model") -> str:
        """Find a base model; its full name."""
        with _usable(field):
            return self._base_models.canonical(name)

    def source(self, name: str) -> ModelSource:
        """Open a base model without loading it."""
        with _usable("base_model"):
            return self._base_models.source(name)

    def config(self, name: str) -> ModelConfig:
        """Return the shape of a base model."""
        return self.source(name).config

    def sampler(self, sampler_id: str, field: str = "sampling_session_id") -> SamplerRow:
        """Find a sampler that can be used."""
        found = self._samplers.find(sampler_id)
        if found is None:
            raise Refusal(404, f"unknown sampler {sampler_id!r}", field=(field,))
        if found.status != "ready":
            reason = f"sampler {sampler_id} is gone; save with a name what is to be kept"
            raise Refusal(410, reason, field=(field,))
        return found

    def sampler_directory(self, found: SamplerRow) -> str | None:
        """Return where the adapter of a sampler lies below the data directory; None for a base model."""
        if found.ephemeral:
            return self._files.sampler_directory(found.sampler_id)
        if found.model_path is None:
            return None
        return self.checkpoint(found.model_path, "sampling_session_id").directory

    def checkpoint(self, tinker_path: str, field: str = "path") -> CheckpointRow:
        """Find a checkpoint, made or in the making; the two-segment form means a sampler's."""
        row = self._checkpoints.find(full_path(tinker_path))
        if row is None or row.state == "failed" or not self.lives(row):
            raise Refusal(404, f"checkpoint not found: {tinker_path}", field=(field,))
        return row

    def lives(self, row: CheckpointRow) -> bool:
        """Whether a checkpoint has not expired."""
        return row.expires_at is None or row.expires_at > self._clock()

    async def made_checkpoint(self, tinker_path: str, field: str = "path") -> CheckpointRow:
        """Find a checkpoint and wait until it is made. Refuses with 425 when that takes long."""

        def look() -> CheckpointRow | None:
            row = self.checkpoint(tinker_path, field)
            return row if row.state == "ready" else None

        name = f"checkpoint:{full_path(tinker_path)}"
        found = await self._notifier.wait_for(name, look, self._making_wait_s)
        if found is None:
            raise being_made(tinker_path, field)
        return found


@contextmanager
def _usable(field: str) -> Iterator[None]:
    """Refuse with 404 a base model that is not here, with 400 one that cannot be used."""
    try:
        yield
    except TinkerError as error:
        status = 404 if isinstance(error, InputError | MissingModelError) else 400
        problem = error.problem if isinstance(error, InputError) else str(error)
        raise Refusal(status, problem, field=(field,)) from error


def being_made(tinker_path: str, *field: str) -> Refusal:
    """Refuse a checkpoint that is not yet there."""
    return Refusal(425, f"{tinker_path} is still being made", headers={"Retry-After": "1"}, field=field)


def full_path(tinker_path: str) -> str:
    """Write a path with all three segments."""
    parts = tinker_path.removeprefix("tinker://").split("/")
    if len(parts) == 2:
        return f"tinker://{parts[0]}/sampler_weights/{parts[1]}"
    return tinker_path
