"""What the parts of RestClient share: how an operation that answers at once is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeVar

from tinsmith.clients.checkpoints import on_checkpoint
from tinsmith.core.arguments import is_last_page
from tinsmith.core.codec.structure import rows_sent, to_page, to_value
from tinsmith.core.config import ClientConfig
from tinsmith.core.verdict import OpClass
from tinsmith.io import operations
from tinsmith.io.link import Link

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tinsmith.io.future import APIFuture

T = TypeVar("T")

AccessScope = Literal["owned", "accessible"]
"""Whose things are listed: the user's own, or all that the user may read."""


class RestCalls:
    """The calls of a client that opens no session."""

    def __init__(
        self, holder: Link | None = None, *, base_url: str | None = None, api_key: str | None = None
    ) -> None:
        """Share the connections of `holder`; without one, make some, by arguments and environment."""
        if holder is None:
            holder = Link(ClientConfig.from_environment(base_url=base_url, api_key=api_key))
        self._link = holder
        holder.held_by(self)

    def _get(self, operation: str, result: type[T], **parts: Any) -> APIFuture[T]:
        return self._link.run(self._ask(operation, result, **parts))

    async def _ask(self, operation: str, result: type[T], **parts: Any) -> T:
        payload = await operations.perform(self._link.caller, operations.request(operation, **parts))
        return to_value(result, payload)

    def _list(self, operation: str, result: type[T], rows: str, **parts: Any) -> APIFuture[T]:
        return self._link.run(self._ask_page(operation, result, rows, **parts))

    async def _ask_page(self, operation: str, result: type[T], rows: str, **parts: Any) -> T:
        payload = await operations.perform(self._link.caller, operations.request(operation, **parts))
        page, problem = to_page(result, payload, rows)
        self._link.caller.left_out(operation, problem)
        return page

    def _do(self, operation: str, path: dict[str, str], body: object = None) -> APIFuture[None]:
        return self._link.run(self._perform(operation, path, body))

    async def _perform(self, operation: str, path: dict[str, str], body: object) -> None:
        async def ask(path: dict[str, str]) -> None:
            asked = operations.request(operation, path=path, body=body)
            await self._link.caller.call(asked, OpClass.READ)

        if "checkpoint_id" in path:
            await on_checkpoint(self._link, path, ask)
        else:
            await ask(path)


def all_rows(page_at: Callable[[int], Any], rows: str, asked: int) -> Iterator[Any]:
    """Iterate over the rows of all pages of `asked` rows, each of which `page_at` gets by its offset.

    Ends also where a server sends the same page whatever the offset is.
    """
    offset, before = 0, None
    while True:
        page = page_at(offset)
        found = getattr(page, rows)
        if found and found == before:
            return
        yield from found
        sent, before = rows_sent(page, rows), found
        offset += sent
        if is_last_page(asked, sent, offset, page.cursor.total_count if page.cursor else None):
            return
