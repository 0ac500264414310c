"""Every operation of the contract is served by the embedded service and has a caller in the facade."""

import ast
import asyncio
import re
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
import tinsmith
from starlette.responses import Response
from tinsmith.clients.raw import RawOperations
from tinsmith_api.operations import OPERATIONS
from tinsmith_local.app import build
from tinsmith_local.options import ServeOptions
from tinsmith_local.service import Service

FACADE = Path(tinsmith.__file__).parent
ROOMS = ("clients", "io", "cli")
#: Names of operations that are something else as well.
NAMING = ("raw.py", "attach.py")

#: The page that says who sends each operation.
PAGE = Path(__file__).parents[2] / "docs" / "reference" / "api.md"


def raw_only() -> set[str]:
    """Return the operations that the page gives to `service.raw` alone."""
    return set(re.findall(r"Sent by `service\.raw\.(\w+)` alone: \w", PAGE.read_text(encoding="utf-8")))


def sent_by_methods() -> set[str]:
    """Return the operations that have methods of resources, which clients inherit."""
    return {name for name, operation in OPERATIONS.items() if operation.methods}


def called(rooms: Mapping[str, str]) -> set[str]:
    """Return the operation ids that sources name as texts of their own."""
    found = set()
    for source in rooms.values():
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
    return found & set(OPERATIONS)


def sources() -> dict[str, str]:
    """Read the modules that may call operations."""
    paths = [path for room in ROOMS for path in (FACADE / room).rglob("*.py") if path.name not in NAMING]
    return {str(path): path.read_text() for path in paths}


def test_every_operation_has_a_caller() -> None:
    """A method, the wire or a command sends it, or the reference says why only `service.raw` does."""
    assert set(OPERATIONS) - called(sources()) - sent_by_methods() == raw_only()


def test_the_raw_ones_can_be_called() -> None:
    """`service.raw.<operation>` exists for every one of them."""
    assert raw_only()
    for operation in raw_only():
        assert callable(getattr(RawOperations(None, None), operation))  # type: ignore[arg-type]  # names only


def test_who_is_said_to_send_one_is_there() -> None:
    """Each method that the reference names is public."""
    named = re.findall(r"Sent by [^.]*?`(\w+Client|APIFuture)\.(\w+)`", PAGE.read_text(encoding="utf-8"))
    assert len(named) > 20
    for owner, method in named:
        assert callable(getattr(getattr(tinsmith, owner), method))


def test_a_missing_caller_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its methods, or without the module that sends it, an operation is missed."""
    without = {**OPERATIONS, "list_training_runs": OPERATIONS["list_training_runs"]._replace(methods=())}
    monkeypatch.setitem(globals(), "OPERATIONS", without)
    assert "list_training_runs" not in sent_by_methods() | called(sources())
    kept = {path: source for path, source in sources().items() if "/session" not in path}
    assert "session_heartbeat" in called(sources()) - called(kept)


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=list(OPERATIONS))
def test_every_operation_has_a_route(operation: Any, served: dict[str, str]) -> None:
    """Its method and path, as a client sends them, reach the function of that name."""
    assert served[operation.id] == operation.id


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Send a request of each operation to the app, and say which operation took it."""

    async def told(
        contract: object, endpoints: object, allowed: object, name: str, request: object
    ) -> Response:
        assert name in OPERATIONS
        return Response(name)

    async def ask(app: Any) -> dict[str, str]:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            return {name: await reached(client, operation) for name, operation in OPERATIONS.items()}

    running = Service(ServeOptions(data_dir=tmp_path_factory.mktemp("data")))
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(build, "_serve", told)
            return asyncio.run(ask(running.app))
    finally:
        running.close()


async def reached(client: httpx.AsyncClient, operation: Any) -> str:
    """Send one request, and return what took it."""
    names = [part[1:-1] for part in operation.path.split("/") if part.startswith("{")]
    filled = operation.path.format(**{name: "weights" if "kind" in name else "a:train:0" for name in names})
    answer = await client.request(operation.method, filled)
    return answer.text if answer.is_success else f"{answer.status_code} {answer.text}"


def test_a_missing_route_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An operation that no class serves is not in the table of routes."""
    monkeypatch.delattr("tinsmith_local.app.weights.WeightEndpoints.copy_weights")
    with closing(Service(ServeOptions(data_dir=tmp_path))) as service:
        assert set(OPERATIONS) - set(service.endpoints) == {"copy_weights"}
