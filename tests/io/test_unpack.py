"""Archives: 43 hostile ones are refused and leave nothing; honest ones arrive whole, or not at all."""

from __future__ import annotations

import gzip
import io
import stat
import tarfile
from typing import TYPE_CHECKING, Any

import pytest
from tinsmith import UnsafeArchiveError
from tinsmith.io import unpack as room
from tinsmith.io.unpack import unpack

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Member = tuple[tarfile.TarInfo, bytes]


def file(name: str, content: bytes = b"x", **fields: Any) -> Member:
    """Make a member that is a file."""
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for key, value in fields.items():
        setattr(info, key, value)
    return info, content


def other(name: str, kind: bytes, **fields: Any) -> Member:
    """Make a member of another kind."""
    return file(name, b"", type=kind, **fields)


def packed(*members: Member) -> bytes:
    """Pack members as they are, without looking at them."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for info, content in members:
            tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


GOOD = file("adapter_model.safetensors", b"weights")

HOSTILE: dict[str, Callable[[], bytes]] = {
    "parent": lambda: packed(GOOD, file("../evil")),
    "parent in the middle": lambda: packed(GOOD, file("a/../../evil")),
    "parent at the end": lambda: packed(GOOD, file("a/..")),
    "parent folder": lambda: packed(GOOD, other("..", tarfile.DIRTYPE)),
    "absolute": lambda: packed(GOOD, file("/tmp/evil")),
    "absolute twice": lambda: packed(GOOD, file("//tmp/evil")),
    "drive": lambda: packed(GOOD, file("C:/evil")),
    "drive with backslash": lambda: packed(GOOD, file("C:\\evil")),
    "backslash parent": lambda: packed(GOOD, file("..\\evil")),
    "unc": lambda: packed(GOOD, file("\\\\server\\evil")),
    "stream": lambda: packed(GOOD, file("a.txt:evil")),
    "symlink out": lambda: packed(GOOD, other("a", tarfile.SYMTYPE, linkname="/etc/passwd")),
    "symlink in": lambda: packed(GOOD, other("a", tarfile.SYMTYPE, linkname="adapter_model.safetensors")),
    "symlink then file": lambda: packed(other("a", tarfile.SYMTYPE, linkname="/tmp"), file("a/evil")),
    "hard link out": lambda: packed(GOOD, other("a", tarfile.LNKTYPE, linkname="/etc/passwd")),
    "hard link in": lambda: packed(GOOD, other("a", tarfile.LNKTYPE, linkname="adapter_model.safetensors")),
    "fifo": lambda: packed(GOOD, other("a", tarfile.FIFOTYPE)),
    "character device": lambda: packed(GOOD, other("a", tarfile.CHRTYPE, devmajor=1, devminor=3)),
    "block device": lambda: packed(GOOD, other("a", tarfile.BLKTYPE, devmajor=8)),
    "contiguous": lambda: packed(GOOD, other("a", b"S")),
    "unknown kind": lambda: packed(GOOD, other("a", b"Z", linkname="x")) + b"",
    "setuid": lambda: packed(GOOD, file("a", mode=0o755 | stat.S_ISUID)),
    "setgid": lambda: packed(GOOD, file("a", mode=0o755 | stat.S_ISGID)),
    "sticky": lambda: packed(GOOD, other("a", tarfile.DIRTYPE, mode=0o755 | stat.S_ISVTX)),
    "twice": lambda: packed(GOOD, GOOD),
    "twice with dot": lambda: packed(file("a"), file("./a")),
    "case clash": lambda: packed(file("Weights"), file("weights")),
    "unicode clash": lambda: packed(file("caf\u00e9"), file("cafe\u0301")),
    "file in a file": lambda: packed(file("a"), file("a/b")),
    "line break": lambda: packed(GOOD, file("a\nb")),
    "escape": lambda: packed(GOOD, file("a\x1b[2J")),
    "nul": lambda: packed(GOOD, file("a", pax_headers={"path": "a\0b"})),
    "trailing dot": lambda: packed(GOOD, file("CON.")),
    "trailing space": lambda: packed(GOOD, file("a ")),
    "device": lambda: packed(GOOD, file("nul")),
    "device with a suffix": lambda: packed(GOOD, file("a/COM1.json")),
    "device as a folder": lambda: packed(GOOD, file("aux/config.json")),
    "long name": lambda: packed(GOOD, file("a/" * 600 + "b")),
    "bomb": lambda: gzip.compress(packed(GOOD, file("zeros", bytes(32 * 1024 * 1024)))),
    "many": lambda: packed(*(file(f"f{i}", b"") for i in range(60))),
    "cut": lambda: packed(GOOD, file("big", b"y" * 5000))[:3000],
    "no archive": lambda: b"<html>expired</html>" * 100,
    "damaged gzip": lambda: gzip.compress(packed(GOOD))[:-20],
}


def test_there_are_forty() -> None:
    """The list has forty entries, and three of devices."""
    assert len(HOSTILE) == 43


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_archive_is_refused(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hostile archive raises, and neither the target nor anything beside it remains."""
    monkeypatch.setattr(room, "MAX_MEMBERS", 50)
    folder = tmp_path / "work"
    folder.mkdir()
    archive = folder / "archive.tar"
    archive.write_bytes(HOSTILE[name]())
    with pytest.raises(UnsafeArchiveError):
        unpack(archive, folder / "target")
    assert [path.name for path in folder.iterdir()] == ["archive.tar"]
    assert [path.name for path in tmp_path.iterdir()] == ["work"]


@pytest.mark.parametrize("pack", [packed, lambda *members: gzip.compress(packed(*members))])
def test_honest_archive(pack: Callable[..., bytes], tmp_path: Path) -> None:
    """Files and folders arrive with their content, plain or compressed."""
    archive = tmp_path / "a.tar"
    archive.write_bytes(pack(other("sub", tarfile.DIRTYPE), GOOD, file("sub/config.json", b"{}")))
    unpack(archive, tmp_path / "target")
    assert (tmp_path / "target/adapter_model.safetensors").read_bytes() == b"weights"
    assert (tmp_path / "target/sub/config.json").read_bytes() == b"{}"
    assert not (tmp_path / "target/adapter_model.safetensors").stat().st_mode & 0o7000


@pytest.mark.parametrize("root", ["", "."])
def test_root_folder_may_have_no_name(root: str, tmp_path: Path) -> None:
    """SkyRL packs the folder itself first, under an empty name; a file without a name stays refused."""
    archive = tmp_path / "a.tar"
    archive.write_bytes(gzip.compress(packed(other(root, tarfile.DIRTYPE, mode=0o755), GOOD)))
    unpack(archive, tmp_path / "target")
    assert [path.name for path in (tmp_path / "target").iterdir()] == ["adapter_model.safetensors"]
    archive.write_bytes(packed(GOOD, file("")))
    with pytest.raises(UnsafeArchiveError, match="no name"):
        unpack(archive, tmp_path / "other")


def test_target_is_replaced_only_when_asked(tmp_path: Path) -> None:
    """An existing target is kept unless `overwrite`, and kept too when the new archive is hostile."""
    target = tmp_path / "target"
    target.mkdir()
    (target / "old").write_text("old")
    archive = tmp_path / "a.tar"
    archive.write_bytes(packed(GOOD))
    with pytest.raises(FileExistsError):
        unpack(archive, target)
    archive.write_bytes(HOSTILE["parent"]())
    with pytest.raises(UnsafeArchiveError):
        unpack(archive, target, overwrite=True)
    assert (target / "old").read_text() == "old"
    archive.write_bytes(packed(GOOD))
    unpack(archive, target, overwrite=True)
    assert [path.name for path in target.iterdir()] == ["adapter_model.safetensors"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.tar", "target"]


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "compressed"])
@pytest.mark.parametrize("kept", [0, 1, 512, 1023], ids=lambda kept: f"{kept} bytes of the end")
def test_archive_without_its_end_is_truncated(
    pack: Callable[[bytes], bytes], kept: int, tmp_path: Path
) -> None:
    """An archive that was cut between two members, or behind the last one, is refused and leaves nothing."""
    members = 3 * 1024  # pairs of a header and a block
    whole = packed(GOOD, file("a"), file("b"))
    for at in (1024, 2048, members):
        archive = tmp_path / "a.tar"
        archive.write_bytes(pack(whole[:at] + bytes(kept)))
        with pytest.raises(UnsafeArchiveError, match="truncated"):
            unpack(archive, tmp_path / "target")
        assert [path.name for path in tmp_path.iterdir()] == ["a.tar"]
    archive.write_bytes(pack(whole[:members] + bytes(1024)))
    unpack(archive, tmp_path / "target")
    assert len(list((tmp_path / "target").iterdir())) == 3


def test_what_is_no_header_does_not_end_an_archive(tmp_path: Path) -> None:
    """Foreign bytes behind the last member are not taken for its end."""
    archive = tmp_path / "a.tar"
    archive.write_bytes(packed(GOOD)[:1024] + b"<html>" * 1024)
    with pytest.raises(UnsafeArchiveError, match="truncated"):
        unpack(archive, tmp_path / "target")
