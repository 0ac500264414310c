"""Samples: bounded in flight, slower after push-back, numbered once, withdrawn without harm."""

from __future__ import annotations

import asyncio
import threading
import tracemalloc
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from tinsmith import (
    APIResponseValidationError,
    ClosedError,
    InputError,
    ModelInput,
    RateLimitError,
    SamplingClient,
    SamplingParams,
    ServiceClient,
    testing,
)
from tinsmith.core.config import ClientConfig, FlowLimits, RetryConfig
from tinsmith.io.limits import Submissions, Window
from tinsmith.io.queues.sample_dispatcher import Sample, SampleJob
from tinsmith.testing.fault_plans import AtPosition, FaultKind
from tinsmith.testing.ledger_service import ServerDialect, reply

from tests.io.bench import WAIT_S, refuse, timed

if TYPE_CHECKING:
    from tinsmith.io.http.messages import Answer, Seen

PROMPT = ModelInput.from_ints([1, 2, 3])
PARAMS = SamplingParams(max_tokens=2)
SAMPLE = "api/v1/asample"


def sampler_on(service: testing.LedgerService, **settings: Any) -> SamplingClient:
    """Make a sampling client of a service of its own."""
    fixed = {"base_url": "http://127.0.0.1:1/", "api_key": "tml-x", "server_deduplicates": True}
    config = ClientConfig.from_environment(**{**fixed, **settings})
    client = ServiceClient(**service.settings(config=config))
    return client.create_sampling_client(base_model="tinsmith/tiny").result()


class Cap:
    """A server that lets at most `most` samples be outstanding and pushes the others back."""

    def __init__(self, service: testing.LedgerService, most: int) -> None:
        self.most = most
        self.now = 0
        self.peak = 0
        self.pushed_back = 0
        self._open: set[str] = set()
        service.rules.append(self._rule)

    def _rule(self, operation: str, _seen: Seen, body: dict[str, Any]) -> Answer | None:
        if operation == "asample":
            if self.now >= self.most:
                self.pushed_back += 1
                return reply({"detail": "busy"}, 429)
            self.now += 1
            self.peak = max(self.peak, self.now)
        if operation == "retrieve_future" and body["request_id"] not in self._open:
            self._open.add(body["request_id"])
            self.now -= 1
        return None


def test_in_flight_is_bounded(service: testing.LedgerService) -> None:
    """No more samples are in flight than the configuration allows."""
    cap = Cap(service, 10_000)
    service.dialect = ServerDialect(ready_after_polls=1)
    sampler = sampler_on(service, retry=RetryConfig(max_connections=7))
    futures = [sampler.sample(PROMPT, 1, PARAMS) for _ in range(60)]
    for future in futures:
        future.result(WAIT_S)
    assert cap.peak <= 7
    assert sorted(entry.seq_id for entry in service.ledger.applied) == list(range(60))


def test_push_back_makes_it_slower(clock: testing.FrozenClock, service: testing.LedgerService) -> None:
    """A server that takes 20 at a time is not stormed: all 600 samples are drawn."""
    cap = Cap(service, 20)
    sampler = sampler_on(service)
    futures = [sampler.sample(PROMPT, 1, PARAMS) for _ in range(600)]
    for future in futures:
        assert future.result(WAIT_S).sequences
    assert cap.peak <= 20
    assert cap.pushed_back < 5 * 600
    assert service.ledger.doubles() == []


def test_retry_after_is_honoured(clock: testing.FrozenClock, service: testing.LedgerService) -> None:
    """A sample pushed back with advice waits as long as the server asks; above the cap it raises."""
    advice = iter(["30", "500"])

    def rule(operation: str, _seen: Seen, _body: dict[str, Any]) -> Answer | None:
        asked = next(advice, None) if operation == "asample" else None
        return reply({}, 429, {"retry-after": asked}) if asked else None

    sampler = sampler_on(service)
    service.rules.append(rule)
    (error,), took_s = timed(clock, lambda: sampler.sample(PROMPT, 1, PARAMS))
    assert took_s == pytest.approx(30.0, abs=1.0)
    assert isinstance(error, RateLimitError)
    assert (error.retry_after_s, error.applied) == (500.0, "no")


@pytest.mark.parametrize("kind", [FaultKind.RESET_AFTER, FaultKind.STATUS_429, FaultKind.EMPTY_AFTER])
def test_sample_keeps_its_number(service: testing.LedgerService, kind: FaultKind) -> None:
    """A sample that is sent again keeps its number and its bytes, so that the server draws it once."""
    sampler = sampler_on(service)
    service.plan = AtPosition({0: kind}, paths=[SAMPLE])
    sampler.sample(PROMPT, 1, PARAMS).result(WAIT_S)
    sampler.sample(PROMPT, 1, PARAMS).result(WAIT_S)
    sent = [seen.body for seen in service.seen if seen.path == SAMPLE]
    assert sent[0] == sent[1]
    assert [entry.seq_id for entry in service.ledger.applied] == [0, 1]


def test_lost_promise_is_sampled_again(service: testing.LedgerService) -> None:
    """A 410 on the poll of a sample brings the same sample again."""
    sampler = sampler_on(service)
    answers = iter([reply({}, 410)])
    service.rules.append(lambda name, *_: next(answers, None) if name == "retrieve_future" else None)
    assert sampler.sample(PROMPT, 1, PARAMS).result(WAIT_S).sequences
    assert service.ledger.doubles() == []


def test_bounded_queue_blocks_the_producer(service: testing.LedgerService) -> None:
    """With `max_queued` the call that would be one too many waits until there is room."""
    hold = threading.Event()

    def rule(operation: str, _seen: Seen, _body: dict[str, Any]) -> Answer | None:
        if operation == "asample":
            assert hold.wait(WAIT_S)
        return None

    sampler = sampler_on(service, flow=FlowLimits(max_queued=3), retry=RetryConfig(max_connections=1))
    service.rules.append(rule)
    called: list[Any] = []
    producer = threading.Thread(
        target=lambda: called.extend(sampler.sample(PROMPT, 1, PARAMS) for _ in range(10))
    )
    producer.start()
    producer.join(0.3)
    assert producer.is_alive()
    hold.set()
    producer.join(WAIT_S)
    assert len(called) == 10
    for future in called:
        future.result(WAIT_S)


def test_queued_samples_are_small(service: testing.LedgerService) -> None:
    """A sample that waits takes at most 10 kB."""
    sampler = sampler_on(service, retry=RetryConfig(max_connections=1))
    hold = threading.Event()

    def rule(operation: str, _seen: Seen, _body: dict[str, Any]) -> Answer | None:
        if operation == "asample":
            hold.wait(WAIT_S)
        return None

    service.rules.append(rule)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    futures = [sampler.sample(PROMPT, 1, PARAMS) for _ in range(2000)]
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    for future in futures:
        future.cancel()
    hold.set()
    assert grown / 2000 <= 10_000


def test_cancelled_before_it_was_sent(service: testing.LedgerService) -> None:
    """A sample withdrawn in the queue is never sent and uses no number."""
    sampler = sampler_on(service, retry=RetryConfig(max_connections=1))
    service.dialect = ServerDialect(ready_after_polls=2, hold_s=5.0)
    first, second, third = (sampler.sample(PROMPT, 1, PARAMS) for _ in range(3))
    assert second.cancel()
    first.result(WAIT_S)
    third.result(WAIT_S)
    assert [entry.seq_id for entry in service.ledger.applied] == [0, 1]


def cancelled(service: testing.LedgerService, answer: Answer, **flags: object) -> list[str]:
    """Cancel three samples that are in flight, and return what the server was asked then."""
    routes = {"client/dynamic_config": reply(flags) if flags else refuse(404), "cancel_future": answer}
    service.rules.append(lambda asked, _seen, _body: routes.get(asked))
    sampler = sampler_on(service)
    service.dialect = ServerDialect(ready_after_polls=1000, hold_s=5.0)
    for _ in range(3):
        future = sampler.sample(PROMPT, 1, PARAMS)
        while future.request_id is None:
            threading.Event().wait(0.001)
        threading.Event().wait(0.02)
        future.cancel()
        threading.Event().wait(0.05)
    asked = [name for seen in service.seen if (name := seen.path.removeprefix("api/v1/")) in routes]
    return ["client/dynamic_config"] * ("client/dynamic_config" in asked) + [
        name for name in asked if name == "cancel_future"
    ]  # how often the configuration is asked for depends on the clock


def test_cancelled_after_it_was_sent_is_told(service: testing.LedgerService) -> None:
    """A server that wants to hear of it is told of each, by its id."""
    asked = cancelled(service, reply({}), sample_cancel_enabled=True, sample_cancel_max_batch_size=2)
    assert asked == ["client/dynamic_config", *["cancel_future"] * 3]
    told = [seen.json()["request_id"] for seen in service.seen if seen.path.endswith("cancel_future")]
    assert len(set(told)) == 3


@pytest.mark.parametrize("flags", [{}, {"sample_cancel_enabled": False}, {"sample_cancel_enabled": 1}])
def test_server_that_does_not_want_to_hear_of_cancels(
    service: testing.LedgerService, flags: dict[str, object]
) -> None:
    """Without the flag nothing is told, and the sample is cancelled all the same."""
    assert cancelled(service, reply({}), **flags) == ["client/dynamic_config"]


def test_server_that_cannot_hear_of_cancels(service: testing.LedgerService) -> None:
    """One that has no such route, whatever its flag says, is told once."""
    asked = cancelled(service, refuse(405), sample_cancel_enabled=True)
    assert asked == ["client/dynamic_config", "cancel_future"]


class Silent(testing.LedgerService):
    """A service that wants to hear of cancels and answers none."""

    def __init__(self) -> None:
        super().__init__(ServerDialect(ready_after_polls=1000, hold_s=5.0))
        self.now = self.peak = self.told = 0
        wants = reply({"sample_cancel_enabled": True})
        self.rules.append(lambda asked, *_: wants if asked == "client/dynamic_config" else None)

    async def answer(self, seen: Seen, *, drips: bool = True) -> Answer:
        """Hold a cancel for ever."""
        if not seen.path.endswith("cancel_future"):
            return await super().answer(seen, drips=drips)
        self.told, self.now = self.told + 1, self.now + 1
        self.peak = max(self.peak, self.now)
        try:
            await asyncio.sleep(3600)
        finally:
            self.now -= 1
        return reply({})


def test_cancels_that_hang_hold_up_no_heartbeat(clock: testing.FrozenClock) -> None:
    """They share eight connections with heartbeats: few are under way, and the rest is not told."""
    service = Silent()
    sampler = sampler_on(service)
    with clock.held():
        futures = [sampler.sample(PROMPT, 1, PARAMS) for _ in range(50)]
        while not all(future.request_id for future in futures):
            threading.Event().wait(0.001)
        for future in futures:
            future.cancel()
    sampler.holder.connection.runtime.spawn(asyncio.sleep(100.0)).result(WAIT_S)
    assert service.peak <= 4
    assert service.told <= 8


def test_close_fails_what_waits(service: testing.LedgerService) -> None:
    """Closing fails queued and running samples at once."""
    sampler = sampler_on(service, retry=RetryConfig(max_connections=1))
    service.dialect = ServerDialect(ready_after_polls=1000, hold_s=5.0)
    futures = [sampler.sample(PROMPT, 1, PARAMS) for _ in range(3)]
    sampler.holder.connection.runtime.spawn(sampler.holder.aclose(0.0)).result(WAIT_S)
    for future in futures:
        with pytest.raises(ClosedError):
            future.result(WAIT_S)


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ((ModelInput.empty(), 1, PARAMS), "prompt"),
        (([1, 2], 1, PARAMS), "prompt"),
        ((PROMPT, 0, PARAMS), "num_samples"),
        ((PROMPT, 1, {"max_tokens": 3}), "sampling_params"),
    ],
)
def test_bad_input_raises_at_the_call(
    service: testing.LedgerService, arguments: tuple[Any, ...], field: str
) -> None:
    """Input that the client can judge raises at the call and names its field; nothing is sent."""
    sampler = sampler_on(service)
    with pytest.raises(InputError) as caught:
        sampler.sample(*arguments)
    assert caught.value.field == field
    assert not any(seen.path == SAMPLE for seen in service.seen)


def test_window() -> None:
    """The window grows by one a window of successes; a push-back lets it fall to 0.85 of what was sent."""
    window = Window(10, 100)
    for _ in range(11):
        window.grew()
    assert window.size == 11
    window.pushed_back(10)
    assert window.size == 8
    for _ in range(100):
        window.pushed_back(1)
    assert window.size == 1
    for _ in range(100_000):
        window.grew()
    assert window.size == 100


def test_submissions() -> None:
    """As many submissions are under way as fill the time of an answer, within both bounds."""
    submissions = Submissions(400)
    assert submissions.limit == Submissions.FEWEST
    submissions.answered(0.1)
    assert submissions.limit == 50
    for _ in range(100):
        submissions.answered(10.0)
    assert submissions.limit == 400
    for _ in range(100):
        submissions.answered(0.001)
    assert submissions.limit == Submissions.FEWEST
    assert Submissions(3).limit == 3


class Slow(testing.LedgerService):
    """A service that takes a moment for each promise of a sample, and counts how many wait for theirs."""

    now = peak = 0

    async def answer(self, seen: Seen, *, drips: bool = True) -> Answer:
        """Answer late."""
        if seen.path != SAMPLE:
            return await super().answer(seen, drips=drips)
        self.now += 1
        self.peak = max(self.peak, self.now)
        await asyncio.sleep(0.005)
        self.now -= 1
        return await super().answer(seen, drips=drips)


def test_submissions_are_bounded_while_answers_take_their_time() -> None:
    """No more than `sample_dispatch` submissions wait for their promise at once, and all are answered."""
    service = Slow()
    sampler = sampler_on(service, flow=FlowLimits(sample_dispatch=3))
    futures = [sampler.sample(PROMPT, 1, PARAMS) for _ in range(20)]
    assert all(future.result(WAIT_S).sequences for future in futures)
    assert service.peak == 3


def test_a_sample_that_is_stopped_before_its_first_step_ends(service: testing.LedgerService) -> None:
    """Closing in the very moment of dispatch fails the future, and frees its place."""
    sampler = sampler_on(service)
    dispatcher, runtime = sampler._dispatcher, sampler.holder.connection.runtime
    future = sampler.sample(PROMPT, 1, PARAMS)
    future.result(WAIT_S)
    job = SampleJob(sampler._sampler, Sample(PROMPT, 1, PARAMS))

    async def enter_and_end() -> None:
        dispatcher._entered(job)
        dispatcher.end(ClosedError("the client was closed"))

    runtime.spawn(enter_and_end()).result(WAIT_S)
    with pytest.raises(ClosedError) as caught:
        job.future.result(WAIT_S)
    assert caught.value.applied == "no"
    assert dispatcher.unfinished == 0


@pytest.mark.parametrize(("told", "expected"), [([-1.0, -2.0], [None, -1.0, -2.0]), ([-1.0], None)])
def test_prompt_logprobs_begin_with_none(
    service: testing.LedgerService, told: list[float], expected: list[float | None] | None
) -> None:
    """A server that leaves out the first position is mended; another number is told with its ids."""
    drawn = {"sequences": [{"stop_reason": "length", "tokens": [1]}], "prompt_logprobs": told}
    service.rules.append(lambda asked, *_: reply(drawn) if asked == "retrieve_future" else None)
    future = sampler_on(service).compute_logprobs(PROMPT)
    if expected is not None:
        assert future.result(WAIT_S) == expected
    else:
        error = future.exception(WAIT_S)
        assert isinstance(error, APIResponseValidationError)
        assert (error.applied, error.seq_id) == ("yes", 0)


class Capped(testing.LedgerService):
    """A server that has at most `most` samples at once, each for a second, and answers after a while."""

    def __init__(self, clock: testing.FrozenClock, most: int, roundtrip_s: float) -> None:
        super().__init__()
        self.clock, self.most, self.roundtrip_s = clock, most, roundtrip_s
        self.answers = Counter[int]()
        self.ready_s: dict[str, float] = {}

    async def answer(self, seen: Seen, *, drips: bool = True) -> Answer:
        """Push back what is too much; hold polls until their result is there."""
        if seen.path == SAMPLE:
            await asyncio.sleep(self.roundtrip_s)
            if sum(ready_s > self.clock.now() for ready_s in self.ready_s.values()) >= self.most:
                self.answers[429] += 1
                return reply({"detail": "busy"}, 429)
            taken = await super().answer(seen, drips=drips)
            self.answers[taken.status] += 1
            self.ready_s[taken.json()["request_id"]] = self.clock.now() + 1.0
            return taken
        if seen.path.endswith("retrieve_future"):
            ready_s = self.ready_s[seen.json()["request_id"]]
            await asyncio.sleep(max(0.0, ready_s - self.clock.now()))
            del self.ready_s[seen.json()["request_id"]]
        return await super().answer(seen, drips=drips)


@pytest.mark.parametrize("roundtrip_s", [0.0, 0.2])
@pytest.mark.parametrize("count", [3000, pytest.param(10_000, marks=pytest.mark.long)])
def test_a_cap_is_found_and_kept(clock: testing.FrozenClock, count: int, roundtrip_s: float) -> None:
    """Thousands of samples against a cap of 100: under 1 % of the answers are push-backs."""
    service = Capped(clock, 100, roundtrip_s)
    sampler = sampler_on(service)
    began_s = clock.now()
    with clock.held():
        futures = [sampler.sample(PROMPT, 1, PARAMS) for _ in range(count)]
    for future in futures:
        future.result(WAIT_S)
    assert service.answers[200] == count
    assert service.answers[429] < 0.01 * sum(service.answers.values())
    assert clock.now() - began_s < 1.5 * (1.0 + roundtrip_s) * count / 100
