"""Raw operations: typed, sent and retried by our transport, one for each operation of the contract."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, assert_type

import pytest
import tinsmith
from tinsmith import InputError, NotFoundError, ServiceClient, testing, types
from tinsmith.clients import raw
from tinsmith.core.policy import RetryConfig
from tinsmith_api.models import GetServerCapabilitiesResponse, GetSessionResponse, WeightsInfoRequest
from tinsmith_api.operations import OPERATIONS

from tests.guard import WAIT_S

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def service() -> Iterator[testing.LedgerService]:
    """Run a service in memory."""
    with testing.frozen_clock():
        yield testing.LedgerService()


def test_every_operation_is_declared() -> None:
    """The typed list and the contract name the same operations."""
    source = Path(raw.__file__).read_text()
    declared = re.findall(r"^        (\w+) = declared\(", source, re.MULTILINE)
    assert declared == sorted(OPERATIONS)
    assert set(OPERATIONS) <= set(dir(raw.RawOperations(None)))  # type: ignore[arg-type]


def test_call_gives_the_generated_model(service: testing.LedgerService) -> None:
    """A call returns a future of the model that the generated client parses."""
    client = ServiceClient(**service.settings())
    future = client.raw.get_server_capabilities()
    assert_type(future, tinsmith.APIFuture[GetServerCapabilitiesResponse])
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
    with pytest.raises(InputError):
        client.raw.get_session("../escape")
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


@pytest.mark.parametrize("body", [{"model_id": "m"}, types.UnloadModelRequest("m"), None])
def test_a_body_of_another_kind_is_refused(service: testing.LedgerService, body: Any) -> None:
    """A mapping or one of the facade's own values is told which model is meant; nothing is sent."""
    client = ServiceClient(**service.settings())
    with pytest.raises(InputError, match=r"'body': must be tinsmith_api\.models\.UnloadModelRequest, not "):
        client.raw.unload_model(body=body)
    assert service.seen == []


def test_wrong_parameters_name_the_operation(service: testing.LedgerService) -> None:
    """A parameter that is missing or unknown is a TypeError of the operation, as of any function."""
    client = ServiceClient(**service.settings())
    with pytest.raises(TypeError, match=r"^unload_model\(\) missing .*'body'"):
        client.raw.unload_model()  # type: ignore[call-arg]
    with pytest.raises(TypeError, match=r"^get_session\(\) got an unexpected .*'name'"):
        client.raw.get_session(name="s")  # type: ignore[call-arg]
