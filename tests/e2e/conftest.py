"""Benches for whole journeys: a client, the service behind it, and a record of what arrived there."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import tinsmith
from tinsmith.core.config import ChunkLimits, ClientConfig
from tinsmith_local.app.gate import Gate
from tinsmith_local.options import ServeOptions
from tinsmith_local.serve import serving
from tinsmith_local.service import give_back, take

from tests.e2e.bench import Bench

READABLE: dict[str, Any] = {"encoding": "json", "chunk_limits": ChunkLimits(max_datums=100)}
"""Settings of the clients: bodies that a test can read, and batches that take several requests soon."""


@contextmanager
def open_bench(way: str, directory: Path, **options: Any) -> Iterator[Bench]:
    """Open a client on a service of its own: in the process (`local`) or behind a socket (`socket`)."""
    arrived: list[str] = []
    through: Callable[..., Any] = Gate.__call__

    async def noted(gate: Gate, scope: Any, receive: Any, send: Any) -> None:
        if gate is running.app:
            arrived.append(str(scope["path"]).removeprefix("/api/v1/"))
        await through(gate, scope, receive, send)

    settings = ServeOptions(data_dir=directory, **options)
    with ExitStack() as stack:
        if way == "local":
            running = take(settings)
            stack.callback(give_back, running)
            config = ClientConfig.from_environment(base_url=f"local:{directory}", **READABLE)
        else:
            address, running = stack.enter_context(serving(settings))
            config = ClientConfig.from_environment(
                base_url=address.base_url, api_key=address.token, **READABLE
            )
        service = tinsmith.ServiceClient(config=config)
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setattr(Gate, "__call__", noted)
        yield Bench(stack.enter_context(service), running, arrived)


@pytest.fixture(scope="module", params=["local", "socket"])
def bench(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """Open a bench for all tests of a module, in the process and behind a socket."""
    with open_bench(request.param, tmp_path_factory.mktemp("data")) as opened:
        yield opened
