"""Words for people: sizes, times, counts and headings."""

from __future__ import annotations

import io
import sys
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from rich.console import Console
from tinsmith.cli.connect import collect
from tinsmith.cli.output import ByteBar, count, moment, note, size, title, yes
from tinsmith.io.future import APIFuture
from tinsmith.progress import TrainingDisplay

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (None, "N/A"),
        (-1, "N/A"),
        (0, "0 B"),
        (512, "512 B"),
        (1023, "1023 B"),
        (1024, "1.0 KB"),
        (1536, "1.5 KB"),
        (5 * 1024**2, "5.0 MB"),
        (3 * 1024**3, "3.0 GB"),
        (2 * 1024**4, "2.0 TB"),
        (1024**5, "1.0 PB"),
        (1024**6, "1.0 EB"),
        (5000 * 1024**6, "5000.0 EB"),
    ],
)
def test_size(number: int | None, words: str) -> None:
    """Sizes are in powers of 1024, unknown and negative ones are not available."""
    assert size(number) == words


@pytest.mark.parametrize(
    ("ago", "words"),
    [
        (timedelta(0), "just now"),
        (timedelta(seconds=29), "just now"),
        (timedelta(seconds=60), "1 minute ago"),
        (timedelta(seconds=61), "1 minute ago"),
        (timedelta(seconds=100), "2 minutes ago"),
        (timedelta(minutes=59), "59 minutes ago"),
        (timedelta(minutes=59, seconds=29), "59 minutes ago"),
        (timedelta(hours=1), "1 hour ago"),
        (-timedelta(seconds=3599), "in 1 hour"),
        (timedelta(hours=1, seconds=1), "1 hour ago"),
        (timedelta(hours=23), "23 hours ago"),
        (timedelta(days=1, seconds=1), "1 day ago"),
        (timedelta(hours=23, minutes=40), "1 day ago"),
        (timedelta(days=6), "6 days ago"),
        (timedelta(days=7), "1 week ago"),
        (timedelta(days=8), "1 week ago"),
        (timedelta(days=29), "4 weeks ago"),
        (timedelta(days=31), "2026-01-29"),
        (-timedelta(days=3, seconds=5), "in 3 days"),
        (-timedelta(seconds=5), "just now"),
        (-timedelta(days=365), "2027-03-01"),
    ],
)
def test_moment(ago: timedelta, words: str) -> None:
    """Times are told by their distance, far ones by their date."""
    assert moment(NOW - ago, NOW) == words


def test_moment_without_zone_is_utc() -> None:
    """A server that sends no zone means UTC; no time at all is not available."""
    assert moment(datetime(2026, 3, 1, 10), NOW) == "2 hours ago"
    assert moment(None, NOW) == "N/A"


def test_counts() -> None:
    """One is singular, everything else plural."""
    assert [count(n, "run") for n in (0, 1, 2)] == ["0 runs", "1 run", "2 runs"]
    assert (yes(True), yes(False)) == ("Yes", "No")


@pytest.mark.parametrize(
    ("shown", "total", "words"),
    [
        (0, 0, "No runs found"),
        (1, 1, "1 run"),
        (3, None, "3 runs"),
        (3, 10, "3 runs (7 more not shown, use --limit to see more)"),
    ],
)
def test_title(shown: int, total: int | None, words: str) -> None:
    """A heading says how many are shown and how many are not."""
    assert title(shown, total, "run") == words


@pytest.mark.parametrize(
    ("there", "told", "limit", "offset", "asked", "total"),
    [
        (7, True, 5, 0, [(3, 0), (2, 3)], 7),
        (7, True, 0, 0, [(3, 0), (3, 3), (3, 6)], 7),
        (6, True, 0, 0, [(3, 0), (3, 3)], 6),
        (6, False, 0, 0, [(3, 0), (3, 3), (3, 6)], 6),
        (2, False, 5, 0, [(3, 0)], 2),
        (7, False, 3, 0, [(3, 0)], None),
        (7, True, 3, 5, [(3, 5)], 7),
        (0, True, 20, 0, [(3, 0)], 0),
    ],
)
def test_collect(
    there: int, told: bool, limit: int, offset: int, asked: list[tuple[int, int]], total: int | None
) -> None:
    """Pages are fetched until the limit, the total or a short page; no page is asked for twice."""
    calls: list[tuple[int, int]] = []

    def ask(limit: int, offset: int) -> APIFuture[SimpleNamespace]:
        calls.append((limit, offset))
        page: APIFuture[SimpleNamespace] = APIFuture()
        cursor = SimpleNamespace(total_count=there) if told else None
        page.settle(SimpleNamespace(rows=list(range(there))[offset : offset + limit], cursor=cursor))
        return page

    found = collect(ask, "rows", limit=limit, offset=offset, page=3)
    assert calls == asked
    assert found.entries == list(range(there))[offset:][: limit or None]
    assert (found.total, found.cursor()["total_count"]) == (total, total)


@pytest.mark.parametrize(
    ("terminal", "shown", "every_quarter", "words"),
    [
        (True, True, False, ["fetch", "2.0/4.0 kB"]),
        (False, True, True, ["fetch: 0 % of 3.9 KB\nfetch: 50 % of 3.9 KB\n"]),
        (False, True, False, []),
        (True, False, True, []),
    ],
)
def test_byte_bar(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    terminal: bool,
    shown: bool,
    every_quarter: bool,
    words: list[str],
) -> None:
    """A terminal shows a bar; elsewhere there are lines at the quarters, where they are asked for."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    with ByteBar(shown=shown, every_quarter=every_quarter) as bar:
        for done in (0, 100, 2000):
            bar("fetch", done, 4000)
    told = capsys.readouterr().err
    assert [word for word in words if word in told] == words
    assert (bar.total, bool(told)) == (4000, bool(words))


def test_a_note_stands_above_a_live_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """While a live line is shown, a note is written where that line was erased, and not behind it."""
    screen = io.StringIO()
    monkeypatch.setattr("sys.stderr", screen)
    with TrainingDisplay(5, console=Console(stderr=True, force_terminal=True)) as display:
        display(1, {"loss": 1.0, "tokens": 4})
        note("Waiting for 60 s: the server", wrap=False)
    before, _, after = screen.getvalue().partition("Waiting for 60 s: the server")
    assert before.endswith("\r\x1b[2K")
    assert "step 1/5" in after


def test_a_note_needs_no_stderr(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Where stderr is closed, a note is written nowhere, and stdout has the result alone."""
    monkeypatch.setattr("sys.stderr", None)
    note("Waiting for 60 s: the server")
    assert capsys.readouterr().out == ""
