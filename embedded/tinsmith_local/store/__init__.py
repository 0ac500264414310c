"""What the embedded service keeps on disk: one SQLite database (WAL) and files beside it, in one directory.

Knows nothing of HTTP and nothing of the engine: bytes, rows and paths only.
"""

from __future__ import annotations

from tinsmith_local.store.checkpoint_table import (
    AnswerTable,
    CheckpointRow,
    CheckpointTable,
    insert_answer,
)
from tinsmith_local.store.data_dir import DataDir, DirectoryLock, DirectoryLockedError, file_name
from tinsmith_local.store.database import Database, StorageFullError, insert_row, update_row
from tinsmith_local.store.promise_table import Also, Applied, PromiseRow, PromiseTable
from tinsmith_local.store.run_table import AdapterShape, RunRow, RunTable
from tinsmith_local.store.session_table import (
    SamplerRow,
    SamplerTable,
    SessionRow,
    SessionTable,
    TelemetryTable,
)

__all__ = [
    "AdapterShape",
    "Also",
    "AnswerTable",
    "Applied",
    "CheckpointRow",
    "CheckpointTable",
    "DataDir",
    "Database",
    "DirectoryLock",
    "DirectoryLockedError",
    "PromiseRow",
    "PromiseTable",
    "RunRow",
    "RunTable",
    "SamplerRow",
    "SamplerTable",
    "SessionRow",
    "SessionTable",
    "StorageFullError",
    "TelemetryTable",
    "file_name",
    "insert_answer",
    "insert_row",
    "update_row",
]
