"""Collects the pages of a list. Knows neither the wire nor how a list is printed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Generic, NamedTuple, TypeVar

import typer

from tinsmith.core.paging import is_last_page

T = TypeVar("T")

Limit = Annotated[
    int, typer.Option("--limit", min=0, metavar="NUMBER", help="Most entries to fetch; 0 is all of them.")
]
Offset = Annotated[
    int, typer.Option("--offset", min=0, metavar="NUMBER", help="Entries to leave out at the start.")
]

Fetch = Callable[[int, int], tuple[list[T], int | None] | tuple[list[T], int | None, int]]
"""(limit, offset) -> one page, how many entries there are in all where the server says, and how many it sent
if not all of them could be read."""


class Listing(NamedTuple, Generic[T]):
    """The entries asked for and their place in the whole list."""

    entries: list[T]
    total: int | None
    """Entries in all; None when the server did not say."""
    offset: int
    limit: int

    def cursor(self) -> dict[str, int | None]:
        """Return the place as the API writes it."""
        return {"offset": self.offset, "limit": self.limit, "total_count": self.total}


def collect(fetch: Fetch[T], *, limit: int, offset: int, page: int) -> Listing[T]:
    """Fetch pages of at most `page` entries until there are `limit` (0: all) or the list ends."""
    entries: list[T] = []
    total: int | None = None
    place = offset
    while not limit or place - offset < limit:
        wanted = min(page, limit - (place - offset)) if limit else page
        found, total, *told = fetch(wanted, place)
        sent = told[0] if told else len(found)
        entries += found
        place += sent
        if is_last_page(wanted, sent, place, total):
            break
    if total is None and (not limit or place - offset < limit):
        total = place
    return Listing(entries, total, offset, limit)
