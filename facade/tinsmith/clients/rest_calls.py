"""What the parts of RestClient share: how an operation that answers at once is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeVar

from tinsmith.core.codec.structure import to_value
from tinsmith.core.config import ClientConfig
from tinsmith.core.verdict import OpClass
from tinsmith.io import operations
from tinsmith.io.link import Link

if TYPE_CHECKING:
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
