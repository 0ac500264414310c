"""Samples that are streamed: the events, the same numbers as a whole sample, and a place that is freed."""

import asyncio
import json
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from tinsmith.core.addresses import LOCAL_ROOT
from tinsmith.core.codec.decode import decode_sample
from tinsmith.core.codec.wire import ProtobufPayload
from tinsmith_local.app import sampling
from tinsmith_local.options import ServeOptions
from tinsmith_local.serve import serving
from tinsmith_local.service import Service
from tinsmith_local.transport import open_local

from tests.embedded.app.caller import TEXT, Caller
from tests.guard import WAIT_S

Open = Callable[..., Caller]
ROUTE = "x-tinsmith/stream_sample"
PROMPT = {"chunks": [{"type": "encoded_text", "tokens": list(TEXT)}]}
LONG = {"max_tokens": 400, "seed": 5, "stop": []}
"""A sample that does not end before a test has looked at it."""


def body(**more: Any) -> dict[str, Any]:
    """Return the body of a request on the base model."""
    params = {"max_tokens": 12, "seed": 5, "stop": []}
    return {"base_model": "tinsmith/tiny", "prompt": PROMPT, "sampling_params": params, **more}


def events(text: str) -> list[tuple[str, dict[str, Any]]]:
    """Read a whole stream: the name and the data of each event."""
    found = []
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if fields:
            found.append((fields.get("event", ""), json.loads(fields["data"])))
    return found


def joined(pieces: list[tuple[str, dict[str, Any]]], name: str) -> list[Any]:
    """Return one field of all pieces behind one another."""
    assert {event for event, _ in pieces} == {""}
    return [value for _, piece in pieces for value in piece[name]]


def test_the_pieces_are_the_sample(caller: Caller) -> None:
    """The same seed gives the tokens, logprobs and likeliest tokens of a whole sample, number for number."""
    asked = body(topk_sample_logprobs=3)
    promise = caller.ok("asample", **asked)["request_id"]
    caller.result(promise)
    packed = caller.send(
        "POST",
        "retrieve_future",
        json={"request_id": promise},
        headers={"Accept": "application/x-protobuf"},
    )
    [whole] = decode_sample(ProtobufPayload(packed.content)).sequences
    answer = caller.post(ROUTE, **asked)
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    pieces = events(answer.text)
    assert joined(pieces, "tokens") == whole.tokens
    assert joined(pieces, "logprobs") == whole.logprobs
    assert [[tuple(pair) for pair in row] for row in joined(pieces, "topk_sampled_logprobs")] == (
        whole.topk_sampled_logprobs
    )
    assert [piece.get("stop_reason") for _, piece in pieces] == [None] * (len(pieces) - 1) + ["length"]


def test_a_stop_ends_the_stream(caller: Caller) -> None:
    """The last piece says that a stop was met, and holds the token that stopped it."""
    first = joined(events(caller.post(ROUTE, **body()).text), "tokens")
    params = {"max_tokens": 12, "seed": 5, "stop": [first[2]]}
    pieces = events(caller.post(ROUTE, **body(sampling_params=params)).text)
    assert joined(pieces, "tokens") == first[: first.index(first[2]) + 1]
    assert pieces[-1][1]["stop_reason"] == "stop"


def test_a_sampler_is_streamed_by_its_id(caller: Caller) -> None:
    """What a sampler streams is what its base model streams."""
    session = caller.session()
    made = caller.ok(
        "create_sampling_session", session_id=session, sampling_session_seq_id=0, base_model="tinsmith/tiny"
    )
    asked = {**body(), "sampling_session_id": made["sampling_session_id"]}
    del asked["base_model"]
    assert joined(events(caller.post(ROUTE, **asked).text), "tokens") == joined(
        events(caller.post(ROUTE, **body()).text), "tokens"
    )


@pytest.mark.parametrize(
    ("more", "status", "words"),
    [
        ({"base_model": "nobody"}, 404, "nobody"),
        ({"sampling_session_id": "a:sample:0"}, 422, "exactly one of"),
        ({"num_samples": 2}, 422, "num_samples"),
        ({"prompt": {"chunks": []}}, 400, "prompt"),
        ({"sampling_params": {"max_tokens": 10**6}}, 400, "max_tokens"),
    ],
)
def test_refusals(caller: Caller, more: dict[str, Any], status: int, words: str) -> None:
    """What cannot be sampled is refused before a stream begins, as `asample` refuses it."""
    answer = caller.post(ROUTE, **body(**more))
    assert (answer.status_code, words in answer.text) == (status, True), answer.text


def test_a_full_engine_pushes_back(open_caller: Open) -> None:
    """More than the service queues is answered 429 with a time."""
    caller = open_caller(max_queued_samples=1)
    gate = threading.Event()
    caller.block(gate)
    caller.ok("asample", **body())
    answer = caller.post(ROUTE, **body())
    gate.set()
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")


def test_a_failure_comes_as_an_event(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    """A defect of the engine ends the stream with an event that says so, and the next one works."""

    def broken(*_: object) -> None:
        raise RuntimeError("a planted defect")

    with monkeypatch.context() as planted:
        planted.setattr("tinsmith_local.engine.scheduler.Scheduler.step", broken)
        found = events(caller.post(ROUTE, **body()).text)
    assert found == [("error", {"error": "internal error while sampling", "category": "server"})]
    assert events(caller.post(ROUTE, **body()).text)[-1][1]["stop_reason"] == "length"


def test_a_diverged_model_fails_the_stream(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    """A logprob that is no number is no JSON: an event says what to do."""
    monkeypatch.setattr("tinsmith_local.engine.choose.Scored.logprob", lambda *_: float("nan"))
    [(name, data)] = events(caller.post(ROUTE, **body()).text)
    assert (name, data["category"]) == ("error", "user")
    assert "the model has diverged" in data["error"]


def test_a_quiet_stream_is_kept_alive(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the engine does other work, lines come that say nothing."""
    monkeypatch.setattr(sampling, "KEEP_ALIVE_S", 0.01)
    gate = threading.Event()
    caller.block(gate)
    threading.Timer(0.2, gate.set).start()
    text = caller.post(ROUTE, **body()).text
    assert text.startswith(": still at work\n\n: still at work\n\n")
    assert joined(events(text), "tokens")


@asynccontextmanager
async def local(directory: Path) -> AsyncIterator[tuple[httpx.AsyncClient, Service]]:
    """Open the service in the process."""
    transport = open_local(f"local:{directory}")
    async with httpx.AsyncClient(
        transport=transport, base_url=f"{LOCAL_ROOT}api/v1/", timeout=WAIT_S
    ) as http:
        yield http, transport.service


@asynccontextmanager
async def on_a_socket(directory: Path) -> AsyncIterator[tuple[httpx.AsyncClient, Service]]:
    """Open the service behind a socket."""
    with serving(ServeOptions(data_dir=directory)) as (address, service):
        async with httpx.AsyncClient(
            base_url=f"{address.base_url}/api/v1/",
            headers={"x-api-key": address.token},
            timeout=WAIT_S,
            trust_env=False,
        ) as http:
            yield http, service


Opened = Callable[[Path], Any]
ways = pytest.mark.parametrize("opened", [local, on_a_socket])


async def first_piece(stack: AsyncExitStack, http: httpx.AsyncClient) -> dict[str, Any]:
    """Begin a stream that lasts as long as the stack, and return its first piece."""
    asked = http.stream(
        "POST", ROUTE, json=body(sampling_params=LONG), headers={"Accept": "text/event-stream"}
    )
    answer = await stack.enter_async_context(asked)
    assert answer.status_code == 200
    lines = await stack.enter_async_context(aclosing(cast("AsyncGenerator[str]", answer.aiter_lines())))
    line = await anext(lines)
    assert line.startswith("data: ")
    found: dict[str, Any] = json.loads(line.removeprefix("data: "))
    return found


async def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(WAIT_S):
        while not holds():  # noqa: ASYNC110  # the engine's thread is waited for
            await asyncio.sleep(0.005)


def run(work: Awaitable[None]) -> None:
    """Run on a loop of its own."""

    async def whole() -> None:
        await work

    asyncio.run(whole())


@ways
def test_a_piece_comes_while_the_sample_grows(opened: Opened, tmp_path: Path) -> None:
    """The first tokens are there before the last are drawn; who leaves frees the place in the engine."""

    async def work() -> None:
        async with opened(tmp_path / "data") as (http, service):
            async with AsyncExitStack() as stack:
                piece = await first_piece(stack, http)
                assert 0 < len(piece["tokens"]) < 400
                assert service.sampling.load == 1
            await until(lambda: not service.sampling.has_work())
            assert service.sampling.load == 0

    run(work())


@ways
def test_whoever_leaves_before_the_first_token_is_dropped(opened: Opened, tmp_path: Path) -> None:
    """A stream that is closed while it is queued never runs."""

    async def work() -> None:
        async with opened(tmp_path / "data") as (http, service):
            gate = threading.Event()
            service.engine_thread.put(lambda: gate.wait(20) and None)
            asked = http.stream("POST", ROUTE, json=body(), headers={"Accept": "text/event-stream"})
            async with asked as answer:
                assert answer.status_code == 200
                await until(lambda: service.sampling.load == 1)
            await until(lambda: not service.sampling._streams)
            gate.set()
            await until(lambda: not service.sampling.has_work())

    run(work())


@ways
def test_streams_and_samples_share_the_engine(opened: Opened, tmp_path: Path) -> None:
    """Streams that run at once, and a sample among them, come out as each comes out alone."""

    async def work() -> None:
        async with opened(tmp_path / "data") as (http, service):
            alone = joined(events((await http.post(ROUTE, json=body())).text), "tokens")
            async with AsyncExitStack() as stack:
                for _ in range(2):
                    await first_piece(stack, http)
                texts = await asyncio.gather(*(http.post(ROUTE, json=body()) for _ in range(8)))
                assert service.sampling.load >= 2
            assert [joined(events(one.text), "tokens") for one in texts] == [alone] * 8

    run(work())


@ways
def test_a_service_that_closes_ends_its_streams(opened: Opened, tmp_path: Path) -> None:
    """Who reads is told, and nobody hangs."""

    async def work() -> None:
        async with opened(tmp_path / "data") as (http, service):
            asked = body(sampling_params={**LONG, "max_tokens": 900})
            gate = threading.Event()
            service.engine_thread.put(lambda: gate.wait(20) and None)
            running = asyncio.create_task(http.post(ROUTE, json=asked))
            await until(lambda: service.sampling.load == 1)
            service.release_polls()
            [(name, data)] = events((await running).text)
            assert (name, data["category"]) == ("error", "server")
            assert "the service is closing" in data["error"]
            later = events((await http.post(ROUTE, json=asked)).text)
            assert later == [(name, data)]
            gate.set()

    run(work())
