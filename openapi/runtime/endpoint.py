"""One operation of the contract: the request it builds, the answer it reads, and the four ways to send it.

The modules below `api` hold what differs from operation to operation; what they share stands here. It imports
next to nothing: models, requests, answers and errors are loaded when there is one, httpx when `client` sends.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .client import Client
    from .errors import UnexpectedStatus
    from .exchange import Request, Response

T = TypeVar("T")
E = TypeVar("E")


class Endpoint(Generic[T, E]):
    """One operation of the contract: what a module of `api` is made of. Nothing changes it."""

    # Written out, since every import of an operation pays for this class and attrs takes longer to make it.
    __slots__ = (
        "body",
        "body_optional",
        "errors",
        "method",
        "operation",
        "path",
        "redirects",
        "success",
    )

    def __init__(
        self,
        operation: str,
        method: str,
        path: str,
        success: str | Any,
        errors: Mapping[str, str],
        *,
        body: str | None = None,
        body_optional: bool = False,
        redirects: bool = False,
    ) -> None:
        self.operation = operation
        """The operation id."""
        self.method = method
        """The HTTP method, in capitals."""
        self.path = path
        """The path below the server's root, with its parameters in braces."""
        self.success = success
        """The model of a success's body by its name, or another type itself; None for nothing to read."""
        self.errors = errors
        """The documented errors: statuses with spaces between (`404 429 5XX`), and the model of each body."""
        self.body = body
        """The model of the request's body by its name; None where there is no body."""
        self.body_optional = body_optional
        """Whether the body may be left out."""
        self.redirects = redirects
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

        Raises InputError for a path parameter that is missing or could lead to another path, and for a body
        that is not of this operation's model.
        """
        from .exchange import Request, as_text
        from .types import path_segment

        self._check_body(body)
        segments = {name: path_segment(name, value) for name, value in (path or {}).items()}
        given, sent = (
            {k: as_text(v) for k, v in (m or {}).items() if v is not None} for m in (query, headers)
        )
        return Request(self.operation, self.method, self.path.format(**segments), given, sent, body)

    def parse(self, status_code: int, body: Any = None) -> T:
        """Read the decoded JSON of a success. Any 2xx is one, since servers differ.

        Raises UnexpectedStatus for other statuses and InvalidBody for a body that does not fit.
        """
        if not self._is_success(status_code):
            from .errors import UnexpectedStatus

            raise UnexpectedStatus(self.operation, status_code)
        if self.success is None:
            return None  # type: ignore[return-value]
        from .exchange import read_as

        kind = _model(self.success) if isinstance(self.success, str) else self.success
        found: T = read_as(self.operation, status_code, body, kind)
        return found

    def read(self, answer: Response[None]) -> Response[T | E]:
        """Read an answer: a success as its type, a documented error as the type of its body.

        Raises UnexpectedStatus for any other status, and for an error whose body is not what the contract
        says, such as a proxy's page; InvalidBody for a success whose body does not fit.
        """
        from .exchange import Response, decoded, error_body, read_success

        status = answer.status_code
        parsed: T | E
        if self._is_success(status):
            parsed = read_success(
                answer,
                lambda told: self.parse(
                    status, None if self.success is None else decoded(self.operation, told)
                ),
            )
        else:
            answer = answer.struck()
            documented = self._documented(status)
            found = None if documented is None else error_body(documented, answer)
            if found is None:
                raise self.unexpected(answer)
            parsed = found
        return Response(status, answer.content, answer.headers, parsed)

    def unexpected(self, answer: Response[Any]) -> UnexpectedStatus:
        """Build the error that says what came instead of a success."""
        from .errors import UnexpectedStatus
        from .exchange import error_body

        answer = answer.struck()
        kind = self._documented(answer.status_code) or self._first_error()
        parsed = None if kind is None else error_body(kind, answer)
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

    def _check_body(self, body: object) -> None:
        from .errors import InputError

        if body is None and (self.body is None or self.body_optional):
            return
        if self.body is None:
            raise InputError(f"{self.operation} has no body; leave it out", field="body")
        if not isinstance(body, _model(self.body)):
            problem = f"must be tinsmith_api.models.{self.body}, not {type(body).__name__}"
            raise InputError(problem, field="body")

    def _is_success(self, status_code: int) -> bool:
        return status_code // 100 == (3 if self.redirects else 2)

    def _documented(self, status_code: int) -> type[E] | None:
        names = {str(status_code), f"{status_code // 100}XX", "default"}
        return next((_model(name) for told, name in self.errors.items() if names & set(told.split())), None)

    def _first_error(self) -> type[E] | None:
        return next(map(_model, self.errors.values()), None)


def _model(name: str) -> Any:
    """Return a model by its name."""
    from . import models

    return getattr(models, name)
