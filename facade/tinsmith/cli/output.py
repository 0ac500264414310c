"""Where results and messages go: one document on stdout, everything else on stderr.

Owns formats and tables. Knows no command and no client.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence


class OutputFormat(StrEnum):
    """How a result is written."""

    table = "table"
    json = "json"


Format = Annotated[
    OutputFormat | None,
    typer.Option("--format", "-f", help="How to print the result; the default is table."),
]


class Rows:
    """A table: a title, column names and rows of text."""

    pairs = False
    """Whether each row is the name of a property and its value."""

    def __init__(self, title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        self.title = title
        self.columns = list(columns)
        self.rows = [list(row) for row in rows]


class Properties(Rows):
    """The table of one thing: names of properties and their values."""

    pairs = True

    def __init__(self, rows: Iterable[Sequence[str]]) -> None:
        super().__init__("", ["Property", "Value"], rows)


def chosen(context: typer.Context) -> OutputFormat:
    """Return the format given nearest to the command: behind it, on its group, or before both."""
    found: OutputFormat | None = lookup(context, "format")
    return found or OutputFormat.table


def lookup(context: typer.Context, name: str) -> Any:
    """Return an option of this command or of those above it; None when nobody gave it."""
    here: Any = context
    while here is not None:
        if here.params.get(name) is not None:
            return here.params[name]
        here = here.parent
    return None


def show(context: typer.Context, document: Mapping[str, Any], table: Callable[[], Rows]) -> None:
    """Print a result: `document` as JSON, or the table, which is made only when it is wanted."""
    if chosen(context) is OutputFormat.json:
        show_json(document)
    else:
        show_table(table())


def show_json(document: Mapping[str, Any]) -> None:
    """Write one JSON document to stdout: in UTF-8, dates in ISO 8601, values by their field names."""
    import orjson

    options = (
        orjson.OPT_INDENT_2 | orjson.OPT_NAIVE_UTC | orjson.OPT_NON_STR_KEYS | orjson.OPT_SERIALIZE_NUMPY
    )
    sys.stdout.buffer.write(orjson.dumps(document, default=_plain, option=options) + b"\n")
    sys.stdout.flush()  # here a reader that went away is noticed and ends the command, not at exit


def _plain(value: object) -> object:
    """Return the fields of a value of the API, and those that this version does not know."""
    import attrs
    from tinsmith_api.model import as_mapping

    if not attrs.has(type(value)):
        raise TypeError(f"{type(value).__name__} has no JSON form")
    return as_mapping(value)


def show_table(rows: Rows) -> None:
    """Draw a table on stdout: folded into a terminal's width; in a pipe a line a row, for `grep`."""
    from rich.console import Console
    from rich.text import Text

    from tinsmith.cli.table import RULE, pairs, table, wrapped

    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    cells = [[printable(cell) for cell in row] for row in rows.rows]
    lines = pairs(cells, width) if rows.pairs else table(rows.columns, cells, width)
    console = Console(file=sys.stdout, highlight=False)
    encoding = sys.stdout.encoding or "utf-8"
    with console.capture() as drawn:
        if rows.title:
            for text in wrapped(printable(rows.title), width):
                console.print(Text(text, style="bold" if cells else ""), soft_wrap=True)
        for line in lines if cells else ():
            shown = Text(line.text, style="bold" if line.heading else "")  # no markup: ids hold `:train:`
            shown.stylize("bright_cyan", 0, line.accent)
            console.print(shown, soft_wrap=True)
    drawing = drawn.get() if encoding.lower().startswith("utf") else drawn.get().replace(RULE, "-")
    sys.stdout.write(drawing.encode(encoding, "replace").decode(encoding))  # no name is a failure
    sys.stdout.flush()


def printable(text: str, keep: str = "") -> str:
    """Strike out control characters but those to `keep`: names come from other people, text from models."""
    return "".join(c if c.isprintable() or c in keep else "\ufffd" for c in text)


def confirmed(question: str) -> bool:
    """Ask on stderr; an end of input is no answer, and ends the command."""
    while True:
        sys.stderr.write(f"{question} [y/N]: ")
        sys.stderr.flush()
        line = sys.stdin.readline()
        if not line:
            note("\nThere is nobody to ask; --yes goes on without asking.")
            raise typer.Exit(1)
        match line.strip().lower():
            case "y" | "yes":
                return True
            case "" | "n" | "no":
                return False


def note(message: str) -> None:
    """Tell the person something that is not the result; a terminal gets it wrapped between words."""
    width = _width_of_stderr()
    if width is not None:
        from tinsmith.cli.table import wrapped

        message = "\n".join(part for line in message.split("\n") for part in wrapped(line, width))
    with contextlib.suppress(OSError):  # who closed stderr wants no words, and still the result
        typer.echo(message, err=True)


def _width_of_stderr() -> int | None:
    return os.get_terminal_size(sys.stderr.fileno()).columns if sys.stderr.isatty() else None
