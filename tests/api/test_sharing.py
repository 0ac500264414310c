"""One client for many: threads, tasks, event loops one after the other."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from tinsmith_api import Client
from tinsmith_api.api.service import get_server_capabilities, healthz
from tinsmith_api.api.sessions import create_session, get_session

from tests.api.test_training import session_request
from tests.guard import WAIT_S

if TYPE_CHECKING:
    from tinsmith_api import AuthenticatedClient

THREADS = 16
LOOPS = 4


def test_threads_share_a_client(client: AuthenticatedClient) -> None:
    """Each thread gets the answers to its own questions, and one pool of connections is opened for all."""
    start = threading.Barrier(THREADS)

    def work(number: int) -> tuple[str, str, httpx.Client]:
        start.wait(WAIT_S)
        own = client.with_headers({"X-Number": str(number)})
        opened = create_session.sync(client=client, body=session_request()).session_id
        with own:
            assert get_server_capabilities.sync(client=own).supported_models
        found = get_session.sync_detailed(opened, client=client)
        return opened, found.content.decode(), client.get_httpx_client()

    with ThreadPoolExecutor(THREADS) as pool:
        found = list(pool.map(work, range(THREADS)))
    assert len({opened for opened, _, _ in found}) == THREADS
    assert len({id(http) for _, _, http in found}) == 1


def test_tasks_share_a_client(client: AuthenticatedClient) -> None:
    """Tasks of one loop share a pool; another loop has its own, so that a client outlives a loop."""

    async def many() -> list[str]:
        async with client:
            calls = [create_session.asyncio(client=client, body=session_request()) for _ in range(THREADS)]
            pool = client.get_async_httpx_client()
            found = [each.session_id for each in await asyncio.gather(*calls)]
            assert client.get_async_httpx_client() is pool
            return found

    assert len({*asyncio.run(many()), *asyncio.run(many())}) == 2 * THREADS


def test_loops_in_threads_share_a_client(client: AuthenticatedClient) -> None:
    """Event loops that run at the same time get the answers to their own questions, by pools of their own."""
    together = threading.Barrier(LOOPS)

    async def one() -> tuple[str, httpx.AsyncClient]:
        together.wait(WAIT_S)  # from here on all loops are running
        async with client:
            opened = await create_session.asyncio(client=client, body=session_request())
            return opened.session_id, client.get_async_httpx_client()

    with ThreadPoolExecutor(LOOPS) as threads:
        found = list(threads.map(lambda _: asyncio.run(one()), range(LOOPS)))
    assert len({opened for opened, _ in found}) == LOOPS
    assert len({id(pool) for _, pool in found}) == LOOPS


def test_a_closed_client_opens_again(client: AuthenticatedClient) -> None:
    """Leaving `with` closes the connections; the client can be used again."""
    fresh = client.with_timeout(WAIT_S)
    with fresh:
        healthz.sync(client=fresh)
        used = fresh.get_httpx_client()
    assert used.is_closed
    with fresh:
        healthz.sync(client=fresh)
        assert fresh.get_httpx_client() is not used


def test_an_httpx_client_of_the_user_is_used_and_not_closed(client: AuthenticatedClient) -> None:
    """What is handed in is used as it is, by the new client alone, and stays its owner's to close."""
    seen: list[Any] = []
    hooks = {"request": [seen.append]}
    with httpx.Client(event_hooks=hooks, timeout=WAIT_S) as mine:
        with client.with_httpx_client(mine) as through:
            healthz.sync(client=through)
        healthz.sync(client=client)
        assert not mine.is_closed
    assert len(seen) == 1
    assert seen[0].extensions["timeout"]["read"] == WAIT_S

    async def tasks() -> None:
        async def note(request: httpx.Request) -> None:
            seen.append(request)

        async with httpx.AsyncClient(event_hooks={"request": [note]}, timeout=WAIT_S) as mine:
            async with client.with_async_httpx_client(mine) as through:
                await healthz.asyncio(client=through)
            assert not mine.is_closed

    asyncio.run(tasks())
    assert len(seen) == 2
    assert {request.headers["x-api-key"] for request in seen} == {client.token}


@pytest.mark.parametrize("late", [False, True], ids=["given first", "given last"])
def test_an_httpx_client_of_the_user_is_kept_by_changes(late: bool) -> None:
    """`with_headers` and its like keep both clients that were handed in, in either order."""
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"status": "ok"})

    mine = httpx.Client(transport=httpx.MockTransport(answer))
    of_tasks = httpx.AsyncClient(transport=httpx.MockTransport(answer))

    def given(one: Client) -> Client:
        return one.with_httpx_client(mine).with_async_httpx_client(of_tasks)

    def changed(one: Client) -> Client:
        return one.with_headers({"X-Team": "docs"}).with_cookies({"a": "b"}).with_timeout(WAIT_S)

    async def task() -> None:
        async with of_tasks:
            await healthz.asyncio(client=client)

    fresh = Client("http://127.0.0.1:1")
    client = given(changed(fresh)) if late else changed(given(fresh))
    with mine:
        healthz.sync(client=client)
    asyncio.run(task())
    assert [each.headers["X-Team"] for each in seen] == ["docs", "docs"]
