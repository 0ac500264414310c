"""`tinsmith auth` against a scripted server: the file of keys, and what is said of the one in use."""

from __future__ import annotations

import base64
import json
import os
import pty
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.cli.conftest import KEY
from tests.guard import WAIT_S

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.conftest import Result, Server

DETAILS = {"org_details": {"name": "acme"}, "user_details": {"email": "ada@example.com"}}
INFO = {"key_id": 7, "name": "laptop", "note": "", "details": DETAILS}
STORED = "tml-stored-key-0123456789"


@pytest.fixture
def file(server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Have no key but the one in a file, which is not there yet."""
    path = tmp_path / "home" / "credentials.json"
    monkeypatch.delenv("TINKER_API_KEY")
    monkeypatch.setenv("TINSMITH_CREDENTIALS", str(path))
    server.on("GET", "/auth/apikey/me", (200, INFO))
    return path


def token(**claims: str) -> str:
    """Return a JWT with these claims; nobody checks its signature."""
    middle = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"e30.{middle}.x"


def test_whoami(cli: Callable[..., Result], server: Server) -> None:
    """The claims of the token are shown, and the token itself is not."""
    jwt = token(sub="user-1", org_id="tml:organization:acme", email="ada@example.com")
    server.on("POST", "/auth/token", (200, {"jwt": jwt}))
    shown = cli("auth", "whoami")
    assert "Email ada@example.com User user-1 Organization tml:organization:acme" in shown.words
    found = cli("auth", "whoami", "-f", "json").json
    assert found == {"email": "ada@example.com", "user_urn": "user-1", "org_urn": "tml:organization:acme"}
    assert jwt not in shown.out + shown.err


def test_status(cli: Callable[..., Result], server: Server) -> None:
    """What the server says of the key is shown, the key itself never."""
    server.on("GET", "/auth/apikey/me", (200, {**INFO, "secret": KEY}))
    shown = cli("auth", "status")
    assert "Key Id 7 Name laptop" in shown.words
    assert f"Server {server.url}/" in shown.words
    assert "Organization acme User ada@example.com" in shown.words
    assert KEY not in shown.out + shown.err
    found = cli("auth", "status", "-f", "json").json
    assert found == {
        "base_url": f"{server.url}/",
        "source": "environment",
        "masked_key": "tml-...ests",
        "accepted": True,
        "problem": None,
        "key": {**INFO, "secret": "***"},
    }


def test_status_of_a_refused_key(cli: Callable[..., Result], server: Server) -> None:
    """A refused key is exit code 4, and what is known of it is shown all the same."""
    server.on("GET", "/auth/apikey/me", (401, {"detail": "unknown key"}))
    done = cli("auth", "status")
    assert done.code == 4
    assert "Source TINKER_API_KEY Key tml-...ests Accepted No: unknown key" in done.words
    assert cli("auth", "status", "-f", "json").json["accepted"] is False


def test_status_of_a_short_key(
    cli: Callable[..., Result], server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a short key no letter is shown, and none of a key that a command prints."""
    server.on("GET", "/auth/apikey/me", (200, INFO))
    monkeypatch.setenv("TINKER_API_KEY", "tml-short")
    assert "Key *** Accepted Yes" in cli("auth", "status").words
    monkeypatch.delenv("TINKER_API_KEY")
    monkeypatch.setenv("TINKER_CREDENTIAL_CMD", "echo tml-printed")
    assert "Source TINKER_CREDENTIAL_CMD Key not shown Accepted Yes" in cli("auth", "status").words


def test_login_is_used_until_logout(cli: Callable[..., Result], server: Server, file: Path) -> None:
    """A key that the server takes is stored for its owner alone, sent by others, and removed."""
    done = cli("auth", "login", stdin=f"{STORED}\n")
    assert (done.code, done.out) == (0, "")
    assert done.err == f"Stored the key 'laptop' of ada@example.com in {file}.\n"
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert os.listdir(file.parent) == [file.name]
    shown = cli("auth", "status")
    assert f"Source {file} Key tml-...6789 Accepted Yes" in shown.words
    assert {asked.key for asked in server.asked} == {STORED}
    assert cli("auth", "logout").err == f"Removed the key 'laptop' from {file}.\n"
    assert cli("auth", "status").code == 4
    assert cli("auth", "logout", "-f", "json").json == {"file": str(file), "removed": None}
    assert STORED not in file.read_text()


def test_login_of_a_refused_key_stores_nothing(
    cli: Callable[..., Result], server: Server, file: Path
) -> None:
    """A key that the server refuses is exit code 4, and there is no file."""
    server.on("GET", "/auth/apikey/me", (401, {"detail": "unknown key"}))
    done = cli("auth", "login", stdin=STORED)
    assert (done.code, file.exists()) == (4, False)
    assert STORED not in done.err


@pytest.mark.parametrize(
    ("stdin", "code", "words"),
    [
        ("", 2, "no key was given"),
        (" \n\n", 2, "no key was given"),
        ("sk-1234", 4, "does not start with 'tml-'"),
        ("tml-a b", 2, "what was given holds a blank"),
        ("tml-one\ntml-two\n", 2, "a line end"),
        ("tml-\u00e9", 2, "not ASCII, as no key does; send the key alone"),
        ("tml-\udcff", 2, "not ASCII"),
        ("tml-" + "x" * 20_000, 2, "more than 16384 characters, and is no key"),
    ],
)
def test_login_without_a_usable_key(
    cli: Callable[..., Result], server: Server, file: Path, stdin: str, code: int, words: str
) -> None:
    """What is no key is refused before anything is sent or stored."""
    done = cli("auth", "login", stdin=stdin)
    assert (done.code, file.exists(), server.asked) == (code, False, [])
    assert words in " ".join(done.err.split())
    assert "X-API-Key" not in done.err


def test_a_key_may_have_blank_lines_around_it(cli: Callable[..., Result], server: Server, file: Path) -> None:
    """Files of keys have them."""
    assert cli("auth", "login", "--no-check", stdin=f"\n {STORED}\n\n").code == 0
    assert json.loads(file.read_text())["keys"]["manual"]["key"] == STORED


def test_login_without_the_server(cli: Callable[..., Result], server: Server, file: Path) -> None:
    """--no-check sends nothing, and --any-key allows a key of one's own server."""
    done = cli("auth", "login", "--no-check", "--any-key", "-f", "json", stdin="own-key")
    assert done.json == {"file": str(file), "name": "manual", "checked": False}
    assert server.asked == []


def test_login_on_a_server_that_tells_nothing_of_keys(
    cli: Callable[..., Result], server: Server, file: Path
) -> None:
    """Where there is no such route, any other request shows that the key is taken."""
    server.on("GET", "/auth/apikey/me", (404, {"detail": "Not Found"}))
    server.on("GET", "/get_server_capabilities", (200, {"supported_models": []}))
    assert cli("auth", "login", stdin=STORED).err == f"Stored the key 'manual' in {file}.\n"
    assert "Accepted Yes" in cli("auth", "status").words


def test_login_twice(cli: Callable[..., Result], server: Server, file: Path) -> None:
    """A stored key is not replaced unawares."""
    assert cli("auth", "login", stdin=STORED).code == 0
    done = cli("auth", "login", stdin="tml-another")
    assert done.code == 1
    assert "tinsmith auth logout" in done.err


def test_login_behind_a_variable(
    cli: Callable[..., Result], file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A variable that goes before the stored key is named."""
    monkeypatch.setenv("TINKER_API_KEY", KEY)
    assert "TINKER_API_KEY is set and goes before the stored key" in cli("auth", "login", stdin=STORED).err


def test_login_where_no_key_is_needed(cli: Callable[..., Result], file: Path) -> None:
    """The embedded service needs no key."""
    done = cli("auth", "login", "--base-url", "local:", stdin=STORED)
    assert (done.code, file.exists()) == (2, False)
    assert "needs no key" in done.err


def test_login_without_a_home(
    cli: Callable[..., Result], server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nobody knows where to keep a key, the variable that tells it is named."""
    for name in ("TINSMITH_CREDENTIALS", "HOME", "USERPROFILE"):
        monkeypatch.delenv(name, raising=False)
    done = cli("auth", "login", stdin=STORED)
    assert (done.code, server.asked) == (1, [])
    assert "TINSMITH_CREDENTIALS" in done.err


@pytest.mark.parametrize(
    "content", ["{", "[]", '{"version": 2, "keys": {}}', '{"default": "a", "keys": {"a": 1}}']
)
def test_a_file_that_holds_no_keys(cli: Callable[..., Result], file: Path, content: str) -> None:
    """A broken file is named, and stays as it is."""
    file.parent.mkdir()
    file.write_text(content)
    for command in ("status", "login", "logout"):
        done = cli("auth", command, stdin=STORED)
        assert done.code in {1, 4}
        assert f"the file of keys {file} cannot be used" in done.err
    assert file.read_text() == content


def test_a_file_that_others_can_read(cli: Callable[..., Result], file: Path) -> None:
    """Its owner is told how to close it."""
    assert cli("auth", "login", stdin=STORED).code == 0
    file.chmod(0o644)
    assert f"chmod 600 {file}" in cli("auth", "status").err


def test_a_typed_key_is_not_shown(server: Server, file: Path) -> None:
    """In a terminal the key is asked for, and what is typed is not echoed."""
    ours, theirs = pty.openpty()
    program = subprocess.Popen(
        [sys.executable, "-m", "tinsmith", "auth", "login"],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    shown = b""
    while b"shown): " not in shown:
        shown += os.read(ours, 1024)
    os.write(ours, f"{STORED}\n".encode())
    assert program.wait(WAIT_S) == 0
    shown += os.read(ours, 1024)
    os.close(ours)
    assert b"Stored" in shown
    assert STORED.encode() not in shown
    assert STORED in file.read_text()
