"""The file of keys that `auth login` writes. Its format is that of the official client: both share one login.

Owns the format and the permissions. Where the file is, `config.key_file` says.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import attrs

from tinsmith.core.errors import TinkerError
from tinsmith.core.whole_files import explained, whole_file

if TYPE_CHECKING:
    from pathlib import Path

VERSION = 1
"""Version of the format that this module reads and writes."""


@attrs.frozen
class StoredKey:
    """A key in the file."""

    id: str
    """Id that the server gave it, or `manual` if it was not asked."""
    key: str = attrs.field(repr=False)
    """The key itself."""
    name: str
    """Name by which a person knows it."""
    note: str | None = None
    """What its owner wrote about it."""
    details: dict[str, Any] | None = None
    """Its owner: `org_details` with a `name`, `user_details` with an `email`."""


def stored_key(path: Path) -> StoredKey | None:
    """Return the key to use, or None if there is none; TinkerError for a file that is no such file."""
    document = _read(path)
    name = document.get("default")
    if name is None or name not in document["keys"]:
        return None
    record = document["keys"][name]
    if not isinstance(record, dict) or not isinstance(record.get("key"), str):
        raise _broken(path, f"its entry {name!r} holds no key")
    label = record.get("name")
    return StoredKey(
        name,
        record["key"],
        label if isinstance(label, str) else name,
        record.get("note"),
        record.get("details"),
    )


def store_key(path: Path, key: StoredKey) -> None:
    """Write a key as the one to use, readable by its owner only; other keys in the file stay."""
    document = _read(path)
    record = {"type": "manual", **attrs.asdict(key, filter=lambda _, value: value is not None)}
    del record["id"]
    document["keys"][key.id] = record
    _write(path, {**document, "default": key.id})


def forget_key(path: Path) -> StoredKey | None:
    """Remove the key to use from the file, and return it; None if there is none."""
    found = stored_key(path)
    if found is not None:
        document = _read(path)
        del document["keys"][found.id], document["default"]
        _write(path, document)
    return found


def is_exposed(path: Path) -> bool:
    """Say whether others than the owner may read the file."""
    return os.name == "posix" and path.exists() and bool(path.stat().st_mode & 0o077)


def _read(path: Path) -> dict[str, Any]:
    import orjson

    try:
        document = orjson.loads(path.read_bytes())
    except FileNotFoundError:
        return {"version": VERSION, "keys": {}}
    except NotADirectoryError:
        return {"version": VERSION, "keys": {}}
    except OSError as cause:
        raise TinkerError(f"the file of keys {path} cannot be read: {explained(cause)}") from cause
    except ValueError as cause:
        raise _broken(path, "it is no JSON") from cause
    if not isinstance(document, dict) or not isinstance(document.setdefault("keys", {}), dict):
        raise _broken(path, "it holds no keys")
    if document.get("version", VERSION) != VERSION:
        raise _broken(path, f"its version is {document['version']}, not {VERSION}")
    return document


def _broken(path: Path, why: str) -> TinkerError:
    return TinkerError(f"the file of keys {path} cannot be used: {why}; move it away and log in again")


def _write(path: Path, document: dict[str, Any]) -> None:
    """Replace the file in one step. It, and a folder made for it, are the owner's only from the beginning."""
    import orjson

    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with whole_file(path, mode=0o600) as file:
        file.write(orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n")
