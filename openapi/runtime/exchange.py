"""The request that is built and the answer that is read; loaded when the first of them is made."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar
from urllib.parse import urlencode

import attrs

from .conversion import from_json, to_json
from .errors import InputError, InvalidBody, first_part
from .redaction import struck, struck_bytes

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


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
        return to_json(self.body)

    def content(self) -> bytes | None:
        """Return the bytes of the body; None where the operation has none.

        Raises InputError for a number that JSON does not have, such as NaN.
        """
        if self.body is None:
            return None
        try:
            text = json.dumps(self.json(), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        except ValueError as cause:
            raise InputError(
                "holds NaN or an infinite number, which JSON cannot say", field="body"
            ) from cause
        return text.encode()


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
    secrets: tuple[str, ...] = attrs.field(default=(), kw_only=True, repr=False, eq=False)
    """The secrets of the request, such as the key, which an error about the answer must not show."""

    def struck(self) -> Self:
        """Return the answer without the secrets of its request; itself where it quotes none."""
        content = struck_bytes(self.content, self.secrets)
        headers = self.headers
        if any(secret in value for value in headers.values() for secret in self.secrets):
            kind: Any = type(headers)  # in which names of any case find their value
            headers = kind({name: struck(value, self.secrets) for name, value in headers.items()})
        if content is self.content and headers is self.headers:
            return self
        return attrs.evolve(self, content=content, headers=headers)


def as_text(value: object) -> str:
    """Return a parameter of a query or a header as servers read it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def decoded(operation: str, answer: Response[None]) -> Any:
    """Decode the JSON of a success; InvalidBody shows what came instead."""
    try:
        return json.loads(answer.content)
    except (ValueError, RecursionError) as cause:
        problem = f"it is no JSON but {first_part(answer.content)!r}"
        raise InvalidBody(problem, operation=operation, status_code=answer.status_code) from cause


def read_success(answer: Response[None], read: Callable[[Response[None]], T]) -> T:
    """Read a success; what an error shows of it holds no secret of the request."""
    try:
        return read(answer)
    except InvalidBody:
        shown = answer.struck()
        if shown is answer:
            raise
    return read(shown)


def read_as(operation: str, status_code: int, body: Any, kind: type[T]) -> T:
    """Read decoded JSON as a type of the contract; InvalidBody says what does not fit."""
    try:
        return from_json(kind, body)
    except InvalidBody as cause:
        raise cause.answered(operation, status_code) from cause


def error_body(kind: type[T], answer: Response[Any]) -> T | None:
    """Read the body of an error; None where it is not what the contract says."""
    try:
        return from_json(kind, json.loads(answer.content))
    except (ValueError, RecursionError):
        return None
