"""The pages do what they say: all Python of README.md and docs/*.md runs, against the embedded service.

The blocks of one page run in order, as one program in a process of its own. A block behind the comment
`<!-- no-run -->` is not run and counts as a skip.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.guard import WAIT_S

if TYPE_CHECKING:
    from _pytest.mark import ParameterSet

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^(?P<mark><!-- no-run -->\n+)?```python\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)


def runnable(text: str) -> str:
    """Blank out all but the blocks to run, so that a traceback's line numbers are the page's."""
    lines = [""] * (text.count("\n") + 1)
    for block in BLOCK.finditer(text):
        if not block["mark"]:
            first = text.count("\n", 0, block.start("code"))
            code = block["code"].splitlines()
            lines[first : first + len(code)] = code
    return "\n".join(lines)


def left_out(text: str) -> list[int]:
    """Return the lines of the blocks that are marked not to be run."""
    return [text.count("\n", 0, block.start("code")) for block in BLOCK.finditer(text) if block["mark"]]


def cases() -> list[ParameterSet]:
    """Return every page that has something to run, and every block left out as a skip that names it."""
    found = []
    for page in PAGES:
        name, text = page.relative_to(ROOT).as_posix(), page.read_text(encoding="utf-8")
        if program := runnable(text).rstrip():
            found.append(pytest.param(program, id=name))
        for line in left_out(text):
            reason = f"{name}, line {line} is marked no-run"
            found.append(pytest.param("", id=f"{name}:{line}", marks=pytest.mark.skip(reason=reason)))
    return found


@pytest.mark.parametrize("program", cases())
def test_blocks_run(program: str, tmp_path: Path) -> None:
    """A reader who pastes a page's Python in order gets no error and no warning."""
    script = tmp_path / "page.py"
    script.write_text(program, encoding="utf-8")
    command = [sys.executable, "-W", "error", str(script)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=WAIT_S, check=False)
    assert done.returncode == 0, f"lines as in the page:\n{done.stderr[-3000:]}"


def test_finder_keeps_lines_and_marks() -> None:
    """A block stands at its own line numbers; other languages and marked blocks are left out."""
    text = "one\n```python\na = 1\n```\n```sh\nls\n```\n<!-- no-run -->\n```python\nb = 2\n```\n"
    assert runnable(text).split("\n")[2] == "a = 1"
    assert "ls" not in runnable(text)
    assert "b = 2" not in runnable(text)
    assert left_out(text) == [9]
