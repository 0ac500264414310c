"""The error of each request whose client ends: its own ids, and what is known of it."""

from __future__ import annotations

import gc
import threading
import time
import warnings
from typing import TYPE_CHECKING, Any

import pytest
from tinsmith import ClosedError, ModelInput, SamplingParams, ServiceClient, SessionLostError, testing
from tinsmith.testing.ledger_service import ServerDialect

from tests.io.bench import ADAM, WAIT_S, datum, refuse

if TYPE_CHECKING:
    from tinsmith import APIFuture

PROMPT = ModelInput.from_ints([1, 2])
PARAMS = SamplingParams(max_tokens=1)


def ended_by(way: str, client: ServiceClient) -> None:
    """End a client: by itself, or by the server."""
    context = client.holder
    if way == "closed":
        context.connection.runtime.spawn(context.aclose(0.0)).result(WAIT_S)
    else:
        context.connection.runtime.loop.call_soon_threadsafe(context.session._lose, "session-1", 410)


def accepted(future: APIFuture[Any]) -> str:
    """Wait until a request has its promise, and return its id."""
    while future.request_id is None:
        threading.Event().wait(0.001)
    return future.request_id


@pytest.mark.parametrize("way", ["closed", "session lost"])
def test_each_request_hears_of_itself(clock: testing.FrozenClock, way: str) -> None:
    """Steps, batches and samples in flight carry their own promise, owner and number."""
    service = testing.LedgerService()
    client = ServiceClient(**service.settings())
    trainer = client.create_lora_training_client("tinsmith/tiny").result()
    sampler = client.create_sampling_client(base_model="tinsmith/tiny").result()
    service.dialect = ServerDialect(ready_after_polls=10**6, hold_s=5.0)
    with clock.held():
        futures: list[APIFuture[Any]] = [
            trainer.forward_backward([datum()], "cross_entropy"),
            trainer.optim_step(ADAM),
            sampler.sample(PROMPT, 1, PARAMS),
            sampler.sample(PROMPT, 1, PARAMS),
        ]
        promises = [accepted(future) for future in futures]
        ended_by(way, client)
    errors = [future.exception(WAIT_S) for future in futures]
    told: list[Any] = [error for error in errors if isinstance(error, (ClosedError, SessionLostError))]
    assert [error.request_id for error in told] == promises
    assert [error.seq_id for error in told] == [1, 2, 0, 1]
    owners = [trainer.model_id] * 2 + [sampler.sampling_session_id] * 2
    assert [error.model_id for error in told] == owners
    assert {error.applied for error in told} == {"unknown"}
    late = trainer.optim_step(ADAM).exception(WAIT_S)
    assert (getattr(late, "model_id", None), getattr(late, "applied", None)) == (trainer.model_id, "no")


@pytest.mark.parametrize("way", ["closed", "session lost"])
def test_a_client_says_whether_it_is_closed(service: testing.LedgerService, way: str) -> None:
    """Not while it takes calls; then as soon as it takes none."""
    client = ServiceClient(**service.settings())
    trainer = client.create_lora_training_client("tinsmith/tiny").result(WAIT_S)
    before = client.closed
    ended_by(way, client)
    late = trainer.optim_step(ADAM).exception(WAIT_S)
    assert isinstance(late, (ClosedError, SessionLostError))
    assert (before, client.closed) == (False, True)


def test_sample_that_was_not_sent_says_so(clock: testing.FrozenClock) -> None:
    """One that waits for what the server says of itself was not sent, and names its sampler."""
    service = testing.LedgerService()
    client = ServiceClient(**service.settings())
    sampler = client.create_sampling_client(base_model="tinsmith/tiny").result()
    service.rules.append(lambda asked, *_: refuse(401) if asked == "client/config" else None)
    client.holder.settings._fetched = False
    client.holder.settings._config._task = None
    error: Any = sampler.sample(PROMPT, 1, PARAMS).exception(WAIT_S)
    assert (error.model_id, error.seq_id, error.applied) == (sampler.sampling_session_id, None, "no")


@pytest.mark.parametrize("status", [None, "success"])
def test_close_under_a_storm_of_submissions_returns(service: testing.LedgerService, status: Any) -> None:
    """It takes no new calls, ends those that it has, and each that it refuses says that nothing was sent."""
    client = ServiceClient(**service.settings())
    trainer = client.create_lora_training_client("tinsmith/tiny")
    sampler = client.create_sampling_client(base_model="tinsmith/tiny")
    steps: list[APIFuture[Any]] = []
    samples: list[APIFuture[Any]] = []
    under_way = threading.Barrier(5)

    def storm() -> None:
        for count in range(1_000_000):
            step = trainer.optim_step(ADAM)
            steps.append(step)
            samples.append(sampler.sample(PROMPT, 1, PARAMS))
            if count == 3:
                under_way.wait(WAIT_S)
            if step.done() and isinstance(step.exception(), ClosedError):
                return

    threads = [threading.Thread(target=storm) for _ in range(4)]
    for thread in threads:
        thread.start()
    under_way.wait(WAIT_S)
    client.close(status).result(WAIT_S)
    for thread in threads:
        thread.join(WAIT_S)
    refused: list[Any] = [error for step in steps if (error := step.exception(WAIT_S)) is not None]
    assert {(type(error), error.applied) for error in refused} == {(ClosedError, "no")}
    applied = [each for each in service.ledger.applied if each.operation == "optim_step"]
    assert len(applied) == len(steps) - len(refused)
    assert {type(sample.exception(WAIT_S)) for sample in samples} <= {ClosedError, type(None)}


@pytest.mark.parametrize("way", ["dropped", "closed", "never used"])
def test_clients_that_are_dropped_are_told_once(clock: testing.FrozenClock, way: str) -> None:
    """When the last client of a service is gone and nobody closed it; not of one that opened no session."""
    service = testing.LedgerService()
    client = ServiceClient(**service.settings(base_url="http://127.0.0.1:7/"))
    rest = client.create_rest_client()
    kept: list[Any] = [client, rest]
    if way != "never used":
        trainer = client.create_lora_training_client("tinsmith/tiny")
        trainer.optim_step(ADAM).result(WAIT_S)
        sampler = client.create_sampling_client(base_model="tinsmith/tiny")
        sampler.sample(PROMPT, 1, PARAMS).result(WAIT_S)
        kept += [trainer, sampler]
        del trainer, sampler
    if way == "closed":
        client.close()
    del client, rest
    gc.collect()
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", ResourceWarning)
        while len(kept) > 1:
            kept.pop(0)
            gc.collect()
        assert [each for each in told if ":7/" in str(each.message)] == []
        kept.clear()
        clock.settle()
        gc.collect()
        while way == "dropped" and not any(":7/" in str(each.message) for each in told):
            time.sleep(0.01)  # a task that just ended may hold the client for a moment
            gc.collect()
    ours = [str(each.message) for each in told if ":7/" in str(each.message)]
    assert len(ours) == (way == "dropped")
    assert all("session-1" in each and "close()" in each for each in ours)
