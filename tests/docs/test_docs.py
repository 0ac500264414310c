"""The pages do what they say: all Python of README.md, CONTRIBUTING.md and docs/ runs.

The embedded service answers. The blocks of one page run in order, as one program in a process of its own. A
block behind the comment `<!-- no-run -->` is not run and counts as a skip. All blocks pass a type checker.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tinsmith_local.options import ServeOptions
from tinsmith_local.serve import serving

from tests.guard import WAIT_S

if TYPE_CHECKING:
    from collections.abc import Iterator

    from _pytest.mark import ParameterSet

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "generated" / "tinsmith_api" / "README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]
COLUMN = 86
"""Characters of code that the site shows beside its navigation, in a window of 1280 pixels."""
BLOCK = re.compile(r"^(?P<mark><!-- no-run -->\n+)?```python\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)


def runnable(text: str, *, marked: bool = False) -> str:
    """Blank out all but the blocks to run, and the `marked` if asked; line numbers are the page's."""
    lines = [""] * (text.count("\n") + 1)
    for block in BLOCK.finditer(text):
        if marked or not block["mark"]:
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


@contextmanager
def exported(program: str, directory: Path) -> Iterator[dict[str, str]]:
    """Give the environment of a page; one that reads the two variables of `tinsmith serve` gets a service."""
    if "TINKER_BASE_URL" not in program:
        yield dict(os.environ)
        return
    with serving(ServeOptions(data_dir=directory)) as (address, _):
        yield {**os.environ, "TINKER_BASE_URL": address.base_url, "TINKER_API_KEY": address.token}


@pytest.mark.parametrize("program", cases())
def test_blocks_run(program: str, tmp_path: Path) -> None:
    """A reader who pastes a page's Python in order gets no error and no warning."""
    script = tmp_path / "page.py"
    script.write_text(program, encoding="utf-8")
    command = [sys.executable, "-W", "error", str(script)]
    with exported(program, tmp_path / "data") as environment:
        done = subprocess.run(
            command,
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=WAIT_S,
            check=False,
        )
    assert done.returncode == 0, f"lines as in the page:\n{done.stderr[-3000:]}"


def test_blocks_pass_a_type_checker(tmp_path: Path) -> None:
    """Mypy, strict but for annotations of functions, finds nothing in any block of any page."""
    pages = {}
    for page in PAGES:
        if program := runnable(page.read_text(encoding="utf-8"), marked=True).rstrip():
            name = page.relative_to(ROOT).as_posix()
            pages[name] = tmp_path / f"{re.sub(r'[^a-z]', '_', name.lower())}.py"
            pages[name].write_text(program, encoding="utf-8")
    command = [
        *(sys.executable, "-m", "mypy", "--strict", "--allow-untyped-defs", "--allow-untyped-calls"),
        *("--check-untyped-defs", "--config-file", str(ROOT / "pyproject.toml")),
        *("--cache-dir", str(ROOT / ".mypy_cache" / "pages"), *map(str, pages.values())),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    told = done.stdout
    for name, file in pages.items():
        told = told.replace(str(file), name)
    assert done.returncode == 0, f"lines as in the pages:\n{told}{done.stderr}"
    assert f"{len(pages)} source files" in told


def test_blocks_fit_the_column_of_the_site() -> None:
    """No line of Python in a page of docs/ is cut at the edge of the text; a row of JSON may be."""
    wide = {
        f"{page.name}, line {number}: {line}"
        for page in (ROOT / "docs").glob("*.md")
        for number, line in enumerate(runnable(page.read_text(encoding="utf-8"), marked=True).split("\n"), 1)
        if len(line) > COLUMN and not line.startswith("{")
    }
    assert sorted(wide) == []


def test_finder_keeps_lines_and_marks() -> None:
    """A block stands at its own line numbers; other languages and marked blocks are left out."""
    text = "one\n```python\na = 1\n```\n```sh\nls\n```\n<!-- no-run -->\n```python\nb = 2\n```\n"
    assert runnable(text).split("\n")[2] == "a = 1"
    assert "ls" not in runnable(text)
    assert "b = 2" not in runnable(text)
    assert runnable(text, marked=True).split("\n")[9] == "b = 2"
    assert left_out(text) == [9]
