"""Reads the rows of a file: JSON Lines, a JSON array, or Parquet. Knows nothing of chats."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from tinsmith.core.errors import InputError, MissingExtraError
from tinsmith.core.whole_files import check_ordinary, unreadable

if TYPE_CHECKING:
    import os

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_PARQUET = b"PAR1"
_GZIP = b"\x1f\x8b"


@attrs.frozen
class RawRecord:
    """One row of a file, not checked yet."""

    where: str
    """Place of the row, for errors: `chats.jsonl:7`, or `dump.json, record 7`."""
    content: bytes | Any
    """The bytes of a line, or what an array or a table holds there."""

    def fields(self) -> Mapping[str, Any]:
        """Return the fields of the row; InputError, with its place, where the line is no JSON object."""
        value = _parsed(self.where, self.content) if isinstance(self.content, bytes) else self.content
        if not isinstance(value, Mapping):
            kind = type(value).__name__
            raise InputError(
                f"{self.where}: holds a {kind} where an object belongs; write one JSON object a line"
            )
        return value


def read_rows(path: str | os.PathLike[str]) -> Iterator[RawRecord]:
    """Yield the rows of a file, a few at a time; blank lines are skipped.

    What the file is, its first bytes tell, not its name. JSON is UTF-8, with or without a byte order mark. A
    JSON array is read as a whole, the others as a stream. Raises InputError for a file that cannot be read,
    and MissingExtraError for Parquet without the extra `parquet`.
    """
    check_ordinary(path)
    try:
        with Path(path).open("rb") as file:
            head = file.read(len(_PARQUET))
            if head.startswith(_GZIP):
                raise InputError(f"{path} is compressed; unpack it first, with gunzip")
            if head == _PARQUET:
                yield from _table(path)
                return
            file.seek(len(_BYTE_ORDER_MARK) if head.startswith(_BYTE_ORDER_MARK) else 0)
            is_first = True
            for number, line in enumerate(file, start=1):
                if not line.strip():
                    continue
                if is_first and line.lstrip().startswith(b"["):
                    yield from _array(path, line + file.read())
                    return
                is_first = False
                yield RawRecord(f"{path}:{number}", line)
    except OSError as cause:
        raise unreadable(path, cause) from cause


def located(error: InputError, where: str) -> InputError:
    """Return the error with the place of its record in front of what is wrong."""
    if error.field:
        return InputError(error.problem, field=error.field, model=where)
    return InputError(f"{where}: {error.problem}")


def _parsed(where: str, content: bytes) -> Any:
    import orjson

    try:
        return orjson.loads(content.decode("utf-8"))
    except UnicodeDecodeError as cause:
        raise InputError(
            f"{where}: is not UTF-8 at byte {cause.start + 1}; save the file as UTF-8"
        ) from cause
    except orjson.JSONDecodeError as cause:
        place = f" at character {cause.pos + 1}" if cause.pos else ""
        raise InputError(f"{where}: is no JSON: {cause.msg}{place}; write one JSON object a line") from cause


def _array(path: str | os.PathLike[str], content: bytes) -> Iterator[RawRecord]:
    for number, value in enumerate(_parsed(str(path), content), start=1):
        yield RawRecord(f"{path}, record {number}", value)


def _table(path: str | os.PathLike[str]) -> Iterator[RawRecord]:
    try:
        import pyarrow as arrow
        from pyarrow import parquet
    except ImportError as cause:
        raise MissingExtraError(f"{path}, a Parquet file,", "parquet") from cause
    try:
        batches = parquet.ParquetFile(path).iter_batches()
        rows = (fields for batch in batches for fields in batch.to_pylist())
        for number, fields in enumerate(rows, start=1):
            yield RawRecord(f"{path}, record {number}", _without_nulls(fields))
    except (arrow.ArrowException, OSError) as cause:
        raise InputError(f"{path} cannot be read as Parquet: {cause}") from cause


def _without_nulls(value: Any) -> Any:
    """Drop what is null: a column has the fields of all its rows, and most rows lack some."""
    if isinstance(value, dict):
        return {name: _without_nulls(held) for name, held in value.items() if held is not None}
    return [_without_nulls(held) for held in value] if isinstance(value, list) else value
