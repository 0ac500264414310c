"""README.md and docs/install.md: short, true, and of use to somebody who sees nothing else."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from tinsmith.cli import main

from tests.docs.recorded import shown
from tests.docs.test_docs import runnable
from tests.docs.test_generated import script
from tests.guard import WAIT_S

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
INSTALL = (ROOT / "docs" / "install.md").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
COMMAND = r"^tinsmith train .+$"


def test_it_is_short_and_says_what_it_must() -> None:
    """It has at most 120 lines and one picture, its two commands, whose project it is, and the licence."""
    assert README.count("\n") <= 120
    (picture,) = re.findall(r"!\[[^\]]{20,}\]\(([^)]+)\)", README)
    assert "make docs-recordings" in (ROOT / picture).read_text(encoding="utf-8")
    assert re.search(r"^make demo .*\nmake check ", README, re.MULTILINE)
    assert "neither made nor endorsed by Thinking Machines" in README
    assert f"Licence: [{PROJECT['license']}](LICENSE)" in README


def test_its_example_prints_what_it_shows(tmp_path: Path) -> None:
    """The example is a dozen lines, and prints the block below it to the letter."""
    program, output = runnable(README), re.search(r"^```text\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    assert len(program.split("\n\n\n")[-1].strip().splitlines()) <= 16
    assert output is not None
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=WAIT_S, check=False)
    assert (done.stdout, done.stderr) == (output[1], "")


def test_it_leads_to_the_pages() -> None:
    """On a Git host a reader finds the list of all pages, and the first page of each part of the site."""
    linked = set(re.findall(r"\]\(([^)#]+)", README))
    assert "docs/index.md" in linked
    for title, pages in script("docs/page_list.py").sections().items():
        links = {(Path("docs") / link).as_posix().replace("docs/../", "") for _, link in pages}
        assert links & linked, f"README.md has no link to a page of {title!r}"


def test_its_picture_shows_its_command() -> None:
    """The command that the README gives is the one that was recorded, and its file of chats is there."""
    (command,) = re.findall(COMMAND, README, re.MULTILINE)
    screen = "".join(shown(ROOT / "docs" / "recorded-train.svg"))  # folded where its columns end
    assert screen.startswith(f"$ {command}")
    assert (ROOT / shlex.split(command)[2]).is_file()


def test_the_page_of_installation_has_every_extra() -> None:
    """Its table names each extra of the package once, and no other."""
    table = INSTALL[INSTALL.index("## Optional parts") : INSTALL.index("## Sizes")]
    cells = re.findall(r"^\| (`.+?) \|", table, re.MULTILINE)
    named = [name for cell in cells for name in re.findall(r"`([^`]+)`", cell)]
    assert sorted(named) == sorted(PROJECT["optional-dependencies"].keys() - {"dev"})
    for extras in re.findall(r"(?:\.|tinsmith)\[([\w,]+)\]", README + INSTALL):
        assert set(extras.split(",")) <= set(named)


def test_the_page_of_installation_names_the_versions(capsys: pytest.CaptureFixture[str]) -> None:
    """Its versions of Python are those of the package, and its version of Tinsmith is this one."""
    versions = re.findall(r"Python :: (3\.\d+)$", "\n".join(PROJECT["classifiers"]), re.MULTILINE)
    assert PROJECT["requires-python"] == f">={versions[0]}"
    assert f"Python {', '.join(versions[:-1])} or {versions[-1]}" in INSTALL
    with pytest.raises(SystemExit):
        main(["version"])
    assert f"$ tinsmith version\n{capsys.readouterr().out}" in INSTALL
