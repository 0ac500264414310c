"""What all operations share: the request that is built, the answer that is read, and the way between them.

The modules below `api` hold what differs from operation to operation. Nothing here imports an HTTP library:
`client` sends.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast
from urllib.parse import urlencode

import attrs

from .types import InvalidBody, UnexpectedStatus, first_part, invalid_body, path_segment

if TYPE_CHECKING:
    from .client import Client

T = TypeVar("T")
E = TypeVar("E")


@attrs.frozen
class Request:
    """One request, built and not yet sent."""

    operation: str
    """The operation id."""
    method: str
    """The HTTP method, in capitals."""
    path: str
    """The path below the server's root; its parameters are filled in and quoted."""
    query: Mapping[str, str] = attrs.field(factory=dict[str, str])
    """The query parameters that are given."""
    headers: Mapping[str, str] = attrs.field(factory=dict[str, str], repr=False)
    """The header parameters that are given; the client adds its own and the key."""
    body: Any = attrs.field(default=None, repr=False)
    """The model of the body; None where the operation has none."""

    @property
    def target(self) -> str:
        """The path with the query behind it."""
        return f"{self.path}?{urlencode(self.query)}" if self.query else self.path

    def json(self) -> Any:
        """Return the body as JSON data; None where the operation has none."""
        return None if self.body is None else self.body.to_dict()

    def content(self) -> bytes | None:
        """Return the bytes of the body; None where the operation has none.

        Raises ValueError for a number that JSON does not have, such as NaN.
        """
        if self.body is None:
            return None
        return json.dumps(self.json(), ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


@attrs.frozen
class Response(Generic[T]):
    """An answer of the server."""

    status_code: int
    """The HTTP status, also one that the standard does not name, such as 520."""
    content: bytes = attrs.field(repr=False)
    """The body as it came."""
    headers: Mapping[str, str] = attrs.field(repr=False)
    """The headers; names in any case find their value."""
    parsed: T
    """The body as a value of the contract; None where a success has nothing to read."""


@attrs.frozen
class Endpoint(Generic[T, E]):
    """One operation of the contract: what a module of `api` is made of."""

    operation: str
    """The operation id."""
    method: str
    """The HTTP method, in capitals."""
    path: str
    """The path below the server's root, with its parameters in braces."""
    success: type[T]
    """The type of a success's body; NoneType where there is nothing to read."""
    errors: Mapping[str, type[E]]
    """The documented errors: statuses with spaces between them (`404 429 5XX`), and their body's type."""
    redirects: bool = False
    """Whether a success is a redirect, whose headers hold what counts."""

    def request(
        self,
        path: Mapping[str, object] | None = None,
        *,
        query: Mapping[str, object] | None = None,
        headers: Mapping[str, object] | None = None,
        body: object = None,
    ) -> Request:
        """Build the request; parameters that are None are left out.

        Raises ValueError for a path parameter that is missing or could lead to another path.
        """
        segments = {name: path_segment(name, value) for name, value in (path or {}).items()}
        given, sent = ({k: _text(v) for k, v in (m or {}).items() if v is not None} for m in (query, headers))
        return Request(self.operation, self.method, self.path.format(**segments), given, sent, body)

    def parse(self, status_code: int, body: Any = None) -> T:
        """Read the decoded JSON of a success. Any 2xx is one, since servers differ.

        Raises UnexpectedStatus for other statuses and InvalidBody for a body that does not fit.
        """
        if not self._is_success(status_code):
            raise UnexpectedStatus(self.operation, status_code)
        if self.success is type(None) or self.redirects:
            return None  # type: ignore[return-value]
        return read_as(self.operation, status_code, body, self.success)

    def read(self, answer: Response[None]) -> Response[T | E]:
        """Read an answer: a success as its type, a documented error as the type of its body.

        Raises UnexpectedStatus for any other status, and for an error whose body is not what the contract
        says, such as a proxy's page; InvalidBody for a success whose body does not fit.
        """
        status = answer.status_code
        parsed: T | E
        if self._is_success(status):
            empty = self.success is type(None) or self.redirects
            parsed = self.parse(status, None if empty else decoded(self.operation, answer))
        else:
            documented = self._documented(status)
            found = None if documented is None else _error_body(documented, answer)
            if found is None:
                raise self.unexpected(answer)
            parsed = found
        return Response(status, answer.content, answer.headers, parsed)

    def unexpected(self, answer: Response[Any]) -> UnexpectedStatus:
        """Build the error that says what came instead of a success."""
        kind = self._documented(answer.status_code) or self._error_type()
        parsed = None if kind is None else _error_body(kind, answer)
        return UnexpectedStatus(self.operation, answer.status_code, answer.content, answer.headers, parsed)

    def value(self, answer: Response[T | E]) -> T:
        """Return the value of a success; raise UnexpectedStatus for an error."""
        if not self._is_success(answer.status_code):
            raise self.unexpected(answer)
        return answer.parsed  # type: ignore[return-value]

    def sync_detailed(self, client: Client, request: Request) -> Response[T | E]:
        """Send a request, and read the answer."""
        return self.read(client.send(request))

    def sync(self, client: Client, request: Request) -> T:
        """Send a request, and return the value of the success."""
        return self.value(self.sync_detailed(client, request))

    async def asyncio_detailed(self, client: Client, request: Request) -> Response[T | E]:
        """Send a request, and read the answer."""
        return self.read(await client.send_async(request))

    async def asyncio(self, client: Client, request: Request) -> T:
        """Send a request, and return the value of the success."""
        return self.value(await self.asyncio_detailed(client, request))

    def _is_success(self, status_code: int) -> bool:
        return status_code // 100 == (3 if self.redirects else 2)

    def _documented(self, status_code: int) -> type[E] | None:
        names = {str(status_code), f"{status_code // 100}XX", "default"}
        return next((kind for statuses, kind in self.errors.items() if names & set(statuses.split())), None)

    def _error_type(self) -> type[E] | None:
        return next(iter(self.errors.values()), None)


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def decoded(operation: str, answer: Response[None]) -> Any:
    """Decode the JSON of a success; InvalidBody shows what came instead."""
    try:
        return json.loads(answer.content)
    except (ValueError, RecursionError) as cause:
        problem = f"it is no JSON but {first_part(answer.content)!r}"
        raise InvalidBody(operation, answer.status_code, problem) from cause


def read_as(operation: str, status_code: int, body: Any, kind: type[T]) -> T:
    """Read decoded JSON as a type of the contract; InvalidBody says what does not fit."""
    try:
        found: T = cast("Any", kind).from_dict(body)
    except (AttributeError, KeyError, TypeError, ValueError) as cause:
        raise invalid_body(operation, status_code, cause) from cause
    return found


def _error_body(kind: type[E], answer: Response[Any]) -> E | None:
    """Read the body of an error; None where it is not what the contract says."""
    try:
        found: E = cast("Any", kind).from_dict(json.loads(answer.content))
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError):
        return None
    return found
