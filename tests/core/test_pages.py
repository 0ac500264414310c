"""Pages of lists as servers send them: their rows, their times, and where a list ends."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from tinsmith.core.codec.answers import Pages, is_last_page, rows_sent, to_page
from tinsmith.core.errors import APIResponseValidationError
from tinsmith_api.conversion import parse_time
from tinsmith_api.models import (
    Checkpoint,
    CheckpointsListResponse,
    Cursor,
    ListSessionsResponse,
    TrainingRunsResponse,
)

GOOD = {
    "checkpoint_id": "a",
    "checkpoint_type": "training",
    "time": None,
    "tinker_path": "tinker://r/weights/a",
}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("2026-11-30T10:00:00Z", datetime(2026, 11, 30, 10, tzinfo=UTC)),
        ("2026-11-30 10:00:00", datetime(2026, 11, 30, 10, tzinfo=UTC)),
        ("2026-11-30T12:00:00+02:00", datetime(2026, 11, 30, 10, tzinfo=UTC)),
        (1796032800, datetime(2026, 11, 30, 10, tzinfo=UTC)),
        (1796032800.25, datetime(2026, 11, 30, 10, 0, 0, 250000, tzinfo=UTC)),
        (1796032800000, datetime(2026, 11, 30, 10, tzinfo=UTC)),
        ("1796032800", datetime(2026, 11, 30, 10, tzinfo=UTC)),
        ("1796032800.25", datetime(2026, 11, 30, 10, 0, 0, 250000, tzinfo=UTC)),
    ],
)
def test_times_of_many_servers(given: object, expected: datetime) -> None:
    """Text of ISO 8601, and numbers since 1970 in seconds or milliseconds, also written as text."""
    assert parse_time(given) == expected


@pytest.mark.parametrize("given", ["soon", "nan", "inf", "", True, [], {}, float("nan"), 1e300, 1e20, "1e20"])
def test_what_is_no_time(given: object) -> None:
    """It is refused as a field of another kind is."""
    with pytest.raises((ValueError, TypeError)):
        parse_time(given)


def test_a_row_that_cannot_be_read_costs_itself_alone() -> None:
    """It is kept as it came, named in a message, and counted for where the next page begins."""
    rows: list[Any] = [GOOD, {**GOOD, "tinker_path": 7}, None, {**GOOD, "checkpoint_id": "b"}]
    page, problem = to_page(CheckpointsListResponse, {"checkpoints": rows, "new": 1}, "checkpoints")
    assert [row.checkpoint_id for row in page.checkpoints] == ["a", "b"]
    assert page.extra == {"new": 1, "unreadable": [rows[1], None]}
    assert problem is not None
    assert "tinker_path" in problem
    assert rows_sent(page, "checkpoints") == 4


def test_a_page_whose_rows_are_all_good() -> None:
    """There is no message, and nothing is kept; a time and a cursor may be missing."""
    page, problem = to_page(CheckpointsListResponse, {"checkpoints": [GOOD]}, "checkpoints")
    assert (problem, page.extra, page.cursor, page.checkpoints[0].time) == (None, None, None, None)
    assert rows_sent(page, "checkpoints") == 1
    assert to_page(TrainingRunsResponse, {"training_runs": []}, "training_runs")[0].cursor is None


def test_a_row_that_is_no_object_is_named_as_that() -> None:
    """Rows may be texts; what is wrong with one is said without its place in a list of its own."""
    page, problem = to_page(ListSessionsResponse, {"sessions": ["a", 1]}, "sessions")
    assert (page.sessions, problem) == (["a"], "the body does not fit the contract: unexpected int")
    bad = {"checkpoints": [GOOD, {**GOOD, "time": "yesterday"}]}
    _, problem = to_page(CheckpointsListResponse, bad, "checkpoints")
    assert problem is not None
    assert problem.startswith("the body is no Checkpoint: field 'time': ")
    with pytest.raises(APIResponseValidationError, match="it is a str, not an object of Checkpoint"):
        to_page(CheckpointsListResponse, {"checkpoints": ["a"]}, "checkpoints")


@pytest.mark.parametrize(
    "payload", [None, [], {"checkpoints": None}, {"checkpoints": [None]}, {"checkpoints": [{}, {"time": 1}]}]
)
def test_what_is_no_page_is_an_error(payload: object) -> None:
    """Where not one row can be read, the answer is none to this question."""
    with pytest.raises(APIResponseValidationError):
        to_page(CheckpointsListResponse, payload, "checkpoints")


@pytest.mark.parametrize(
    ("asked", "sent", "reached", "total", "last"),
    [
        (10, 10, 10, 25, False),
        (10, 5, 25, 25, True),
        (10, 5, 15, 25, False),
        (10, 0, 10, 25, True),
        (10, 10, 10, None, False),
        (10, 5, 15, None, True),
        (10, 0, 10, None, True),
        (10, 25, 25, None, True),
    ],
)
def test_where_a_list_ends(asked: int, sent: int, reached: int, total: int | None, last: bool) -> None:
    """At the total where the server says it, else at a page that is not as asked."""
    assert is_last_page(asked, sent, reached, total) is last


def page(*names: str, total: int | None = None) -> CheckpointsListResponse:
    """Make a page of checkpoints."""
    rows = [Checkpoint(name, "training", None, f"tinker://r/{name}") for name in names]
    return CheckpointsListResponse(rows, None if total is None else Cursor(0, 2, total))


def test_pages_are_turned_to_the_end() -> None:
    """A page that is not full is the last one where nobody says how many there are."""
    pages = Pages("checkpoints", 2)
    assert [row.checkpoint_id for row in pages.turn(page("a", "b"))] == ["a", "b"]
    assert (pages.offset, pages.ended) == (2, False)
    assert [row.checkpoint_id for row in pages.turn(page("c"))] == ["c"]
    assert (pages.offset, pages.ended) == (3, True)


def test_the_count_of_the_server_ends_a_list() -> None:
    """So does the same page once more, of a server that ignores the offset."""
    pages = Pages("checkpoints", 2)
    pages.turn(page("a", "b", total=2))
    assert pages.ended
    pages = Pages("checkpoints", 2)
    pages.turn(page("a", "b", total=9))
    assert pages.turn(page("a", "b", total=9)) == []
    assert pages.ended
