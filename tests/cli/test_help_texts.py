"""The file of help texts: what is printed from it is what the command line prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tinsmith import cli as program

from docs.cli_help import paths, printed

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cli.conftest import Result

PATHS = list(paths())


@pytest.mark.parametrize("columns", [80, 200])
@pytest.mark.parametrize("path", PATHS, ids=" ".join)
def test_the_file_has_what_the_command_line_prints(
    cli: Callable[..., Result], path: tuple[str, ...], columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Byte for byte, by either option, in every terminal that is wide enough."""
    monkeypatch.setenv("COLUMNS", str(columns))
    for option in ("--help", "-h"):
        assert cli(*path, option) == (0, printed(path), "")


def test_a_narrow_terminal_gets_lines_that_fit(
    cli: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command line wraps its help itself."""
    monkeypatch.setenv("COLUMNS", "60")
    shown = cli("checkpoint", "list", "--help").out
    assert shown == printed(("checkpoint", "list"))
    assert max(map(len, shown.splitlines())) <= 60


@pytest.mark.parametrize("words", [("nothing", "--help"), ("checkpoint", "nothing", "-h")])
def test_words_that_are_no_command_are_an_error(cli: Callable[..., Result], words: tuple[str, ...]) -> None:
    """The command line says what is wrong."""
    result = cli(*words)
    assert result.code == 2
    assert "No such command" in result.err


def test_without_the_file_the_command_line_answers(
    cli: Callable[..., Result], monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    """A package that lost the file still has its help."""
    monkeypatch.setenv("COLUMNS", "80")
    whole = cli("version", "-h")
    monkeypatch.setattr(program, "HELP_FILE", f"{tmp_path}/none.txt")
    assert cli("version", "-h") == whole
