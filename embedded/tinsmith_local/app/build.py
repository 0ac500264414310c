"""The routes, and the app that serves them: one wrapper between HTTP and all operations."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import Route

from tinsmith_local.app import reference
from tinsmith_local.app.admission import full
from tinsmith_local.app.answers import Answer, Refusal, Reply
from tinsmith_local.app.archives import ARCHIVES_PATH, Archives
from tinsmith_local.app.call import BodyRules, Call, read_call
from tinsmith_local.store.database import StorageFullError

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from tinsmith_local.app.contract import Contract

_log = logging.getLogger("tinsmith.local")

Endpoint = Callable[[Call], Awaitable[Reply]]
"""What serves an operation."""

BUSY_PATHS = tuple(
    f"/api/v1/{name}" for name in ("retrieve_future", "asample", "forward_backward", "optim_step", "forward")
)
"""Paths that a training loop requests all the time."""


def by_operation(contract: Contract, groups: Sequence[object]) -> dict[str, Endpoint]:
    """Return the method of each operation of the contract, in its order, of whichever group has that name."""
    return {
        operation_id: getattr(group, operation_id)
        for operation_id in contract.ids()
        for group in groups
        if operation_id in vars(type(group))
    }


def build_app(
    contract: Contract,
    endpoints: Mapping[str, Endpoint],
    archives: Archives,
    *,
    allowed: BodyRules,
    word: Callable[[Refusal], Answer],
) -> Starlette:
    """Build the app that serves these endpoints."""
    by_path: dict[str, dict[str, str]] = {}
    for operation_id in endpoints:
        method, paths = contract.place(operation_id)
        for path in paths:
            by_path.setdefault(path, {})[method] = operation_id

    def route(path: str, methods: Mapping[str, str]) -> Route:
        async def endpoint(request: Request) -> Response:
            operation_id = methods["GET" if request.method == "HEAD" else request.method]
            return await _serve(contract, endpoints, allowed, operation_id, request)

        return Route(path, endpoint, methods=list(methods))

    async def archive(request: Request) -> Response:
        return await archives.download(request.path_params["signed"])

    # Fixed paths first: /sessions/search must not be taken for the session `search`. The busiest go before
    # all others, since routes are tried one after the other.
    ordered = sorted(by_path.items(), key=lambda item: ("{" in item[0], item[0] not in BUSY_PATHS))
    routes = [route(path, methods) for path, methods in ordered]
    routes.append(Route(ARCHIVES_PATH + "{signed}", archive, methods=["GET"]))
    routes += reference.routes()
    return Starlette(routes=routes, exception_handlers=_exception_handlers(word))


async def _serve(
    contract: Contract,
    endpoints: Mapping[str, Endpoint],
    allowed: BodyRules,
    operation_id: str,
    request: Request,
) -> Response:
    """Read, check and serve one request; a batch in protobuf says itself whether it is a forward alone."""
    call = await read_call(request, contract, operation_id, allowed)
    return Answer.of(await endpoints[call.operation](call)).response()


def _exception_handlers(word: Callable[[Refusal], Answer]) -> dict[Any, Any]:
    """Return how each kind of error is answered."""

    def refused(_: Request, error: Refusal) -> Response:
        return word(error).response()

    def not_routed(_: Request, error: HTTPException) -> Response:
        return word(Refusal(error.status_code, error.detail, headers=error.headers or {})).response()

    def disk_full(_: Request, error: StorageFullError) -> Response:
        return word(full(error)).response()

    def defect(_: Request, error: Exception) -> Response:
        _log.error("a request failed", exc_info=error)
        return word(Refusal(500, f"internal error: {type(error).__name__}")).response()

    return {Refusal: refused, HTTPException: not_routed, StorageFullError: disk_full, Exception: defect}
