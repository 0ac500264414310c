"""Build what a release uploads, into dist/, and hold it against what a release must be.

Run by `make release-check`, with the Python of the environment that has `build` and `twine`; nothing is
uploaded.
"""

from __future__ import annotations

import re
import shutil
import sys
import tarfile
import tempfile
import tomllib
import zipfile
from email import message_from_bytes, policy
from pathlib import Path
from typing import TYPE_CHECKING

from tests.wheel.check import ROOT, run, use

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import Message

DIST = ROOT / "dist"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PLACEHOLDER = "https://tinsmith.example/"
LINK = re.compile(r"\]\(([^)]+)\)")


def build(python: str, source: Path, into: Path, *what: str) -> None:
    """Build without fetching anything: the environment has the build system already."""
    run(python, "-m", "build", "--no-isolation", *what, "-o", into, source)


def metadata(wheel: Path) -> Message:
    """Read the METADATA file of a wheel."""
    name = "-".join(wheel.name.split("-")[:2]) + ".dist-info/METADATA"
    with zipfile.ZipFile(wheel) as archive:
        return message_from_bytes(archive.read(name), policy=policy.default)


def same_from_source(python: str, sdist: Path, wheel: Path, work: Path) -> Iterator[str]:
    """Compare the wheel with the one that the source distribution builds, byte by byte."""
    with tarfile.open(sdist) as archive:
        archive.extractall(work, filter="data")
    build(python, work / sdist.name.removesuffix(".tar.gz"), work, "--wheel")
    if (work / wheel.name).read_bytes() != wheel.read_bytes():
        yield f"{sdist.name} builds another {wheel.name}"


def wrong_metadata(found: Message) -> Iterator[str]:
    """Compare what an index will show with pyproject.toml, README.md and CHANGELOG.md."""
    expected = {
        "Name": PROJECT["name"],
        "Summary": PROJECT["description"],
        "License-Expression": PROJECT["license"],
        "License-File": "LICENSE",
        "Requires-Python": PROJECT["requires-python"],
        "Description-Content-Type": "text/markdown",
    }
    yield from (
        f"{key}: {found[key]!r}, not {value!r}" for key, value in expected.items() if found[key] != value
    )
    lists = {
        "Classifier": set(PROJECT["classifiers"]),
        "Provides-Extra": set(PROJECT["optional-dependencies"]),
        "Project-URL": {f"{name}, {url}" for name, url in PROJECT["urls"].items()},
    }
    yield from (
        f"{key}: {sorted(values ^ set(found.get_all(key, [])))} on one side only"
        for key, values in lists.items()
        if values != set(found.get_all(key, []))
    )
    text = str(found.get_payload())
    if not text.lstrip().startswith("# Tinsmith"):
        yield "the long description is not README.md"
    yield from (
        f"the long description links to {link}, which only a checkout has"
        for link in LINK.findall(text)
        if not link.startswith(("https://", "#"))
    )
    newest = re.search(r"^## \[([^\]]+)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    if newest is None or newest[1] not in {found["Version"], "Unreleased"}:
        yield f"CHANGELOG.md does not begin with {found['Version']} or Unreleased"


def main(python: str) -> int:
    """Build, compare, inspect and use; every finding is printed."""
    shutil.rmtree(DIST, ignore_errors=True)
    build(python, ROOT, DIST, "--sdist", "--wheel")
    (sdist,), (wheel,) = DIST.glob("*.tar.gz"), DIST.glob("*.whl")
    print(run(python, "-m", "twine", "--no-color", "check", "--strict", sdist, wheel).stdout.strip())
    with tempfile.TemporaryDirectory() as folder:
        findings = [*same_from_source(python, sdist, wheel, Path(folder)), *wrong_metadata(metadata(wheel))]
        use(wheel, Path(folder))
    if any(url.startswith(PLACEHOLDER) for url in PROJECT["urls"].values()):
        print(f"before an upload: choose the address that {PLACEHOLDER} stands for in pyproject.toml")
    print(*findings, sep="\n", end="\n" if findings else "")
    print(f"release: {wheel.name} and {sdist.name}, {len(findings)} findings")
    return int(bool(findings))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
