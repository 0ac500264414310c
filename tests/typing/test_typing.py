"""Both type checkers over calls that are right and calls that are wrong."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.typing.pyright import errors

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
MARK = re.compile(r"#\s*(type|pyright): ignore\[([\w-]+)\]")


class Finding(NamedTuple):
    """One complaint of a checker."""

    file: str
    line: int
    rule: str


def marks(kind: str) -> set[tuple[int, str]]:
    """Return what wrong.py expects: line and rule."""
    return {
        (number, rule)
        for number, line in enumerate((HERE / "wrong.py").read_text().splitlines(), 1)
        for found, rule in MARK.findall(line)
        if found == kind
    }


@pytest.fixture(scope="module")
def unmarked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy both files, the marks of the wrong calls left out, so that the checkers say what they see."""
    folder = tmp_path_factory.mktemp("typing")
    for name in ("correct.py", "wrong.py"):
        (folder / name).write_text(MARK.sub("#", (HERE / name).read_text()))
    return folder


@pytest.fixture(scope="module")
def mypy(unmarked: Path) -> list[Finding]:
    """Run mypy --strict once over both files."""
    answer = subprocess.run(
        [
            *(sys.executable, "-m", "mypy", "--strict", "--output", "json"),
            *("--cache-dir", ROOT / ".mypy_cache/calls", "--config-file", ROOT / "pyproject.toml"),
            *(unmarked / "correct.py", unmarked / "wrong.py"),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 1, answer.stdout + answer.stderr
    found = [json.loads(line) for line in answer.stdout.splitlines() if line.startswith("{")]
    return [
        Finding(Path(item["file"]).name, item["line"], item["code"])
        for item in found
        if item["severity"] == "error"
    ]


@pytest.fixture(scope="module")
def pyright(unmarked: Path) -> list[Finding]:
    """Run basedpyright once over both files."""
    settings = {
        "typeCheckingMode": "standard",
        "pythonVersion": "3.11",
        "extraPaths": [str(ROOT / "facade"), str(ROOT / "generated")],
        "include": ["correct.py", "wrong.py"],
    }
    return [
        Finding(Path(item["file"]).name, item["range"]["start"]["line"] + 1, item.get("rule", ""))
        for item in errors(unmarked, settings)
    ]


def test_mypy_accepts_the_right_calls(mypy: list[Finding]) -> None:
    """No right call is refused."""
    assert [finding for finding in mypy if finding.file == "correct.py"] == []


def test_mypy_refuses_the_wrong_calls(mypy: list[Finding]) -> None:
    """Each wrong call is refused, on its line and for its reason, and nothing else is."""
    assert {(line, rule) for file, line, rule in mypy if file == "wrong.py"} == marks("type")


def test_pyright_accepts_the_right_calls(pyright: list[Finding]) -> None:
    """No right call is refused."""
    assert [finding for finding in pyright if finding.file == "correct.py"] == []


def test_pyright_refuses_the_wrong_calls(pyright: list[Finding]) -> None:
    """Each wrong call is refused, on its line and for its reason, and nothing else is."""
    assert {(line, rule) for file, line, rule in pyright if file == "wrong.py"} == marks("pyright")


def test_every_wrong_call_is_marked_for_both() -> None:
    """The file of wrong calls names both checkers' reasons, line by line."""
    assert {line for line, _ in marks("type")} == {line for line, _ in marks("pyright")}
    assert len(marks("type")) >= 20
