"""Where results and messages go: one document on stdout, everything else on stderr.

Owns the words for sizes, times and counts. Knows no command and no client; `table` lays tables out.
"""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import typer

from tinsmith.cli.options import wants_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from rich.progress import Progress


class Rows(NamedTuple):
    """A table: a title, column names and rows of text."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]

    @classmethod
    def of(
        cls, title: str, columns: Iterable[tuple[str, Callable[[Any], str]]], entries: Iterable[Any]
    ) -> Self:
        """Make the table of `entries`; a column is its heading, and what it shows of an entry."""
        headings, cells = zip(*columns, strict=True)
        return cls(title, headings, [[cell(entry) for cell in cells] for entry in entries])


class Properties(NamedTuple):
    """The table of one thing: names of properties and their values."""

    rows: Sequence[Sequence[str]]


def show(context: typer.Context, document: Mapping[str, Any], table: Rows | Properties) -> None:
    """Print a result: `document` as JSON, or the table."""
    if wants_json(context):
        show_json(document)
    else:
        show_table(table)


def show_json(document: Mapping[str, Any]) -> None:
    """Write one JSON document to stdout: in UTF-8, dates in ISO 8601, values by their field names."""
    import orjson

    options = (
        orjson.OPT_INDENT_2 | orjson.OPT_NAIVE_UTC | orjson.OPT_NON_STR_KEYS | orjson.OPT_SERIALIZE_NUMPY
    )
    sys.stdout.buffer.write(orjson.dumps(document, default=_plain, option=options) + b"\n")
    sys.stdout.flush()  # a reader that went away is noticed here and ends the command, not at exit


def show_json_line(document: Mapping[str, Any]) -> None:
    """Write one line of JSON to stdout, where a command tells what comes while it runs."""
    import orjson

    sys.stdout.buffer.write(orjson.dumps(document, default=_plain, option=orjson.OPT_NAIVE_UTC) + b"\n")
    sys.stdout.flush()


def _plain(value: object) -> object:
    """Return the fields of a value of the API, with those that this version does not know."""
    import attrs
    from tinsmith_api.model import as_mapping

    if not attrs.has(type(value)):
        raise TypeError(f"{type(value).__name__} has no JSON form")
    return as_mapping(value)


def show_table(rows: Rows | Properties) -> None:
    """Draw a table on stdout: folded into a terminal's width; in a pipe one line for each row, for `grep`."""
    from rich.console import Console
    from rich.text import Text

    from tinsmith.cli.table import RULE, pairs, table, wrapped

    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    cells = [[printable(cell) for cell in row] for row in rows.rows]
    heading = rows.title if isinstance(rows, Rows) else ""
    lines = table(rows.columns, cells, width) if isinstance(rows, Rows) else pairs(cells, width)
    console = Console(file=sys.stdout, highlight=False)
    encoding = sys.stdout.encoding or "utf-8"
    with console.capture() as drawn:
        for text in wrapped(printable(heading), width) if heading else ():
            console.print(Text(text, style="bold" if cells else ""), soft_wrap=True)
        for line in lines if cells else ():
            shown = Text(line.text, style="bold" if line.heading else "")  # no markup: ids hold `:train:`
            shown.stylize("bright_cyan", 0, line.accent)
            console.print(shown, soft_wrap=True)
    drawing = drawn.get() if encoding.lower().startswith("utf") else drawn.get().replace(RULE, "-")
    sys.stdout.write(drawing.encode(encoding, "replace").decode(encoding))  # an odd name is no failure
    sys.stdout.flush()


def printable(text: str, keep: str = "") -> str:
    """Replace control characters but those in `keep`: names come from other people, text from models."""
    return "".join(c if c.isprintable() or c in keep else "\ufffd" for c in text)


def stdin_lines() -> Iterator[str]:
    """Yield the lines of standard input; InputError for one that is no text."""
    from tinsmith.core.errors import InputError

    _take_any_bytes()  # else a whole buffer fails, and no line can be named
    for number, line in enumerate(sys.stdin, 1):
        try:
            line.encode()
        except UnicodeError as cause:
            raise InputError(f"line {number} of standard input is not UTF-8; send text in UTF-8") from cause
        yield line


def stdin_text(most: int) -> str:
    """Return at most so many characters of standard input; bytes that are no text become lone surrogates."""
    _take_any_bytes()
    return sys.stdin.read(most)


def _take_any_bytes() -> None:
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="surrogateescape")


def confirmed(question: str) -> bool:
    """Ask on stderr; the end of the input is no answer and ends the command."""
    while True:
        sys.stderr.write(f"{question} [y/N]: ")
        sys.stderr.flush()
        line = sys.stdin.readline()
        if not line:
            note("\nNobody can answer here; --yes skips the question.")
            raise typer.Exit(1)
        match line.strip().lower():
            case "y" | "yes":
                return True
            case "" | "n" | "no":
                return False


def changed(context: typer.Context, message: str, document: Mapping[str, Any]) -> None:
    """Say what was done: on stderr, or as JSON on stdout."""
    if wants_json(context):
        show_json(document)
    else:
        note(message)


def note(message: str, *, wrap: bool = True) -> None:
    """Print on stderr what is not the result; in a terminal it is wrapped between words.

    Without `wrap`, a command that is to be copied stays in one line.
    """
    if sys.stderr is None:  # closed by the caller: the result still counts
        return
    is_wrapped = wrap and sys.stderr.isatty()
    width = os.get_terminal_size(sys.stderr.fileno()).columns if is_wrapped else 0
    if width:  # some terminals do not say
        from tinsmith.cli.table import wrapped

        message = "\n".join(part for line in message.split("\n") for part in wrapped(line, width))
    with contextlib.suppress(OSError):
        print(message, file=sys.stderr, flush=True)  # not typer.echo, which writes past a live line


class ByteBar:
    """How far a download is: a bar on stderr, once there are bytes.

    Where stderr is no terminal, nothing is written, or with `every_quarter` a line at each quarter. Nothing
    is written anywhere unless `shown`.
    """

    def __init__(self, *, shown: bool = True, every_quarter: bool = False) -> None:
        self.total: int | None = None
        """Bytes of the whole, as far as is known; None before there are any."""
        self._in_terminal = shown and sys.stderr.isatty()
        self._in_lines = shown and every_quarter and not self._in_terminal
        self._last = ""
        self._bar: Progress | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Leave the bar as it is, so that other lines may follow."""
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, step: str, done: int, total: int | None) -> None:
        """Note that `done` bytes of `total` are here; what is being done with them is called `step`."""
        self.total = done if total is None else total
        if self._in_terminal:
            if self._bar is None:
                self._bar = self._started()
            self._bar.update(self._bar.task_ids[0], description=step, completed=done, total=total or None)
        elif self._in_lines:
            line = f"{step}: {done * 4 // total * 25} % of {size(total)}" if total else f"{step}: ..."
            if line != self._last:
                self._last = line
                note(line)

    @staticmethod
    def _started() -> Progress:
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

        columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
        bar = Progress(*columns, console=Console(stderr=True))
        bar.add_task("", total=None)
        bar.start()
        return bar


_UNITS = ("B", "KB", "MB", "GB", "TB", "PB", "EB")
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def size(count: int | None) -> str:
    """Return a number of bytes for a person, in powers of 1024: `1.5 KB`; `N/A` when it is unknown."""
    if count is None or count < 0:
        return "N/A"
    number = float(count)
    for unit in _UNITS[:-1]:
        if number < 1024:
            return f"{count} B" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1024
    return f"{number:.1f} {_UNITS[-1]}"


def moment(value: datetime | None, now: datetime | None = None) -> str:
    """Return a time as seen from `now`, to the nearest unit: `3 hours ago`, `in 2 days`; far ones as a date.

    A checkpoint that expires in 3599 seconds does so `in 1 hour`, not `in 59 minutes`.
    """
    if value is None:
        return "N/A"
    seconds = ((now or datetime.now(UTC)) - aware(value)).total_seconds()
    distance = abs(seconds)
    if distance > 30 * _DAY:
        return aware(value).astimezone(UTC).strftime("%Y-%m-%d")
    for unit, length, next_length in (
        ("minute", _MINUTE, _HOUR),
        ("hour", _HOUR, _DAY),
        ("day", _DAY, 7 * _DAY),
        ("week", 7 * _DAY, 31 * _DAY),
    ):
        number = int(distance / length + 0.5)
        if not number:
            return "just now"
        if number * length < next_length:
            words = count(number, unit)
            break
    return f"{words} ago" if seconds > 0 else f"in {words}"


def aware(value: datetime) -> datetime:
    """Return a time with its zone; servers that send none mean UTC."""
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def yes(value: bool | None) -> str:
    """Return `Yes` or `No`; `N/A` where nobody knows."""
    return "N/A" if value is None else "Yes" if value else "No"


def count(number: int, noun: str) -> str:
    """Return `1 run`, `2 runs`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def title(shown: int, total: int | None, noun: str, where: str = "") -> str:
    """Return the heading of a list: how many entries there are, and how many more are not shown."""
    if not shown:
        return f"No {noun}s found{where}"
    rest = (total or 0) - shown
    more = f" ({rest} more not shown, use --limit to see more)" if rest > 0 else ""
    return count(shown, noun) + where + more


def metadata_rows(metadata: Mapping[str, Any] | None) -> list[list[str]]:
    """Return the rows of labels that a user attached; none where there are no labels."""
    return (
        [["Metadata", ""], *([f"  {key}", str(value)] for key, value in metadata.items())] if metadata else []
    )
