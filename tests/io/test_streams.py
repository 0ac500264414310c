"""Samples that are read while they are drawn: the same numbers, a stop that arrives, true errors."""

from __future__ import annotations

import asyncio
import gc
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from tinsmith import (
    APIConnectionError,
    APIResponseValidationError,
    BadRequestError,
    ClosedError,
    InputError,
    ModelInput,
    NotFoundError,
    ProgressTimeoutError,
    RequestErrorCategory,
    RequestFailedError,
    SamplePiece,
    SampleStream,
    SamplingClient,
    SamplingParams,
    ServiceClient,
    TinkerError,
    testing,
)
from tinsmith.core.config import ClientConfig, RetryConfig
from tinsmith.io.http.messages import Answer
from tinsmith.testing.ledger_service import reply
from tinsmith_local.options import ServeOptions
from tinsmith_local.serve import serving

from tests.io.bench import WAIT_S
from tests.io.test_samples import sampler_on

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tinsmith.io.http.messages import Seen
    from tinsmith_local.service import Service

PROMPT = ModelInput.from_ints([1, 2, 3])
PARAMS = SamplingParams(max_tokens=12, seed=3, stop=[])
LONG = SamplingParams(max_tokens=900, seed=3, stop=[])
"""A sample that does not end before a test has stopped it."""
STREAM = "api/v1/x-tinsmith/stream_sample"


@contextmanager
def local(directory: Path) -> Iterator[tuple[ServiceClient, Service]]:
    """Use the service in the process."""
    with ServiceClient(base_url=f"local:{directory}") as client:
        client.create_sampling_client(base_model="tinsmith/tiny").result()
        yield client, client._connection.transport._local.service  # type: ignore[union-attr]


@contextmanager
def on_a_socket(directory: Path) -> Iterator[tuple[ServiceClient, Service]]:
    """Use the service behind a socket."""
    with (
        serving(ServeOptions(data_dir=directory)) as (address, service),
        ServiceClient(base_url=address.base_url, api_key=address.token) as client,
    ):
        yield client, service


ways = pytest.mark.parametrize("opened", [local, on_a_socket])


def until_idle(service: Service) -> None:
    """Wait until the engine has nothing to do."""
    pause, left = threading.Event(), WAIT_S
    while service.sampling.has_work() or service.sampling._streams:
        pause.wait(0.005)
        left -= 0.005
        assert left > 0


def sampler_of(client: ServiceClient) -> SamplingClient:
    """Make a sampler of the tiny model."""
    return client.create_sampling_client(base_model="tinsmith/tiny")


@ways
def test_the_pieces_are_the_sample(opened: Any, tmp_path: Path) -> None:
    """In plain code and in a loop the same seed gives the numbers of `sample`, token by token."""

    async def gathered(stream: SampleStream) -> list[SamplePiece]:
        async with stream:
            return [piece async for piece in stream]

    with opened(tmp_path / "data") as (client, _):
        sampler = sampler_of(client)
        [whole] = sampler.sample(PROMPT, 1, PARAMS, topk_sample_logprobs=2).result(WAIT_S).sequences
        with sampler.stream(PROMPT, PARAMS, 2) as stream:
            plain = list(stream)
        for pieces in (plain, asyncio.run(gathered(sampler.stream(PROMPT, PARAMS, 2)))):
            assert [token for piece in pieces for token in piece.tokens] == whole.tokens
            assert [value for piece in pieces for value in piece.logprobs or ()] == whole.logprobs
            assert [row for piece in pieces for row in piece.topk_logprobs or ()] == whole.topk_logprobs
            assert [piece.stop_reason for piece in pieces] == [None] * (len(pieces) - 1) + ["length"]


def stop_by_close(sampler: SamplingClient) -> None:
    """Read a piece, and close."""
    stream = sampler.stream(PROMPT, LONG)
    assert next(stream).stop_reason is None
    stream.close()
    assert list(stream) == []
    stream.close()


def stop_by_block(sampler: SamplingClient) -> None:
    """Leave the block after a piece."""
    with sampler.stream(PROMPT, LONG) as stream:
        for _ in stream:
            break


def stop_by_async_block(sampler: SamplingClient) -> None:
    """Leave the block of a task that is cancelled while it waits."""

    async def work() -> None:
        seen = asyncio.Event()

        async def read() -> None:
            async with sampler.stream(PROMPT, LONG) as stream:
                async for _ in stream:
                    seen.set()

        task = asyncio.create_task(read())
        await seen.wait()
        task.cancel()
        await asyncio.wait([task])

    asyncio.run(work())


def stop_by_dropping(sampler: SamplingClient) -> None:
    """Forget the stream."""
    next(iter(sampler.stream(PROMPT, LONG)))
    gc.collect()


@ways
@pytest.mark.parametrize("stop", [stop_by_close, stop_by_block, stop_by_async_block, stop_by_dropping])
def test_whoever_stops_frees_the_place(
    opened: Any, stop: Callable[[SamplingClient], None], tmp_path: Path
) -> None:
    """However a stream is left, the server stops too, and the next one works."""
    with opened(tmp_path / "data") as (client, service):
        sampler = sampler_of(client)
        stop(sampler)
        until_idle(service)
        assert len([piece for piece in sampler.stream(PROMPT, PARAMS) if piece.stop_reason]) == 1


@ways
def test_the_end_of_the_client_ends_its_streams(opened: Any, tmp_path: Path) -> None:
    """What is read then raises ClosedError, and the server stops."""
    with opened(tmp_path / "data") as (client, service):
        sampler = sampler_of(client)
        stream = sampler.stream(PROMPT, LONG)
        assert next(stream).tokens
        client.close()
        _, error = read(stream)
        assert isinstance(error, ClosedError)
        assert error.applied == "unknown"
        if opened is on_a_socket:
            until_idle(service)


@ways
def test_a_cancelled_wait_loses_no_piece(opened: Any, tmp_path: Path) -> None:
    """A piece that came while nobody waited any more is the next one."""

    async def work(sampler: SamplingClient, gate: threading.Event) -> list[int]:
        stream = sampler.stream(PROMPT, PARAMS)
        waiting = asyncio.create_task(anext(stream))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting])
        gate.set()
        return [token async for piece in stream for token in piece.tokens]

    with opened(tmp_path / "data") as (client, service):
        sampler = sampler_of(client)
        [whole] = sampler.sample(PROMPT, 1, PARAMS).result(WAIT_S).sequences
        gate = threading.Event()
        service.engine_thread.put(lambda: gate.wait(WAIT_S) and None)
        assert asyncio.run(work(sampler, gate)) == whole.tokens


@ways
def test_what_the_server_refuses_is_an_error_of_the_iteration(opened: Any, tmp_path: Path) -> None:
    """The error names the sampler, and says that nothing was done; it stays."""
    with opened(tmp_path / "data") as (client, _):
        sampler = sampler_of(client)
        stream = sampler.stream(PROMPT, SamplingParams(max_tokens=10**6))
        for _ in range(2):
            with pytest.raises(BadRequestError, match="exceed the context") as caught:
                next(stream)
            assert (caught.value.applied, caught.value.model_id) == ("no", sampler.sampling_session_id)
        lost = SamplingClient.create(sampler._context, sampling_session_id="nobody:sample:0")
        with pytest.raises(NotFoundError, match="nobody:sample:0"):
            next(lost.result(WAIT_S).stream(PROMPT, PARAMS))


def test_wrong_arguments_raise_at_the_call(service: testing.LedgerService) -> None:
    """Nothing is sent for what cannot be sampled."""
    sampler = sampler_on(service)
    with pytest.raises(InputError, match="must be SamplingParams"):
        sampler.stream(PROMPT, {"max_tokens": 3})  # type: ignore[arg-type]
    with pytest.raises(InputError, match="topk_sample_logprobs"):
        sampler.stream(PROMPT, PARAMS, -1)
    assert not [seen for seen in service.seen if "sample" in seen.target and "create" not in seen.target]


def paths(service: testing.LedgerService) -> list[str]:
    """Return the paths of samples and streams that were requested."""
    return [seen.target for seen in service.seen if seen.target.endswith("sample")]


def test_a_server_without_the_route_gives_one_piece(service: testing.LedgerService) -> None:
    """An unknown server is asked once; then each stream is a sample."""
    sampler = sampler_on(service)
    for _ in range(2):
        [piece] = sampler.stream(PROMPT, PARAMS)
        assert (len(piece.tokens), piece.stop_reason) == (12, "length")
        assert piece.logprobs is not None
    assert paths(service) == [STREAM, "api/v1/asample", "api/v1/asample"]


def test_a_known_server_without_the_route_is_not_asked(service: testing.LedgerService) -> None:
    """Where the profile says that there is none, nothing is tried."""
    [piece] = sampler_on(service, server="tuft").stream(PROMPT, PARAMS)
    assert piece.stop_reason == "length"
    assert paths(service) == ["api/v1/asample"]


def streaming(service: testing.LedgerService, *answers: Answer | bytes) -> list[Seen]:
    """Have a service answer streams with these bodies, one after the other; return the requests."""
    asked: list[Seen] = []

    def rule(_: str, seen: Seen, __: dict[str, Any]) -> Answer | None:
        if seen.path != STREAM:
            return None
        asked.append(seen)
        found = answers[min(len(asked), len(answers)) - 1]
        return found if isinstance(found, Answer) else Answer(200, EVENTS, found)

    service.rules.append(rule)
    return asked


EVENTS = {"content-type": "text/event-stream; charset=utf-8"}
FIRST = b'data: {"tokens": [7], "logprobs": [-0.5]}\n\n'
LAST = b'data: {"tokens": [], "stop_reason": "stop"}\n\n'


def read(stream: SampleStream) -> tuple[list[int], TinkerError | None]:
    """Read a stream to its end: the tokens, and the error behind them."""
    tokens: list[int] = []
    try:
        for piece in stream:
            tokens += piece.tokens
    except TinkerError as error:
        return tokens, error
    return tokens, None


def test_the_request(service: testing.LedgerService) -> None:
    """It names the sampler and no number, and says what it accepts."""
    asked = streaming(service, FIRST + b": a comment\n\nevent: later\ndata: {}\n\n" + LAST + FIRST)
    assert read(sampler_on(service).stream(PROMPT, PARAMS, 2)) == ([7], None)
    [seen] = asked
    assert seen.headers["accept"] == "text/event-stream"
    assert seen.json() == {
        "sampling_session_id": seen.json()["sampling_session_id"],
        "prompt": {"chunks": [{"tokens": [1, 2, 3], "type": "encoded_text"}]},
        "sampling_params": {"max_tokens": 12, "seed": 3, "stop": []},
        "topk_sample_logprobs": 2,
    } | {"sampling_params": seen.json()["sampling_params"]}
    assert seen.json()["sampling_params"]["seed"] == 3


CUT = [
    (b"", [], APIConnectionError, "cut short after 0 tokens"),
    (FIRST, [7], APIConnectionError, "cut short after 1 tokens"),
    (FIRST + b"data: {", [7], APIConnectionError, "cut short after 1 tokens"),
    (FIRST + b"data: {\n\n", [7], APIResponseValidationError, "no JSON"),
    (FIRST + b'data: {"tokens": ["a"]}\n\n', [7], APIResponseValidationError, "no SamplePiece"),
    (FIRST + b"data: []\n\n", [7], APIResponseValidationError, "no object"),
    (b"data: " + b"1" * (17 << 20), [], APIResponseValidationError, "larger than"),
]


@pytest.mark.parametrize(("body", "tokens", "kind", "words"), CUT)
def test_a_stream_that_breaks(
    body: bytes, tokens: list[int], kind: type[TinkerError], words: str, service: testing.LedgerService
) -> None:
    """What came is read first; the error says how far it came, and that the outcome is unknown."""
    streaming(service, body)
    sampler = sampler_on(service)
    found, error = read(sampler.stream(PROMPT, PARAMS))
    assert found == tokens
    assert isinstance(error, kind)
    assert words in str(error)
    assert (error.applied, error.model_id) == ("unknown", sampler.sampling_session_id)


def test_the_failure_of_the_work(service: testing.LedgerService) -> None:
    """An error event is a failed request, as it is on a poll; what it quotes of the key is struck."""
    said = b'event: error\ndata: {"error": "no memory for tml-test", "category": "server"}\n\n'
    streaming(service, FIRST + said)
    found, error = read(sampler_on(service).stream(PROMPT, PARAMS))
    assert found == [7]
    assert isinstance(error, RequestFailedError)
    assert (error.category, error.applied) == (RequestErrorCategory.Server, "no")
    assert "no memory for" in str(error)
    assert "tml-test" not in str(error)


@pytest.mark.parametrize("data", [b"[]", b'"no"', b"{}", b'{"error": {"why": "x"}}'])
def test_a_failure_of_any_form_is_one(data: bytes, service: testing.LedgerService) -> None:
    """The name of the event alone says that the work failed."""
    streaming(service, b"event: error\ndata: " + data + b"\n\n")
    _, error = read(sampler_on(service).stream(PROMPT, PARAMS))
    assert isinstance(error, RequestFailedError)
    assert error.category is RequestErrorCategory.Unknown


def test_what_is_pushed_back_or_broken_is_sent_again(service: testing.LedgerService) -> None:
    """Before the first event the rules of reads hold: 429, 503, and a success that is no stream."""
    asked = streaming(service, reply({}, 429), reply({}, 503), reply({"hello": 1}), FIRST + LAST)
    assert read(sampler_on(service).stream(PROMPT, PARAMS)) == ([7], None)
    assert len(asked) == 4
    assert len({seen.headers["x-idempotency-key"] for seen in asked}) == 1


def test_retry_rules_of_the_call(service: testing.LedgerService) -> None:
    """They hold for a stream as for a sample."""
    asked = streaming(service, reply({"detail": "busy"}, 503))
    stream = sampler_on(service).stream(PROMPT, PARAMS, retry_config=RetryConfig(enable_retry_logic=False))
    _, error = read(stream)
    assert (len(asked), "busy" in str(error)) == (1, True)


def test_a_stream_without_tokens_ends(tmp_path: Path) -> None:
    """Signs of life are no progress: after the progress timeout the stream fails."""
    config = ClientConfig.from_environment(base_url=f"local:{tmp_path}", progress_timeout_s=0.05)
    gate = threading.Event()
    with ServiceClient(config=config) as client:
        sampler = sampler_of(client).result(WAIT_S)
        service = client._connection.transport._local.service  # type: ignore[union-attr]
        service.engine_thread.put(lambda: gate.wait(WAIT_S) and None)
        with pytest.raises(ProgressTimeoutError, match=r"no token for 0\.05 s") as caught:
            next(sampler.stream(PROMPT, PARAMS))
        assert caught.value.applied == "unknown"
        gate.set()
        until_idle(service)


def test_streams_and_samples_share_what_is_in_flight(service: testing.LedgerService) -> None:
    """A stream that is closed before its turn is never sent."""
    sampler = sampler_on(service, retry=RetryConfig(max_connections=1))
    gate = threading.Event()

    def hold(operation: str, _: Seen, __: dict[str, Any]) -> Answer | None:
        return None if operation != "retrieve_future" or gate.is_set() else reply({"type": "try_again"}, 408)

    service.rules.append(hold)
    asked = streaming(service, FIRST + LAST)
    first = sampler.sample(PROMPT, 1, PARAMS)
    closed, read_later = sampler.stream(PROMPT, PARAMS), sampler.stream(PROMPT, PARAMS)
    closed.close()
    gate.set()
    assert first.result(WAIT_S).sequences
    assert read(read_later) == ([7], None)
    assert list(closed) == []
    assert len(asked) == 1
