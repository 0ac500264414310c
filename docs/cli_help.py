"""Writes facade/tinsmith/cli/help.txt: the help of every command, as the command line prints it.

Usage: cli_help.py [--check], from docs/generate.py. With --check it writes nothing and exits with 1 when the
file is stale. `tinsmith.cli` prints the texts of this file, so that help needs no command line to be built.
"""

from __future__ import annotations

import io
import os
import sys
from contextlib import redirect_stdout, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from tinsmith.cli import HELP_COLUMNS, HELP_FILE, HELP_TITLE
from tinsmith.cli.app import app
from tinsmith.cli.tree import COMMANDS, branch

if TYPE_CHECKING:
    from collections.abc import Iterator

    import typer


def paths() -> Iterator[tuple[str, ...]]:
    """Yield the words of the program, of each command and of each group."""
    yield ()
    for name in COMMANDS:
        yield from _below(branch(name), ())


def _below(tree: typer.Typer, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for command in tree.registered_commands:
        assert command.callback is not None
        yield (*path, command.name or command.callback.__name__)
    for group in tree.registered_groups:
        assert group.typer_instance is not None
        assert group.name is not None
        yield (*path, group.name)
        yield from _below(group.typer_instance, (*path, group.name))


def printed(path: tuple[str, ...]) -> str:
    """Return what the command line itself prints as the help of a command."""
    written = io.StringIO()
    with redirect_stdout(written), suppress(SystemExit):
        app(args=[*path, "--help"], prog_name="tinsmith")
    return written.getvalue()


def render() -> str:
    """Return the file: one text behind another, each under the words of its command."""
    return "".join(HELP_TITLE.format(" ".join(path)) + printed(path) for path in paths())


def main(arguments: list[str]) -> int:
    """Write the file, or compare it."""
    os.environ["COLUMNS"] = str(HELP_COLUMNS)
    texts, file = render(), Path(HELP_FILE)
    if "--check" not in arguments:
        file.write_text(texts, encoding="utf-8")
        return 0
    if file.exists() and file.read_text(encoding="utf-8") == texts:
        return 0
    sys.stderr.write(f"{file.name} is not what the commands print; run make docs\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
