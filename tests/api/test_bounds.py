"""Parameters of the contract: what is taken, as what, and what is refused by the caller's name for it."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from typing import Any

import attrs
import numpy as np
import pytest
from tinsmith import InputError
from tinsmith_api.arguments import checked, fitted
from tinsmith_api.bounds import BOUNDS, Bounds


@attrs.frozen
class Value:
    """Stands for a model."""


EAST = timezone(timedelta(hours=2))
TAKEN: list[tuple[Any, Bounds, Any]] = [
    (np.int64(5), Bounds("integer", minimum=1), 5),
    (-3, Bounds("integer"), -3),
    (np.float32(0.5), Bounds("number", minimum=0, below=1), 0.5),
    (1e-9, Bounds("number", above=0), 1e-9),
    (True, Bounds("boolean"), True),
    ("owned", Bounds("string", choices=("owned",)), "owned"),
    ("a-b", Bounds("string", pattern="^[a-b-]+$", min_length=1, max_length=3), "a-b"),
    ("xay", Bounds("string", pattern="a"), "xay"),
    (datetime(2026, 11, 1, 8, tzinfo=EAST), Bounds("date-time", granularity="hour"), "2026-11-01T06:00:00Z"),
    ("2026-11-01T06:00:01Z", Bounds("date-time"), "2026-11-01T06:00:01Z"),
    (date(2026, 11, 1), Bounds("date"), "2026-11-01"),
    (datetime(2026, 11, 1, 1, tzinfo=EAST), Bounds("date"), "2026-10-31"),
    ((1, np.int8(2)), Bounds("array", max_items=2, items=Bounds("integer")), [1, 2]),
    (range(2), Bounds("array"), [0, 1]),
    ({"a": "b"}, Bounds("object"), {"a": "b"}),
    (Value(), Bounds("object"), Value()),
    ("tinker://run/weights/1", Bounds("tinker-path"), "tinker://run/weights/1"),
    ("anything", Bounds("any"), "anything"),
]


@pytest.mark.parametrize(("value", "bound", "wanted"), TAKEN)
def test_what_is_taken_becomes_what_is_sent(value: Any, bound: Bounds, wanted: Any) -> None:
    """Scalars of other libraries become Python's own, times and days the text of a query."""
    given = fitted(value, bound, "it")
    assert given == wanted
    assert type(given) is type(wanted)


REFUSED: list[tuple[Any, Bounds, str]] = [
    (0, Bounds("integer", minimum=1, maximum=500), "a whole number from 1 to 500, not 0"),
    (501, Bounds("integer", minimum=1, maximum=500), "from 1 to 500, not 501"),
    (-1, Bounds("integer", minimum=0), "a whole number >= 0, not -1"),
    (9, Bounds("integer", maximum=8), "a whole number <= 8, not 9"),
    (1.0, Bounds("integer"), "a whole number, not 1.0"),
    (True, Bounds("integer"), "a whole number, not True"),
    (1.0, Bounds("number", minimum=0, below=1), "a finite number >= 0 < 1, not 1.0"),
    (0.0, Bounds("number", above=0), "a finite number > 0, not 0.0"),
    (0, Bounds("integer", above=0, maximum=8), "a whole number > 0 <= 8, not 0"),
    (float("nan"), Bounds("number"), "a finite number, not nan"),
    ("yes", Bounds("boolean"), "True or False, not 'yes'"),
    ("mine", Bounds("string", choices=("owned", "accessible")), "one of owned, accessible, not 'mine'"),
    ([], Bounds("string", choices=("owned",)), "one of owned, not []"),
    ("a\n", Bounds("string", pattern="^a$"), "must match ^a$, not 'a\\n'"),
    ("a/b", Bounds("string", pattern="^[ab]$", shape="name: a or b"), "'a/b' is no name: a or b"),
    (7, Bounds("string"), "must be text, not int"),
    ("", Bounds("string", min_length=1), "must be text, and not empty"),
    ("abc", Bounds("string", max_length=2), "at most 2 characters, not 3"),
    ("yesterday", Bounds("date-time"), "no ISO 8601 time: 'yesterday'"),
    (7, Bounds("date-time"), "no ISO 8601 time: 7"),
    ("2026-11-01T06:30:00Z", Bounds("date-time", granularity="hour"), "a full hour, not 2026-11-01T06:30"),
    ("today", Bounds("date"), "no day such as 2026-11-22: 'today'"),
    ("ab", Bounds("array"), "must be a list, not str"),
    (7, Bounds("array"), "must be a list, not int"),
    ([], Bounds("array", min_items=1), "at least 1 entries, not 0"),
    ([1, 2], Bounds("array", max_items=1), "at most 1 entries, not 2"),
    ("run/weights/1", Bounds("tinker-path", pattern="^tinker://.+$"), "Invalid tinker path: 'run/weights/1'"),
    (7, Bounds("object"), "a mapping of names to texts, not int"),
]


@pytest.mark.parametrize(("value", "bound", "words"), REFUSED)
def test_what_is_refused_is_named(value: Any, bound: Bounds, words: str) -> None:
    """The error names the parameter, its value and its range."""
    with pytest.raises(InputError) as caught:
        fitted(value, bound, "it")
    assert caught.value.field == "it"
    assert words in str(caught.value)


def test_an_entry_is_named_by_its_place() -> None:
    """The first wrong entry of a list is the one that is told."""
    with pytest.raises(InputError) as caught:
        fitted(["a", 7], Bounds("array", items=Bounds("string")), "it")
    assert caught.value.field == "it[1]"


def test_none_is_left_out_where_it_means_nothing() -> None:
    """It goes out where the contract asks for null, and is refused where it asks for a value."""
    assert checked("list_sessions", {"limit": 5, "access_scope": None, "new": 1}, {}) == {
        "limit": 5,
        "new": 1,
    }
    assert checked("set_checkpoint_ttl", {"ttl_seconds": None}, {}) == {"ttl_seconds": None}
    with pytest.raises(InputError, match="must be given") as caught:
        checked("weights_info", {"tinker_path": None}, {"tinker_path": "path"})
    assert caught.value.field == "path"
    assert checked("no_such_operation", {"a": 1}, {}) == {"a": 1}


def test_every_kind_of_bound_is_known() -> None:
    """The table of the contract has no kind that nothing checks."""
    kinds = {bound.kind for found in BOUNDS.values() for bound in found.values()}
    checks = {"integer", "number", "boolean", "string", "date-time", "date", "tinker-path", "array", "object"}
    assert kinds <= {*checks, "any"}
