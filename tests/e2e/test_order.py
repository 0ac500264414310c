"""Order: what threads and large calls hand to one client arrives in call order, without gaps."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
import tinsmith
from tinsmith import types
from tinsmith_local.app.gate import Gate

from tests.e2e.bench import Bench, datum
from tests.e2e.conftest import open_bench
from tests.guard import WAIT_S

THREADS = 8
STEPS = 50
Call = tuple[str, int]


@pytest.fixture(params=["local", "socket"])
def keeping(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    """Open a bench whose service keeps the body of every request: it writes no snapshots meanwhile."""
    with open_bench(request.param, tmp_path, snapshot_min_s=1e9) as opened:
        yield opened


def run_threads(work: Callable[[int], None]) -> None:
    """Run `work(number)` in as many threads as the test has, all starting together."""
    start = threading.Barrier(THREADS)

    def begin(number: int) -> None:
        start.wait()
        work(number)

    threads = [threading.Thread(target=begin, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def rate(tag: int) -> types.AdamParams:
    """Make parameters that say which call they came with."""
    return types.AdamParams(learning_rate=(tag + 1) * 2.0**-40)


def step(client: tinsmith.TrainingClient, tag: int) -> list[Any]:
    """Make the two calls of a step, both recognisable on the wire."""
    text = b"%06d" % tag
    return [client.forward_backward([datum(text)], "cross_entropy"), client.optim_step(rate(tag))]


def arrived(bench: Bench, client: tinsmith.TrainingClient) -> list[Call]:
    """List the calls of the journal by operation and tag; their numbers must be gapless, and applied so."""
    journal = bench.journal(client)
    numbers = [seq for seq, _, _ in journal]
    assert numbers == list(range(1, len(journal) + 1))
    assert bench.ledger(client) == [(seq, op) for seq, op, _ in journal]
    return [(op, tag_of(op, orjson.loads(body))) for _, op, body in journal]


def tag_of(op: str, body: dict[str, Any]) -> int:
    """Read which call a body came from."""
    if op == "optim_step":
        return int(body["adam_params"]["learning_rate"] * 2.0**40) - 1
    [one] = body["forward_backward_input"]["data"]
    tokens = one["model_input"]["chunks"][0]["tokens"]
    return int(bytes([*tokens, one["loss_fn_inputs"]["target_tokens"]["data"][-1]]))


def test_threads_that_know_nothing_of_each_other(keeping: Bench) -> None:
    """8 threads x 50 steps: each thread's calls arrive in its order, all of them, gapless."""
    client = keeping.training()
    futures: dict[int, list[Any]] = {number: [] for number in range(THREADS)}

    def work(number: int) -> None:
        for at in range(STEPS):
            futures[number].extend(step(client, number * STEPS + at))

    run_threads(work)
    for calls in futures.values():
        for future in calls:
            future.result(timeout=WAIT_S)
    found = arrived(keeping, client)
    assert len(found) == THREADS * STEPS * 2
    for number in range(THREADS):
        mine = range(number * STEPS, (number + 1) * STEPS)
        wanted = [(op, tag) for tag in mine for op in ("forward_backward", "optim_step")]
        assert [call for call in found if call[1] in mine] == wanted
        assert [found[future.seq_id - 1] for future in futures[number]] == wanted


def test_threads_that_take_turns(keeping: Bench) -> None:
    """8 threads x 50 steps under a lock of the caller: the journal is the order of the calls."""
    client = keeping.training()
    line = threading.Lock()
    futures: list[Any] = []
    order: list[Call] = []

    def work(number: int) -> None:
        for at in range(STEPS):
            with line:
                tag = number * STEPS + at
                order.extend([("forward_backward", tag), ("optim_step", tag)])
                futures.extend(step(client, tag))

    run_threads(work)
    for future in futures:
        future.result(timeout=WAIT_S)
    assert arrived(keeping, client) == order
    assert [future.seq_id for future in futures] == list(range(1, len(order) + 1))


def test_large_calls_from_threads(keeping: Bench) -> None:
    """Calls of 300 datums go out as three requests of 100 and stay together, in call order."""
    client = keeping.training()
    line = threading.Lock()
    order: list[int] = []
    futures: dict[int, Any] = {}

    def work(number: int) -> None:
        batch = [datum(b"%d %03d!" % (number, at)) for at in range(300)]
        with line:
            order.append(number)
            futures[number] = client.forward_backward(batch, "cross_entropy")
            client.optim_step(rate(number))

    run_threads(work)
    outputs = {number: future.result(timeout=WAIT_S).loss_fn_outputs for number, future in futures.items()}
    client.optim_step(rate(THREADS)).result(timeout=WAIT_S)
    journal = keeping.journal(client)
    assert [seq for seq, _, _ in journal] == list(range(1, THREADS * 4 + 2))
    found: list[tuple[int, int, int]] = []
    for _, op, body in journal:
        if op == "optim_step":
            found.append((tag_of(op, orjson.loads(body)), -1, -1))
            continue
        data = orjson.loads(body)["forward_backward_input"]["data"]
        tags = [bytes(one["model_input"]["chunks"][0]["tokens"]).split() for one in data]
        assert {int(number) for number, _ in tags} == {int(tags[0][0])}
        places = [int(at) for _, at in tags]
        assert places == list(range(places[0], places[0] + len(places)))
        found.append((int(tags[0][0]), places[0], places[-1]))
    wanted = [
        (number, first, last)
        for number in order
        for first, last in ((0, 99), (100, 199), (200, 299), (-1, -1))
    ]
    assert found == [*wanted, (THREADS, -1, -1)]
    assert keeping.ledger(client) == [(seq, op) for seq, op, _ in journal]
    assert {number: len(records) for number, records in outputs.items()} == dict.fromkeys(range(THREADS), 300)


def test_chunks_of_a_large_call_do_not_wait_for_each_other(
    keeping: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No chunk gets in before all four are there; the step comes behind them, and their order is kept."""
    client = keeping.training()
    step(client, 0)[1].result(timeout=WAIT_S)
    events: list[str] = []
    all_here = asyncio.Event()
    through: Callable[..., Any] = Gate.__call__

    async def gathered(gate: Gate, scope: Any, receive: Any, send: Any) -> None:
        operation = str(scope["path"]).removeprefix("/api/v1/")
        if operation not in ("forward_backward", "optim_step"):
            await through(gate, scope, receive, send)
            return
        events.append(operation)
        if len(events) == 4:
            all_here.set()
        await all_here.wait()
        await through(gate, scope, receive, send)
        events.append("accepted")

    monkeypatch.setattr(Gate, "__call__", gathered)
    batch = [datum(b"%03d" % at) for at in range(400)]
    gradient, optim = client.forward_backward(batch, "cross_entropy"), client.optim_step(rate(1))
    optim.result(timeout=WAIT_S)
    assert len(gradient.result(timeout=WAIT_S).loss_fn_outputs) == 400
    assert events[:4] == ["forward_backward"] * 4
    assert events.index("optim_step") == 8
    bodies = [orjson.loads(body) for _, op, body in keeping.journal(client) if op == "forward_backward"]
    first = [
        body["forward_backward_input"]["data"][0]["model_input"]["chunks"][0]["tokens"] for body in bodies
    ]
    assert [bytes(tokens) for tokens in first] == [b"00000", b"00", b"10", b"20", b"30"]
    assert keeping.ledger(client) == [(seq, op) for seq, op, _ in keeping.journal(client)]
