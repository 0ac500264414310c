"""There is exactly one loop around a send, and it is tenacity's; polls have loops of their own."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import tinsmith

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(tinsmith.__file__).parent

SENDS = frozenset(
    {
        "send",
        "exchange",
        "call",
        "perform",
        "submit",
        "_poll",
        "handle_async_request",
        "_exchange",
        "_foreign_exchange",
        "_fetch",
        "_offer",
        "_send",
        "_accepted",
    }
)
"""Calls that put a request on the wire, by name."""

NOT_RETRIES = {
    ("clients/downloads.py", "trace_url"): "polling: asks whether the trace is written",
    ("io/http/transport.py", "_attempt"): "follows redirects of a GET, three at most",
    ("io/http/transport.py", "stream"): "follows redirects of a GET, three at most",
    ("io/poller.py", "_settled"): "polling: until the outcome of a promise is known",
    ("io/queues/training_queue.py", "_have_accepted"): "the second send has the next number, as asked",
    ("io/session.py", "_beat"): "each heartbeat is a new request",
    ("io/telemetry.py", "_flush"): "each batch is a new request",
}
"""Loops that send, and why none of them sends the same request again."""


def loops_around_sends(path: Path) -> Iterator[tuple[str, str]]:
    """Yield (file, function) for each loop in whose body something is sent and awaited."""
    for function in ast.walk(ast.parse(path.read_text())):
        if not isinstance(function, ast.AsyncFunctionDef):
            continue
        for loop in ast.walk(function):
            if isinstance(loop, ast.While | ast.For | ast.AsyncFor) and _sends(loop):
                yield path.relative_to(PACKAGE).as_posix(), function.name


def _sends(loop: ast.AST) -> bool:
    for node in ast.walk(loop):
        if isinstance(node, ast.Await) and isinstance(node.value, ast.Call):
            called = node.value.func
            name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
            if name in SENDS:
                return True
    return False


def test_no_other_loop_around_a_send() -> None:
    """No function of the client sends in a loop, apart from those that send another request each time."""
    rooms = ("io", "clients", "core", "compat", "cli")
    found = {
        loop for room in rooms for path in (PACKAGE / room).rglob("*.py") for loop in loops_around_sends(path)
    }
    assert found == set(NOT_RETRIES)


def test_tenacity_loops_in_one_place() -> None:
    """`AsyncRetrying` is made at one place, in `core.retry.RetryLoop`; no other loop of tenacity is used."""
    uses = [
        (path.relative_to(PACKAGE).as_posix(), name)
        for path in PACKAGE.rglob("*.py")
        for name in ("AsyncRetrying", "Retrying(", "@retry", "retry_with")
        for _ in range(
            path.read_text().count(f"tenacity.{name}") + path.read_text().count(f"{name}(tenacity")
        )
    ]
    assert uses == [("core/retry.py", "AsyncRetrying")]


def test_finder_finds_a_loop(tmp_path: Path) -> None:
    """The search finds what it is for."""
    tree = ast.parse("async def f(self):\n    while True:\n        await self.transport.send(1)\n")
    assert any(_sends(node) for node in ast.walk(tree) if isinstance(node, ast.While))
