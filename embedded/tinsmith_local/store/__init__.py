"""What the embedded service keeps on disk: one SQLite database (WAL) and files beside it, in one directory.

Knows nothing of HTTP and nothing of the engine: bytes, rows and paths only.
"""

from .answers import Answers
from .checkpoints import CheckpointRow, Checkpoints
from .database import Database, StorageFullError
from .files import DataDir
from .lock import DirectoryLock, DirectoryLockedError
from .promises import PromiseRow, Promises
from .runs import RunRow, Runs
from .sessions import SamplerRow, SessionRow, Sessions
from .telemetry import Telemetry

__all__ = [
    "Answers",
    "CheckpointRow",
    "Checkpoints",
    "DataDir",
    "Database",
    "DirectoryLock",
    "DirectoryLockedError",
    "PromiseRow",
    "Promises",
    "RunRow",
    "Runs",
    "SamplerRow",
    "SessionRow",
    "Sessions",
    "StorageFullError",
    "Telemetry",
]
