"""Adapters in directories of this machine, which become checkpoints when a client restores from one."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import attrs
import orjson
from tinsmith.core.addresses import AdapterFolder
from tinsmith.core.errors import InputError, TinkerError

from tinsmith_local.app.answers import Refusal
from tinsmith_local.app.lookups import Lookups
from tinsmith_local.models.adapters import (
    CONFIG_FILE,
    OPTIMIZER_FILE,
    TENSOR_FILE,
    adapter_settings,
    load_adapter,
)
from tinsmith_local.models.registry import ModelRegistry
from tinsmith_local.models.source import ModelFileError
from tinsmith_local.store.checkpoint_table import CheckpointRow, CheckpointTable
from tinsmith_local.work.checkpoint_files import CheckpointFiles


@attrs.frozen(kw_only=True, eq=False)
class AdapterFolders:
    """Finds checkpoints, and makes checkpoints of adapters in directories."""

    _lookups: Lookups
    _base_models: ModelRegistry
    _checkpoints: CheckpointTable
    _checkpoint_files: CheckpointFiles
    _clock: Callable[[], float]
    _reads_paths: bool

    async def checkpoint(self, tinker_path: str, field: str = "path") -> CheckpointRow:
        """Find a checkpoint; the adapter of a directory becomes one first, anew when its files changed."""
        folder = AdapterFolder.from_tinker_path(tinker_path)
        if folder is not None:
            if not self._reads_paths or not Path(folder.directory).is_absolute():
                raise Refusal(400, "this service reads no adapters by their path", field=(field,))
            try:
                await asyncio.to_thread(self._import, tinker_path, folder)
            except TinkerError as error:
                raise Refusal(400, str(error), field=(field,)) from error
        return self._lookups.checkpoint(tinker_path, field)

    def _import(self, tinker_path: str, folder: AdapterFolder) -> None:
        """Read an adapter, and keep it as a checkpoint unless it is kept as it is now."""
        directory = Path(folder.directory)
        settings = adapter_settings(directory)
        name = folder.base_model or settings.get("base_model_name_or_path")
        base_model = self._base_model(directory, name)
        source = self._base_models.source(base_model)
        has_optimizer = (directory / OPTIMIZER_FILE).is_file()
        adapter = load_adapter(directory, source.config, optimizer=has_optimizer, base=source.get_tensor)
        origin = {"adapter": folder.directory, "sha256": _digest(directory)}
        metadata = orjson.dumps(origin).decode()
        known = self._checkpoints.find(tinker_path)
        if known is not None and (known.user_metadata, known.base_model) == (metadata, base_model):
            return
        run_id, kind, name = tinker_path.removeprefix("tinker://").split("/")
        row = CheckpointRow(
            tinker_path=tinker_path,
            run_id=run_id,
            kind=kind,
            name=name,
            state="ready",
            created_at=self._clock(),
            base_model=base_model,
            rank=adapter.spec.rank,
            train_attn=adapter.spec.train_attn,
            train_mlp=adapter.spec.train_mlp,
            train_unembed=adapter.spec.train_unembed,
            user_metadata=metadata,
            optimizer=adapter.optimizer or "adamw",
            directory=f"checkpoints/files/{hashlib.sha256(tinker_path.encode()).hexdigest()[:32]}",
        )
        self._checkpoint_files.keep(row, adapter, optimizer=has_optimizer)

    def _base_model(self, directory: Path, name: object) -> str:
        """Return the base model that an adapter is for: by its name here, or by its path."""
        file = directory / CONFIG_FILE
        if not isinstance(name, str) or not name:
            raise ModelFileError(file, "names no base model; pass base_model=")
        try:
            return self._base_models.canonical(name)
        except InputError as error:
            raise ModelFileError(
                file,
                f"the adapter is for {json.dumps(name)}, which is not here: offer it under that name, with"
                " models={...} or serve --model, or pass base_model=",
            ) from error


def _digest(directory: Path) -> str:
    """Return the SHA-256 of an adapter's files."""
    digest = hashlib.sha256()
    for name in (CONFIG_FILE, TENSOR_FILE, OPTIMIZER_FILE):
        if (directory / name).is_file():
            digest.update(hashlib.sha256((directory / name).read_bytes()).digest())
    return digest.hexdigest()
