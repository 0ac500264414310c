"""Lays rows out in the width there is. Pure functions: prints nothing, knows no terminal.

A row that is too wide is folded, never cut: the widest columns get lines of their own under the rest, so that
an id or a path stays in one piece and can be copied. Only what is wider than the terminal alone is left for
the terminal to wrap, which copies it as one piece too. Prose is wrapped between words.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from rich.cells import cell_len

if TYPE_CHECKING:
    from collections.abc import Sequence

RULE = "\u2500"
"""What the line under the head is made of."""

GAP, NARROW_GAP = 3, 2
"""Blanks between two columns, and where that is what makes them fit."""

INDENT = 2
"""Blanks before what belongs to the line above."""

LEAST_PROSE = 24
"""Narrowest room beside a label that words are wrapped into; below it they go under the label."""


class Line(NamedTuple):
    """One line of a table."""

    text: str
    accent: int = 0
    """So many characters at the start, the name of the row, are shown in colour."""
    heading: bool = False
    """Whether it is the head of the table."""


def table(columns: Sequence[str], rows: Sequence[Sequence[str]], width: int | None) -> list[Line]:
    """Lay a list out: a line a row where it fits, else the widest columns under the others."""
    widths = [
        max([cell_len(name), *(cell_len(row[place]) for row in rows)]) for place, name in enumerate(columns)
    ]
    beside, gap = list(range(len(columns))), GAP
    while width is not None and beside and _needed(widths, beside, gap) > width:
        if gap == GAP:
            gap = NARROW_GAP
        else:
            beside.remove(max(beside, key=lambda place: widths[place]))
            gap = GAP
    fold = partial(_folded, widths=[size + gap for size in widths], beside=beside, width=width)
    head = [line._replace(heading=True, accent=0) for line in fold(columns)]
    body = [line for row in rows for line in fold(row)]
    return [*head, _rule([*head, *body], width), *body]


def pairs(rows: Sequence[Sequence[str]], width: int | None) -> list[Line]:
    """Lay out properties and their values: a value that does not fit beside its name goes under it."""
    column = max([cell_len("Property"), *(cell_len(label) for label, _ in rows)]) + GAP
    lines = [line for label, value in rows for line in _pair(label, value, column, width)]
    head = Line(_padded("Property", column) + "Value", 0, heading=True)
    return [head, _rule([head, *lines], width), *lines]


def wrapped(text: str, width: int | None) -> list[str]:
    """Break prose between words; a word that is too long stays whole."""
    if width is None:
        return [text]
    lines: list[str] = []
    for word in text.split(" "):
        if lines and cell_len(lines[-1]) + 1 + cell_len(word) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def _rule(lines: Sequence[Line], width: int | None) -> Line:
    longest = max(cell_len(line.text) for line in lines)
    return Line(RULE * (longest if width is None else min(longest, width)))


def _needed(widths: Sequence[int], beside: Sequence[int], gap: int) -> int:
    indent = 0 if beside[0] == 0 else INDENT
    return indent + sum(widths[place] for place in beside) + gap * (len(beside) - 1)


def _folded(
    cells: Sequence[str], *, widths: Sequence[int], beside: Sequence[int], width: int | None
) -> list[Line]:
    """Lay out one row: the columns of `beside`, whose `widths` include their gap; the rest go under them."""
    named = 0 in beside
    lines = [] if named else [Line(cells[0], len(cells[0]))]
    if beside:
        text = "".join(_padded(cells[place], widths[place]) for place in beside).rstrip()
        lines.append(Line(text, len(cells[0])) if named else Line(" " * INDENT + text))
    for place in range(1, len(cells)):
        if place not in beside:
            lines += [Line(text) for text in _under(cells[place], INDENT, width)]
    return lines


def _pair(label: str, value: str, column: int, width: int | None) -> list[Line]:
    if width is None or column + cell_len(value) <= width:
        return [Line((_padded(label, column) + value).rstrip(), len(label))]
    if " " in value and width - column >= LEAST_PROSE:
        first, *others = wrapped(value, width - column)
        under = [Line(" " * column + text) for text in others]
        return [Line(_padded(label, column) + first, len(label)), *under]
    return [Line(label, len(label)), *(Line(text) for text in _under(value, 2 * INDENT, width))]


def _under(text: str, indent: int, width: int | None) -> list[str]:
    """Indent what stands on lines of its own, unless that is what makes it too wide."""
    parts = wrapped(text, None if width is None else width - indent)
    return [
        part
        if width is not None and cell_len(part) <= width < cell_len(part) + indent
        else " " * indent + part
        for part in parts
    ]


def _padded(text: str, width: int) -> str:
    return text + " " * (width - cell_len(text))
