"""The file of keys: what the official client writes is read, and what stands beside our key stays."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from tinsmith.core.config import ClientConfig, Secret, key_file, key_source
from tinsmith.core.errors import TinkerError
from tinsmith.core.key_file import StoredKey, forget_key, is_exposed, store_key, stored_key

if TYPE_CHECKING:
    from pathlib import Path

OFFICIAL = """\
{
  "version": 1,
  "default": "77",
  "keys": {
    "77": {
      "type": "manual",
      "key": "tml-abcdefghijkl",
      "name": "my laptop",
      "note": "a note",
      "details": {"org_details": {"name": "Org"}, "user_details": {"email": "a@b.c"}}
    }
  }
}"""
"""As `tinker auth login` of 0.38 writes it."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return the place of a file."""
    return tmp_path / "credentials.json"


def test_the_official_clients_file(path: Path) -> None:
    """Its login is ours, and its logout too."""
    path.write_text(OFFICIAL)
    found = stored_key(path)
    assert found is not None
    assert (found.id, found.key, found.name, found.note) == ("77", "tml-abcdefghijkl", "my laptop", "a note")
    assert "tml-" not in repr(found)
    path.write_text('{"version": 1, "keys": {}}')
    assert stored_key(path) is None


def test_what_is_written_is_what_the_official_client_writes(path: Path) -> None:
    """The same login gives the same document."""
    details = {"org_details": {"name": "Org"}, "user_details": {"email": "a@b.c"}}
    store_key(path, StoredKey("77", "tml-abcdefghijkl", "my laptop", "a note", details))
    assert json.loads(path.read_text()) == json.loads(OFFICIAL)
    assert not is_exposed(path)


def test_other_keys_stay(path: Path) -> None:
    """A login and a logout change one key only, and keep what this version does not know."""
    others = {"version": 1, "colour": "blue", "keys": {"1": {"key": "tml-1", "type": "new"}}}
    path.write_text(json.dumps(others))
    assert forget_key(path) is None
    store_key(path, StoredKey("2", "tml-2", "two"))
    removed = forget_key(path)
    assert removed is not None
    assert removed.key == "tml-2"
    assert json.loads(path.read_text()) == others


def test_a_key_without_a_name(path: Path) -> None:
    """It is called by its id; a default that is not there is none."""
    path.write_text('{"default": "1", "keys": {"1": {"key": "tml-1"}}}')
    found = stored_key(path)
    assert found is not None
    assert found.name == "1"
    path.write_text('{"default": "2", "keys": {"1": {"key": "tml-1"}}}')
    assert stored_key(path) is None


@pytest.mark.parametrize(
    "content", ["{", "[]", '{"keys": []}', '{"version": 2, "keys": {}}', '{"default": "a", "keys": {"a": 1}}']
)
def test_a_file_that_holds_no_keys(path: Path, content: str) -> None:
    """It is named, with what is wrong."""
    path.write_text(content)
    with pytest.raises(TinkerError, match=r"credentials\.json cannot be used: it"):
        stored_key(path)


def test_a_failed_write_leaves_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the new file cannot take the place of the old one, the old one stays, alone."""
    path.write_text(OFFICIAL)

    def refuse(*_: object) -> None:
        raise OSError("no")

    monkeypatch.setattr("pathlib.Path.replace", refuse)
    with pytest.raises(OSError, match="no"):
        store_key(path, StoredKey("1", "tml-1", "one"))
    assert path.read_text() == OFFICIAL
    assert list(path.parent.iterdir()) == [path]


def test_a_file_that_cannot_be_read(path: Path) -> None:
    """It is named; a place below what is no folder holds nothing."""
    path.mkdir()
    with pytest.raises(TinkerError, match="cannot be read"):
        stored_key(path)
    (path / "file").touch()
    assert stored_key(path / "file" / "credentials.json") is None


def test_the_order_of_sources(path: Path) -> None:
    """The argument, the variable, the command and the file, in this order; `local:` reads none."""
    store_key(path, StoredKey("1", "tml-file", "one"))
    environ = {"TINSMITH_CREDENTIALS": str(path)}
    of = ClientConfig.from_environment
    assert (of(environ=environ).api_key, key_source(environ)) == (Secret("tml-file"), "file")
    assert of(environ=environ, base_url="local:").api_key is None
    environ["TINKER_CREDENTIAL_CMD"] = "print-key"
    assert (of(environ=environ).api_key, key_source(environ)) == (None, "command")
    environ["TINKER_API_KEY"] = "tml-variable"
    assert (of(environ=environ).api_key, key_source(environ)) == (Secret("tml-variable"), "environment")
    assert of(environ=environ, api_key="tml-argument").api_key == Secret("tml-argument")


def test_where_the_file_is(tmp_path: Path) -> None:
    """Where the official client has it, unless a variable names another place; nowhere without a home."""
    assert key_file({"HOME": str(tmp_path)}) == tmp_path / ".tinker" / "credentials.json"
    assert key_file({"HOME": "/home", "TINSMITH_CREDENTIALS": "/keys"}) != key_file({"HOME": "/home"})
    assert key_file({}) is None
    assert key_source({}) is None
