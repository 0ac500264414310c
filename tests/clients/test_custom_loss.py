"""Custom losses: gradients by every backend, order, chunks, metrics, and errors of the user's own code."""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
import traceback
import warnings
from contextvars import copy_context
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
import pytest
from tinsmith import (
    AdamParams,
    Datum,
    InputError,
    MissingExtraError,
    ModelInput,
    PartialBatchError,
    ProgressTimeoutError,
    RequestFailedError,
    SamplingParams,
    ServiceClient,
    TensorData,
    TinkerError,
    TrainingClient,
    testing,
)
from tinsmith.clients import custom_loss
from tinsmith.core.config import ChunkLimits, ClientConfig
from tinsmith.core.values.results import ForwardBackwardOutput

from tests.guard import WAIT_S

if TYPE_CHECKING:
    from collections.abc import Iterator


def datum(length: int) -> Datum:
    """Make a datum with targets and without weights."""
    return Datum(
        model_input=ModelInput.from_ints(list(range(length))),
        loss_fn_inputs={"target_tokens": list(range(length))},
    )


DATA = [datum(2), datum(3), datum(1)]


@pytest.fixture
def clock() -> Iterator[testing.FrozenClock]:
    """Have the time of this test."""
    with testing.frozen_clock() as clock:
        yield clock


@pytest.fixture
def service(clock: testing.FrozenClock) -> testing.LedgerService:
    """Run a service in memory, whose logprobs are all -0.5."""
    return testing.LedgerService()


@pytest.fixture
def trainer(service: testing.LedgerService) -> TrainingClient:
    """Make a client that puts two datums into each request."""
    config = ClientConfig.from_environment(
        base_url="http://127.0.0.1:1/", api_key="tml-x", chunk_limits=ChunkLimits(max_datums=2)
    )
    return ServiceClient(**service.settings(config=config)).create_lora_training_client("tinsmith/tiny")


def by_hand(_data: list[Datum], logprobs: list[Any]) -> tuple[Any, ...]:
    """Compute sum(l^2) and its gradient 2l."""
    return sum(float((p**2).sum()) for p in logprobs), {"n": len(logprobs)}, [2 * p for p in logprobs]


def by_autograd(_data: list[Datum], logprobs: list[Any]) -> tuple[Any, ...]:
    """Compute sum(l^2); the gradient is autograd's."""
    total = sum((p**2).sum() for p in logprobs)
    return total, {"total": total, "n": len(logprobs)}


def weights_sent(service: testing.LedgerService) -> list[list[float]]:
    """Return the weights of each datum of the backward pass, in order."""
    bodies = [seen.json() for seen in service.seen if seen.path.endswith("/forward_backward")]
    return [
        d["loss_fn_inputs"]["weights"]["data"]
        for body in bodies
        for d in body["forward_backward_input"]["data"]
    ]


@pytest.mark.parametrize(("loss", "backend"), [(by_hand, "numpy"), (by_autograd, "autograd")])
def test_gradient_becomes_weights(
    service: testing.LedgerService, trainer: TrainingClient, loss: Any, backend: Any
) -> None:
    """The backward pass is cross entropy with the negative gradient as weights, over the same chunks."""
    result = trainer.forward_backward_custom(DATA, loss, backend=backend).result(WAIT_S)
    assert weights_sent(service) == [[1.0] * 2, [1.0] * 3, [1.0]]
    assert result.metrics["n"] == 3.0
    assert result.metrics["surrogate_loss:sum"] == 6.0
    paths = [e.operation for e in service.ledger.of(trainer.model_id)]
    assert paths == ["forward", "forward", "forward_backward", "forward_backward"]


def test_forward_pass_carries_targets_and_weights_alone(
    service: testing.LedgerService, trainer: TrainingClient
) -> None:
    """Inputs that only the user's loss reads stay here."""
    private = Datum(
        model_input=ModelInput.from_ints([1]),
        loss_fn_inputs={"target_tokens": [1], "advantages": [2.0]},
    )
    seen_by_loss: list[Any] = []

    def loss(data: list[Datum], logprobs: list[Any]) -> tuple[Any, ...]:
        seen_by_loss.append(data[0].loss_fn_inputs["advantages"].tolist())
        return by_hand(data, logprobs)

    trainer.forward_backward_custom([private], loss, backend="numpy").result(WAIT_S)
    sent = [seen.json() for seen in service.seen if seen.path.endswith("/forward")]
    assert set(sent[0]["forward_input"]["data"][0]["loss_fn_inputs"]) == {"target_tokens", "weights"}
    assert seen_by_loss == [[2.0]]


def test_order_against_other_requests(service: testing.LedgerService, trainer: TrainingClient) -> None:
    """Nothing called later comes between the two passes, and an optim_step waits for the second."""
    custom = trainer.forward_backward_custom(DATA[:1], by_hand, backend="numpy")
    step = trainer.optim_step(AdamParams())
    step.result(WAIT_S)
    custom.result(WAIT_S)
    order = [(e.seq_id, e.operation) for e in service.ledger.of(trainer.model_id)]
    assert order == [(1, "forward"), (2, "forward_backward"), (3, "optim_step")]


def test_loss_may_use_the_client(service: testing.LedgerService, trainer: TrainingClient) -> None:
    """The loss runs in a thread of its own, so that it may wait for other calls of the service."""

    def loss(data: list[Datum], logprobs: list[Any]) -> tuple[Any, ...]:
        assert trainer.get_info().model_id == trainer.model_id
        return by_hand(data, logprobs)

    assert trainer.forward_backward_custom(DATA, loss, backend="numpy").result(WAIT_S)


def test_exception_of_the_loss_is_raised_as_it_is(
    service: testing.LedgerService, trainer: TrainingClient
) -> None:
    """The user's exception arrives with its traceback; the step behind is not sent; training goes on."""

    def broken_loss(_data: list[Datum], _logprobs: list[Any]) -> tuple[Any, ...]:
        raise KeyError("mine")

    custom = trainer.forward_backward_custom(DATA, broken_loss, backend="numpy")
    step = trainer.optim_step(AdamParams())
    with pytest.raises(KeyError, match="mine") as caught:
        custom.result(WAIT_S)
    assert "broken_loss" in "".join(traceback.format_tb(caught.value.__traceback__))
    with pytest.raises(PartialBatchError):
        step.result(WAIT_S)
    trainer.forward_backward_custom(DATA, by_hand, backend="numpy").result(WAIT_S)
    trainer.optim_step(AdamParams()).result(WAIT_S)
    operations = [e.operation for e in service.ledger.of(trainer.model_id)]
    assert operations.count("optim_step") == 1


GRADIENTS: list[Any] = [np.zeros(2), np.zeros(3), np.zeros(1)]


@pytest.mark.parametrize(
    ("returned", "problem"),
    [
        ((0.0, {}, [None, None, None]), "datum 0.*No gradient"),
        ((0.0, {}, [np.zeros(2), np.zeros(2), np.zeros(1)]), "datum 1.*shape"),
        ((0.0, {}, [np.zeros(2)]), "one array a datum"),
        ((0.0, {}, [np.zeros(2), np.full(3, np.nan), np.zeros(1)]), "datum 1.*NaN"),
        ((0.0, {}), "must return"),
        (0.0, "must return"),
        ("a string", "must return .*not a str"),
        (("low", {}, GRADIENTS), "field 'loss': is 'low', not a real number"),
        ((None, {}, GRADIENTS), "field 'loss': is None"),
        ((1j, {}, GRADIENTS), "field 'loss': is .*1j.*not a real number"),
        ((np.zeros(2), {}, GRADIENTS), "field 'loss'"),
        ((0.0, {}, "abc"), "one array a datum"),
        (
            (0.0, {}, [*GRADIENTS[:2], np.zeros(1, np.complex64)]),
            "datum 2, .*'gradient': holds complex64",
        ),
        ((0.0, {}, [["a", "b"], *GRADIENTS[1:]]), "datum 0, field 'gradient': holds str"),
        ((0.0, {}, [[object(), 1.0], *GRADIENTS[1:]]), "datum 0, field 'gradient': is no array of numbers"),
        (
            (0.0, {}, [[[1.0], [1.0, 2.0]], *GRADIENTS[1:]]),
            "datum 0, field 'gradient': is no array of numbers",
        ),
        ((0.0, {}, [np.full(2, 1e300), *GRADIENTS[1:]]), "datum 0, field 'gradient': holds NaN or infinity"),
        ((0.0, "accuracy", GRADIENTS), "field 'metrics': must be a mapping of names to values, not a str"),
    ],
)
def test_wrong_returns_are_named(
    trainer: TrainingClient, service: testing.LedgerService, returned: Any, problem: str
) -> None:
    """A loss without a gradient, or with one of the wrong shape, is told which datum it is."""
    with pytest.raises(InputError, match=problem):
        trainer.forward_backward_custom(DATA, lambda *_: returned, backend="numpy").result(WAIT_S)
    assert weights_sent(service) == []


class Tracked:
    """A number as torch has it while it carries a gradient: a float after `detach`, but no array."""

    dtype = "a dtype of another library"

    def __init__(self, *, detached: bool = False) -> None:
        self._detached = detached

    def detach(self) -> Tracked:
        """Return the number alone."""
        return Tracked(detached=True)

    def __float__(self) -> float:
        if not self._detached:
            warnings.warn("converting a tensor with a gradient to a scalar", stacklevel=2)
        return 0.25

    def __array__(self, *_: object, **__: object) -> Any:
        raise RuntimeError("has a gradient")


def test_numbers_of_any_kind_are_a_loss(trainer: TrainingClient, service: testing.LedgerService) -> None:
    """A loss in an array, gradients in lists of whole numbers, metrics of numpy and of other libraries."""
    metrics = {"n": np.float32(0.5), "tracked": Tracked()}
    returned = (np.ones((1, 1)), metrics, [[1, 2], [0, 0, 0], np.zeros(1, np.float16)])
    result = trainer.forward_backward_custom(DATA, lambda *_: returned, backend="numpy").result(WAIT_S)
    assert (result.metrics["n"], result.metrics["tracked"]) == (0.5, 0.25)
    assert weights_sent(service)[0] == [-1.0, -2.0]


@pytest.mark.parametrize(("loss", "backend"), [(by_hand, "numpy"), (by_autograd, "autograd")])
def test_loss_is_the_users(trainer: TrainingClient, loss: Any, backend: Any) -> None:
    """`loss:sum` is what the function returned, and the server's cross entropy stands beside it."""
    logprobs: list[Any] = []

    def noted(data: Any, given: Any) -> Any:
        logprobs[:] = given
        return loss(data, given)

    result = trainer.forward_backward_custom(DATA, noted, backend=backend).result(WAIT_S)
    wanted = loss(DATA, [np.full(n, -0.5) for n in (2, 3, 1)])[0]
    assert result.metrics["loss:sum"] == pytest.approx(float(wanted))
    assert result.metrics["surrogate_loss:sum"] == 6.0


def test_metrics_of_any_kind_pass_through(trainer: TrainingClient) -> None:
    """Lists, texts, None and whole arrays are handed out as they are; numbers become floats."""
    array = np.zeros(3)
    metrics = {"list": [1, 2], "text": "0.5", "none": None, "array": array, "n": 2, 3: 4}
    result = trainer.forward_backward_custom(
        DATA, lambda *_: (0.0, metrics, GRADIENTS), backend="numpy"
    ).result(WAIT_S)
    found: dict[str, Any] = dict(result.metrics)
    assert found.pop("array") is array
    assert found == {
        "list": [1, 2],
        "text": "0.5",
        "none": None,
        "n": 2.0,
        "3": 4.0,
        "loss:sum": 0.0,
        "surrogate_loss:sum": 6.0,
    }


@pytest.mark.parametrize(
    "call",
    [
        *("optim_step", "save_state", "sampler", "sample", "logprobs", "awaited"),
        *("wait", "as_completed", "wait for a sampler"),
    ],
)
def test_loss_that_waits_for_its_own_line_is_told(trainer: TrainingClient, call: str) -> None:
    """It would wait for ever, since the call cannot begin before the loss returns; afterwards all goes on."""
    prompt, params = ModelInput.from_ints([1]), SamplingParams(max_tokens=1)

    def waits(*_: Any) -> Any:
        if call == "optim_step":
            trainer.optim_step(AdamParams()).result()
        elif call == "save_state":
            trainer.save_state("x").exception()
        elif call == "wait":
            concurrent.futures.wait([trainer.optim_step(AdamParams())])
        elif call == "as_completed":
            list(concurrent.futures.as_completed([trainer.optim_step(AdamParams())]))
        elif call == "wait for a sampler":
            concurrent.futures.wait([trainer.save_weights_and_get_sampling_client()])
        elif call == "awaited":
            asyncio.run(trainer.optim_step(AdamParams()).result_async())
        else:
            sampler = trainer.save_weights_and_get_sampling_client()
            if call == "sampler":
                sampler.result()
            elif call == "sample":
                sampler.sample(prompt, 1, params).result()
            else:
                sampler.compute_logprobs(prompt).result()
        return 0.0, {}, GRADIENTS

    before = trainer.optim_step(AdamParams())

    def waits_for_an_earlier_one(*_: Any) -> Any:
        assert before.result(WAIT_S)
        return 0.0, {}, GRADIENTS

    with pytest.raises(InputError, match="a later call of its own training client") as caught:
        trainer.forward_backward_custom(DATA, waits, backend="numpy").result(WAIT_S)
    assert caught.value.applied == "no"
    trainer.forward_backward_custom(DATA, waits_for_an_earlier_one, backend="numpy").result(WAIT_S)
    assert trainer.optim_step(AdamParams()).result(WAIT_S).metrics


def test_a_loss_may_begin_what_nobody_waits_for(trainer: TrainingClient) -> None:
    """Calls made in the loss, a sampler of weights among them, go out once it has returned."""
    begun: list[Any] = []

    def begins(*_: Any) -> Any:
        begun.append(trainer.save_weights_and_get_sampling_client())
        begun.append(trainer.optim_step(AdamParams()))
        return 0.0, {}, GRADIENTS

    trainer.forward_backward_custom(DATA, begins, backend="numpy").result(WAIT_S)
    sampler, step = begun
    assert step.result(WAIT_S).metrics
    assert sampler.sample(ModelInput.from_ints([1]), 1, SamplingParams(max_tokens=1)).result(WAIT_S).sequences


def test_a_thread_of_the_loss_may_wait_once_it_has_returned(trainer: TrainingClient) -> None:
    """What runs in the context of the loss is not bound by it for longer than the loss itself."""
    returned, asked = threading.Event(), threading.Event()
    waiting: list[concurrent.futures.Future[Any]] = []

    def waits() -> Any:
        assert returned.wait(WAIT_S)
        step = trainer.optim_step(AdamParams())
        with pytest.raises(TimeoutError):  # queued behind the second loss, and no error of the first
            step.result(0)
        asked.set()
        return step.result(WAIT_S)

    with concurrent.futures.ThreadPoolExecutor() as threads:

        def begins(*_: Any) -> Any:
            waiting.append(threads.submit(copy_context().run, waits))
            return 0.0, {}, GRADIENTS

        def holds(*_: Any) -> Any:
            returned.set()
            concurrent.futures.wait(
                [threads.submit(asked.wait, WAIT_S), *waiting], return_when="FIRST_COMPLETED"
            )
            return 0.0, {}, GRADIENTS

        trainer.forward_backward_custom(DATA, begins, backend="numpy").result(WAIT_S)
        trainer.forward_backward_custom(DATA, holds, backend="numpy").result(WAIT_S)
        assert waiting[0].result(WAIT_S).metrics


def test_a_wait_that_is_not_noticed_ends_with_the_progress_timeout(
    clock: testing.FrozenClock, service: testing.LedgerService
) -> None:
    """A loss can wait unseen in a thread, yet not for ever; with nothing queued behind it may take longer."""
    trainer = ServiceClient(
        **service.settings(
            config=ClientConfig.from_environment(
                base_url="http://127.0.0.1:1/", api_key="tml-x", progress_timeout_s=300.0
            )
        )
    ).create_lora_training_client("tinsmith/tiny")
    begun, seen = threading.Event(), threading.Event()
    ends: list[BaseException | None] = []

    def waits(*_: Any) -> Any:
        begun.set()
        assert seen.wait(WAIT_S)
        thread = threading.Thread(target=lambda: ends.append(trainer.optim_step(AdamParams()).exception()))
        thread.start()
        thread.join()
        return 0.0, {}, GRADIENTS

    custom = trainer.forward_backward_custom(DATA, waits, backend="numpy")
    assert begun.wait(WAIT_S)
    clock.advance(301.0)  # nothing is queued behind it yet
    clock.settle()
    assert not custom.done()
    seen.set()
    while trainer.holder.unfinished()[0] < 2:
        clock.settle()
    clock.advance(301.0)
    with pytest.raises(ProgressTimeoutError, match="loss_fn has not returned for 300 s") as caught:
        custom.result(WAIT_S)
    assert caught.value.applied == "no"
    trainer.forward_backward_custom(DATA, by_hand, backend="numpy").result(WAIT_S)
    assert trainer.optim_step(AdamParams()).result(WAIT_S).metrics
    assert isinstance(ends[0], PartialBatchError)


def test_diverged_model_is_told_as_that(trainer: TrainingClient) -> None:
    """NaN from the server is no fault of the loss: the error says since which step, and what to do."""
    step = trainer.optim_step(AdamParams())
    step.result(WAIT_S)
    nan = ForwardBackwardOutput("x", [{"logprobs": TensorData([float("nan"), 0.0], "float32", [2])}], {})

    def double(_: Any, given: Any) -> Any:
        return 0.0, {}, [2 * each for each in given]

    real = custom_loss.evaluate
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(custom_loss, "evaluate", lambda loss, backend, *_: real(loss, backend, [DATA[0]], nan))
        with pytest.raises(
            RequestFailedError, match=f"at the latest since its optim_step {step.seq_id};"
        ) as caught:
            trainer.forward_backward_custom(DATA, double, backend="numpy").result(WAIT_S)
    assert caught.value.applied == "no"
    assert "checkpoint" in str(caught.value)


def test_missing_targets_are_named(trainer: TrainingClient) -> None:
    """A datum without targets cannot have logprobs."""
    bad = Datum(model_input=ModelInput.from_ints([1]), loss_fn_inputs={"weights": [1.0]})
    with pytest.raises(InputError, match=r"datum 1, field 'target_tokens'"):
        trainer.forward_backward_custom([datum(1), bad], by_hand)


def test_missing_backend_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """A backend that is not installed names the extra that brings it."""
    monkeypatch.setattr(custom_loss, "find_spec", lambda _name: None)
    with pytest.raises(MissingExtraError, match=r"tinsmith\[jax\]"):
        custom_loss.choose_backend("jax")
    assert custom_loss.choose_backend(None) == "numpy"


@pytest.mark.parametrize(
    ("raised", "told"),
    [
        (SystemExit(3), SystemExit),
        (KeyboardInterrupt(), KeyboardInterrupt),
        (BaseException("mine"), BaseException),
        (GeneratorExit(), TinkerError),
        (asyncio.CancelledError(), TinkerError),
        (concurrent.futures.CancelledError(), TinkerError),
        (StopIteration(), StopIteration),
    ],
)
def test_a_loss_that_leaves_by_another_door(
    service: testing.LedgerService, trainer: TrainingClient, raised: BaseException, told: type[BaseException]
) -> None:
    """An exit, an interrupt or a cancellation in a loss ends its own call; every client goes on."""

    def loss(*_: Any) -> Any:
        raise raised

    error = trainer.forward_backward_custom(DATA, loss, backend="numpy").exception(WAIT_S)
    assert type(error) is told
    if told is TinkerError:
        assert error.__cause__ is raised
    trainer.optim_step(AdamParams()).result(WAIT_S)
    ServiceClient(**service.settings()).get_server_capabilities()


@pytest.mark.parametrize(("server", "times"), [("hatchery", 1), ("tinsmith", 0)])
def test_a_mean_on_the_server_is_told_once(
    service: testing.LedgerService, caplog: pytest.LogCaptureFixture, server: Any, times: int
) -> None:
    """There the gradient of a custom loss has another scale."""
    client = ServiceClient(**service.settings(server=server, server_deduplicates=True, encoding="json"))
    trainer = client.create_lora_training_client("tinsmith/tiny")
    for _ in range(2):
        trainer.forward_backward_custom(DATA, by_hand, backend="numpy").result(WAIT_S)
    told = [record for record in caplog.records if "another scale" in record.getMessage()]
    assert len(told) == times


def test_diverged_adapter_is_told_by_the_embedded_service() -> None:
    """After a step that threw the weights away, the data is not blamed: since which step, and what to do."""
    data = [attrs.evolve(datum(3), loss_fn_inputs={"target_tokens": [2, 3, 4], "weights": [1.0] * 3})]
    with ServiceClient(base_url="local:") as service:
        trainer = service.create_lora_training_client("tinsmith/tiny", rank=4, seed=0)
        trainer.forward_backward(data, "cross_entropy")
        trainer.optim_step(AdamParams(learning_rate=1e30)).result()
        with pytest.raises(
            RequestFailedError, match="since its step 1; nothing is wrong with the data"
        ) as caught:
            trainer.forward_backward(data, "cross_entropy").result()
    assert "Load a checkpoint" in str(caught.value)
    assert "weights" not in str(caught.value)
