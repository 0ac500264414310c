"""The SQLite connection, its schema and its transactions. No knowledge of what the rows mean."""

from __future__ import annotations

import errno
import sqlite3
import stat
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

import attrs
from tinsmith.core.errors import TinkerError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

T = TypeVar("T")

SCHEMA_VERSION = 2

UPGRADES = {
    1: (
        "ALTER TABLE runs ADD COLUMN optimizer TEXT NOT NULL DEFAULT 'adamw'",
        "ALTER TABLE checkpoints ADD COLUMN optimizer TEXT NOT NULL DEFAULT 'adamw'",
    ),
}
"""What each older version lacks, as statements that bring it to the next."""

SCHEMA = """
CREATE TABLE sessions (
  session_id TEXT PRIMARY KEY, created_at REAL NOT NULL, last_seen REAL NOT NULL, status TEXT NOT NULL,
  tags TEXT NOT NULL, user_metadata TEXT NOT NULL, sdk_version TEXT NOT NULL, project_id TEXT,
  display_name TEXT, finish TEXT
);
CREATE TABLE runs (
  model_id TEXT PRIMARY KEY, session_id TEXT NOT NULL, base_model TEXT NOT NULL, rank INTEGER NOT NULL,
  seed INTEGER NOT NULL, train_attn INTEGER NOT NULL, train_mlp INTEGER NOT NULL,
  train_unembed INTEGER NOT NULL, user_metadata TEXT,
  created_at REAL NOT NULL, last_request_at REAL NOT NULL, status TEXT NOT NULL,
  snapshot_position INTEGER NOT NULL DEFAULT 0, snapshot_file TEXT, optimizer TEXT NOT NULL DEFAULT 'adamw'
);
CREATE INDEX runs_session ON runs (session_id);
CREATE TABLE samplers (
  sampler_id TEXT PRIMARY KEY, session_id TEXT NOT NULL, seq INTEGER, base_model TEXT NOT NULL,
  model_path TEXT, ephemeral INTEGER NOT NULL, size_bytes INTEGER NOT NULL,
  digest BLOB NOT NULL, created_at REAL NOT NULL,
  last_used REAL NOT NULL, status TEXT NOT NULL, cloned INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX samplers_session ON samplers (session_id);
CREATE TABLE checkpoints (
  tinker_path TEXT PRIMARY KEY, run_id TEXT NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL,
  state TEXT NOT NULL, created_at REAL NOT NULL, size_bytes INTEGER NOT NULL DEFAULT 0,
  public INTEGER NOT NULL DEFAULT 0,
  expires_at REAL, base_model TEXT NOT NULL, rank INTEGER NOT NULL, train_attn INTEGER NOT NULL,
  train_mlp INTEGER NOT NULL, train_unembed INTEGER NOT NULL, user_metadata TEXT, directory TEXT NOT NULL,
  optimizer TEXT NOT NULL DEFAULT 'adamw'
);
CREATE INDEX checkpoints_run ON checkpoints (run_id);
CREATE TABLE promises (
  n INTEGER PRIMARY KEY AUTOINCREMENT, request_id TEXT NOT NULL UNIQUE, scope TEXT NOT NULL, seq INTEGER,
  digest BLOB NOT NULL, op TEXT NOT NULL, model_id TEXT, position INTEGER, state TEXT NOT NULL,
  body BLOB, body_bytes INTEGER NOT NULL, result BLOB, result_bytes INTEGER NOT NULL DEFAULT 0,
  error TEXT, category TEXT, created_at REAL NOT NULL, finished_at REAL
);
CREATE INDEX promises_scope ON promises (scope, seq);
CREATE INDEX promises_model ON promises (model_id, position);
CREATE INDEX promises_finished ON promises (state, finished_at);
CREATE TABLE ledger (
  n INTEGER PRIMARY KEY AUTOINCREMENT, model_id TEXT NOT NULL, seq INTEGER, op TEXT NOT NULL,
  request_id TEXT NOT NULL, at REAL NOT NULL
);
CREATE TABLE telemetry (
  n INTEGER PRIMARY KEY AUTOINCREMENT, session_id TEXT NOT NULL, received_at REAL NOT NULL,
  event TEXT NOT NULL
);
CREATE TABLE answers (key TEXT PRIMARY KEY, digest BLOB NOT NULL, answer TEXT NOT NULL, at REAL NOT NULL);
CREATE TABLE secrets (name TEXT PRIMARY KEY, value BLOB NOT NULL);
"""


_WRITE_FAILED = frozenset(
    {sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE, sqlite3.SQLITE_IOERR_TRUNCATE}
)
"""What SQLite answers when a write meets the end of a quota or of a file-size limit instead of the disk's."""


class StorageFullError(Exception):
    """The disk, a quota or the database's page limit is full; nothing of the failed write remains."""


class UnusableDataError(TinkerError):
    """A data directory, or the database in it, cannot be used; the message names it and the reason."""


def is_full(error: BaseException) -> bool:
    """Whether an error says that there is no space left."""
    if isinstance(error, OSError):
        return error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
    code = getattr(error, "sqlite_errorcode", 0)
    return isinstance(error, sqlite3.Error) and (code == sqlite3.SQLITE_FULL or code in _WRITE_FAILED)


def full_disk(directory: Path, what: str, error: BaseException) -> StorageFullError:
    """Return the error for a full disk: it names the directory, what was to be written, and the reason."""
    reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return StorageFullError(f"disk full: no space left in {directory} for {what} ({reason})")


def refuse_special(path: Path) -> None:
    """Raise OSError for a link, pipe, socket or device, which may hang when it is read."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise OSError(errno.EINVAL, f"{path.name} is a link or a device, not a regular file")


def read_regular(path: Path) -> bytes:
    """Read a file of the data directory whole; OSError if it is not a regular file."""
    refuse_special(path)
    return path.read_bytes()


@attrs.frozen(kw_only=True)
class TableRow:
    """A row of a table; its fields are columns."""

    TABLE: ClassVar[str]
    """Name of the table."""
    KEY: ClassVar[str]
    """Column by which a row is found."""


R = TypeVar("R", bound=TableRow)


def insert_row(
    connection: sqlite3.Connection, row: TableRow, *, replace: bool = False, **more: object
) -> None:
    """Add a row inside a transaction of the caller; `more` are columns that the row does not have."""
    values = {field.name: getattr(row, field.name) for field in attrs.fields(type(row))} | more
    names, marks = ", ".join(values), ", ".join(f":{name}" for name in values)
    verb = "INSERT OR REPLACE" if replace else "INSERT"
    connection.execute(f"{verb} INTO {row.TABLE} ({names}) VALUES ({marks})", values)


def update_row(connection: sqlite3.Connection, kind: type[TableRow], key: str, **columns: object) -> None:
    """Change columns of the row with that key inside a transaction of the caller."""
    changes = ", ".join(f"{name} = ?" for name in columns)
    sql = f"UPDATE {kind.TABLE} SET {changes} WHERE {kind.KEY} = ?"  # noqa: S608  # names of ours
    connection.execute(sql, (*columns.values(), key))


class Database:
    """One connection, shared by all threads under a lock; every write is a transaction."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.RLock()
        self._directory = path.parent
        try:
            refuse_special(path)
            path.touch(mode=0o600)  # it holds secrets; the files that SQLite puts beside it get the same mode
            self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        except (OSError, sqlite3.Error) as error:
            raise UnusableDataError(f"{path}: cannot be opened: {error}") from error
        self._connection.row_factory = sqlite3.Row
        try:
            self._prepare(path)
        except BaseException as error:
            self._connection.close()
            if is_full(error):
                raise full_disk(path.parent, "the database", error) from error
            if isinstance(error, sqlite3.DatabaseError):
                raise UnusableDataError(f"{path}: cannot be read: {error}") from error
            raise

    def _prepare(self, path: Path) -> None:
        """Choose how to write, and make the tables of a new database."""
        # WAL with NORMAL: a commit survives the end of the process at any moment (its pages are with the
        # operating system); a power cut may take the last commits, but never a part of one.
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=NORMAL")
        self._connection.execute("PRAGMA temp_store=MEMORY")
        version = self._connection.execute("PRAGMA user_version").fetchone()[0]
        if version == 0:
            self._connection.executescript(f"BEGIN; {SCHEMA} PRAGMA user_version={SCHEMA_VERSION}; COMMIT;")
        elif version in UPGRADES:
            steps = [step for old in range(version, SCHEMA_VERSION) for step in UPGRADES[old]]
            script = "; ".join(["BEGIN", *steps, f"PRAGMA user_version={SCHEMA_VERSION}", "COMMIT;"])
            self._connection.executescript(script)
        elif version != SCHEMA_VERSION:
            raise UnusableDataError(
                f"{path}: data of another version ({version}, this one reads {SCHEMA_VERSION})"
            )

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing; a full disk becomes `StorageFullError`."""
        with self._lock:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException as error:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                if is_full(error):
                    raise full_disk(self._directory, "the database", error) from error
                raise

    def rows(self, sql: str, *parameters: object) -> list[sqlite3.Row]:
        """All rows of a query."""
        with self._lock:
            return self._connection.execute(sql, parameters).fetchall()

    def row(self, sql: str, *parameters: object) -> sqlite3.Row | None:
        """Return the first row of a query."""
        with self._lock:
            found: sqlite3.Row | None = self._connection.execute(sql, parameters).fetchone()
            return found

    def values(self, kind: Callable[..., T], sql: str, *parameters: object) -> list[T]:
        """Build a value of each row; its fields are called as the columns."""
        return [kind(**dict(found)) for found in self.rows(sql, *parameters)]

    def value(self, kind: Callable[..., T], sql: str, *parameters: object) -> T | None:
        """Build a value of the first row."""
        found = self.row(sql, *parameters)
        return None if found is None else kind(**dict(found))

    def number(self, sql: str, *parameters: object) -> int:
        """Return the first column of the first row as a whole number, 0 for null."""
        found = self.row(sql, *parameters)
        return int(found[0] or 0) if found is not None else 0

    def write(self, sql: str, *parameters: object) -> int:
        """Run one statement as a transaction of its own; the number of rows touched."""
        with self.transaction() as connection:
            return connection.execute(sql, parameters).rowcount

    def secret(self, name: str, fresh: bytes) -> bytes:
        """Return the stored secret of that name; `fresh` is stored when there is none."""
        kept = self.row("SELECT value FROM secrets WHERE name = ?", name)
        if kept is not None:
            return bytes(kept[0])
        with self.transaction() as connection:
            connection.execute("INSERT OR IGNORE INTO secrets VALUES (?, ?)", (name, fresh))
        found = self.row("SELECT value FROM secrets WHERE name = ?", name)
        assert found is not None
        return bytes(found[0])

    def limit_pages(self, pages: int) -> None:
        """Bound the size of the database file: what a test calls a full disk."""
        with self._lock:
            self._connection.execute(f"PRAGMA max_page_count={int(pages)}")

    def close(self) -> None:
        """Close the connection; the write-ahead log is folded in."""
        with self._lock:
            self._connection.close()


class Table(Generic[R]):
    """The rows of one kind."""

    row: type[R]
    """Their class."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, key: str) -> R | None:
        """Find a row by its key."""
        sql = f"SELECT * FROM {self.row.TABLE} WHERE {self.row.KEY} = ?"  # noqa: S608  # names of ours
        return self._database.value(self.row, sql, key)

    def add(self, row: R) -> None:
        """Keep a new row."""
        with self._database.transaction() as connection:
            insert_row(connection, row)

    def update(self, key: str, **columns: object) -> None:
        """Change columns of the row with that key."""
        with self._database.transaction() as connection:
            update_row(connection, self.row, key, **columns)
