"""Waiting: how often promises are asked for, what long waits say, when they end, and how a session lives."""

from __future__ import annotations

import logging
import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from tinsmith import (
    APIFuture,
    InputError,
    OptimStepResponse,
    ProgressTimeoutError,
    RequestFailedError,
    ServiceClient,
    SessionLostError,
    TinkerError,
    testing,
)
from tinsmith.core.config import ClientConfig
from tinsmith.core.retry import Fault
from tinsmith.io.events import Event, Progress, QueueState, QueueStateChanged, StillWaiting
from tinsmith.io.http.messages import Faulted
from tinsmith.testing.ledger_service import ServerDialect, reply

from tests.io.bench import ADAM, WAIT_S, refuse, timed, trainer_on

if TYPE_CHECKING:
    from collections.abc import Callable

    from tinsmith.io.http.messages import Answer, Seen

POLL = "retrieve_future"


def config(**settings: Any) -> ClientConfig:
    """Make a configuration for a service in memory."""
    fixed = {"base_url": "http://127.0.0.1:1/", "api_key": "tml-x", "server_deduplicates": True}
    return ClientConfig.from_environment(**{**fixed, **settings})


def polls(service: testing.LedgerService) -> int:
    """Count the polls so far."""
    return sum(seen.path.endswith(POLL) for seen in service.seen)


def until(
    clock: testing.FrozenClock, after_s: float, answer: Answer
) -> Callable[[str, Seen, dict[str, Any]], Answer | None]:
    """Make a rule that answers polls of training with `answer` until `after_s` seconds from the first."""
    began: list[float] = []

    def rule(operation: str, _seen: Seen, body: dict[str, Any]) -> Answer | None:
        if operation != POLL or body["request_id"].startswith("model"):
            return None
        began.append(clock.now())
        return answer if clock.now() - began[0] < after_s else None

    return rule


# Pace


def test_server_that_does_not_hold_polls(clock: testing.FrozenClock, service: testing.LedgerService) -> None:
    """Ready after 2 s on a server that answers "not yet" at once: at most 20 polls, at most 100 ms late."""
    trainer = trainer_on(service)
    late_s = []
    for _ in range(3):
        before = polls(service)
        service.rules[:] = [until(clock, 2.0, reply({"type": "try_again", "queue_state": "active"}, 408))]
        errors, took_s = timed(clock, lambda: trainer.optim_step(ADAM))
        assert errors == [None]
        assert polls(service) - before <= 20
        late_s.append(took_s - 2.0)
    assert min(late_s) < 0.1  # on a busy machine the clock may have moved before the first poll


def test_server_that_holds_polls(clock: testing.FrozenClock, service: testing.LedgerService) -> None:
    """On a server that holds its polls, the next one follows at once: one poll a hold."""
    service.dialect = ServerDialect(ready_after_polls=3, hold_s=30.0)
    trainer = trainer_on(service)
    before = polls(service)
    errors, took_s = timed(clock, lambda: trainer.optim_step(ADAM))
    assert (errors, polls(service) - before) == ([None], 4)
    assert took_s == pytest.approx(90.0, abs=0.5)


@pytest.mark.parametrize("status", [500, 503, 429])
def test_storm_on_polls(clock: testing.FrozenClock, service: testing.LedgerService, status: int) -> None:
    """While polls fail, a future asks at most once a second, and a client at most 20 times."""
    trainer = trainer_on(service)
    service.rules.append(until(clock, 60.0, refuse(status)))
    before = polls(service)
    errors, took_s = timed(clock, *[lambda: trainer.optim_step(ADAM)] * 100)
    assert errors == [None] * 100
    asked = polls(service) - before - 100
    assert took_s < 120.0
    assert asked <= 100 + 20 * took_s
    assert asked <= 100 * (took_s + 1)


def test_retry_after_on_polls(clock: testing.FrozenClock, service: testing.LedgerService) -> None:
    """A poll obeys Retry-After."""
    trainer = trainer_on(service)
    service.rules.append(until(clock, 9.0, reply({}, 503, {"retry-after": "10"})))
    before = polls(service)
    errors, took_s = timed(clock, lambda: trainer.optim_step(ADAM))
    assert (errors, polls(service) - before) == ([None], 2)
    assert took_s == pytest.approx(10.0, abs=0.5)


def test_read_timeout_of_a_poll_is_no_error(
    clock: testing.FrozenClock, service: testing.LedgerService, caplog: pytest.LogCaptureFixture
) -> None:
    """A poll that the server holds longer than we wait is asked again at once, and nobody is warned."""
    service.dialect = ServerDialect(ready_after_polls=2, hold_s=300.0)
    trainer = trainer_on(service)
    with caplog.at_level(logging.WARNING):
        errors, took_s = timed(clock, lambda: trainer.optim_step(ADAM))
    assert errors == [None]
    assert took_s == pytest.approx(90.0, abs=1.0)
    assert [record.message for record in caplog.records if "heartbeat" not in record.message] == [
        message for message in caplog.messages if "has waited" in message
    ]


# Ends


def test_progress_timeout(clock: testing.FrozenClock, service: testing.LedgerService) -> None:
    """Nothing completed and no queue state changed for the limit: the future fails, and can be attached."""
    assert ClientConfig(base_url="local:").progress_timeout_s == 7200.0
    trainer = trainer_on(service, config=config(progress_timeout_s=300.0))
    service.rules.append(until(clock, 400.0, reply({"type": "try_again"}, 408)))
    (error,), took_s = timed(clock, lambda: trainer.optim_step(ADAM))
    assert isinstance(error, ProgressTimeoutError)
    assert "from_request_id" in str(error)
    assert 300.0 <= took_s < 310.0
    assert (error.request_id, error.applied) == ("request-2", "unknown")


def test_progress_timeout_waits_while_something_moves(
    clock: testing.FrozenClock, service: testing.LedgerService
) -> None:
    """A change of the queue state is progress."""
    states = iter(["paused_capacity", "active"] * 50)

    def rule(operation: str, _seen: Seen, body: dict[str, Any]) -> Answer | None:
        if operation == POLL and not body["request_id"].startswith("model") and clock.now() < 21_000:
            clock.advance(3600.0)
            return reply({"type": "try_again", "queue_state": next(states)}, 408)
        return None

    service.rules.append(rule)
    trainer = trainer_on(service)
    assert trainer.optim_step(ADAM).result(WAIT_S).metrics == {"seq_id": 1.0}
    assert clock.now() >= 21_000


def test_wall_clock_jump_has_no_effect(
    clock: testing.FrozenClock, service: testing.LedgerService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wall clock that jumps three hours ahead ends nothing."""
    trainer = trainer_on(service)
    service.dialect = ServerDialect(ready_after_polls=5)
    monkeypatch.setattr("time.time", lambda: 1e12)
    assert trainer.optim_step(ADAM).result(WAIT_S).metrics == {"seq_id": 1.0}


def test_attach_again(service: testing.LedgerService) -> None:
    """A promise noted before a crash gives its result to a new client."""
    trainer = trainer_on(service)
    future = trainer.optim_step(ADAM)
    result = future.result(WAIT_S)
    assert future.request_id is not None
    fresh = ServiceClient(**service.settings())
    again = APIFuture.from_request_id(future.request_id, service=fresh, result=OptimStepResponse)
    assert again.result(WAIT_S) == result
    assert again.request_id == future.request_id
    with pytest.raises(InputError):
        APIFuture.from_request_id("x", service=fresh, result=int)
    unknown = APIFuture.from_request_id("never", service=fresh, result=OptimStepResponse).exception(WAIT_S)
    assert isinstance(unknown, TinkerError)
    assert unknown.applied == "unknown", "nobody knows what became of a promise of which nobody knows"


# What a wait says


def test_observers_hear_queue_states_and_counts(
    clock: testing.FrozenClock, service: testing.LedgerService
) -> None:
    """Queue states, long waits and counts are told; the client's own method is called too."""
    heard: list[Event] = []
    trainer = trainer_on(service, observer=heard.append)
    states: list[QueueState] = []
    trainer.on_queue_state_change = states.append  # type: ignore[assignment,method-assign]
    paused = {"type": "try_again", "queue_state": "paused_capacity", "queue_state_reason": "full house"}
    service.rules.append(until(clock, 130.0, reply(paused, 408)))
    timed(clock, lambda: trainer.optim_step(ADAM))
    (changed,) = [event for event in heard if isinstance(event, QueueStateChanged)]
    assert (changed.state, changed.reason, changed.model_id) == (
        "paused_capacity",
        "full house",
        trainer.model_id,
    )
    assert states == [QueueState.PAUSED_CAPACITY]
    waits = [event for event in heard if isinstance(event, StillWaiting)]
    assert [event.waited_s for event in waits] == pytest.approx([60.0, 120.0], abs=2.5)
    assert "full house" in waits[0].waits_for
    counts = [event for event in heard if isinstance(event, Progress)][-1]
    assert (counts.waiting, counts.in_flight, counts.done, counts.failed) == (0, 0, 1, 0)


def test_long_wait_is_warned_of_once(
    clock: testing.FrozenClock, service: testing.LedgerService, caplog: pytest.LogCaptureFixture
) -> None:
    """A wait that lasts says in the log what it waits for, at most once a minute."""
    trainer = trainer_on(service)
    paused = {"type": "try_again", "queue_state": "paused_rate_limit"}
    service.rules.append(until(clock, 70.0, reply(paused, 408)))
    for future in [trainer.optim_step(ADAM) for _ in range(5)]:
        future.result(WAIT_S)
    (message,) = [message for message in caplog.messages if "has waited" in message]
    assert "rate limit" in message


def test_observer_that_raises_breaks_nothing(service: testing.LedgerService) -> None:
    """An observer that raises is logged, and the request goes on."""

    def broken(_: Event) -> None:
        raise ValueError("mine")

    trainer = trainer_on(service, observer=broken)
    assert trainer.optim_step(ADAM).result(WAIT_S).metrics == {"seq_id": 1.0}


def test_errors_are_counted_by_kind(service: testing.LedgerService) -> None:
    """Errors that a retry overcame are counted by their kind."""
    service.plan = testing.AtPosition({0: testing.FaultKind.STATUS_502_AFTER}, paths=["api/v1/optim_step"])
    client = ServiceClient(**service.settings())
    client.create_lora_training_client("tinsmith/tiny").result().optim_step(ADAM).result(WAIT_S)
    assert client.progress().errors == {"status 502": 1}


# Sessions


def test_session_beats_every_ten_seconds(clock: testing.FrozenClock, service: testing.LedgerService) -> None:
    """Heartbeats keep their beat of 10 s."""
    beats: list[float] = []

    def rule(operation: str, _seen: Seen, _body: dict[str, Any]) -> Answer | None:
        if operation == "session_heartbeat":
            beats.append(clock.now())
        return None

    service.rules.append(rule)
    service.dialect = ServerDialect(ready_after_polls=4, hold_s=25.0)
    trainer_on(service).optim_step(ADAM).result(WAIT_S)
    gaps = [later - earlier for earlier, later in pairwise(beats)]
    assert len(gaps) >= 8
    assert gaps == pytest.approx([10.0] * len(gaps), abs=0.01)


def test_first_failed_heartbeat_warns(
    clock: testing.FrozenClock, service: testing.LedgerService, caplog: pytest.LogCaptureFixture
) -> None:
    """The first heartbeat that fails is warned of, and the next ones not for two minutes."""
    trainer = trainer_on(service)
    service.dialect = ServerDialect(ready_after_polls=3, hold_s=25.0)
    with clock.held():
        service.rules.append(lambda name, *_: refuse(500) if name == "session_heartbeat" else None)
        step = trainer.optim_step(ADAM)
    step.result(WAIT_S)
    ages = [float(age) for age in re.findall(r"a heartbeat .* worked was (\d+) s ago", caplog.text)]
    assert sum(age < 120 for age in ages) == 1


@pytest.mark.parametrize("status", [404, 410])
def test_lost_session_fails_every_future(service: testing.LedgerService, status: int) -> None:
    """When the server forgot the session, every future and every later call gets SessionLostError."""
    trainer = trainer_on(service)
    service.dialect = ServerDialect(ready_after_polls=1000, hold_s=25.0)
    futures = [trainer.optim_step(ADAM) for _ in range(3)]
    service.rules.append(lambda name, *_: refuse(status) if name == "session_heartbeat" else None)
    for future in futures:
        with pytest.raises(SessionLostError, match="checkpoint"):
            future.result(WAIT_S)
    with pytest.raises(SessionLostError):
        trainer.optim_step(ADAM).result(WAIT_S)
    with pytest.raises(SessionLostError):
        trainer.get_info()


def test_session_opens_once_for_many(service: testing.LedgerService) -> None:
    """Clients that are made at once share one session, and none is opened before it is needed."""
    client = ServiceClient(**service.settings())
    client.get_server_capabilities()
    assert [seen.path for seen in service.seen] == ["api/v1/get_server_capabilities"]
    futures = [client.create_sampling_client(base_model="tinsmith/tiny").result() for _ in range(10)]
    ids = {future.result(WAIT_S).sampling_session_id for future in futures}
    assert len(ids) == 10
    assert sum(seen.path == "api/v1/create_session" for seen in service.seen) == 1


@pytest.mark.parametrize("category", ["user", "server", "User"])
def test_failed_promise_has_its_category(service: testing.LedgerService, category: str) -> None:
    """A promise that fails raises at once with its category, and is never submitted again."""
    service.fail_promise = lambda operation, body: {"error": "no", "category": category}
    trainer = trainer_on(service)
    with pytest.raises(RequestFailedError) as caught:
        trainer.optim_step(ADAM).result(WAIT_S)
    assert caught.value.category.value == (category if category != "User" else "unknown")
    assert sum(seen.path.endswith("optim_step") for seen in service.seen) == 1


def test_a_wait_says_that_nothing_reaches_the_server(
    clock: testing.FrozenClock, service: testing.LedgerService, caplog: pytest.LogCaptureFixture
) -> None:
    """While every connection is refused, the server is not said to be at work; then it is again."""
    told: list[Event] = []
    refused: list[float] = []

    def rule(operation: str, _seen: Seen, body: dict[str, Any]) -> Answer | None:
        if operation != POLL or body["request_id"].startswith("model"):
            return None
        refused.append(clock.now())
        if clock.now() - refused[0] < 400:
            raise Faulted(Fault.REFUSED, "connection refused")
        return reply({"type": "try_again"}, 408) if clock.now() - refused[0] < 2000 else None

    service.rules.append(rule)
    with ServiceClient(**service.settings(observer=told.append)) as client:
        trainer = client.create_lora_training_client("tinsmith/tiny")
        trainer.optim_step(ADAM).result(WAIT_S)
    waits = [event for event in told if isinstance(event, StillWaiting)]
    for wait in waits:
        unreached = "the server cannot be reached since" in wait.waits_for
        assert unreached == (wait.waited_s < 400), wait
        assert unreached or wait.waits_for == "the server to finish it"
    assert any(wait.waited_s < 400 for wait in waits)
    assert any(wait.waited_s > 400 for wait in waits)
    assert "has waited" in caplog.text
    assert "for a connection: the server cannot be reached since" in caplog.text


def test_the_progress_timeout_says_that_nothing_reaches_the_server(service: testing.LedgerService) -> None:
    """A wait that ends so is no word on what the server does."""

    def rule(operation: str, _seen: Seen, body: dict[str, Any]) -> Answer | None:
        if operation == POLL and not body["request_id"].startswith("model"):
            raise Faulted(Fault.REFUSED, "connection refused")
        return None

    service.rules.append(rule)
    settings = {"config": config(progress_timeout_s=100.0), "http_client": service.settings()["http_client"]}
    with ServiceClient(**settings) as client:
        error = client.create_lora_training_client("tinsmith/tiny").optim_step(ADAM).exception(WAIT_S)
    assert isinstance(error, ProgressTimeoutError)
    assert "the server cannot be reached since 1" in str(error)
    assert error.applied == "unknown"
