"""One poll for all samples of a sampler, numbers of its copies, and servers that offer neither."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

import pytest
from tinsmith import ModelInput, SamplingClient, SamplingParams, ServiceClient, testing
from tinsmith.testing.ledger_service import reply

from tests.io.bench import WAIT_S, refuse

if TYPE_CHECKING:
    from tinsmith.io.http.messages import Answer, Seen

PROMPT = ModelInput.from_ints([1, 2])
PARAMS = SamplingParams(max_tokens=1)
FUTURES = "api/v1/retrieve_futures"


class Announcer(testing.LedgerService):
    """A service that tells which promises of a sampler have ended; `refusal` answers instead."""

    def __init__(self, *, refusal: Answer | None = None, counter: int | None = None) -> None:
        super().__init__()
        self.refusal = refusal
        self.counter = counter
        self.asked: list[dict[str, Any]] = []
        self.rules.append(self._rule)

    def _rule(self, asked: str, _seen: Seen, body: dict[str, Any]) -> Answer | None:
        if asked == "client/config":
            joins = self.counter is not None
            return reply({"sample_use_retrieve_futures": True, "sample_join_sampling_session": joins})
        if asked == "join_sampling_session":
            return reply({"client_counter": self.counter})
        if asked != "retrieve_futures":
            return None
        self.asked.append(body)
        if self.refusal is not None:
            return self.refusal
        known = [name for name in self._promises if name.startswith("request-")]
        ended = [{"state": "finished", "request_id": name} for name in known[body["prev_cursor"] :]]
        return reply({"completions": ended, "cursor": len(known)})

    def polls(self) -> int:
        """Count the single polls for samples."""
        kinds = [
            s.headers.get("x-tinker-request-type") for s in self.seen if s.path.endswith("retrieve_future")
        ]
        return kinds.count("Sample")


def sampler_on(service: testing.LedgerService) -> SamplingClient:
    """Make a sampler of a client of its own."""
    return ServiceClient(**service.settings()).create_sampling_client(base_model="tinsmith/tiny").result()


def test_one_poll_announces_many_samples(clock: testing.FrozenClock) -> None:
    """Each result is fetched with one poll, once it is announced; the cursor goes on."""
    service = Announcer()
    sampler = sampler_on(service)
    for future in [sampler.sample(PROMPT, 1, PARAMS) for _ in range(50)]:
        future.result(WAIT_S)
    assert service.polls() == 50
    target = {"type": "sampling_session", "sampling_session_id": sampler.sampling_session_id}
    assert all(body["target"] == {**target, "cloned_sampler_id": 0} for body in service.asked)
    cursors = [body["prev_cursor"] for body in service.asked]
    assert cursors == sorted(cursors)
    assert cursors[0] == 0


def test_results_that_arrived_are_acknowledged_once(clock: testing.FrozenClock) -> None:
    """The server hears of each result that was read, once, also when nobody waits any more."""
    service = Announcer()
    sampler = sampler_on(service)
    for _ in range(3):
        sampler.sample(PROMPT, 1, PARAMS).result(WAIT_S)
    clock.settle()
    sampler.holder.connection.runtime.spawn(_rest(3.0)).result(WAIT_S)
    told = [name for body in service.asked for name in body["retrieved_request_ids"]]
    assert sorted(told) == ["request-1", "request-2", "request-3"]
    assert service.asked[-1]["timeout"] == 0


async def _rest(seconds: float) -> None:
    import asyncio

    await asyncio.sleep(seconds)


@pytest.mark.parametrize("status", [404, 405, 500, 503, 429, 422])
def test_single_polls_take_over(clock: testing.FrozenClock, status: int) -> None:
    """Where the session-wide poll is refused or fails, every sample still ends."""
    service = Announcer(refusal=refuse(status))
    sampler = sampler_on(service)
    for _ in range(2):
        for future in [sampler.sample(PROMPT, 1, PARAMS) for _ in range(5)]:
            assert future.result(WAIT_S).sequences
    assert len(service.asked) == 1


def test_server_that_never_announces(clock: testing.FrozenClock) -> None:
    """After a minute without news single polls ask: nothing waits for an announcement alone."""
    service = Announcer(refusal=reply({"completions": [], "cursor": 0}))
    sampler = sampler_on(service)
    began = clock.now()
    assert sampler.sample(PROMPT, 1, PARAMS).result(WAIT_S).sequences
    assert 60.0 <= clock.now() - began < 62.0


@pytest.mark.parametrize(
    "answer",
    [
        reply([1]),
        reply({"completions": None}),
        reply({"completions": 3}),
        reply({"completions": [3, {"state": "x"}, {"request_id": "another's"}], "cursor": -1}),
    ],
)
def test_answers_of_another_shape_harm_nothing(
    clock: testing.FrozenClock, caplog: pytest.LogCaptureFixture, answer: Answer
) -> None:
    """Unknown entries are passed over, and the sample ends; nothing fails in the background."""
    sampler = sampler_on(Announcer(refusal=answer))
    assert sampler.sample(PROMPT, 1, PARAMS).result(WAIT_S).sequences
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


def test_names_that_nobody_waits_for_are_no_reason_to_hurry(clock: testing.FrozenClock) -> None:
    """A server that names promises of others, new ones each time and at once, is asked at a calm pace."""
    service = Announcer(refusal=reply({}))
    sampler = sampler_on(service)

    def others(asked: str, _seen: Seen, _body: dict[str, Any]) -> Answer | None:
        ended = [{"state": "finished", "request_id": f"another's {len(service.asked)}"}]
        service.refusal = reply({"completions": ended, "cursor": 0})
        return None

    service.rules.insert(0, others)
    assert sampler.sample(PROMPT, 1, PARAMS).result(WAIT_S).sequences
    assert len(service.asked) < 60.0 / 0.1


def test_results_are_acknowledged_after_a_failure_too(clock: testing.FrozenClock) -> None:
    """One poll that failed is no reason to have the server keep every later result."""
    service = Announcer(refusal=refuse(503))
    sampler = sampler_on(service)
    sampler.sample(PROMPT, 1, PARAMS).result(WAIT_S)
    service.refusal = None
    sampler.holder.connection.runtime.spawn(_rest(61.0)).result(WAIT_S)
    sampler.sample(PROMPT, 1, PARAMS).result(WAIT_S)
    sampler.holder.connection.runtime.spawn(_rest(3.0)).result(WAIT_S)
    told = [name for body in service.asked for name in body["retrieved_request_ids"]]
    assert sorted(told) == ["request-1", "request-2"]


def test_without_the_flag_each_sample_is_polled(service: testing.LedgerService) -> None:
    """Other servers are never asked for completions."""
    sampler_on(service).sample(PROMPT, 1, PARAMS).result(WAIT_S)
    assert FUTURES not in {seen.path for seen in service.seen}


def test_closing_ends_who_waits_for_an_announcement(clock: testing.FrozenClock) -> None:
    """Nobody hangs when the client is closed meanwhile."""
    service = Announcer(refusal=reply({"completions": [], "cursor": 0}))
    sampler = sampler_on(service)
    with clock.held():
        future = sampler.sample(PROMPT, 1, PARAMS)
        sampler.holder.connection.runtime.spawn(sampler.holder.aclose(0.0)).result(WAIT_S)
    with pytest.raises(Exception, match="closed"):
        future.result(WAIT_S)


# Copies


def copy_of(
    sampler: SamplingClient, service: testing.LedgerService, monkeypatch: pytest.MonkeyPatch
) -> SamplingClient:
    """Send a sampler to another process and back."""
    monkeypatch.setenv("TINKER_API_KEY", "tml-child")
    copied: SamplingClient = pickle.loads(pickle.dumps(sampler))
    http = service.settings()["http_client"]
    copied.holder.connection.transport._given = http
    return copied


def numbers(service: testing.LedgerService) -> list[int]:
    """Return the numbers of all samples."""
    return [seen.json()["seq_id"] for seen in service.seen if seen.path == "api/v1/asample"]


def test_copy_is_numbered_by_the_server(clock: testing.FrozenClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the flag a copy joins before its first sample, once, and counts from there."""
    service = Announcer(counter=7)
    copied = copy_of(sampler_on(service), service, monkeypatch)
    for future in [copied.sample(PROMPT, 1, PARAMS) for _ in range(3)]:
        future.result(WAIT_S)
    assert sorted(numbers(service)) == [7_000_000_000, 7_000_000_001, 7_000_000_002]
    assert [seen.path for seen in service.seen].count("api/v1/join_sampling_session") == 1
    assert {body["target"]["cloned_sampler_id"] for body in service.asked} == {7}


@pytest.mark.parametrize("broken", ["refused", "no flag"])
def test_copy_that_cannot_join_draws_its_own_number(
    clock: testing.FrozenClock, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    """Without the flag, or where joining fails, the number that was drawn at random holds."""
    service = Announcer(counter=None if broken == "no flag" else 7)
    if broken == "refused":
        service.rules.insert(0, lambda asked, *_: refuse(404) if asked == "join_sampling_session" else None)
    copied = copy_of(sampler_on(service), service, monkeypatch)
    copied.sample(PROMPT, 1, PARAMS).result(WAIT_S)
    (number,) = numbers(service)
    assert number >= 1_000_000_000
    assert number % 1_000_000_000 == 0


@pytest.mark.parametrize("counter", [0, -3, True, 1.5, "7", "x", None, 10**12])
@pytest.mark.parametrize("way", ["pickled", "joined"])
def test_number_that_no_copy_can_have(
    clock: testing.FrozenClock, monkeypatch: pytest.MonkeyPatch, counter: Any, way: str
) -> None:
    """0 is the original's, whose samples it would get; others no request can carry: it draws its own."""
    service = Announcer(counter=7)
    service.counter = counter
    service.rules.insert(
        0, lambda asked, *_: reply({"sample_join_sampling_session": True}) if "config" in asked else None
    )
    sampler = sampler_on(service)
    if way == "pickled":
        copied = copy_of(sampler, service, monkeypatch)
    else:
        named = sampler.sampling_session_id
        copied = SamplingClient.create(sampler.holder, sampling_session_id=named).result(WAIT_S)
    copied.sample(PROMPT, 1, PARAMS).result(WAIT_S)
    (number,) = numbers(service)
    assert 1_000_000_000 <= number < 2**63
