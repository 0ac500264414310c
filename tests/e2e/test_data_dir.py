"""Data directories that cannot be used: one error that names the file and the reason, at once."""

import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import tinsmith
from tinsmith.core.errors import TinkerError
from tinsmith_local.options import ServeOptions
from tinsmith_local.service import Service

from tests.e2e.bench import works
from tests.guard import WAIT_S

DATABASE = "tinsmith.sqlite3"


def used(folder: Path) -> Path:
    """Make a directory that a service has used."""
    Service(ServeOptions(data_dir=folder)).close()
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


def a_link_as_lock(folder: Path) -> Path:
    """Put a link to a file of somebody else where the lock should be."""
    folder.mkdir()
    (folder.parent / "precious").write_text("keep")
    (folder / "lock").symlink_to(folder.parent / "precious")
    return folder


def pipe_as(name: str) -> Callable[[Path], Path]:
    """Put a pipe, which nobody writes to, in place of a file."""

    def prepare(folder: Path) -> Path:
        folder.mkdir()
        os.mkfifo(folder / name)
        return folder

    return prepare


CASES: list[tuple[Callable[[Path], Path], str]] = [
    (a_file, "data: cannot hold a service's data: File exists"),
    (below_a_file, "data/deeper: cannot hold a service's data: Not a directory"),
    (damaged, f"{DATABASE}: cannot be read: file is not a database"),
    (newer, f"{DATABASE}: data of another version \\(99"),
    (a_directory_as_database, f"{DATABASE}: cannot be opened: unable to open database file"),
    (a_link_as_lock, "data: cannot hold a service's data: Too many levels of symbolic links"),
    (pipe_as("lock"), "data: cannot hold a service's data: lock is not a regular file"),
    (pipe_as(DATABASE), f"{DATABASE} is a link or a device, not a regular file"),
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


def test_nobody_elses_file_is_written(tmp_path: Path) -> None:
    """A link in place of the lock is not followed."""
    folder = a_link_as_lock(tmp_path / "data")
    with pytest.raises(TinkerError):
        Service(ServeOptions(data_dir=folder))
    assert (tmp_path / "precious").read_text() == "keep"


@pytest.mark.parametrize("mode", [0o700, 0o755])
def test_a_directory_that_others_can_look_into_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, mode: int
) -> None:
    """A new directory is its owner's alone; one that is open to others is used, with a warning."""
    Service(ServeOptions(data_dir=tmp_path / "new")).close()
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700
    (tmp_path / "old").mkdir()
    (tmp_path / "old").chmod(mode)
    Service(ServeOptions(data_dir=tmp_path / "old")).close()
    told = [record for record in caplog.records if "can look into" in record.message]
    assert len(told) == (mode != 0o700)


def test_changed_numbers_are_not_loaded(tmp_path: Path) -> None:
    """One flipped bit in saved weights is found when they are loaded."""
    folder = tmp_path / "data"
    with tinsmith.ServiceClient(base_url=f"local:{folder}") as service:
        trainer = service.create_lora_training_client("tinsmith/tiny", rank=2)
        works(trainer)
        saved = trainer.save_state("kept").result(WAIT_S).path
    [path] = folder.glob("checkpoints/*/weights/kept/adapter_model.safetensors")
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(content)
    with tinsmith.ServiceClient(base_url=f"local:{folder}") as service:
        trainer = service.create_lora_training_client("tinsmith/tiny", rank=2)
        with pytest.raises(TinkerError, match="do not match their checksum"):
            trainer.load_state(saved).result(WAIT_S)
