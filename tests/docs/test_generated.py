"""Generated pages: each has its generator in the list, and a stale one is found."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from types import ModuleType

ROOT = Path(__file__).parents[2]


def script(path: str) -> ModuleType:
    """Load a script as a module."""
    spec = importlib.util.spec_from_file_location(Path(path).stem, ROOT / path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def reference() -> Any:
    """Load the generator of docs/cli.md."""
    return script("docs/cli_reference.py")


def test_every_generated_page_is_in_the_list() -> None:
    """A page that names its generator is checked by `make docs-check`."""
    listed = set(script("docs/generate.py").GENERATORS)
    named = {
        found.group(1)
        for page in (ROOT / "docs").rglob("*.*")
        if page.suffix in {".md", ".svg"}
        if (found := re.search(r"<!-- Written by (\S+?\.py)", page.read_text()))
    }
    assert "tools/house/draw.py" in named
    assert "docs/cli_reference.py" in named
    assert named <= listed


def test_a_stale_page_is_found(reference: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The check fails on a page that is missing or edited, and passes on what was written."""
    monkeypatch.setattr(reference, "PAGE", tmp_path / "cli.md")
    assert reference.main(["--check"]) == 1
    assert reference.main([]) == 0
    assert reference.main(["--check"]) == 0
    (tmp_path / "cli.md").write_text(reference.render() + "edited")
    assert reference.main(["--check"]) == 1


def test_the_dispatcher_runs_all_and_reports_the_worst(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A generator that fails does not keep the next from running, and is not forgotten."""
    dispatcher: Any = script("docs/generate.py")
    (tmp_path / "bad.py").write_text("import sys; sys.exit(1)")
    (tmp_path / "good.py").write_text(
        "import sys, pathlib; pathlib.Path('ran').write_text(str(sys.argv[1:]))"
    )
    monkeypatch.setattr(dispatcher, "ROOT", tmp_path)
    monkeypatch.setattr(dispatcher, "GENERATORS", ("bad.py", "good.py"))
    assert dispatcher.main(["--check"]) == 1
    assert (tmp_path / "ran").read_text() == "['--check']"


def test_the_reference_has_every_command_and_option(reference: Any) -> None:
    """No command, argument or option is without its line and its meaning."""
    page = reference.render()
    for path, callback in reference.commands():
        assert f"## {' '.join(path)}\n" in page
        for parameter, mark in reference.declared(callback):
            assert mark.help, (path, parameter.name)
    assert "`--yes`, `-y`" in page
    assert "| `--limit` NUMBER |" in page


def test_the_page_of_servers_has_a_section_for_each() -> None:
    """Every profile is in the table, with its marks, and has words of its own."""
    table: Any = script("docs/server_table.py")
    page = table.PAGE.read_text()
    assert page.count("\n## ") == len(table.PROFILES) + 2  # checked against the contract, and driven
    for name in table.PROFILES:
        assert table.tables().count(f"| `{name}` |") >= 2
    assert table.render(page.replace("| `tuft` |", "| `gone` |")) == page


def test_an_example_belongs_to_the_longest_command_that_it_has() -> None:
    """A line is shown at `run list` and not at `run`, and behind a pipe too; what varies is replaced."""
    recorder: Any = script("docs/cli_examples.py")
    names = ["tinsmith run", "tinsmith run list", "tinsmith auth login"]
    assert recorder.command_of("tinsmith run list --limit 3", names) == "tinsmith run list"
    assert recorder.command_of("echo key | tinsmith auth login", names) == "tinsmith auth login"
    assert recorder.command_of("tinsmith other", names) == ""
    words = recorder.Words("/tmp/x")
    first, again = (
        words("session-0a1b2c3d4e5f0a1b in /tmp/x, 2 minutes ago"),
        words("session-0a1b2c3d4e5f0a1b"),
    )
    assert first == f"{again} in /home/you/tin, just now"
    assert words("1 minute ago   |  2 minutes ago ") == "just now       |  just now"
    assert again != words("session-1a1b2c3d4e5f0a1b")
    kept = [{"line": "a", "shown": "x  y\n──"}]
    assert recorder.same(kept, [{"line": "a", "shown": "x y ─"}]) == []
    assert recorder.steady([{"line": "a", "shown": "x y ─"}], kept) == kept
    other = [{"line": "a", "shown": "z"}]
    assert recorder.same(kept, other) == ["a"]
    assert recorder.steady(other, kept) == other


@pytest.mark.long
def test_the_examples_of_commands_print_what_is_recorded() -> None:
    """Each line of docs/cli_examples.py prints now what docs/cli.md shows."""
    recorder: Any = script("docs/cli_examples.py")
    assert recorder.same(recorder.record(), json.loads(recorder.RECORDED.read_text())) == []


def test_every_command_has_an_example(reference: Any) -> None:
    """Each command has a line in docs/cli_examples.py, and what it printed is recorded."""
    recorder: Any = script("docs/cli_examples.py")
    names = [" ".join(path) for path, _ in reference.commands()]
    assert [name for name in names if not recorder.examples(name, names)] == []
