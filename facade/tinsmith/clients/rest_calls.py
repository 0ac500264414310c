"""What the parts of RestClient share: how an operation that answers at once is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeVar

from tinsmith.core.codec.structure import to_value
from tinsmith.core.verdict import OpClass
from tinsmith.io import operations

if TYPE_CHECKING:
    from tinsmith.io.future import APIFuture
    from tinsmith.io.link import Link

T = TypeVar("T")

AccessScope = Literal["owned", "accessible"]
"""Whose things are listed: the user's own, or all that the user may read."""


class RestCalls:
    """The calls of a client that opens no session."""

    def __init__(self, link: Link) -> None:
        self._link = link

    def _get(self, operation: str, result: type[T], **parts: Any) -> APIFuture[T]:
        return self._link.run(self._ask(operation, result, **parts))

    async def _ask(self, operation: str, result: type[T], **parts: Any) -> T:
        payload = await operations.perform(self._link.caller, operations.request(operation, **parts))
        return to_value(result, payload)

    def _do(self, operation: str, path: dict[str, str], body: object = None) -> APIFuture[None]:
        return self._link.run(self._perform(operation, path, body))

    async def _perform(self, operation: str, path: dict[str, str], body: object) -> None:
        asked = operations.request(operation, path=path, body=body)
        await self._link.caller.call(asked, OpClass.READ)
