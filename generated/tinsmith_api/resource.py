# Written by codegen.sh from openapi/runtime/resource.py. Do not edit.
"""What the resources stand on: one request as a value, and whoever sends it. It knows no HTTP."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import attrs

from .exchange import Response
from .future import APIFuture

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

T = TypeVar("T")
R = TypeVar("R")

NOTHING: Mapping[str, Any] = {}


@attrs.frozen
class Ask(Generic[T]):
    """One request of the contract, before it is checked, written and sent."""

    operation: str
    """The operation id."""
    result: type[T]
    """What the answer is read as; `NoneType` where it has no body. For a promise, what it ends in."""
    path: Mapping[str, str] = NOTHING
    """The parameters of the path."""
    query: Mapping[str, object] = NOTHING
    """The parameters of the query; None is left out."""
    headers: Mapping[str, str | None] = attrs.field(default=NOTHING, repr=False)
    """The headers of this operation; None is left out."""
    body: object = None
    """The body: a model, or its fields by name, of which None is left out where it means nothing."""
    model: type[Any] | None = None
    """The class of a body that is a model."""
    rows: str | None = None
    """The field of the answer that has one value a row, where it is a page of a list."""
    names: Mapping[str, str] = NOTHING
    """What the caller calls a parameter, where that is not its name in the contract."""


class Resource:
    """Operations that ask. Whoever inherits says how a request is sent: the one loop is not here."""

    def _send(self, ask: Ask[T]) -> APIFuture[T]:
        """Send a request; the future is of what `ask.result` names."""
        raise NotImplementedError

    def _pages(self, page_at: Callable[[int], APIFuture[Any]], rows: str, size: int) -> Iterator[Any]:
        """Iterate over the rows of all pages of `size` rows, each of which `page_at` gets by its offset."""
        raise NotImplementedError

    def _pages_async(
        self, page_at: Callable[[int], APIFuture[Any]], rows: str, size: int
    ) -> AsyncIterator[Any]:
        """As `_pages`, without blocking."""
        raise NotImplementedError


class RawFuture(APIFuture[T]):
    """The future of a raw operation: `result()` is the body, `response()` has status and headers too."""

    _response: Response[T] | None = None

    def response(self, timeout: float | None = None) -> Response[T]:
        """Wait at most `timeout` seconds for the answer with its status and headers, or raise its error."""
        self.result(timeout)
        return self._answered()

    async def response_async(self, timeout: float | None = None) -> Response[T]:
        """As `response`, awaited."""
        await self.result_async(timeout)
        return self._answered()

    def answer(self, response: Response[T]) -> None:
        """Note the answer, before the result is set."""
        self._response = response

    def _answered(self) -> Response[T]:
        assert self._response is not None, "a result without an answer"
        return self._response


class RawPromise(RawFuture[T], Generic[T, R]):
    """The future of a raw operation that answers with a promise: `result()` is the promise itself."""

    _follow: Callable[[], APIFuture[R]] | None = None

    def resolved(self) -> APIFuture[R]:
        """Return a future of what the promise ends in; it asks until the result is there."""
        assert self._follow is not None, "a promise that nobody sends"
        return self._follow()

    def follow(self, start: Callable[[], APIFuture[R]]) -> None:
        """Note how the result is asked for."""
        self._follow = start


class RawResource:
    """Every operation under its id in the contract. Whoever inherits says how a request is sent."""

    def _ask(self, ask: Ask[T]) -> RawFuture[T]:
        """Send a request; the future is of the parsed answer."""
        raise NotImplementedError

    def _promise(self, ask: Ask[T], result: type[R]) -> RawPromise[T, R]:
        """Send a request that answers with a promise, which ends in `result`."""
        raise NotImplementedError

    @staticmethod
    def _body(operation: str, model: type[Any], given: Mapping[str, Any]) -> object:
        """Return the body of a call: the model given as `body`, or one made of its fields by name."""
        if "body" in given:
            if len(given) > 1:
                fields = ", ".join(name for name in given if name != "body")
                raise TypeError(f"{operation}() takes 'body' or its fields, not both: {fields}")
            return given["body"]
        try:
            return model(**given)
        except TypeError as cause:  # which names the class
            told = str(cause).replace(f"{model.__name__}.__init__()", f"{operation}()")
            raise TypeError(told if given else f"{told}; or pass 'body'") from None
