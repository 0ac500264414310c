"""The table of routes, and the app that walks it: one wrapper between HTTP and all operations."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from tinsmith_local.service import Service
from tinsmith_local.store import StorageFullError

from . import (
    about,
    account,
    archives,
    checkpoints,
    models,
    promises,
    reference,
    runs,
    sampling,
    search,
    sessions,
    telemetry,
    training,
    weights,
)
from .answer import Answer
from .call import Call, read_call
from .contract import Contract
from .gate import Gate
from .refusal import Refusal
from .standing import full

_LOG = logging.getLogger("tinsmith.local")
_LOG.addHandler(logging.NullHandler())

Operation = Callable[[Service, Call], Awaitable[Answer]]

#: Paths that a loop asks for all the time.
BUSY_PATHS = tuple(
    f"/api/v1/{name}" for name in ("retrieve_future", "asample", "forward_backward", "optim_step", "forward")
)

_MODULES = (
    about,
    account,
    checkpoints,
    models,
    promises,
    runs,
    sampling,
    search,
    sessions,
    telemetry,
    training,
    weights,
)


def operations(contract: Contract) -> dict[str, Operation]:
    """Return the function of each operation of the contract."""
    found: dict[str, Operation] = {}
    for operation_id in contract.ids():
        functions = [vars(module)[operation_id] for module in _MODULES if operation_id in vars(module)]
        found.update({operation_id: functions[0]} if functions else {})
    return found


def build_app(service: Service, contract: Contract | None = None) -> ASGIApp:
    """Build the app of a service."""
    contract = contract or Contract()
    by_path: dict[str, dict[str, str]] = {}
    functions = operations(contract)
    for operation_id in functions:
        method, paths = contract.place(operation_id)
        for path in paths:
            by_path.setdefault(path, {})[method] = operation_id

    def route(path: str, methods: Mapping[str, str]) -> Route:
        async def endpoint(request: Request) -> Response:
            operation_id = methods["GET" if request.method == "HEAD" else request.method]
            return await _serve(service, contract, functions, operation_id, request)

        return Route(path, endpoint, methods=list(methods))

    async def archive(request: Request) -> Response:
        return await archives.download(service, request.path_params["signed"])

    # Fixed paths first: /sessions/search must not be taken for the session `search`. What is asked for most
    # goes before all others, since routes are tried in turn.
    ordered = sorted(by_path.items(), key=lambda item: ("{" in item[0], item[0] not in BUSY_PATHS))
    routes = [route(path, methods) for path, methods in ordered]
    routes.append(Route("/api/v1/x-tinsmith/archives/{signed}", archive, methods=["GET"]))
    routes += reference.routes()
    app = Starlette(routes=routes, exception_handlers=_exception_handlers(service))
    return Gate(app, service)


async def _serve(
    service: Service,
    contract: Contract,
    functions: Mapping[str, Operation],
    operation_id: str,
    request: Request,
) -> Response:
    """Read, check and serve one request; a batch in protobuf says itself whether it is a forward alone."""
    call = await read_call(request, contract, operation_id, service.options)
    answer = await functions[call.operation](service, call)
    return answer.response()


def _exception_handlers(service: Service) -> dict[Any, Any]:
    """Word everything that goes wrong as the service words its refusals."""

    def refused(_: Request, error: Refusal) -> Response:
        return Answer(error.body(service.options.imitate.detail), error.status, error.headers).response()

    def not_routed(_: Request, error: HTTPException) -> Response:
        refusal = Refusal(error.status_code, error.detail, headers=error.headers or {})
        return Answer(
            refusal.body(service.options.imitate.detail), refusal.status, refusal.headers
        ).response()

    def disk_full(request: Request, error: StorageFullError) -> Response:
        return refused(request, full(error))

    def defect(_: Request, error: Exception) -> Response:
        _LOG.error("a request failed", exc_info=error)
        refusal = Refusal(500, f"internal error: {type(error).__name__}")
        return Answer(refusal.body(service.options.imitate.detail), 500).response()

    return {Refusal: refused, HTTPException: not_routed, StorageFullError: disk_full, Exception: defect}
