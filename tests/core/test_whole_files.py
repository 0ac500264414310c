"""Files that are written as a whole: they are there, or as they were; and what is said where that fails."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from tinsmith.core.errors import InputError
from tinsmith.core.whole_files import check_ordinary, explained, unreadable, whole_file


@pytest.mark.parametrize("synced", [False, True])
def test_a_file_is_replaced(tmp_path: Path, synced: bool) -> None:
    """When the block ends, in one step, with its own permissions; nothing else is left."""
    path = tmp_path / "keys.json"
    path.write_text("old")
    with whole_file(path, mode=0o600, synced=synced) as file:
        file.write(b"new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert path.stat().st_mode & 0o077 == 0
    assert list(tmp_path.iterdir()) == [path]


def test_links_are_followed_and_devices_written_to(tmp_path: Path) -> None:
    """A link stays one, and its file is replaced; a device stays one too. A folder is no file."""
    (tmp_path / "link").symlink_to("file")
    with whole_file(tmp_path / "link") as file:
        file.write(b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file").read_text() == "new"
    (tmp_path / "null").symlink_to(os.devnull)
    with whole_file(tmp_path / "null") as file:
        file.write(b"new")
    assert not Path(os.devnull).is_file()
    with pytest.raises(IsADirectoryError), whole_file(tmp_path):
        pass
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "link", "null"]


@pytest.mark.parametrize(
    "error", [KeyboardInterrupt(), ValueError("x"), OSError("odd"), OSError(errno.ENOENT, "absent", "other")]
)
def test_an_error_leaves_the_old_file(tmp_path: Path, error: BaseException) -> None:
    """Whatever it is, it is raised as it is, and nothing of the new file is left."""
    path = tmp_path / "keys.json"
    path.write_text("old")
    with pytest.raises(type(error)) as raised, whole_file(path):
        raise error
    assert raised.value is error
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_names_the_file(tmp_path: Path) -> None:
    """The system names none where a disk is full, and the half-written one where no file can be made."""
    path = tmp_path / "keys.json"
    with pytest.raises(OSError, match=r"keys\.json'$") as full, whole_file(path):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert full.value.filename == str(path)
    with pytest.raises(FileNotFoundError) as absent, whole_file(tmp_path / "no" / "keys.json"):
        pass
    assert absent.value.filename == str(tmp_path / "no" / "keys.json")
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_ordinary_file(tmp_path: Path) -> None:
    """A pipe and a device are refused; what is not there is left to who opens it."""
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", os.devnull):
        with pytest.raises(InputError, match="is no ordinary file; write what it holds to one"):
            check_ordinary(path)
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path, tmp_path / "none"):
        check_ordinary(path)


def test_what_to_do(tmp_path: Path) -> None:
    """The sentence says what went wrong and what helps; an error that is not known is said as it is."""
    with pytest.raises(FileNotFoundError) as absent:
        (tmp_path / "none").open()
    said = unreadable("none", absent.value, "prices")
    assert said.field == "prices"
    assert str(said).endswith(
        "none cannot be read: No such file or directory; check its name, and the folder that it is in"
    )
    assert explained(OSError(errno.ENOTTY, "odd")) == "odd"
    assert explained(OSError("no number")) == "no number"
