"""Data directories that cannot be used: one error that names the file and the reason, at once."""

import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import tinsmith
from tinsmith.local.opening import start
from tinsmith.local.options import ServeOptions

from tests.e2e.bench import works
from tests.guard import WAIT_S

DATABASE = "tinsmith.sqlite3"


def used(folder: Path) -> Path:
    """Make a directory that a service has used."""
    start(ServeOptions(data_dir=folder)).service.close()
    return folder


def a_file(folder: Path) -> Path:
    """Make a file where the directory should be."""
    folder.write_text("")
    return folder


def below_a_file(folder: Path) -> Path:
    """Name a directory that cannot be made."""
    folder.write_text("")
    return folder / "deeper"


def damaged(folder: Path) -> Path:
    """Overwrite the database."""
    (used(folder) / DATABASE).write_bytes(b"no database" * 1000)
    return folder


def newer(folder: Path) -> Path:
    """Let another version have written the database."""
    with sqlite3.connect(used(folder) / DATABASE) as connection:
        connection.execute("PRAGMA user_version=99")
    connection.close()
    return folder


def no_folder(folder: Path) -> Path:
    """Put a file where one of the service's own folders should be."""
    used(folder)
    (folder / "checkpoints").rmdir()
    (folder / "checkpoints").write_text("")
    return folder


def a_directory_as_database(folder: Path) -> Path:
    """Put a directory where the database should be."""
    (folder / DATABASE).mkdir(parents=True)
    return folder


CASES: list[tuple[Callable[[Path], Path], str]] = [
    (a_file, "data: cannot hold a service's data: File exists"),
    (below_a_file, "data/deeper: cannot hold a service's data: Not a directory"),
    (damaged, f"{DATABASE}: cannot be read: file is not a database"),
    (newer, f"{DATABASE}: data of another version \\(99"),
    (a_directory_as_database, f"{DATABASE}: cannot be opened: unable to open database file"),
    (no_folder, "data: cannot hold a service's data: File exists"),
]


@pytest.mark.parametrize(("prepare", "words"), CASES, ids=[case[0].__name__ for case in CASES])
def test_a_client_is_told(tmp_path: Path, prepare: Callable[[Path], Path], words: str) -> None:
    """The first call raises it as it is, nothing is tried again, and another directory works."""
    folder = prepare(tmp_path / "data")
    with (
        tinsmith.ServiceClient(base_url=f"local:{folder}") as service,
        pytest.raises(tinsmith.TinkerError, match=words) as caught,
    ):
        service.get_server_capabilities()
    assert not isinstance(caught.value, tinsmith.APIConnectionError)
    with tinsmith.ServiceClient(base_url=f"local:{tmp_path / 'other'}") as service:
        works(service.create_lora_training_client("tinsmith/tiny", rank=2))


@pytest.mark.parametrize(("prepare", "words"), CASES, ids=[case[0].__name__ for case in CASES])
def test_serve_is_told(tmp_path: Path, prepare: Callable[[Path], Path], words: str) -> None:
    """`tinsmith serve` says it in one line and ends with 1."""
    folder = prepare(tmp_path / "data")
    done = subprocess.run(
        [sys.executable, "-m", "tinsmith.cli", "serve", "--data", str(folder)],
        capture_output=True,
        text=True,
        timeout=WAIT_S,
    )
    assert (done.returncode, done.stdout) == (1, "")
    [line] = [line for line in done.stderr.splitlines() if line.startswith("Error")]
    assert "Unexpected" not in line
    assert words.replace("\\", "") in line


def test_a_directory_in_use(tmp_path: Path) -> None:
    """Another process is refused by name, and the one that has the directory goes on."""
    folder = tmp_path / "data"
    with tinsmith.ServiceClient(base_url=f"local:{folder}") as service:
        client = service.create_lora_training_client("tinsmith/tiny", rank=2)
        done = subprocess.run(
            [sys.executable, "-m", "tinsmith.cli", "serve", "--data", str(folder)],
            capture_output=True,
            text=True,
            timeout=WAIT_S,
        )
        assert done.returncode == 1
        assert f"Failed: {folder} is in use by another process" in done.stderr
        works(client)
