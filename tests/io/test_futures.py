"""What a future, and whatever is one, shows of itself, and how awaiting it lets others run."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any

import pytest
from tinsmith import APIFuture, ClientConfig, ModelInput, SamplingParams, ServiceClient, testing
from tinsmith.clients.service import SETTINGS
from tinsmith.core.config import Secret
from tinsmith.testing.ledger_service import reply

from tests.io.bench import ADAM, WAIT_S, datum, refuse, trainer_on


def test_await_of_a_finished_future_lets_others_run() -> None:
    """Tasks that were started before go on first, however the future is awaited."""

    async def main(wait: Any) -> list[str]:
        order: list[str] = []

        async def other() -> None:
            order.append("other")

        task = asyncio.create_task(other())
        await wait()
        order.append("main")
        await task
        return order

    done: APIFuture[int] = APIFuture()
    done.settle(1)
    for wait in (lambda: done, done.result_async, lambda: done.result_async(5.0)):

        async def waiting(wait: Any = wait) -> None:
            assert await wait() == 1

        assert asyncio.run(main(waiting)) == ["other", "main"]


def test_async_twins_let_others_run(service: testing.LedgerService) -> None:
    """A background task started before `await trainer.x_async(...)` goes on before what comes after it."""
    trainer = trainer_on(service)

    async def main(name: str, arguments: tuple[Any, ...]) -> list[str]:
        order: list[str] = []

        async def other() -> None:
            order.append("other")

        task = asyncio.create_task(other())
        await getattr(trainer, name)(*arguments)
        order.append("main")
        await task
        return order

    batch = ([datum()], "cross_entropy")
    calls = {"forward_async": batch, "forward_backward_async": batch, "optim_step_async": (ADAM,)}
    for name, arguments in {**calls, "save_state_async": ("x",)}.items():
        assert asyncio.run(main(name, arguments)) == ["other", "main"], name


def test_subclass_that_overrides_result_async_is_awaited_by_it() -> None:
    """A future of the user's own, as the official base class allows."""

    class Own(APIFuture[int]):
        async def result_async(self, timeout: float | None = None) -> int:
            return 7

    async def main() -> int:
        return await Own()

    assert asyncio.run(main()) == 7


def test_attribute_of_a_result_says_to_wait(service: testing.LedgerService) -> None:
    """`future.metrics` names the way to the result; a client names itself alone."""
    trainer = trainer_on(service)
    future: Any = trainer.optim_step(ADAM)
    for name in ("metrics", "loss_fn_outputs", "path"):
        with pytest.raises(AttributeError, match=r"\.result\(\) or await"):
            getattr(future, name)
    assert not hasattr(future, "metrics")
    client: Any = trainer
    with pytest.raises(AttributeError, match=r"'TrainingClient' object has no attribute 'metrics'$"):
        _ = client.metrics


def test_reprs_name_what_is_known(service: testing.LedgerService) -> None:
    """Run, base model, rank, operation, number and state stand in them; the key never does."""
    client = ServiceClient(**service.settings(api_key="tml-canary", project_id="p-1"))
    shown = [repr(client)]
    trainer = client.create_lora_training_client("tinsmith/tiny", rank=4).result(WAIT_S)
    sampler = client.create_sampling_client(base_model="tinsmith/tiny").result(WAIT_S)
    step = trainer.optim_step(ADAM)
    step.result(WAIT_S)
    service.rules.append(lambda asked, *_: refuse(400) if asked == "optim_step" else None)
    failed = trainer.optim_step(ADAM)
    failed.exception(WAIT_S)
    sample = sampler.sample(ModelInput.from_ints([1]), 1, SamplingParams(max_tokens=1))
    sample.result(WAIT_S)
    shown += [repr(each) for each in (client, trainer, sampler, step, failed, sample, APIFuture())]
    client.close()
    shown += [repr(client), repr(trainer)]
    assert "project_id='p-1'" in shown[0]
    assert "state='open'" in shown[0]
    assert "session_id='session-1'" in shown[1]
    for word in (trainer.model_id, "tinsmith/tiny", "rank=4", "ready"):
        assert word in shown[2]
    for word in (sampler.sampling_session_id, "tinsmith/tiny", "ready"):
        assert word in shown[3]
    for word in ("optim_step", trainer.model_id, "seq_id=1", str(step.request_id), "finished"):
        assert word in shown[4]
    assert "failed: BadRequestError" in shown[5]
    assert "sample" in shown[6]
    assert shown[7] == "<APIFuture state='waiting'>"
    assert "closed" in shown[8]
    assert "closed" in shown[9]
    assert not [text for text in shown if "canary" in text]


def test_tables_say_what_a_future_waits_for(service: testing.LedgerService) -> None:
    """A notebook shows the turn, the acceptance, the result, and how a call ended."""
    with ServiceClient(**service.settings(api_key="tml-canary")) as client:
        early = client.create_lora_training_client("tinsmith/tiny", rank=4)
        behind = early.optim_step(ADAM)
        early.result(WAIT_S)
        behind.result(WAIT_S)
        service.rules.append(
            lambda asked, *_: reply({"detail": "<i>no</i>"}, 400) if asked == "optim_step" else None
        )
        failed = early.optim_step(ADAM)
        failed.exception(WAIT_S)
        early.get_info()  # goes over the same loop, which has counted the failure then
        withdrawn: APIFuture[None] = APIFuture()
        withdrawn.cancel()
        rest = client.create_rest_client()
        ends = [each._repr_html_() for each in (client, early, behind, failed, withdrawn, rest)]
        assert repr(rest) == f"<RestClient base_url={client.config.base_url!r} state='open'>"
    pending: APIFuture[None] = APIFuture()
    waits = [pending._waits_for()]
    pending.operation = "forward"
    waits.append(pending._waits_for())
    pending.seq_id = 1
    waits.append(pending._waits_for())
    pending.request_ids.append("r-1")
    waits.append(pending._waits_for())
    assert waits == ["the answer", "its turn", "the server to accept it", "the result"]
    for words, table in zip(
        (
            ("ServiceClient", "session-1", "open", "1 failed"),
            ("TrainingClient", "ready", early.model_id),
            ("optim_step", "finished", "OptimStepResponse", str(behind.request_id)),
            ("failed", "BadRequestError", "&lt;i&gt;no&lt;/i&gt;", "applied"),
            ("cancelled",),
            ("RestClient", "open"),
        ),
        ends,
        strict=True,
    ):
        assert table is not None
        assert [word for word in words if word not in table] == []
        assert "canary" not in table


def test_every_argument_is_a_setting_or_is_named_here() -> None:
    """No argument of ServiceClient can be forgotten beside `config`: each is in the one table or below."""
    arguments = set(inspect.signature(ServiceClient).parameters)
    assert arguments == set(SETTINGS) | {"config", "http_client", "observer"}


@pytest.mark.parametrize("name", SETTINGS)
def test_argument_beside_config_overrides_it(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each one sets its own field, and leaves the others as `config` has them."""
    monkeypatch.delenv("DO_NOT_TRACK", raising=False)
    values: dict[str, Any] = {
        "user_metadata": {"a": "b"},
        "project_id": "p",
        "api_key": "tml-b",
        "base_url": "http://127.0.0.1:2/",
        "timeout": 3.0,
        "max_retries": 1,
        "default_headers": {"x": "1"},
        "default_query": {"q": "1"},
        "display_name": "d",
        "require_key_prefix": False,
        "optim_after": "results",
        "server": "tuft",
        "server_deduplicates": False,
        "encoding": "json",
        "models": {"mine": "/models/mine"},
        "telemetry": True,
    }
    given = ClientConfig(base_url="http://127.0.0.1:1/", api_key=Secret.of("tml-a"))
    if name == "models":  # another server takes none
        given = ClientConfig(base_url="local:")
    client = ServiceClient(config=given, **{name: values[name]})
    field = SETTINGS[name]
    found = getattr(client.config, field)
    assert found != getattr(given, field)
    if field in ("timeouts", "retry"):
        assert {"timeouts": client.config.timeouts.read_s, "retry": client.config.retry.max_retries}[
            field
        ] == values[name]
    elif field == "api_key":
        assert found.reveal() == "tml-b"
    else:
        assert found == values[name]
    others = [each for each in ClientConfig.__attrs_attrs__ if each.name != field]
    assert all(getattr(client.config, each.name) == getattr(given, each.name) for each in others)
    client.close()


def test_holder_has_what_programs_reach_for(service: testing.LedgerService) -> None:
    """The session's id, the numbers of models, and a `close` that closes when it returns."""
    client = ServiceClient(**service.settings())
    assert client.holder.get_session_id() == client.session_id == "session-1"
    assert [client.holder.get_training_client_id() for _ in range(2)] == [0, 1]
    trainer = client.create_lora_training_client("tinsmith/tiny").result(WAIT_S)
    step = trainer.optim_step(ADAM)
    client.holder.close()
    assert client.holder.connection.closed
    assert step.result(0).metrics
