# Written by codegen.sh from openapi/runtime/tables.py. Do not edit.
"""HTML tables of values, futures and clients: what `_repr_html_` gives a notebook.

Owns layout, escaping and what is left out of what is long. It sets no colours, so that the tables are
readable in dark and light themes. Loaded when a notebook asks for the first table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape
from reprlib import Repr
from typing import Any

import attrs

from .ownership import is_array
from .reading import UNNAMED

MAX_ROWS = 20
"""Rows of a table; its title says how many there are."""

MAX_TEXT = 240
"""Characters of a cell; the end of a longer text is left out."""

MAX_ITEMS = 6
"""Items of a list in a cell."""

TABLE = "_repr_html_"
"""What notebooks ask for; None in a class whose repr says more than a table."""

LEFT, RIGHT = ' style="text-align:left"', ' style="text-align:right"'
"""Texts and numbers: the themes of notebooks align all cells alike."""

TITLE = ' style="text-align:left;white-space:nowrap"'
"""A title may be wider than its table."""

# Else a notebook would set as a formula what stands between two dollar signs.
OPENING = '<table class="tex2jax_ignore mathjax_ignore">'


def facts_table(title: str, facts: Mapping[str, object]) -> str:
    """Return a table with a row for each fact; those that are None are left out."""
    known = {name: fact for name, fact in facts.items() if fact is not None}
    aligned = RIGHT if all(map(_is_number, known.values())) else LEFT
    shown = list(known.items())[:MAX_ROWS]
    lines = [f"<tr><th{LEFT}>{_escaped(name)}</th>{_cell(fact, aligned)}</tr>" for name, fact in shown]
    return _table(title, "", lines, len(known))


def value_table(value: Any) -> str:
    """Return a table of the fields of a value, then one of each mapping and each list of values in them.

    What is in no repr is in no table either: secrets, and what a newer server added.
    """
    title = type(value).__name__
    plain: dict[str, object] = {}
    mappings: list[str] = []
    lists: list[str] = []
    for name, item in _fields(value).items():
        if isinstance(item, Mapping) and item:
            mappings.append(facts_table(f"{title}.{name}", {str(key): part for key, part in item.items()}))
        elif rows := _rows(item):
            lists.append(_rows_table(f"{title}.{name}", rows))
        else:
            plain[name] = item
    below = mappings + lists
    first = [] if below and not plain else [facts_table(title, plain)]
    return "".join(first + below)


def _fields(value: Any) -> dict[str, object]:
    """Return the fields of a value that its repr shows."""
    cls: Any = type(value)
    return {
        str(field.alias): getattr(value, field.name)
        for field in attrs.fields(cls)
        if field.init and field.repr and field.name != UNNAMED
    }


def _rows(item: object) -> list[Mapping[Any, object]]:
    """Return what is in a list of values or mappings, by name of column; nothing for what is no such list."""
    if not isinstance(item, (list, tuple)) or not all(
        isinstance(row, Mapping) or _is_value(row) for row in item
    ):
        return []
    return [row if isinstance(row, Mapping) else _fields(row) for row in item]


def _rows_table(title: str, rows: Sequence[Mapping[Any, object]]) -> str:
    """Return a table with a line for each row; a column that is None everywhere is left out."""
    shown = rows[:MAX_ROWS]
    columns = list(dict.fromkeys(name for row in shown for name, cell in row.items() if cell is not None))
    aligned = {name: RIGHT if all(_is_number(row.get(name)) for row in shown) else LEFT for name in columns}
    names = (f"<th{aligned[name]}>{_escaped(str(name))}</th>" for name in columns)
    head = f"<thead><tr><td{RIGHT}></td>{''.join(names)}</tr></thead>"
    lines = []
    for number, row in enumerate(shown):
        cells = (_cell(row.get(name), aligned[name]) for name in columns)
        lines.append(f"<tr><th{RIGHT}>{number}</th>{''.join(cells)}</tr>")
    return _table(title, head, lines, len(rows))


def _table(title: str, head: str, lines: Sequence[str], count: int) -> str:
    more = f": the first {MAX_ROWS} of {count}" if count > MAX_ROWS else ""
    caption = f"<caption{TITLE}>{_escaped(title)}{more}</caption>"
    return f"{OPENING}{caption}{head}<tbody>{''.join(lines)}</tbody></table>"


def _cell(item: object, aligned: str) -> str:
    return f"<td{aligned}>{_escaped(_text(item))}</td>"


def _is_value(item: object) -> bool:
    return attrs.has(type(item)) and getattr(item, TABLE, None) is not None


def _is_number(item: object) -> bool:
    return isinstance(item, (int, float)) and not isinstance(item, bool)


def _text(item: object) -> str:
    if item is None:
        return ""
    return item if isinstance(item, str) else _short.repr(item)


def _escaped(text: str) -> str:
    """Return a text as HTML shows it: without a tag or half a surrogate pair of its own, and not too long."""
    clipped = text if len(text) <= MAX_TEXT else f"{text[: MAX_TEXT - 1]}…"
    return escape(clipped.encode("utf-8", "backslashreplace").decode())


class _Short(Repr):
    """The reprs of what stands in a cell: of long lists the first items, and their number."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlevel, self.maxother, self.maxstring = 3, MAX_TEXT, MAX_TEXT
        self.maxlist = self.maxtuple = self.maxdict = MAX_ITEMS

    def repr_float(self, x: float, level: int) -> str:
        return f"{x:.6g}"

    def repr_datetime(self, x: datetime, level: int) -> str:
        return str(x.replace(microsecond=0))

    def repr_bytes(self, x: bytes, level: int) -> str:
        return f"<{len(x)} bytes>"

    def repr_list(self, x: list[Any], level: int) -> str:
        return self._first(x[: MAX_ITEMS + 1], len(x), level)

    def repr_instance(self, x: Any, level: int) -> str:
        if is_array(x):
            return self._first(x.ravel()[: MAX_ITEMS + 1].tolist(), x.size, level)
        if level > 0 and _is_value(x):
            parts = _fields(x).items()
            inside = (f"{name}={self.repr1(part, level - 1)}" for name, part in parts if part is not None)
            return f"{type(x).__name__}({', '.join(inside)})"
        return super().repr_instance(x, level)

    def _first(self, items: list[Any], size: int, level: int) -> str:
        count = f" ({size} items)" if size > MAX_ITEMS else ""
        return super().repr_list(items, level) + count


_short = _Short()
