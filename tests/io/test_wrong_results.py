"""Results that cannot be right are refused with their ids, not handed out; what servers do send is taken."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tinsmith import APIResponseValidationError, ModelInput, SamplingParams, ServiceClient, testing
from tinsmith.core.config import ChunkLimits, ClientConfig
from tinsmith.testing.ledger_service import reply

from tests.io.bench import ADAM, WAIT_S, datum, once, trainer_on

if TYPE_CHECKING:
    from tinsmith import APIFuture

PROMPT = ModelInput.from_ints([1, 2])
ONE = {"stop_reason": "stop", "tokens": [1]}


def batch(*outputs: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """Return the result of a batch."""
    return {"loss_fn_output_type": "x", "loss_fn_outputs": list(outputs), "metrics": {}, **fields}


def tensor(*data: Any, **fields: Any) -> dict[str, Any]:
    """Return an output of one tensor."""
    return {"logprobs": {"data": list(data), "dtype": "float32", **fields}}


NO_TOKENS = r"sequences\[1\]: tokens are no list of whole numbers"
WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("forward_backward", batch(tensor(1.0)), "1 loss_fn_outputs, 2 datums"),
    ("forward_backward", batch(*[tensor(1.0)] * 3), "3 loss_fn_outputs, 2 datums"),
    (
        "forward_backward",
        batch(tensor(1.0), tensor(1.0, shape=[2])),
        r"'logprobs': has 1 numbers",
    ),
    ("forward_backward", batch(tensor(1.0), tensor(1.0, 2.0, shape=[-1, -2])), "shape"),
    ("forward_backward", batch(tensor(1.0), tensor(1.0, shape="1")), "shape"),
    (
        "forward_backward",
        batch(tensor(1.0), {"logprobs": {"data": "ab", "dtype": "float32"}}),
        "data is no flat list",
    ),
    ("forward_backward", batch(metrics={"loss:sum": "low"}), "metric 'loss:sum' is a str"),
    ("forward_backward", batch(loss_fn_output_type=None), "loss_fn_output_type is a NoneType"),
    ("asample", {"sequences": []}, "0 sequences, and 2 were asked for"),
    ("asample", {"sequences": [ONE]}, "1 sequences, and 2 were asked for"),
    (
        "asample",
        {"sequences": [ONE, {**ONE, "tokens": [1.5]}]},
        NO_TOKENS,
    ),
    (
        "asample",
        {"sequences": [ONE, {**ONE, "tokens": ["a"]}]},
        NO_TOKENS,
    ),
    (
        "asample",
        {"sequences": [ONE, {**ONE, "tokens": "ab"}]},
        NO_TOKENS,
    ),
    ("asample", {"sequences": [ONE, {**ONE, "logprobs": 0.5}]}, "logprobs is a float"),
    ("asample", {"sequences": [ONE, {**ONE, "stop_reason": 3}]}, "stop_reason is a int"),
    (
        "asample",
        {"sequences": [ONE, ONE], "prompt_cache_hit_tokens": "5"},
        "prompt_cache_hit_tokens is a str",
    ),
]


@pytest.mark.parametrize(("operation", "payload", "problem"), WRONG)
def test_what_cannot_be_the_result_is_one_clear_error(
    clock: testing.FrozenClock, operation: str, payload: dict[str, Any], problem: str
) -> None:
    """Outputs of other datums, shapes that do not fit, tokens that are none: never handed out as they are."""
    service = testing.LedgerService()
    client = ServiceClient(**service.settings())
    trainer = client.create_lora_training_client("tinsmith/tiny").result()
    sampler = client.create_sampling_client(base_model="tinsmith/tiny").result()
    service.rules.append(once("retrieve_future", reply(payload)))
    data, params = [datum(), datum()], SamplingParams(max_tokens=2)
    future: APIFuture[Any] = (
        sampler.sample(PROMPT, 2, params)
        if operation == "asample"
        else trainer.forward_backward(data, "cross_entropy")
    )
    with pytest.raises(APIResponseValidationError, match=problem) as caught:
        future.result(WAIT_S)
    error = caught.value
    assert (error.request_id, error.applied) == ("request-2", "yes")
    assert error.model_id == (sampler.sampling_session_id if operation == "asample" else trainer.model_id)
    assert error.seq_id == (0 if operation == "asample" else 1)
    assert trainer.optim_step(ADAM).result(WAIT_S).metrics is not None


def test_no_outputs_at_all_are_a_result(service: testing.LedgerService) -> None:
    """Not every server gives outputs for every loss; more sequences than asked for do no harm."""
    client = ServiceClient(**service.settings())
    trainer = client.create_lora_training_client("tinsmith/tiny").result()
    service.rules.append(once("retrieve_future", reply(batch(metrics={"loss:sum": None}))))
    assert trainer.forward_backward([datum()], "cross_entropy").result(WAIT_S).loss_fn_outputs == []
    sampler = client.create_sampling_client(base_model="tinsmith/tiny").result()
    service.rules.append(once("retrieve_future", reply({"sequences": [ONE, ONE]})))
    drawn = sampler.sample(PROMPT, 1, SamplingParams(max_tokens=2)).result(WAIT_S)
    assert len(drawn.sequences) == 2


def test_outputs_of_some_chunks_only_are_no_result(service: testing.LedgerService) -> None:
    """Joined, they would be those of other datums."""
    config = ClientConfig.from_environment(
        base_url="http://127.0.0.1:1/", api_key="tml-x", chunk_limits=ChunkLimits(max_datums=1)
    )
    trainer = trainer_on(service, config=config)
    service.rules.append(once("retrieve_future", reply(batch())))
    with pytest.raises(APIResponseValidationError, match="only some chunks have loss_fn_outputs") as caught:
        trainer.forward_backward([datum(), datum()], "cross_entropy").result(WAIT_S)
    assert caught.value.applied == "yes"
    assert trainer.optim_step(ADAM).result(WAIT_S).metrics is not None


def test_metrics_are_handed_out_where_outputs_are_missing(
    service: testing.LedgerService, caplog: pytest.LogCaptureFixture
) -> None:
    """Some servers give one output for a whole batch: told once, and an error for who reads them."""
    trainer = trainer_on(service)
    for _ in range(2):
        service.rules.append(once("retrieve_future", reply(batch(tensor(1.0), metrics={"loss:sum": 2.0}))))
        result = trainer.forward_backward([datum(), datum()], "cross_entropy").result(WAIT_S)
        assert result.metrics == {"loss:sum": 2.0}
        with pytest.raises(APIResponseValidationError, match="1 loss_fn_outputs for 2 datums"):
            _ = result.loss_fn_outputs[0]
    told = [record.getMessage() for record in caplog.records if "loss_fn_outputs" in record.getMessage()]
    assert len(told) == 1
    assert trainer.optim_step(ADAM).result(WAIT_S).metrics is not None


def test_a_loss_that_is_not_known_here_goes_out_as_it_is(service: testing.LedgerService) -> None:
    """The server decides which losses there are."""
    trainer = trainer_on(service)
    for name in ("grpo", "dapo", "ppo_critic"):
        trainer.forward_backward([datum()], name).result(WAIT_S)
    bodies = [seen.json() for seen in service.seen if seen.path.endswith("/forward_backward")]
    assert [body["forward_backward_input"]["loss_fn"] for body in bodies] == ["grpo", "dapo", "ppo_critic"]
