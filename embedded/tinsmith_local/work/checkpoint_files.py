"""The files of checkpoints, and their rows with them: kept, copied, deleted."""

from __future__ import annotations

import asyncio
import shutil
import threading
from typing import TYPE_CHECKING

import attrs

from tinsmith_local.models.adapters import save_adapter
from tinsmith_local.store import (
    CheckpointRow,
    CheckpointTable,
    Database,
    DataDir,
    insert_answer,
    insert_row,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tinsmith_local.engine.lora import Adapter


class CheckpointFiles:
    """What is done to whole checkpoints; `forget_adapter` is called with directories that change or go."""

    def __init__(
        self,
        *,
        files: DataDir,
        database: Database,
        checkpoints: CheckpointTable,
        clock: Callable[[], float],
        forget_adapter: Callable[[str], None],
    ) -> None:
        self._files = files
        self._database = database
        self._checkpoints = checkpoints
        self._clock = clock
        self._forget_adapter = forget_adapter
        self._writing = threading.Lock()

    def delete(self, tinker_path: str) -> None:
        """Forget a checkpoint and its files."""
        found = self._checkpoints.find(tinker_path)
        if found is not None:
            self._checkpoints.delete(tinker_path)
            self._forget_adapter(found.directory)
            self._files.remove(self._files.root / found.directory)

    def keep(self, row: CheckpointRow, adapter: Adapter, *, optimizer: bool) -> None:
        """Keep an adapter as a checkpoint, in place of an earlier one of that path."""
        with self._writing:
            size = self._files.write_directory(
                self._files.root / row.directory,
                lambda path: save_adapter(path, adapter, base_model=row.base_model, optimizer=optimizer),
            )
            self._forget_adapter(row.directory)
            with self._database.transaction() as connection:
                insert_row(connection, attrs.evolve(row, size_bytes=size), replace=True)

    async def copy(self, source: CheckpointRow, copy: CheckpointRow, key: str, digest: bytes) -> None:
        """Copy a checkpoint's files, then make the copy and the answer under its key true together.

        FileExistsError says that the place is taken, FileNotFoundError that the source is gone.
        """
        await asyncio.to_thread(self._copy, source, copy, key, digest)

    def _copy(self, source: CheckpointRow, copy: CheckpointRow, key: str, digest: bytes) -> None:
        """Copy in a worker thread, one copy at a time: two may want the same place."""

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
