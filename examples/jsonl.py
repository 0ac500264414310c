"""Reads JSON Lines, one object a line, for every program here that reads such a file. Knows no task."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tinsmith import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def read(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield where each object stands (`file:line`) and the object; blank lines are skipped.

    The file is UTF-8, with or without a byte order mark. Lines end at newlines alone: inside a text, JSON
    allows U+2028 and others that `str.splitlines` cuts at. InputError names file and line of what is none.
    """
    try:
        content = path.read_bytes()
    except OSError as cause:
        raise InputError(f"{path} cannot be read: {cause.strerror}") from cause
    for number, line in enumerate(content.removeprefix(b"\xef\xbb\xbf").split(b"\n"), start=1):
        if not line.strip():
            continue
        where = f"{path}:{number}"
        try:
            record = json.loads(line.decode("utf-8"))
        except UnicodeDecodeError as cause:
            raise InputError(f"{where} is not UTF-8 at byte {cause.start + 1} of the line") from cause
        except json.JSONDecodeError as cause:
            raise InputError(f"{where} is no JSON: {cause.msg} at character {cause.colno}") from cause
        if not isinstance(record, dict):
            raise InputError(f"{where} holds a {type(record).__name__}, not an object")
        yield where, record
