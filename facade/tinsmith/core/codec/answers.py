"""Decoded answers to values, and pages of lists, some of whose rows may be unreadable.

Results of batches and samples have their own decoders. Owns the error of an answer that does not fit, and
where the next page begins. `tinsmith_api.conversion` reads the fields; who requests pages is the caller.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast, get_args

from tinsmith_api.conversion import from_json, rows_of
from tinsmith_api.errors import InvalidBody
from tinsmith_api.model import named_extra

from tinsmith.core.errors import APIResponseValidationError

T = TypeVar("T")

UNREADABLE = "unreadable"
"""Where `extra` of a page keeps the rows that could not be read, as they came."""


def to_page(cls: type[T], payload: object, rows: str) -> tuple[T, str | None]:
    """Build a page of a list, whose field `rows` has the rows, and say what is wrong with the first bad one.

    An unreadable row is kept in `extra` under `UNREADABLE`, and the others are read. If no row can be read,
    it is an error as in `to_value`.
    """
    if not isinstance(payload, Mapping) or not isinstance(payload.get(rows), list):
        return to_value(cls, payload), None
    (kind,) = next(get_args(row.hint) for row in rows_of(cast("Any", cls)) if row.name == rows)
    good, bad, problem = [], [], None
    for row in payload[rows]:
        try:
            from_json(kind, row)
        except InvalidBody as cause:
            bad.append(row)
            problem = problem or str(cause)
        else:
            good.append(row)
    if not bad or not good:
        return to_value(cls, payload), None
    return to_value(cls, {**payload, rows: good, UNREADABLE: bad}), problem


def rows_sent(page: object, rows: str) -> int:
    """Count the rows that a page came with, the unreadable ones too: where the next page begins."""
    return len(getattr(page, rows)) + len(named_extra(page).get(UNREADABLE, ()))


def to_value(cls: type[T], payload: object) -> T:
    """Build a value from a decoded JSON object; a missing or misshapen field is named in the error."""
    try:
        return from_json(cls, payload)
    except InvalidBody as cause:
        problem = str(cause).removeprefix("the body")
        raise APIResponseValidationError(
            body=payload, message=f"The server's answer{problem}", status_code=200
        ) from cause


def is_last_page(size: int, sent: int, reached: int, total: int | None) -> bool:
    """Say whether a list ends with a page of `sent` rows, `size` of which were requested.

    `reached` rows have come, this page included. If the server does not say how many there are (`total`), a
    page that is not full is the last one. So is one with more rows than requested: it is the whole list.
    """
    if not sent:
        return True
    return sent != size if total is None else reached >= total


class Pages:
    """How far an iteration over the pages of a list has come."""

    def __init__(self, rows: str, size: int) -> None:
        self._rows = rows
        self._size = size
        self._before: Any = None
        self.offset = 0
        """How many rows have come."""
        self.ended = False
        """Whether there is no further page, or the server sends the same one whatever the offset is."""

    def turn(self, page: Any) -> list[Any]:
        """Record a page and return its rows; none if the same page came before."""
        found: list[Any] = getattr(page, self._rows)
        if found and found == self._before:
            self.ended = True
            return []
        sent, self._before = rows_sent(page, self._rows), found
        self.offset += sent
        cursor = getattr(page, "cursor", None)
        self.ended = is_last_page(self._size, sent, self.offset, cursor.total_count if cursor else None)
        return found
