"""The files of checkpoints, and their rows with them: kept, copied, deleted."""

from __future__ import annotations

import asyncio
import shutil
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import attrs

from tinsmith_local.models.adapters import save_adapter
from tinsmith_local.store.checkpoint_table import CheckpointRow, CheckpointTable, insert_answer
from tinsmith_local.store.data_dir import DataDir
from tinsmith_local.store.database import Database, insert_row

if TYPE_CHECKING:
    from pathlib import Path

    from tinsmith_local.engine.lora import Adapter


@attrs.frozen(kw_only=True, eq=False)
class CheckpointFiles:
    """What is done to whole checkpoints; `forget_adapter` is called with directories that change or go."""

    _files: DataDir
    _database: Database
    _checkpoints: CheckpointTable
    _clock: Callable[[], float]
    _forget_adapter: Callable[[str], None]
    _writing: threading.Lock = attrs.field(factory=threading.Lock, init=False)

    def delete(self, tinker_path: str) -> None:
        """Delete a checkpoint and its files."""
        found = self._checkpoints.find(tinker_path)
        if found is not None:
            self._checkpoints.delete(tinker_path)
            self._forget_adapter(found.directory)
            self._files.remove(self._files.root / found.directory)

    def keep(self, row: CheckpointRow, adapter: Adapter, *, optimizer: bool) -> None:
        """Keep an adapter as a checkpoint, in place of an earlier one of that path."""
        with self._writing:
            size = self.write(row.directory, adapter, row.base_model, optimizer=optimizer)
            self._forget_adapter(row.directory)
            with self._database.transaction() as connection:
                insert_row(connection, attrs.evolve(row, size_bytes=size), replace=True)

    def write(self, directory: str, adapter: Adapter, base_model: str, *, optimizer: bool = False) -> int:
        """Write an adapter in place of what its directory held; the size of its files in bytes."""
        return self._files.write_directory(
            self._files.root / directory,
            lambda path: save_adapter(path, adapter, base_model=base_model, optimizer=optimizer),
        )

    async def copy(self, source: CheckpointRow, copy: CheckpointRow, key: str, digest: bytes) -> None:
        """Copy a checkpoint's files, then make the copy and the answer under its key true together.

        Raises FileExistsError if there is such a checkpoint, FileNotFoundError if the source was deleted.
        """
        await asyncio.to_thread(self._copy, source, copy, key, digest)

    def _copy(self, source: CheckpointRow, copy: CheckpointRow, key: str, digest: bytes) -> None:
        """Copy in a worker thread, one copy at a time: two may have the same path."""

        def fill(target: Path) -> None:
            for path in (self._files.root / source.directory).iterdir():
                shutil.copyfile(path, target / path.name)

        with self._writing:
            if self._checkpoints.find(copy.tinker_path) is not None:
                raise FileExistsError(copy.tinker_path)
            self._files.write_directory(self._files.root / copy.directory, fill)
            with self._database.transaction() as connection:
                insert_row(connection, copy, replace=True)
                if key:
                    insert_answer(connection, key, digest, copy.tinker_path, self._clock())
