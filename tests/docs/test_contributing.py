"""CONTRIBUTING.md is true: what it names exists, its tests run, and its log is what the program prints."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.test_docs import runnable
from tests.guard import WAIT_S

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for path in (ROOT / "CONTRIBUTING.md", ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
}
OURS = (
    "openapi/",
    "generated/",
    "facade/",
    "embedded/",
    "tools/",
    "tests/",
    "docs/",
    "benchmarks/",
    "examples/",
)
VARIES = re.compile(r"^.*?tinsmith: |[0-9a-f]{32}|(?<=…)\w{6}|\d+ bytes|\d+\.\d+ s|#\d+", re.MULTILINE)


def run(*command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command in the repository."""
    environment = {**os.environ, **variables}
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=WAIT_S, check=False
    )


@pytest.mark.parametrize("name", PAGES)
def test_files_that_a_page_names_exist(name: str) -> None:
    """A path of the repository in backticks is there, and so is every relative link."""
    named = {word for word in re.findall(r"`([\w./-]+)`", PAGES[name]) if word.startswith(OURS)}
    linked = {
        (Path(name).parent / target).as_posix()
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", PAGES[name])
    }
    assert sorted(path for path in named | linked if not (ROOT / path).exists()) == []


@pytest.mark.parametrize("name", PAGES)
def test_anchors_that_a_page_links_to_exist(name: str) -> None:
    """A link into a page leads to one of its headings."""
    for target, anchor in re.findall(r"\]\((?!https?:)([^)#]*)#([^)]+)\)", PAGES[name]):
        page = os.path.normpath(Path(name).parent / target) if target else name
        headings = re.findall(r"^#+ (.+)$", PAGES[page], re.MULTILINE)
        made = {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}
        assert anchor in made, f"{name} links to {page}#{anchor}"


@pytest.mark.parametrize("name", PAGES)
def test_targets_that_a_page_names_exist(name: str) -> None:
    """`make this` and `make that` are targets of the Makefile."""
    targets = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {
        word
        for words in re.findall(r"(?:`|\$ )make ([^`\n#]+)", PAGES[name])
        for word in words.split()
        if "=" not in word
    }
    assert named - {"PYTHON"} <= targets


def test_its_tests_run() -> None:
    """The commands under "Run one test" find tests, and these pass."""
    commands = re.findall(r"^\$ \.venv/bin/pytest (.+)$", PAGE, re.MULTILINE)
    assert len(commands) == 2
    for command in commands:
        done = run(sys.executable, "-m", "pytest", "-q", *shlex.split(command))
        assert done.returncode == 0, done.stdout[-3000:]


def test_its_log_is_what_the_program_prints(tmp_path: Path) -> None:
    """The lines under "See a request on the wire" come in this order, but for times, sizes and ids."""
    program = tmp_path / "step.py"
    program.write_text(runnable(PAGE), encoding="utf-8")
    done = run(sys.executable, str(program), TINKER_LOG="debug")
    assert done.returncode == 0, done.stderr[-3000:]
    shown = re.findall(r"^20.*DEBUG tinsmith.*$", PAGE, re.MULTILINE)
    assert shown
    assert VARIES.sub("", "\n".join(shown)) in VARIES.sub("", done.stderr)
