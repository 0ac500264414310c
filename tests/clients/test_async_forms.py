"""Plain and async forms are one implementation: each public call through `.result()` and through `await`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from tinsmith import (
    AdamParams,
    APIFuture,
    Datum,
    ModelInput,
    SamplingParams,
    ServiceClient,
    TinkerError,
    testing,
)

from tests.guard import WAIT_S

if TYPE_CHECKING:
    from collections.abc import Iterator

PROMPT = ModelInput.from_ints([1, 2, 3])
PARAMS = SamplingParams(max_tokens=2)
DATA = [Datum(model_input=PROMPT, loss_fn_inputs={"target_tokens": [1, 2, 3], "weights": [1.0, 1.0, 1.0]})]
ADAM = AdamParams()


def plainly(client: Any, name: str, arguments: tuple[Any, ...]) -> Any:
    """Call the plain method and wait by `.result()` where it gives a future."""
    given = getattr(client, name)(*arguments)
    return given.result(WAIT_S) if isinstance(given, APIFuture) else given


def awaited(client: Any, name: str, arguments: tuple[Any, ...]) -> Any:
    """Await the `_async` twin in a loop of its own, and its future where it gives one."""

    async def run() -> Any:
        given = await getattr(client, f"{name}_async")(*arguments)
        return await given if isinstance(given, APIFuture) else given

    return asyncio.run(asyncio.wait_for(run(), WAIT_S))


@pytest.fixture(params=[plainly, awaited])
def call(request: pytest.FixtureRequest) -> Any:
    """Give both ways to call a method."""
    return request.param


@pytest.fixture
def service() -> Iterator[testing.LedgerService]:
    """Run a service in memory."""
    with testing.frozen_clock():
        yield testing.LedgerService()


TRAINING: list[tuple[str, tuple[Any, ...], str]] = [
    ("forward", (DATA, "cross_entropy"), "loss_fn_outputs"),
    ("forward_backward", (DATA, "cross_entropy"), "loss_fn_outputs"),
    ("optim_step", (ADAM,), "metrics"),
    ("save_state", ("name",), "path"),
    ("load_state", ("tinker://run/weights/name",), "path"),
    ("load_state_with_optimizer", ("tinker://run/weights/name",), "path"),
    ("save_weights_for_sampler", ("name",), "path"),
    ("save_weights_and_get_sampling_client", (), "sampling_session_id"),
    ("create_sampling_client", ("tinker://run/sampler_weights/name",), "sampling_session_id"),
    ("get_info", (), "model_id"),
]


@pytest.mark.parametrize(("name", "arguments", "field"), TRAINING, ids=lambda value: str(value)[:40])
def test_training(
    service: testing.LedgerService, call: Any, name: str, arguments: tuple[Any, ...], field: str
) -> None:
    """Each training call gives the same result both ways."""
    client = ServiceClient(**service.settings())
    trainer = call(client, "create_lora_training_client", ("tinsmith/tiny",))
    assert getattr(call(trainer, name, arguments), field) is not None


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("get_server_capabilities", ()),
        ("create_training_client_from_state", ("tinker://run/weights/name",)),
        ("create_training_client_from_state_with_optimizer", ("tinker://run/weights/name",)),
        ("create_sampling_client", (None, "tinsmith/tiny")),
    ],
)
def test_service(service: testing.LedgerService, call: Any, name: str, arguments: tuple[Any, ...]) -> None:
    """Each call of the service works both ways."""
    assert call(ServiceClient(**service.settings()), name, arguments) is not None


def test_sampling(service: testing.LedgerService, call: Any) -> None:
    """Sampling and log-probabilities work both ways."""
    sampler = call(ServiceClient(**service.settings()), "create_sampling_client", (None, "tinsmith/tiny"))
    assert call(sampler, "sample", (PROMPT, 2, PARAMS)).sequences[1].tokens == [7, 7]
    assert call(sampler, "compute_logprobs", (PROMPT,)) == [None, -1.0, -1.0]
    assert call(sampler, "get_base_model", ()) == "tinsmith/tiny"


def test_error(service: testing.LedgerService, call: Any) -> None:
    """An error arrives as the same error both ways."""
    service.rules.append(
        lambda name, _seen, _body: testing.reply({"detail": "no"}, 422) if name == "optim_step" else None
    )
    trainer = call(ServiceClient(**service.settings()), "create_lora_training_client", ("tinsmith/tiny",))
    with pytest.raises(TinkerError, match="422"):
        call(trainer, "optim_step", (ADAM,))


def test_future_may_be_waited_for_everywhere(service: testing.LedgerService) -> None:
    """One future gives its result by `result`, by `await` in two loops, and by `result_async`."""
    trainer = ServiceClient(**service.settings()).create_lora_training_client("tinsmith/tiny")
    future = trainer.optim_step(ADAM)

    async def wait() -> Any:
        return await future

    async def wait_with_limit() -> Any:
        return await future.result_async(WAIT_S)

    outcomes = [asyncio.run(wait()), asyncio.run(wait()), asyncio.run(wait_with_limit()), future.result(0)]
    assert all(outcome is outcomes[0] for outcome in outcomes)


def test_cancelled_await_does_not_cancel_the_request(service: testing.LedgerService) -> None:
    """A timeout around an await ends the waiting alone; the request goes on."""
    service.dialect = testing.ServerDialect(ready_after_polls=3, hold_s=5.0)
    trainer = ServiceClient(**service.settings()).create_lora_training_client("tinsmith/tiny")
    future = trainer.optim_step(ADAM)

    async def give_up() -> None:
        async with asyncio.timeout(0):
            await future

    with pytest.raises(TimeoutError):
        asyncio.run(give_up())
    assert not future.cancelled()
    assert future.result(WAIT_S).metrics == {"seq_id": 1.0}
