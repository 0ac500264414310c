"""Clients that are handed out before the server has made what they work on."""

from __future__ import annotations

import asyncio
import logging
import pickle
import sys
import threading
from contextlib import contextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from tinsmith import (
    APIFuture,
    BadRequestError,
    ClosedError,
    InputError,
    ModelInput,
    NotFoundError,
    SamplingClient,
    SamplingParams,
    ServiceClient,
    TinkerError,
    TrainingClient,
    testing,
)
from tinsmith.core.config import ChunkLimits
from tinsmith.testing.ledger_service import reply

from tests.io.bench import ADAM, WAIT_S, datum, refuse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tinsmith.io.http.messages import Answer, Seen

PROMPT = ModelInput.from_ints([1, 2])
PARAMS = SamplingParams(max_tokens=1)
STATE = "tinker://session-1:train:9/weights/best"

MAKE: dict[str, Callable[[ServiceClient], Any]] = {
    "create_model": lambda service: service.create_lora_training_client("tinsmith/tiny"),
    "weights_info": lambda service: service.create_training_client_from_state(STATE),
    "load_weights": lambda service: service.create_training_client_from_state_with_optimizer(STATE),
    "create_sampling_session": lambda service: service.create_sampling_client(base_model="tinsmith/tiny"),
    "save_weights_for_sampler": lambda service: service.create_lora_training_client(
        "tinsmith/tiny"
    ).save_weights_and_get_sampling_client(),
    "join_sampling_session": lambda service: SamplingClient.create(service.holder, sampling_session_id="s-1"),
}
"""The last request of each way to a client -> the way."""


class HoldingService(testing.LedgerService):
    """A service that keeps operations waiting for their answer as long as a test wants."""

    def __init__(self) -> None:
        super().__init__()
        self.held: set[str] = set()

    async def answer(self, seen: Seen, *, drips: bool = True) -> Answer:
        """Answer once nothing holds the operation; the clock creeps meanwhile, and does not jump."""
        while seen.path.removeprefix("api/v1/") in self.held:  # noqa: ASYNC110  # set from other threads
            await asyncio.sleep(0.001)
        return await super().answer(seen, drips=drips)


@pytest.fixture
def service(clock: testing.FrozenClock) -> HoldingService:
    """Make a service in memory."""
    return HoldingService()


@contextmanager
def held(service: HoldingService, operation: str) -> Iterator[Callable[[], None]]:
    """Keep an operation waiting until the function of the block is called, or the block ends."""
    service.held.add(operation)
    try:
        yield lambda: service.held.discard(operation)
    finally:
        service.held.discard(operation)


def client_of(service: HoldingService, **settings: Any) -> ServiceClient:
    """Make a client of a service."""
    return ServiceClient(**service.settings(**settings))


def sent(service: HoldingService) -> list[str]:
    """Name the operations that change something, in order of arrival."""
    boring = {"client/config", "create_session", "retrieve_future", "session_heartbeat"}
    names = [seen.path.removeprefix("api/v1/") for seen in service.seen]
    return [name for name in names if name not in boring]


@pytest.mark.parametrize("operation", MAKE)
def test_client_is_there_at_once(service: HoldingService, operation: str) -> None:
    """Each way to a client returns while the server is still at it: a client, and the future of it."""
    if operation == "join_sampling_session":
        service.rules.append(lambda asked, *_: reply({"client_counter": 3}) if asked == operation else None)
    with held(service, operation) as let_go:
        client = MAKE[operation](client_of(service))
        assert isinstance(client, (TrainingClient, SamplingClient))
        assert isinstance(client, APIFuture)
        assert not client.done()
        assert "being made" in repr(client)
        with pytest.raises(TimeoutError):
            client.result(0.0)
        let_go()
        made = client.result(WAIT_S)
    assert type(made) is type(client)
    assert "ready" in repr(made)
    name = "model_id" if isinstance(made, TrainingClient) else "sampling_session_id"
    assert getattr(made, name) == getattr(client, name)
    assert repr(getattr(made, name)) in repr(client)


def test_calls_take_their_place_behind_the_creation(service: HoldingService) -> None:
    """Calls made before the model is there are sent in call order once it is, with numbers from 1."""
    with held(service, "create_model") as let_go:
        trainer = client_of(service).create_lora_training_client("tinsmith/tiny")
        early: list[APIFuture[Any]] = [
            trainer.forward_backward([datum()], "cross_entropy"),
            trainer.optim_step(ADAM),
            trainer.save_state("early"),
        ]
        sampler = trainer.save_weights_and_get_sampling_client()
        drawn = sampler.sample(PROMPT, 1, PARAMS)
        assert sent(service) == []
        let_go()
        late = trainer.result(WAIT_S).optim_step(ADAM)
        late.result(WAIT_S)
    assert [future.result(WAIT_S) and future.seq_id for future in early] == [1, 2, 3]
    assert late.seq_id == 5
    assert drawn.result(WAIT_S).sequences[0].tokens == [7]
    order = [name for name in sent(service) if name != "create_model"]
    assert [name for name in order if name != "asample"] == [
        "forward_backward",
        "optim_step",
        "save_weights",
        "save_weights_for_sampler",
        "optim_step",
    ]
    service.ledger.assert_exactly_once(trainer.model_id, 5)


@pytest.mark.parametrize("operation", ["create_model", "create_sampling_session", "load_weights"])
def test_failed_creation_fails_what_is_queued(service: HoldingService, operation: str) -> None:
    """The client, calls made before and after the failure, and attributes raise it; nothing was sent."""
    with held(service, operation) as let_go:
        service.rules.insert(0, lambda asked, *_: refuse(400) if asked == operation else None)
        client = MAKE[operation](client_of(service))
        act = (
            (lambda: client.sample(PROMPT, 1, PARAMS))
            if isinstance(client, SamplingClient)
            else (lambda: client.optim_step(ADAM))
        )
        before = act()
        let_go()
        with pytest.raises(BadRequestError) as caught:
            client.result(WAIT_S)
    assert caught.value.applied == "no"
    for future in (before, act()):
        error: Any = future.exception(WAIT_S)
        assert isinstance(error, TinkerError)
        assert (error.applied, error.request_id, error.seq_id) == ("no", None, None)
        assert "status 400" in str(error)
    assert "BadRequestError" in repr(client)
    with pytest.raises(BadRequestError):
        _ = client.sampling_session_id if isinstance(client, SamplingClient) else client.model_id
    assert "asample" not in sent(service)
    assert "optim_step" not in sent(service)


def test_wrong_arguments_are_refused_at_the_call(service: HoldingService) -> None:
    """What is known to be wrong before sending raises where it was written, and nothing is sent."""
    client = client_of(service)
    wrong: list[Callable[[], object]] = [
        lambda: client.create_lora_training_client(""),
        lambda: client.create_lora_training_client("tinsmith/tiny", rank=0),
        lambda: client.create_training_client_from_state("weights/best"),
        lambda: client.create_training_client_from_state_with_optimizer("weights/best"),
        client.create_sampling_client,
        lambda: client.create_sampling_client(model_path="best"),
        lambda: SamplingClient.create(client.holder),
        lambda: client.create_lora_training_client("tinsmith/tiny", user_metadata=3),  # type: ignore[arg-type]  # wrong on purpose
    ]
    for call in wrong:
        with pytest.raises(InputError):
            call()
    assert service.seen == []
    client.close()
    with pytest.raises(ClosedError):
        client.create_lora_training_client("tinsmith/tiny")
    with pytest.raises(ClosedError):
        client.create_sampling_client(base_model="tinsmith/tiny")


def test_a_running_loop_is_told_to_await(service: HoldingService) -> None:
    """What would block a running loop raises at once; awaited, all is known. Without a loop it waits."""

    async def main(client: ServiceClient, let_go: Callable[[], None]) -> None:
        trainer = client.create_lora_training_client("tinsmith/tiny")
        sampler = client.create_sampling_client(base_model="tinsmith/tiny")
        for look in (
            lambda: trainer.model_id,
            trainer.get_tokenizer,
            lambda: sampler.sampling_session_id,
            sampler.get_base_model,
            sampler.get_tokenizer,
            lambda: pickle.dumps(sampler),
        ):
            with pytest.raises(InputError, match="await the client first"):
                look()
        let_go()
        assert (await trainer).model_id == trainer.model_id
        assert await sampler.get_base_model_async() == sampler.get_base_model() == "tinsmith/tiny"
        assert pickle.dumps(sampler)
        assert (await client.create_lora_training_client_async("tinsmith/tiny")).model_id
        assert [type(each) for each in await asyncio.gather(trainer, sampler)] == [
            TrainingClient,
            SamplingClient,
        ]

    with held(service, "create_session") as let_go:
        asyncio.run(main(client_of(service), let_go))
    assert client_of(service).create_lora_training_client("tinsmith/tiny").model_id


def test_tables_say_that_a_client_is_being_made(service: HoldingService) -> None:
    """A notebook shows that a client is being made, and that calls on it wait for it."""
    with client_of(service) as client, held(service, "create_model"):
        early = client.create_lora_training_client("tinsmith/tiny", rank=4)
        behind = early.optim_step(ADAM)
        own, waiting = early._repr_html_(), behind._repr_html_()
    assert own is not None
    assert "being made" in own
    assert "tinsmith/tiny" in own
    assert waiting is not None
    assert "the TrainingClient to be made" in waiting


def test_a_cell_of_a_notebook_waits(service: HoldingService, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel's loop runs while a cell does, and a cell that waits holds up nobody but itself."""

    async def cell(client: ServiceClient) -> str:
        return client.create_lora_training_client("tinsmith/tiny").model_id

    shell = SimpleNamespace()
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    with held(service, "create_model"), pytest.raises(InputError, match="await the client first"):
        asyncio.run(cell(client_of(service)))
    shell.kernel = object()
    assert asyncio.run(cell(client_of(service)))


def test_close_waits_for_creations(service: HoldingService) -> None:
    """A creation in flight is ended by `close` as queued calls are: both come to their end first."""
    client = client_of(service)
    with held(service, "create_model") as let_go:
        trainer = client.create_lora_training_client("tinsmith/tiny")
        idle = client.create_lora_training_client("tinsmith/tiny")
        step = trainer.optim_step(ADAM)
        threading.Timer(0.05, let_go).start()
        client.close(timeout=1e6)
    assert step.result(0).metrics == {"seq_id": 1.0}
    assert idle.result(0).model_id


def test_close_without_time_ends_creations(service: HoldingService) -> None:
    """After its deadline `close` fails the client, and says of what was queued that it was not sent."""
    client = client_of(service)
    with held(service, "create_model"):
        trainer = client.create_lora_training_client("tinsmith/tiny")
        step = trainer.optim_step(ADAM)
        client.close(timeout=0.0)
        for future, applied in ((trainer, "unknown"), (step, "no")):
            error: Any = future.exception(WAIT_S)
            assert isinstance(error, ClosedError)
            assert error.applied == applied


@pytest.mark.parametrize("look", ["never", "client", "call"])
def test_failure_that_nobody_looked_at_is_told(
    service: HoldingService, look: str, caplog: pytest.LogCaptureFixture
) -> None:
    """`close` says that a client was never made, unless its error was seen on the client or on a call."""
    service.rules.append(lambda asked, *_: refuse(400) if asked == "create_model" else None)
    client = client_of(service)
    trainer = client.create_lora_training_client("tinsmith/tiny")
    step = trainer.optim_step(ADAM)
    if look == "client":
        assert isinstance(trainer.exception(WAIT_S), BadRequestError)
    if look == "call":
        assert isinstance(step.exception(WAIT_S), BadRequestError)
    client.close()
    told = [record.getMessage() for record in caplog.records if "never made" in record.getMessage()]
    assert len(told) == (look == "never")
    assert all("BadRequestError" in text for text in told)


def test_failure_is_told_without_logging(
    service: HoldingService, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A program that has configured no logging reads it on stderr."""
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    service.rules.append(lambda asked, *_: refuse(400) if asked == "create_sampling_session" else None)
    client = client_of(service)
    client.create_sampling_client(base_model="tinsmith/tiny")
    client.close()
    assert "tinsmith: closed, and a client was never made: BadRequestError" in capsys.readouterr().err


@pytest.mark.parametrize("begun", [True, False])
def test_cancelled_creation_ends_its_line(
    clock: testing.FrozenClock, service: HoldingService, begun: bool
) -> None:
    """Withdrawing the client withdraws what was queued on it; another client is not touched."""
    client = client_of(service)
    with held(service, "create_model") as let_go, held(service, "create_sampling_session"):
        trainer = client.create_lora_training_client("tinsmith/tiny")
        other = client.create_lora_training_client("tinsmith/tiny")
        step = trainer.optim_step(ADAM)
        sampler = client.create_sampling_client(base_model="tinsmith/tiny")
        drawn = sampler.sample(PROMPT, 1, PARAMS)
        if begun:
            clock.settle()
        assert sampler.cancel()
        assert isinstance(drawn.exception(WAIT_S), TinkerError)
        assert trainer.cancel()
        error: Any = step.exception(WAIT_S)
        assert isinstance(error, TinkerError)
        assert error.applied == "no"
        assert "cancelled" in repr(trainer)
        let_go()
        assert other.optim_step(ADAM).result(WAIT_S).metrics == {"seq_id": 1.0}
    assert sent(service).count("optim_step") == 1


@pytest.mark.parametrize("by_load", [True, False])
def test_checkpoint_is_loaded_before_what_is_queued(service: HoldingService, by_load: bool) -> None:
    """Nothing trains a restored model before its weights are there, however it is restored."""

    def rule(asked: str, _seen: object, body: dict[str, Any]) -> Answer | None:
        if asked == "client/config":
            return reply({"sample_use_retrieve_futures": False}) if by_load else refuse(404)
        if asked == "load_weights" and "session_id" in body:
            service._next["restored"] = 1
            return service._promise(None, {"type": "load_weights", "model_id": "restored", "path": STATE})
        return None

    service.rules.append(rule)
    with held(service, "weights_info") as let_go:
        trainer = client_of(service).create_training_client_from_state(STATE)
        early = trainer.optim_step(ADAM)
        let_go()
        early.result(WAIT_S)
    made = ["load_weights"] if by_load else ["create_model", "load_weights"]
    assert [name for name in sent(service) if name != "weights_info"] == [*made, "optim_step"]
    assert early.seq_id == (1 if by_load else 2)
    assert "rank=8" in repr(trainer)


def test_failed_load_sends_nothing_behind_it(service: HoldingService) -> None:
    """A load that fails in its promise fails the creation: no step goes to the model of fresh weights."""
    service.fail_promise = lambda operation, _: (
        {"error": "no such file", "category": "user"} if operation == "load_weights" else None
    )
    trainer = client_of(service).create_training_client_from_state(STATE)
    early = trainer.optim_step(ADAM)
    error: Any = early.exception(WAIT_S)
    assert isinstance(error, TinkerError)
    assert error.applied == "no"
    assert trainer.exception(WAIT_S) is not None
    assert "optim_step" not in sent(service)


def test_limits_learned_late_hold_for_early_calls(service: HoldingService) -> None:
    """A batch called before the server told its limits is cut by them, and what is behind it stays behind."""
    flags = {"fwdbwd_max_chunk_len": 1, "fwdbwd_max_chunk_bytes_count": 10**6}
    client = client_of(service)
    with held(service, "client/config") as let_go:
        service.rules.append(lambda asked, *_: reply(flags) if asked == "client/config" else None)
        trainer = client.create_lora_training_client("tinsmith/tiny")
        batch = trainer.forward_backward([datum(1), datum(2), datum(3)], "cross_entropy")
        step = trainer.optim_step(ADAM)
        let_go()
        assert len(batch.result(WAIT_S).loss_fn_outputs) == 3
        step.result(WAIT_S)
    assert client.holder.settings.limits.chunks != ChunkLimits()
    count = sent(service).count("forward_backward")
    assert (batch.seq_id, step.seq_id) == (1, 1 + count)
    assert count > 1


def test_samples_of_a_pending_sampler_hold_up_no_other(service: HoldingService) -> None:
    """However many wait for a sampler that is being made, samples of another one go out."""
    client = client_of(service)
    ready = client.create_sampling_client(base_model="tinsmith/tiny").result(WAIT_S)
    with held(service, "create_sampling_session") as let_go:
        pending = client.create_sampling_client(base_model="tinsmith/tiny")
        waiting = [pending.sample(PROMPT, 1, PARAMS) for _ in range(2000)]
        ready.sample(PROMPT, 1, PARAMS).result(WAIT_S)
        assert waiting[3].cancel()
        assert not any(future.done() for future in waiting[:3])
        let_go()
        assert all(future.result(WAIT_S) for future in waiting[:3] + waiting[4:])
    assert [waiting[index].seq_id for index in (0, 1, 2, 4)] == [0, 1, 2, 3]


def test_missing_checkpoint_is_the_client_s_error(service: HoldingService) -> None:
    """A 404 of the creation is `NotFoundError` on the client, not on the call that asked for it."""
    service.rules.append(lambda asked, *_: refuse(404) if asked == "weights_info" else None)
    trainer = client_of(service).create_training_client_from_state(STATE)
    with pytest.raises(NotFoundError):
        trainer.result(WAIT_S)
