"""A service in this process, checked as `tinsmith contract check` does, with a fault planted on its wire."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import httpx
from tinsmith.contract.check import Check
from tinsmith.contract.document import shipped
from tinsmith.core.config import ClientConfig
from tinsmith_local.options import ServeOptions
from tinsmith_local.service import Service

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tinsmith.contract.exchange import Exchange
    from tinsmith.contract.report import Report

CONTRACT = shipped()
REFUSED = {"delete_api_key", "create_custom_loss"}
"""What the embedded service has and does not do."""
KEY = "tml-key-of-the-checks"
URL = "http://127.0.0.1"


class Spoiled(httpx.AsyncBaseTransport):
    """Passes requests to an app, and has a function change the answers."""

    def __init__(self, app: Any, spoil: Callable[[httpx.Request, httpx.Response], httpx.Response]) -> None:
        self._app = httpx.ASGITransport(app)
        self._spoil = spoil

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer as the app does, changed."""
        answer = await self._app.handle_async_request(request)
        await answer.aread()
        return self._spoil(request, answer)


def served(directory: Path, **options: Any) -> Service:
    """Start a service that does not wait long for numbers that never come."""
    return Service(ServeOptions(data_dir=directory, token=KEY, gap_wait_s=0.05, **options))


def checked(
    running: Service,
    spoil: Callable[[httpx.Request, httpx.Response], httpx.Response] = lambda _, answer: answer,
    *,
    write: bool = True,
    **more: Any,
) -> tuple[Report, list[Exchange]]:
    """Check a service."""
    config = ClientConfig.from_environment(base_url=URL, api_key=KEY, environ={})

    async def check() -> tuple[Report, list[Exchange]]:
        async with httpx.AsyncClient(transport=Spoiled(running.app, spoil), trust_env=False) as client:
            found = Check(config, write=write, http_client=client, **more)
            await found.run()
            return found.report(), found.exchanges

    return asyncio.run(check())


def answered(answer: httpx.Response, body: Any, status: int | None = None) -> httpx.Response:
    """Return an answer with another body, or with another status too."""
    kept = {name: value for name, value in answer.headers.items() if name != "content-length"}
    content = b"" if body is None else json.dumps(body).encode()
    headers = {**kept, "content-type": "application/json"}
    return httpx.Response(answer.status_code if status is None else status, headers=headers, content=content)
