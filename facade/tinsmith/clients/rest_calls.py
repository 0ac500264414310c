"""How RestClient sends what the resources ask, and goes from page to page."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from types import NoneType
from typing import Any, TypeVar, cast

from tinsmith_api.operations import OPERATIONS
from tinsmith_api.resource import Ask, Resource

from tinsmith.clients.attach import result_of
from tinsmith.clients.checkpoints import checkpoint, checkpoint_of, on_checkpoint
from tinsmith.core.codec.structure import to_page
from tinsmith.core.config import ClientConfig
from tinsmith.core.decision import OpClass
from tinsmith.core.paging import Pages
from tinsmith.io import operations
from tinsmith.io.future import APIFuture
from tinsmith.io.http.messages import Request
from tinsmith.io.link import Link

T = TypeVar("T")


class RestCalls(Resource):
    """The sender of a client that opens no session."""

    def __init__(
        self, holder: Link | None = None, *, base_url: str | None = None, api_key: str | None = None
    ) -> None:
        """Share the connections of `holder`; without one, make some, by arguments and environment."""
        if holder is None:
            holder = Link(ClientConfig.from_environment(base_url=base_url, api_key=api_key))
        self._link = holder
        holder.held_by(self)

    def _send(self, ask: Ask[T]) -> APIFuture[T]:
        fit = operations.fit(ask)
        place = _place(fit)
        if "checkpoint_id" not in place:
            return self._link.run(self._answered(fit, operations.asked(fit, place)))
        return self._link.run(
            on_checkpoint(self._link, place, lambda path: self._answered(fit, operations.asked(fit, path)))
        )

    async def _answered(self, ask: Ask[T], request: Request) -> T:
        caller = self._link.caller
        if OPERATIONS[ask.operation].result is not None:
            made = await operations.perform(caller, request, op=OpClass.SUBMIT)
            return await result_of(self._link, made["request_id"], ask.result)
        if ask.result is NoneType:
            await caller.call(request, OpClass.READ)
            return cast("T", None)
        payload = await operations.perform(caller, request)
        if ask.rows is None:
            return operations.read(ask.result, payload)
        page, problem = to_page(ask.result, payload, ask.rows)
        caller.left_out(ask.operation, problem)
        return page

    def _pages(self, page_at: Callable[[int], APIFuture[Any]], rows: str, size: int) -> Iterator[Any]:
        pages = Pages(rows, size)
        while not pages.ended:
            yield from pages.turn(page_at(pages.offset).result())

    async def _pages_async(
        self, page_at: Callable[[int], APIFuture[Any]], rows: str, size: int
    ) -> AsyncIterator[Any]:
        pages = Pages(rows, size)
        while not pages.ended:
            for row in pages.turn(await page_at(pages.offset)):
                yield row


def _place(ask: Ask[Any]) -> dict[str, str]:
    """Return the parameters of the path; a checkpoint's path and id stand for those that they hold."""
    given = {**ask.path}
    if "tinker_path" in given:
        place = checkpoint_of(given["tinker_path"])
        template = OPERATIONS[ask.operation].path
        return place if "{checkpoint_name}" in template else {"training_run_id": place["training_run_id"]}
    if "checkpoint_id" in given:
        return checkpoint(given["training_run_id"], given["checkpoint_id"])
    return given
