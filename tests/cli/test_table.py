"""The layout of tables: what fits stands in columns, what does not is folded, and nothing is ever lost."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st
from tinsmith.cli.output import Properties, Rows, show_table
from tinsmith.cli.table import pairs, table, wrapped

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pytest

COLUMNS = ["Run ID", "Model", "Status"]
RUN = "session-0123456789abcdef:train:0"
PATH = f"tinker://{RUN}/sampler_weights/final"


def drawn(columns: Sequence[str], rows: Sequence[Sequence[str]], width: int | None) -> list[str]:
    """Lay a list out and return its lines."""
    return [line.text for line in table(columns, rows, width)]


def test_a_line_a_row_where_it_fits() -> None:
    """What fits stands in columns; without a terminal everything fits."""
    lines = [
        "Run ID                             Model   Status",
        "─" * 49,
        f"{RUN}   tiny    OK",
    ]
    assert drawn(COLUMNS, [[RUN, "tiny", "OK"]], 49) == lines
    assert drawn(COLUMNS, [[RUN, "tiny", "OK"]], None) == lines


def test_blanks_give_way_first() -> None:
    """Two blanks between columns come before folding."""
    assert drawn(COLUMNS, [[RUN, "tiny", "OK"]], 47)[2] == f"{RUN}  tiny   OK"


def test_the_widest_column_gets_a_line_of_its_own() -> None:
    """The name of the row stands first and the rest is under it, in the head as in the rows."""
    assert drawn(COLUMNS, [[RUN, "tiny", "OK"]], 40) == [
        "Run ID",
        "  Model   Status",
        "─" * len(RUN),
        RUN,
        "  tiny    OK",
    ]
    assert drawn(["Name", "Type", "Path"], [["one", "weights", PATH]], 70) == [
        "Name   Type",
        "  Path",
        "─" * (len(PATH) + 2),
        "one    weights",
        f"  {PATH}",
    ]


def test_what_is_wider_than_the_terminal_is_in_one_piece() -> None:
    """A path that cannot fit is left to the terminal to wrap; one that just fits loses its indent."""
    assert PATH in drawn(["Name", "Path"], [["one", PATH]], len(PATH))
    assert f"  {PATH}" in drawn(["Name", "Path"], [["one", PATH]], 30)


def test_properties() -> None:
    """A value that does not fit goes under its name: an id whole, prose between words."""
    rows = [["Path", PATH], ["Note", "a few words about nothing much"]]
    assert [line.text for line in pairs(rows, None)][2:] == [
        f"Path       {PATH}",
        "Note       a few words about nothing much",
    ]
    assert [line.text for line in pairs(rows, 36)][2:] == [
        "Path",
        f"    {PATH}",
        "Note       a few words about nothing",
        "           much",
    ]
    assert [line.text for line in pairs(rows, 20)][4:] == [
        "Note",
        "    a few words",
        "    about nothing",
        "    much",
    ]


def test_prose_is_wrapped_between_words() -> None:
    """Long words stay whole, wide characters count for two."""
    assert wrapped("one two three", 7) == ["one two", "three"]
    assert wrapped("aluminium is light", 4) == ["aluminium", "is", "light"]
    assert wrapped("\u932b\u932b \u932b", 6) == ["\u932b\u932b", "\u932b"]


@given(
    st.lists(st.lists(st.text("ab:/\u932b ", max_size=30), min_size=3, max_size=3), min_size=1, max_size=3),
    st.integers(10, 90),
)
def test_nothing_is_lost(rows: list[list[str]], width: int) -> None:
    """Every word of every cell is there in one piece, at every width."""
    for shown in (drawn(COLUMNS, rows, width), [line.text for line in pairs([r[:2] for r in rows], width)]):
        words = " ".join(shown).split()
        for row in rows:
            for word in " ".join(row[:2]).split():
                assert word in words


def test_a_terminal_sets_the_width(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Lists, properties and headings keep within the terminal; a pipe gets a line a row."""
    rows = Rows("2 runs (40 more not shown, use --limit to see more)", COLUMNS, [[RUN, "tiny", "OK"]])
    show_table(rows)
    assert f"{RUN}   tiny    OK" in capsys.readouterr().out
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("TERM", "dumb")
    show_table(rows)
    show_table(Properties([["Path", PATH]]))
    shown = capsys.readouterr().out.splitlines()
    assert shown[:2] == ["2 runs (40 more not shown, use --limit", "to see more)"]
    assert [line for line in shown if len(line) > 40] == [f"    {PATH}"]
