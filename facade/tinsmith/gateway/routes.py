"""The routes of the gateway, and the app that serves them over one `ServiceClient`.

Owns which path is what, and that work ends when its client goes away. The parts know no HTTP.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, TypeVar

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.routing import Route

from tinsmith.core.errors import TinkerError
from tinsmith.gateway.chat import ChatRequest, answer_chat, stream_chat
from tinsmith.gateway.completions import CompletionRequest, complete, stream_completion
from tinsmith.gateway.drawing import Places
from tinsmith.gateway.gate import GatewayGate, answer, read_fields, refused
from tinsmith.gateway.gateway_options import GatewayOptions
from tinsmith.gateway.model_shelf import ModelShelf
from tinsmith.gateway.refusals import GatewayRefusal, refusal_of
from tinsmith.gateway.sse import event_stream
from tinsmith.gateway.tokenizing import describe_tokenizer, detokenize, tokenize

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
    from contextlib import AbstractContextManager

    from starlette.requests import Request
    from starlette.types import ASGIApp, Receive, Scope, Send

    from tinsmith.clients.service import ServiceClient
    from tinsmith.gateway.model_shelf import ServedModel

T = TypeVar("T")
Asked = TypeVar("Asked", ChatRequest, CompletionRequest)

TOKENIZER_PATHS = ("/tokenizer_info", "/tokenize", "/detokenize")
"""What stands beside /v1."""

_log = logging.getLogger(__name__)
_log.addHandler(logging.NullHandler())


def gateway_app(service: ServiceClient, options: GatewayOptions | None = None) -> ASGIApp:
    """Return an ASGI app that serves the OpenAI API over a service.

    The app does not close the service. Without options it has no key, and serves any host.
    """
    made = Gateway(service, options or GatewayOptions())
    routes = [
        Route("/v1/models", made.list_models, methods=["GET"]),
        Route("/v1/models/{name:path}", made.show_model, methods=["GET"]),
        Route("/v1/chat/completions", made.chat, methods=["POST"]),
        Route("/v1/completions", made.completions, methods=["POST"]),
        Route(TOKENIZER_PATHS[0], made.tokenizer_info, methods=["GET"]),
        Route(TOKENIZER_PATHS[1], made.tokenize, methods=["POST"]),
        Route(TOKENIZER_PATHS[2], made.detokenize, methods=["POST"]),
    ]
    app = Starlette(
        routes=routes,
        exception_handlers={
            GatewayRefusal: _refuse,
            TinkerError: _fail,
            HTTPException: _not_routed,
            ClientDisconnect: _gone,
            Exception: _defect,
        },
    )
    return GatewayGate(app, made.options)


class Beside:
    """An app with the routes of a gateway beside its own; the gateway is made when it is first needed."""

    def __init__(self, app: ASGIApp, make: Callable[[], ASGIApp]) -> None:
        self._app, self._make = app, make
        self._gateway: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on to the app whose path it has."""
        path = str(scope.get("path", ""))
        if not (path.startswith("/v1/") or path in TOKENIZER_PATHS):
            await self._app(scope, receive, send)
            return
        if self._gateway is None:
            self._gateway = self._make()
        await self._gateway(scope, receive, send)


class Gateway:
    """The endpoints."""

    def __init__(self, service: ServiceClient, options: GatewayOptions) -> None:
        self.options = options
        self._models = ModelShelf(service, options)
        self._places = Places(options.max_waiting)

    async def list_models(self, request: Request) -> Response:
        """List aliases and base models."""
        return answer({"object": "list", "data": await self._models.listing()})

    async def show_model(self, request: Request) -> Response:
        """Show one model; a checkpoint is looked for on the server."""
        return answer(await self._models.entry(request.path_params["name"]))

    async def chat(self, request: Request) -> Response:
        """Answer a chat."""
        fields = await read_fields(request, self.options)
        asked = ChatRequest.read(fields)
        if asked.wishes.stream:
            return await self._streamed(request, asked, stream_chat)
        return await self._whole(request, asked, answer_chat)

    async def completions(self, request: Request) -> Response:
        """Continue prompts."""
        fields = await read_fields(request, self.options)
        asked = CompletionRequest.read(fields)
        if asked.wishes.stream:
            return await self._streamed(request, asked, stream_completion)
        return await self._whole(request, asked, complete)

    async def tokenizer_info(self, request: Request) -> Response:
        """Describe the tokenizer of a model."""
        return answer(describe_tokenizer(await self._model(request.query_params.get("model"))))

    async def tokenize(self, request: Request) -> Response:
        """Turn a text or messages into tokens."""
        fields = await read_fields(request, self.options)
        return answer(await tokenize(fields, await self._model(fields.text("model"))))

    async def detokenize(self, request: Request) -> Response:
        """Turn tokens into a text."""
        fields = await read_fields(request, self.options)
        return answer(await detokenize(fields, await self._model(fields.text("model"))))

    async def _model(self, name: str | None) -> ServedModel:
        return await self._models.find(name or await self._models.default())

    def _room(self, asked: Asked) -> AbstractContextManager[None]:
        """Return the places of a request's choices, which must not be too many."""
        most = self.options.max_choices
        if asked.choices > most:
            problem = f"n: {asked.choices} choices are too many for one request, which may have {most}"
            raise GatewayRefusal(problem, param="n", code="invalid_value")
        return self._places.take(asked.choices)

    async def _whole(
        self,
        request: Request,
        asked: Asked,
        make: Callable[[Asked, ServedModel], Awaitable[dict[str, Any]]],
    ) -> Response:
        """Answer at once."""

        async def work() -> dict[str, Any]:
            with self._room(asked):
                model = await self._models.find(asked.wishes.model)
                with self._models.noticing_loss(model):
                    return await make(asked, model)

        return answer(await _unless_gone(request, work()))

    async def _streamed(
        self,
        request: Request,
        asked: Asked,
        make: Callable[[Asked, ServedModel], AsyncGenerator[dict[str, Any]]],
    ) -> Response:
        """Answer by events."""

        async def events() -> AsyncGenerator[dict[str, Any]]:
            with self._room(asked):
                model = await self._models.find(asked.wishes.model)
                with self._models.noticing_loss(model):
                    async with aclosing(make(asked, model)) as made:
                        async for event in made:
                            yield event

        return await _unless_gone(request, event_stream(events()))


async def _unless_gone(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """Return what the work returns; cancel it, and raise ClientDisconnect, when its client goes away."""
    task, gone = asyncio.create_task(work), asyncio.create_task(_disconnected(request))
    try:
        await asyncio.wait((task, gone), return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        raise ClientDisconnect
    finally:
        gone.cancel()
        task.cancel()
        await asyncio.gather(task, gone, return_exceptions=True)


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _refuse(_: Request, refusal: Exception) -> Response:
    assert isinstance(refusal, GatewayRefusal)
    return refused(refusal)


async def _fail(_: Request, error: Exception) -> Response:
    assert isinstance(error, TinkerError)
    return refused(refusal_of(error))


async def _not_routed(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    problem = f"{request.method} {request.url.path}: {error.detail}"
    return refused(GatewayRefusal(problem, status=error.status_code, code="unknown_url"))


async def _gone(_: Request, error: Exception) -> Response:
    return Response(status_code=499)  # nobody reads it


async def _defect(_: Request, error: Exception) -> Response:
    _log.error("a request failed", exc_info=error)
    return refused(
        GatewayRefusal(f"internal error: {type(error).__name__}", status=500, code="internal_error")
    )
