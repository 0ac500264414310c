"""Programs under `ulimit -n`: connections are bounded, and what reads answers is loaded first."""

from __future__ import annotations

import asyncio
import os
import resource
import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING

import pytest
from tinsmith import testing
from tinsmith.core.retry import Fault
from tinsmith.io.http import descriptors
from tinsmith.io.http.descriptors import FEWEST, ConnectionLimit, connection_limit
from tinsmith.io.http.messages import Faulted, Lane
from tinsmith.io.http.transport import Transport

from tests.io.test_transport import config_for, post

if TYPE_CHECKING:
    from collections.abc import Iterator

TRAFFIC_S = 100.0
"""Seconds after which a program that hangs fails; the guard, not a bound on its speed."""

SAMPLES = """
import sys, resource
limit, count = int(sys.argv[2]), int(sys.argv[3])
resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
from collections import Counter
from tinsmith import *
service = ServiceClient(base_url=sys.argv[1], api_key="tml-x", server_deduplicates=True)
sampler = service.create_sampling_client(base_model="tinsmith/tiny")
prompt, params = ModelInput.from_ints([1, 2, 3]), SamplingParams(max_tokens=3)
futures = [sampler.sample(prompt, 1, params) for _ in range(count)]
ended = Counter(type(future.exception()).__name__ for future in futures)
print(dict(ended), service.progress().errors)
service.close()
"""


@pytest.fixture
def many_descriptors() -> Iterator[None]:
    """Let the server of a test, which is in this process, have as many as it may."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (before[1], before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.usefixtures("many_descriptors")
@pytest.mark.parametrize(
    ("limit", "count"),
    [
        (256, 1000),
        (1024, 2000),
        pytest.param(256, 2000, marks=pytest.mark.long),
        pytest.param(1024, 1000, marks=pytest.mark.long),
    ],
)
def test_samples_succeed_under_a_limit_of_descriptors(limit: int, count: int) -> None:
    """From a fresh process, against a server that holds polls: all succeed, and nothing stumbles."""
    dialect = testing.ServerDialect(ready_after_polls=1, hold_s=0.3)
    with testing.SocketServer(testing.LedgerService(dialect)) as server:
        ran = run(SAMPLES, server.url, str(limit), str(count))
    assert ran.stdout.strip() == f"{{'NoneType': {count}}} {{}}", (ran.stdout, ran.stderr)
    assert ran.stderr == ""


def test_what_reads_answers_is_loaded_before_the_first_send() -> None:
    """After the first submission went out no module of ours, and no library, is loaded any more."""
    program = """
        import sys
        from tinsmith import *
        from tinsmith.io.http.transport import Transport
        attempt, before = Transport._attempt, []
        async def watched(self, request, *given, **named):
            if request.operation == "asample" and not before:
                before.extend(sys.modules)
            return await attempt(self, request, *given, **named)
        Transport._attempt = watched
        with ServiceClient(base_url=sys.argv[1], api_key="tml-x", server_deduplicates=True) as service:
            sampler = service.create_sampling_client(base_model="tinsmith/tiny")
            future = sampler.sample(ModelInput.from_ints([1, 2, 3]), 1, SamplingParams(max_tokens=3))
            future.result().sequences[0].tokens
        print("tinsmith.core.codec.proto_results" in before, "google.protobuf" in before)
        print(sorted(set(sys.modules) - set(before)))
    """
    with testing.SocketServer(testing.LedgerService()) as server:
        ran = run(program, server.url)
    assert ran.stdout == "True True\n[]\n", (ran.stdout, ran.stderr)


def test_no_free_descriptor_is_waited_for() -> None:
    """An attempt that finds none sent nothing: it is made again, and is no fault of the server."""
    with testing.SocketServer(testing.LedgerService()) as server:
        server.service.rules.append(lambda *_: testing.reply({}))

        async def traffic() -> list[int]:
            transport = Transport(config_for(server.url))
            await transport._open_lane(Lane.UPLOAD)
            soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
            lowest = os.open("/dev/null", os.O_RDONLY)
            resource.setrlimit(resource.RLIMIT_NOFILE, (lowest + 1, hard))
            try:
                sends = [asyncio.ensure_future(transport.send(post(Lane.UPLOAD))) for _ in range(3)]
                await asyncio.wait(sends, timeout=0.2)
                assert not any(each.done() for each in sends)
            finally:
                os.close(lowest)
                resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            answers = await asyncio.gather(*sends)
            await transport.aclose()
            return [answer.status for answer in answers]

        assert asyncio.run(traffic()) == [200, 200, 200]
        assert len(server.service.seen) == 3


def test_a_process_that_never_has_one_free_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """The wait ends with the deadline of the attempt, and says what to raise."""
    monkeypatch.setattr("tinsmith.io.http.transport.lacks_descriptors", lambda _: True)
    with testing.SocketServer(testing.LedgerService()) as gone:
        url = gone.url

    async def send() -> None:
        transport = Transport(config_for(url))
        try:
            await transport.send(post(Lane.UPLOAD))
        finally:
            await transport.aclose()

    with pytest.raises(Faulted, match="ulimit -n") as caught:
        asyncio.run(send())
    assert caught.value.fault is Fault.REFUSED


def test_connections_are_bounded_by_the_soft_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Submissions and polls share what the program leaves; no limit is no bound; never less than a few."""

    async def bounds(limit: int | None) -> list[float]:
        monkeypatch.setattr(descriptors, "soft_limit", lambda: limit)
        monkeypatch.setattr(descriptors, "_open_now", lambda: 32)
        assert connection_limit(Lane.CONTROL) is None
        found = [connection_limit(lane) for lane in (Lane.UPLOAD, Lane.POLL)]
        return [each.limit for each in found if each is not None]

    assert asyncio.run(bounds(256)) == [40, 120]
    assert asyncio.run(bounds(None)) == [float("inf"), float("inf")]
    assert asyncio.run(bounds(32)) == [FEWEST, FEWEST]


def test_connections_are_given_in_order_and_shrink() -> None:
    """First come, first served; who is cancelled frees the place; a push-back makes fewer."""

    async def play() -> None:
        limit, done = ConnectionLimit(5), []

        async def use(number: int, gate: asyncio.Event) -> None:
            async with limit.hold():
                await gate.wait()
                done.append(number)

        gate = asyncio.Event()
        tasks = [asyncio.ensure_future(use(number, gate)) for number in range(9)]
        await asyncio.sleep(0)
        assert limit.is_contended
        tasks[6].cancel()
        await asyncio.sleep(0)
        gate.set()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert done == [0, 1, 2, 3, 4, 5, 7, 8]
        assert (limit._used, limit.is_contended) == (0, False)
        async with limit.hold(), limit.hold(), limit.hold(), limit.hold(), limit.hold():
            limit.fewer()
            assert limit.limit == FEWEST
        assert FEWEST < limit.limit <= 5

    asyncio.run(play())


def run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a program to its end."""
    command = [sys.executable, "-c", textwrap.dedent(program), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=TRAFFIC_S, check=False)
