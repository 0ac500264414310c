"""When a list of a server ends, and where the next page of it begins. It must not ask for pages."""

from __future__ import annotations

from typing import Any


def is_last_page(asked: int, sent: int, reached: int, total: int | None) -> bool:
    """Say whether a list ends with a page of `sent` of `asked` rows, by which `reached` rows have come.

    Where the server does not say how many there are, a page that is not full is the last one; so is one with
    more than was asked for, which is the whole list.
    """
    if not sent:
        return True
    return sent != asked if total is None else reached >= total


class Pages:
    """Where an iteration over the pages of a list stands."""

    def __init__(self, rows: str, size: int) -> None:
        self._rows = rows
        self._size = size
        self._before: Any = None
        self.offset = 0
        """How many rows have come."""
        self.ended = False
        """Whether there is no further page, or the server sends the same one whatever the offset is."""

    def turn(self, page: Any) -> list[Any]:
        """Take note of a page and return its rows; none of one that came before."""
        from tinsmith.core.codec.structure import rows_sent  # loaded with the answer

        found: list[Any] = getattr(page, self._rows)
        if found and found == self._before:
            self.ended = True
            return []
        sent, self._before = rows_sent(page, self._rows), found
        self.offset += sent
        cursor = getattr(page, "cursor", None)
        self.ended = is_last_page(self._size, sent, self.offset, cursor.total_count if cursor else None)
        return found
