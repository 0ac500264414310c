"""Raw operations: typed, sent and retried by our transport, one for each operation of the contract."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Literal, assert_type

import pytest
import tinsmith
from tinsmith import InputError, NotFoundError, ServiceClient, testing, types
from tinsmith.clients import raw
from tinsmith.core.config import RetryConfig
from tinsmith.io.http.messages import Answer
from tinsmith_api import models
from tinsmith_api.exchange import Response
from tinsmith_api.models import GetServerCapabilitiesResponse, GetSessionResponse, WeightsInfoRequest
from tinsmith_api.operations import OPERATIONS
from tinsmith_api.resource import RawFuture, RawPromise
from tinsmith_api.resources.raw import RawOperations as Operations

from tests.guard import WAIT_S

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def service() -> Iterator[testing.LedgerService]:
    """Run a service in memory."""
    with testing.frozen_clock():
        yield testing.LedgerService()


def test_every_operation_is_declared() -> None:
    """Each operation of the contract is a method with words, but for what streams; there is no other."""
    methods = {name: method for name, method in vars(Operations).items() if not name.startswith("_")}
    assert set(methods) == set(OPERATIONS) - {"stream_sample"}
    assert all(method.__doc__ for method in methods.values())
    assert set(methods) <= set(dir(raw.RawOperations(None, None)))  # type: ignore[arg-type]  # names only


def test_call_gives_the_generated_model(service: testing.LedgerService) -> None:
    """A call returns a future of the model that the generated client parses."""
    client = ServiceClient(**service.settings())
    future = client.raw.get_server_capabilities()
    assert_type(future, RawFuture[GetServerCapabilitiesResponse])
    assert isinstance(future, tinsmith.APIFuture)
    assert future.result(WAIT_S).supported_models[0].model_name == "tinsmith/tiny"


def test_body_and_path_are_built_by_the_generated_client(service: testing.LedgerService) -> None:
    """Models become bodies, and parameters become quoted segments."""
    client = ServiceClient(**service.settings())
    info = client.raw.weights_info(body=WeightsInfoRequest(tinker_path="tinker://run/weights/1")).result(
        WAIT_S
    )
    assert info.lora_rank == 8
    service.rules.append(lambda *_: testing.reply({"training_run_ids": ["a"], "sampler_ids": []}))
    session = client.raw.get_session("session:1").result(WAIT_S)
    assert_type(session, GetSessionResponse)
    assert service.seen[-1].target == "api/v1/sessions/session:1"


def test_segment_that_would_change_the_path_is_refused(service: testing.LedgerService) -> None:
    """A parameter that would leave its segment raises before anything is sent."""
    client = ServiceClient(**service.settings())
    with pytest.raises(
        InputError, match=r"^field 'session_id': cannot stand in a path: '\.\./escape'$"
    ) as caught:
        client.raw.get_session("../escape")
    assert caught.value.field == "session_id"
    assert service.seen == []


def test_error_and_retry_rules(service: testing.LedgerService) -> None:
    """Errors are the facade's, and `retrying` changes the rules for its calls alone."""
    client = ServiceClient(**service.settings())
    with pytest.raises(NotFoundError):
        client.raw.healthz().result(WAIT_S)
    service.rules.append(lambda *_: testing.reply({"detail": "busy"}, 503))
    with pytest.raises(tinsmith.InternalServerError) as caught:
        client.raw.retrying(RetryConfig(max_retries=1)).healthz().result(WAIT_S)
    assert caught.value.attempts == 2


def test_unknown_operation(service: testing.LedgerService) -> None:
    """What the contract does not have is no attribute."""
    with pytest.raises(AttributeError, match="no operation 'nothing'"):
        ServiceClient(**service.settings()).raw.nothing  # type: ignore[attr-defined]  # noqa: B018


@pytest.mark.parametrize("body", [{"model_id": "m"}, types.GetInfoRequest("m"), None])
def test_a_body_of_another_kind_is_refused(service: testing.LedgerService, body: Any) -> None:
    """A mapping, another model or None is told which model is meant; nothing is sent."""
    client = ServiceClient(**service.settings())
    with pytest.raises(InputError, match=r"'body': must be tinsmith_api\.models\.UnloadModelRequest, not "):
        client.raw.unload_model(body=body)
    assert service.seen == []


def test_wrong_parameters_name_the_operation(service: testing.LedgerService) -> None:
    """A parameter that is missing or unknown is a TypeError of the operation, as of any function."""
    client = ServiceClient(**service.settings())
    with pytest.raises(TypeError, match=r"^unload_model\(\) missing .*'body'"):
        client.raw.unload_model()  # type: ignore[call-overload]
    with pytest.raises(TypeError, match=r"get_session\(\) got an unexpected .*'name'"):
        client.raw.get_session(name="s")  # type: ignore[call-arg]
    with pytest.raises(TypeError, match=r"^unload_model\(\) got an unexpected .*'name'"):
        client.raw.unload_model(name="m")  # type: ignore[call-overload]
    with pytest.raises(TypeError, match="'body' or its fields, not both: model_id"):
        client.raw.unload_model(body=models.UnloadModelRequest("m"), model_id="m")  # type: ignore[call-overload]


def test_fields_are_a_body_too(service: testing.LedgerService) -> None:
    """Fields by name send what the model of them sends."""
    client = ServiceClient(**service.settings())
    path = "tinker://run/weights/1"
    info = client.raw.weights_info(tinker_path=path)
    assert_type(info, RawFuture[models.WeightsInfoResponse])
    assert info.result(WAIT_S) == client.raw.weights_info(body=WeightsInfoRequest(path)).result(WAIT_S)
    assert service.seen[-1].json() == service.seen[-2].json() == {"tinker_path": path}


@pytest.mark.parametrize(
    ("call", "field", "words"),
    [
        (lambda raw: raw.list_sessions(limit=0), "limit", "from 1 to 500, not 0"),
        (lambda raw: raw.list_sessions(limit="x"), "limit", "whole number"),
        (lambda raw: raw.list_sessions(access_scope="mine"), "access_scope", "owned, accessible"),
        (lambda raw: raw.weights_info(tinker_path="weights/1"), "tinker_path", "tinker path"),
        (lambda raw: raw.save_weights(model_id="m", path="a/b"), "path", "checkpoint name"),
    ],
)
def test_bounds_of_the_contract(service: testing.LedgerService, call: Any, field: str, words: str) -> None:
    """What is out of bounds is refused before anything is sent, in a model as by name."""
    client = ServiceClient(**service.settings())
    with pytest.raises(InputError, match=words) as caught:
        call(client.raw)
    assert caught.value.field == field
    assert service.seen == []


def test_bounds_hold_in_a_model(service: testing.LedgerService) -> None:
    """A body that is a model is held to the same bounds."""
    client = ServiceClient(**service.settings())
    with pytest.raises(InputError, match="tinker path") as caught:
        client.raw.weights_info(body=WeightsInfoRequest("weights/1"))
    assert (caught.value.field, service.seen) == ("tinker_path", [])


def test_the_answer_comes_with_status_and_headers(service: testing.LedgerService) -> None:
    """`response()` has what stands beside the body, for one that is a redirect too."""
    service.rules.append(
        lambda name, *_: Answer(302, {"location": "/a.tar"}, b"") if name.endswith("/archive") else None
    )
    client = ServiceClient(**service.settings())
    found = client.raw.get_server_capabilities().response(WAIT_S)
    assert_type(found, Response[GetServerCapabilitiesResponse])
    assert (found.status_code, found.content[:1]) == (200, b"{")
    assert found.parsed.supported_models[0].model_name == "tinsmith/tiny"
    moved = client.raw.get_checkpoint_archive_url("run", "weights", "one").response(WAIT_S)
    assert (moved.status_code, moved.headers["location"], moved.parsed) == (302, "/a.tar", None)


def test_a_promise_is_resolved_by_the_table(service: testing.LedgerService) -> None:
    """The future of a promise gives the promise, and what it ends in as the contract has it."""
    client = ServiceClient(**service.settings())
    trainer = client.create_lora_training_client("tinsmith/tiny")
    promise = client.raw.save_weights(model_id=trainer.model_id, path="one", seq_id=1)
    assert_type(promise, RawPromise[models.UntypedAPIFuture, models.SaveWeightsResponse])
    saved = promise.resolved()
    assert_type(saved, tinsmith.APIFuture[models.SaveWeightsResponse])
    assert isinstance(saved.result(WAIT_S), models.SaveWeightsResponse)
    again = client.attach(promise.result(WAIT_S).request_id, models.SaveWeightsResponse)
    assert again.result(WAIT_S) == saved.result(WAIT_S)


def test_it_is_awaited_as_well(service: testing.LedgerService) -> None:
    """Results and answers in a loop."""
    future = ServiceClient(**service.settings()).raw.get_server_capabilities()

    async def both() -> None:
        assert (await future.response_async(WAIT_S)).parsed == await future

    asyncio.run(both())


@pytest.mark.parametrize("encoding", ["json", "protobuf"])
@pytest.mark.parametrize("kind", ["plain", "own"])
def test_a_batch_in_both_forms(encoding: Literal["json", "protobuf"], kind: str) -> None:
    """A batch of plain values, and one of our own, goes out in both; the result is a plain value."""
    own = types.Datum(
        model_input=types.ModelInput.from_ints([1, 2]),
        loss_fn_inputs={"target_tokens": [2, 3], "weights": [1.0, 1.0]},
    )
    plain = models.Datum(
        model_input=models.ModelInput([models.EncodedTextChunk([1, 2])]),
        loss_fn_inputs={
            "target_tokens": models.TensorData([2, 3], "int64"),
            "weights": models.TensorData([1.0, 1.0], "float32"),
        },
    )
    data: list[Any] = [plain if kind == "plain" else own]
    batch = models.ForwardBackwardInput(data, "cross_entropy")
    with ServiceClient(base_url="local:", encoding=encoding) as client:
        trainer = client.create_lora_training_client("tinsmith/tiny", rank=1, seed=1)
        promise = client.raw.encoded(encoding).forward_backward(
            model_id=trainer.model_id, forward_backward_input=batch, seq_id=1
        )
        found = promise.resolved().result(WAIT_S)
        assert isinstance(found, models.ForwardBackwardOutput)
    assert found.metrics["loss:sum"] > 0
    assert len(found.loss_fn_outputs[0]["logprobs"].data) == 2


def test_a_batch_in_protobuf_needs_its_number(service: testing.LedgerService) -> None:
    """The binary form has no null for it."""
    client = ServiceClient(**service.settings())
    batch = models.ForwardBackwardInput(data=[], loss_fn="cross_entropy")
    with pytest.raises(InputError, match="'seq_id'"):
        client.raw.encoded("protobuf").forward_backward(model_id="m", forward_backward_input=batch)
    sent = client.raw.encoded("protobuf").forward_backward(
        model_id="m", forward_backward_input=batch, seq_id=1
    )
    sent.exception(WAIT_S)
    assert service.seen[-1].headers["content-type"] == "application/x-protobuf"
